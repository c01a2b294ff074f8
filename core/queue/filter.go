package queue

import (
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// Filter chooses recipients. Every field that is set must match; the zero value
// matches everything. From, To, NextHop and Route are globs ("*@example.org"), a domain
// ("example.org"), or a domain with all below it (".example.org"); case does not matter.
type Filter struct {
	IDs       []string
	From      string // reverse-path; "<>" is the null reverse-path
	To        string // recipient
	NextHop   string // of the last attempt
	State     []State
	OlderThan time.Duration // by arrival
	Note      string        // "key" or "key=value" of Envelope.Notes
	Limit     int           // messages at most; 0 is no limit
}

// Entry is one message of the queue as people see it.
type Entry struct {
	ID       string
	Envelope *sdk.Envelope
	Message  sdk.Message
	Arrived  time.Time
	Leased   bool // an attempt is under way
	Rcpts    []EntryRcpt
}

// EntryRcpt is one recipient of an entry, in the order of the envelope. Ended
// recipients are listed as long as their message is in the queue.
type EntryRcpt struct {
	State       State
	Attempts    int
	Next        time.Time // zero unless pending
	Last        sdk.Outcome
	By          string // who held, discarded or expired it
	Route       string
	NextHop     string
	DelayWarned bool
	Expire      bool
}

// Counts are the totals of a filter.
type Counts struct {
	Messages   int
	Recipients int
	Bytes      int64
	ByState    [len(stateNames)]int // recipients, indexed by State
}
