package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/cobra"

	"github.com/programmable-mta/mta/core/config"
	"github.com/programmable-mta/mta/core/queue"
)

// cli runs command lines in this process, with real files and sockets.
type cli struct {
	t   *testing.T
	dir string

	mu     sync.Mutex
	opened []string // sockets that were listened on
}

func newCLI(t *testing.T) *cli { return &cli{t: t, dir: t.TempDir()} }

// file writes a file of the test; DIR in it is the folder.
func (c *cli) file(name, text string) string {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	must(c.t, os.WriteFile(path, []byte(strings.ReplaceAll(text, "DIR", c.dir)), 0o600))
	return path
}

func (c *cli) run(args ...string) (stdout, stderr string, status int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var out, errs output
	w := systemWorld()
	w.stdin, w.stdout, w.stderr, w.terminal = strings.NewReader(""), &out, &errs, false
	w.getenv = func(string) string { return "" }
	w.listen = func(network, addr string) (net.Listener, error) {
		l, err := net.Listen(network, addr)
		if err == nil {
			c.mu.Lock()
			c.opened = append(c.opened, addr)
			c.mu.Unlock()
		}
		return l, err
	}
	status = execute(ctx, w, args)
	if s := out.String() + errs.String(); strings.Contains(s, "goroutine ") || strings.Contains(s, "panic") {
		c.t.Errorf("mta %s shows its insides:\n%s", strings.Join(args, " "), s)
	}
	return out.String(), errs.String(), status
}

const minimal = `hostname = "relay.test"
spool = "DIR/spool"
[[listen]]
address = "127.0.0.1:0"
[control]
socket = "DIR/control.sock"
`

func TestExitStatusesTellWhatKindOfFaultItWas(t *testing.T) {
	c := newCLI(t)
	good := c.file("good.toml", minimal)
	bad := c.file("bad.toml", minimal+"\n[limits]\nsesions = 5\n")
	closed := net.JoinHostPort("127.0.0.1", "1")
	for _, tc := range []struct {
		args   string
		status int
		says   string // on standard output if the status is 0
	}{
		{"--help", exitOK, "accepts mail over SMTP"},
		{"", exitOK, "Usage:"},
		{"--version", exitOK, "mta version"},
		{"queue", exitOK, "Available Commands"},
		{"config", exitOK, "[[listen]]"},
		{"check -c " + good, exitOK, "ok\n\n"},
		{"check --json -c " + good, exitOK, `"ok":true`},

		{"frobnicate", exitUsage, "frobnicate"},
		{"queue frobnicate", exitUsage, "frobnicate"},
		{"status --frob", exitUsage, "--frob"},
		{"status now", exitUsage, "see 'mta status --help'"},
		{"queue show -c " + good, exitUsage, "see 'mta queue show --help'"},
		{"queue list --older soon", exitUsage, "older"},
		{"route -c " + good, exitUsage, "see 'mta route --help'"},
		{"sink --fault nonsense", exitUsage, "a fault reads like"},

		{"status -c " + good, exitUnavailable, "mta serve"},
		{"queue list -c " + good, exitUnavailable, "not reachable"},
		{"queue hold --all --yes -c " + good, exitUnavailable, "not reachable"},
		{"explain 0000000001 -c " + good, exitUnavailable, "not reachable"},
		{"reload -c " + good, exitUnavailable, "not reachable"},
		{"drain -c " + good, exitUnavailable, "not reachable"},
		{"plugin list -c " + good, exitUnavailable, "not reachable"},
		{"send --addr " + closed, exitUnavailable, "is a relay running there"},

		{"check -c " + bad, exitConfig, "bad.toml:9: limits.sesions: "},
		{"serve -c " + bad, exitConfig, "bad.toml:9: limits.sesions: "},
		{"status -c " + bad, exitConfig, "bad.toml:9: limits.sesions: "},
		{"queue check -c " + bad, exitConfig, "bad.toml:9: limits.sesions: "},
		{"check -c " + c.dir + "/missing.toml", exitConfig, "missing.toml"},
		{"serve -c " + c.dir + "/missing.toml", exitConfig, "'mta serve --dev' needs no file"},
		{"send --body " + c.dir + "/missing.eml", exitFailed, "missing.eml"},
	} {
		out, errs, status := c.run(strings.Fields(tc.args)...)
		if status != tc.status {
			t.Errorf("mta %s: status %d, want %d\n%s%s", tc.args, status, tc.status, out, errs)
			continue
		}
		where := errs
		if status == exitOK {
			where = out
		}
		if !strings.Contains(where, tc.says) {
			t.Errorf("mta %s says\n%s\nwant %q", tc.args, where, tc.says)
		}
		if status != exitOK && strings.Count(strings.TrimSpace(errs), "\n") > 0 {
			t.Errorf("mta %s says more than a sentence:\n%s", tc.args, errs)
		}
	}
	if len(c.opened) > 0 {
		t.Errorf("sockets were opened: %v", c.opened)
	}
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	var visit func(*cobra.Command)
	n := 0
	visit = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
		if cmd.Name() == "help" {
			return
		}
		n++
		c := newCLI(t)
		args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
		out, errs, status := c.run(args...)
		if status != exitOK || errs != "" || !strings.Contains(out, "Examples:") || !strings.Contains(out, "Usage:") || cmd.Short == "" {
			t.Errorf("%s --help: status %d, it says\n%s%s", cmd.CommandPath(), status, out, errs)
		}
		if !strings.Contains(cmd.Example, cmd.CommandPath()) {
			t.Errorf("the example of %q does not use it:\n%s", cmd.CommandPath(), cmd.Example)
		}
		if !strings.Contains(out, "--config") {
			t.Errorf("%s does not take -c", cmd.CommandPath())
		}
	}
	visit(rootCommand(systemWorld()))
	if n < 25 {
		t.Errorf("only %d commands were visited", n)
	}
}

// taken is a port that somebody else listens on.
func taken(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// certificate writes a certificate and two keys, of which the second does not
// fit.
func (c *cli) certificate() {
	c.t.Helper()
	for i, name := range []string{"key.pem", "other.pem"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(c.t, err)
		der, err := x509.MarshalPKCS8PrivateKey(key)
		must(c.t, err)
		c.file(name, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
		if i == 0 {
			template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"relay.test"}}
			der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
			must(c.t, err)
			c.file("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
		}
	}
}

func TestARelayThatCannotStartSaysWhyBeforeItListens(t *testing.T) {
	port := taken(t)
	for _, tc := range []struct {
		name    string
		config  string // behind the minimal one, or in its place if it names a hostname
		prepare func(*cli)
		status  int
		says    []string
		listens bool // it may have: the fault is in a later socket
	}{
		{name: "port taken", config: strings.Replace(minimal, "127.0.0.1:0", port, 1), status: exitFailed,
			says: []string{"listen[0].address", port, "address already in use", "stop the program that has it"}},
		{name: "second port taken", config: minimal + "[[listen]]\naddress = \"" + port + "\"\n", status: exitFailed, listens: true,
			says: []string{"listen[1].address", port}},
		{name: "metrics port taken", config: minimal + "[metrics]\naddress = \"" + port + "\"\n", status: exitFailed, listens: true,
			says: []string{"metrics.address", port}},
		{name: "spool locked", config: minimal, status: exitFailed, says: []string{"the spool is in use", "by process"}, prepare: func(c *cli) {
			must(c.t, os.Mkdir(filepath.Join(c.dir, "spool"), 0o700))
			q, err := queue.Open(filepath.Join(c.dir, "spool"), queue.Options{})
			must(c.t, err)
			c.t.Cleanup(func() { q.Close() })
		}},
		{name: "spool is a file", config: minimal, status: exitFailed, says: []string{"spool", "not a directory"}, prepare: func(c *cli) { c.file("spool", "x") }},
		{name: "spool below a file", config: strings.Replace(minimal, "DIR/spool", "DIR/file/spool", 1), status: exitFailed,
			says: []string{"file/spool cannot be made"}, prepare: func(c *cli) { c.file("file", "x") }},
		{name: "spool not writable", config: strings.Replace(minimal, "DIR/spool", "DIR/closed/spool", 1), status: exitFailed,
			says: []string{"closed/spool cannot be made", "permission denied"}, prepare: func(c *cli) {
				notRoot(c.t)
				must(c.t, os.Mkdir(filepath.Join(c.dir, "closed"), 0o500))
			}},
		{name: "key missing", config: minimal + "[tls]\ncertificates = [{cert = \"cert.pem\", key = \"gone.pem\"}]\n", status: exitConfig,
			says: []string{"mta.toml:8: ", "gone.pem\" does not exist"}},
		{name: "key of another", config: minimal + "[tls]\ncertificates = [{cert = \"cert.pem\", key = \"other.pem\"}]\n", status: exitConfig,
			says: []string{"other.pem", "does not"}},
		{name: "key unreadable", config: minimal + "[tls]\ncertificates = [{cert = \"cert.pem\", key = \"key.pem\"}]\n", status: exitConfig,
			says: []string{"key.pem", "permission denied"}, prepare: func(c *cli) {
				notRoot(c.t)
				must(c.t, os.Chmod(filepath.Join(c.dir, "key.pem"), 0))
			}},
		{name: "roots without a certificate", config: minimal + "[tls]\nroots = \"key.pem\"\n", status: exitConfig, says: []string{"tls.roots"}},
		{name: "socket in use", config: minimal, status: exitFailed, listens: true, says: []string{"control.sock is in use"}, prepare: func(c *cli) {
			l, err := net.Listen("unix", filepath.Join(c.dir, "control.sock"))
			must(c.t, err)
			c.t.Cleanup(func() { l.Close() })
		}},
		{name: "socket is a file", config: minimal, status: exitFailed, listens: true, says: []string{"control.sock", "something else"},
			prepare: func(c *cli) { c.file("control.sock", "x") }},
		{name: "plugin does not start", config: minimal + "[[plugin]]\nname = \"boxes\"\nsource = \"builtin:maildir\"\nconfig = {path = \"relative\"}\n",
			status: exitConfig, says: []string{"boxes", "path"}},
		{name: "plugin that is not there", config: minimal + "[[plugin]]\nname = \"x\"\nsource = \"builtin:xyz\"\n", status: exitConfig,
			says: []string{"mta.toml:9: plugin[0].source", "maildir"}},
		{name: "route to nobody", config: minimal + "[[route]]\nto = \"*\"\nvia = \"nobody\"\n", status: exitConfig, says: []string{"nobody"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCLI(t)
			c.certificate()
			if tc.prepare != nil {
				tc.prepare(c)
			}
			path := c.file("mta.toml", tc.config)
			_, errs, status := c.run("serve", "-c", path)
			if status != tc.status {
				t.Errorf("status %d, want %d", status, tc.status)
			}
			for _, s := range tc.says {
				if !strings.Contains(errs, s) {
					t.Errorf("it does not say %q:\n%s", s, errs)
				}
			}
			if lines := strings.Count(strings.TrimSpace(errs), "\n"); lines > 0 {
				t.Errorf("more than a sentence:\n%s", errs)
			}
			if len(c.opened) > 0 && !tc.listens {
				t.Errorf("sockets were opened before: %v", c.opened)
			}
			// What it did open is closed, and what it locked is free again.
			if tc.name == "socket is a file" {
				must(t, os.Remove(filepath.Join(c.dir, "control.sock")))
				d := &daemon{t: t, bin: mustBinary(t), dir: c.dir, config: path}
				out, err := exec.Command(d.bin, "queue", "check", "-c", path).CombinedOutput()
				if err != nil {
					t.Errorf("the spool is not free: %v %s", err, out)
				}
			}
		})
	}
}

func notRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() == 0 {
		t.Skip("root may read and write everything")
	}
}

func mustBinary(t *testing.T) string {
	t.Helper()
	bin, err := binary()
	must(t, err)
	return bin
}

// The real program, through a real socket.
func TestARunningRelayIsSteeredThroughItsSocket(t *testing.T) {
	d := startDaemon(t, "[limits]\nsessions_per_ip = 100\n")
	status := func(args ...string) (string, int) {
		t.Helper()
		cmd := exec.Command(d.bin, append(args, "-c", d.config)...)
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	want := func(code int, says string, args ...string) {
		t.Helper()
		out, got := status(args...)
		if got != code || !strings.Contains(out, says) || strings.Contains(out, "goroutine ") {
			t.Errorf("mta %s: status %d, want %d with %q:\n%s", strings.Join(args, " "), got, code, says, out)
		}
	}
	want(exitOK, "relay.test, running", "status")
	want(exitFailed, "no message ZZ in the queue", "queue", "show", "ZZ")
	want(exitUsage, "give IDs, a filter, or --all", "queue", "hold")
	want(exitUsage, "nobody is there to ask", "queue", "hold", "--all")
	want(exitUsage, "no state", "queue", "list", "--state", "odd")
	want(exitUsage, "is no address", "route", "nonsense")
	want(exitFailed, "no built-in sink", "sink", "list")
	want(exitFailed, "the spool is in use", "queue", "check")

	// A broken configuration: reload says what and where, and the old one stays.
	old, err := os.ReadFile(d.config)
	must(t, err)
	broken := filepath.Join(d.dir, "broken.toml")
	must(t, os.WriteFile(d.config, append(bytes.Clone(old), "typo = 1\n"...), 0o600))
	out, err := exec.Command(d.bin, "reload", "-c", d.config).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "typo") {
		t.Errorf("reload with a broken configuration: %v\n%s", err, out)
	}
	must(t, os.Rename(d.config, broken))
	must(t, os.WriteFile(d.config, old, 0o600))
	want(exitOK, "reloaded", "reload")
	must(t, d.cmd.Process.Signal(syscall.SIGHUP))
	waitFor(t, 10*time.Second, "HUP reloads", func() bool { return strings.Count(d.log.String(), "configuration reloaded") == 2 })

	want(exitOK, "draining", "drain")
	select {
	case <-d.done:
	case <-time.After(20 * time.Second):
		t.Fatal("drain does not end the relay")
	}
	if code := d.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("a drained relay ends with status %d", code)
	}
	want(exitUnavailable, "not reachable", "status")
	want(exitOK, "0 messages", "queue", "check")
	want(exitOK, "rebuilt", "queue", "rebuild")
	want(exitOK, "0 messages", "queue", "compact")
}

func TestTheProgramEndsWithTheStatusOfItsCommand(t *testing.T) {
	bin := mustBinary(t)
	for args, want := range map[string]int{"config": exitOK, "frobnicate": exitUsage, "queue list": exitUnavailable, "check -c /nonexistent": exitConfig} {
		cmd := exec.Command(bin, strings.Fields(args)...)
		cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir()) // no relay of --dev has its socket there
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("mta %s: status %d, want %d\n%s", args, got, want, out)
		}
	}
}

// A plugin author saves a file, and the relay of --dev has it.
func TestDevTakesThePluginsOfAFileAndLoadsThemAnewWhenTheyChange(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "mta.toml")
	write := func(mode string) {
		t.Helper()
		text := "hostname = \"mta.localhost\"\n[[listen]]\naddress = \"127.0.0.1:25\"\n[[plugin]]\nname = \"tag\"\nsource = \"builtin:discard\"\nmode = \"" + mode + "\"\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("active")
	w := systemWorld()
	cfg, err := devConfig(w, file, filepath.Join(dir, "spool"), "127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Plugins) != 1 || cfg.Listen[0].Address.Port() != 2525 || cfg.Routes[0].Hosts[0] != "127.0.0.1:1" {
		t.Fatalf("plugins %v, listen %v, routes %v", cfg.Plugins, cfg.Listen, cfg.Routes)
	}
	synctest.Test(t, func(t *testing.T) {
		w := *w
		w.stderr, w.noControl, w.now = io.Discard, true, time.Now
		w.listen = func(string, string) (net.Listener, error) {
			return &silentListener{make(chan struct{}), sync.Once{}}, nil
		}
		from := origin{file, func() (*config.Config, error) {
			return devConfig(&w, file, filepath.Join(dir, "spool"), "127.0.0.1:1")
		}}
		r, err := start(t.Context(), &w, cfg, from, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); r.watch(ctx, time.Second/2) }()
		time.Sleep(time.Second)
		before := r.gen.Load()
		if time.Sleep(3 * time.Second); r.gen.Load() != before {
			t.Error("it reloads though nothing has changed")
		}
		write("off")
		if time.Sleep(3 * time.Second); r.gen.Load() == before || r.gen.Load().find("tag") != nil {
			t.Error("it has not taken the change")
		}
		cancel()
		<-done
		r.stop(t.Context())
	})
}

// silentListener is a socket that nobody calls.
type silentListener struct {
	closed chan struct{}
	once   sync.Once
}

func (l *silentListener) Accept() (net.Conn, error) { <-l.closed; return nil, net.ErrClosed }
func (l *silentListener) Close() error              { l.once.Do(func() { close(l.closed) }); return nil }
func (l *silentListener) Addr() net.Addr            { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2525} }
