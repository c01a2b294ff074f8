package sdk

import "time"

// ConnectEvent: a client has connected; nothing was said yet.
type ConnectEvent struct {
	Session *Session `json:"session,omitzero"`
}

// HeloEvent: HELO, EHLO or LHLO was given, the first time or again.
type HeloEvent struct {
	Session  *Session `json:"session,omitzero"`  // Session.Helo already holds the name
	Extended bool     `json:"extended,omitzero"` // EHLO or LHLO
}

// AuthEvent: a client presents credentials. A plugin that knows the user
// answers Accept with Identity, or Reject; Continue leaves it to the next.
type AuthEvent struct {
	Session   *Session `json:"session,omitzero"`
	Mechanism string   `json:"mechanism,omitzero"` // PLAIN, LOGIN, ...
	Username  string   `json:"username,omitzero"`
	Password  string   `json:"password,omitzero"` // empty for mechanisms that do not reveal it
	AuthzID   string   `json:"authz_id,omitzero"`
}

// MailEvent: MAIL FROM was given. Envelope has no recipients yet.
type MailEvent struct {
	Session  *Session  `json:"session,omitzero"`
	Envelope *Envelope `json:"envelope,omitzero"`
}

// RcptEvent: RCPT TO was given. Envelope holds the recipients accepted so far.
type RcptEvent struct {
	Session   *Session  `json:"session,omitzero"`
	Envelope  *Envelope `json:"envelope,omitzero"`
	Recipient Recipient `json:"recipient,omitzero"`
}

// PredataEvent: DATA or the first BDAT was given; 354 was not said yet.
type PredataEvent struct {
	Session  *Session  `json:"session,omitzero"`
	Envelope *Envelope `json:"envelope,omitzero"`
}

// DataEvent: the whole message was received; the 250 was not said yet.
type DataEvent struct {
	Session  *Session  `json:"session,omitzero"`
	Envelope *Envelope `json:"envelope,omitzero"`
	Message  Message   `json:"message,omitzero"`
}

// RouteEvent asks where one recipient goes, at each attempt anew.
type RouteEvent struct {
	Envelope  *Envelope `json:"envelope,omitzero"`
	Recipient Recipient `json:"recipient,omitzero"`
	Attempt   int       `json:"attempt,omitzero"` // 1 for the first
	Last      Outcome   `json:"last,omitzero"`    // of the attempt before; zero at the first
}

// DeliverEvent asks a transport to deliver one message to some of its
// recipients: those that share a route.
type DeliverEvent struct {
	Envelope   *Envelope   `json:"envelope,omitzero"`
	Message    Message     `json:"message,omitzero"`
	Recipients []Recipient `json:"recipients,omitzero"`
	Route      Route       `json:"route,omitzero"`
	Attempt    int         `json:"attempt,omitzero"`
}

// OutcomeEvent: an attempt ended; nothing of it was written down yet.
type OutcomeEvent struct {
	Envelope  *Envelope `json:"envelope,omitzero"`
	Recipient Recipient `json:"recipient,omitzero"`
	Route     Route     `json:"route,omitzero"`
	Attempt   int       `json:"attempt,omitzero"`
	Outcome   Outcome   `json:"outcome,omitzero"`
	Next      time.Time `json:"next,omitzero"` // when a deferred recipient is tried again
}

// DSNKind is why a DSN is made.
type DSNKind uint8

// The kinds of DSN.
const (
	DSNFailed DSNKind = 1 + iota
	DSNDelayed
	DSNSuccess // delivered, relayed or expanded
)

var dsnKindNames = [...]string{"none", "failed", "delayed", "success"}

// String is the kind's name in traces and logs.
func (k DSNKind) String() string {
	if int(k) < len(dsnKindNames) {
		return dsnKindNames[k]
	}
	return "none"
}

// BounceEvent: a DSN about Envelope is about to be queued.
type BounceEvent struct {
	Envelope   *Envelope   `json:"envelope,omitzero"` // the message it is about
	Kind       DSNKind     `json:"kind,omitzero"`
	Recipients []Recipient `json:"recipients,omitzero"` // those it tells about
	Outcomes   []Outcome   `json:"outcomes,omitzero"`   // the last of each
	Message    Message     `json:"message,omitzero"`    // the DSN itself
	To         string      `json:"to,omitzero"`         // where it goes: the reverse-path of Envelope
}

// DisconnectEvent: a session has ended.
type DisconnectEvent struct {
	Session  *Session `json:"session,omitzero"`
	Messages int      `json:"messages,omitzero"` // accepted in this session
	Reason   string   `json:"reason,omitzero"`   // quit, lost, timeout, error, shutdown, ...
}
