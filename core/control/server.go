package control

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/programmable-mta/mta/core/trace"
)

const (
	maxConns   = 64
	maxRequest = 1 << 20          // of JSON, but for a dry run
	patience   = 30 * time.Second // for a peer that reads slowly: each piece of an answer
	maxPath    = 107              // what fits into a socket address
	dryPath    = "/v1/explain/dry"
)

// Listen opens the socket with mode 0660. What a dead process left is replaced;
// a socket that somebody answers is left alone.
func Listen(listen func(network, addr string) (net.Listener, error), path string) (net.Listener, error) {
	if len(path) > maxPath {
		return nil, fmt.Errorf("control socket %s has a path of %d octets, and the system takes %d: choose a shorter one in control.socket", path, len(path), maxPath)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("control socket %s: its folder cannot be made: %w; create it, or choose another path in control.socket", path, err)
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket %s cannot be opened: %w; give this user the right to write its folder, or choose another path in control.socket", path, err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		l.Close()
		return nil, fmt.Errorf("control socket %s: its mode cannot be set: %w", path, err)
	}
	return l, nil
}

// removeStale removes a socket that nobody answers.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("control socket %s: %w", path, err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("control socket %s: there is something else of that name; remove it, or choose another path in control.socket", path)
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		c.Close()
	}
	// Only a refusal tells that the owner is gone: a full backlog or a missing
	// right means that somebody is there.
	if err == nil || !refused(err) {
		return fmt.Errorf("control socket %s is in use by another mta: stop that one, or choose another path in control.socket", path)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("control socket %s was left behind and cannot be removed: %w", path, err)
	}
	return nil
}

// Server answers requests by asking a Backend.
type Server struct {
	b    Backend
	http http.Server

	mu    sync.Mutex
	conns []*conn // in the order in which they came
}

// New makes a server.
func New(b Backend) *Server {
	s := &Server{b: b}
	s.http = http.Server{
		Handler:           guard(s.routes()),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ConnState:         s.state,
		ErrorLog:          log.New(io.Discard, "", 0), // garbage from peers is no news
	}
	return s
}

// Serve answers until Close.
func (s *Server) Serve(l net.Listener) error {
	err := s.http.Serve(&listener{Listener: l, s: s})
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("control: %w", err)
}

// Close ends everything at once, and removes the socket.
func (s *Server) Close() error { return s.http.Close() }

// listener keeps the number of connections bounded. When there are too many,
// the oldest that has not asked anything goes; if all are at work, the new one.
type listener struct {
	net.Listener
	s *Server
}

type conn struct {
	net.Conn
	s    *Server
	once sync.Once
	busy bool // guarded by s.mu
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if kept := l.s.admit(c); kept != nil {
			return kept, nil
		}
		c.Close()
	}
}

func (s *Server) admit(c net.Conn) net.Conn {
	s.mu.Lock()
	var victim *conn
	if len(s.conns) >= maxConns {
		for _, old := range s.conns {
			if !old.busy {
				victim = old
				break
			}
		}
		if victim == nil {
			s.mu.Unlock()
			return nil
		}
		s.forget(victim)
	}
	kept := &conn{Conn: c, s: s}
	s.conns = append(s.conns, kept)
	s.mu.Unlock()
	if victim != nil {
		victim.Conn.Close()
	}
	return kept
}

// forget takes a connection from the list; s.mu is held.
func (s *Server) forget(c *conn) {
	for i, x := range s.conns {
		if x == c {
			s.conns = append(s.conns[:i], s.conns[i+1:]...)
			return
		}
	}
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.once.Do(func() {
		c.s.mu.Lock()
		c.s.forget(c)
		c.s.mu.Unlock()
	})
	return c.Conn.Close()
}

func (s *Server) state(nc net.Conn, st http.ConnState) {
	if c, ok := nc.(*conn); ok {
		s.mu.Lock()
		c.busy = st == http.StateActive
		s.mu.Unlock()
	}
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	b := s.b
	mux.HandleFunc("GET /v1/status", value(func(r *http.Request) (*Status, error) { return b.Status(r.Context()) }))
	mux.HandleFunc("POST /v1/queue/list", s.list)
	mux.HandleFunc("POST /v1/queue/count", value(func(r *http.Request) (Counts, error) {
		f, err := body[Filter](r)
		if err != nil {
			return Counts{}, err
		}
		return b.QueueCount(r.Context(), f)
	}))
	mux.HandleFunc("GET /v1/queue/message/{id}", value(func(r *http.Request) (*Message, error) { return b.QueueShow(r.Context(), r.PathValue("id")) }))
	mux.HandleFunc("GET /v1/queue/message/{id}/body", octets(func(r *http.Request) (io.ReadCloser, error) { return b.QueueBody(r.Context(), r.PathValue("id")) }))
	mux.HandleFunc("GET /v1/queue/shape", value(func(r *http.Request) (*Shape, error) { return b.QueueShape(r.Context()) }))
	mux.HandleFunc("POST /v1/queue/act", s.act)
	mux.HandleFunc("GET /v1/explain/message/{id}", value(func(r *http.Request) ([]trace.Record, error) { return b.Explain(r.Context(), r.PathValue("id")) }))
	mux.HandleFunc("GET /v1/explain/session/{id}", value(func(r *http.Request) ([]trace.Record, error) { return b.ExplainSession(r.Context(), r.PathValue("id")) }))
	mux.HandleFunc("POST "+dryPath, value(func(r *http.Request) (*DryResult, error) {
		d, err := body[Dry](r)
		if err != nil {
			return nil, err
		}
		return b.ExplainDry(r.Context(), d)
	}))
	mux.HandleFunc("GET /v1/route", value(func(r *http.Request) (*Route, error) {
		address := r.URL.Query().Get("address")
		if address == "" {
			return nil, fmt.Errorf("%w: no address: ask for /v1/route?address=user@example.org", ErrUsage)
		}
		return b.Route(r.Context(), address)
	}))
	mux.HandleFunc("GET /v1/plugins", value(func(r *http.Request) ([]Plugin, error) { return b.Plugins(r.Context()) }))
	s.recordingRoutes(mux)
	mux.HandleFunc("POST /v1/reload", value(func(r *http.Request) (done, error) {
		text, err := b.Reload(r.Context(), r.URL.Query().Get("plugin"))
		return done{Text: text}, err
	}))
	mux.HandleFunc("POST /v1/drain", value(func(r *http.Request) (done, error) { return done{}, b.Drain(r.Context()) }))
	mux.HandleFunc("GET /v1/sink", value(func(r *http.Request) ([]SinkMessage, error) { return b.SinkList(r.Context()) }))
	mux.HandleFunc("GET /v1/sink/{id}", octets(func(r *http.Request) (io.ReadCloser, error) { return b.SinkShow(r.Context(), r.PathValue("id")) }))
	mux.HandleFunc("DELETE /v1/sink", value(func(r *http.Request) (done, error) {
		n, err := b.SinkClear(r.Context())
		return done{Count: n}, err
	}))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, fmt.Errorf("%w: there is no call %s %.200q here: the command line and the relay are of different versions", ErrUsage, r.Method, r.URL.Path))
	})
	return mux
}

// guard reads a request whole before it is looked at, in bounded time and
// memory. The deadline ends with the body: left in place, it would cancel the
// calls that take long.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := int64(maxRequest)
		if r.URL.Path == dryPath {
			limit += MaxDry / 3 * 4 // base64
		}
		rc := http.NewResponseController(w)
		_ = rc.SetReadDeadline(time.Now().Add(patience))
		b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
		if err != nil {
			// The deadline stays: what never comes is not waited for again.
			w.Header().Set("Connection", "close")
			hurry(w)
			fail(w, fmt.Errorf("%w: it did not arrive: %s", ErrUsage, err))
			return
		}
		_ = rc.SetReadDeadline(time.Time{})
		r.Body = io.NopCloser(bytes.NewReader(b))
		t := &tracked{ResponseWriter: w}
		defer func() {
			switch v := recover(); {
			case v == nil:
			case v == http.ErrAbortHandler || t.began:
				panic(http.ErrAbortHandler) // the answer is cut, so that nobody takes it for whole
			default:
				hurry(w)
				fail(w, fmt.Errorf("internal fault: %v; please report it with the relay's version", v))
			}
		}()
		next.ServeHTTP(t, r)
	})
}

// tracked knows whether an answer has begun.
type tracked struct {
	http.ResponseWriter
	began bool
}

// WriteHeader implements http.ResponseWriter.
func (t *tracked) WriteHeader(code int) {
	t.began = true
	t.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (t *tracked) Write(p []byte) (int, error) {
	t.began = true
	return t.ResponseWriter.Write(p)
}

// Unwrap implements what http.ResponseController asks for.
func (t *tracked) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// done answers a call that has little to tell.
type done struct {
	Text  string `json:"text,omitempty"`
	Count int    `json:"count,omitempty"`
}

// line is one line of a stream of progress; the last one has Error or Result.
type line struct {
	Done   int    `json:"done,omitempty"`
	Result *Acted `json:"result,omitempty"`
	Error  *fault `json:"error,omitempty"`
}

// fault is an error on its way.
type fault struct {
	Kind string `json:"kind,omitempty"` // not-found, usage, config, busy
	Text string `json:"text"`
}

func describe(err error) (*fault, int) {
	switch {
	case errors.Is(err, ErrNotFound):
		return &fault{"not-found", err.Error()}, http.StatusNotFound
	case errors.Is(err, ErrUsage):
		return &fault{"usage", err.Error()}, http.StatusBadRequest
	case errors.Is(err, ErrConfig):
		return &fault{"config", err.Error()}, http.StatusConflict
	case errors.Is(err, ErrBusy):
		return &fault{"busy", err.Error()}, http.StatusServiceUnavailable
	}
	return &fault{"", err.Error()}, http.StatusInternalServerError
}

// fail answers {"error": "a sentence", "kind": "..."}.
func fail(w http.ResponseWriter, err error) {
	f, code := describe(err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(failure{f.Text, f.Kind})
}

type failure struct {
	Error string `json:"error"`
	Kind  string `json:"kind,omitempty"`
}

// value makes a handler of a call that answers with one value.
func value[T any](call func(*http.Request) (T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := call(r)
		hurry(w)
		if err != nil {
			fail(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v) // a peer that went away hears nothing
	}
}

// octets makes a handler of a call that answers with the content of a message.
func octets(call func(*http.Request) (io.ReadCloser, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rc, err := call(r)
		hurry(w)
		if err != nil {
			fail(w, err)
			return
		}
		defer rc.Close()
		w.Header().Set("Content-Type", "message/rfc822")
		buf := make([]byte, 32<<10)
		for {
			n, err := rc.Read(buf)
			if n > 0 {
				hurry(w)
				if _, err := w.Write(buf[:n]); err != nil {
					return
				}
			}
			if err == io.EOF {
				return
			}
			if err != nil {
				// The status is said already: cutting the answer is the only
				// way to tell that it is not whole.
				panic(http.ErrAbortHandler)
			}
		}
	}
}

// hurry gives a peer so long to take the next piece.
func hurry(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience))
}

// body decodes a request: one JSON value, nothing unknown, nothing behind it.
func body[T any](r *http.Request) (v T, err error) {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		return v, fmt.Errorf("%w: %s; the command line and the relay may be of different versions", ErrUsage, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return v, fmt.Errorf("%w: more than one JSON value", ErrUsage)
	}
	return v, nil
}

// stream writes JSON lines to a peer.
type stream struct {
	w   http.ResponseWriter
	buf *bufio.Writer
	enc *json.Encoder
}

func newStream(w http.ResponseWriter) *stream {
	w.Header().Set("Content-Type", "application/x-ndjson")
	s := &stream{w: w}
	s.buf = bufio.NewWriterSize(hurried{w}, 32<<10)
	s.enc = json.NewEncoder(s.buf)
	return s
}

// hurried renews the deadline at each write.
type hurried struct{ w http.ResponseWriter }

// Write implements io.Writer.
func (h hurried) Write(p []byte) (int, error) {
	hurry(h.w)
	return h.w.Write(p)
}

func (s *stream) flush() error {
	if err := s.buf.Flush(); err != nil {
		return err
	}
	return http.NewResponseController(s.w).Flush()
}

// item is one line of a list; the last one has Error or End.
type item struct {
	Message *Message `json:"message,omitempty"`
	End     bool     `json:"end,omitempty"`
	Error   *fault   `json:"error,omitempty"`
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	f, err := body[Filter](r)
	if err != nil {
		fail(w, err)
		return
	}
	out := newStream(w)
	err = s.b.QueueList(r.Context(), f, func(m *Message) error {
		if err := r.Context().Err(); err != nil {
			return err
		}
		return out.enc.Encode(item{Message: m})
	})
	last := item{End: true}
	if err != nil {
		last.End = false
		last.Error, _ = describe(err)
	}
	_ = out.enc.Encode(last)
	_ = out.flush()
}

func (s *Server) act(w http.ResponseWriter, r *http.Request) {
	a, err := body[Act](r)
	if err == nil {
		err = a.check()
	}
	if err != nil {
		fail(w, err)
		return
	}
	out := newStream(w)
	var last time.Time
	result, err := s.b.QueueAct(r.Context(), a, func(n int) error {
		if err := r.Context().Err(); err != nil {
			return err
		}
		if now := time.Now(); now.Sub(last) >= 100*time.Millisecond { // people read it
			last = now
			if err := out.enc.Encode(line{Done: n}); err != nil {
				return err
			}
			return out.flush()
		}
		return nil
	})
	end := line{Result: &result}
	if err != nil {
		end.Result = nil
		end.Error, _ = describe(err)
	}
	_ = out.enc.Encode(end)
	_ = out.flush()
}
