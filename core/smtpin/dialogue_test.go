package smtpin

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

// A dialogue is a txtar file in testdata. Its comment says what it shows. Parts:
//
//	limits    name = value, as in the configuration
//	dialogue  C: a line of the client; consecutive ones are sent in one write
//	          R: octets of the client, in the quotes of Go
//	          S: the beginning of the next reply line of the server
//	          S~ a regular expression for all of the next reply line
//	          E: the server closes the connection
//	          #  a remark
//	queued    for each message: from=, to=, proto=, held= and body= in quotes,
//	          as many of them as the dialogue is about
//	listener  the profile, if it is not mx
func TestDialogues(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dialogues: %v", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txtar"), func(t *testing.T) { dialogue(t, f) })
	}
}

func dialogue(t *testing.T, file string) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var script, queued []byte
	profile := "mx"
	var change []func(*Options)
	for _, part := range txtar.Parse(raw).Files {
		switch part.Name {
		case "dialogue":
			script = part.Data
		case "queued":
			queued = part.Data
		case "listener":
			profile = strings.TrimSpace(string(part.Data))
		case "limits":
			change = append(change, limitsOf(t, part.Data))
		default:
			t.Fatalf("%s: no part is called %q", file, part.Name)
		}
	}
	d := newDoor(t, change...)
	conn, err := net.Dial("tcp", d.listen(t, profile))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	speak(t, file, conn, script)
	conn.Close()
	settle(t, func() bool { return d.Sessions() == 0 })
	var got strings.Builder
	for _, m := range d.q.messages() {
		fmt.Fprintf(&got, "from=%q", m.env.From)
		for _, r := range m.env.Recipients {
			fmt.Fprintf(&got, " to=%q", r.Addr)
		}
		fmt.Fprintf(&got, " proto=%s", m.env.Origin.Protocol)
		if m.held != "" {
			fmt.Fprintf(&got, " held=%s", m.held)
		}
		fmt.Fprintf(&got, " body=%q\n", m.text())
	}
	if got.String() != string(queued) {
		t.Errorf("%s: queued\n%swant\n%s", file, got.String(), queued)
	}
}

func limitsOf(t *testing.T, text []byte) func(*Options) {
	return func(o *Options) {
		for line := range strings.Lines(string(text)) {
			name, value, _ := strings.Cut(line, "=")
			n, err := strconv.Atoi(strings.TrimSpace(value))
			if err != nil {
				t.Fatal(err)
			}
			switch strings.TrimSpace(name) {
			case "message_size":
				o.Limits.MessageSize = int64(n)
			case "recipients":
				o.Limits.Recipients = n
			case "errors":
				o.Limits.Errors = n
			case "junk_commands":
				o.Limits.JunkCommands = n
			case "hops":
				o.Limits.Hops = n
			default:
				t.Fatalf("no limit is called %q", name)
			}
		}
	}
}

func speak(t *testing.T, file string, conn net.Conn, script []byte) {
	t.Helper()
	r := bufio.NewReader(conn)
	var out bytes.Buffer
	n := 0
	for line := range strings.Lines(string(script)) {
		n++
		line = strings.TrimSuffix(line, "\n")
		op, arg := line, ""
		if len(line) > 2 {
			op, arg = line[:2], strings.TrimPrefix(line[2:], " ")
		}
		at := fmt.Sprintf("%s: line %d of the dialogue: %s", file, n, line)
		switch op {
		case "C:":
			out.WriteString(arg + "\r\n")
			continue
		case "R:":
			s, err := strconv.Unquote(arg)
			if err != nil {
				t.Fatalf("%s: %v", at, err)
			}
			out.WriteString(s)
			continue
		case "", "# ":
			continue
		}
		if out.Len() > 0 {
			conn.Write(out.Bytes())
			out.Reset()
		}
		got, err := r.ReadString('\n')
		got = strings.TrimSuffix(got, "\r\n")
		switch op {
		case "S:":
			if !strings.HasPrefix(got, arg) {
				t.Fatalf("%s\nbut the server said %q (%v)", at, got, err)
			}
		case "S~":
			if !regexp.MustCompile("^(?:" + arg + ")$").MatchString(got) {
				t.Fatalf("%s\nbut the server said %q (%v)", at, got, err)
			}
		case "E:":
			if err == nil {
				t.Fatalf("%s\nbut the server said %q", at, got)
			}
		default:
			t.Fatalf("%s: what is that?", at)
		}
	}
	conn.Write(out.Bytes())
}
