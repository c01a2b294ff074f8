// Package runtime is the seam between the relay and the ways to load a plugin:
// compiled in (runtime/native), a WebAssembly module (runtime/wasm), a process
// of its own (runtime/process). Whoever loads a plugin gets its hooks as
// functions, and cannot tell from them which runtime answers.
//
// What a runtime promises:
//
//   - Load returns a plugin that was started with its configuration and has
//     passed its self-test, or an error and nothing that still runs.
//   - A hook call returns an error for whatever goes wrong inside the plugin:
//     a trap, a crash, an exhausted budget, an answer that does not decode. It
//     never panics, and never invents an answer. Whether a well-formed answer
//     is a valid one is judged by core/hook alone.
//   - Close ends the plugin and frees what it held. It is called after the
//     last hook call has returned, and a second call does nothing.
package runtime

import (
	"context"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// Spec says which plugin to load, and how.
type Spec struct {
	Name   string   // of the plugin in this configuration
	Source string   // "builtin:NAME", "file:PATH", "process:PATH"
	SHA256 string   // hex digest of the file; empty: not checked
	Config []byte   // the plugin's own block as JSON; empty is "{}"
	Hooks  []string // the hooks to use; nil: all that it has
	Grants Grants   // what it may ask for; a builtin may all
	Limits Limits
}

// Access is how far a grant on content goes.
type Access uint8

// The degrees of access.
const (
	None Access = iota
	Read
	Write // and read
)

// Grants are what the configuration allows a plugin (the key allow). What each
// means is in [sdk.Grants].
type Grants struct {
	Relay   bool
	DNS     bool
	HTTP    []string
	KV      int64 // octets; 0: none
	Body    Access
	Headers Access
	Clock   bool
	Send    bool
	// Envelope lets it change the sender and the recipients: without it, a plugin
	// could have any mail that it sees sent to itself.
	Envelope bool
}

// Has tells whether the grant of a name in [sdk.Grants] is given.
func (g *Grants) Has(name string) bool {
	switch name {
	case "":
		return true
	case "relay":
		return g.Relay
	case "dns":
		return g.DNS
	case "http":
		return len(g.HTTP) > 0
	case "kv":
		return g.KV > 0
	case "body":
		return g.Body >= Read
	case "headers":
		return g.Headers >= Read
	case "clock":
		return g.Clock
	case "send":
		return g.Send
	case "envelope":
		return g.Envelope
	}
	return false
}

// Limits bound what a plugin may take. Zero: the runtime's default.
type Limits struct {
	Memory    int64         // octets of one instance, or of a process
	Fuel      int64         // units of one call; WebAssembly only
	Deadline  time.Duration // of one call, all hooks but deliver
	Instances int           // calls at the same time
}

// Loaded is a plugin in service.
type Loaded interface {
	// Handlers are the hooks to be called: those of Spec.Hooks.
	Handlers() *sdk.Handlers
	// Inline tells that the core may call the hooks on the session's own
	// goroutine: they never block, or this runtime itself keeps the deadline.
	Inline() bool
	// About is what is known of it.
	About() About
	// Stats are its figures so far.
	Stats() Stats
	Close() error
}

// About says what was loaded.
type About struct {
	Runtime     string // "builtin", "wasm", "process"
	Digest      string // SHA-256 of the file, hex; empty for a builtin
	Path        string // of the file
	Description sdk.Description
}

// Stats are figures of one loaded plugin. What a runtime has no figure for is 0.
type Stats struct {
	Instances int    // alive: idle and at work; processes
	Busy      int    // at work
	Memory    int64  // octets held by all instances
	MaxMemory int64  // the most that one instance ever held
	Fuel      int64  // units burnt by all calls
	MaxFuel   int64  // by the most expensive call
	Discarded int64  // instances thrown away after a failure or for their size
	Restarts  int64  // of a process
	State     string // "ready"; of a process also "starting", "backoff", "tripped"
}

// Runtime loads plugins of one kind.
type Runtime interface {
	Load(ctx context.Context, spec Spec, host sdk.Host) (Loaded, error)
}

// Cost is what one hook call took, beside time. Who wants to know puts one in
// the context of the call.
type Cost struct {
	Fuel  int64
	Calls int // of the host
}

type costKey struct{}

// Costed is a context that asks the runtime to write down what a call takes; one
// allocation, because there is one for every call.
type Costed struct {
	context.Context
	Cost Cost
}

// Value implements [context.Context].
func (c *Costed) Value(key any) any {
	if _, ok := key.(costKey); ok {
		return &c.Cost
	}
	return c.Context.Value(key)
}

// CostOf is where to write it down; nil: nobody wants to know.
func CostOf(ctx context.Context) *Cost {
	if c, ok := ctx.(*Costed); ok {
		return &c.Cost
	}
	c, _ := ctx.Value(costKey{}).(*Cost)
	return c
}

// WithCost is Costed for who has a place already.
func WithCost(ctx context.Context, c *Cost) context.Context {
	return context.WithValue(ctx, costKey{}, c)
}
