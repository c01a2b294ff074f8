// Package process runs plugins that are programs of their own, in any language
// that has gRPC: "process:PATH [arguments]". hashicorp/go-plugin starts them and
// shakes hands; the contract is sdk/proto/mta.proto, and the Go and Python SDKs
// implement its other end.
//
// What it promises beside [runtime.Loaded]:
//
//   - A call ends at its deadline, whatever the plugin does, and never waits for
//     one that does not run. An answer that comes late is thrown away.
//   - The plugin has a clean environment (PATH, LANG, TZ and what the handshake
//     needs), no standard input, a process group of its own, and a socket in a
//     folder that only this user can enter. It dies with the relay: the kernel
//     kills it (Linux), and the SDKs watch their parent.
//   - What it writes to stdout and stderr becomes log lines, at most
//     [MaxLines] a second; the rest is counted and dropped, never waited for.
//   - A plugin that exits, or misses three health checks of a second, is killed
//     with its process group and started again after 100 ms, doubling to 30 s.
//     Five crashes in five minutes trip it: all calls fail at once, and one start
//     is tried each minute.
//   - Close ends it within some seconds, if need be with SIGKILL to its group.
//
// Checks of a digest: the file is opened once, the digest is that of the open
// file, and that open file is executed, so nobody can exchange it in between. A
// script (#!) is opened again by its interpreter, by name: keep its folder safe,
// and files that are plugins writable for nobody who is not trusted. A restart
// runs the file that was loaded, or fails: another version comes by reload.
//
// Memory: the resident memory of the process is looked at with each health
// check; above Limits.Memory the plugin is killed, as if it had crashed. Between
// two looks RLIMIT_DATA, the limit and 1 GiB on top, bounds how fast it can grow.
// What its children use is not counted. A plugin that should be held tighter
// belongs into WebAssembly, or the relay into a cgroup.
//
// Grants bound what it can ask of the relay, and nothing else: a process can do
// whatever its user can.
package process

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/wire"
)

// Prefix is what a source of this runtime begins with.
const Prefix = "process:"

// Defaults of [runtime.Limits].
const (
	DefaultMemory    = 512 << 20
	DefaultDeadline  = 5 * time.Second
	DefaultInstances = 64
)

// Options are what the runtime needs from its surroundings.
type Options struct {
	// Dir is where sockets are made, in a folder of this process; it is made
	// with 0700 when it is not there, and its path has at most 50 octets. Empty:
	// a folder of its own in the system's temporary one, or in /tmp when the path
	// of that is too long for sockets.
	Dir string
	// Now is the clock; nil: the system's.
	Now func() time.Time
	// Logf gets what happens to a plugin, for operators; nil: nobody. What the
	// plugin itself writes goes to its Host's Log.
	Logf func(plugin, format string, args ...any)
}

// New makes the runtime.
func New(o Options) runtime.Runtime {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logf == nil {
		o.Logf = func(string, string, ...any) {}
	}
	return &processes{options: o, timing: usual, dir: folder{base: o.Dir}}
}

// timing are the times of supervision; tests shorten them.
type timing struct {
	start        time.Duration // to be ready
	health       time.Duration // between checks
	healthLimit  time.Duration // of one
	misses       int           // checks in a row that make a plugin dead
	backoff      time.Duration // before the first restart
	backoffLimit time.Duration
	stable       time.Duration // after which the back-off begins anew
	crashes      int           // that many in window trip it
	window       time.Duration
	tripped      time.Duration // between tries of a tripped plugin
	grace        time.Duration // for calls and for its own end, when closed
	kill         time.Duration // for go-plugin's end, behind which stands SIGKILL
}

var usual = timing{
	start: 10 * time.Second, health: time.Second, healthLimit: 500 * time.Millisecond, misses: 3,
	backoff: 100 * time.Millisecond, backoffLimit: 30 * time.Second, stable: 30 * time.Second,
	crashes: 5, window: 5 * time.Minute, tripped: time.Minute, grace: 5 * time.Second, kill: 3 * time.Second,
}

type processes struct {
	options Options
	timing  timing
	dir     folder
}

// The states of a plugin, as [runtime.Stats] has them.
const (
	starting = "starting"
	ready    = "ready"
	backoff  = "backoff"
	tripped  = "tripped"
	closed   = "closed"
)

// plugin is one loaded plugin: at most one process at a time.
type plugin struct {
	rt       *processes
	name     string
	path     string
	args     []string
	sha256   string
	config   []byte
	grants   runtime.Grants
	limits   runtime.Limits
	host     sdk.Host
	handlers sdk.Handlers
	about    runtime.About
	wants    map[string]*wire.Want
	starter  *starter
	log      *lineLog
	pools    pools

	slots chan struct{} // one for each call at work
	child atomic.Pointer[child]
	seq   atomic.Uint64
	turn  atomic.Uint32

	restarts  atomic.Int64
	discarded atomic.Int64
	memory    atomic.Int64
	maxMemory atomic.Int64

	mu      sync.Mutex
	state   string
	why     string // it does not run
	crashed []time.Time

	once sync.Once
	stop chan struct{} // closed: Close was called
	done chan struct{} // closed: nothing runs any more
}

// Load implements [runtime.Runtime].
func (rt *processes) Load(ctx context.Context, spec runtime.Spec, host sdk.Host) (runtime.Loaded, error) {
	fault := func(err error) error { return fmt.Errorf("process: plugin %q: %w", spec.Name, err) }
	command, ok := strings.CutPrefix(spec.Source, Prefix)
	if !ok {
		return nil, fault(fmt.Errorf("source %q does not begin with %q", spec.Source, Prefix))
	}
	words, err := split(command)
	if err != nil {
		return nil, fault(err)
	}
	p := &plugin{
		rt: rt, name: spec.Name, path: words[0], args: words[1:], sha256: strings.ToLower(spec.SHA256),
		config: spec.Config, grants: spec.Grants, limits: spec.Limits, host: host,
		state: starting, stop: make(chan struct{}), done: make(chan struct{}),
	}
	p.defaults()
	if p.path, err = filepath.Abs(p.path); err != nil {
		return nil, fault(err)
	}
	p.slots = make(chan struct{}, p.limits.Instances)
	p.log = newLineLog(host, rt.options.Now)
	if err := rt.dir.make(); err != nil {
		return nil, fault(err)
	}
	p.starter = newStarter()
	c, err := p.launch(ctx)
	if err != nil {
		p.starter.end()
		rt.dir.release()
		return nil, fault(err)
	}
	p.bind(&p.handlers)
	if err := runtime.Choose(&p.handlers, spec.Hooks); err != nil {
		p.bury(c, true)
		p.starter.end()
		rt.dir.release()
		return nil, fault(err)
	}
	p.child.Store(c)
	p.set(ready, "")
	go p.supervise(c)
	return p, nil
}

func (p *plugin) defaults() {
	if len(p.config) == 0 {
		p.config = []byte("{}")
	}
	if p.limits.Memory <= 0 {
		p.limits.Memory = DefaultMemory
	}
	if p.limits.Deadline <= 0 {
		p.limits.Deadline = DefaultDeadline
	}
	if p.limits.Instances <= 0 {
		p.limits.Instances = DefaultInstances
	}
}

// Handlers implements [runtime.Loaded].
func (p *plugin) Handlers() *sdk.Handlers { return &p.handlers }

// Inline implements [runtime.Loaded]: calls end at their deadline here.
func (p *plugin) Inline() bool { return true }

// About implements [runtime.Loaded].
func (p *plugin) About() runtime.About { return p.about }

// Stats implements [runtime.Loaded].
func (p *plugin) Stats() runtime.Stats {
	p.mu.Lock()
	state := p.state
	p.mu.Unlock()
	s := runtime.Stats{Busy: len(p.slots), MaxMemory: p.maxMemory.Load(), Discarded: p.discarded.Load(), Restarts: p.restarts.Load(), State: state}
	if p.child.Load() != nil {
		s.Instances, s.Memory = 1, p.memory.Load()
	}
	return s
}

// Close implements [runtime.Loaded].
func (p *plugin) Close() error {
	p.once.Do(func() { close(p.stop) })
	<-p.done
	return nil
}

func (p *plugin) set(state, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state, p.why = state, why
}

// gone says why no process runs.
func (p *plugin) gone() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.state {
	case tripped:
		return fmt.Errorf("process: it crashed %d times in %s and is tried again once a minute: %s", p.rt.timing.crashes, p.rt.timing.window, p.why)
	case closed:
		return errors.New("process: the plugin was closed")
	}
	return fmt.Errorf("process: it does not run at the moment: %s", p.why)
}

// supervise keeps a process running until Close.
func (p *plugin) supervise(c *child) {
	defer close(p.done)
	defer p.rt.dir.release()
	defer p.starter.end()
	t := p.rt.timing
	delay := t.backoff
	for {
		began := p.rt.options.Now()
		why := p.watch(c)
		p.child.Store(nil)
		if why == nil {
			p.set(closed, "")
			p.bury(c, true)
			return
		}
		p.set(backoff, why.Error())
		p.bury(c, false)
		if p.rt.options.Now().Sub(began) >= t.stable {
			delay = t.backoff
		}
		for c = nil; c == nil; {
			pause := delay/2 + rand.N(delay) // spread, so that plugins that fell together do not rise together
			delay = min(2*delay, t.backoffLimit)
			if p.crash() {
				pause = t.tripped
				p.set(tripped, why.Error())
				p.rt.options.Logf(p.name, "crashed %d times in %s, the last time because %v; all its calls fail until a start in %s succeeds", t.crashes, t.window, why, pause)
			} else {
				p.rt.options.Logf(p.name, "ended: %v; next start in %s", why, pause.Round(time.Millisecond))
			}
			if !p.rest(pause) {
				p.set(closed, "")
				return
			}
			c, why = p.relaunch()
			if errors.Is(why, errClosed) {
				p.set(closed, "")
				return
			}
		}
		p.child.Store(c)
		p.set(ready, "")
		p.restarts.Add(1) // last: who sees it may ask
		p.rt.options.Logf(p.name, "runs again")
	}
}

var errClosed = errors.New("process: closed meanwhile")

// relaunch is launch that Close can end.
func (p *plugin) relaunch() (*child, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	watched := make(chan struct{})
	defer close(watched)
	go func() {
		select {
		case <-p.stop:
			cancel(errClosed)
		case <-watched:
		}
	}()
	c, err := p.launch(ctx)
	if context.Cause(ctx) == errClosed {
		if c != nil {
			p.bury(c, true)
		}
		return nil, errClosed
	}
	return c, err
}

// rest waits, and tells whether to go on.
func (p *plugin) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.stop:
		return false
	}
}

// crash counts one, and tells whether they were too many.
func (p *plugin) crash() bool {
	now := p.rt.options.Now()
	p.discarded.Add(1)
	p.crashed = append(p.crashed, now)
	p.crashed = slices.DeleteFunc(p.crashed, func(t time.Time) bool { return now.Sub(t) > p.rt.timing.window })
	if n := len(p.crashed) - p.rt.timing.crashes; n > 0 {
		p.crashed = p.crashed[n:]
	}
	return len(p.crashed) >= p.rt.timing.crashes
}

// split takes a command line apart at spaces; "quoted words" may have some.
func split(s string) ([]string, error) {
	var words []string
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		end, rest := strings.IndexAny(s, " \t"), ""
		if s[0] == '"' {
			end = strings.IndexByte(s[1:], '"')
			if end < 0 {
				return nil, fmt.Errorf("source: a quotation mark without its partner")
			}
			s, rest = s[1:1+end], s[end+2:]
		} else if end >= 0 {
			s, rest = s[:end], s[end:]
		}
		words, s = append(words, s), rest
	}
	if len(words) == 0 || words[0] == "" {
		return nil, errors.New(`source: "process:" is followed by the path of a program`)
	}
	return words, nil
}

// folder is the private place of the sockets, shared by all plugins of a
// runtime and made when the first needs it.
type folder struct {
	base string

	mu   sync.Mutex
	path string
	lock *os.File // held as long as the folder is in use
	used int
}

// tempName is what a folder in the system's temporary one begins with.
const tempName = "mta-plugins-"

// maxDir is how long the path of a base may be: a socket's path has at most 107
// octets, and go-plugin adds two random names to ours.
const maxDir = 50

func (f *folder) make() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.used++; f.used > 1 {
		return nil
	}
	err := f.create()
	if err != nil {
		f.used--
	}
	return err
}

func (f *folder) create() error {
	if f.base == "" {
		return f.temporary(os.TempDir(), "/tmp")
	}
	if len(f.base) > maxDir {
		return fmt.Errorf("the folder for sockets %s has a path of more than %d octets, too long for sockets: choose another", f.base, maxDir)
	}
	if err := os.MkdirAll(f.base, 0o700); err != nil {
		return err
	}
	if info, err := os.Stat(f.base); err != nil {
		return err
	} else if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("the folder for sockets %s can be entered by others: chmod 0700", f.base)
	}
	f.sweep()
	f.path = filepath.Join(f.base, fmt.Sprint(os.Getpid()))
	return os.MkdirAll(f.path, 0o700)
}

// maxTemp is maxDir where the name of our own folder is longer than a number.
const maxTemp = 45

// temporary makes the folder in the usual one for temporary files, or in another
// one when the path of the usual leaves no room for the names of sockets.
func (f *folder) temporary(usual, short string) (err error) {
	base := usual
	if len(base) > maxTemp {
		base = short
	}
	sweepTemp(base)
	if f.path, err = os.MkdirTemp(base, tempName); err != nil {
		if base != usual {
			err = fmt.Errorf("the path of the folder for temporary files, %s, is too long for sockets, and there is no other: %w: set TMPDIR to one of at most %d octets", usual, err, maxTemp)
		}
		return err
	}
	if f.lock, err = claim(f.path); err != nil {
		os.RemoveAll(f.path)
	}
	return err
}

func (f *folder) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.used--; f.used == 0 {
		os.RemoveAll(f.path)
		if f.lock != nil {
			f.lock.Close()
			f.lock = nil
		}
	}
}

// place is the folder that the sockets are made in.
func (f *folder) place() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.path
}
