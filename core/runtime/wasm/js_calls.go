package wasm

import (
	"errors"

	"github.com/tetratelabs/wazero/api"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/wire"
)

// engineCalls are the functions that the engine imports, beside those of WASI.
var engineCalls = []function{
	{"host_call", []api.ValueType{i32, i32, i32, i32, i32}, []api.ValueType{i32}, hostFunction},
	{"host_interrupt", nil, []api.ValueType{i32}, nothing},
	{"host_promise_rejection", []api.ValueType{i32, i32, i32}, nil, func(*instance, api.Memory, []uint64) {}},
	// There are no modules but the script.
	{"host_module_normalize", []api.ValueType{i32, i32}, []api.ValueType{i32}, nothing},
	{"host_module_load", []api.ValueType{i32, i32}, []api.ValueType{i32}, nothing},
	// All is UTC.
	{"host_get_timezone_offset", []api.ValueType{i32, i32}, []api.ValueType{i32}, nothing},
}

func nothing(_ *instance, _ api.Memory, stack []uint64) { stack[0] = 0 }

// nativeCalls are the functions that the prelude gets. The engine hands over
// their names, which have one letter so that they are told apart quickly.
var nativeCalls = []struct{ name, as string }{
	{"t", "text"}, {"r", "resultText"}, {"i", "inboxText"}, {"d", "decodeOut"},
	{"p", "put"}, {"c", "call"}, {"l", "rest"}, {"m", "moved"}, {"q", "direct"}, {"f", "failure"}, {"n", "domain"},
}

// hostFunction is a call of one of them: (name, length, this, argc, argv) -> the
// place of a value, which the engine frees.
func hostFunction(in *instance, mem api.Memory, stack []uint64) {
	e := in.engine
	name, ok := mem.ReadByte(api.DecodeU32(stack[0]))
	if e == nil || !ok {
		in.end(errEngine)
	}
	a := arguments{mem: mem, n: api.DecodeU32(stack[3]), at: api.DecodeU32(stack[4])}
	switch name {
	case 't':
		stack[0] = e.textAt(e.box[boxIn], a.int(0))
	case 'r':
		stack[0] = e.textAt(e.box[boxResult], a.int(0))
	case 'i':
		stack[0] = e.textOf(e.box[boxIn], 0, a.int(0))
	case 'd':
		stack[0] = e.textOf(e.box[boxOut], a.int(0), a.int(1))
	case 'p':
		stack[0] = e.number(e.put(a.value(0), a.int(1)))
	case 'c':
		stack[0] = e.number(e.ask(mem, a.int(0), a.int(1)))
	case 'l':
		var s [2]uint64
		s[0], s[1] = uint64(e.box[boxResult].at), uint64(e.box[boxResult].size)
		in.rest(mem, s[:])
		stack[0] = e.number(int32(s[0]))
	case 'q':
		stack[0] = e.direct(&a)
	case 'n':
		stack[0] = e.domain(a.value(0))
	case 'f':
		stack[0] = e.number(e.failure)
	case 'm':
		if err := e.moved(a.int(0), a.value(1)); err != nil {
			in.end(err)
		}
		stack[0] = e.number(0)
	default:
		in.end(errEngine)
	}
}

var errEngine = engineError("the engine calls a function that it was not given")

type engineError string

func (e engineError) Error() string { return string(e) }

// arguments are places of values.
type arguments struct {
	mem   api.Memory
	n, at uint32
}

func (a *arguments) value(i uint32) uint64 {
	if i >= a.n {
		return undefined
	}
	p, _ := a.mem.ReadUint32Le(a.at + 4*i)
	v, ok := a.mem.ReadUint64Le(p)
	if !ok {
		return undefined
	}
	return v
}

// int is a small whole number; everything else is 0.
func (a *arguments) int(i uint32) uint32 {
	if v := a.value(i); v>>32 == tagInt {
		return uint32(v)
	}
	return 0
}

var lastCall = uint32(len(sdk.Calls()))

// number makes a whole number that the engine frees.
func (e *engine) number(n int32) uint64 { return e.boxed(uint64(uint32(n))) }

// boxed makes a value that the engine frees.
func (e *engine) boxed(v uint64) uint64 {
	s := e.stack[:1]
	s[0] = 8
	if err := e.malloc.CallWithStack(e.in, s); err != nil {
		e.abandon(err)
	}
	at := uint32(s[0])
	if at == 0 || !e.in.mem.WriteUint64Le(at, v) {
		e.in.end(errMemory)
	}
	return uint64(at)
}

var errMemory = engineError("out of memory: raise limits.memory")

// abandon passes on that a call into the engine from within a call of it failed.
func (e *engine) abandon(err error) {
	e.in.end(e.in.failure(err))
}

// textAt makes the string that the slot at a place, in words, points to.
func (e *engine) textAt(b box, word uint32) uint64 {
	if word >= b.size>>2 {
		e.in.end(errEngine)
	}
	at, _ := e.in.mem.ReadUint32Le(b.at + 4*word)
	n, _ := e.in.mem.ReadUint32Le(b.at + 4*word + 4)
	return e.textOf(b, at, n)
}

func (e *engine) textOf(b box, at, n uint32) uint64 {
	if uint64(at)+uint64(n) > uint64(b.size) {
		e.in.end(errEngine)
	}
	s := e.stack[:2]
	s[0], s[1] = uint64(b.at+at), uint64(n)
	if err := e.hostString.CallWithStack(e.in, s); err != nil {
		e.abandon(err)
	}
	return s[0]
}

// put writes a string as UTF-8 into the outbox, and answers its length; negative:
// it does not fit.
func (e *engine) put(v uint64, pos uint32) int32 {
	from, n, err := e.borrow(v)
	switch {
	case err != nil:
		e.in.end(err)
	case from == 0:
		e.in.end(errMemory)
	}
	length := int32(n)
	b := e.box[boxOut]
	if uint64(pos)+uint64(n) > uint64(b.size) {
		length = -length
	} else if text, ok := e.in.mem.Read(from, n); !ok || !e.in.mem.Write(b.at+pos, text) {
		e.in.end(errEngine)
	}
	var s [2]uint64
	s[0], s[1] = e.ctx, uint64(from)
	if err := e.freeText.CallWithStack(e.in, s[:]); err != nil {
		e.abandon(err)
	}
	return length
}

// ask makes a call of the host with the request in the outbox. The answer is the
// length of the result, or the negative of code<<24 and length.
func (e *engine) ask(mem api.Memory, number, n uint32) int32 {
	if number < 1 || number > lastCall || n > e.box[boxOut].size {
		e.in.end(errEngine)
	}
	var s [4]uint64
	s[0], s[1], s[2], s[3] = uint64(e.box[boxOut].at), uint64(n), uint64(e.box[boxResult].at), uint64(e.box[boxResult].size)
	e.in.hostCall(int(number), mem, s[:])
	code, length := uint32(s[0]>>32), uint32(s[0])
	if code != 0 {
		return -int32(code<<24 | length&0xffffff)
	}
	return int32(length)
}

// scriptHook is a hook of a script, ready to be called.
type scriptHook struct {
	number int
	words  int        // the list of its actions; -1: it has none
	f      uint64     // the function that the prelude has made
	encode uint64     // the prelude's encoder of unusual answers
	eager  [][]uint32 // the strings that are its arguments: the slots on the way to each
}

// Strings that a plugin has named are made by the relay, which is quicker than
// if the script asks for them; but not many.
const maxEager = 12

// hook calls a hook of the script.
func (e *engine) hook(number int) func(*engine, uint32) (uint64, error) {
	return func(e *engine, _ uint32) (uint64, error) {
		h := e.hooks[number]
		if h == nil {
			var err error
			if h, err = e.prepare(number); err != nil {
				return 0, err
			}
			e.hooks[number] = h
		}
		v, err := e.applyHook(h)
		if err != nil {
			return 0, err
		}
		ret, err := e.answer(h, v)
		if err != nil {
			return 0, err
		}
		return ret, e.jobs()
	}
}

// applyHook makes the arguments and calls the function.
func (e *engine) applyHook(h *scriptHook) (uint64, error) {
	mem, in := e.in.mem, e.box[boxIn]
	var args [maxEager]uint64
	for i, path := range h.eager {
		at := in.at + wire.HeaderSize
		off, n := uint32(0), uint32(0)
		for _, slot := range path {
			off, _ = mem.ReadUint32Le(at + 8*slot)
			n, _ = mem.ReadUint32Le(at + 8*slot + 4)
			if off == 0 {
				break
			}
			at = in.at + off
		}
		s := e.stack[:3]
		s[0], s[1], s[2] = e.ctx, uint64(in.at+off), uint64(n)
		if off == 0 {
			s[1], s[2] = uint64(in.at), 0
		}
		if err := e.newString.CallWithStack(e.in, s); err != nil {
			return 0, e.in.failure(err)
		}
		args[i] = s[0]
	}
	v, err := e.apply(h.f, args[:len(h.eager)]...)
	if err != nil && !thrown(err) {
		return 0, err // the instance is thrown away
	}
	for _, a := range args[:len(h.eager)] {
		if again := e.free(a); again != nil {
			return 0, again
		}
	}
	return v, err
}

// thrown tells whether an error is an exception of the script.
func thrown(err error) bool {
	var own pluginError
	return errors.As(err, &own)
}
