package hook

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/programmable-mta/mta/sdk"
)

// A call that was abandoned may go on reading its event while the session goes
// on writing. So a guarded call gets a copy, and the content of the message
// through a lease that ends with the call.

func copySession(s *sdk.Session) *sdk.Session {
	if s == nil {
		return nil
	}
	own := *s
	own.Notes = maps.Clone(s.Notes)
	return &own
}

func copyEnvelope(env *sdk.Envelope) *sdk.Envelope {
	if env == nil {
		return nil
	}
	own := *env
	own.Recipients = slices.Clone(env.Recipients)
	own.Notes = maps.Clone(env.Notes)
	return &own
}

func copyConnect(e *sdk.ConnectEvent) (*sdk.ConnectEvent, *lease) {
	return &sdk.ConnectEvent{Session: copySession(e.Session)}, nil
}

func copyHelo(e *sdk.HeloEvent) (*sdk.HeloEvent, *lease) {
	own := *e
	own.Session = copySession(e.Session)
	return &own, nil
}

func copyAuth(e *sdk.AuthEvent) (*sdk.AuthEvent, *lease) {
	own := *e
	own.Session = copySession(e.Session)
	return &own, nil
}

func copyMail(e *sdk.MailEvent) (*sdk.MailEvent, *lease) {
	return &sdk.MailEvent{Session: copySession(e.Session), Envelope: copyEnvelope(e.Envelope)}, nil
}

func copyRcpt(e *sdk.RcptEvent) (*sdk.RcptEvent, *lease) {
	own := *e
	own.Session, own.Envelope = copySession(e.Session), copyEnvelope(e.Envelope)
	return &own, nil
}

func copyPredata(e *sdk.PredataEvent) (*sdk.PredataEvent, *lease) {
	return &sdk.PredataEvent{Session: copySession(e.Session), Envelope: copyEnvelope(e.Envelope)}, nil
}

func copyData(e *sdk.DataEvent) (*sdk.DataEvent, *lease) {
	l := &lease{}
	return &sdk.DataEvent{Session: copySession(e.Session), Envelope: copyEnvelope(e.Envelope), Message: l.message(e.Message)}, l
}

func copyRoute(e *sdk.RouteEvent) (*sdk.RouteEvent, *lease) {
	own := *e
	own.Envelope = copyEnvelope(e.Envelope)
	return &own, nil
}

func copyOutcome(e *sdk.OutcomeEvent) (*sdk.OutcomeEvent, *lease) {
	own := *e
	own.Envelope = copyEnvelope(e.Envelope)
	own.Route.Hosts = slices.Clone(e.Route.Hosts)
	return &own, nil
}

func copyBounce(e *sdk.BounceEvent) (*sdk.BounceEvent, *lease) {
	l := &lease{}
	own := *e
	own.Envelope = copyEnvelope(e.Envelope)
	own.Recipients, own.Outcomes = slices.Clone(e.Recipients), slices.Clone(e.Outcomes)
	own.Message = l.message(e.Message)
	return &own, l
}

func copyDisconnect(e *sdk.DisconnectEvent) (*sdk.DisconnectEvent, *lease) {
	own := *e
	own.Session = copySession(e.Session)
	return &own, nil
}

var errOver = errors.New("hook: the call has ended, and with it the access to the message")

// maxBodies is how many readers of the message one call can have open at once.
const maxBodies = 64

var errBodies = errors.New("hook: too many readers of the message are open: close those that are done")

// lease is the access of one call to the content of a message. After its end
// nothing reads the message any more, so its buffers and files can be used
// again, and what the plugin left open is closed.
type lease struct {
	mu   sync.RWMutex
	over bool
	open map[*leased]struct{}
}

func (l *lease) message(m sdk.Message) sdk.Message {
	return sdk.NewMessage(m.ID, m.Size, func() (sdk.Body, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.over {
			return nil, errOver
		}
		if len(l.open) >= maxBodies {
			return nil, errBodies
		}
		b, err := m.Open()
		if err != nil {
			return nil, err
		}
		own := &leased{l: l, body: b}
		if l.open == nil {
			l.open = map[*leased]struct{}{}
		}
		l.open[own] = struct{}{}
		return own, nil
	})
}

// end waits for a read that is under way; those are of memory or a local file.
func (l *lease) end() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	for b := range l.open {
		b.body.Close()
	}
	l.open = nil
}

type leased struct {
	l    *lease
	body sdk.Body
}

func (b *leased) Read(p []byte) (int, error) {
	b.l.mu.RLock()
	defer b.l.mu.RUnlock()
	if b.l.over {
		return 0, errOver
	}
	return b.body.Read(p)
}

func (b *leased) ReadAt(p []byte, off int64) (int, error) {
	b.l.mu.RLock()
	defer b.l.mu.RUnlock()
	if b.l.over {
		return 0, errOver
	}
	return b.body.ReadAt(p, off)
}

func (b *leased) Close() error {
	b.l.mu.Lock()
	defer b.l.mu.Unlock()
	if _, open := b.l.open[b]; !open {
		return nil
	}
	delete(b.l.open, b)
	return b.body.Close()
}
