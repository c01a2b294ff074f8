package record

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// Recording is a file that was read.
type Recording struct {
	Header Header
	Calls  []Call   // in the order in which they began
	End    *Summary // nil: written by hand, or cut off
}

// Call is one call of a hook.
type Call struct {
	Line     int // in the file
	N        int64
	Session  string
	ID       string
	Hook     string
	Time     time.Time
	Event    any // *sdk.RcptEvent and so on
	Answer   any // *sdk.Answer and so on; nil: none, or not told
	Error    string
	Calls    []HostCall
	Told     bool // what it asked of the host is told, if only that it was nothing
	Withheld []string
	Took     time.Duration

	body []byte
	has  bool // body
}

// HostCall is one call of the host.
type HostCall struct {
	Call    string
	Request any // *sdk.KVGetCall and so on
	Result  any // *sdk.KVGetResult and so on
	Err     error

	key string // the request as it stands in a file
}

// Read reads a recording or a file of fixtures. Errors name the line.
func Read(r io.Reader) (*Recording, error) {
	rec := &Recording{}
	table := map[string]row{}
	for _, row := range rows() {
		table[row.name] = row
	}
	br := bufio.NewReaderSize(r, 64<<10)
	total, last := int64(0), int64(0)
	for n := 1; ; n++ {
		text, err := readLine(br)
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("record: line %d: %w", n, err)
		}
		if total += int64(len(text)); total > MaxFile {
			return nil, fmt.Errorf("record: line %d: the file is larger than %d MiB: replay it in pieces", n, MaxFile>>20)
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			if n == 1 {
				text = bytes.TrimPrefix(text, []byte("\ufeff"))
			}
			if bad := rec.take(text, n, table, &last); bad != nil {
				if err == io.EOF && cutOff(text) {
					bad = errors.New("the file is cut off in the middle of this line: remove the line to use those before it")
				}
				return nil, fmt.Errorf("record: line %d: %w", n, bad)
			}
		}
		if err == io.EOF {
			break
		}
	}
	slices.SortStableFunc(rec.Calls, func(a, b Call) int { return cmp.Compare(a.N, b.N) })
	return rec, nil
}

// cutOff tells a JSON value that ends too early from one that is wrong.
func cutOff(text []byte) bool {
	err := json.NewDecoder(bytes.NewReader(text)).Decode(new(json.RawMessage))
	return errors.Is(err, io.ErrUnexpectedEOF)
}

func readLine(br *bufio.Reader) ([]byte, error) {
	var out []byte
	for {
		piece, err := br.ReadSlice('\n')
		out = append(out, piece...)
		if len(out) > maxLine {
			return nil, fmt.Errorf("it is longer than %d MiB: this is no recording", maxLine>>20)
		}
		if err != bufio.ErrBufferFull {
			return out, err
		}
	}
}

// take adds one line.
func (rec *Recording) take(text []byte, n int, table map[string]row, last *int64) error {
	if bytes.HasPrefix(text, []byte("#")) {
		return nil // people comment their fixtures
	}
	var probe struct {
		Version *int `json:"mta_recording"`
	}
	if err := json.Unmarshal(text, &probe); err != nil {
		return fmt.Errorf("it is not a JSON object: %w", err)
	}
	if probe.Version != nil {
		switch {
		case rec.Header.Version != 0 || len(rec.Calls) > 0:
			return errors.New("a second header: one file is one recording")
		case *probe.Version != Version:
			return fmt.Errorf("this is a recording of version %d, and this program reads version %d: use the mta that wrote it", *probe.Version, Version)
		}
		return strict(text, &rec.Header)
	}
	if rec.End != nil {
		return errors.New("there is more behind the end of the recording")
	}
	var l line
	if err := strict(text, &l); err != nil {
		return err
	}
	if l.End != nil {
		rec.End = l.End
		return nil
	}
	// A line without a number stays where it stands.
	if l.N == 0 {
		l.N = *last
	}
	*last = l.N
	c, err := l.call(table)
	if err != nil {
		return err
	}
	c.Line = n
	rec.Calls = append(rec.Calls, *c)
	return nil
}

// strict decodes one JSON value and refuses keys that the type does not have:
// a fixture with a mistyped key would test nothing.
func strict(text []byte, dst any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(dst); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("more than one JSON value on a line")
	}
	return nil
}

// call makes the values of a line.
func (l *line) call(table map[string]row) (*Call, error) {
	if l.Hook == "" {
		return nil, errors.New(`no "hook"`)
	}
	row, ok := table[l.Hook]
	if !ok {
		var names []string
		for _, r := range rows() {
			names = append(names, r.name)
		}
		return nil, fmt.Errorf("there is no hook %q; there are: %s", l.Hook, strings.Join(names, ", "))
	}
	if l.Answer != nil && l.Error != "" {
		return nil, errors.New(`both "answer" and "error"`)
	}
	c := &Call{N: l.N, Session: unescape(l.Session), ID: unescape(l.ID), Hook: l.Hook, Time: l.Time, Error: unescape(l.Error),
		Told: l.Calls != nil, Withheld: l.Withheld, Took: time.Duration(l.TookNS), Event: row.event()}
	if err := value(l.Event, c.Event); err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	complete(c.Event)
	if l.Answer != nil {
		c.Answer = row.answer()
		if err := value(l.Answer, c.Answer); err != nil {
			return nil, fmt.Errorf("answer: %w", err)
		}
	}
	c.body, c.has = l.content()
	if l.Calls == nil {
		return c, nil
	}
	for i := range *l.Calls {
		h, err := (*l.Calls)[i].call()
		if err != nil {
			return nil, fmt.Errorf("calls: number %d: %w", i+1, err)
		}
		c.Calls = append(c.Calls, *h)
	}
	return c, nil
}

// value decodes into a struct of the sdk.
func value(raw json.RawMessage, dst any) error {
	if len(raw) == 0 {
		return nil
	}
	if err := strict(raw, dst); err != nil {
		return err
	}
	unescaper.visit(reflect.ValueOf(dst), "")
	return nil
}

// complete gives an event the session and the envelope that every plugin may
// rely on, and people leave out.
func complete(event any) {
	v := reflect.ValueOf(event).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Pointer && f.IsNil() {
			f.Set(reflect.New(f.Type().Elem()))
		}
	}
}

func (l *hostLine) call() (*HostCall, error) {
	s, ok := shapeOfCall(l.Call)
	if !ok {
		return nil, fmt.Errorf("there is no call %q that is recorded", l.Call)
	}
	h := &HostCall{Call: l.Call, Request: s.request()}
	if err := value(l.Request, h.Request); err != nil {
		return nil, fmt.Errorf("request of %s: %w", l.Call, err)
	}
	key, err := requestKey(h.Request)
	if err != nil {
		return nil, err
	}
	h.key = key
	if l.Code != "" && l.Code != sdk.CallOK.String() {
		name := cmp.Or(l.Name, nameAsked(h.Request))
		if _, known := codeOf(l.Code); !known && l.Code != plainError {
			return nil, fmt.Errorf("there is no code %q", l.Code)
		}
		h.Err = failed(l.Call, l.Code, unescape(l.Text), unescape(name))
		return h, nil
	}
	h.Result = s.result()
	if err := value(l.Result, h.Result); err != nil {
		return nil, fmt.Errorf("result of %s: %w", l.Call, err)
	}
	return h, nil
}

// requestKey is a request in the form in which it is compared.
func requestKey(request any) (string, error) {
	v := cloned(reflect.ValueOf(request)).Interface()
	if q, ok := v.(*sdk.HTTPCall); ok {
		withoutCredentials(q)
	}
	b, err := marshal(v)
	return string(b), err
}
