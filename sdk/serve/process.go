//go:build !wasip1

package serve

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/serve/frames"
	"github.com/programmable-mta/mta/sdk/wire"
	"google.golang.org/grpc"
)

// Run serves the plugin until the relay ends it. In a WebAssembly module it does
// nothing.
func Run() {
	shake := frames.Handshake()
	switch {
	case construct == nil:
		fail("serve.Register was not called: call it in an init function with the constructor of the plugin")
	case os.Getenv(shake.MagicCookieKey) != shake.MagicCookieValue:
		fail("this is a plugin of a mail relay, which starts it: name it in the configuration of mta as source = \"process:" + os.Args[0] + "\"")
	}
	go watchParent()
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig:  shake,
		VersionedPlugins: map[int]goplugin.PluginSet{frames.Version: {frames.Name: &served{srv: &server{plugin: construct()}}}},
		Logger:           hclog.NewNullLogger(),
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			// Fixed windows: gRPC would measure the bandwidth with pings else.
			return grpc.NewServer(append(opts, grpc.ForceServerCodecV2(frames.Codec{}), grpc.MaxRecvMsgSize(frames.MaxToPlugin), grpc.MaxSendMsgSize(frames.MaxFromPlugin),
				grpc.InitialWindowSize(1<<20), grpc.InitialConnWindowSize(4<<20))...)
		},
	})
}

func fail(text string) {
	fmt.Fprintln(os.Stderr, text)
	os.Exit(1)
}

// watchParent ends a plugin whose relay was killed, where the kernel does not.
func watchParent() {
	parent, err := strconv.Atoi(os.Getenv(frames.ParentEnv))
	if err != nil {
		return
	}
	for range time.Tick(time.Second) {
		if os.Getppid() != parent {
			os.Exit(1)
		}
	}
}

// served registers the service at the gRPC server of go-plugin.
type served struct {
	goplugin.NetRPCUnsupportedPlugin
	srv *server
}

func (p *served) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	desc := frames.Stream()
	desc.Handler = func(_ any, stream grpc.ServerStream) error { return p.srv.serve(stream) }
	s.RegisterService(&grpc.ServiceDesc{ServiceName: frames.Service, HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{*desc}}, p.srv)
	return nil
}

func (p *served) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, fmt.Errorf("serve: this is the end of the plugin")
}

// server is the plugin of this process; streams share it.
type server struct {
	plugin  sdk.Plugin
	writers sync.Pool

	mu        sync.RWMutex
	name      string // of the plugin, in the configuration
	hostname  string
	clock     bool // granted
	answerers map[int]answerer
	closed    bool
}

// stream is one stream to the relay.
type stream struct {
	srv  *server
	grpc grpc.ServerStream

	sending sync.Mutex
	calls   atomic.Uint32

	mu      sync.Mutex
	open    map[uint64]*request
	waiting map[uint32]chan frames.Message
}

// request is one thing that the relay has asked for and waits for.
type request struct {
	stream *stream
	seq    uint64
	now    time.Time
	cancel context.CancelFunc
	told   atomic.Uint32 // calls without a result
}

type requestKey struct{}

func (s *server) serve(g grpc.ServerStream) error {
	st := &stream{srv: s, grpc: g, open: make(map[uint64]*request), waiting: make(map[uint32]chan frames.Message)}
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel := context.WithCancel(g.Context())
	defer cancel()
	for {
		var f frames.Frame
		if err := g.RecvMsg(&f); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		m, err := frames.Parse(f.In)
		if err != nil {
			return err
		}
		switch m.Kind {
		case wire.ProtoResult:
			st.result(m)
		case wire.ProtoCancel:
			st.cancelled(m.Seq)
		default:
			r := &request{stream: st, seq: m.Seq, now: m.Now}
			var rctx context.Context
			rctx, r.cancel = context.WithCancel(context.WithValue(ctx, requestKey{}, r))
			st.mu.Lock()
			st.open[m.Seq] = r
			st.mu.Unlock()
			running.Go(func() {
				defer st.cancelled(m.Seq)
				st.answer(rctx, r, m)
			})
		}
	}
}

func (st *stream) cancelled(seq uint64) {
	st.mu.Lock()
	r := st.open[seq]
	delete(st.open, seq)
	st.mu.Unlock()
	if r != nil {
		r.cancel()
	}
}

// result hands the result of a call to who made it.
func (st *stream) result(m frames.Message) {
	st.mu.Lock()
	ch := st.waiting[m.Call]
	delete(st.waiting, m.Call)
	st.mu.Unlock()
	if ch != nil {
		ch <- m
	}
}

// send writes one message to the relay: fill writes its body.
func (st *stream) send(seq uint64, call uint32, kind int, fill func(*wire.ProtoWriter)) error {
	w, _ := st.srv.writers.Get().(*wire.ProtoWriter)
	if w == nil {
		w = new(wire.ProtoWriter)
	}
	defer st.srv.writers.Put(w)
	w.Reset()
	w.Int(wire.ProtoSeq, int64(seq))
	w.Int(wire.ProtoCall, int64(call))
	at := w.Begin(kind)
	if fill != nil {
		fill(w)
	}
	w.End(at)
	st.sending.Lock()
	defer st.sending.Unlock()
	return st.grpc.SendMsg(&frames.Frame{Out: w.Bytes()})
}

// answer does what a request wants. An error of sending means that the relay is
// gone, which ends the stream by itself.
func (st *stream) answer(ctx context.Context, r *request, m frames.Message) {
	var err error
	done := func() { st.send(r.seq, 0, wire.ProtoStart, nil) }
	switch m.Kind {
	case wire.ProtoDescribe:
		d := st.srv.describe()
		st.send(r.seq, 0, wire.ProtoDescribe, func(w *wire.ProtoWriter) { w.Description(&d) })
		return
	case wire.ProtoStart:
		err = st.srv.start(ctx, m.Body)
	case wire.ProtoSelfTest:
		if t, ok := st.srv.plugin.(sdk.SelfTester); ok {
			err = t.SelfTest(ctx)
		}
	case wire.ProtoStop:
		err = st.srv.close()
	default:
		err = st.hook(ctx, r, m)
		done = func() {}
	}
	if err != nil {
		st.send(r.seq, 0, wire.ProtoError, func(w *wire.ProtoWriter) { w.String(1, short(err.Error())) })
		return
	}
	done()
}

func short(s string) string {
	if len(s) > 1024 {
		return s[:1024]
	}
	return s
}

func (st *stream) hook(ctx context.Context, r *request, m frames.Message) error {
	st.srv.mu.RLock()
	do := st.srv.answerers[m.Kind-wire.ProtoHook]
	st.srv.mu.RUnlock()
	if do == nil {
		return fmt.Errorf("serve: there is no hook with the number %d here", m.Kind-wire.ProtoHook)
	}
	write, err := do(ctx, m.Body, func(msg *sdk.Message) {
		*msg = sdk.NewMessage(msg.ID, msg.Size, func() (sdk.Body, error) { return &body{ctx: ctx, size: msg.Size}, nil })
	})
	if err == nil {
		st.send(r.seq, 0, m.Kind, write)
	}
	return err
}

// answerer runs one hook: event in, what writes the answer out.
type answerer func(ctx context.Context, event string, open func(*sdk.Message)) (func(*wire.ProtoWriter), error)

func answer[E, A any](h sdk.Handler[E, A], parse func(string) (E, error), write func(*wire.ProtoWriter, *A), bind func(*E, func(*sdk.Message))) answerer {
	return func(ctx context.Context, event string, open func(*sdk.Message)) (func(*wire.ProtoWriter), error) {
		e, err := parse(event)
		if err != nil {
			return nil, err
		}
		if bind != nil {
			bind(&e, open)
		}
		a, err := guarded(ctx, h, &e)
		if err != nil || write == nil {
			return nil, err
		}
		return func(w *wire.ProtoWriter) { write(w, &a) }, nil
	}
}

// guarded makes an error of a panic, as it is in the relay's own program: one
// message that a plugin cannot stomach must not end the calls of all others.
func guarded[E, A any](ctx context.Context, h sdk.Handler[E, A], e *E) (a A, err error) {
	defer func() {
		if r := recover(); r != nil {
			os.Stderr.Write(debug.Stack())
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return h(ctx, e)
}

func (s *server) describe() sdk.Description {
	var d sdk.Description
	if p, ok := s.plugin.(sdk.Describer); ok {
		d = p.Describe()
	}
	d.ABI = wire.Minor
	if d.Hooks == nil {
		d.Hooks = make(map[string][]string)
		hs := sdk.Local(s.plugin)
		for _, h := range sdk.Hooks() {
			if h.Implemented(&hs) {
				d.Hooks[h.Name] = []string{"*"}
			}
		}
	}
	return d
}

func (s *server) start(ctx context.Context, message string) error {
	config := []byte("{}")
	r := wire.NewProtoReader(message)
	s.mu.Lock()
	for r.Next() {
		switch r.Field {
		case 1:
			config = []byte(r.Text())
		case 2:
			s.hostname = r.Text()
		case 3:
			s.clock = s.clock || r.Element() == "clock"
		case 4:
			s.name = r.Text()
		}
	}
	s.mu.Unlock()
	if err := r.Err(); err != nil {
		return err
	}
	if err := s.plugin.Start(ctx, &host{srv: s}, config); err != nil {
		return err
	}
	hs := sdk.Local(s.plugin)
	s.mu.Lock()
	s.answerers = answerers(&hs)
	s.mu.Unlock()
	return nil
}

func (s *server) close() error {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if again {
		return nil
	}
	return s.plugin.Close()
}
