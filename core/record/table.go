package record

import (
	"context"

	"github.com/programmable-mta/mta/sdk"
)

// row is one hook, as far as this room depends on its types. A test compares
// the rows with [sdk.Hooks].
type row struct {
	name   string
	tap    func(t *Tap, from, to *sdk.Handlers)
	event  func() any // a new *Event
	answer func() any // a new *Answer
	has    func(*sdk.Handlers) bool
	// ask calls the hook with an event that came from event; the answer is a
	// pointer as it comes from answer.
	ask func(ctx context.Context, hs *sdk.Handlers, event any) (any, error)
}

func rowOf[E, A any](name string, at func(*sdk.Handlers) *sdk.Handler[E, A]) row {
	return row{
		name:   name,
		tap:    func(t *Tap, from, to *sdk.Handlers) { *at(to) = tapped(t, name, *at(from)) },
		event:  func() any { return new(E) },
		answer: func() any { return new(A) },
		has:    func(hs *sdk.Handlers) bool { return *at(hs) != nil },
		ask: func(ctx context.Context, hs *sdk.Handlers, event any) (any, error) {
			a, err := (*at(hs))(ctx, event.(*E))
			if err != nil {
				return nil, err
			}
			return &a, nil
		},
	}
}

// rows is the hooks in the order of [sdk.Hooks].
func rows() []row {
	return []row{
		rowOf("connect", func(h *sdk.Handlers) *sdk.Handler[sdk.ConnectEvent, sdk.Answer] { return &h.Connect }),
		rowOf("helo", func(h *sdk.Handlers) *sdk.Handler[sdk.HeloEvent, sdk.Answer] { return &h.Helo }),
		rowOf("auth", func(h *sdk.Handlers) *sdk.Handler[sdk.AuthEvent, sdk.Answer] { return &h.Auth }),
		rowOf("mail", func(h *sdk.Handlers) *sdk.Handler[sdk.MailEvent, sdk.Answer] { return &h.Mail }),
		rowOf("rcpt", func(h *sdk.Handlers) *sdk.Handler[sdk.RcptEvent, sdk.Answer] { return &h.Rcpt }),
		rowOf("predata", func(h *sdk.Handlers) *sdk.Handler[sdk.PredataEvent, sdk.Answer] { return &h.Predata }),
		rowOf("data", func(h *sdk.Handlers) *sdk.Handler[sdk.DataEvent, sdk.Answer] { return &h.Data }),
		rowOf("route", func(h *sdk.Handlers) *sdk.Handler[sdk.RouteEvent, sdk.RouteAnswer] { return &h.Route }),
		rowOf("deliver", func(h *sdk.Handlers) *sdk.Handler[sdk.DeliverEvent, sdk.DeliverAnswer] { return &h.Deliver }),
		rowOf("outcome", func(h *sdk.Handlers) *sdk.Handler[sdk.OutcomeEvent, sdk.OutcomeAnswer] { return &h.Outcome }),
		rowOf("bounce", func(h *sdk.Handlers) *sdk.Handler[sdk.BounceEvent, sdk.BounceAnswer] { return &h.Bounce }),
		rowOf("disconnect", func(h *sdk.Handlers) *sdk.Handler[sdk.DisconnectEvent, sdk.None] { return &h.Disconnect }),
	}
}

// place is where a hook stands in the table; unknown ones are behind it.
func place(hook string) int {
	all := rows()
	for i := range all {
		if all[i].name == hook {
			return i
		}
	}
	return len(all)
}

// about is what the line of a call says beside its event.
func about(event any) (session *sdk.Session, env *sdk.Envelope, message *sdk.Message) {
	switch e := event.(type) {
	case *sdk.ConnectEvent:
		return e.Session, nil, nil
	case *sdk.HeloEvent:
		return e.Session, nil, nil
	case *sdk.AuthEvent:
		return e.Session, nil, nil
	case *sdk.MailEvent:
		return e.Session, e.Envelope, nil
	case *sdk.RcptEvent:
		return e.Session, e.Envelope, nil
	case *sdk.PredataEvent:
		return e.Session, e.Envelope, nil
	case *sdk.DataEvent:
		return e.Session, e.Envelope, &e.Message
	case *sdk.RouteEvent:
		return nil, e.Envelope, nil
	case *sdk.DeliverEvent:
		return nil, e.Envelope, &e.Message
	case *sdk.OutcomeEvent:
		return nil, e.Envelope, nil
	case *sdk.BounceEvent:
		return nil, e.Envelope, &e.Message
	case *sdk.DisconnectEvent:
		return e.Session, nil, nil
	}
	return nil, nil, nil
}
