package hook

import (
	"fmt"
	"io"
	"time"

	"github.com/programmable-mta/mta/core/answer"
	"github.com/programmable-mta/mta/sdk"
)

// OnError is what stands in for the answer of a plugin that is broken: one that
// returned an error, panicked, did not answer in time, or answered nonsense.
type OnError uint8

// The ways to go on without a plugin's answer.
const (
	OnErrorDefer      OnError = iota // 451 4.3.5; the zero value
	OnErrorContinue                  // as if it had answered continue
	OnErrorReject                    // 550 5.3.5
	OnErrorHold                      // keep until an operator releases it
	OnErrorDisconnect                // 421 4.3.5
)

var onErrorNames = [...]string{"defer", "continue", "reject", "hold", "disconnect"}

// String is the name as it stands in the configuration.
func (o OnError) String() string {
	if int(o) < len(onErrorNames) {
		return onErrorNames[o]
	}
	return fmt.Sprintf("on_error(%d)", o)
}

// ParseOnError is the inverse of [OnError.String].
func ParseOnError(s string) (OnError, bool) {
	for i, n := range onErrorNames {
		if n == s {
			return OnError(i), true
		}
	}
	return 0, false
}

// EveryHook is the key of [Plugin.OnError] for the hooks that have no key of
// their own and that can take the value; the others defer.
const EveryHook = "*"

// Defaults of [Plugin].
const (
	DefaultDeadline = 10 * time.Second
	DefaultSlots    = 16
)

// Plugin is a loaded plugin and what the operator's configuration says of it.
type Plugin struct {
	Name    string
	Runtime string // builtin, wasm, process: for people, and see the package comment on password files
	// Handlers are its hooks, those that the configuration leaves out removed.
	Handlers sdk.Handlers
	// Inline: its hooks never block (see [sdk.Inline]), so no guard is needed.
	Inline bool
	// OnError is keyed by the name of the hook, or [EveryHook].
	OnError map[string]OnError
	// Deadline bounds every call but deliver; 0 is [DefaultDeadline].
	Deadline time.Duration
	// Slots bounds the calls that run at once, abandoned ones included; 0 is
	// [DefaultSlots].
	Slots int
	// MayRelay: its accept at rcpt opens the relay for that recipient.
	MayRelay bool
	// Shadow: it is asked, and its answers are only written down.
	Shadow bool
	// Denied are operations that the configuration does not allow it; an answer
	// with one is an error.
	Denied []sdk.Op
	// Version is what records call it, beside its name: version and digest.
	Version string
	// Reads names the fields of the event that it is sent, by hook; nil: all.
	Reads map[string][]string
	// Metered: its runtime counts fuel, so records have it.
	Metered bool
	// Revivals counts how often the runtime has brought it back to life, after a
	// crash of its process; nil: it never dies. A breaker that opened before the
	// last of them lets a call through at once.
	Revivals func() int64
}

// Options are what the chains need beside the plugins.
type Options struct {
	// Now is the clock of breakers and records; nil is time.Now.
	Now func() time.Time
	// Transports are further names under which a plugin's deliver hook is
	// reached: {"smtp": "smtp-client"}. Every plugin with a deliver hook is
	// reached by its own name.
	Transports map[string]string
	// Lifetime is the longest delay that an outcome or route hook can ask for;
	// 0 is 5 days.
	Lifetime time.Duration
	// Compare is told what a shadow plugin would have answered, beside what the
	// active ones did; nil: nobody wants to know. It must not block.
	Compare func(Comparison)
	// Failed is told why plugins fail; nil: nobody wants to know. It must not
	// block.
	Failed func(Failure)
}

// Failure is a call that went wrong.
type Failure struct {
	Plugin string
	Hook   string
	Err    string
	Opened bool  // the plugin is not asked at this hook for a while
	Untold int64 // failures of this hook since the last that was told
}

// Comparison is one question that a shadow plugin was asked.
type Comparison struct {
	Plugin string // the shadow
	Hook   string
	ID     string // queue ID, or that of the session when there is no message yet
	Shadow string // its answer in one line: "reject 550 5.7.1 no"
	Active string // what the chain came to without it
	About  string // what was asked about: recipient, sender, HELO name, client
	Err    string // the shadow broke
	At     time.Time
}

// Apply carries out edits that are not notes on the transaction or message in
// hand, all of them or none, and brings the event up to date, so that the next
// plugin sees their effect. An error makes the answer an error of the plugin. A
// nil Apply carries out nothing: a dry run.
type Apply func(plugin string, edits []sdk.Edit) error

// Verdict is what a chain of decisions came to.
type Verdict struct {
	Action sdk.Action
	// Reply is complete for Defer, Reject and Disconnect, and zero otherwise.
	Reply sdk.Reply
	// Reason is for log and trace.
	Reason string
	// Plugin is who decided; empty: nobody, the end of the chain did.
	Plugin string
	// Identity is who logged in; auth only, with Accept.
	Identity string
	// Recipients are verdicts on single recipients; data only, and either nil
	// or one for each recipient of the envelope as it is now.
	Recipients []sdk.Verdict
	// RecipientPlugins says who decided on each of Recipients.
	RecipientPlugins []string
	// Relay: a plugin that may grant relaying accepted the recipient.
	Relay bool
}

// EditMessage is [answer.EditMessage] for those who have nothing else to do
// with answers.
func EditMessage(dst io.Writer, src io.Reader, edits []sdk.Edit, keep int) error {
	return answer.EditMessage(dst, src, edits, keep)
}
