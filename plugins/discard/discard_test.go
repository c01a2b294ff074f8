package discard_test

import (
	"testing"

	"github.com/programmable-mta/mta/plugins/discard"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestStories(t *testing.T) { plugintest.Run(t, discard.New) }

func TestTheRuleOfTheRouteIsNamedUnlessTheConfigurationHasOne(t *testing.T) {
	for _, tt := range []struct{ config, rule, want string }{
		{`{}`, "route 3: to=example.org", "discarded by rule route 3: to=example.org"},
		{`{}`, "", "discarded by rule discard"},
		{`{"rule": "old-lists"}`, "route 3: to=example.org", "discarded by rule old-lists"},
	} {
		p := discard.New()
		if err := p.Start(t.Context(), plugintest.NewHost(), []byte(tt.config)); err != nil {
			t.Fatal(err)
		}
		e := &sdk.DeliverEvent{Envelope: plugintest.Envelope("a@b"), Recipients: plugintest.Envelope("", "x@y").Recipients, Route: sdk.Route{Rule: tt.rule}}
		a, err := p.(sdk.DeliverHook).OnDeliver(t.Context(), e)
		if err != nil || len(a.Outcomes) != 1 || a.Outcomes[0].Status != sdk.StatusDelivered || a.Outcomes[0].Reply.Text != tt.want {
			t.Errorf("%s %q: %+v, %v; want %q", tt.config, tt.rule, a, err, tt.want)
		}
	}
}
