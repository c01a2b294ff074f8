package wasm

import (
	"context"
	"errors"
	"fmt"
	gort "runtime"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/programmable-mta/mta/core/runtime/wasm/meter"
	"github.com/programmable-mta/mta/sdk"
)

// What calls of the host cost, so that a storm of them ends.
const (
	callFuel   = 1000
	maxCalls   = 10_000 // of one hook
	maxRequest = 4 << 20
)

const (
	i32 = api.ValueTypeI32
	i64 = api.ValueTypeI64
)

// function is one import that the relay offers.
type function struct {
	name    string
	params  []api.ValueType
	results []api.ValueType
	do      func(in *instance, mem api.Memory, stack []uint64)
}

func (f *function) typ() string {
	words := make([]string, len(f.params))
	for i, v := range f.params {
		words[i] = api.ValueTypeName(v)
	}
	t := "(" + strings.Join(words, ", ") + ")"
	for _, v := range f.results {
		t += " -> " + api.ValueTypeName(v)
	}
	return t
}

// calls are the functions of the module mta1, but for yield.
func calls() []function {
	var fs []function
	for i, c := range sdk.Calls() {
		fs = append(fs, function{c.Name, []api.ValueType{i32, i32, i32, i32}, []api.ValueType{i64},
			func(in *instance, mem api.Memory, stack []uint64) { in.hostCall(i+1, mem, stack) }})
	}
	return append(fs, function{restName, []api.ValueType{i32, i32}, []api.ValueType{i32}, (*instance).rest})
}

// offered are the types of all imports that a plugin can have, by MODULE.NAME.
var offered = sync.OnceValue(func() map[string]string {
	types := make(map[string]string)
	for _, f := range calls() {
		types[ourModule+"."+f.name] = f.typ()
	}
	for _, f := range wasi() {
		types[wasiModule+"."+f.name] = f.typ()
	}
	return types
})

// offer makes the modules from which plugins import. The functions find the
// instance that calls in their context, which is the instance itself.
func offer(ctx context.Context, w wazero.Runtime) error {
	for module, functions := range map[string][]function{
		ourModule:    append(calls(), function{meter.YieldName, nil, nil, (*instance).yield}),
		wasiModule:   wasi(),
		engineModule: engineCalls,
	} {
		b := w.NewHostModuleBuilder(module)
		for _, f := range functions {
			do := f.do
			b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, mod api.Module, stack []uint64) {
				in := ctx.(*instance)
				if in.fuel == nil { // in a start function
					in.fuel = mod.ExportedGlobal(meter.GlobalName).(api.MutableGlobal)
				}
				do(in, mod.Memory(), stack)
			}), f.params, f.results).Export(f.name)
		}
		if _, err := b.Instantiate(ctx); err != nil {
			return err
		}
	}
	return nil
}

// end ends the guest: the panic is recovered by wazero, which returns an error
// from the call.
func (in *instance) end(err error) {
	in.ended = err
	panic(errEnded)
}

var errEnded = errors.New("ended by the relay")

// yield gives out the next slice of fuel, or ends the guest.
func (in *instance) yield(api.Memory, []uint64) {
	if err := in.overdue(); err != nil {
		in.end(err)
	}
	left := int64(in.fuel.Get())
	n := min(fuelSlice-min(left, 0), in.budget-in.given)
	if n <= 0 || left+n < 0 {
		in.end(fmt.Errorf("it used up its fuel of %d units: raise limits.fuel, or let it do less", in.budget))
	}
	in.given += n
	in.fuel.Set(uint64(left + n))
	// A guest cannot be preempted; this is where others have their turn.
	gort.Gosched()
}

// charge takes the fuel of a call, and n octets of it, before it is made.
func (in *instance) charge(n uint32) {
	if in.calls++; in.calls > maxCalls {
		in.end(fmt.Errorf("it made more than %d calls of the relay in one hook", maxCalls))
	}
	left := int64(in.fuel.Get()) - callFuel - int64(n>>3)
	in.fuel.Set(uint64(left))
	if left < 0 {
		in.yield(nil, nil)
	} else if err := in.overdue(); err != nil {
		in.end(err)
	}
}

func outside(mem api.Memory, what string, at, n uint32) error {
	size := uint32(0)
	if mem != nil {
		size = mem.Size()
	}
	return fmt.Errorf("%s at %d with %d octets is not in its memory of %d", what, at, n, size)
}

// hostCall is one call of the table: (request, length, result, capacity) -> i64.
func (in *instance) hostCall(number int, mem api.Memory, stack []uint64) {
	at, n := api.DecodeU32(stack[0]), api.DecodeU32(stack[1])
	to, room := api.DecodeU32(stack[2]), api.DecodeU32(stack[3])
	in.charge(min(n, maxRequest))
	var result []byte
	code := sdk.CallInvalid
	switch {
	case mem == nil:
		in.end(errors.New("it called the relay and has no memory"))
	case n > maxRequest:
		result = []byte("the request is too large")
	default:
		request, ok := mem.Read(at, n)
		if !ok {
			in.end(outside(mem, "the request of a call", at, n))
		}
		result, code = in.answerCall(number, string(request))
	}
	in.pending = nil
	switch {
	case len(result) > int(room):
		in.pending = result
	case !mem.Write(to, result):
		in.end(outside(mem, "the place for a result", to, room))
	}
	stack[0] = uint64(code)<<32 | uint64(uint32(len(result)))
}

// answerCall makes a call for the guest.
func (in *instance) answerCall(number int, request string) ([]byte, sdk.CallCode) {
	if in.phase == describing {
		return []byte("a plugin that describes itself can ask for nothing"), sdk.CallNotAllowed
	}
	return in.scope.Do(in.context(), number, request, &in.results)
}

// rest writes the result that did not fit: (result, capacity) -> i32.
func (in *instance) rest(mem api.Memory, stack []uint64) {
	to, room := api.DecodeU32(stack[0]), api.DecodeU32(stack[1])
	result := in.pending
	in.charge(uint32(len(result)))
	if len(result) == 0 || len(result) > int(room) {
		stack[0] = 0
		return
	}
	if mem == nil || !mem.Write(to, result) {
		in.end(outside(mem, "the place for a result", to, room))
	}
	in.pending = nil
	stack[0] = uint64(len(result))
}
