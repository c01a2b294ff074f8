package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Real servers and clients from Debian. A test that needs one is skipped with a
// sentence where it is missing; with CI set it fails instead, so that CI never
// skips.

// need finds programs that a test cannot do without.
func need(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if find(name) == "" {
			missing(t, "%s is not installed (see .ci/run for the packages)", name)
		}
	}
}

func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("missing in CI: "+format, args...)
	}
	t.Skipf(format, args...)
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		missing(t, "Debian's servers start only as root")
	}
}

func find(name string) string {
	if p, err := exec.LookPath(name); err == nil {
		return p
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/lib/dovecot", os.Getenv("MTA_EXIM_DIR")} {
		if p := filepath.Join(dir, name); dir != "" {
			if st, err := os.Stat(p); err == nil && !st.IsDir() {
				return p
			}
		}
	}
	return ""
}

// binary builds the program once for all tests of this package.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "mta-test")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "mta")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil && code == 0 {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// freePort is a TCP port at which nobody listens right now.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// waitFor polls until the condition holds; what says what was waited for.
func waitFor(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(limit)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited %v in vain until %s", limit, what)
		}
	}
}

func listens(port int) func() bool {
	return func() bool {
		c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
		if err == nil {
			c.Close()
		}
		return err == nil
	}
}

// output is what a child prints, readable while it runs.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// child is a process that a test has started, and that ends with it.
type child struct {
	cmd  *exec.Cmd
	log  *output
	done chan struct{}
}

func spawn(t *testing.T, dir, name string, args ...string) *child {
	t.Helper()
	return spawnCommand(t, dir, exec.Command(name, args...))
}

func spawnCommand(t *testing.T, dir string, cmd *exec.Cmd) *child {
	t.Helper()
	c := &child{cmd: cmd, log: &output{}, done: make(chan struct{})}
	c.cmd.Dir = dir
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { c.cmd.Wait(); close(c.done) }()
	t.Cleanup(func() {
		c.stop(10 * time.Second)
		if t.Failed() {
			t.Logf("%s:\n%s", filepath.Base(cmd.Path), tail(c.log.String(), 6000))
		}
	})
	return c
}

// stop asks the process to end, and ends it after a while.
func (c *child) stop(grace time.Duration) {
	select {
	case <-c.done:
		return
	default:
	}
	c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(grace):
		c.kill()
	}
}

func (c *child) kill() {
	syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	<-c.done
}

func tail(s string, n int) string {
	if len(s) > n {
		return "..." + s[len(s)-n:]
	}
	return s
}

// daemon is the real program under a configuration of the test.
type daemon struct {
	*child
	t      *testing.T
	bin    string
	dir    string
	port   int
	config string
}

// startDaemon runs `mta serve`; config may use PORT (ours) and DIR.
func startDaemon(t *testing.T, config string) *daemon {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{t: t, bin: bin, dir: t.TempDir(), port: freePort(t)}
	d.config = filepath.Join(d.dir, "mta.toml")
	text := fmt.Sprintf(`hostname = "relay.test"
spool = "DIR/spool"
[[listen]]
address = "127.0.0.1:PORT"
[relay]
networks = ["127.0.0.0/8"]
[control]
socket = "DIR/control.sock"
%s`, config)
	text = strings.NewReplacer("PORT", fmt.Sprint(d.port), "DIR", d.dir).Replace(text)
	if err := os.WriteFile(d.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d.start()
	return d
}

func (d *daemon) start() {
	d.t.Helper()
	d.child = spawn(d.t, d.dir, d.bin, "serve", "-c", d.config)
	waitFor(d.t, 30*time.Second, "the relay listens", func() bool {
		select {
		case <-d.done:
			d.t.Fatalf("the relay has ended: %s", d.log.String())
		default:
		}
		return listens(d.port)()
	})
}

// mta runs one of our commands against the daemon.
func (d *daemon) mta(args ...string) string {
	d.t.Helper()
	out, err := exec.Command(d.bin, append(args, "-c", d.config)...).CombinedOutput()
	if err != nil {
		d.t.Fatalf("mta %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (d *daemon) waitEmpty(limit time.Duration) {
	d.t.Helper()
	waitFor(d.t, limit, "the queue is empty", func() bool {
		return strings.HasPrefix(strings.TrimSpace(d.mta("queue", "count")), "0 ")
	})
}

// command runs a client to its end.
func command(t *testing.T, stdin string, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, find(name), args...)
	c.Stdin = strings.NewReader(stdin)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, tail(string(out), 3000))
	}
	return string(out)
}

// ---- Debian's servers ----

// postfix is an instance of its own: it keeps mail for local.test in maildirs
// and relays the rest to another port.
type postfix struct {
	dir  string
	port int
}

func startPostfix(t *testing.T, relayPort int) *postfix {
	t.Helper()
	need(t, "postfix", "postconf")
	needRoot(t)
	p := &postfix{dir: worldDir(t), port: freePort(t)}
	etc := filepath.Join(p.dir, "etc")
	for _, d := range []string{"etc", "spool", "data", "mail"} {
		must(t, os.MkdirAll(filepath.Join(p.dir, d), 0o755))
	}
	chown(t, "postfix", filepath.Join(p.dir, "data"))
	chown(t, "mail", filepath.Join(p.dir, "mail"))
	mail, err := user.Lookup("mail")
	must(t, err)
	write(t, filepath.Join(etc, "main.cf"), fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/spool
data_directory = %[1]s/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
myhostname = postfix.test
mydestination =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:%[2]d
smtp_host_lookup = native
virtual_mailbox_domains = local.test
virtual_mailbox_maps = static:all/
virtual_mailbox_base = %[1]s/mail
virtual_uid_maps = static:%[3]s
virtual_gid_maps = static:%[4]s
virtual_minimum_uid = 1
smtpd_peername_lookup = no
smtpd_recipient_restrictions = check_recipient_access inline:{ {nosuch@local.test = 550 5.1.1 no such user here} {later@local.test = 450 4.2.0 come back later} }, permit_mynetworks, reject
maillog_file = %[1]s/maillog
maillog_file_prefixes = %[1]s
`, p.dir, relayPort, mail.Uid, mail.Gid))
	master, err := os.ReadFile("/etc/postfix/master.cf")
	must(t, err)
	var lines []string
	for _, l := range strings.Split(string(master), "\n") {
		f := strings.Fields(l)
		if len(f) > 7 && f[0] == "smtp" && f[1] == "inet" {
			l = fmt.Sprintf("127.0.0.1:%d inet n - n - - smtpd", p.port)
		} else if len(f) > 7 && l[0] != '#' && l[0] != ' ' {
			f[4] = "n" // no chroot
			l = strings.Join(f, " ")
		}
		lines = append(lines, l)
	}
	text := strings.Join(lines, "\n")
	if !strings.Contains(text, "\npostlog") {
		text += "\npostlog unix-dgram n - n - 1 postlogd\n"
	}
	write(t, filepath.Join(etc, "master.cf"), text)
	command(t, "", "postfix", "-c", etc, "start")
	t.Cleanup(func() {
		exec.Command(find("postfix"), "-c", etc, "stop").Run()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(p.dir, "maillog"))
			t.Logf("postfix:\n%s", tail(string(log), 4000))
		}
	})
	waitFor(t, 20*time.Second, "Postfix listens", listens(p.port))
	return p
}

// mails are the messages that Postfix has delivered to its maildir.
func (p *postfix) mails(t *testing.T) []string {
	return maildir(t, filepath.Join(p.dir, "mail", "all"))
}

func maildir(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "new", "*"))
	must(t, err)
	var out []string
	for _, n := range names {
		b, err := os.ReadFile(n)
		must(t, err)
		out = append(out, string(b))
	}
	return out
}

// exim is an instance of its own, from an unpacked package.
type exim struct {
	dir  string
	port int
}

func startExim(t *testing.T) *exim {
	t.Helper()
	need(t, "exim4")
	needRoot(t)
	e := &exim{dir: worldDir(t), port: freePort(t)}
	u, err := user.Lookup("Debian-exim")
	if err != nil {
		missing(t, "no user Debian-exim (see .ci/run)")
	}
	for _, d := range []string{"spool", "log", "mail"} {
		must(t, os.MkdirAll(filepath.Join(e.dir, d), 0o755))
		chown(t, u.Username, filepath.Join(e.dir, d))
	}
	chown(t, u.Username, e.dir)
	write(t, filepath.Join(e.dir, "exim.conf"), fmt.Sprintf(`exim_path = %[3]s
spool_directory = %[1]s/spool
log_file_path = %[1]s/log/%%slog
pid_file_path = %[1]s/spool/exim.pid
primary_hostname = exim.test
local_interfaces = 127.0.0.1
daemon_smtp_ports = %[2]d
tls_advertise_hosts =
never_users =
deliver_drop_privilege = true
acl_smtp_rcpt = check
begin acl
check:
  deny local_parts = nosuch
       message = 5.1.1 no such user here
  accept
begin routers
all:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  directory = %[1]s/mail
  maildir_format
  create_directory
  user = Debian-exim
  group = Debian-exim
begin retry
* * F,1h,1m
`, e.dir, e.port, find("exim4")))
	spawn(t, e.dir, find("exim4"), "-C", filepath.Join(e.dir, "exim.conf"), "-bdf", "-q10s")
	waitFor(t, 20*time.Second, "Exim listens", listens(e.port))
	return e
}

func (e *exim) mails(t *testing.T) []string { return maildir(t, filepath.Join(e.dir, "mail")) }

// dovecot is an LMTP server of its own with one user, ann@box.test.
type dovecot struct {
	dir  string
	port int
}

func startDovecot(t *testing.T) *dovecot {
	t.Helper()
	need(t, "dovecot")
	needRoot(t)
	d := &dovecot{dir: worldDir(t), port: freePort(t)}
	for _, s := range []string{"run", "state", "mail"} {
		must(t, os.MkdirAll(filepath.Join(d.dir, s), 0o755))
	}
	chown(t, "mail", filepath.Join(d.dir, "mail"))
	write(t, filepath.Join(d.dir, "users"), "ann@box.test:{PLAIN}x:::::\n")
	write(t, filepath.Join(d.dir, "dovecot.conf"), fmt.Sprintf(`protocols = lmtp
ssl = no
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
default_login_user = nobody
default_internal_user = nobody
default_internal_group = nogroup
mail_location = maildir:%[1]s/mail/%%u
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = passwd-file
  args = %[1]s/users
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = %[2]d
  }
}
`, d.dir, d.port))
	spawn(t, d.dir, find("dovecot"), "-F", "-c", filepath.Join(d.dir, "dovecot.conf"))
	waitFor(t, 20*time.Second, "Dovecot listens", listens(d.port))
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(d.dir, "log"))
			t.Logf("dovecot:\n%s", tail(string(log), 3000))
		}
	})
	return d
}

// worldDir is a temporary folder that other users may enter: servers drop root.
func worldDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mta-peer")
	must(t, err)
	must(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o644))
}

func chown(t *testing.T, name, path string) {
	t.Helper()
	u, err := user.Lookup(name)
	must(t, err)
	var uid, gid int
	fmt.Sscan(u.Uid, &uid)
	fmt.Sscan(u.Gid, &gid)
	must(t, os.Chown(path, uid, gid))
}
