package mtatest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/tools/txtar"
)

// Env is the world in which a relay is booted.
type Env struct {
	Dir      string // a temporary folder; the configuration is Dir/mta.toml
	Config   string // path of the configuration
	Net      *Net
	Zone     *ZoneServer
	Log      io.Writer
}

// Relay is a booted relay.
type Relay interface {
	// Command runs a command line as a person would, without the program name.
	Command(args ...string) (stdout string, status int)
	// Stop ends the relay in an orderly way.
	Stop()
	// Kill ends it as kill -9 does: nothing is written any more.
	Kill()
}

// Boot starts a relay in a world.
type Boot func(t testing.TB, env Env) Relay

// RunStories runs every story below dir, each in a bubble of its own. A story
// is a txtar file: a comment that says what it shows, and the files
//
//	config        TOML; what a story does not say is added by [baseConfig]
//	zone          DNS records in the presentation form
//	peer HOST:PORT  rules of a next hop, see [Peer]
//	script        what happens, line by line
//
// and any message that the script sends. Script lines are
//
//	connect [IP]         a client connects (several: "connect as B [IP]", then "B> ...")
//	C: TEXT              the client says a line
//	S: PATTERN           the server answers; * matches anything; a multi-line reply is one line
//	send FILE            the client sends a file as message, dot-stuffed, with the final dot
//	raw "GO STRING"      the client sends just these octets
//	closed               the server has closed the connection
//	close                the client closes it
//	wait DURATION        the time goes on ("5m", "5d")
//	$ mta ARGS           a command is run; lines starting with "| " are what it must
//	                     print (substrings, in order); "? N" is its exit status if not 0
//	got HOST:PORT N      the peer has N messages by now
//	got HOST:PORT #I from=A to=A,B   message I (from 1) has this envelope
//	got HOST:PORT #I has TEXT        ... and contains TEXT
//	got HOST:PORT #I hasnot TEXT     ... and does not
//	connections HOST:PORT N
//	log TEXT             the log holds this text; "nolog TEXT": it does not
//	blackhole IP:PORT    an address that never answers
//	restart              stop and start the relay; "crash": kill and start it
//	note TEXT            a remark
func RunStories(t *testing.T, dir string, boot Boot) {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, ".txtar") {
			files = append(files, p)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories below %s (%v)", dir, err)
	}
	for _, file := range files {
		name, _ := filepath.Rel(dir, file)
		t.Run(strings.TrimSuffix(filepath.ToSlash(name), ".txtar"), func(t *testing.T) {
			RunStory(t, file, boot)
		})
	}
}

// RunStory runs one story.
func RunStory(t *testing.T, file string, boot Boot) {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := &story{t: t, file: filepath.Base(file), files: map[string]string{}, peers: map[string]*Peer{}, clients: map[string]*client{}, boot: boot}
		s.play(a, dir)
	})
}

type story struct {
	t       *testing.T
	file    string
	line    int
	files   map[string]string
	peers   map[string]*Peer
	clients map[string]*client
	current string
	net     Net
	log     syncBuffer
	boot    Boot
	env     Env
	relay   Relay
	output  []string
	status  int
}

// baseConfig is what every story's relay has unless its config says otherwise.
const baseConfig = `hostname = "relay.test"
spool = "%s/spool"
`

func (s *story) play(a *txtar.Archive, dir string) {
	var zone, config, script string
	var stops []func()
	var peers sync.WaitGroup
	for _, f := range a.Files {
		switch name, rest, _ := strings.Cut(f.Name, " "); name {
		case "zone":
			zone = string(f.Data)
		case "config":
			config = string(f.Data)
		case "script":
			script = string(f.Data)
		case "peer":
			p, err := NewPeer(rest, string(f.Data))
			if err != nil {
				s.t.Fatal(err)
			}
			l, err := s.net.Listen("tcp", rest)
			if err != nil {
				s.t.Fatal(err)
			}
			s.peers[rest] = p
			peers.Go(func() { p.Serve(l) })
			stops = append(stops, func() { l.Close() })
		default:
			s.files[f.Name] = string(f.Data)
		}
	}
	s.env = Env{Dir: dir, Config: filepath.Join(dir, "mta.toml"), Net: &s.net, Zone: Zone(s.t, zone), Log: &s.log}
	text := strings.ReplaceAll(s.base(dir, config)+config, "$DIR", dir)
	if err := os.WriteFile(s.env.Config, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	for name, data := range s.files {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), []byte(data), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	s.relay = s.boot(s.t, s.env)
	defer func() {
		for _, c := range s.clients {
			c.conn.Close()
		}
		s.relay.Stop()
		for _, stop := range stops {
			stop()
		}
		peers.Wait()
		if s.t.Failed() {
			s.t.Logf("log:\n%s", s.log.String())
		}
	}()
	for i, line := range strings.Split(script, "\n") {
		s.line = i + 1
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			s.step(line)
		}
		if s.t.Failed() {
			return
		}
	}
	s.checkStatus()
}

// base gives the lines that the story's own configuration leaves out.
func (s *story) base(dir, config string) string {
	b := ""
	for _, line := range strings.Split(fmt.Sprintf(baseConfig, dir), "\n") {
		key, _, ok := strings.Cut(line, " =")
		if ok && !regexp.MustCompile(`(?m)^`+key+`\s*=`).MatchString(config) {
			b += line + "\n"
		}
	}
	tail := ""
	if !strings.Contains(config, "[[listen]]") {
		tail += "[[listen]]\naddress = \"127.0.0.1:25\"\nprofile = \"mx\"\n"
	}
	if !strings.Contains(config, "[control]") {
		tail += "[control]\nsocket = \"$DIR/control.sock\"\n"
	}
	// Tables must follow the bare keys: those of the story's own come last.
	if i := strings.Index(config, "["); i > 0 && strings.TrimSpace(config[:i]) != "" {
		s.t.Fatalf("%s: config: bare keys before the first table are not supported together with defaults; use hostname and spool only", s.file)
	}
	return b + tail
}

func (s *story) fail(format string, args ...any) {
	s.t.Helper()
	s.t.Errorf("%s: script line %d: %s", s.file, s.line, fmt.Sprintf(format, args...))
}

var asClient = regexp.MustCompile(`^([A-Z])> (.*)$`)

func (s *story) step(line string) {
	if m := asClient.FindStringSubmatch(line); m != nil {
		s.current, line = m[1], m[2]
	}
	if strings.HasPrefix(line, "| ") || line == "|" {
		s.expectOutput(strings.TrimPrefix(strings.TrimPrefix(line, "|"), " "))
		return
	}
	if strings.HasPrefix(line, "? ") {
		if want, _ := strconv.Atoi(line[2:]); want != s.status {
			s.fail("the command ended with status %d, want %d; it printed\n%s", s.status, want, strings.Join(s.output, "\n"))
		}
		s.status = 0
		return
	}
	s.checkStatus()
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "connect", "C:", "S:", "send", "raw", "closed", "close":
		s.talk(word, rest)
	case "wait":
		time.Sleep(s.duration(rest))
		synctest.Wait()
	case "$":
		s.command(rest)
	case "got":
		s.got(rest)
	case "connections":
		f := strings.Fields(rest)
		if n := s.peer(f[0]).Connections(); strconv.Itoa(n) != f[1] {
			s.fail("%s has seen %d connections, want %s", f[0], n, f[1])
		}
	case "log", "nolog":
		synctest.Wait()
		time.Sleep(300 * time.Millisecond)
		if strings.Contains(s.log.String(), rest) != (word == "log") {
			s.fail("%s %s; the log is\n%s", word, rest, s.log.String())
		}
	case "blackhole":
		s.net.Blackhole(rest)
	case "restart":
		s.relay.Stop()
		s.relay = s.boot(s.t, s.env)
	case "crash":
		s.relay.Kill()
		s.relay = s.boot(s.t, s.env)
	case "note":
	default:
		s.fail("unknown step %q", line)
	}
}

func (s *story) duration(text string) time.Duration {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil {
			s.fail("%v", err)
		}
		return time.Duration(n) * 24 * time.Hour
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		s.fail("%v", err)
	}
	return d
}

func (s *story) command(line string) {
	args := strings.Fields(strings.ReplaceAll(strings.TrimPrefix(line, "mta "), "$ID", s.lastID()))
	out, status := s.relay.Command(args...)
	s.output, s.status = strings.Split(out, "\n"), status
}

func (s *story) checkStatus() {
	if s.status != 0 {
		s.fail("the command ended with status %d; it printed\n%s", s.status, strings.Join(s.output, "\n"))
		s.status = 0
	}
}

func (s *story) expectOutput(want string) {
	want = strings.ReplaceAll(want, "$ID", s.lastID())
	for i, l := range s.output {
		if match(l, "*"+want+"*") {
			s.output = s.output[i+1:]
			return
		}
	}
	s.fail("the command does not print (any more) %q; what is left:\n%s", want, strings.Join(s.output, "\n"))
}

var queuedAs = regexp.MustCompile(`queued as ([0-9A-Z]+)`)

// lastID is the queue ID in the last "queued as" that a client has seen.
func (s *story) lastID() string {
	if c := s.clients[s.current]; c != nil && c.id != "" {
		return c.id
	}
	return "NONE"
}

func (s *story) peer(name string) *Peer {
	p := s.peers[name]
	if p == nil {
		s.fail("no peer %s in this story", name)
		return &Peer{}
	}
	return p
}

func (s *story) got(rest string) {
	synctest.Wait()
	f := strings.SplitN(rest, " ", 3)
	msgs := s.peer(f[0]).Messages()
	if n, err := strconv.Atoi(f[1]); err == nil {
		if len(msgs) != n {
			s.fail("%s has %d messages, want %d", f[0], len(msgs), n)
		}
		return
	}
	i, err := strconv.Atoi(strings.TrimPrefix(f[1], "#"))
	if err != nil || i < 1 || i > len(msgs) {
		s.fail("%s has %d messages, no %s", f[0], len(msgs), f[1])
		return
	}
	m := msgs[i-1]
	verb, arg, _ := strings.Cut(f[2], " ")
	switch {
	case verb == "has" || verb == "hasnot":
		if strings.Contains(m.Data, strings.ReplaceAll(arg, `\r\n`, "\r\n")) != (verb == "has") {
			s.fail("message %d of %s %s %q; it is\n%s", i, f[0], verb, arg, m.Data)
		}
	case strings.HasPrefix(verb, "mail=") || strings.HasPrefix(verb, "rcpt="):
		have := m.Mail
		if verb[:4] == "rcpt" {
			have = strings.Join(m.Rcpt, " ")
		}
		if want := strings.TrimSpace(f[2][5:]); !match(have, want) {
			s.fail("message %d of %s came with %q, want %q", i, f[0], have, want)
		}
	default:
		have := fmt.Sprintf("from=%s to=%s", m.From, strings.Join(m.To, ","))
		if have != f[2] {
			s.fail("message %d of %s: %s, want %s", i, f[0], have, f[2])
		}
	}
}

// client is one SMTP client of a story.
type client struct {
	conn net.Conn
	r    *bufio.Reader
	id   string
}

var connectAs = regexp.MustCompile(`^as ([A-Z])\s*(.*)$`)

func (s *story) talk(word, rest string) {
	if word == "connect" {
		s.current = "A"
		if m := connectAs.FindStringSubmatch(rest); m != nil {
			s.current, rest = m[1], m[2]
		}
		from, to := "127.0.0.1", "127.0.0.1:25"
		if f := strings.Fields(rest); len(f) > 0 {
			from = f[0]
			if len(f) > 1 {
				to = f[1]
			}
		}
		c, err := s.net.DialFrom(context.Background(), from, "tcp", to)
		if err != nil {
			s.fail("%v", err)
			return
		}
		s.clients[s.current] = &client{conn: c, r: bufio.NewReader(c)}
		return
	}
	c := s.clients[s.current]
	if c == nil {
		s.fail("no client is connected")
		return
	}
	switch word {
	case "C:":
		io.WriteString(c.conn, rest+"\r\n")
	case "S:":
		got := c.reply()
		if m := queuedAs.FindStringSubmatch(got); m != nil {
			c.id = m[1]
		}
		if !match(got, rest) {
			s.fail("the server says %q, want %q", got, rest)
		}
	case "send":
		text, ok := s.files[rest]
		if !ok {
			s.fail("no file %q in this story", rest)
		}
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
		text = strings.ReplaceAll("\r\n"+text, "\r\n.", "\r\n..")[2:]
		io.WriteString(c.conn, text+".\r\n")
	case "raw":
		text, err := strconv.Unquote(rest)
		if err != nil {
			s.fail("raw %s: %v", rest, err)
		}
		io.WriteString(c.conn, text)
	case "closed":
		c.conn.SetReadDeadline(time.Now().Add(time.Second))
		if b, err := c.r.ReadByte(); err != io.EOF {
			s.fail("the server has not closed the connection (%q, %v)", b, err)
		}
	case "close":
		c.conn.Close()
	}
}

// reply reads one reply; the lines of a multi-line one are joined by " / ".
func (c *client) reply() string {
	var lines []string
	c.conn.SetReadDeadline(time.Now().Add(20 * time.Minute))
	for {
		l, err := c.r.ReadString('\n')
		if err != nil {
			return strings.Join(append(lines, "["+err.Error()+"]"), " / ")
		}
		l = strings.TrimRight(l, "\r\n")
		lines = append(lines, l)
		if len(l) < 4 || l[3] != '-' {
			return strings.Join(lines, " / ")
		}
	}
}

// match compares text with a pattern in which * stands for anything.
func match(text, pattern string) bool {
	parts := strings.Split(pattern, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	ok, _ := regexp.MatchString("(?s)^"+strings.Join(parts, ".*")+"$", text)
	return ok
}

// syncBuffer is a bytes.Buffer that a logger may write to meanwhile.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
