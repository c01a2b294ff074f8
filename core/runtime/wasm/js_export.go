package wasm

import (
	"context"
	"errors"
)

// lookup finds an export of the contract; nil: there is none.
func (in *instance) lookup(name string) export {
	if in.engine != nil {
		return in.engine.export(name)
	}
	if f := in.mod.ExportedFunction(name); f != nil {
		return f
	}
	return nil
}

// driven is an export that the adapter makes. Its function may change the only
// element of the stack, and answers errors of the script as the contract says.
type driven struct {
	e *engine
	f func(e *engine, arg uint32) (uint64, error)
}

// CallWithStack implements [export].
func (d *driven) CallWithStack(_ context.Context, stack []uint64) error {
	ret, err := d.f(d.e, uint32(stack[0]))
	if err != nil {
		ret, err = d.e.complain(err)
	}
	stack[0] = ret
	return err
}

// complain makes the answer of an error. Only what the script itself has done
// wrong leaves the instance in service.
func (e *engine) complain(err error) (uint64, error) {
	var own pluginError
	if !errors.As(err, &own) {
		if e.in.ended == nil {
			e.in.ended = err // so that the words stay
		}
		return 0, err
	}
	text := own[:min(len(own), maxText)]
	b := e.box[boxOut]
	if b.size < maxText || !e.in.mem.WriteString(b.at, string(text)) {
		return 0, outside(e.in.mem, "the outbox", b.at, b.size)
	}
	return uint64(b.at)<<32 | errorBit | uint64(len(text)), nil
}

func (e *engine) export(name string) export {
	switch name {
	case bufferName:
		return &driven{e, (*engine).inbox}
	case describes:
		return &driven{e, (*engine).describe}
	case startName:
		return &driven{e, func(e *engine, n uint32) (uint64, error) {
			if err := e.prepareAll(); err != nil {
				return 0, err
			}
			_, err := e.done(e.apply(e.values["start"], uint64(n)))
			return 0, err
		}}
	case testName, stopName:
		f := e.values[name[len(ourModule)+1:]]
		return &driven{e, func(e *engine, _ uint32) (uint64, error) {
			_, err := e.done(e.apply(f))
			return 0, err
		}}
	}
	for number, hook := range hookNames() {
		if name == hookPrefix+hook {
			return &driven{e, e.hook(number + 1)}
		}
	}
	return nil
}

func (e *engine) inbox(size uint32) (uint64, error) {
	if size > maxAnswer {
		return 0, nil
	}
	if size > e.box[boxIn].size {
		clear(e.hooks[:]) // they know where the inbox was
		if _, err := e.apply(e.values["inbox"], uint64(size)); err != nil {
			return 0, err
		}
	}
	if size > e.box[boxIn].size {
		return 0, nil
	}
	return uint64(e.box[boxIn].at), nil
}

func (e *engine) describe(uint32) (uint64, error) {
	v, err := e.apply(e.values["describe"])
	if err != nil {
		return 0, err
	}
	at, n, err := e.borrow(v)
	if err != nil {
		return 0, err
	}
	if at == 0 || n >= errorBit {
		return 0, errors.New("the prelude describes nothing: pack the script anew")
	}
	return uint64(at)<<32 | uint64(n), nil // once an instance: it stays
}

// moved is told by the prelude where a piece of memory is.
func (e *engine) moved(which uint32, buffer uint64) error {
	size := e.scratch + scratchSize - 8
	at, err := e.do("JS_GetArrayBuffer", e.ctx, uint64(size), buffer)
	if err != nil {
		return err
	}
	n, _ := e.in.mem.ReadUint32Le(size)
	if uint32(at) == 0 || which >= boxes || uint64(uint32(at))+uint64(n) > uint64(e.in.mem.Size()) {
		return errors.New("the prelude shares memory that it does not have: pack the script anew")
	}
	if which == boxIn {
		n -= min(n, zeros)
	}
	e.box[which] = box{uint32(at), n}
	return nil
}

// zeros are the octets behind the inbox that stay 0; see the prelude.
const zeros = 512
