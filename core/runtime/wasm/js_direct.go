package wasm

import (
	"bytes"
	"strings"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/wire"
)

// The frequent calls of the host take their arguments as they are, so that the
// script encodes no request and decodes no result. What is unusual (octets, long
// texts, fractions) is not taken, and goes the way of all other calls.

// direct is a call: (number, arguments) -> its value; undefined: it was not made;
// null: it failed, and failed tells why.
func (e *engine) direct(a *arguments) uint64 {
	number := a.int(0)
	request, ok := e.directRequest(number, a)
	if !ok {
		return e.boxed(undefined)
	}
	e.in.charge(uint32(len(request)))
	result, code := e.in.answerCall(int(number), string(request))
	if code != sdk.CallOK {
		e.failure = e.give(result, code)
		return e.boxed(tagNull << 32)
	}
	e.in.pending = nil
	return e.directResult(number, string(result))
}

// give writes a result where the prelude reads results.
func (e *engine) give(result []byte, code sdk.CallCode) int32 {
	b := e.box[boxResult]
	e.in.pending = nil
	if len(result) > int(b.size) {
		e.in.pending = result
	} else if !e.in.mem.Write(b.at, result) {
		e.in.end(errEngine)
	}
	return -int32(uint32(code)<<24 | uint32(len(result))&0xffffff)
}

func (e *engine) directRequest(number uint32, a *arguments) (request []byte, ok bool) {
	if number == wire.CallNow {
		return e.requests.NowCall(&sdk.NowCall{}), true
	}
	key, has, ok := e.argument(a, 1)
	if !ok || !has {
		return nil, false
	}
	w := &e.requests
	switch number {
	case wire.CallLog:
		level, _, ok := a.whole(2)
		return w.LogCall(&sdk.LogCall{Level: level, Text: key}), ok
	case wire.CallMetric:
		n, has, ok := a.whole(2)
		gauge := a.value(3)>>32 == tagInt
		if !has && !gauge {
			n = 1
		}
		return w.MetricCall(&sdk.MetricCall{Name: key, Gauge: gauge, Value: float64(n)}), ok && (has || !gauge)
	case wire.CallKVGet:
		return w.KVGetCall(&sdk.KVGetCall{Key: key}), true
	case wire.CallKVDelete:
		return w.KVDeleteCall(&sdk.KVDeleteCall{Key: key}), true
	case wire.CallKVAdd:
		n, has, ok := a.whole(2)
		if !has {
			n = 1
		}
		ttl, fits := e.duration(a, 3)
		return w.KVAddCall(&sdk.KVAddCall{Key: key, Delta: int64(n), TTL: ttl}), ok && fits
	case wire.CallKVSet:
		v, _, ok := e.argument(a, 2)
		ttl, fits := e.duration(a, 3)
		return w.KVSetCall(&sdk.KVSetCall{Key: key, Value: []byte(v), TTL: ttl}), ok && fits
	case wire.CallKVSwap:
		old, hasOld, ok1 := e.argument(a, 2)
		v, hasNew, ok2 := e.argument(a, 3)
		ttl, fits := e.duration(a, 4)
		return w.KVSwapCall(&sdk.KVSwapCall{Key: key, HasOld: hasOld, Old: []byte(old), HasNew: hasNew, New: []byte(v), TTL: ttl}), ok1 && ok2 && fits
	}
	return nil, false
}

// directResult is the value of a result; false: there is no such key.
func (e *engine) directResult(number uint32, result string) uint64 {
	yes := uint64(tagBool)<<32 | 1
	switch number {
	case wire.CallKVGet:
		r, err := wire.ParseKVGetResult(result)
		if err != nil {
			e.in.end(err)
		}
		if !r.Found {
			return e.boxed(tagBool << 32)
		}
		return e.textFrom(r.Value)
	case wire.CallNow:
		r, err := wire.ParseNowResult(result)
		if err != nil {
			e.in.end(err)
		}
		if r.Time.IsZero() {
			return e.number(0)
		}
		return e.fraction(float64(r.Time.UnixMicro()) / 1000)
	case wire.CallKVAdd:
		r, err := wire.ParseKVAddResult(result)
		if err != nil {
			e.in.end(err)
		}
		if int64(int32(r.Value)) == r.Value {
			return e.number(int32(r.Value))
		}
		return e.fraction(float64(r.Value))
	case wire.CallKVSwap:
		r, err := wire.ParseKVSwapResult(result)
		if err != nil {
			e.in.end(err)
		}
		if !r.Swapped {
			return e.boxed(tagBool << 32)
		}
	}
	return e.boxed(yes)
}

// fraction makes any number.
func (e *engine) fraction(n float64) uint64 {
	v, err := e.step(e.newNumber, api.EncodeF64(n), 0, 0, 0)
	if err != nil {
		e.abandon(err)
	}
	return e.boxed(v)
}

// textFrom makes a string of octets.
func (e *engine) textFrom(b []byte) uint64 {
	to := e.box[boxResult]
	if len(b) <= int(to.size) {
		if !e.in.mem.Write(to.at, b) {
			e.in.end(errEngine)
		}
		return e.textOf(to, 0, uint32(len(b)))
	}
	at, err := e.room(len(b))
	if err != nil {
		e.in.end(err)
	}
	if !e.in.mem.Write(at, b) {
		e.in.end(errEngine)
	}
	v := e.textOf(box{at, uint32(len(b))}, 0, uint32(len(b)))
	if _, err := e.do("wasm_free", uint64(at)); err != nil {
		e.in.end(err)
	}
	return v
}

// argument is a text among the arguments. Not ok: it is something else.
func (e *engine) argument(a *arguments, i uint32) (text string, has, ok bool) {
	v := a.value(i)
	switch v >> 32 {
	case tagUndefined, tagNull:
		return "", false, true
	case tagString, tagRope:
		text, err := e.string(v)
		if err != nil {
			e.in.end(err)
		}
		return text, true, len(text) < maxWords // else it may have been cut
	}
	return "", false, false
}

// whole is a small whole number among the arguments.
func (a *arguments) whole(i uint32) (n int, has, ok bool) {
	v := a.value(i)
	return int(int32(v)), v>>32 == tagInt, v>>32 == tagInt || v>>32 == tagUndefined
}

// duration is a time among the arguments: milliseconds, or "5m".
func (e *engine) duration(a *arguments, i uint32) (time.Duration, bool) {
	if n, has, ok := a.whole(i); ok {
		if !has {
			return 0, true
		}
		return time.Duration(n) * time.Millisecond, true
	}
	text, has, ok := e.argument(a, i)
	if !ok || !has || text == "" || strings.ContainsAny(text, "+-µμ") { // Go takes more than the prelude
		return 0, ok && !has
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}

// domain is what is behind the last "@" of an address, in lower case; empty for
// what is no string.
func (e *engine) domain(v uint64) uint64 {
	if tag := v >> 32; tag != tagString && tag != tagRope {
		return e.textOf(e.box[boxResult], 0, 0)
	}
	at, n, err := e.borrow(v)
	switch {
	case err != nil:
		e.in.end(err)
	case at == 0:
		e.in.end(errMemory)
	}
	addr, ok := e.in.mem.Read(at, n)
	if !ok {
		e.in.end(errEngine)
	}
	i := bytes.LastIndexByte(addr, '@')
	name := append(e.lower[:0], addr[i+1:]...)
	if i < 0 {
		name = name[:0]
	}
	for k, c := range name {
		if 'A' <= c && c <= 'Z' {
			name[k] = c + 'a' - 'A'
		} else if c >= 0x80 {
			name = bytes.ToLower(name)
			break
		}
	}
	if len(name) <= maxWords {
		e.lower = name // its room is used again
	}
	if _, err := e.step(e.freeText, uint64(at), 0, 0, 0); err != nil {
		e.abandon(err)
	}
	return e.textFrom(name)
}
