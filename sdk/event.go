package sdk

import "time"

// ConnectEvent: a client has connected; nothing was said yet.
type ConnectEvent struct {
	Session *Session
}

// HeloEvent: HELO, EHLO or LHLO was given, the first time or again.
type HeloEvent struct {
	Session  *Session // Session.Helo already holds the name
	Extended bool     // EHLO or LHLO
}

// AuthEvent: a client presents credentials. A plugin that knows the user
// answers Accept with Identity, or Reject; Continue leaves it to the next.
type AuthEvent struct {
	Session   *Session
	Mechanism string // PLAIN, LOGIN, ...
	Username  string
	Password  string // empty for mechanisms that do not reveal it
	AuthzID   string
}

// MailEvent: MAIL FROM was given. Envelope has no recipients yet.
type MailEvent struct {
	Session  *Session
	Envelope *Envelope
}

// RcptEvent: RCPT TO was given. Envelope holds the recipients accepted so far.
type RcptEvent struct {
	Session   *Session
	Envelope  *Envelope
	Recipient Recipient
}

// PredataEvent: DATA or the first BDAT was given; 354 was not said yet.
type PredataEvent struct {
	Session  *Session
	Envelope *Envelope
}

// DataEvent: the whole message was received; the 250 was not said yet.
type DataEvent struct {
	Session  *Session
	Envelope *Envelope
	Message  Message
}

// RouteEvent asks where one recipient goes, at each attempt anew.
type RouteEvent struct {
	Envelope  *Envelope
	Recipient Recipient
	Attempt   int     // 1 for the first
	Last      Outcome // of the attempt before; zero at the first
}

// DeliverEvent asks a transport to deliver one message to some of its
// recipients: those that share a route.
type DeliverEvent struct {
	Envelope   *Envelope
	Message    Message
	Recipients []Recipient
	Route      Route
	Attempt    int
}

// OutcomeEvent: an attempt ended; nothing of it was written down yet.
type OutcomeEvent struct {
	Envelope  *Envelope
	Recipient Recipient
	Route     Route
	Attempt   int
	Outcome   Outcome
	Next      time.Time // when a deferred recipient is tried again
}

// DSNKind is why a DSN is made.
type DSNKind uint8

// The kinds of DSN.
const (
	DSNFailed DSNKind = 1 + iota
	DSNDelayed
	DSNSuccess // delivered, relayed or expanded
)

// String is the kind's name in traces and logs.
func (k DSNKind) String() string {
	switch k {
	case DSNFailed:
		return "failed"
	case DSNDelayed:
		return "delayed"
	case DSNSuccess:
		return "success"
	}
	return "none"
}

// BounceEvent: a DSN about Envelope is about to be queued.
type BounceEvent struct {
	Envelope   *Envelope // the message it is about
	Kind       DSNKind
	Recipients []Recipient // those it tells about
	Outcomes   []Outcome   // the last of each
	Message    Message     // the DSN itself
	To         string      // where it goes: the reverse-path of Envelope
}

// DisconnectEvent: a session has ended.
type DisconnectEvent struct {
	Session  *Session
	Messages int    // accepted in this session
	Reason   string // quit, lost, timeout, error, shutdown, ...
}
