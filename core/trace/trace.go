// Package trace keeps what happened and why: one record a hook call and a
// delivery attempt, log lines in the fields that Postfix users know, and
// metrics. Whoever watches the relay hangs here, and none of it can answer:
// nothing in this package changes what happens to a message, and nothing in it
// is on the path between a message and its 250.
//
// It refuses to wait: a disk or a reader of the log that is too slow costs
// records and lines, which are counted, never time. It refuses to trust: what
// peers, plugins and damaged files say cannot forge a line, a field, a label or
// a record, and is cut at a size. And it refuses to grow: threads, what waits,
// files and labels are all bounded. Nothing is ever synced, so the last second
// before a crash may be missing from the trace; mail is kept elsewhere.
package trace

import (
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// HookCall is one call of one plugin's hook.
type HookCall struct {
	Hook      string
	Plugin    string
	Recipient string        // for rcpt and route; else empty
	Action    string        // what was answered, after on_error was applied
	Reply     sdk.Reply     // the words that go with it
	Reason    string        // for people
	Detail    string        // of a route answer: the route in one line
	Edits     []sdk.Edit    // asked for and applied
	At        time.Time     // when the call began
	Elapsed   time.Duration // how long it took
	Err       string        // what broke, if on_error decided
	Shadow    bool          // the answer was only recorded
	Fixed     Fixed         // what every record of this hook of this plugin has
	Fuel      int64         // units that the call took; 0: nobody counts them
}

// Fixed is what all records of one hook of one plugin have in common, encoded
// once.
type Fixed string

// NewFixed encodes the version and digest of a plugin, and the fields of the
// event that it is sent; empty: all.
func NewFixed(version, reads string) Fixed {
	return Fixed(str(str(nil, "version", version), "reads", reads))
}

// Attempt is one delivery attempt of one message to one group of recipients.
type Attempt struct {
	Number       int
	Route        sdk.Route
	Recipients   []string
	Outcomes     []sdk.Outcome
	Next         []time.Time // per recipient; zero unless deferred
	At           time.Time
	Elapsed      time.Duration
	Conversation []byte // SMTP lines as spoken, capped, credentials removed
}
