package hook

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/programmable-mta/mta/core/trace"
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

// New checks the plugins against the hook table and puts them in chains, in
// the order given.
func New(plugins []Plugin, o Options) (*Chains, error) { return &Chains{}, nil }

// Connect asks before the banner is sent.
func (c *Chains) Connect(ctx context.Context, th *trace.Thread, e *sdk.ConnectEvent) Verdict {
	return Verdict{}
}

// Helo asks at EHLO, HELO and LHLO.
func (c *Chains) Helo(ctx context.Context, th *trace.Thread, e *sdk.HeloEvent) Verdict {
	return Verdict{}
}

// Auth asks who the client is. Nobody knows: 535 5.7.8.
func (c *Chains) Auth(ctx context.Context, th *trace.Thread, e *sdk.AuthEvent) Verdict {
	return Verdict{}
}

// Mail asks at MAIL FROM.
func (c *Chains) Mail(ctx context.Context, th *trace.Thread, e *sdk.MailEvent, apply Apply) Verdict {
	return Verdict{}
}

// Rcpt asks at RCPT TO. Nobody who may grant relaying accepts: 550 5.7.1.
func (c *Chains) Rcpt(ctx context.Context, th *trace.Thread, e *sdk.RcptEvent, apply Apply) Verdict {
	return Verdict{}
}

// Predata asks before 354 is said.
func (c *Chains) Predata(ctx context.Context, th *trace.Thread, e *sdk.PredataEvent) Verdict {
	return Verdict{}
}

// Data asks about the whole message.
func (c *Chains) Data(ctx context.Context, th *trace.Thread, e *sdk.DataEvent, apply Apply) Verdict {
	return Verdict{}
}

// Route asks where one recipient goes. plugin is who answered; empty: nobody,
// and the answer is to defer.
func (c *Chains) Route(ctx context.Context, th *trace.Thread, e *sdk.RouteEvent) (a sdk.RouteAnswer, plugin string) {
	return sdk.RouteAnswer{}, ""
}

// Deliver lets the plugin that e.Route.Via names deliver. There is always one
// outcome for each recipient, and its status is never StatusNone.
func (c *Chains) Deliver(ctx context.Context, th *trace.Thread, e *sdk.DeliverEvent) []sdk.Outcome {
	return make([]sdk.Outcome, len(e.Recipients))
}

// Outcome asks what the attempt meant. plugin is who changed its status, or
// else who changed anything; empty: nobody.
func (c *Chains) Outcome(ctx context.Context, th *trace.Thread, e *sdk.OutcomeEvent) (a sdk.OutcomeAnswer, plugin string) {
	return sdk.OutcomeAnswer{}, ""
}

// Bounce asks before a DSN is queued. plugin is who suppressed, deferred or
// held it; empty: nobody. Edits in the answer were already given to apply.
func (c *Chains) Bounce(ctx context.Context, th *trace.Thread, e *sdk.BounceEvent, apply Apply) (a sdk.BounceAnswer, plugin string) {
	return sdk.BounceAnswer{}, ""
}

// Disconnect tells everybody that a session is over.
func (c *Chains) Disconnect(ctx context.Context, th *trace.Thread, e *sdk.DisconnectEvent) {}

// Has tells whether any plugin, active or shadow, has the hook.
func (c *Chains) Has(hook string) bool { return false }

// Transports are the names under which a route reaches a plugin, sorted.
func (c *Chains) Transports() []string { return nil }

// Drain waits until no call runs any more, also none that was abandoned, so
// that the plugins can be closed.
func (c *Chains) Drain(ctx context.Context) error { return nil }

// Describe lists the chains in the order of a message's life.
func (c *Chains) Describe() []Chain { return nil }

// Chain is what people see of the plugins of one hook.
type Chain struct {
	Hook    string
	Members []Member
}

// Member is a plugin in a chain.
type Member struct {
	Plugin   string
	Runtime  string
	Mode     string        // active or shadow
	OnError  string        // defer, continue, reject, hold, disconnect; empty: nothing to decide
	Deadline time.Duration // 0: not bounded
	Inline   bool
	MayRelay bool
	Via      []string // deliver only: the names that reach it
	Breaker  string   // closed, open, half-open
	Failures int      // in a row
	Busy     int      // calls of the plugin that occupy a slot
}

// Chains are the plugins of every hook.
type Chains struct{}

// EditMessage copies a message from src to dst and carries out the edits of
// header and body on the way; see edit.go.
func EditMessage(dst io.Writer, src io.Reader, edits []sdk.Edit, keep int) error {
	_, err := io.Copy(dst, src)
	return err
}
