package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/trace"
)

type asked struct{ v any }

// relay is a Backend that answers what it is told to.
type relay struct {
	err      error // of every call
	messages int
	arg      atomic.Value // of asked: the argument of the last call
	list     func(ctx context.Context, yield func(*Message) error) error
	panics   atomic.Bool
	breaks   atomic.Bool // SinkShow, in the middle
}

var when = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func message(n int) *Message {
	return &Message{ID: fmt.Sprintf("%010d", n), From: "a@example.org", Size: 12, Arrived: when, Notes: map[string]string{"tenant.id": "7"},
		Recipients: []Recipient{{Address: "b@example.net", State: "pending", Attempts: 2, Next: when, Reply: trace.Reply{Code: 450, Enhanced: "4.2.1", Text: "later"}}}}
}

var (
	someFilter  = Filter{IDs: []string{"0000000001"}, From: "<>", To: ".example.org", NextHop: "mx*", States: []string{"held"}, OlderSeconds: 60, Note: "tenant.id=7", Limit: 9}
	someStatus  = Status{Version: "1", Hostname: "relay", Started: when, State: "running", Listeners: []Listener{{"127.0.0.1:25", "mx"}}, Recipients: map[string]int{"held": 1}}
	someRecords = []trace.Record{{ID: "0000000001", At: when, Kind: trace.KindHook, Plugin: "p", Action: "accept"}}
	somePlugins = []Plugin{{Name: "p", Source: "builtin:p", Hooks: []string{"rcpt"}, OnError: map[string]string{"rcpt": "defer"}, Breaker: "closed"}}
	someRoute   = Route{Address: "b@example.net", Action: "use", Via: "smtp", Hosts: []Host{{Name: "mx.example.net", Addresses: []string{"192.0.2.1"}}}}
)

func (r *relay) Status(context.Context) (*Status, error) {
	if r.panics.Load() {
		panic("boom")
	}
	s := someStatus
	return &s, r.err
}

func (r *relay) QueueList(ctx context.Context, f Filter, yield func(*Message) error) error {
	r.arg.Store(asked{f})
	if r.list != nil {
		return r.list(ctx, yield)
	}
	for n := range r.messages {
		if err := yield(message(n)); err != nil {
			return err
		}
	}
	return r.err
}

func (r *relay) QueueCount(_ context.Context, f Filter) (Counts, error) {
	r.arg.Store(asked{f})
	return Counts{Messages: 1, Recipients: 2, Bytes: 3, States: map[string]int{"pending": 2}}, r.err
}

func (r *relay) QueueShow(_ context.Context, id string) (*Message, error) {
	r.arg.Store(asked{id})
	return message(1), r.err
}

func (r *relay) QueueBody(_ context.Context, id string) (io.ReadCloser, error) {
	r.arg.Store(asked{id})
	if r.err != nil {
		return nil, r.err
	}
	return io.NopCloser(strings.NewReader(strings.Repeat("Subject: x\r\n", 10_000))), nil
}

func (r *relay) QueueShape(context.Context) (*Shape, error) {
	return &Shape{Bounds: []int64{60}, Rows: []ShapeRow{{"example.net", 3, []int{1, 2}}}}, r.err
}

func (r *relay) QueueAct(_ context.Context, a Act, progress func(int) error) (Acted, error) {
	r.arg.Store(asked{a})
	for n := range 3 {
		if err := progress(n + 1); err != nil {
			return Acted{}, err
		}
	}
	return Acted{Messages: 3}, r.err
}

func (r *relay) Explain(_ context.Context, id string) ([]trace.Record, error) {
	r.arg.Store(asked{id})
	return someRecords, r.err
}

func (r *relay) ExplainSession(_ context.Context, id string) ([]trace.Record, error) {
	r.arg.Store(asked{id})
	return someRecords, r.err
}

func (r *relay) ExplainDry(_ context.Context, d Dry) (*DryResult, error) {
	r.arg.Store(asked{d})
	return &DryResult{Accepted: true, Reply: trace.Reply{Code: 250}, Records: someRecords, Routes: []Route{someRoute}}, r.err
}

func (r *relay) Route(_ context.Context, address string) (*Route, error) {
	r.arg.Store(asked{address})
	x := someRoute
	return &x, r.err
}

func (r *relay) Plugins(context.Context) ([]Plugin, error) { return somePlugins, r.err }
func (r *relay) Reload(_ context.Context, plugin string) (string, error) {
	return "reloaded " + plugin, r.err
}
func (r *relay) Drain(context.Context) error            { return r.err }
func (r *relay) SinkClear(context.Context) (int, error) { return 5, r.err }
func (r *relay) SinkList(context.Context) ([]SinkMessage, error) {
	return []SinkMessage{{ID: "1", Received: when}}, r.err
}

func (r *relay) SinkShow(_ context.Context, id string) (io.ReadCloser, error) {
	r.arg.Store(asked{id})
	if r.err != nil {
		return nil, r.err
	}
	if r.breaks.Load() {
		return io.NopCloser(&failing{"half of the message"}), nil
	}
	return io.NopCloser(strings.NewReader("a message")), nil
}

// failing is a reader that breaks after its text.
type failing struct{ text string }

func (f *failing) Read(p []byte) (int, error) {
	if f.text == "" {
		return 0, errors.New("disk broken")
	}
	n := copy(p, f.text)
	f.text = f.text[n:]
	return n, nil
}

// serve starts a server on a socket of its own.
func serve(t *testing.T, b Backend) (path string, c *Client) {
	t.Helper()
	dir, err := os.MkdirTemp("", "mta") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path = filepath.Join(dir, "run", "c.sock")
	l, err := Listen(net.Listen, path)
	if err != nil {
		t.Fatal(err)
	}
	s := New(b)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	c, err = Dial(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return path, c
}

// calls is every call of the Backend, with the value that arrives.
func calls(b Backend) map[string]func() (any, error) {
	ctx := context.Background()
	read := func(rc io.ReadCloser, err error) (any, error) {
		if err != nil {
			return "", err
		}
		defer rc.Close()
		got, err := io.ReadAll(rc)
		return string(got), err
	}
	return map[string]func() (any, error){
		"Status":     func() (any, error) { return b.Status(ctx) },
		"QueueCount": func() (any, error) { return b.QueueCount(ctx, someFilter) },
		"QueueShow":  func() (any, error) { return b.QueueShow(ctx, "1/../?x") },
		"QueueBody":  func() (any, error) { return read(b.QueueBody(ctx, "0000000001")) },
		"QueueShape": func() (any, error) { return b.QueueShape(ctx) },
		"QueueList": func() (any, error) {
			var ms []Message
			err := b.QueueList(ctx, someFilter, func(m *Message) error { ms = append(ms, *m); return nil })
			return ms, err
		},
		"QueueAct": func() (any, error) {
			return b.QueueAct(ctx, Act{Action: "reroute", Filter: someFilter, Route: "mx2.example.net", By: "root"}, func(int) error { return nil })
		},
		"Explain":        func() (any, error) { return b.Explain(ctx, "0000000001") },
		"ExplainSession": func() (any, error) { return b.ExplainSession(ctx, "s1") },
		"ExplainDry": func() (any, error) {
			return b.ExplainDry(ctx, Dry{From: "a@example.org", To: []string{"b@example.net"}, Message: []byte("Subject: \xff\r\n\r\n")})
		},
		"Route":     func() (any, error) { return b.Route(ctx, "b+c&d@example.net") },
		"Plugins":   func() (any, error) { return b.Plugins(ctx) },
		"Reload":    func() (any, error) { return b.Reload(ctx, "a&b") },
		"Drain":     func() (any, error) { return nil, b.Drain(ctx) },
		"SinkList":  func() (any, error) { return b.SinkList(ctx) },
		"SinkClear": func() (any, error) { return b.SinkClear(ctx) },
		"SinkShow":  func() (any, error) { return read(b.SinkShow(ctx, "1")) },
		"PluginRecord": func() (any, error) {
			return read(b.PluginRecord(ctx, Recording{Plugin: "a", Seconds: 60, Calls: 5, MaxBytes: 7, Bodies: true}))
		},
		"PluginDiff": func() (any, error) { return b.PluginDiff(ctx, "a/../?b") },
	}
}

func TestEveryCallArrivesAndComesBackWhole(t *testing.T) {
	here := &relay{messages: 700}
	here.arg.Store(asked{})
	_, c := serve(t, here)
	there := calls(c)
	if want := reflect.TypeFor[Backend]().NumMethod(); len(there) != want {
		t.Fatalf("%d calls are tried of %d", len(there), want)
	}
	for name, call := range calls(here) {
		here.arg.Store(asked{})
		want, err := call()
		if err != nil {
			t.Fatal(name, err)
		}
		sent := here.arg.Swap(asked{}).(asked).v
		got, err := there[name]()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %.200v, %v; want %.200v", name, got, err, want)
		}
		if arrived := here.arg.Load().(asked).v; !reflect.DeepEqual(arrived, sent) {
			t.Errorf("%s: asked for %v, and %v arrived", name, sent, arrived)
		}
	}
}

func TestErrorsKeepTheirWordsAndKind(t *testing.T) {
	here := &relay{messages: 3}
	_, c := serve(t, here)
	for _, kind := range []error{ErrNotFound, ErrUsage, ErrConfig, ErrBusy, nil} {
		here.err = errors.New("no message 17: it has left the queue; try mta explain 17")
		if kind != nil {
			here.err = fmt.Errorf("message 17: %w; try mta explain 17", kind)
		}
		for name, call := range calls(c) {
			_, err := call()
			if err == nil || err.Error() != here.err.Error() || kind != nil && !errors.Is(err, kind) || errors.Is(err, ErrUnreachable) {
				t.Errorf("%s: %v, want %v", name, err, here.err)
			}
		}
	}
}

func TestAnEmptyFilterNeedsAll(t *testing.T) {
	here := &relay{}
	_, c := serve(t, here)
	for _, x := range []struct {
		act Act
		ok  bool
	}{
		{Act{Action: "delete", By: "root"}, false},
		{Act{Action: "delete", By: "root", Filter: Filter{Limit: 5}}, false},
		{Act{Action: "delete", By: "root", All: true}, true},
		{Act{Action: "hold", By: "root", Filter: Filter{To: "example.net"}}, true},
		{Act{Action: "hold", Filter: Filter{To: "example.net"}}, false},
		{Act{Action: "explode", By: "root", All: true}, false},
		{Act{Action: "reroute", By: "root", All: true}, false},
	} {
		here.arg.Store(asked{})
		_, err := c.QueueAct(context.Background(), x.act, nil)
		if x.ok != (err == nil) || x.ok != (here.arg.Load().(asked).v != nil) || !x.ok && !errors.Is(err, ErrUsage) {
			t.Errorf("%+v: %v, asked %v", x.act, err, here.arg.Load())
		}
	}
}

func TestProgressIsToldWhileItLasts(t *testing.T) {
	_, c := serve(t, &relay{})
	var seen []int
	got, err := c.QueueAct(context.Background(), Act{Action: "flush", All: true, By: "root"}, func(n int) error { seen = append(seen, n); return nil })
	if err != nil || got.Messages != 3 || len(seen) == 0 || seen[0] != 1 {
		t.Errorf("%v, %v, progress %v", got, err, seen)
	}
	stop := errors.New("stop")
	if _, err = c.QueueAct(context.Background(), Act{Action: "flush", All: true, By: "root"}, func(int) error { return stop }); err != stop {
		t.Errorf("%v", err)
	}
}

func TestAPeerThatGoesAwayEndsItsList(t *testing.T) {
	ended := make(chan error, 1)
	here := &relay{list: func(ctx context.Context, yield func(*Message) error) error {
		for n := 0; ; n++ {
			if err := yield(message(n)); err != nil {
				ended <- err
				return err
			}
		}
	}}
	_, c := serve(t, here)
	stop := errors.New("enough")
	n := 0
	err := c.QueueList(context.Background(), Filter{}, func(*Message) error {
		if n++; n == 1000 {
			return stop
		}
		return nil
	})
	if err != stop {
		t.Errorf("%v", err)
	}
	if err := <-ended; err == nil {
		t.Error("the list goes on for nobody")
	}
	if _, err := c.Status(context.Background()); err != nil {
		t.Errorf("the next call: %v", err)
	}
}

func TestACutAnswerIsNotTakenForAWholeOne(t *testing.T) {
	here := &relay{list: func(_ context.Context, yield func(*Message) error) error {
		for n := range 1000 {
			if err := yield(message(n)); err != nil {
				return err
			}
		}
		panic("boom")
	}}
	_, c := serve(t, here)
	if err := c.QueueList(context.Background(), Filter{}, func(*Message) error { return nil }); err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("list: %v", err)
	}
	here.breaks.Store(true)
	rc, err := c.SinkShow(context.Background(), "1")
	if err == nil {
		_, err = io.ReadAll(rc)
		rc.Close()
	}
	if err == nil {
		t.Error("half a message is taken for a whole one")
	}
	here.panics.Store(true)
	if _, err := c.Status(context.Background()); err == nil || !strings.Contains(err.Error(), "internal fault: boom") {
		t.Errorf("status: %v", err)
	}
	here.panics.Store(false)
	if _, err := c.Status(context.Background()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestGarbageDisturbsNobody(t *testing.T) {
	path, c := serve(t, &relay{})
	big := strings.Repeat("x", 2<<20)
	for _, s := range []string{
		"", "\x00\xff\x16\x03\x01", "EHLO me\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /v1/status HTTP/1.1\r\n\r\n", "GET /nothing HTTP/1.0\r\n\r\n",
		"GET /v1/status HTTP/1.1\r\nHost: x\r\nX: " + big, "POST /v1/queue/act HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{",
		"POST /v1/queue/act HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}", "POST /v1/queue/list HTTP/1.0\r\nContent-Length: 9\r\n\r\n{\"no\": 1}",
		"POST /v1/queue/list HTTP/1.0\r\nContent-Length: 5\r\n\r\n{}{}x", "POST /v1/queue/count HTTP/1.1\r\nHost: x\r\nContent-Length: 2097152\r\n\r\n" + big,
		"POST /v1/queue/count HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	} {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		go io.WriteString(conn, s)
		buf := make([]byte, 4096)
		if s != "" && !strings.HasPrefix(s, "\x00") && !strings.HasSuffix(s, "{") && !strings.HasSuffix(s, "zz\r\n") && !strings.HasPrefix(s, "EHLO") {
			n, _ := conn.Read(buf)
			if answer := string(buf[:n]); !strings.HasPrefix(answer, "HTTP/1.") || strings.HasPrefix(answer, "HTTP/1.1 200") {
				t.Errorf("%.60q: %.200q", s, answer)
			}
		}
		conn.Close()
		if _, err := c.Status(context.Background()); err != nil {
			t.Fatalf("after %.60q: %v", s, err)
		}
	}
}

func TestTooManyConnectionsLockNobodyOut(t *testing.T) {
	path, c := serve(t, &relay{messages: 5})
	var open []net.Conn
	defer func() {
		for _, conn := range open {
			conn.Close()
		}
	}()
	for range 400 {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, conn)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	n := 0
	if err := c.QueueList(ctx, Filter{}, func(*Message) error { n++; return nil }); err != nil || n != 5 {
		t.Errorf("%d messages, %v", n, err)
	}
	// The first ones were given up, so the server holds no more than it says.
	open[0].SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := open[0].Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the oldest idle connection: %v", err)
	}
}

func TestTheSocketIsForOwnerAndGroup(t *testing.T) {
	path, _ := serve(t, &relay{})
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o660 || info.Mode().Type() != fs.ModeSocket {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestOnlyTheSocketOfADeadProcessIsReplaced(t *testing.T) {
	path, _ := serve(t, &relay{})
	if _, err := Listen(net.Listen, path); err == nil || !strings.Contains(err.Error(), "control socket "+path+" is in use by another mta") {
		t.Errorf("alive: %v", err)
	}
	dead := path + ".dead"
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: dead}); err != nil {
		t.Fatal(err)
	}
	syscall.Close(fd) // as a killed process leaves it
	l, err := Listen(net.Listen, dead)
	if err != nil {
		t.Fatalf("dead: %v", err)
	}
	l.Close()
	if _, err := os.Stat(dead); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
	file := path + ".file"
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(net.Listen, file); err == nil || !strings.Contains(err.Error(), "something else of that name") {
		t.Errorf("file: %v", err)
	}
	if b, _ := os.ReadFile(file); string(b) != "precious" {
		t.Error("a file was removed")
	}
	if _, err := Listen(net.Listen, "/tmp/"+strings.Repeat("x", 110)); err == nil || !strings.Contains(err.Error(), "choose a shorter one") {
		t.Errorf("long: %v", err)
	}
}

func TestUnreachableIsToldFromFailed(t *testing.T) {
	path, c := serve(t, &relay{err: errors.New("broken")})
	if _, err := c.Status(context.Background()); err == nil || errors.Is(err, ErrUnreachable) {
		t.Errorf("failed: %v", err)
	}
	file := path + ".file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]string{path + ".none": `start the relay with "mta serve"`, file: ""} {
		if _, err := Dial(p); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", p, err)
		}
	}
	gone, err := Listen(net.Listen, path+".gone")
	if err != nil {
		t.Fatal(err)
	}
	c, err = Dial(path + ".gone")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	if _, err := c.Status(context.Background()); !errors.Is(err, ErrUnreachable) {
		t.Errorf("gone since: %v", err)
	}
}

func TestAnotherServerIsRecognized(t *testing.T) {
	path := filepath.Join(filepath.Dir(func() string { p, _ := serve(t, &relay{}); return p }()), "other.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	other := &http.Server{Handler: http.NotFoundHandler()}
	go other.Serve(l)
	defer other.Close()
	c, err := Dial(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Status(context.Background()); err == nil || !strings.Contains(err.Error(), "is not the control socket of an mta") {
		t.Errorf("%v", err)
	}
}
