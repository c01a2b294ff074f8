package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/programmable-mta/mta/core/config"
	"github.com/programmable-mta/mta/core/control"
	"github.com/programmable-mta/mta/core/delivery"
	"github.com/programmable-mta/mta/core/fetch"
	"github.com/programmable-mta/mta/core/host"
	"github.com/programmable-mta/mta/core/queue"
	"github.com/programmable-mta/mta/core/resolver"
	"github.com/programmable-mta/mta/core/sink"
	"github.com/programmable-mta/mta/core/smtpin"
	"github.com/programmable-mta/mta/core/smtpout"
	"github.com/programmable-mta/mta/core/state"
	"github.com/programmable-mta/mta/core/trace"
)

// relay is a running mta: every room, wired.
type relay struct {
	w        *world
	from     origin
	started  time.Time
	cfg      atomic.Pointer[config.Config]
	gen      atomic.Pointer[generation]
	tracer   *trace.Tracer
	queue    *queue.Queue
	lastPut  atomic.Pointer[string]
	resolver *resolver.Resolver
	client   *smtpout.Client
	server   *smtpin.Server
	delivery *delivery.Delivery
	certs    atomic.Pointer[certificates]
	sink     *sink.Sink // with --dev only
	host     *host.Relay
	runtimes *runtimes
	diffs    diffs
	state    sync.Mutex
	store    *state.Store // of the plugins; nil until one needs it

	listeners []bound
	control   *control.Server
	controlL  net.Listener
	http      *http.Server
	httpL     net.Listener

	stopDelivery context.CancelFunc
	delivered    chan struct{}
	serving      sync.WaitGroup
	reloading    sync.Mutex
	draining     atomic.Bool
	asked        chan struct{} // closed when a drain was asked for
	askOnce      sync.Once
	failed       chan error // a listener that gave up
}

type bound struct {
	net.Listener
	profile string
}

// origin is where the configuration comes from.
type origin struct {
	path string // empty: from nowhere, it cannot be read again
	read func() (*config.Config, error)
}

// start brings a relay up in the order in which things can go wrong: files and
// spool first, plugins next, sockets last. Nothing listens before all is well.
func start(ctx context.Context, w *world, cfg *config.Config, from origin, devSink *sink.Sink) (_ *relay, err error) {
	r := &relay{w: w, from: from, started: w.now(), sink: devSink, asked: make(chan struct{}), failed: make(chan error, 1), delivered: make(chan struct{})}
	r.cfg.Store(cfg)
	defer func() {
		if err != nil {
			r.release()
		}
	}()
	if err := r.openFiles(cfg); err != nil {
		return nil, err
	}
	gen, err := r.loading(nil, "").load(ctx, cfg)
	if err != nil {
		return nil, &statusError{exitConfig, err}
	}
	r.gen.Store(gen)
	r.build(cfg, gen)
	if err := r.bind(cfg); err != nil {
		return nil, err
	}
	r.serve()
	return r, nil
}

// openFiles opens what lives on disk: certificates, spool, trace.
func (r *relay) openFiles(cfg *config.Config) error {
	roots, err := loadRoots(cfg.TLS.Roots)
	if err != nil {
		return &statusError{exitConfig, err}
	}
	if err := os.MkdirAll(cfg.Spool, 0o700); err != nil {
		return fmt.Errorf("the spool %s cannot be made: %w; create it, or set spool to a folder that this user may write", cfg.Spool, errors.Unwrap(err))
	}
	r.tracer, err = trace.New(trace.Options{
		Dir: filepath.Join(cfg.Spool, "trace"), MaxAge: cfg.Limits.TraceAge, MaxBytes: int64(cfg.Limits.TraceSize),
		Log: r.w.stderr, Format: cfg.Log.Format, Level: cfg.Log.Level, Hostname: cfg.Hostname, Now: r.w.now,
	})
	if err != nil {
		return err
	}
	certs, err := loadCertificates(cfg.TLS.Certificates, r.w.now, r.logger("tls"))
	if err != nil {
		return &statusError{exitConfig, err}
	}
	r.certs.Store(certs)
	r.queue, err = queue.Open(cfg.Spool, queue.Options{
		Now: r.w.now, Logf: func(format string, args ...any) { r.tracer.Log(slog.LevelWarn, "queue", fmt.Sprintf(format, args...)) },
		SegmentSize: int64(cfg.Limits.LogSegment), InlineMax: int64(cfg.Limits.BigBody), CacheBytes: int64(cfg.Limits.QueueCache),
		ActiveLimit: cfg.Limits.Active, MinFree: int64(cfg.Limits.MinFree),
	})
	if err != nil {
		return err
	}
	r.resolver = newResolver(r.w, cfg)
	r.client = smtpout.New(smtpout.Options{Hostname: cfg.Hostname, Resolver: r.resolver, Dial: r.w.dial, DialFrom: r.w.dialFrom, Roots: roots, Now: r.w.now})
	r.host = &host.Relay{Hostname: cfg.Hostname, Now: r.w.now, Resolver: r.resolver, Client: r.client, Tracer: r.tracer, State: r.openStore,
		Fetch: fetch.New(fetch.Options{Dial: r.w.dial, Lookup: r.resolver.Addrs, Roots: roots, Now: r.w.now, UserAgent: "mta/" + version()})}
	r.runtimes = &runtimes{w: r.w, dir: filepath.Join(cfg.Spool, "cache"),
		logf: func(format string, args ...any) { r.tracer.Log(slog.LevelWarn, "plugin", fmt.Sprintf(format, args...)) }}
	return nil
}

func (r *relay) logger(component string) func(slog.Level, string, ...any) {
	return func(level slog.Level, msg string, args ...any) { r.tracer.Log(level, component, msg, args...) }
}

// loading prepares a generation; old is the one in service, fresh the name of a
// plugin that is loaded anew even when it has not changed.
func (r *relay) loading(old *generation, fresh string) *loading {
	return &loading{w: r.w, runtimes: r.runtimes, relay: r.host, diffs: &r.diffs, old: old, fresh: func(name string) bool { return name == fresh }}
}

// openStore opens the plugins' store when the first of them needs it.
func (r *relay) openStore() (*state.Store, error) {
	r.state.Lock()
	defer r.state.Unlock()
	if r.store == nil {
		s, err := state.Open(filepath.Join(r.cfg.Load().Spool, "plugins.db"), state.Options{Now: r.w.now,
			Logf: func(format string, args ...any) { r.tracer.Log(slog.LevelWarn, "state", fmt.Sprintf(format, args...)) }})
		if err != nil {
			return nil, err
		}
		r.store = s
	}
	return r.store, nil
}

// build makes the front door and the way out.
func (r *relay) build(cfg *config.Config, gen *generation) {
	limits := inboundLimits(cfg)
	limits.Sessions = r.limitSessions(limits.Sessions)
	r.server = smtpin.New(smtpin.Options{
		Hostname: cfg.Hostname, Limits: limits, TLS: func() *tls.Config { return r.certs.Load().current() },
		Queue: rememberingQueue{r.queue, &r.lastPut}, Chains: gen.chains, Tracer: r.tracer, Now: r.w.now, PTR: r.resolver.PTR,
		HasSpace: func(size int64) bool { return r.queue.Space(size) == nil },
		Bounce:   r.bounceRefused,
	})
	r.delivery = delivery.New(delivery.Options{
		Hostname: cfg.Hostname, Queue: r.queue, Chains: gen.chains, Tracer: r.tracer, Now: r.w.now,
		Retry: cfg.Delivery.Retry, Lifetime: cfg.Delivery.Lifetime, Concurrency: cfg.Delivery.Concurrency,
		BounceLifetime: cfg.Delivery.Lifetime, DelayWarning: cfg.Delivery.DelayWarning, Grace: cfg.ShutdownGrace,
		Postmaster: "postmaster@" + cfg.Hostname, Context: recordConversation,
	})
}

// recordConversation lets the SMTP client write down what is said, for the trace.
func recordConversation(ctx context.Context) (context.Context, func() []byte) {
	c := &smtpout.Conversation{}
	return smtpout.WithConversation(ctx, c), c.Bytes
}

func inboundLimits(cfg *config.Config) smtpin.Limits {
	l := cfg.Limits
	limits := smtpin.Limits{
		MessageSize: int64(l.MessageSize), Recipients: l.Recipients, Sessions: l.Sessions, SessionsPerIP: l.SessionsPerIP,
		CommandLine: int(l.CommandLine), Errors: l.Errors, JunkCommands: l.JunkCommands, Hops: l.Hops,
		CommandTimeout: l.CommandTimeout, DataTimeout: l.DataTimeout, DataTotal: l.DataTotal,
		TLSHandshake: l.TLSHandshake, MinDataRate: int(l.MinDataRate),
	}
	if limits.MinDataRate == 0 {
		limits.MinDataRate = -1 // 0 in the file switches it off
	}
	return limits
}

// bind opens every socket, or none.
func (r *relay) bind(cfg *config.Config) error {
	for i, l := range cfg.Listen {
		s, err := r.w.listen("tcp", l.Address.String())
		if err != nil {
			return portError(fmt.Sprintf("listen[%d].address", i), l.Address.String(), err)
		}
		r.listeners = append(r.listeners, bound{s, l.Profile})
	}
	if cfg.Metrics.Address.IsValid() {
		s, err := r.w.listen("tcp", cfg.Metrics.Address.String())
		if err != nil {
			return portError("metrics.address", cfg.Metrics.Address.String(), err)
		}
		r.httpL = s
	}
	if r.w.noControl {
		return nil
	}
	s, err := control.Listen(r.w.listen, cfg.Control.Socket)
	if err != nil {
		return err
	}
	r.controlL = s
	return nil
}

func portError(key, addr string, err error) error {
	why := err
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		why = sys.Err
	}
	return fmt.Errorf("%s: cannot listen on %s: %w; stop the program that has it, or choose another address", key, addr, why)
}

// serve starts everything that runs by itself.
func (r *relay) serve() {
	for _, l := range r.listeners {
		r.serving.Go(func() {
			if err := r.server.Serve(l.Listener, smtpin.Listener{Profile: l.profile}); err != nil {
				r.giveUp(fmt.Errorf("listening on %s: %w", l.Addr(), err))
			}
		})
	}
	if r.controlL != nil {
		r.control = control.New(&backend{r})
		r.serving.Go(func() { r.control.Serve(r.controlL) })
	}
	if r.httpL != nil {
		r.http = &http.Server{Handler: r.metricsHandler(), ReadHeaderTimeout: 10 * time.Second}
		r.serving.Go(func() { r.http.Serve(r.httpL) })
	}
	leasing, stop := context.WithCancel(context.Background())
	r.stopDelivery = stop
	go func() {
		defer close(r.delivered)
		if err := r.delivery.Run(leasing); err != nil {
			r.giveUp(fmt.Errorf("delivery has stopped: %w", err))
		}
	}()
}

// giveUp says why the relay cannot go on; the first reason counts.
func (r *relay) giveUp(err error) {
	select {
	case r.failed <- err:
	default:
	}
}

// ask begins a drain; whoever waits for it carries it out.
func (r *relay) ask() {
	r.draining.Store(true)
	r.askOnce.Do(func() { close(r.asked) })
}

// stop ends the relay: it takes no more mail, lets sessions and deliveries
// finish until ctx ends, and writes everything down.
func (r *relay) stop(ctx context.Context) error {
	r.ask()
	// Sessions and deliveries share the one grace, and a second signal ends both.
	defer context.AfterFunc(ctx, r.delivery.Cut)()
	err := r.server.Shutdown(ctx)
	r.release()
	return err
}

// pluginGrace is how long the end waits for calls that plugins do not return from.
const pluginGrace = 5 * time.Second

// release closes what is open, in the order in which it depends on each other.
func (r *relay) release() {
	for _, l := range r.listeners {
		l.Close()
	}
	if r.control != nil {
		r.control.Close()
	} else if r.controlL != nil {
		r.controlL.Close()
	}
	if r.http != nil {
		r.http.Close()
	} else if r.httpL != nil {
		r.httpL.Close()
	}
	r.serving.Wait()
	if r.stopDelivery != nil {
		r.stopDelivery()
		<-r.delivered // its grace is an option of delivery, and stop cuts it short
	}
	if r.client != nil {
		r.client.Close()
	}
	if r.queue != nil {
		if err := r.queue.Close(); err != nil {
			r.tracer.Log(slog.LevelError, "queue", err.Error())
		}
	}
	r.reloading.Lock() // a reload ends by itself when the relay does
	defer r.reloading.Unlock()
	if g := r.gen.Load(); g != nil {
		// Calls that were left behind at their deadline may return yet, and a
		// plugin is promised that none runs when it is closed.
		ctx, cancel := context.WithTimeout(context.Background(), pluginGrace)
		if err := g.retire(ctx); err != nil {
			r.tracer.Log(slog.LevelWarn, "mta", err.Error())
		}
		cancel()
	}
	if r.runtimes != nil {
		if err := r.runtimes.close(); err != nil {
			r.tracer.Log(slog.LevelWarn, "mta", err.Error())
		}
	}
	if r.store != nil {
		if err := r.store.Close(); err != nil {
			r.tracer.Log(slog.LevelError, "state", err.Error())
		}
	}
	if r.sink != nil {
		r.sink.Close()
	}
	if r.tracer != nil {
		r.tracer.Close()
	}
}

// reload reads the configuration again. What sessions and deliveries are in the
// middle of goes on with the plugins it began with; on any fault everything
// stays as it is.
//
// A plugin whose block and file are as they were goes on; with its name in only,
// that one alone is taken from the file, and loaded anew in any case.
func (r *relay) reload(ctx context.Context, only string) (string, error) {
	r.reloading.Lock()
	defer r.reloading.Unlock()
	if r.from.path == "" {
		return "", errors.New("nothing to reload: this relay runs with --dev, without a configuration file")
	}
	refused := func(err error) (string, error) {
		return "", fmt.Errorf("%w, the old one stays in force: %w", control.ErrConfig, err)
	}
	cfg, err := r.from.read()
	if err != nil {
		return refused(err)
	}
	old := r.cfg.Load()
	if only != "" {
		if cfg, err = onlyPlugin(old, cfg, only); err != nil {
			return "", err
		}
	}
	if fixed := whatNeedsRestart(old, cfg); fixed != "" {
		return refused(fmt.Errorf("%s cannot change while running; restart instead", fixed))
	}
	certs, err := loadCertificates(cfg.TLS.Certificates, r.w.now, r.logger("tls"))
	if err != nil {
		return refused(err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-r.asked:
			cancel(errEnding)
		case <-ctx.Done():
		}
	}()
	gen, err := r.loading(r.gen.Load(), only).load(ctx, cfg)
	if err != nil {
		return refused(err)
	}
	if context.Cause(ctx) != nil {
		gen.close()
		return refused(context.Cause(ctx))
	}
	before := r.gen.Swap(gen)
	if only != "" {
		r.diffs.forget(only)
	}
	r.cfg.Store(cfg)
	r.certs.Store(certs)
	sessions := r.server.Swap(gen.chains)
	deliveries := r.delivery.Swap(gen.chains)
	go func() {
		<-sessions
		<-deliveries
		before.retire(context.Background())
	}()
	if s := gen.find(only); s != nil {
		about := s.loaded.About()
		r.tracer.Log(slog.LevelInfo, "mta", "plugin reloaded", "plugin", only, "generation", s.number, "version", versionOf(about))
		return strings.TrimSpace(fmt.Sprintf("reloaded plugin %s, generation %d %s", only, s.number, versionOf(about))), nil
	}
	r.tracer.Log(slog.LevelInfo, "mta", "configuration reloaded", "file", r.from.path)
	return "reloaded " + r.from.path, nil
}

var errEnding = errors.New("the relay is ending")

// onlyPlugin is the configuration in force with the block of one plugin from
// the file.
func onlyPlugin(old, cfg *config.Config, name string) (*config.Config, error) {
	at := func(c *config.Config) int {
		return slices.IndexFunc(c.Plugins, func(p config.Plugin) bool { return p.Name == name })
	}
	i, j := at(old), at(cfg)
	switch {
	case i < 0 && j < 0:
		return nil, fmt.Errorf("%w: there is no plugin %q in the configuration; see 'mta plugin list'", control.ErrNotFound, name)
	case i < 0:
		return nil, fmt.Errorf("%w: plugin %q is new in the configuration: its place in the chains comes with 'mta reload'", control.ErrUsage, name)
	case j < 0:
		return nil, fmt.Errorf("%w: plugin %q is no longer in the configuration: it goes with 'mta reload'", control.ErrUsage, name)
	}
	one := *old
	one.Plugins = slices.Clone(old.Plugins)
	one.Plugins[i] = cfg.Plugins[j]
	return &one, nil
}

// whatNeedsRestart names the first key that a running relay cannot change.
func whatNeedsRestart(old, cfg *config.Config) string {
	switch {
	case old.Hostname != cfg.Hostname:
		return "hostname"
	case old.Spool != cfg.Spool:
		return "spool"
	case !slices.Equal(old.Listen, cfg.Listen):
		return "listen"
	case old.Control != cfg.Control:
		return "control"
	case old.Metrics != cfg.Metrics:
		return "metrics"
	case old.Log != cfg.Log:
		return "log"
	case old.Limits != cfg.Limits:
		return "limits"
	case !reflect.DeepEqual(old.Delivery, cfg.Delivery):
		return "delivery"
	case !slices.Equal(old.Resolver.Servers, cfg.Resolver.Servers):
		return "resolver"
	case old.TLS.Roots != cfg.TLS.Roots:
		return "tls.roots"
	case old.ShutdownGrace != cfg.ShutdownGrace:
		return "shutdown_grace"
	}
	return ""
}

// ownAddresses are those that an MX must not lead back to: the addresses we
// listen on, and with an unspecified one every address of this machine.
func ownAddresses(cfg *config.Config) []netip.Addr {
	var own []netip.Addr
	for _, l := range cfg.Listen {
		a := l.Address.Addr()
		if !a.IsUnspecified() {
			own = append(own, a)
			continue
		}
		interfaces, err := net.InterfaceAddrs()
		if err != nil {
			continue
		}
		for _, i := range interfaces {
			if p, err := netip.ParsePrefix(i.String()); err == nil {
				own = append(own, p.Addr())
			}
		}
	}
	return own
}
