package sdk

import (
	"fmt"
	"strings"
	"time"
)

// Action is what a decision asks the core to do.
type Action uint8

// The actions. What each hook may answer is in the [Hooks] table.
const (
	Continue   Action = iota // go on with the next plugin; the zero value
	Accept                   // yes, and ask nobody else
	Defer                    // 4xx: try again later
	Reject                   // 5xx: no
	Disconnect               // 421, and close the connection
	Discard                  // say yes, and throw away; the reason is recorded
	Hold                     // say yes, and keep until an operator releases it
)

var actionNames = [...]string{"continue", "accept", "defer", "reject", "disconnect", "discard", "hold"}

// String is the action's name as it stands in configuration, logs and traces.
func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return fmt.Sprintf("action(%d)", a)
}

// ParseAction is the inverse of [Action.String].
func ParseAction(s string) (Action, bool) {
	for i, n := range actionNames {
		if n == s {
			return Action(i), true
		}
	}
	return 0, false
}

// Reply is what a client is told. The zero value lets the core choose the words
// that fit the hook and the action. It goes with Defer (4yz), Reject (5yz) and
// Disconnect (either); with any other action it is a fault. The classes of Code
// and Enhanced agree.
type Reply struct {
	Code     int    `json:"code,omitzero"`     // 4yz or 5yz in an answer; 0: the core's choice
	Enhanced string `json:"enhanced,omitzero"` // RFC 3463, "5.7.1"; empty: the core's choice
	Text     string `json:"text,omitzero"`     // one line, or up to ten with "\n" between them, of 400 octets each; empty: the core's choice
}

// String is the reply on one line, as it stands in logs.
func (r Reply) String() string {
	parts := make([]string, 0, 3)
	if r.Code != 0 {
		parts = append(parts, fmt.Sprintf("%03d", r.Code))
	}
	if r.Enhanced != "" {
		parts = append(parts, r.Enhanced)
	}
	if r.Text != "" {
		parts = append(parts, strings.ReplaceAll(r.Text, "\n", " "))
	}
	return strings.Join(parts, " ")
}

// Answer is what a session hook (connect to data) returns. The zero value is
// "continue".
type Answer struct {
	Action Action `json:"action,omitzero"`
	Reply  Reply  `json:"reply,omitzero"`
	// Reason is for log and trace only; no client ever sees it.
	Reason string `json:"reason,omitzero"`
	// Edits are applied in order, all or none. With Defer, Reject and Disconnect
	// only the notes among them are: nothing is left to be edited.
	Edits []Edit `json:"edits,omitzero"`
	// Identity is who the client is; auth hook only, with Accept, where it must
	// not be empty.
	Identity string `json:"identity,omitzero"`
	// Recipients are verdicts on single recipients, in the order of the
	// envelope; data hook only, and either empty or one for each. A recipient
	// that is not Continue or Accept is removed: on LMTP it gets its own reply,
	// on SMTP a DSN.
	Recipients []Verdict `json:"recipients,omitzero"`
}

// Accepted is the answer of a plugin that says yes for everybody behind it.
func Accepted() Answer { return Answer{Action: Accept} }

// Rejected is a permanent refusal (5yz). Enhanced is an RFC 3463 code of class
// 5; both may be empty for the core's words.
func Rejected(enhanced, text string) Answer {
	return Answer{Action: Reject, Reply: Reply{Enhanced: enhanced, Text: text}}
}

// Deferred is a temporary refusal (4yz). Enhanced is an RFC 3463 code of class
// 4; both may be empty for the core's words.
func Deferred(enhanced, text string) Answer {
	return Answer{Action: Defer, Reply: Reply{Enhanced: enhanced, Text: text}}
}

// Noted goes on and leaves a note for other plugins, and for this one later.
func Noted(key, value string) Answer {
	return Answer{Edits: []Edit{{Op: OpNote, Name: key, Value: value}}}
}

// Verdict is a decision about one recipient of a message.
type Verdict struct {
	Action Action `json:"action,omitzero"` // Continue, Accept, Defer, Reject, Discard
	Reply  Reply  `json:"reply,omitzero"`
	Reason string `json:"reason,omitzero"`
}

// Op is an edit operation.
type Op uint8

// The operations. Which hook may use which is in the [Hooks] table.
const (
	OpNote             Op = 1 + iota // Notes["plugin."+Name] = Value; Name is 1 to 64 of a-z 0-9 _ . -; an empty Value removes it
	OpSetSender                      // the reverse-path becomes Value
	OpAddRecipient                   // Value becomes one more recipient
	OpRemoveRecipient                // the recipient Name goes
	OpReplaceRecipient               // the recipient Name becomes Value; several of one Name: becomes all of them
	OpPrependHeader                  // "Name: Value" goes on top, below our Received
	OpAppendHeader                   // "Name: Value" goes to the end of the header
	OpReplaceHeader                  // the Index-th (from 1) field Name gets Value; Index 0: all of them become one, or a new one at the end
	OpRemoveHeader                   // the Index-th (from 1) field Name goes; Index 0: all of them; none there: nothing changes
	OpReplaceBody                    // everything behind the header becomes Data
)

var opNames = [...]string{"", "note", "set-sender", "add-recipient", "remove-recipient", "replace-recipient", "prepend-header", "append-header", "replace-header", "remove-header", "replace-body"}

// String is the operation's name in traces.
func (o Op) String() string {
	if int(o) < len(opNames) && o > 0 {
		return opNames[o]
	}
	return fmt.Sprintf("op(%d)", o)
}

// Edit is one operation on a session or message.
type Edit struct {
	Op    Op     `json:"op,omitzero"`
	Name  string `json:"name,omitzero"`
	Value string `json:"value,omitzero"`
	Index int    `json:"index,omitzero"`
	Data  []byte `json:"data,omitzero"`
}

// RouteAction is what a route answer says.
type RouteAction uint8

// The route actions.
const (
	RouteNone  RouteAction = iota // not mine: ask the next plugin; the zero value
	RouteUse                      // deliver by Route
	RouteDefer                    // not now: keep, with Reply as the reason
	RouteFail                     // never: the recipient fails with Reply
	RouteHold                     // keep until an operator releases it
)

var routeActionNames = [...]string{"continue", "use", "defer", "fail", "hold"}

// String is the action's name in traces.
func (a RouteAction) String() string {
	if int(a) < len(routeActionNames) {
		return routeActionNames[a]
	}
	return fmt.Sprintf("route(%d)", a)
}

// RouteAnswer is what a route hook returns for one recipient at one attempt.
type RouteAnswer struct {
	Action RouteAction `json:"action,omitzero"`
	Route  Route       `json:"route,omitzero"`  // for RouteUse
	Reply  Reply       `json:"reply,omitzero"`  // for RouteDefer and RouteFail
	Reason string      `json:"reason,omitzero"` // for log and trace
	// NotBefore: with RouteDefer, the earliest time of the next attempt; zero:
	// the usual retry time.
	NotBefore time.Time `json:"not_before,omitzero"`
}

// Route is how a recipient is reached.
type Route struct {
	// Via names the transport: "smtp", "lmtp", or a plugin with a deliver hook.
	Via string `json:"via,omitzero"`
	// Hosts are the next hops in the order in which to try them: "host",
	// "host:port", "192.0.2.1:25", "[2001:db8::1]:25"; for LMTP also
	// "unix:/path". The port defaults to 25, for LMTP to 24.
	Hosts []string `json:"hosts,omitzero"`
	// MX: the DNS named the hosts, so loopback and other addresses that no
	// stranger may choose for us are not connected to.
	MX bool `json:"mx,omitzero"`
	// TLS is the policy towards the next hop: none, may, encrypt, verify, dane.
	// Empty is may.
	TLS string `json:"tls,omitzero"`
	// Source and Pool choose where the connection comes from; empty: the system.
	Source string `json:"source,omitzero"`
	Pool   string `json:"pool,omitzero"`
	// Key names what shares concurrency, back-off and connections. Empty: made
	// from Via, Hosts, TLS, Source, Pool and User.
	Key string `json:"key,omitzero"`
	// User and PasswordFile log in at the next hop. Only a plugin that is
	// compiled into the relay may name a file.
	User         string `json:"user,omitzero"`
	PasswordFile string `json:"password_file,omitzero"`
	// Rule says what chose the route, for people: "route 2: to *.example".
	Rule string `json:"rule,omitzero"`
}

// Status is how a recipient of an attempt came out.
type Status uint8

// The statuses. The zero value is no outcome at all, which the core takes as a
// fault of the plugin: the recipient is deferred.
const (
	StatusNone      Status = iota
	StatusDelivered        // the next hop is responsible now
	StatusDeferred         // temporary: try again
	StatusFailed           // permanent: tell the sender
)

var statusNames = [...]string{"none", "delivered", "deferred", "failed"}

// String is the status' name in traces and JSON.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("status(%d)", s)
}

// Outcome is the result of an attempt for one recipient.
type Outcome struct {
	Status Status `json:"status,omitzero"`
	Reply  Reply  `json:"reply,omitzero"`  // of the next hop, or the words of whoever decided
	Remote string `json:"remote,omitzero"` // who answered: "mx1.example.org[192.0.2.1]:25"; empty: nobody did
	TLS    string `json:"tls,omitzero"`    // version and cipher suite of the conversation; empty: clear
	// RemoteReply: Reply was spoken by the peer named in Remote, so a DSN may
	// show it as Diagnostic-Code (RFC 3464 §2.3.6).
	RemoteReply bool `json:"remote_reply,omitzero"`
	// DSNRelayed: the next hop took over the RFC 3461 parameters, so success
	// is reported by it and not by us.
	DSNRelayed bool `json:"dsn_relayed,omitzero"`
	// MaybeDuplicate: the connection was lost between the end of the message
	// and the reply; the next hop may have it nevertheless (RFC 1047).
	MaybeDuplicate bool `json:"maybe_duplicate,omitzero"`
	// Unreachable: no conversation about this message was begun: no connection,
	// no greeting, no EHLO. The whole destination is slow or down.
	Unreachable bool `json:"unreachable,omitzero"`
	// Setup is the time for DNS, connect, EHLO and TLS; Transfer that for the
	// message.
	Setup    time.Duration `json:"setup,omitzero"`
	Transfer time.Duration `json:"transfer,omitzero"`
	// Hold: with StatusDeferred, keep until an operator releases it.
	Hold bool `json:"hold,omitzero"`
}

// DeliverAnswer is what a deliver hook returns: one outcome for each recipient
// of the event, in its order.
type DeliverAnswer struct {
	Outcomes []Outcome `json:"outcomes,omitzero"`
}

// OutcomeAnswer may change what an attempt meant, never undo or delete it. The
// zero value changes nothing.
type OutcomeAnswer struct {
	// Status: StatusDeferred or StatusFailed instead of the other; StatusNone
	// keeps it. A delivered recipient stays delivered.
	Status Status `json:"status,omitzero"`
	// Delay: for a deferred recipient, the time until the next attempt.
	Delay  time.Duration `json:"delay,omitzero"`
	Reply  Reply         `json:"reply,omitzero"` // shown to people instead of the original; zero keeps it
	Reason string        `json:"reason,omitzero"`
	// Hold: keep a recipient that was not delivered until an operator releases
	// it.
	Hold bool `json:"hold,omitzero"`
}

// BounceAnswer may edit, suppress or put off a DSN. The zero value changes
// nothing. At most one of Suppress, Defer and Hold is set.
type BounceAnswer struct {
	// Suppress: send no DSN. It is recorded with the plugin's name.
	Suppress bool   `json:"suppress,omitzero"`
	Reason   string `json:"reason,omitzero"`
	Edits    []Edit `json:"edits,omitzero"` // OpPrependHeader, OpAppendHeader, OpReplaceHeader, OpNote
	// Defer: not now. The recipients stay in the queue as deferred, and the
	// hook is asked again after their next attempt.
	Defer bool `json:"defer,omitzero"`
	// Hold: no DSN now, and the recipients stay until an operator releases them.
	Hold bool `json:"hold,omitzero"`
}
