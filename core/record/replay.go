package record

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// Load starts a plugin in some runtime. The returned function stops it.
type Load func(ctx context.Context, host sdk.Host, config []byte) (*sdk.Handlers, func() error, error)

// ReplayOptions are the choices of a replay. The zero value is of use.
type ReplayOptions struct {
	// Config is the plugin's configuration. Nil: that of the recording, or "{}".
	Config []byte
	// Host answers what the recording does not: calls of Start, and those of
	// lines that do not tell any. Nil: such calls fail, or answer as an empty
	// relay would.
	Host sdk.Host
	// Runtime is that of the plugin: builtin, wasm or process; empty: that of
	// the recording. All but builtin read the clock once before each call.
	Runtime string
	// Deadline bounds one call of a hook. 0: 30 seconds.
	Deadline time.Duration
	// Logs compares what was logged, too.
	Logs bool
	// Keep is how many differences are kept in the report. 0: one.
	Keep int
}

// Replay reads a file, asks a plugin the same again, one call after the other,
// and compares answers and calls of the host. The plugin's host answers from
// the recording. An error means that the comparison could not be made;
// differences are in the report.
//
// Not compared are the texts of Go errors, the number of readings of the clock,
// the order of calls within one hook call, and what was logged.
func Replay(ctx context.Context, file io.Reader, load Load, o ReplayOptions) (*Report, error) {
	rec, err := Read(file)
	if err != nil {
		return nil, err
	}
	return rec.Replay(ctx, load, o)
}

// Replay is [Replay] for a recording that was read. Its events are handed to
// the plugin as they are.
func (rec *Recording) Replay(ctx context.Context, load Load, o ReplayOptions) (rep *Report, err error) {
	if len(rec.Calls) == 0 {
		return nil, errors.New("record: the file has no calls: nothing was asked while it was recorded")
	}
	if o.Deadline <= 0 {
		o.Deadline = 30 * time.Second
	}
	if o.Keep <= 0 {
		o.Keep = 1
	}
	config := o.Config
	if config == nil {
		config = rec.Header.Config
	}
	if len(config) == 0 {
		config = []byte("{}")
	}
	host := &replayHost{rec: rec, fallback: o.Host}
	hs, stop, err := load(ctx, host, config)
	if err != nil {
		return nil, fmt.Errorf("record: the plugin does not start: %w", err)
	}
	defer func() {
		if e := stop(); e != nil && err == nil {
			err = fmt.Errorf("record: the plugin does not stop: %w", e)
		}
	}()
	p := &player{rec: rec, hs: hs, o: o, bodies: rec.bodies()}
	rep = newReport(rec)
	table := rows()
	for i := range rec.Calls {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c := &rec.Calls[i]
		rep.count(c, p.play(ctx, c, &table[place(c.Hook)]), o.Keep)
	}
	return rep, nil
}

// bodies are the contents of the file.
func (rec *Recording) bodies() map[string][]byte {
	out := map[string][]byte{}
	for i := range rec.Calls {
		c := &rec.Calls[i]
		if _, _, m := about(c.Event); m != nil && c.has {
			if m.ID == "" && m.Size == 0 {
				continue // of this line alone
			}
			out[bodyKey(c.Hook, m)] = c.body
		}
	}
	return out
}

// player asks a plugin.
type player struct {
	rec    *Recording
	hs     *sdk.Handlers
	o      ReplayOptions
	bodies map[string][]byte
}

// verdict is how one call came out.
type verdict struct {
	skipped string // why it was not compared
	diff    *Difference
}

func (p *player) play(ctx context.Context, c *Call, r *row) verdict {
	if len(c.Withheld) > 0 {
		return verdict{skipped: skipWithheld}
	}
	if !r.has(p.hs) {
		return verdict{diff: difference(c, Field{Path: "hook", Recorded: c.Hook, Replayed: "the plugin does not have this hook"})}
	}
	s := &scene{call: c, used: make([]bool, len(c.Calls))}
	s.wind(p.rec.Header.Runtime, p.o.Runtime)
	p.giveBody(c, s)
	limited, cancel := context.WithTimeout(context.WithValue(ctx, sceneKey{}, s), p.o.Deadline)
	defer cancel()
	answer, err := asked(limited, r, p.hs, c.Event)
	if ctx.Err() != nil {
		return verdict{skipped: ctx.Err().Error()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	if s.needsBody {
		return verdict{skipped: skipBody}
	}
	return p.compare(c, s, answer, err)
}

// asked calls a hook. A panic is an error, as in the relay.
func asked(ctx context.Context, r *row, hs *sdk.Handlers, event any) (answer any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return r.ask(ctx, hs, event)
}

var errNoBody = errors.New("record: this call needs the body, which was not recorded")

// giveBody opens the message of an event to the plugin.
func (p *player) giveBody(c *Call, s *scene) {
	_, env, m := about(c.Event)
	if m == nil {
		return
	}
	content, known := c.body, c.has
	if known && m.ID == "" {
		m.ID = "fixture"
		if env != nil && env.ID != "" {
			m.ID = env.ID
		}
	} else if !known {
		content, known = p.bodies[bodyKey(c.Hook, m)]
	}
	if known {
		m.Size = int64(len(content))
	}
	*m = sdk.NewMessage(m.ID, m.Size, func() (sdk.Body, error) {
		if !known {
			s.mu.Lock()
			s.needsBody = true
			s.mu.Unlock()
			return nil, errNoBody
		}
		return contentReader{bytes.NewReader(content)}, nil
	})
}

type contentReader struct{ *bytes.Reader }

// Close implements [sdk.Body].
func (contentReader) Close() error { return nil }

// compare finds what differs; what the plugin asked comes first, because its
// answer follows from it.
func (p *player) compare(c *Call, s *scene, answer any, err error) verdict {
	fields := s.differences(p.o.Logs)
	switch {
	case c.Answer == nil && c.Error == "": // not told
	case err != nil && c.Error == "":
		fields = append(fields, Field{Path: "answer", Recorded: short(c.Answer), Replayed: "error: " + err.Error()})
	case err == nil && c.Error != "":
		fields = append(fields, Field{Path: "answer", Recorded: "error: " + c.Error, Replayed: short(answer)})
	case err == nil:
		fields = append(fields, compareValues("answer", c.Answer, answer)...)
	}
	if len(fields) == 0 {
		return verdict{}
	}
	return verdict{diff: difference(c, fields...)}
}

// scene is one hook call that is replayed.
type scene struct {
	call *Call

	mu        sync.Mutex
	over      bool
	needsBody bool
	used      []bool  // which of call.Calls were made
	extra     []Field // calls that are not in the recording
	more      int     // of those, beyond the first
	now       time.Time
	ahead     bool // the next reading of the clock is one that was not recorded
}

type sceneKey struct{}

// maxExtra is how many calls that are not recorded are shown.
const maxExtra = 5

// find takes the first recorded call with this request that was not made yet.
// told is false when the file does not tell what calls there were, or when the
// call is not compared.
func (s *scene) find(name string, request any) (h *HostCall, told bool) {
	key, err := requestKey(request)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return nil, false
	}
	for i := range s.call.Calls {
		h := &s.call.Calls[i]
		if !s.used[i] && err == nil && h.Call == name && h.key == key {
			s.used[i] = true
			return h, true
		}
	}
	if !s.call.Told || name == "log" {
		return nil, false
	}
	if s.more++; s.more <= maxExtra {
		s.extra = append(s.extra, Field{Path: "calls", Recorded: s.nextOf(name), Replayed: name + " " + clipLine(key)})
	}
	return nil, true
}

// nextOf is what was recorded instead: a call of the same name that was not
// made.
func (s *scene) nextOf(name string) string {
	for i := range s.call.Calls {
		if h := &s.call.Calls[i]; !s.used[i] && h.Call == name {
			return name + " " + clipLine(h.key)
		}
	}
	return "no such call"
}

// wind sets the clock for another runtime than the one that was recorded: the
// reading that one of them makes for the time of the event has no counterpart.
func (s *scene) wind(recorded, replayed string) {
	if recorded == "" || replayed == "" || (recorded == "builtin") == (replayed == "builtin") {
		return
	}
	if recorded == "builtin" {
		s.ahead = true
		return
	}
	s.reading(true)
}

// clock is the next reading of the clock in the recording, or the latest: how
// often a runtime reads it is no difference.
func (s *scene) clock() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reading(!s.ahead)
	s.ahead = false
	if s.now.IsZero() {
		s.now = s.call.Time
	}
	return s.now, !s.now.IsZero()
}

// reading finds the next reading of the clock.
func (s *scene) reading(use bool) {
	for i := range s.call.Calls {
		h := &s.call.Calls[i]
		if r, ok := h.Result.(*sdk.NowResult); ok && !s.used[i] {
			s.used[i], s.now = use, r.Time
			return
		}
	}
}

// differences are those of the calls of the host.
func (s *scene) differences(logs bool) []Field {
	out := s.extra
	if s.more > maxExtra {
		out = append(out, Field{Path: "calls", Recorded: "", Replayed: fmt.Sprintf("and %d more that are not recorded", s.more-maxExtra)})
	}
	paired := map[string]int{} // extra calls already show the recorded one beside
	for _, f := range s.extra {
		paired[f.Recorded]++
	}
	shown := 0
	for i := range s.call.Calls {
		h := &s.call.Calls[i]
		if s.used[i] || h.Call == "now" || h.Call == "log" && !logs {
			continue
		}
		text := h.Call + " " + clipLine(h.key)
		if paired[text] > 0 {
			paired[text]--
			continue
		}
		if shown++; shown <= maxExtra {
			out = append(out, Field{Path: "calls", Recorded: text, Replayed: "not made"})
		}
	}
	return out
}

// short is a value on one line.
func short(v any) string {
	b, err := marshal(cloned(reflect.ValueOf(v)).Interface())
	if err != nil {
		return err.Error()
	}
	return clipLine(string(b))
}
