package wasm

import (
	"github.com/tetratelabs/wazero/api"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/wire"
)

// What a hook of a script gives is read through the C interface of the engine,
// which costs a fraction of an encoder in the script. Only the usual shapes are
// read here: words, what host.reject and the like give, and plain objects of
// plain values. Everything else is the prelude's, which also knows what is wrong
// with it. A getter or a proxy is code of the script as all other code of it: it
// costs fuel, and what it throws is the error of the hook.

// The rest of the values of the engine.
const (
	tagBool   = 1
	tagNull   = 2
	tagFirst  = 0xfffffff7 // from here on values are counted
	tagString = 0xfffffff9
	tagRope   = 0xfffffffa
	tagObject = 0xffffffff

	classObject = 1
	classArray  = 2

	namesOfKeys = 1 | 1<<4 // strings, and only what Object.keys gives
)

// Keys of answers and edits that are read here.
const (
	keyAction = iota
	keyCode
	keyEnhanced
	keyText
	keyReason
	keyEdits
	keyOp
	keyName
	keyValue
	keyIndex
	keys

	answerKeys = 1<<keyAction | 1<<keyCode | 1<<keyEnhanced | 1<<keyText | 1<<keyReason
	editKeys   = 1<<keyOp | 1<<keyName | 1<<keyValue | 1<<keyIndex
)

var keyNames = [keys]string{"action", "code", "enhanced", "text", "reason", "edits", "op", "name", "value", "index"}

// Lists of words that the prelude gives.
const (
	wordsAction = iota
	wordsRoute
	wordsOp
	wordLists
)

const maxEdits = 100 // that are read here

// answerReader is what the engine needs to read answers.
type answerReader struct {
	get, at, class, length, proto, names, freeNames api.Function

	atoms  [keys]uint32
	words  [wordLists][]uint32 // where the strings of the words lie: a word in a script is the same string
	object uint64              // Object.prototype
}

// readers looks up what the reading of answers takes.
func (e *engine) readers() error {
	look := e.in.mod.ExportedFunction
	r := &e.reader
	r.get, r.at, r.class, r.length = look("JS_GetProperty"), look("JS_GetPropertyUint32"), look("JS_GetClassID"), look("JS_GetLength")
	r.proto, r.names, r.freeNames = look("JS_GetPrototype"), look("JS_GetOwnPropertyNames"), look("JS_FreePropertyEnum")
	for i, name := range keyNames {
		atom, err := e.do("JS_NewAtomLen", e.ctx, e.name(name), uint64(len(name)))
		if err != nil {
			return err
		}
		r.atoms[i] = uint32(atom)
	}
	r.object = e.values["object"]
	for i := range r.words {
		list, _, err := e.element(e.values["words"], uint32(i))
		if err != nil {
			return err
		}
		n, ok, err := e.size(list)
		if err != nil || !ok || n > maxEager {
			return errPrelude
		}
		for k := range n {
			w, _, err := e.element(list, k) // never given back, so that it stays where it is
			if err != nil {
				return err
			}
			r.words[i] = append(r.words[i], uint32(w))
		}
	}
	return nil
}

const errPrelude = engineError("the prelude has no words: pack the script anew")

// step calls a function of the engine with the context as its first argument.
func (e *engine) step(f api.Function, a, b, c, d uint64) (uint64, error) {
	s := e.stack[:5]
	s[0], s[1], s[2], s[3], s[4] = e.ctx, a, b, c, d
	if err := f.CallWithStack(e.in, s); err != nil {
		return 0, e.in.failure(err)
	}
	return s[0], nil
}

// free gives back a value.
func (e *engine) free(v uint64) error {
	if v>>32 < tagFirst {
		return nil
	}
	_, err := e.step(e.freeValue, v, 0, 0, 0)
	return err
}

// element is one of a list; there tells whether it is anything.
func (e *engine) element(list uint64, i uint32) (v uint64, there bool, err error) {
	if v, err = e.step(e.reader.at, list, uint64(i), 0, 0); err == nil {
		v, err = e.checked(v)
	}
	return v, v>>32 != tagUndefined, err
}

// size is the length of a list; not ok: it is none.
func (e *engine) size(list uint64) (n uint32, ok bool, err error) {
	to := e.scratch + scratchSize - 16
	r, err := e.step(e.reader.length, list, uint64(to), 0, 0)
	if err != nil {
		return 0, false, err
	}
	if int32(r) < 0 {
		return 0, false, e.exception()
	}
	long, _ := e.in.mem.ReadUint64Le(to)
	return uint32(long), long < 1<<31, nil
}

func (e *engine) classOf(v uint64) (uint32, error) {
	s := e.stack[:1]
	s[0] = v
	if err := e.reader.class.CallWithStack(e.in, s); err != nil {
		return 0, e.in.failure(err)
	}
	return uint32(s[0]), nil
}

// word is the place of a word among those of a list; -1: it is another, or the
// same one made by the script.
func (e *engine) word(list int, v uint64) int {
	if v>>32 == tagString {
		for i, at := range e.reader.words[list] {
			if at == uint32(v) {
				return i
			}
		}
	}
	return -1
}

// keysOf are the keys of a plain object, as bits. Not ok: it has others, or is no
// plain object.
func (e *engine) keysOf(v uint64, allowed uint32) (mask uint32, ok bool, err error) {
	class, err := e.classOf(v)
	if err != nil || class != classObject {
		return 0, false, err
	}
	proto, err := e.step(e.reader.proto, v, 0, 0, 0)
	if err == nil {
		err = e.free(proto)
	}
	if err != nil || proto != e.reader.object && proto>>32 != tagNull {
		return 0, false, err
	}
	to := e.scratch + scratchSize - 16
	s := e.stack[:5]
	s[0], s[1], s[2], s[3], s[4] = e.ctx, uint64(to), uint64(to+4), v, namesOfKeys
	if err := e.reader.names.CallWithStack(e.in, s); err != nil {
		return 0, false, e.in.failure(err)
	}
	if int32(s[0]) < 0 {
		return 0, false, e.exception()
	}
	tab, _ := e.in.mem.ReadUint32Le(to)
	n, _ := e.in.mem.ReadUint32Le(to + 4)
	ok = n > 0 && n <= keys
	for i := uint32(0); ok && i < n; i++ {
		atom, there := e.in.mem.ReadUint32Le(tab + 8*i + 4)
		k := 0
		for k < keys && (e.reader.atoms[k] != atom || allowed>>k&1 == 0) {
			k++
		}
		ok = there && k < keys
		mask |= 1 << k
	}
	_, err = e.step(e.reader.freeNames, uint64(tab), uint64(n), 0, 0)
	return mask, ok, err
}

// value is a property, if it is among those that are there.
func (e *engine) value(v uint64, mask uint32, key int) (uint64, error) {
	if mask>>key&1 == 0 {
		return undefined, nil
	}
	got, err := e.step(e.reader.get, v, uint64(e.reader.atoms[key]), 0, 0)
	if err != nil {
		return 0, err
	}
	return e.checked(got)
}

// take reads a text and gives the value back. Not ok: it is none.
func (e *engine) take(v uint64, err error) (text string, ok bool, _ error) {
	if err != nil {
		return "", false, err
	}
	switch v >> 32 {
	case tagUndefined:
		return "", true, nil
	case tagString, tagRope:
		text, err = e.string(v)
		ok = len(text) < maxWords // else it may have been cut
	}
	if again := e.free(v); err == nil {
		err = again
	}
	return text, ok, err
}

// takeInt is take for a small whole number.
func (e *engine) takeInt(v uint64, err error) (n int, ok bool, _ error) {
	switch {
	case err != nil:
		return 0, false, err
	case v>>32 == tagInt:
		return int(int32(v)), true, nil
	}
	return 0, v>>32 == tagUndefined, e.free(v)
}

// takeWord is take for a word of a list; absent is 0.
func (e *engine) takeWord(list int, v uint64, err error) (n int, ok bool, _ error) {
	if err != nil || v>>32 == tagUndefined {
		return 0, err == nil, err
	}
	n = e.word(list, v)
	return n, n >= 0, e.free(v)
}

// decision is what the answers of all hooks that are read here have.
type decision struct {
	action int
	reply  sdk.Reply
	reason string
	edits  []sdk.Edit
}

// answer makes the answer of what a hook has given, and gives it back.
func (e *engine) answer(h *scriptHook, v uint64) (ret uint64, err error) {
	if tag := v >> 32; tag == tagUndefined || tag == tagNull {
		return 0, nil
	}
	done := false
	if h.words >= 0 {
		ret, done, err = e.quick(h, v)
	}
	if err == nil && !done {
		ret, err = e.apply(h.encode, v)
		if err == nil {
			ret, err = e.encoded(ret)
		}
	}
	if again := e.free(v); err == nil {
		err = again
	}
	return ret, err
}

// encoded is the answer that the prelude has written.
func (e *engine) encoded(v uint64) (uint64, error) {
	n, err := e.done(v, nil)
	if err != nil || n >= 0 {
		return uint64(n), err
	}
	return uint64(e.box[boxOut].at)<<32 | uint64(-n), nil
}

// quick reads the usual shapes of an answer; not done: it is another.
func (e *engine) quick(h *scriptHook, v uint64) (ret uint64, done bool, err error) {
	if v>>32 != tagObject {
		n := e.word(h.words, v)
		return uint64(n), n >= 0, nil
	}
	class, err := e.classOf(v)
	if err != nil {
		return 0, false, err
	}
	var d decision
	switch class {
	case classArray:
		done, err = e.list(h, v, &d)
	case classObject:
		done, err = e.plain(h, v, &d)
	}
	if err != nil || !done {
		return 0, false, err
	}
	if d.reply.Enhanced == "" && d.reply.Text == "" && d.reason == "" && len(d.edits) == 0 && d.reply.Code>>16 == 0 {
		return uint64(d.action | d.reply.Code<<16), true, nil
	}
	return e.write(h, &d)
}

// list reads [action, enhanced, text, reason], which host.reject and the like give.
func (e *engine) list(h *scriptHook, v uint64, d *decision) (bool, error) {
	if n, ok, err := e.size(v); err != nil || !ok || n != 4 {
		return false, err
	}
	first, _, err := e.element(v, 0)
	if err != nil {
		return false, err
	}
	ok := false
	if d.action, ok, err = e.takeWord(h.words, first, nil); !ok || err != nil {
		return false, err
	}
	for i, to := range []*string{&d.reply.Enhanced, &d.reply.Text, &d.reason} {
		x, _, err := e.element(v, uint32(1+i))
		if *to, ok, err = e.take(x, err); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// plain reads {action, code, enhanced, text, reason, edits}.
func (e *engine) plain(h *scriptHook, v uint64, d *decision) (bool, error) {
	allowed := uint32(answerKeys)
	if h.words == wordsAction {
		allowed |= 1 << keyEdits
	}
	mask, ok, err := e.keysOf(v, allowed)
	if !ok || err != nil {
		return false, err
	}
	x, err := e.value(v, mask, keyAction)
	if d.action, ok, err = e.takeWord(h.words, x, err); !ok || err != nil {
		return false, err
	}
	if d.reply.Code, ok, err = e.takeInt(e.value(v, mask, keyCode)); !ok || err != nil {
		return false, err
	}
	if d.reply.Enhanced, ok, err = e.take(e.value(v, mask, keyEnhanced)); !ok || err != nil {
		return false, err
	}
	if d.reply.Text, ok, err = e.take(e.value(v, mask, keyText)); !ok || err != nil {
		return false, err
	}
	if d.reason, ok, err = e.take(e.value(v, mask, keyReason)); !ok || err != nil {
		return false, err
	}
	if mask>>keyEdits&1 == 0 {
		return true, nil
	}
	list, err := e.value(v, mask, keyEdits)
	if err != nil {
		return false, err
	}
	ok, err = e.edits(list, d)
	if again := e.free(list); err == nil {
		err = again
	}
	return ok, err
}

func (e *engine) edits(list uint64, d *decision) (bool, error) {
	if list>>32 != tagObject {
		return false, nil
	}
	if class, err := e.classOf(list); err != nil || class != classArray {
		return false, err
	}
	n, ok, err := e.size(list)
	if err != nil || !ok || n > maxEdits {
		return false, err
	}
	d.edits = make([]sdk.Edit, n)
	for i := range n {
		v, _, err := e.element(list, i)
		if err != nil || v>>32 != tagObject {
			return false, err
		}
		ok, err := e.edit(v, &d.edits[i])
		if again := e.free(v); err == nil {
			err = again
		}
		if err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

func (e *engine) edit(v uint64, to *sdk.Edit) (bool, error) {
	mask, ok, err := e.keysOf(v, editKeys)
	if !ok || err != nil {
		return false, err
	}
	x, err := e.value(v, mask, keyOp)
	op, ok, err := e.takeWord(wordsOp, x, err)
	if !ok || err != nil {
		return false, err
	}
	to.Op = sdk.Op(op)
	if to.Name, ok, err = e.take(e.value(v, mask, keyName)); !ok || err != nil {
		return false, err
	}
	if to.Value, ok, err = e.take(e.value(v, mask, keyValue)); !ok || err != nil {
		return false, err
	}
	to.Index, ok, err = e.takeInt(e.value(v, mask, keyIndex))
	return ok, err
}

// write puts an answer into the outbox; not done: it does not fit.
func (e *engine) write(h *scriptHook, d *decision) (ret uint64, done bool, err error) {
	var block []byte
	if h.words == wordsRoute {
		block = e.answers.RouteAnswer(&sdk.RouteAnswer{Action: sdk.RouteAction(d.action), Reply: d.reply, Reason: d.reason})
	} else {
		e.answered = sdk.Answer{Action: sdk.Action(d.action), Reply: d.reply, Reason: d.reason, Edits: d.edits}
		block = e.answers.RcptAnswer(&e.answered)
		e.answered = sdk.Answer{}
		kind := wire.KindAnswer + h.number
		block[8], block[9] = byte(kind), byte(kind>>8) // all of them are alike
	}
	b := e.box[boxOut]
	if len(block) > int(b.size) {
		return 0, false, nil
	}
	if !e.in.mem.Write(b.at, block) {
		return 0, false, outside(e.in.mem, "the outbox", b.at, b.size)
	}
	return uint64(b.at)<<32 | uint64(len(block)), true, nil
}
