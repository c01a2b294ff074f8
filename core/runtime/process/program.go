package process

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin/runner"
	"github.com/programmable-mta/mta/sdk/serve/frames"
)

// starter makes all processes of one plugin from one thread: the kernel sends
// the signal of the parent's death when that thread ends, so it has to live as
// long as they do.
type starter struct {
	jobs chan func()
}

func newStarter() *starter {
	s := &starter{jobs: make(chan func())}
	go func() {
		goruntime.LockOSThread() // never unlocked: the thread ends with this goroutine
		for job := range s.jobs {
			job()
		}
	}()
	return s
}

func (s *starter) do(job func() error) error {
	var err error
	done := make(chan struct{})
	s.jobs <- func() { err = job(); close(done) }
	<-done
	return err
}

func (s *starter) end() { close(s.jobs) }

// program is one process, as go-plugin's runner. It keeps the outputs to
// itself: go-plugin gets the first line of stdout and nothing else, so no
// grandchild that holds a pipe can make it wait.
type program struct {
	p    *plugin
	env  []string
	dir  string // of its sockets
	line *io.PipeReader

	mu     sync.Mutex
	proc   *os.Process
	dead   bool // killed, perhaps before it was started
	reaped bool
	digest string

	outputs []*os.File // our ends
	reading sync.WaitGroup
	exited  chan struct{} // closed: it was reaped
	status  string        // how it ended; once exited is closed
	crashed bool          // and that was not our doing
	tail    *tail
}

var _ runner.Runner = (*program)(nil)

// newProgram is what go-plugin calls with the environment that it wants.
func newProgram(p *plugin, cmd *exec.Cmd, dir string) *program {
	env := []string{"PATH=" + os.Getenv("PATH"), frames.ParentEnv + "=" + strconv.Itoa(os.Getpid())}
	for _, name := range []string{"LANG", "TZ"} {
		if v := os.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return &program{p: p, env: append(env, cmd.Env...), dir: dir, exited: make(chan struct{}), tail: new(tail)}
}

// Start implements [runner.Runner].
func (c *program) Start(context.Context) error {
	// Asked before it is opened: to open a named pipe waits for its writer.
	if info, err := os.Stat(c.p.path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no program", c.p.path)
	}
	file, err := os.Open(c.p.path)
	if err != nil {
		return err
	}
	defer file.Close()
	digest, script, err := inspect(file)
	if err != nil {
		return err
	}
	if c.p.sha256 != "" && digest != c.p.sha256 {
		return fmt.Errorf("%s has the SHA-256 %s, and the configuration wants %s: it is another file", c.p.path, digest, c.p.sha256)
	}
	if c.p.about.Digest != "" && digest != c.p.about.Digest {
		return fmt.Errorf("%s has changed since it was loaded: mta plugin reload %s", c.p.path, c.p.name)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	out, outW, err := os.Pipe()
	if err != nil {
		return err
	}
	defer outW.Close()
	errs, errW, err := os.Pipe()
	if err != nil {
		out.Close()
		return err
	}
	defer errW.Close()
	c.outputs = []*os.File{out, errs}
	attr := &os.ProcAttr{Dir: filepath.Dir(c.p.path), Env: c.env, Files: []*os.File{null, outW, errW}, Sys: isolated()}
	path := c.p.path
	if c.p.sha256 != "" && !script {
		// The file whose digest was taken is the one that runs.
		path, attr.Files = "/proc/self/fd/3", append(attr.Files, file)
	}
	err = c.p.starter.do(func() (err error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.dead {
			return errors.New("it is not wanted any more")
		}
		c.digest = digest
		c.proc, err = os.StartProcess(path, append([]string{c.p.path}, c.p.args...), attr)
		return err
	})
	if err != nil {
		out.Close()
		errs.Close()
		return fmt.Errorf("%s cannot be started: %w", c.p.path, err)
	}
	confine(c.proc.Pid, c.p.limits.Memory)
	first, line := io.Pipe()
	c.line = first
	c.reading.Go(func() { c.stdout(out, line) })
	c.reading.Go(func() { c.p.log.copy(errs, "stderr", c.tail) })
	go c.reap(line)
	return nil
}

// inspect is the digest of a file, and whether an interpreter runs it.
func inspect(f *os.File) (digest string, script bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return "", false, err
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return "", false, fmt.Errorf("%s is no program: chmod +x it", f.Name())
	}
	var head [2]byte
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return "", false, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", false, err
	}
	return hex.EncodeToString(h.Sum(nil)), bytes.Equal(head[:], []byte("#!")), nil
}

// stdout passes the first line on, for the handshake, and logs the rest.
func (c *program) stdout(r io.Reader, line *io.PipeWriter) {
	var first []byte
	b := make([]byte, 1)
	for len(first) < 4096 {
		if n, err := r.Read(b); n == 0 && err != nil {
			line.CloseWithError(io.EOF)
			return
		}
		if first = append(first, b[0]); b[0] == '\n' {
			break
		}
	}
	line.Write(first)
	line.Close()
	c.p.log.copy(r, "stdout", c.tail)
}

// reap waits for the end of the process. Its group is killed before it is
// reaped, as long as its number cannot belong to anybody else.
func (c *program) reap(line *io.PipeWriter) {
	awaitExit(c.proc.Pid)
	c.mu.Lock()
	syscall.Kill(-c.proc.Pid, syscall.SIGKILL)
	c.reaped = true
	c.mu.Unlock()
	state, err := c.proc.Wait()
	c.status = "it ended"
	if err == nil {
		c.status = state.String()
		ws, _ := state.Sys().(syscall.WaitStatus)
		c.crashed = !ws.Signaled() || ws.Signal() != syscall.SIGKILL
	}
	// What it wrote before its end is read; whoever else holds the pipes is
	// not waited for.
	drained := make(chan struct{})
	go func() { c.reading.Wait(); close(drained) }()
	timer := time.NewTimer(200 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-drained:
	case <-timer.C:
	}
	for _, f := range c.outputs {
		f.Close()
	}
	line.Close()
	close(c.exited)
}

// kill ends the process and its group.
func (c *program) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = true
	if c.proc != nil && !c.reaped {
		syscall.Kill(-c.proc.Pid, syscall.SIGKILL)
		c.proc.Kill() // it may have left its group
	}
}

// Wait implements [runner.Runner].
func (c *program) Wait(ctx context.Context) error {
	select {
	case <-c.exited:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Kill implements [runner.Runner].
func (c *program) Kill(context.Context) error {
	c.kill()
	if c.ID() != "" {
		<-c.exited
	}
	return nil
}

// Diagnose implements [runner.Runner]: the last lines that it wrote.
func (c *program) Diagnose(context.Context) string { return c.tail.String() }

// Stdout implements [runner.Runner]: one line.
func (c *program) Stdout() io.ReadCloser { return c.line }

// Stderr implements [runner.Runner]: nothing, see program.
func (c *program) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name implements [runner.Runner].
func (c *program) Name() string { return c.p.path }

// ID implements [runner.Runner].
func (c *program) ID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.proc == nil {
		return ""
	}
	return strconv.Itoa(c.proc.Pid)
}

// PluginToHost implements [runner.Runner]. A plugin that listens elsewhere could
// be spoken to by others.
func (c *program) PluginToHost(network, address string) (string, string, error) {
	if network != "unix" || filepath.Dir(address) != c.dir {
		return "", "", fmt.Errorf("it listens on %s %s, and not on a unix socket in the folder that PLUGIN_UNIX_SOCKET_DIR names", network, address)
	}
	return network, address, nil
}

// HostToPlugin implements [runner.Runner].
func (c *program) HostToPlugin(string, string) (string, string, error) {
	return "", "", errors.New("process: the relay listens nowhere for its plugins")
}

// tail keeps the last of what a process wrote, to say why it ended.
type tail struct {
	mu    sync.Mutex
	lines []string
}

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lines = append(t.lines, line); len(t.lines) > 5 {
		t.lines = t.lines[1:]
	}
}

// String is what was kept, on one line.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, " | ")
}
