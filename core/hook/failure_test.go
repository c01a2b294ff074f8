package hook_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/sdk"
)

func TestWhyAPluginFailedIsToldOnceASecondAndWhenItsBreakerOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []hook.Failure
		p := connects(func(context.Context, *sdk.ConnectEvent) (sdk.Answer, error) {
			return sdk.Answer{}, errors.New("the list is gone")
		})
		p.Inline = true
		c, err := hook.New([]hook.Plugin{p}, hook.Options{Failed: func(f hook.Failure) { told = append(told, f) }})
		if err != nil {
			t.Fatal(err)
		}
		for range 100 { // the fifth opens the breaker
			connect(c)
		}
		want := []hook.Failure{{Plugin: "p", Hook: "connect", Err: "the list is gone"}, {Plugin: "p", Hook: "connect", Err: "the list is gone", Opened: true, Untold: 3}}
		if len(told) != 2 || told[0] != want[0] || told[1] != want[1] {
			t.Errorf("told %+v", told)
		}
		m := c.Describe()[0].Members[0]
		if m.Last != "the list is gone" {
			t.Errorf("the last error is %q: not why it fails", m.Last)
		}
		if m.Calls != 100 || m.Errors != 100 {
			t.Errorf("%d calls, %d errors", m.Calls, m.Errors)
		}
		time.Sleep(31 * time.Second)
		connect(c) // the probe
		if len(told) != 3 || !told[2].Opened {
			t.Errorf("after the probe: %+v", told)
		}
	})
}

func TestARouteCanNameOnlyWhatDelivers(t *testing.T) {
	c := chains(t, connects(func(context.Context, *sdk.ConnectEvent) (sdk.Answer, error) { return sdk.Answer{}, nil }),
		hook.Plugin{Name: "d", Handlers: sdk.Handlers{Deliver: func(context.Context, *sdk.DeliverEvent) (sdk.DeliverAnswer, error) {
			return sdk.DeliverAnswer{}, nil
		}}})
	for via, want := range map[string]bool{"d": true, "p": false, "nobody": false, "": false} {
		if got := c.Delivers(via); got != want {
			t.Errorf("%q: %v", via, got)
		}
	}
}
