package wasm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/wire"
)

// A plugin in JavaScript is the engine QuickJS as a WebAssembly module with a
// script (see js_pack.go). This file drives the engine through its C interface
// and makes of it what the contract asks of a module, so that the rest of the
// package does not know the difference: the engine is metered, its memory is
// bounded, and a script that loops, recurses or devours memory ends as any other
// guest does. The bytes of the engine run in the sandbox too, and whatever it
// answers is checked as a stranger's.

// export is a function of the contract: of the module itself, or of the adapter.
type export interface {
	CallWithStack(ctx context.Context, stack []uint64) error
}

// The values of the engine: a tag in the high half, or a number.
const (
	tagInt       = 0
	tagUndefined = 3
	tagException = 6
	undefined    = tagUndefined << 32
)

// Limits of the engine inside of those of the instance.
const (
	engineStack  = 512 << 10 // of the 1 MiB that it has
	engineSpare  = 1 << 20   // of the memory that a script cannot have
	maxWords     = 4 << 10   // of a text; what is longer is refused later
	maxJobs      = 10_000    // microtasks after one call
	pendingValue = -1        // no block is that short
	scriptName   = "plugin.js"
)

// The pieces of memory that the prelude shares.
const (
	boxIn = iota
	boxOut
	boxResult
	boxes
)

type box struct{ at, size uint32 }

// engine is the JavaScript engine of one instance.
type engine struct {
	in       *instance
	ctx      uint64
	scratch  uint32 // room for sizes, arguments and names
	box      [boxes]box
	driver   uint64            // what the prelude gives
	values   map[string]uint64 // its functions
	hooks    [13]*scriptHook
	stack    [8]uint64
	reader   answerReader
	answers  wire.Writer
	requests wire.Writer
	lower    []byte // room for a domain
	failure  int32  // of the last direct call, as ask gives it
	answered sdk.Answer

	call, newString, freeValue, malloc, hostString, toText, freeText, pending, newNumber api.Function
}

const scratchSize = 1024

// functions of the driver.
var driverFunctions = []string{"inbox", "load", "describe", "start", "explain", "settle", "on", "answer", "words", "object", "selftest", "stop"}

// boot starts the engine and runs the script.
func (in *instance) boot(p *packed) (*engine, error) {
	e := &engine{in: in, values: make(map[string]uint64)}
	in.engine = e
	look := in.mod.ExportedFunction
	e.call, e.newString, e.freeValue = look("JS_Call"), look("JS_NewStringLen"), look("JS_FreeValue")
	e.malloc, e.hostString, e.toText = look("wasm_malloc"), look("qjs_new_string"), look("JS_ToCStringLen2")
	e.freeText, e.pending = look("JS_FreeCString"), look("qjs_is_job_pending")
	e.newNumber = look("JS_NewNumber")
	if r, err := e.do("qjs_init"); err != nil || uint32(r) != 0 {
		return nil, errors.Join(errors.New("the engine does not start"), err)
	}
	limit := in.p.limits.Memory - int64(in.mem.Size()) - engineSpare
	if limit < engineSpare {
		return nil, fmt.Errorf("the engine leaves less than 1 MiB of limits.memory = %d for the script: raise it", in.p.limits.Memory)
	}
	for name, n := range map[string]uint64{"qjs_set_memory_limit": uint64(min(limit, math.MaxInt32)), "qjs_set_max_stack_size": engineStack} {
		if _, err := e.do(name, n); err != nil {
			return nil, err
		}
	}
	var err error
	if e.ctx, err = e.do("qjs_get_context_ptr"); err != nil {
		return nil, err
	}
	if e.scratch, err = e.room(scratchSize); err != nil {
		return nil, err
	}
	if err := e.prelude(p.prelude); err != nil {
		return nil, fmt.Errorf("its prelude: %w", err)
	}
	if err := e.script(p.script); err != nil {
		return nil, fmt.Errorf("its script: %w", err)
	}
	return e, nil
}

// do calls a function of the engine by its name; not for the path of a message.
func (e *engine) do(name string, args ...uint64) (uint64, error) {
	f := e.in.mod.ExportedFunction(name)
	if f == nil {
		return 0, fmt.Errorf("the engine has no function %s: %s", name, otherEngine)
	}
	var stack [8]uint64
	n := max(1, copy(stack[:], args))
	if err := f.CallWithStack(e.in, stack[:n]); err != nil {
		return 0, e.in.failure(err)
	}
	return stack[0], nil
}

// room is a piece of the engine's memory that is never given back.
func (e *engine) room(n int) (uint32, error) {
	at, err := e.do("wasm_malloc", uint64(n))
	if err == nil && uint32(at) == 0 {
		err = errors.New("out of memory: raise limits.memory")
	}
	return uint32(at), err
}

// text puts a text into the engine's memory, with the 0 that C wants.
func (e *engine) text(s string) (at uint64, err error) {
	p, err := e.room(len(s) + 1)
	if err != nil {
		return 0, err
	}
	if !e.in.mem.WriteString(p, s) || !e.in.mem.WriteByte(p+uint32(len(s)), 0) {
		return 0, outside(e.in.mem, "a text", p, uint32(len(s)+1))
	}
	return uint64(p), nil
}

// name is text for short names that are read at once.
func (e *engine) name(s string) uint64 {
	at := e.scratch + scratchSize/2
	e.in.mem.Write(at, append([]byte(s), 0))
	return uint64(at)
}

func (e *engine) prelude(source string) error {
	f, err := e.eval(source, "mta.js", 0)
	if err != nil {
		return err
	}
	native, err := e.do("JS_NewObject", e.ctx)
	if err != nil {
		return err
	}
	for _, c := range nativeCalls {
		p, err := e.do("qjs_new_host_function", e.name(c.name), uint64(len(c.name)), 0)
		if err != nil {
			return err
		}
		v, ok := e.in.mem.ReadUint64Le(uint32(p))
		if !ok {
			return outside(e.in.mem, "a function", uint32(p), 8)
		}
		if _, err := e.do("JS_SetPropertyStr", e.ctx, native, e.name(c.as), v); err != nil {
			return err
		}
	}
	if e.driver, err = e.apply(f, native); err != nil {
		return err
	}
	for _, name := range driverFunctions {
		v, err := e.do("JS_GetPropertyStr", e.ctx, e.driver, e.name(name))
		if err != nil {
			return err
		}
		e.values[name] = v
	}
	if err := e.readers(); err != nil {
		return err
	}
	for i := range e.box {
		if e.box[i].size == 0 {
			return errors.New("it shares no memory: pack the script anew")
		}
	}
	return nil
}

// Flags of JS_Eval.
const (
	evalModule  = 1
	compileOnly = 32
)

func (e *engine) eval(source, name string, flags uint64) (uint64, error) {
	src, err := e.text(source)
	if err != nil {
		return 0, err
	}
	file, err := e.text(name)
	if err != nil {
		return 0, err
	}
	v, err := e.do("JS_Eval", e.ctx, src, uint64(len(source)), file, flags)
	if err == nil {
		v, err = e.checked(v)
	}
	if err == nil {
		_, err = e.do("wasm_free", src)
	}
	return v, err
}

// script evaluates the author's module and gives it to the prelude.
func (e *engine) script(source string) error {
	m, err := e.eval(source, scriptName, evalModule|compileOnly)
	if err != nil && strings.Contains(err.Error(), "could not load module") {
		err = fmt.Errorf("%w: a plugin is one file, bundle what it imports", err)
	}
	if err != nil {
		return err
	}
	if r, err := e.do("JS_ResolveModule", e.ctx, m); err != nil {
		return err
	} else if int32(r) < 0 {
		return e.exception()
	}
	promise, err := e.do("JS_EvalFunction", e.ctx, m)
	if err == nil {
		promise, err = e.checked(promise)
	}
	if err != nil {
		return err
	}
	if err := e.jobs(); err != nil {
		return err
	}
	state, err := e.do("JS_PromiseState", e.ctx, promise)
	switch {
	case err != nil:
		return err
	case int32(state) == 0:
		return errors.New("it awaits at its top something that never comes")
	case int32(state) == 2:
		v, err := e.do("JS_PromiseResult", e.ctx, promise)
		if err != nil {
			return err
		}
		return e.explain(v)
	}
	ns, err := e.do("JS_GetModuleNamespace", e.ctx, uint64(uint32(m)))
	if err == nil {
		ns, err = e.checked(ns)
	}
	if err == nil {
		_, err = e.apply(e.values["load"], ns)
	}
	return err
}

// apply calls a value; what it gives is the caller's.
func (e *engine) apply(f uint64, args ...uint64) (uint64, error) {
	for i, a := range args {
		if !e.in.mem.WriteUint64Le(e.scratch+uint32(8*i), a) {
			return 0, outside(e.in.mem, "an argument", e.scratch, 8)
		}
	}
	s := e.stack[:5]
	s[0], s[1], s[2], s[3], s[4] = e.ctx, f, undefined, uint64(len(args)), uint64(e.scratch)
	if err := e.call.CallWithStack(e.in, s); err != nil {
		return 0, e.in.failure(err)
	}
	return e.checked(s[0])
}

// checked is an error for the value that stands for an exception.
func (e *engine) checked(v uint64) (uint64, error) {
	if v>>32 == tagException {
		return 0, e.exception()
	}
	return v, nil
}

func (e *engine) exception() error {
	v, err := e.do("JS_GetException", e.ctx)
	if err != nil {
		return err
	}
	return e.explain(v)
}

// explain is an exception as an error of the plugin. It gives the value back.
func (e *engine) explain(v uint64) error {
	text, first := "an exception that cannot be shown", v
	if f, ok := e.values["explain"]; ok {
		e.in.mem.WriteUint64Le(e.scratch, v)
		r, err := e.do("JS_Call", e.ctx, f, undefined, 1, uint64(e.scratch))
		if err != nil {
			return err
		}
		if r>>32 != tagException {
			v = r
		} else if v, err = e.do("JS_GetException", e.ctx); err != nil { // it makes room, at least
			return err
		}
		if err := e.free(first); err != nil {
			return err
		}
	}
	if s, err := e.string(v); err != nil {
		return err
	} else if s != "" {
		text = s
	}
	_, err := e.do("JS_FreeValue", e.ctx, v)
	return errors.Join(pluginError(text), err)
}

// string is the text of a value; empty when it has none.
func (e *engine) string(v uint64) (string, error) {
	at, n, err := e.borrow(v)
	if err != nil || at == 0 {
		return "", err
	}
	b, ok := e.in.mem.Read(at, min(n, maxWords))
	if !ok {
		return "", outside(e.in.mem, "a text", at, n)
	}
	s := string(b)
	st := e.stack[:2]
	st[0], st[1] = e.ctx, uint64(at)
	if err := e.freeText.CallWithStack(e.in, st); err != nil {
		return "", e.in.failure(err)
	}
	return s, nil
}

// borrow is where the text of a value lies, as UTF-8; 0: it has none.
func (e *engine) borrow(v uint64) (at, n uint32, err error) {
	size := e.scratch + scratchSize - 8
	s := e.stack[:4]
	s[0], s[1], s[2], s[3] = e.ctx, uint64(size), v, 0
	if err := e.toText.CallWithStack(e.in, s); err != nil {
		return 0, 0, e.in.failure(err)
	}
	n, _ = e.in.mem.ReadUint32Le(size)
	return uint32(s[0]), n, nil
}

// jobs runs the microtasks.
func (e *engine) jobs() error {
	for range maxJobs {
		s := e.stack[:1]
		s[0] = 0
		if err := e.pending.CallWithStack(e.in, s); err != nil {
			return e.in.failure(err)
		}
		if uint32(s[0]) == 0 {
			return nil
		}
		r, err := e.do("qjs_execute_pending_job")
		if err != nil {
			return err
		}
		if int32(r) < 0 {
			return e.exception()
		}
	}
	return fmt.Errorf("it left more than %d microtasks", maxJobs)
}

// done settles what a function of the driver gives: a number, or the number that
// stands for a promise.
func (e *engine) done(v uint64, err error) (int32, error) {
	if err == nil {
		err = e.jobs()
	}
	if err == nil && v>>32 == tagInt && int32(v) == pendingValue {
		v, err = e.apply(e.values["settle"])
	}
	if err != nil {
		return 0, err
	}
	if v>>32 != tagInt {
		return 0, errors.New("the prelude answers no whole number: pack the script anew")
	}
	return int32(v), nil
}
