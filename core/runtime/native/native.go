// Package native runs plugins that are compiled into the relay. They are
// trusted code: nothing bounds their memory or what they touch. What a panic in
// them can do is bounded all the same: in Start and Close it becomes an error
// here, in a hook in core/hook.
//
// It refuses sources other than "builtin:NAME", names that are not compiled in,
// hooks that the plugin does not have, and a checksum, for which there is no
// file. A plugin whose Start fails is never called again, not even to close it.
package native

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk"
)

// Prefix is what a source of this runtime begins with.
const Prefix = "builtin:"

// New makes the runtime of the compiled-in plugins, given by name.
func New(builtin map[string]func() sdk.Plugin) runtime.Runtime {
	return &native{builtin: maps.Clone(builtin)}
}

type native struct{ builtin map[string]func() sdk.Plugin }

// Load implements [runtime.Runtime].
func (n *native) Load(ctx context.Context, spec runtime.Spec, host sdk.Host) (runtime.Loaded, error) {
	fault := func(format string, args ...any) error {
		return fmt.Errorf("native: plugin %q: "+format, append([]any{spec.Name}, args...)...)
	}
	name, ok := strings.CutPrefix(spec.Source, Prefix)
	if !ok {
		return nil, fault("source %q does not begin with %q", spec.Source, Prefix)
	}
	if spec.SHA256 != "" {
		return nil, fault("sha256 is for files: a builtin plugin is part of this program; leave it out")
	}
	construct := n.builtin[name]
	if construct == nil {
		return nil, fault("there is no builtin plugin %q; there are: %s", name, strings.Join(slices.Sorted(maps.Keys(n.builtin)), ", "))
	}
	p, err := made(construct)
	if err != nil {
		return nil, fault("%w", err)
	}
	handlers := sdk.Local(p)
	if err := runtime.Choose(&handlers, spec.Hooks); err != nil {
		return nil, fault("%w", err)
	}
	config := spec.Config
	if len(config) == 0 {
		config = []byte("{}")
	}
	if err := start(ctx, p, host, config); err != nil {
		return nil, fault("start: %w", err)
	}
	_, inline := p.(sdk.Inline)
	l := &loaded{plugin: p, handlers: handlers, inline: inline, about: runtime.About{Runtime: "builtin"}}
	if d, ok := p.(sdk.Describer); ok {
		l.about.Description = d.Describe()
	}
	return l, nil
}

func made(construct func() sdk.Plugin) (p sdk.Plugin, err error) {
	defer recovered(&err)
	if p = construct(); p == nil {
		return nil, errors.New("its constructor returned nothing")
	}
	return p, nil
}

// start leaves a Start behind that does not return when its context is done: a
// plugin that hangs must not keep the relay from reading its configuration
// again.
func start(ctx context.Context, p sdk.Plugin, host sdk.Host, config []byte) error {
	done := make(chan error, 1)
	go func() {
		var err error
		defer func() { done <- err }()
		defer recovered(&err)
		if err = p.Start(ctx, host, config); err != nil {
			return
		}
		if t, ok := p.(sdk.SelfTester); ok {
			if err = t.SelfTest(ctx); err != nil {
				err = fmt.Errorf("its self-test failed: %w", err)
			}
		}
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("it did not return in time: %w", ctx.Err())
	}
}

type loaded struct {
	plugin   sdk.Plugin
	handlers sdk.Handlers
	inline   bool
	about    runtime.About
	once     sync.Once
	err      error
}

func (l *loaded) Handlers() *sdk.Handlers { return &l.handlers }

func (l *loaded) Inline() bool { return l.inline }

// About implements [runtime.Loaded].
func (l *loaded) About() runtime.About { return l.about }

// Stats implements [runtime.Loaded]: what is compiled in is never counted apart.
func (l *loaded) Stats() runtime.Stats { return runtime.Stats{Instances: 1, State: "ready"} }

func (l *loaded) Close() error {
	l.once.Do(func() {
		defer recovered(&l.err)
		l.err = l.plugin.Close()
	})
	return l.err
}

func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("panic: %v", r)
	}
}
