package wasm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/call"
	"github.com/programmable-mta/mta/core/runtime/wasm/meter"
	"github.com/programmable-mta/mta/sdk/wire"
)

const (
	fuelSlice  = 1_000_000 // until the next yield: 50 to 200 microseconds
	firstRoom  = 64 << 10  // of the place for events
	maxAnswer  = 32 << 20
	maxText    = 1024 // of an error
	bufferFuel = fuelSlice
)

// phase is what an instance is doing.
type phase uint8

const (
	describing phase = iota
	starting
	serving
)

// instance is one instance of a module. It serves one call at a time, and is the
// context of that call as wazero sees it: so host functions find it without a
// map, and a call allocates nothing.
type instance struct {
	p      *plugin
	mod    api.Module
	mem    api.Memory
	fuel   api.MutableGlobal
	buffer export
	hooks  [wire.HookDisconnect + 1]export
	at     uint32 // where events are written
	room   uint32
	engine *engine // of a plugin in JavaScript
	memory memory
	phase  phase
	making context.Context // while wazero instantiates

	events  wire.Writer
	results wire.Writer
	scope   call.Scope
	clock   clock
	out     [2]line // standard output and error
	stack   [4]uint64

	// What follows is of the call that runs.
	parent   context.Context
	budget   int64 // of fuel
	given    int64 // of it
	asked    bool  // it is a hook
	limit    time.Duration
	deadline time.Time // zero: the clock was not looked at yet
	ended    error     // why the relay ended the guest
	calls    int
	pending  []byte // a result that did not fit
	host     context.Context
	cancel   context.CancelFunc
}

var _ context.Context = (*instance)(nil)

// Deadline implements [context.Context], as wazero needs one.
func (in *instance) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done implements [context.Context].
func (in *instance) Done() <-chan struct{} { return nil }

// Err implements [context.Context].
func (in *instance) Err() error { return nil }

// Value implements [context.Context]: wazero asks for its options.
func (in *instance) Value(key any) any {
	if in.making != nil {
		return in.making.Value(key)
	}
	return nil
}

// begin prepares for a call of the guest.
func (in *instance) begin(ctx context.Context, fuel int64, limit time.Duration) {
	in.parent, in.budget, in.limit = ctx, fuel, limit
	in.given = min(fuel, fuelSlice)
	in.deadline, in.ended, in.calls, in.pending = time.Time{}, nil, 0, nil
	in.out[1].said = ""
	if in.fuel != nil {
		in.fuel.Set(uint64(in.given))
	} else {
		in.given = 0 // the module begins with nothing, and asks
	}
}

// finish settles what a call has taken.
func (in *instance) finish() {
	used := in.given
	if in.fuel != nil {
		used -= int64(in.fuel.Get())
	}
	if in.asked { // what a start takes is no call's
		in.asked = false
		in.p.fuel.Add(used)
		if used > in.p.maxFuel.Load() {
			raise(&in.p.maxFuel, used)
		}
	}
	if cost := runtime.CostOf(in.parent); cost != nil {
		cost.Fuel += used
		cost.Calls += in.calls
	}
	if in.cancel != nil {
		in.cancel()
		in.cancel, in.host = nil, nil
	}
	in.scope.End()
	in.parent = nil
}

// overdue tells why the call has to end. The clock is looked at for the first
// time when the guest first comes back to the relay, at most one slice of fuel
// after it began, so that short calls need not look at it.
func (in *instance) overdue() error {
	if err := in.parent.Err(); err != nil {
		return fmt.Errorf("it was still at work when its time was over: %w", context.Cause(in.parent))
	}
	now := in.p.r.opt.Now()
	if in.deadline.IsZero() {
		in.deadline = now.Add(in.limit)
	}
	if !now.Before(in.deadline) {
		return fmt.Errorf("it did not answer in %v: %w", in.limit, context.DeadlineExceeded)
	}
	return nil
}

// context is that of calls of the host: the caller's, with the deadline.
func (in *instance) context() context.Context {
	if in.host == nil {
		in.host, in.cancel = context.WithTimeout(in.parent, in.deadline.Sub(in.p.r.opt.Now()))
	}
	return in.host
}

// invoke calls an export with at most one argument and one result.
func (in *instance) invoke(f export, arg uint64) (uint64, error) {
	in.stack[0] = arg
	if err := f.CallWithStack(in, in.stack[:1]); err != nil {
		return 0, in.failure(err)
	}
	return in.stack[0], nil
}

// failure says in one line why the guest did not come back.
func (in *instance) failure(err error) error {
	in.out[0].flush(in, false)
	in.out[1].flush(in, true)
	if in.ended != nil {
		return in.ended
	}
	in.p.r.opt.Logf("wasm: plugin %q: %v", in.p.spec.Name, err)
	text, _, _ := strings.Cut(err.Error(), "\n")
	text = strings.TrimSuffix(text, " (recovered by wazero)")
	if _, after, ok := strings.Cut(text, "wasm error: "); ok {
		text = after
	}
	if said := in.out[1].said; crashed(said) {
		return errors.New("it crashed: " + said)
	}
	return errors.New("it trapped: " + text)
}

// make instantiates the module and runs what it runs by itself.
func (p *plugin) make(ctx context.Context) (in *instance, err error) {
	in = &instance{p: p, memory: memory{limit: uint64(p.limits.Memory), held: &p.held, most: &p.maxHeld}}
	in.scope.Host, in.scope.Grants = p.host, &p.spec.Grants
	in.making = experimental.WithMemoryAllocator(context.Background(), &in.memory)
	made := in // a return of nil sets in
	defer func() {
		if err != nil {
			made.close()
		}
	}()
	in.begin(ctx, p.limits.Fuel*startFuel, p.startLimit(ctx))
	in.scope.Reset()
	in.scope.Now = p.host.Now(ctx)
	in.clock.begin(in.scope.Now)
	defer in.finish()
	in.mod, err = p.r.wz.InstantiateModule(in, p.code, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	in.making = nil
	if err != nil {
		if in.ended == nil && !p.layout.start {
			return nil, fmt.Errorf("it cannot be instantiated: %w", err)
		}
		return nil, fmt.Errorf("its start function failed: %w", in.failure(err))
	}
	in.mem = in.mod.Memory()
	if in.fuel == nil {
		in.fuel = in.mod.ExportedGlobal(meter.GlobalName).(api.MutableGlobal)
	}
	if f := in.mod.ExportedFunction(initialize); f != nil {
		if _, err := in.invoke(f, 0); err != nil {
			return nil, fmt.Errorf("its _initialize failed: %w", err)
		}
	}
	if script := p.src.script; script != nil {
		if _, err := in.boot(script); err != nil {
			return nil, err
		}
	}
	in.buffer = in.lookup(bufferName)
	return in, in.place(firstRoom)
}

// place asks for room for events.
func (in *instance) place(size uint32) error {
	at, err := in.invoke(in.buffer, uint64(size))
	switch {
	case err != nil:
		return fmt.Errorf("mta1_buffer failed: %w", err)
	case uint32(at) == 0:
		return fmt.Errorf("it cannot take %d octets: mta1_buffer says no", size)
	case uint64(uint32(at))+uint64(size) > uint64(in.mem.Size()):
		return fmt.Errorf("mta1_buffer answers a place outside of its memory: %w", outside(in.mem, "the buffer", uint32(at), size))
	}
	in.at, in.room = uint32(at), size
	return nil
}

// send writes a block or JSON where the guest expects it.
func (in *instance) send(b []byte) error {
	if uint64(len(b)) > uint64(in.room) {
		if err := in.place(uint32(len(b))); err != nil {
			return err
		}
	}
	if !in.mem.Write(in.at, b) {
		return outside(in.mem, "the buffer", in.at, uint32(len(b)))
	}
	return nil
}

// The low half of an answer.
const errorBit = 1 << 31

// read copies what an answer points to.
func (in *instance) read(ret uint64, limit uint32) (string, error) {
	at, n := uint32(ret>>32), uint32(ret)&^errorBit
	if n > limit {
		return "", fmt.Errorf("it answers with %d octets, and %d is the most", n, limit)
	}
	b, ok := in.mem.Read(at, n)
	if !ok {
		return "", outside(in.mem, "its answer", at, n)
	}
	return string(b), nil
}

// pluginError is an error that the plugin itself has answered; the instance is
// fit for the next call.
type pluginError string

func (e pluginError) Error() string { return string(e) }

// complaint reads the error that an answer is.
func (in *instance) complaint(ret uint64) error {
	at, n := uint32(ret>>32), uint32(ret)&^errorBit
	b, ok := in.mem.Read(at, min(n, maxText))
	if !ok {
		return outside(in.mem, "its error", at, n)
	}
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(b), "?")), " ")
	if text == "" {
		text = "an error without words"
	}
	return pluginError(text)
}

// verdict is what describe, start and selftest answer: nothing, or an error.
func (in *instance) verdict(ret uint64) error {
	switch {
	case ret == 0:
		return nil
	case uint32(ret>>32) != 0 && ret&errorBit != 0:
		return in.complaint(ret)
	}
	return fmt.Errorf("it answers %#x, which is neither 0 nor an error", ret)
}

// configure calls start and the self-test.
func (in *instance) configure(ctx context.Context) error {
	in.begin(ctx, in.p.limits.Fuel*startFuel, in.p.startLimit(ctx))
	in.phase = starting
	in.scope.Reset()
	in.scope.Now = in.p.host.Now(ctx)
	in.clock.begin(in.scope.Now)
	defer in.finish()
	if f := in.lookup(startName); f != nil {
		if err := in.send(in.p.config); err != nil {
			return err
		}
		ret, err := in.invoke(f, uint64(len(in.p.config)))
		if err == nil {
			err = in.verdict(ret)
		}
		if err != nil {
			return fmt.Errorf("start: %w", err)
		}
	}
	if f := in.lookup(testName); f != nil {
		ret, err := in.invoke(f, 0)
		if err == nil {
			err = in.verdict(ret)
		}
		if err != nil {
			return fmt.Errorf("its self-test failed: %w", err)
		}
	}
	in.phase = serving
	return nil
}

// hook looks up the export of a hook once.
func (in *instance) hook(number int) export {
	if in.hooks[number] == nil {
		in.hooks[number] = in.lookup(hookPrefix + hookNames()[number-1])
	}
	return in.hooks[number]
}

// stop lets the plugin end in good order.
func (in *instance) stop() {
	if f := in.lookup(stopName); f != nil {
		in.begin(context.Background(), in.p.limits.Fuel, stopLimit)
		if _, err := in.invoke(f, 0); err != nil {
			in.p.r.opt.Logf("wasm: plugin %q: mta1_stop: %v", in.p.spec.Name, err)
		}
		in.finish()
	}
	in.close()
}

// close frees the instance. A second call does nothing.
func (in *instance) close() {
	if in.mod != nil {
		_ = in.mod.Close(context.Background())
	}
	in.memory.Free() // what failed while it was made was never closed
}
