package mtatest

import (
	"bytes"
	"crypto/tls"
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
	Story  string // path of the story's file
	Dir    string // a temporary folder; the configuration is Dir/mta.toml
	Config string // path of the configuration
	Net    *Net
	Zone   *ZoneServer
	Log    io.Writer
}

// Relay is a booted relay.
type Relay interface {
	// Command runs a command line as a person would, without the program name.
	Command(args ...string) (stdout string, status int)
	// Stop ends the relay in an orderly way. Who stops it again waits for that.
	Stop()
	// Kill ends it as kill -9 does: nothing is written any more.
	Kill()
}

// Boot starts a relay in a world.
type Boot func(t testing.TB, env Env) Relay

// RunStories runs every story below dir, but for those of folders named
// testdata, each in a bubble of its own. A story is a txtar file: a comment that
// says what it shows, and the files
//
//	config        TOML; what a story does not say is added: hostname relay.test,
//	              a listener at 127.0.0.1:25, spool and control socket in $DIR
//	zone          DNS records, see [ZoneServer]
//	peer HOST:PORT  rules of a next hop, see [Peer]
//	http ADDR:PORT  rules of an HTTP server, see [Web]
//	replace       without config, the configuration is the mta.toml beside the story;
//	              each line "OLD => NEW" here replaces a text that must be in it (\n: a line end)
//	copy NAME     the path of a file that becomes NAME in $DIR: a plugin
//	script        what happens, line by line
//
// and messages, configurations, zones and rules that the script names. In
// configurations and scripts $DIR is the folder of the story, in which every
// file of it lies, and $REPO the top of the repository, where the prebuilt
// plugins are. A certificate for relay.test, *.rcpt.test and the addresses
// of all peers is at $DIR/cert.pem with its key at $DIR/key.pem; peers use it too.
//
// What clients do:
//
//	connect [IP [TO]]    a client connects (several: "connect as B [IP]", then "B> ...")
//	C: TEXT              the client says a line
//	S: PATTERN           the server answers; * matches anything; a multi-line reply is one line
//	send FILE            the client sends a file as message, dot-stuffed, with the final dot
//	bdat FILE [LAST]     the same as one chunk, as it is
//	raw "GO STRING"      the client sends just these octets, in one packet
//	starttls             the handshake behind the reply to STARTTLS
//	silent               the server says nothing within a second
//	closed, close        the server has closed the connection; the client closes it
//	submit FROM TO,TO FILE   all of a transaction, of which every step is accepted
//
// FILE may be size:N, a message of about N octets. $ID in later lines is the
// queue ID in the last "queued as", $ID1 that in the first, and so on.
//
// What the world does:
//
//	wait DURATION        the time goes on ("5m", "5d")
//	blackhole IP:PORT    an address that never answers
//	down HOST:PORT       the peer listens no more; "up HOST:PORT": it does again
//	rules HOST:PORT FILE the peer follows other rules
//	zone FILE            the DNS says something else
//	config FILE          the configuration becomes another (reload reads it)
//	file NAME FILE       a file in $DIR gets the content of another, of the story
//	                     or by its path ($REPO/...)
//	restart              stop and start the relay; "crash": kill and start it; "stop"
//	                     and "start" apart, with time in between
//
// What must be so:
//
//	$ mta ARGS           a command is run ('...' holds blanks); below it "| TEXT" for
//	                     what it prints, in order, * matches anything; "|! TEXT" for what
//	                     it does not print; "? N" for its exit status if that is not 0
//	got HOST:PORT N      the peer has N messages by now
//	got HOST:PORT #I from=A to=A,B   message I (from 1) has this envelope
//	got HOST:PORT #I mail=PATTERN    ... came with this argument of MAIL; rcpt= of RCPT
//	got HOST:PORT #I has TEXT        ... and contains TEXT; hasnot, smaller N, tls
//	got HOST:PORT any ...            one of the messages does, where their order is open
//	connections HOST:PORT N          the peer was connected to so often
//	asked ADDR:PORT N    the HTTP server has got N requests by now
//	asked ADDR:PORT #I has TEXT      request I (from 1), as text, contains TEXT; hasnot; any for #I
//	dials ADDR N         somebody tried to connect so often; "times ADDR 0s 5m 15m": and
//	                     at these times behind the first, to a tenth
//	log TEXT             a line of the log holds this; "nolog TEXT": none does
//	files GLOB N         so many files in $DIR fit; "files GLOB has TEXT": one of them holds it
//	repeat N STEP        a step again and again; $N is the number, from 1
//	note TEXT            a remark
func RunStories(t *testing.T, dir string, boot Boot) {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "testdata" && p != dir {
			return filepath.SkipDir
		}
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
			t.Parallel()
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
	if len(bytes.TrimSpace(a.Comment)) == 0 {
		t.Fatalf("%s does not say what it shows: begin it with a sentence", file)
	}
	dir, repo := t.TempDir(), repository(t, file)
	synctest.Test(t, func(t *testing.T) {
		s := &story{t: t, path: file, file: filepath.Base(file), dir: dir, repo: repo, boot: boot,
			files: map[string]string{}, peers: map[string]*storyPeer{}, clients: map[string]*client{}}
		s.play(a)
	})
}

// repository is the folder of go.mod above a story.
func repository(t *testing.T, file string) string {
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	return dir
}

type story struct {
	t       *testing.T
	path    string
	file    string
	line    int
	dir     string
	repo    string
	files   map[string]string
	peers   map[string]*storyPeer
	clients map[string]*client
	current string
	ids     []string // of messages that were queued, in order
	net     Net
	log     syncBuffer
	boot    Boot
	env     Env
	relay   Relay
	output  []string
	status  int
}

// server is a peer of any protocol.
type server interface {
	Serve(net.Listener)
	SetRules(string) error
	Connections() int
}

// storyPeer is a peer with the listener that it has right now. It is one of
// smtp and web.
type storyPeer struct {
	server
	addr     string
	smtp     *Peer
	web      *Web
	listener io.Closer // nil: it is down
	serving  sync.WaitGroup
}

func (s *story) play(a *txtar.Archive) {
	var zone, config, script, replace string
	ownConfig := false
	for _, f := range a.Files {
		switch name, rest, _ := strings.Cut(f.Name, " "); name {
		case "zone":
			zone = string(f.Data)
		case "config":
			config, ownConfig = string(f.Data), true
		case "replace":
			replace = string(f.Data)
		case "script":
			script = string(f.Data)
		case "peer", "http":
			s.peers[rest] = s.newPeer(name, rest, string(f.Data))
		case "copy":
			s.copy(rest, strings.TrimSpace(string(f.Data)))
		default:
			s.files[f.Name] = string(f.Data)
		}
	}
	if !ownConfig {
		config = s.besides(replace)
	}
	s.env = Env{Story: s.path, Dir: s.dir, Config: filepath.Join(s.dir, "mta.toml"), Net: &s.net, Zone: Zone(s.t, zone), Log: &s.log}
	cert := s.certificate()
	defer s.end()
	for _, p := range s.peers {
		if p.smtp != nil {
			p.smtp.Cert = cert
		} else if p.web.secure != "" {
			p.web.Cert = cert
		}
		s.up(p)
	}
	s.configure(config)
	for name, data := range s.files {
		s.write(filepath.Base(name), data)
	}
	s.relay = s.boot(s.t, s.env)
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

func (s *story) newPeer(kind, addr, rules string) *storyPeer {
	if kind == "http" {
		web, err := NewWeb(addr, rules)
		if err != nil {
			s.t.Fatal(err)
		}
		return &storyPeer{server: web, addr: addr, web: web}
	}
	peer, err := NewPeer(addr, rules)
	if err != nil {
		s.t.Fatal(err)
	}
	return &storyPeer{server: peer, addr: addr, smtp: peer}
}

// besides is the configuration that lies beside the story, with its changes:
// an example is shown by a story of the very file that people copy. A story
// without either has the defaults.
func (s *story) besides(replace string) string {
	b, err := os.ReadFile(filepath.Join(filepath.Dir(s.path), "mta.toml"))
	if os.IsNotExist(err) && replace == "" {
		return ""
	}
	if err != nil {
		s.t.Fatal(err)
	}
	text := string(b)
	for line := range strings.Lines(replace) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		old, now, ok := strings.Cut(strings.TrimSpace(line), " => ")
		if !ok || !strings.Contains(text, old) {
			s.t.Fatalf("%s: replace: %q is not \"OLD => NEW\" with a text of mta.toml", s.file, line)
		}
		text = strings.ReplaceAll(text, old, unescape(now))
	}
	return text
}

// end leaves no goroutine behind, also not in a plugin that takes its time: the
// bubble would not end before it.
func (s *story) end() {
	for _, c := range s.clients {
		c.conn.Close()
	}
	if s.relay != nil {
		s.relay.Stop()
	}
	for _, p := range s.peers {
		s.down(p)
	}
	time.Sleep(2 * time.Hour)
	if s.t.Failed() {
		s.t.Logf("log:\n%s", s.log.String())
	}
}

func (s *story) up(p *storyPeer) {
	l, err := s.net.Listen("tcp", p.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	p.listener = l
	p.serving.Go(func() { p.Serve(l) })
}

func (s *story) down(p *storyPeer) {
	if p.listener != nil {
		p.listener.Close()
		p.serving.Wait()
		p.listener = nil
	}
}

// configure writes a configuration, with what it leaves out. Bare keys stand in
// front of a file's tables and tables may follow in any order, so the defaults
// go around it.
func (s *story) configure(text string) {
	has := func(expr string) bool { return regexp.MustCompile(`(?m)^` + expr).MatchString(text) }
	if !has(`hostname\s*=`) {
		text = "hostname = \"relay.test\"\n" + text
	}
	if !has(`spool\s*=`) {
		text = "spool = \"$DIR/spool\"\n" + text
	}
	if !has(`\[\[listen\]\]`) {
		text += "[[listen]]\naddress = \"127.0.0.1:25\"\nprofile = \"mx\"\n"
	}
	if !has(`\[control\]`) {
		text += "[control]\nsocket = \"$DIR/control.sock\"\n"
	}
	s.write("mta.toml", s.places(text))
}

// copy puts a file of the repository where the relay finds it.
func (s *story) copy(name, path string) {
	b, err := os.ReadFile(s.places(path))
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(name, string(b))
}

func (s *story) write(name, data string) {
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(data), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// certificate makes one that is good for everybody in the story.
func (s *story) certificate() *tls.Certificate {
	names := []string{"relay.test", "*.rcpt.test"}
	for _, p := range s.peers {
		names = append(names, p.addr)
		if p.web != nil && p.web.secure != "" {
			names = append(names, p.web.secure)
		}
	}
	cert, key, pair, err := selfSigned(names)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write("cert.pem", string(cert))
	s.write("key.pem", string(key))
	return pair
}

func (s *story) fail(format string, args ...any) {
	s.t.Helper()
	s.t.Errorf("%s: script line %d: %s", s.file, s.line, fmt.Sprintf(format, args...))
}

var (
	asClient = regexp.MustCompile(`^([A-Z])> (.*)$`)
	nthID    = regexp.MustCompile(`\$ID(\d*)`)
	queuedAs = regexp.MustCompile(`queued as ([0-9A-Z]+)`)
)

// places puts folders in the place of $DIR and $REPO.
func (s *story) places(text string) string {
	return strings.NewReplacer("$DIR", s.dir, "$REPO", s.repo).Replace(text)
}

// words are what the relay's words stand for: $DIR, $REPO, $ID, $ID1.
func (s *story) words(line string) string {
	line = s.places(line)
	return nthID.ReplaceAllStringFunc(line, func(v string) string {
		n := len(s.ids)
		if v != "$ID" {
			n, _ = strconv.Atoi(v[3:])
		}
		if n < 1 || n > len(s.ids) {
			s.fail("no message %s was queued", v)
			return "NONE"
		}
		return s.ids[n-1]
	})
}

func (s *story) step(line string) {
	if n, ok := strings.CutPrefix(line, "repeat "); ok {
		count, step, _ := strings.Cut(n, " ")
		times, err := strconv.Atoi(count)
		if err != nil {
			s.fail("%v", err)
		}
		for i := 1; i <= times && !s.t.Failed(); i++ {
			s.step(strings.ReplaceAll(step, "$N", strconv.Itoa(i)))
		}
		return
	}
	line = s.words(line)
	if m := asClient.FindStringSubmatch(line); m != nil {
		s.current, line = m[1], m[2]
	}
	if s.aboutOutput(line) {
		return
	}
	s.checkStatus()
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "note":
	case "connect":
		s.connect(rest)
	case "submit":
		s.submit(strings.Fields(rest))
	case "C:", "S:", "send", "bdat", "raw", "starttls", "silent", "closed", "close":
		s.talk(word, rest)
	case "wait":
		time.Sleep(s.duration(rest))
		synctest.Wait()
	case "blackhole", "down", "up", "rules", "zone", "config", "file", "restart", "crash", "stop", "start":
		s.world(word, strings.Fields(rest))
	case "$":
		s.command(rest)
	case "got", "asked", "connections", "dials", "times", "log", "nolog", "files":
		s.expect(word, rest)
	default:
		s.fail("unknown step %q", line)
	}
}

// world is a step that changes what is around the relay.
func (s *story) world(word string, f []string) {
	arg := func(i int) string {
		if i >= len(f) {
			s.fail("%s lacks an argument", word)
			return ""
		}
		return f[i]
	}
	switch word {
	case "blackhole":
		s.net.Blackhole(arg(0))
	case "down":
		s.down(s.peer(arg(0)))
	case "up":
		s.up(s.peer(arg(0)))
	case "rules":
		if err := s.peer(arg(0)).SetRules(s.text(arg(1))); err != nil {
			s.fail("%v", err)
		}
	case "zone":
		s.env.Zone.Set(s.text(arg(0)))
	case "config":
		s.configure(s.text(arg(0)))
	case "file":
		if filepath.IsAbs(arg(1)) {
			s.copy(arg(0), arg(1))
			return
		}
		s.write(arg(0), s.text(arg(1)))
	case "stop":
		s.relay.Stop()
	case "restart", "start":
		s.relay.Stop()
		s.relay = s.boot(s.t, s.env)
	case "crash":
		synctest.Wait()
		s.relay.Kill()
		s.relay = s.boot(s.t, s.env)
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

// text is a file of the story.
func (s *story) text(name string) string {
	if size, ok := strings.CutPrefix(name, "size:"); ok {
		n, _ := strconv.Atoi(size)
		const line = "The quick brown fox jumps over the lazy dog, and the relay carries it away.\n"
		return "Subject: size " + size + "\n\n" + strings.Repeat(line, max(n, 1)/len(line)+1)
	}
	text, ok := s.files[name]
	if !ok {
		s.fail("no file %q in this story", name)
	}
	return text
}

func (s *story) peer(name string) *storyPeer {
	p := s.peers[name]
	if p == nil {
		s.t.Fatalf("%s: script line %d: no peer %s in this story", s.file, s.line, name)
	}
	return p
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
