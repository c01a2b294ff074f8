package record

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// Bounds of what a recorder holds.
const (
	maxQueue    = 1024     // calls that wait for the writer
	maxPending  = 32 << 20 // octets of them, about
	maxCallSize = 4 << 20  // octets of one call with its event and answer, about, without a body
	maxHost     = 1000     // calls of the host in one call of a hook
	maxEnd      = 1 << 10  // octets of the last line
	maxStored   = 10000    // messages of which is known that they are in the file
)

// Options are the choices of a recorder. The zero value records all of it but
// bodies.
type Options struct {
	Bodies        bool   // the content of messages
	HashAddresses bool   // local parts become a keyed hash; there are no bodies then
	Key           []byte // of the hash; empty: a random one that is forgotten
	MaxBody       int64  // larger messages are recorded without; 0: 1 MiB
	MaxBytes      int64  // the recording ends there, at [MaxFile] in any case; 0: 64 MiB
	MaxCalls      int    // and there; 0: no limit
	Now           func() time.Time
}

// Recorder writes calls of one plugin to a file. Its methods may be called from
// many goroutines.
type Recorder struct {
	o      Options
	hasher *hasher // nil: addresses stay
	out    *bufio.Writer

	begun   atomic.Int64 // calls
	dropped atomic.Int64
	pending atomic.Int64 // octets in the queue
	over    atomic.Bool  // nothing is taken any more

	queue chan *call
	quit  chan struct{} // closed by Stop
	why   string        // set before quit is closed
	done  chan struct{} // closed by the writer
	once  sync.Once

	mu     sync.Mutex
	stored map[string]bool // bodies that are in the file, or on their way

	sum Summary // of the writer, until done is closed
	err error
}

// New begins a recording. The header is completed with what the options say.
func New(w io.Writer, o Options, h Header) *Recorder {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 1 << 20
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 64 << 20
	}
	o.MaxBytes = min(o.MaxBytes, MaxFile-maxEnd)
	r := &Recorder{o: o, out: bufio.NewWriterSize(w, 64<<10), queue: make(chan *call, maxQueue),
		quit: make(chan struct{}), done: make(chan struct{}), stored: map[string]bool{}}
	if o.HashAddresses {
		// Content is full of addresses, which nobody could find all.
		r.o.Bodies = false
		if len(o.Key) == 0 {
			r.o.Key = make([]byte, 32)
			rand.Read(r.o.Key)
		}
		r.hasher = newHasher(r.o.Key)
		h.Config = r.hasher.config(h.Config)
	}
	h.Version, h.Hashed, h.Bodies = Version, o.HashAddresses, r.o.Bodies
	if h.Started.IsZero() {
		h.Started = o.Now()
	}
	h.Started = h.Started.UTC()
	go r.write(h)
	return r
}

// Done is closed when the recording has ended: by Close, at a limit, or because
// it cannot be written.
func (r *Recorder) Done() <-chan struct{} { return r.done }

// Close ends the recording: what has waited is written, and the last line. The
// error is that of the writer.
func (r *Recorder) Close() (Summary, error) { return r.Stop("asked to stop") }

// Stop is Close for a reason that stands in the last line.
func (r *Recorder) Stop(why string) (Summary, error) {
	r.once.Do(func() {
		r.why = why
		close(r.quit)
	})
	<-r.done
	return r.sum, r.err
}

// call is one call of a hook, on its way into the file.
type call struct {
	n       int64
	hook    string
	at      time.Time
	began   time.Time
	took    time.Duration
	session string
	id      string
	event   any
	answer  any
	err     string
	secret  bool // what the plugin asks of the host is not recorded
	body    []byte
	bodyKey string

	mu      sync.Mutex
	over    bool  // the hook has returned; nothing below changes any more
	partial bool  // there were more calls
	size    int64 // octets, about
	calls   []hostCall
}

type hostCall struct {
	name            string
	request, result any
	code, text, dns string
}

// begin takes a call; nil: it is not recorded.
func (r *Recorder) begin(hook string, event any) *call {
	if r.over.Load() {
		return nil
	}
	n := r.begun.Add(1)
	if r.o.MaxCalls > 0 && n > int64(r.o.MaxCalls) {
		return nil
	}
	c := &call{n: n, hook: hook, at: r.o.Now(), began: time.Now()}
	session, env, message := about(event)
	if session != nil {
		c.session = session.ID
	}
	if env != nil {
		c.id = env.ID
	}
	if a, ok := event.(*sdk.AuthEvent); ok && a.Password != "" {
		c.secret = true
	}
	if message != nil && r.o.Bodies {
		r.read(c, message)
	}
	return c
}

// read takes the content of a message that the file does not have yet. It is
// read here because it can be gone when the call has ended.
func (r *Recorder) read(c *call, m *sdk.Message) {
	if m.Size > r.o.MaxBody || r.pending.Load()+m.Size > maxPending {
		return
	}
	key := bodyKey(c.hook, m)
	r.mu.Lock()
	known := r.stored[key]
	if !known {
		if len(r.stored) >= maxStored {
			clear(r.stored) // some bodies are written once more
		}
		r.stored[key] = true
	}
	r.mu.Unlock()
	if known {
		return
	}
	content, err := contentOf(m, r.o.MaxBody)
	if err != nil {
		r.forget(key)
		return
	}
	c.body, c.bodyKey = content, key
}

func (r *Recorder) forget(key string) {
	if key != "" {
		r.mu.Lock()
		delete(r.stored, key)
		r.mu.Unlock()
	}
}

// bodyKey tells contents apart. A message is not the same at every hook: the
// relay adds to it, and plugins edit it.
func bodyKey(hook string, m *sdk.Message) string {
	return fmt.Sprintf("%s %s %d", hook, m.ID, m.Size)
}

func contentOf(m *sdk.Message, limit int64) ([]byte, error) {
	b, err := m.Open()
	if err != nil {
		return nil, err
	}
	defer b.Close()
	content, err := io.ReadAll(io.LimitReader(b, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = fmt.Errorf("record: message %s is larger than it says", m.ID)
	}
	return content, err
}

// add writes down a call of the host. What request and result hold may change
// afterwards.
func (c *call) add(name string, request, result any, err error) {
	if c.secret {
		return
	}
	h := hostCall{name: name, request: cloned(reflect.ValueOf(request)).Interface()}
	if err != nil {
		h.code, h.text, h.dns = failure(err, nameAsked(request))
	} else {
		h.result = cloned(reflect.ValueOf(result)).Interface()
	}
	size := weigh(reflect.ValueOf(h.request)) + weigh(reflect.ValueOf(h.result)) + int64(len(h.text)) + 64
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	c.size += size
	if c.size > maxCallSize || len(c.calls) >= maxHost {
		c.partial = true
		return
	}
	c.calls = append(c.calls, h)
}

// end hands a call to the writer, or drops it when that is behind.
func (r *Recorder) end(c *call, answer any, err string) {
	c.took = time.Since(c.began)
	c.answer, c.err = answer, err
	c.mu.Lock()
	c.over = true
	c.size += weigh(reflect.ValueOf(c.event)) + weigh(reflect.ValueOf(answer))
	// A call without all of its parts could not be replayed.
	whole := !c.partial && c.size <= maxCallSize
	c.size += int64(len(c.body))
	c.mu.Unlock()
	if r.over.Load() {
		return
	}
	if whole {
		if r.pending.Add(c.size) <= maxPending {
			select {
			case r.queue <- c:
				return
			default:
			}
		}
		r.pending.Add(-c.size)
	}
	r.dropped.Add(1)
	r.forget(c.bodyKey)
}
