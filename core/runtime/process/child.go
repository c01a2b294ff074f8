package process

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/call"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/serve/frames"
	"github.com/programmable-mta/mta/sdk/wire"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// streams is how many are kept open to one process: calls share them.
const streams = 2

// child is one process and the connection to it. Its streams are all open, or
// it is broken.
type child struct {
	p       *plugin
	client  *goplugin.Client
	program atomic.Pointer[program]
	conn    *grpc.ClientConn
	cancel  context.CancelFunc // of the streams
	streams []*stream
	bytes   atomic.Int64 // of calls of the host that wait

	once   sync.Once
	broken chan struct{} // closed: why says what happened
	why    error
}

// fail says that nothing more comes from this process.
func (c *child) fail(why error) {
	c.once.Do(func() {
		c.why = why
		close(c.broken)
	})
}

// launch starts a process and gets it ready: described, configured, tested. On
// failure nothing of it is left.
func (p *plugin) launch(ctx context.Context) (*child, error) {
	limit := p.rt.timing.start
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it was not ready within %s", limit))
	defer cancel()
	c := &child{p: p, broken: make(chan struct{})}
	c.client = goplugin.NewClient(c.config())
	err := c.connect(ctx)
	if err == nil {
		err = c.prepare(ctx)
	}
	if err == nil {
		return c, nil
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	p.bury(c, false)
	if pr := c.program.Load(); pr != nil {
		if words := pr.tail.String(); words != "" {
			err = fmt.Errorf("%w; it wrote: %s", err, words)
		}
	}
	return nil, err
}

// config is what go-plugin has to know. A client is for one process only, so is
// all of this.
func (c *child) config() *goplugin.ClientConfig {
	last := new(tail)
	return &goplugin.ClientConfig{
		HandshakeConfig:  frames.Handshake(),
		VersionedPlugins: map[int]goplugin.PluginSet{frames.Version: {frames.Name: connection{}}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		StartTimeout:     c.p.rt.timing.start,
		SkipHostEnv:      true,
		Logger:           hclog.NewNullLogger(),
		SyncStdout:       &pieces{log: c.p.log, from: "stdout", last: last},
		SyncStderr:       &pieces{log: c.p.log, from: "stderr", last: last},
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: c.p.rt.dir.place()},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, dir string) (runner.Runner, error) {
			pr := newProgram(c.p, cmd, dir)
			pr.tail = last
			c.program.Store(pr)
			return pr, nil
		},
		// Fixed windows: gRPC would measure the bandwidth with pings else.
		GRPCDialOptions: []grpc.DialOption{grpc.WithInitialWindowSize(1 << 20), grpc.WithInitialConnWindowSize(4 << 20)},
	}
}

// connection is what go-plugin dispenses: its connection.
type connection struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (connection) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error {
	return errors.New("process: this is the end of the relay")
}

func (connection) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

// connect starts the process and shakes hands. go-plugin cannot be interrupted,
// but its process can be killed, which ends its waiting.
func (c *child) connect(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- c.shake() }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	over := ctx.Done()
	var kill <-chan time.Time
	for {
		select {
		case err := <-done:
			return err
		case <-over:
			over, kill = nil, tick.C
		case <-kill:
			if pr := c.program.Load(); pr != nil {
				pr.kill()
			}
		}
	}
}

func (c *child) shake() error {
	protocol, err := c.client.Client()
	if err != nil {
		if pr := c.program.Load(); pr != nil && pr.ID() != "" {
			<-pr.exited // go-plugin has killed it
			if pr.crashed {
				return fmt.Errorf("%s before it was ready", pr.status)
			}
		}
		first, _, _ := strings.Cut(err.Error(), "\n")
		return errors.New(strings.TrimSuffix(printable(first), ": "))
	}
	raw, err := protocol.Dispense(frames.Name)
	if err != nil {
		return err
	}
	c.conn = raw.(*grpc.ClientConn)
	return nil
}

// prepare asks what the plugin is, hands it its configuration and tests it.
func (c *child) prepare(ctx context.Context) error {
	sctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	if err := c.open(sctx); err != nil {
		return err
	}
	said, err := c.request(ctx, wire.ProtoDescribe, wire.ProtoDescribe, nil)
	if err != nil {
		return fmt.Errorf("describe: %w", err)
	}
	if len(said) > maxDescription {
		return fmt.Errorf("its description has %d octets, more than %d", len(said), maxDescription)
	}
	d, err := wire.ReadDescription(said)
	if err != nil {
		return fmt.Errorf("describe: %w", err)
	}
	if err := c.p.accept(d, c.program.Load().digest); err != nil {
		return err
	}
	if _, err := c.request(ctx, wire.ProtoStart, wire.ProtoStart, c.p.startMessage); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	if _, err := c.request(ctx, wire.ProtoSelfTest, wire.ProtoStart, nil); err != nil {
		return fmt.Errorf("its self-test failed: %w", err)
	}
	for len(c.streams) < streams {
		if err := c.open(sctx); err != nil {
			return err
		}
	}
	return nil
}

// accept judges what a plugin says of itself: the first time, what it is; after
// a restart it must be the same.
func (p *plugin) accept(d sdk.Description, digest string) error {
	if d.ABI > wire.Minor {
		return fmt.Errorf("it was made for version 1.%d of the contract, and this relay knows 1.%d: update the relay", d.ABI, wire.Minor)
	}
	missing, err := p.grants.Missing(d.Needs)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("it needs what the configuration does not allow: add %s", strings.Join(missing, ", "))
	}
	wants := make(map[string]*wire.Want)
	for hook, fields := range d.Hooks {
		w, err := wire.ParseWant(hook, fields)
		if err != nil {
			return err
		}
		wants[hook] = w
	}
	if p.wants == nil {
		p.wants = wants
		p.about = runtime.About{Runtime: "process", Digest: digest, Path: p.path, Description: d}
		return nil
	}
	if !maps.EqualFunc(d.Hooks, p.about.Description.Hooks, slices.Equal) {
		return errors.New("it wants other hooks than when it was loaded: mta plugin reload " + p.name)
	}
	return nil
}

func (p *plugin) startMessage(w *wire.ProtoWriter) {
	w.Blob(1, p.config)
	w.String(2, p.host.Hostname())
	for _, g := range sdk.Grants() {
		if p.grants.Has(g.Name) {
			w.Strings(3, []string{g.Name})
		}
	}
	w.String(4, p.host.Name())
}

// request is an exchange that is no hook.
func (c *child) request(ctx context.Context, kind, reply int, fill func(*wire.ProtoWriter)) (string, error) {
	scope := call.Scope{Host: c.p.host, Grants: &c.p.grants, Now: c.p.host.Now(ctx)}
	defer scope.End()
	return c.streams[0].exchange(ctx, kind, reply, &scope, fill)
}

// watch waits for the end of the process; nil: Close was called.
func (p *plugin) watch(c *child) error {
	t := p.rt.timing
	tick := time.NewTicker(t.health)
	defer tick.Stop()
	health := grpc_health_v1.NewHealthClient(c.conn)
	pr := c.program.Load()
	misses := 0
	for {
		select {
		case <-p.stop:
			return nil
		case <-pr.exited:
			return p.lastWords(pr, "it ended: "+pr.status)
		case <-c.broken:
			// Usually it has died, which is said in a moment.
			timer := time.NewTimer(t.healthLimit)
			select {
			case <-pr.exited:
				timer.Stop()
				return p.lastWords(pr, "it ended: "+pr.status)
			case <-timer.C:
				return c.why
			}
		case <-tick.C:
			if err := p.weigh(pr); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(context.Background(), t.healthLimit)
			r, err := health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: frames.Name})
			cancel()
			if err == nil && r.Status == grpc_health_v1.HealthCheckResponse_SERVING {
				misses = 0
			} else if misses++; misses >= t.misses {
				return fmt.Errorf("it hangs: %d health checks in a row without an answer", misses)
			}
		}
	}
}

func (p *plugin) lastWords(pr *program, what string) error {
	if words := pr.tail.String(); words != "" {
		return fmt.Errorf("%s; the last that it wrote: %s", what, words)
	}
	return errors.New(what)
}

// weigh looks at the memory of the process.
func (p *plugin) weigh(pr *program) error {
	n := resident(pr.proc.Pid)
	p.memory.Store(n)
	if n > p.maxMemory.Load() {
		p.maxMemory.Store(n)
	}
	if n > p.limits.Memory {
		return fmt.Errorf("it has %d MiB of memory, more than limits.memory = %d MiB", n>>20, p.limits.Memory>>20)
	}
	return nil
}

// bury ends a process: in good order when it still works, else at once. When it
// returns, the process is gone, or the kernel does not let it go.
func (p *plugin) bury(c *child, graceful bool) {
	t := p.rt.timing
	pr := c.program.Load()
	if graceful {
		p.drain(t.grace)
		ctx, cancel := context.WithTimeout(context.Background(), t.grace)
		c.request(ctx, wire.ProtoStop, wire.ProtoStart, nil)
		cancel()
	} else if pr != nil {
		pr.kill()
	}
	c.fail(errors.New("the process was ended"))
	if pr != nil {
		defer os.RemoveAll(pr.dir) // go-plugin leaves it when the start failed
	}
	if c.cancel != nil {
		c.cancel()
	}
	gone := make(chan struct{})
	go func() {
		c.client.Kill() // asks over the connection first, without any limit
		close(gone)
	}()
	for range 2 {
		timer := time.NewTimer(t.kill)
		select {
		case <-gone:
			timer.Stop()
			return
		case <-timer.C:
			if pr != nil {
				pr.kill()
			}
		}
	}
	p.rt.options.Logf(p.name, "its process %s cannot be killed", pr.ID())
}

// drain waits until no call is at work; Close is called after the last one.
func (p *plugin) drain(limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for range cap(p.slots) {
		select {
		case p.slots <- struct{}{}:
		case <-timer.C:
			return
		}
	}
}
