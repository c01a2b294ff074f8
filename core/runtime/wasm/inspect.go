package wasm

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk"
)

// Module is what can be known of a module without starting it.
type Module struct {
	Path    string
	Digest  string // SHA-256 of the file, hex
	Size    int64
	Imports []string // "mta1.kv_get"
	Exports []string
	Hooks   []string // that it wants to be asked
	// Grants are those that its imports can use. Which of them it cannot do
	// without, Description.Needs says.
	Grants      []string
	MinMemory   int64 // octets that it begins with
	MaxMemory   int64 // that it says it can grow to
	Described   bool  // it exports mta1_describe, and that worked
	Description sdk.Description
	// Faults are the reasons for which it would not be loaded, whatever the
	// configuration grants; none: it would be.
	Faults []string
}

// Inspect looks at a module. The error is for files that are no modules at all;
// what else is wrong is among the faults.
func Inspect(ctx context.Context, path string) (*Module, error) {
	r, err := newRuntime(ctx, Options{}, true)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	src, err := r.read(path, "")
	if err != nil {
		return nil, fmt.Errorf("wasm: %w", err)
	}
	l, err := parse(src.module)
	if err != nil {
		return nil, fmt.Errorf("wasm: %s: %w", path, err)
	}
	var fault error
	if src.script != nil {
		fault = l.checkEngine()
		l = l.asPlugin()
	}
	m := &Module{Path: path, Digest: src.digest, Size: src.size, Hooks: l.hooks(), Grants: l.grants(),
		MinMemory: int64(l.min) * pageSize, MaxMemory: int64(l.max) * pageSize}
	for _, x := range l.imports {
		m.Imports = append(m.Imports, x.module+"."+x.name)
	}
	for _, x := range l.exports {
		m.Exports = append(m.Exports, x.name)
	}
	if fault == nil {
		fault = r.describe(ctx, src, l, m)
	}
	if fault != nil {
		m.Faults = append(m.Faults, fault.Error())
	}
	if src.script != nil { // it can make any call
		m.Grants = slices.Concat(m.Description.Needs, m.Description.Wants)
	}
	return m, nil
}

// describe goes as far as a load that grants everything does before the start.
func (r *Runtime) describe(ctx context.Context, src *source, l *layout, m *Module) error {
	if err := l.check(DefaultMemory); err != nil {
		return err
	}
	code, err := r.compile(ctx, src)
	if err != nil {
		return err
	}
	spec := runtime.Spec{Name: "plugin", Grants: runtime.Grants{Relay: true, DNS: true, HTTP: []string{"*"}, KV: 1,
		Body: runtime.Write, Headers: runtime.Write, Send: true}}
	p := newPlugin(r, spec, nobody{}, src, l, code)
	defer p.Close()
	in, err := p.make(ctx)
	if err != nil {
		return err
	}
	p.pool.alive = 1
	defer p.discard(in)
	if m.Described, err = in.describe(ctx); err != nil {
		return fmt.Errorf("mta1_describe: %w", err)
	}
	m.Description = p.about.Description
	if err := p.judge(m.Described); err != nil {
		return err
	}
	if err := p.bind(); err != nil {
		return err
	}
	m.Hooks = slices.DeleteFunc(hookNames(), func(name string) bool {
		return !sdk.Hooks()[hookNumber(name)-1].Implemented(&p.handlers)
	})
	return nil
}

// nobody is the relay of a module that is only looked at: it has what a module
// needs to come to life.
type nobody struct{ sdk.Host }

func (nobody) Name() string                                    { return "plugin" }
func (nobody) Hostname() string                                { return "localhost" }
func (nobody) Now(context.Context) time.Time                   { return time.Unix(1e9, 0) } // Go's runtime does not start at 0
func (nobody) Log(context.Context, slog.Level, string, ...any) {}
func (nobody) Random(_ context.Context, p []byte)              { _, _ = rand.Read(p) }
