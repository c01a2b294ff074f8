package wasm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/call"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/wire"
)

// bind makes the handlers of the hooks that the plugin has.
func (p *plugin) bind() error {
	wants := make(map[string]*wire.Want)
	exported := p.layout.hooks()
	names := exported
	if asked := p.about.Description.Hooks; asked != nil {
		names = nil
		for name, fields := range asked {
			if !slices.Contains(exported, name) {
				return fmt.Errorf("it describes a hook %q and does not export %s%s", name, hookPrefix, name)
			}
			want, err := wire.ParseWant(name, fields)
			if err != nil {
				return fmt.Errorf("its description: %w", err)
			}
			names = append(names, name)
			wants[name] = want
		}
	}
	all := p.all(wants)
	for _, h := range sdk.Hooks() {
		if !slices.Contains(names, h.Name) {
			h.Remove(&all)
		}
	}
	p.handlers = all
	return runtime.Choose(&p.handlers, p.spec.Hooks)
}

func (p *plugin) all(w map[string]*wire.Want) sdk.Handlers {
	// A message is known to the calls of the host from the event that holds it.
	data := func(s *call.Scope, e *sdk.DataEvent) { s.Message = e.Message }
	bounce := func(s *call.Scope, e *sdk.BounceEvent) { s.Message = e.Message }
	deliver := func(s *call.Scope, e *sdk.DeliverEvent) { s.Message, s.Deliver = e.Message, e }
	return sdk.Handlers{
		Connect:    hook(p, wire.HookConnect, w["connect"], (*wire.Writer).ConnectEvent, wire.ParseConnectAnswer, decided, nil),
		Helo:       hook(p, wire.HookHelo, w["helo"], (*wire.Writer).HeloEvent, wire.ParseHeloAnswer, decided, nil),
		Auth:       hook(p, wire.HookAuth, w["auth"], (*wire.Writer).AuthEvent, wire.ParseAuthAnswer, decided, nil),
		Mail:       hook(p, wire.HookMail, w["mail"], (*wire.Writer).MailEvent, wire.ParseMailAnswer, decided, nil),
		Rcpt:       hook(p, wire.HookRcpt, w["rcpt"], (*wire.Writer).RcptEvent, wire.ParseRcptAnswer, decided, nil),
		Predata:    hook(p, wire.HookPredata, w["predata"], (*wire.Writer).PredataEvent, wire.ParsePredataAnswer, decided, nil),
		Data:       hook(p, wire.HookData, w["data"], (*wire.Writer).DataEvent, wire.ParseDataAnswer, decided, data),
		Route:      hook(p, wire.HookRoute, w["route"], (*wire.Writer).RouteEvent, wire.ParseRouteAnswer, routed, nil),
		Deliver:    hook(p, wire.HookDeliver, w["deliver"], (*wire.Writer).DeliverEvent, wire.ParseDeliverAnswer, delivered, deliver),
		Outcome:    hook(p, wire.HookOutcome, w["outcome"], (*wire.Writer).OutcomeEvent, wire.ParseOutcomeAnswer, silent[sdk.OutcomeAnswer], nil),
		Bounce:     hook(p, wire.HookBounce, w["bounce"], (*wire.Writer).BounceEvent, wire.ParseBounceAnswer, silent[sdk.BounceAnswer], bounce),
		Disconnect: hook(p, wire.HookDisconnect, w["disconnect"], (*wire.Writer).DisconnectEvent, noBlock, silent[sdk.None], nil),
	}
}

// decided makes the answer of a decision hook without a block.
func decided(low uint32) (sdk.Answer, error) {
	action, code, err := short(low)
	return sdk.Answer{Action: sdk.Action(action), Reply: sdk.Reply{Code: code}}, err
}

func routed(low uint32) (sdk.RouteAnswer, error) {
	action, code, err := short(low)
	return sdk.RouteAnswer{Action: sdk.RouteAction(action), Reply: sdk.Reply{Code: code}}, err
}

func delivered(uint32) (sdk.DeliverAnswer, error) {
	return sdk.DeliverAnswer{}, errors.New("its deliver hook answers without a block, and owes one outcome a recipient")
}

func silent[A any](low uint32) (a A, err error) {
	if low != 0 {
		err = fmt.Errorf("it answers %#x, and this hook has no actions: 0 or a block", low)
	}
	return a, err
}

func noBlock(string) (sdk.None, error) {
	return sdk.None{}, errors.New("it answers with a block, and this hook only reports")
}

func short(low uint32) (action uint8, code int, err error) {
	if low>>8&0xff != 0 {
		return 0, 0, fmt.Errorf("it answers %#x, which is no action and reply code", low)
	}
	return uint8(low), int(low >> 16), nil
}

// hook makes the handler of one hook.
func hook[E, A any](p *plugin, number int, want *wire.Want,
	encode func(*wire.Writer, time.Time, *E, *wire.Want) []byte,
	decode func(string) (A, error), simple func(uint32) (A, error), about func(*call.Scope, *E),
) sdk.Handler[E, A] {
	fuel, limit := p.limits.Fuel, p.limits.Deadline
	if number == wire.HookDeliver {
		fuel, limit = deliverFuel*fuel, deliverLimit
	}
	return func(ctx context.Context, e *E) (a A, err error) {
		in, left, err := p.ready(ctx, limit)
		if err != nil {
			return a, fmt.Errorf("wasm: %w", err)
		}
		sound := false // unless the guest came back with an answer that decodes
		defer func() { p.done(in, sound) }()
		in.scope.Reset()
		in.scope.Now = p.host.Now(ctx)
		in.clock.begin(in.scope.Now)
		if about != nil {
			about(&in.scope, e)
		}
		in.begin(ctx, fuel, left)
		in.asked = true
		defer in.finish()
		ret, err := in.ask(number, encode(&in.events, in.scope.Now, e, want))
		switch {
		case err != nil:
		case uint32(ret>>32) == 0:
			if uint32(ret) != 0 || number == wire.HookDeliver {
				a, err = simple(uint32(ret))
			}
		case ret&errorBit != 0:
			err = in.complaint(ret)
		default:
			var block string
			if block, err = in.read(ret, maxAnswer); err == nil {
				a, err = decode(block)
			}
		}
		if err != nil {
			var zero A
			_, sound = err.(pluginError)
			return zero, fmt.Errorf("wasm: %w", err)
		}
		sound = true
		return a, nil
	}
}

// ask gives an event to the guest and gets the answer.
func (in *instance) ask(number int, event []byte) (uint64, error) {
	if err := in.send(event); err != nil {
		return 0, err
	}
	return in.invoke(in.hook(number), uint64(len(event)))
}

// ready is an instance that can be asked, and the time that is left for it.
func (p *plugin) ready(ctx context.Context, limit time.Duration) (*instance, time.Duration, error) {
	in, left, err := p.take(ctx, limit)
	if in != nil || err != nil {
		return in, left, err
	}
	if in, err = p.make(ctx); err != nil {
		p.gone()
		return nil, 0, fmt.Errorf("one more instance: %w", err)
	}
	if err := in.configure(ctx); err != nil {
		p.discard(in)
		return nil, 0, fmt.Errorf("one more instance: %w", err)
	}
	return in, left, nil
}

// done gives the instance back, or throws it away.
func (p *plugin) done(in *instance, sound bool) {
	switch {
	case !sound:
		p.discard(in)
	case int64(len(in.memory.b)) > p.limits.Memory/4*3:
		p.retire(in)
	default:
		p.put(in)
	}
}
