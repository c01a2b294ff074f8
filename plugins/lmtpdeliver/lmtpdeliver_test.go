package lmtpdeliver_test

import (
	"context"
	"testing"

	"github.com/programmable-mta/mta/plugins/lmtpdeliver"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestStories(t *testing.T) { plugintest.Run(t, lmtpdeliver.New) }

func TestItGivesUpWithItsContext(t *testing.T) {
	p := lmtpdeliver.New()
	if err := p.Start(t.Context(), plugintest.NewHost(), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := &sdk.DeliverEvent{Envelope: plugintest.Envelope("a@b"), Recipients: plugintest.Envelope("", "x@y").Recipients}
	a, err := p.(sdk.DeliverHook).OnDeliver(ctx, e)
	if err != nil || len(a.Outcomes) != 1 || a.Outcomes[0].Status != sdk.StatusDeferred {
		t.Errorf("%+v, %v; want one deferred", a, err)
	}
}

func TestItTakesNoConfiguration(t *testing.T) {
	if err := lmtpdeliver.New().Start(t.Context(), plugintest.NewHost(), []byte(`{"host": "x"}`)); err == nil {
		t.Error("an unknown key was taken")
	}
}
