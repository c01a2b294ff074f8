package sdk

import "context"

// Each hook is an interface of one method: one event in, one answer out.
type (
	// ConnectHook is asked before the banner is sent.
	ConnectHook interface {
		OnConnect(context.Context, *ConnectEvent) (Answer, error)
	}
	// HeloHook is asked at EHLO, HELO and LHLO, and again after STARTTLS.
	HeloHook interface {
		OnHelo(context.Context, *HeloEvent) (Answer, error)
	}
	// AuthHook is asked when credentials are presented.
	AuthHook interface {
		OnAuth(context.Context, *AuthEvent) (Answer, error)
	}
	// MailHook is asked at MAIL FROM.
	MailHook interface {
		OnMail(context.Context, *MailEvent) (Answer, error)
	}
	// RcptHook is asked at each RCPT TO. If nobody accepts: 550 5.7.1.
	RcptHook interface {
		OnRcpt(context.Context, *RcptEvent) (Answer, error)
	}
	// PredataHook is asked at DATA and at the first BDAT, before the message.
	PredataHook interface {
		OnPredata(context.Context, *PredataEvent) (Answer, error)
	}
	// DataHook is asked when the message has arrived, before the 250.
	DataHook interface {
		OnData(context.Context, *DataEvent) (Answer, error)
	}
	// RouteHook is asked for every recipient at every attempt.
	RouteHook interface {
		OnRoute(context.Context, *RouteEvent) (RouteAnswer, error)
	}
	// DeliverHook is a transport: routes name it in Via.
	DeliverHook interface {
		OnDeliver(context.Context, *DeliverEvent) (DeliverAnswer, error)
	}
	// OutcomeHook is asked after an attempt, before its outcome is settled.
	OutcomeHook interface {
		OnOutcome(context.Context, *OutcomeEvent) (OutcomeAnswer, error)
	}
	// BounceHook is asked before a DSN is queued.
	BounceHook interface {
		OnBounce(context.Context, *BounceEvent) (BounceAnswer, error)
	}
	// DisconnectHook is told when a session ends. It decides nothing.
	DisconnectHook interface {
		OnDisconnect(context.Context, *DisconnectEvent) error
	}
)

// Handler is a hook of a loaded plugin, whichever runtime loaded it.
type Handler[E, A any] func(context.Context, *E) (A, error)

// None is the answer of a hook that only reports.
type None struct{}

// Handlers are the hooks of one loaded plugin; nil where it has none. This is
// the seam between the core and the runtimes: native, WebAssembly and process
// each fill it, and the core does not know which one did.
type Handlers struct {
	Connect    Handler[ConnectEvent, Answer]
	Helo       Handler[HeloEvent, Answer]
	Auth       Handler[AuthEvent, Answer]
	Mail       Handler[MailEvent, Answer]
	Rcpt       Handler[RcptEvent, Answer]
	Predata    Handler[PredataEvent, Answer]
	Data       Handler[DataEvent, Answer]
	Route      Handler[RouteEvent, RouteAnswer]
	Deliver    Handler[DeliverEvent, DeliverAnswer]
	Outcome    Handler[OutcomeEvent, OutcomeAnswer]
	Bounce     Handler[BounceEvent, BounceAnswer]
	Disconnect Handler[DisconnectEvent, None]
}

// HookInfo is one row of the hook table.
type HookInfo struct {
	Name    string
	When    string   // one line, for people
	Actions []Action // what a decision hook may answer besides Continue
	Edits   []Op     // which operations it may use
	// Queue: asked about accepted mail. Its on_error can only be defer or hold,
	// so that a broken plugin never bounces and never deletes mail.
	Queue bool
	// Reports: it decides nothing.
	Reports bool

	bind  func(*Handlers, Plugin) bool
	has   func(*Handlers) bool
	strip func(*Handlers)
}

// Implemented tells whether the loaded plugin has this hook.
func (h HookInfo) Implemented(hs *Handlers) bool { return h.has(hs) }

// Remove takes this hook from a loaded plugin.
func (h HookInfo) Remove(hs *Handlers) { h.strip(hs) }

// row makes the functions of a table row from the place of the hook in
// Handlers and from how to find it on a plugin value.
func row[E, A any](h HookInfo, at func(*Handlers) *Handler[E, A], find func(Plugin) Handler[E, A]) HookInfo {
	h.bind = func(hs *Handlers, p Plugin) bool {
		f := find(p)
		*at(hs) = f
		return f != nil
	}
	h.has = func(hs *Handlers) bool { return *at(hs) != nil }
	h.strip = func(hs *Handlers) { *at(hs) = nil }
	return h
}

// Local finds the hooks of a plugin value that lives in this process.
func Local(p Plugin) Handlers {
	var hs Handlers
	for _, h := range Hooks() {
		h.bind(&hs, p)
	}
	return hs
}

// Hooks is the table of all hooks, in the order of a message's life. Everything
// else about hooks is derived from it or checked against it.
func Hooks() []HookInfo {
	decide := []Action{Accept, Defer, Reject, Disconnect}
	keep := []Action{Accept, Defer, Reject, Disconnect, Discard, Hold}
	note := []Op{OpNote}
	return []HookInfo{
		row(HookInfo{Name: "connect", When: "before the banner", Actions: decide, Edits: note},
			func(h *Handlers) *Handler[ConnectEvent, Answer] { return &h.Connect },
			func(p Plugin) Handler[ConnectEvent, Answer] {
				if x, ok := p.(ConnectHook); ok {
					return x.OnConnect
				}
				return nil
			}),
		row(HookInfo{Name: "helo", When: "EHLO/HELO, again after STARTTLS", Actions: decide, Edits: note},
			func(h *Handlers) *Handler[HeloEvent, Answer] { return &h.Helo },
			func(p Plugin) Handler[HeloEvent, Answer] {
				if x, ok := p.(HeloHook); ok {
					return x.OnHelo
				}
				return nil
			}),
		row(HookInfo{Name: "auth", When: "credentials presented", Actions: decide, Edits: note},
			func(h *Handlers) *Handler[AuthEvent, Answer] { return &h.Auth },
			func(p Plugin) Handler[AuthEvent, Answer] {
				if x, ok := p.(AuthHook); ok {
					return x.OnAuth
				}
				return nil
			}),
		row(HookInfo{Name: "mail", When: "MAIL FROM", Actions: keep, Edits: []Op{OpNote, OpSetSender}},
			func(h *Handlers) *Handler[MailEvent, Answer] { return &h.Mail },
			func(p Plugin) Handler[MailEvent, Answer] {
				if x, ok := p.(MailHook); ok {
					return x.OnMail
				}
				return nil
			}),
		row(HookInfo{Name: "rcpt", When: "each RCPT TO; nobody accepts: 550 5.7.1", Actions: keep,
			Edits: []Op{OpNote, OpAddRecipient, OpReplaceRecipient}},
			func(h *Handlers) *Handler[RcptEvent, Answer] { return &h.Rcpt },
			func(p Plugin) Handler[RcptEvent, Answer] {
				if x, ok := p.(RcptHook); ok {
					return x.OnRcpt
				}
				return nil
			}),
		row(HookInfo{Name: "predata", When: "DATA/BDAT asked for, before 354", Actions: keep, Edits: note},
			func(h *Handlers) *Handler[PredataEvent, Answer] { return &h.Predata },
			func(p Plugin) Handler[PredataEvent, Answer] {
				if x, ok := p.(PredataHook); ok {
					return x.OnPredata
				}
				return nil
			}),
		row(HookInfo{Name: "data", When: "whole message received, before 250", Actions: keep,
			Edits: []Op{OpNote, OpSetSender, OpAddRecipient, OpRemoveRecipient, OpReplaceRecipient,
				OpPrependHeader, OpAppendHeader, OpReplaceHeader, OpRemoveHeader, OpReplaceBody}},
			func(h *Handlers) *Handler[DataEvent, Answer] { return &h.Data },
			func(p Plugin) Handler[DataEvent, Answer] {
				if x, ok := p.(DataHook); ok {
					return x.OnData
				}
				return nil
			}),
		row(HookInfo{Name: "route", When: "per recipient, at each attempt", Queue: true},
			func(h *Handlers) *Handler[RouteEvent, RouteAnswer] { return &h.Route },
			func(p Plugin) Handler[RouteEvent, RouteAnswer] {
				if x, ok := p.(RouteHook); ok {
					return x.OnRoute
				}
				return nil
			}),
		row(HookInfo{Name: "deliver", When: "a group of recipients of one message for one route", Queue: true},
			func(h *Handlers) *Handler[DeliverEvent, DeliverAnswer] { return &h.Deliver },
			func(p Plugin) Handler[DeliverEvent, DeliverAnswer] {
				if x, ok := p.(DeliverHook); ok {
					return x.OnDeliver
				}
				return nil
			}),
		row(HookInfo{Name: "outcome", When: "after an attempt, before it is settled", Queue: true},
			func(h *Handlers) *Handler[OutcomeEvent, OutcomeAnswer] { return &h.Outcome },
			func(p Plugin) Handler[OutcomeEvent, OutcomeAnswer] {
				if x, ok := p.(OutcomeHook); ok {
					return x.OnOutcome
				}
				return nil
			}),
		row(HookInfo{Name: "bounce", When: "a DSN is about to be made", Queue: true,
			Edits: []Op{OpNote, OpPrependHeader, OpAppendHeader, OpReplaceHeader}},
			func(h *Handlers) *Handler[BounceEvent, BounceAnswer] { return &h.Bounce },
			func(p Plugin) Handler[BounceEvent, BounceAnswer] {
				if x, ok := p.(BounceHook); ok {
					return x.OnBounce
				}
				return nil
			}),
		row(HookInfo{Name: "disconnect", When: "session over; report only", Reports: true},
			func(h *Handlers) *Handler[DisconnectEvent, None] { return &h.Disconnect },
			func(p Plugin) Handler[DisconnectEvent, None] {
				if x, ok := p.(DisconnectHook); ok {
					return func(ctx context.Context, e *DisconnectEvent) (None, error) {
						return None{}, x.OnDisconnect(ctx, e)
					}
				}
				return nil
			}),
	}
}
