package wasm

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/wire"
)

// What is not a hook has limits of its own.
const (
	startFuel     = 50 // times that of a hook: a runtime that starts does a lot
	deliverFuel   = 50 // times that of a hook: it reads whole messages
	deliverLimit  = 10 * time.Minute
	startDeadline = 10 * time.Second
	stopLimit     = time.Second
)

// plugin is a loaded module.
type plugin struct {
	r        *Runtime
	spec     runtime.Spec
	host     sdk.Host
	src      *source
	layout   *layout
	code     wazero.CompiledModule
	limits   runtime.Limits
	config   []byte // what mta1_start is given
	about    runtime.About
	handlers sdk.Handlers
	pool     pool

	held, maxHeld atomic.Int64
	fuel, maxFuel atomic.Int64
	discarded     atomic.Int64
}

var _ runtime.Loaded = (*plugin)(nil)

func newPlugin(r *Runtime, spec runtime.Spec, host sdk.Host, src *source, m *layout, code wazero.CompiledModule) *plugin {
	p := &plugin{r: r, spec: spec, host: host, src: src, layout: m, code: code, limits: spec.Limits}
	src.module = nil // it is compiled; a plugin lives long
	p.limits.Memory = orDefault(p.limits.Memory, DefaultMemory)
	p.limits.Fuel = orDefault(p.limits.Fuel, DefaultFuel)
	p.limits.Deadline = orDefault(p.limits.Deadline, DefaultDeadline)
	p.limits.Instances = orDefault(p.limits.Instances, DefaultInstances)
	p.about = runtime.About{Runtime: "wasm", Digest: src.digest, Path: src.path}
	return p
}

func orDefault[N int | int64 | time.Duration](n, otherwise N) N {
	if n <= 0 {
		return otherwise
	}
	return n
}

// startLimit is how long a start may take.
func (p *plugin) startLimit(context.Context) time.Duration {
	return max(p.limits.Deadline, startDeadline)
}

// start brings the first instance into service and finds out what the plugin is.
func (p *plugin) start(ctx context.Context) error {
	config := p.spec.Config
	if len(config) == 0 {
		config = []byte("{}")
	}
	var err error
	p.config, err = json.Marshal(struct {
		Hostname string          `json:"hostname"`
		Name     string          `json:"name"`
		Config   json.RawMessage `json:"config"`
	}{p.host.Hostname(), p.host.Name(), config})
	if err != nil {
		return fmt.Errorf("its configuration: %w", err)
	}
	in, err := p.make(ctx)
	if err != nil {
		return err
	}
	p.pool.alive = 1
	if err := p.settle(ctx, in); err != nil {
		p.discard(in)
		return err
	}
	p.put(in)
	return nil
}

// settle finds the hooks and the grants, and starts the instance.
func (p *plugin) settle(ctx context.Context, in *instance) error {
	described, err := in.describe(ctx)
	if err != nil {
		return fmt.Errorf("mta1_describe: %w", err)
	}
	if err := p.judge(described); err != nil {
		return err
	}
	if err := p.bind(); err != nil {
		return err
	}
	return in.configure(ctx)
}

// describe asks the plugin what it is; described is false when it cannot say.
func (in *instance) describe(ctx context.Context) (described bool, err error) {
	f := in.lookup(describes)
	if f == nil {
		return false, nil
	}
	in.begin(ctx, in.p.limits.Fuel*startFuel, in.p.startLimit(ctx))
	defer in.finish()
	ret, err := in.invoke(f, 0)
	switch {
	case err != nil:
		return false, err
	case uint32(ret>>32) == 0:
		return false, fmt.Errorf("it answers %#x, which points to nothing", ret)
	case ret&errorBit != 0:
		return false, in.complaint(ret)
	}
	text, err := in.read(ret, firstRoom)
	if err != nil {
		return false, err
	}
	// Unknown keys are of a later minor version.
	if err := json.Unmarshal([]byte(text), &in.p.about.Description); err != nil {
		return false, fmt.Errorf("its description is no JSON of the right shape: %w", err)
	}
	return true, nil
}

// judge compares what it wants with what the configuration gives.
func (p *plugin) judge(described bool) error {
	d := &p.about.Description
	if d.ABI > wire.Minor || d.ABI < 0 {
		return fmt.Errorf("it was made for the version mta1.%d of the contract, and this relay knows mta1.%d: update the relay, or build it with an older SDK", d.ABI, wire.Minor)
	}
	needs := d.Needs
	if !described {
		needs = p.layout.grants()
	}
	missing, err := p.spec.Grants.Missing(needs)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("it needs what the configuration does not allow: add %s", strings.Join(missing, ", "))
	}
	return nil
}

// Handlers implements [runtime.Loaded].
func (p *plugin) Handlers() *sdk.Handlers { return &p.handlers }

// Inline implements [runtime.Loaded]: this runtime keeps deadlines itself.
func (p *plugin) Inline() bool { return true }

// About implements [runtime.Loaded].
func (p *plugin) About() runtime.About { return p.about }

// Stats implements [runtime.Loaded].
func (p *plugin) Stats() runtime.Stats {
	q := &p.pool
	q.mu.Lock()
	alive, idle := q.alive, len(q.idle)
	q.mu.Unlock()
	return runtime.Stats{
		Instances: alive, Busy: alive - idle,
		Memory: p.held.Load(), MaxMemory: p.maxHeld.Load(),
		Fuel: p.fuel.Load(), MaxFuel: p.maxFuel.Load(),
		Discarded: p.discarded.Load(), State: "ready",
	}
}

// Close implements [runtime.Loaded].
func (p *plugin) Close() error {
	q := &p.pool
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return nil
	}
	q.closed = true
	idle := q.idle
	q.idle = nil
	q.alive -= len(idle)
	waiting := q.waiting
	q.waiting = nil
	q.mu.Unlock()
	for _, in := range idle {
		in.stop()
	}
	for _, turn := range waiting {
		close(turn)
	}
	return p.code.Close(context.Background())
}
