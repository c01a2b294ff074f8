//go:build !wasip1

// Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.

package serve

import (
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/wire"
)

// answerers are the hooks that a plugin has, by their numbers.
func answerers(hs *sdk.Handlers) map[int]answerer {
	m := map[int]answerer{}
	if hs.Connect != nil {
		m[wire.HookConnect] = answer(hs.Connect, wire.UnmarshalConnectEvent, (*wire.ProtoWriter).Answer, nil)
	}
	if hs.Helo != nil {
		m[wire.HookHelo] = answer(hs.Helo, wire.UnmarshalHeloEvent, (*wire.ProtoWriter).Answer, nil)
	}
	if hs.Auth != nil {
		m[wire.HookAuth] = answer(hs.Auth, wire.UnmarshalAuthEvent, (*wire.ProtoWriter).Answer, nil)
	}
	if hs.Mail != nil {
		m[wire.HookMail] = answer(hs.Mail, wire.UnmarshalMailEvent, (*wire.ProtoWriter).Answer, nil)
	}
	if hs.Rcpt != nil {
		m[wire.HookRcpt] = answer(hs.Rcpt, wire.UnmarshalRcptEvent, (*wire.ProtoWriter).Answer, nil)
	}
	if hs.Predata != nil {
		m[wire.HookPredata] = answer(hs.Predata, wire.UnmarshalPredataEvent, (*wire.ProtoWriter).Answer, nil)
	}
	if hs.Data != nil {
		m[wire.HookData] = answer(hs.Data, wire.UnmarshalDataEvent, (*wire.ProtoWriter).Answer, func(e *sdk.DataEvent, open func(*sdk.Message)) { open(&e.Message) })
	}
	if hs.Route != nil {
		m[wire.HookRoute] = answer(hs.Route, wire.UnmarshalRouteEvent, (*wire.ProtoWriter).RouteAnswer, nil)
	}
	if hs.Deliver != nil {
		m[wire.HookDeliver] = answer(hs.Deliver, wire.UnmarshalDeliverEvent, (*wire.ProtoWriter).DeliverAnswer, func(e *sdk.DeliverEvent, open func(*sdk.Message)) { open(&e.Message) })
	}
	if hs.Outcome != nil {
		m[wire.HookOutcome] = answer(hs.Outcome, wire.UnmarshalOutcomeEvent, (*wire.ProtoWriter).OutcomeAnswer, nil)
	}
	if hs.Bounce != nil {
		m[wire.HookBounce] = answer(hs.Bounce, wire.UnmarshalBounceEvent, (*wire.ProtoWriter).BounceAnswer, func(e *sdk.BounceEvent, open func(*sdk.Message)) { open(&e.Message) })
	}
	if hs.Disconnect != nil {
		m[wire.HookDisconnect] = answer(hs.Disconnect, wire.UnmarshalDisconnectEvent, nil, nil)
	}
	return m
}
