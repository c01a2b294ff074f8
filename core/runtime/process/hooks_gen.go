// Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.

package process

import (
	"github.com/programmable-mta/mta/core/runtime/call"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/wire"
)

// bind gives hs the hooks that the plugin named in its description.
func (p *plugin) bind(hs *sdk.Handlers) {
	if want, ok := p.wants["connect"]; ok {
		hs.Connect = ask(p, &hook[sdk.ConnectEvent, sdk.Answer]{"connect", wire.HookConnect, want, (*wire.ProtoWriter).ConnectEvent, wire.UnmarshalAnswer, nil})
	}
	if want, ok := p.wants["helo"]; ok {
		hs.Helo = ask(p, &hook[sdk.HeloEvent, sdk.Answer]{"helo", wire.HookHelo, want, (*wire.ProtoWriter).HeloEvent, wire.UnmarshalAnswer, nil})
	}
	if want, ok := p.wants["auth"]; ok {
		hs.Auth = ask(p, &hook[sdk.AuthEvent, sdk.Answer]{"auth", wire.HookAuth, want, (*wire.ProtoWriter).AuthEvent, wire.UnmarshalAnswer, nil})
	}
	if want, ok := p.wants["mail"]; ok {
		hs.Mail = ask(p, &hook[sdk.MailEvent, sdk.Answer]{"mail", wire.HookMail, want, (*wire.ProtoWriter).MailEvent, wire.UnmarshalAnswer, nil})
	}
	if want, ok := p.wants["rcpt"]; ok {
		hs.Rcpt = ask(p, &hook[sdk.RcptEvent, sdk.Answer]{"rcpt", wire.HookRcpt, want, (*wire.ProtoWriter).RcptEvent, wire.UnmarshalAnswer, nil})
	}
	if want, ok := p.wants["predata"]; ok {
		hs.Predata = ask(p, &hook[sdk.PredataEvent, sdk.Answer]{"predata", wire.HookPredata, want, (*wire.ProtoWriter).PredataEvent, wire.UnmarshalAnswer, nil})
	}
	if want, ok := p.wants["data"]; ok {
		hs.Data = ask(p, &hook[sdk.DataEvent, sdk.Answer]{"data", wire.HookData, want, (*wire.ProtoWriter).DataEvent, wire.UnmarshalAnswer, func(e *sdk.DataEvent, s *call.Scope) { s.Message = e.Message }})
	}
	if want, ok := p.wants["route"]; ok {
		hs.Route = ask(p, &hook[sdk.RouteEvent, sdk.RouteAnswer]{"route", wire.HookRoute, want, (*wire.ProtoWriter).RouteEvent, wire.UnmarshalRouteAnswer, nil})
	}
	if want, ok := p.wants["deliver"]; ok {
		hs.Deliver = ask(p, &hook[sdk.DeliverEvent, sdk.DeliverAnswer]{"deliver", wire.HookDeliver, want, (*wire.ProtoWriter).DeliverEvent, wire.UnmarshalDeliverAnswer, func(e *sdk.DeliverEvent, s *call.Scope) { s.Message, s.Deliver = e.Message, e }})
	}
	if want, ok := p.wants["outcome"]; ok {
		hs.Outcome = ask(p, &hook[sdk.OutcomeEvent, sdk.OutcomeAnswer]{"outcome", wire.HookOutcome, want, (*wire.ProtoWriter).OutcomeEvent, wire.UnmarshalOutcomeAnswer, nil})
	}
	if want, ok := p.wants["bounce"]; ok {
		hs.Bounce = ask(p, &hook[sdk.BounceEvent, sdk.BounceAnswer]{"bounce", wire.HookBounce, want, (*wire.ProtoWriter).BounceEvent, wire.UnmarshalBounceAnswer, func(e *sdk.BounceEvent, s *call.Scope) { s.Message = e.Message }})
	}
	if want, ok := p.wants["disconnect"]; ok {
		hs.Disconnect = ask(p, &hook[sdk.DisconnectEvent, sdk.None]{"disconnect", wire.HookDisconnect, want, (*wire.ProtoWriter).DisconnectEvent, func(string) (sdk.None, error) { return sdk.None{}, nil }, nil})
	}
}
