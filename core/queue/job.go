package queue

import (
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// State is what has become of one recipient.
type State uint8

// The states. Pending and Held recipients keep their message in the queue; the
// others have ended.
const (
	Pending   State = iota // waits for its next attempt
	Delivered              // a next hop took it
	Failed                 // permanently refused; the DSN is in the same transaction
	Expired                // given up for its age
	Discarded              // thrown away by a rule, a plugin or an operator, who is named
	Held                   // waits for an operator
)

var stateNames = [...]string{"pending", "delivered", "failed", "expired", "discarded", "held"}

// String is the state's name in lists and logs.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// ParseState is the inverse of [State.String].
func ParseState(s string) (State, bool) {
	for i, n := range stateNames {
		if n == s {
			return State(i), true
		}
	}
	return 0, false
}

// Ended tells whether nothing more will happen to a recipient in this state.
func (s State) Ended() bool { return s != Pending && s != Held }

// Job is a lease: one message and those of its recipients that are due. It is
// given to nobody else until [Queue.Settle] had a result for each of them, or
// [Queue.Return] gave it back. A job that is dropped is due again after a
// restart.
type Job struct {
	// Envelope is shared and never to be changed.
	Envelope *sdk.Envelope
	// Message can be opened as often as wanted while the job is leased.
	Message sdk.Message
	Arrived time.Time // when the queue took it
	// Rcpts are the due recipients.
	Rcpts []JobRcpt

	q    *Queue
	m    *message
	left int // recipients without a result
}

// JobRcpt is one due recipient of a job.
type JobRcpt struct {
	Index       int         // in Envelope.Recipients
	Attempts    int         // made so far
	Last        sdk.Outcome // of the latest attempt; zero before the first
	Route       string      // an operator's reroute; empty: none
	NextHop     string      // of the latest attempt
	DelayWarned bool        // the sender was told of the delay
	// Expire: an operator gave this recipient up. It is settled as Expired,
	// with the DSN that belongs to that, without another attempt.
	Expire bool

	settled bool
}

// Result is what came out for one recipient of a job.
type Result struct {
	Index int // in Envelope.Recipients
	State State
	// Outcome is that of the attempt. With StatusNone no attempt is counted,
	// and the last outcome stays.
	Outcome sdk.Outcome
	// Next is the time of the next attempt, for Pending; zero is at once.
	Next time.Time
	// By is the rule or plugin that discarded, held, or suppressed the DSN.
	By string
	// NextHop is remembered for people and for filters.
	NextHop     string
	DelayWarned bool // from now on
}

// New is a message that comes into being with a settlement: a DSN. Draft and
// envelope are the queue's after the call, whatever it returns.
type New struct {
	Draft    *Draft
	Envelope *sdk.Envelope
}
