package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/programmable-mta/mta/sdk"
)

var errFull = errors.New("record: the recording has reached its size")

// write is the one goroutine that touches the file.
func (r *Recorder) write(h Header) {
	defer close(r.done)
	b, err := encode(h)
	if err == nil {
		err = r.put(b)
	}
	why := ""
	for err == nil {
		var more bool
		if more, err = r.next(); !more {
			if err == nil {
				why = r.why
			}
			break
		}
		if r.o.MaxCalls > 0 && r.sum.Calls+r.dropped.Load() >= int64(r.o.MaxCalls) {
			why = fmt.Sprintf("%d calls were asked for", r.o.MaxCalls)
			break
		}
	}
	r.over.Store(true)
	if errors.Is(err, errFull) {
		why, err = fmt.Sprintf("it has reached %d octets", r.o.MaxBytes), nil
	}
	r.sum.Dropped, r.sum.Why = r.dropped.Load(), why
	if err != nil {
		r.sum.Why = err.Error()
		r.err = fmt.Errorf("record: the recording cannot be written: %w", err)
		return
	}
	end, err := encode(line{End: &r.sum})
	if err == nil {
		_, err = r.out.Write(append(end, '\n'))
	}
	if err == nil {
		err = r.out.Flush()
	}
	if err != nil {
		r.err = fmt.Errorf("record: the recording cannot be written: %w", err)
	}
}

// tick is how long a drop can go unnoticed by the writer, which counts them
// among the calls that were asked for.
const tick = time.Second

// next writes one call; more is false when the recording was closed and nothing
// waits any more.
func (r *Recorder) next() (more bool, err error) {
	select {
	case c := <-r.queue:
		return true, r.line(c)
	default:
	}
	// Nobody waits: who reads along sees what there is.
	if err := r.out.Flush(); err != nil {
		return false, err
	}
	timer := time.NewTimer(tick)
	defer timer.Stop()
	select {
	case c := <-r.queue:
		return true, r.line(c)
	case <-timer.C:
		return true, nil
	case <-r.quit:
	}
	r.over.Store(true)
	for {
		select {
		case c := <-r.queue:
			if err := r.line(c); err != nil {
				return false, err
			}
		default:
			return false, nil
		}
	}
}

func (r *Recorder) put(b []byte) error {
	if r.sum.Bytes+int64(len(b))+1 > r.o.MaxBytes {
		return errFull
	}
	r.sum.Bytes += int64(len(b)) + 1
	_, err := r.out.Write(append(b, '\n'))
	return err
}

func (r *Recorder) line(c *call) error {
	r.pending.Add(-c.size)
	b, err := r.encode(c)
	if err != nil || len(b) >= maxLine {
		r.dropped.Add(1)
		r.forget(c.bodyKey)
		return nil
	}
	if err := r.put(b); err != nil {
		return err
	}
	r.sum.Calls++
	return nil
}

// encode is a call as one line.
func (r *Recorder) encode(c *call) ([]byte, error) {
	if a, ok := c.event.(*sdk.AuthEvent); ok && a.Password != "" {
		a.Password = withheld
	}
	text := escape
	if r.hasher != nil {
		v := r.hasher.about(c.event)
		v.visit(reflect.ValueOf(c.event), "")
		if c.answer != nil {
			v.visit(reflect.ValueOf(c.answer), "")
		}
		for i := range c.calls {
			h := &c.calls[i]
			v.visit(reflect.ValueOf(h.request), "")
			if h.result != nil {
				v.visit(reflect.ValueOf(h.result), "")
			}
			h.text, h.dns = v.text("", h.text), v.text("", h.dns)
		}
		text = func(s string) string { return escape(v.text("", s)) }
	}
	l := line{N: c.n, Session: escape(c.session), ID: escape(c.id), Hook: c.hook, Time: c.at.UTC(), Error: text(c.err), TookNS: int64(c.took)}
	if c.err != "" && l.Error == "" {
		l.Error = plainError
	}
	if c.secret {
		l.Withheld = []string{"event.password", "calls"}
	}
	l.setBody(c.body)
	var err error
	if l.Event, err = marshal(c.event); err != nil {
		return nil, err
	}
	if c.answer != nil {
		if l.Answer, err = marshal(c.answer); err != nil {
			return nil, err
		}
	}
	if !c.secret {
		calls, err := hostLines(c.calls)
		if err != nil {
			return nil, err
		}
		l.Calls = &calls
	}
	return encode(&l)
}

func hostLines(calls []hostCall) ([]hostLine, error) {
	out := make([]hostLine, 0, len(calls))
	for i := range calls {
		h := &calls[i]
		l := hostLine{Call: h.name, Code: h.code, Text: escape(h.text), Name: escape(h.dns)}
		var err error
		if l.Request, err = marshalSome(h.request); err != nil {
			return nil, err
		}
		if h.result != nil {
			if l.Result, err = marshalSome(h.result); err != nil {
				return nil, err
			}
		}
		out = append(out, l)
	}
	return out, nil
}

// marshalSome leaves out what is empty.
func marshalSome(v any) (json.RawMessage, error) {
	b, err := marshal(v)
	if bytes.Equal(b, []byte("{}")) {
		return nil, err
	}
	return b, err
}

// setBody writes a content as text when that brings it back as it was.
func (l *line) setBody(content []byte) {
	if content == nil {
		return
	}
	if len(content) > 0 && utf8.Valid(content) && (bytes.IndexByte(content, '\r') >= 0 || bytes.IndexByte(content, '\n') < 0) {
		l.Body = string(content)
		return
	}
	l.Body64 = content
	if len(content) == 0 {
		l.Body64 = nil
	}
}

// content is the inverse of setBody; LF line ends alone, as people write them,
// become CRLF.
func (l *line) content() (b []byte, ok bool) {
	switch {
	case l.Body64 != nil:
		return l.Body64, true
	case l.Body == "":
		return nil, false
	}
	b = []byte(l.Body)
	if bytes.IndexByte(b, '\r') < 0 {
		b = bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
	}
	return b, true
}
