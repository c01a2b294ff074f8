// Package runtime is the seam between the relay and the ways to load a plugin:
// compiled in (runtime/native), a WebAssembly module (runtime/wasm), a process
// of its own (runtime/process). Whoever loads a plugin gets its hooks as
// functions, and cannot tell from them which runtime answers.
//
// What a runtime promises:
//
//   - Load returns a plugin that was started with its configuration, or an
//     error and nothing that still runs.
//   - A hook call returns an error for whatever goes wrong inside the plugin:
//     a trap, a crash, an exhausted budget, an answer that does not decode. It
//     never panics, and never invents an answer. Whether a well-formed answer
//     is a valid one is judged by core/hook alone.
//   - Close ends the plugin and frees what it held. It is called after the
//     last hook call has returned, and a second call does nothing.
package runtime

import (
	"context"

	"github.com/programmable-mta/mta/sdk"
)

// Spec says which plugin to load, and how.
type Spec struct {
	Name   string   // of the plugin in this configuration
	Source string   // "builtin:NAME", "file:PATH", "process:PATH"
	SHA256 string   // hex digest of the file; empty: not checked
	Config []byte   // the plugin's own block as JSON; empty is "{}"
	Hooks  []string // the hooks to use; nil: all that it has
}

// Loaded is a plugin in service.
type Loaded interface {
	// Handlers are the hooks to be called: those of Spec.Hooks.
	Handlers() *sdk.Handlers
	// Inline tells that no hook ever blocks, so that calls need no guard.
	Inline() bool
	Close() error
}

// Runtime loads plugins of one kind.
type Runtime interface {
	Load(ctx context.Context, spec Spec, host sdk.Host) (Loaded, error)
}
