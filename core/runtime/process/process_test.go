package process

import (
	"context"
	"testing"

	"github.com/programmable-mta/mta/sdk"
)

func TestAHookIsAnsweredByAProcess(t *testing.T) {
	p, _ := mustLoad(t, "plain", nil)
	a, err := rcpt(t.Context(), p, "nobody")
	if err != nil || a.Action != sdk.Reject || a.Reply.Text != "no such user" {
		t.Fatalf("%+v %v", a, err)
	}
	if hs := p.Handlers(); hs.Data == nil || hs.Disconnect == nil || hs.Connect != nil {
		t.Errorf("%+v", hs)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := rcpt(context.Background(), p, "nobody"); err == nil {
		t.Error("a closed plugin answers")
	}
}
