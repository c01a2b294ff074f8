package mtatest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing/synctest"
	"time"
)

func (s *story) command(line string) {
	args := split(strings.TrimPrefix(line, "mta "))
	out, status := s.relay.Command(args...)
	s.output, s.status = strings.Split(out, "\n"), status
}

// split makes arguments of a command line; '...' holds blanks.
func split(line string) []string {
	var args []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			args = append(args, part)
		} else {
			args = append(args, strings.Fields(part)...)
		}
	}
	return args
}

// aboutOutput tells whether a line is about the last command, and checks it.
func (s *story) aboutOutput(line string) bool {
	switch {
	case strings.HasPrefix(line, "|! "):
		s.notInOutput(line[3:])
	case strings.HasPrefix(line, "| "):
		s.inOutput(line[2:])
	case strings.HasPrefix(line, "? "):
		if want, err := strconv.Atoi(line[2:]); err != nil || want != s.status {
			s.fail("the command ended with status %d, want %s; it printed\n%s", s.status, line[2:], strings.Join(s.output, "\n"))
		}
		s.status = 0
	default:
		return false
	}
	return true
}

func (s *story) checkStatus() {
	if s.status != 0 {
		s.fail("the command ended with status %d; it printed\n%s", s.status, strings.Join(s.output, "\n"))
		s.status = 0
	}
}

func (s *story) inOutput(want string) {
	for i, l := range s.output {
		if match(l, "*"+want+"*") {
			s.output = s.output[i+1:]
			return
		}
	}
	s.fail("the command does not print (any more) %q; what is left:\n%s", want, strings.Join(s.output, "\n"))
}

func (s *story) notInOutput(text string) {
	for _, l := range s.output {
		if match(l, "*"+text+"*") {
			s.fail("the command prints %q", l)
		}
	}
}

func (s *story) expect(word, rest string) {
	synctest.Wait()
	f := strings.Fields(rest)
	if len(f) == 0 || len(f) < 2 && word != "log" && word != "nolog" {
		s.fail("%s lacks an argument", word)
		return
	}
	switch word {
	case "got":
		s.got(rest)
	case "asked":
		s.asked(rest)
	case "connections":
		s.number("connections to "+f[0], s.peer(f[0]).Connections(), f[1])
	case "dials":
		s.number("attempts to connect to "+f[0], len(s.net.Dials(f[0])), f[1])
	case "times":
		s.times(f[0], f[1:])
	case "log", "nolog":
		time.Sleep(300 * time.Millisecond) // the log gathers lines
		found := false
		for l := range strings.Lines(s.log.String()) {
			found = found || match(l, "*"+rest+"*")
		}
		if found != (word == "log") {
			s.fail("%s %s; the log is\n%s", word, rest, s.log.String())
		}
	case "files":
		s.filesLike(f[0], strings.TrimSpace(strings.TrimPrefix(rest, f[0])))
	}
}

func (s *story) number(what string, have int, want string) {
	if strconv.Itoa(have) != want {
		s.fail("%d %s, want %s", have, what, want)
	}
}

// times compares when an address was dialled, from the first time on. Each wait
// may be off by a tenth, so their sum may be as well.
func (s *story) times(addr string, want []string) {
	dials := s.net.Dials(addr)
	var have []string
	for _, d := range dials {
		have = append(have, d.At.Sub(dials[0].At).Round(time.Second).String())
	}
	ok := len(have) == len(want)
	for i := 0; ok && i < len(want); i++ {
		w, h := s.duration(want[i]), dials[i].At.Sub(dials[0].At)
		ok = (h - w).Abs() <= w/10+time.Second
	}
	if !ok {
		s.fail("%s was dialled at %v, want %v", addr, have, want)
	}
}

func (s *story) filesLike(glob, want string) {
	names, err := filepath.Glob(filepath.Join(s.dir, glob))
	if err != nil {
		s.fail("%v", err)
	}
	text, has := strings.CutPrefix(want, "has ")
	if !has {
		s.number("files like "+glob, len(names), want)
		return
	}
	var all strings.Builder
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			s.fail("%v", err)
		}
		if strings.Contains(string(b), unescape(text)) {
			return
		}
		fmt.Fprintf(&all, "%s:\n%s", name, b)
	}
	s.fail("none of %d files like %s has %q:\n%s", len(names), glob, text, all.String())
}

// unescape lets a line of a story name line ends and tabs.
func unescape(text string) string {
	return strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\t`, "\t").Replace(text)
}

func (s *story) got(rest string) {
	f := strings.SplitN(rest, " ", 3)
	peer := s.peer(f[0]).smtp
	if peer == nil {
		s.fail("%s speaks HTTP: use asked", f[0])
		return
	}
	msgs := peer.Messages()
	if _, err := strconv.Atoi(f[1]); err == nil {
		s.number("messages at "+f[0], len(msgs), f[1])
		return
	}
	if f[1] == "any" && len(f) == 3 {
		for i := range msgs {
			if why := fault(&msgs[i], f[2]); why == "" {
				return
			}
		}
		s.fail("none of the %d messages of %s: %s", len(msgs), f[0], f[2])
		return
	}
	i, err := strconv.Atoi(strings.TrimPrefix(f[1], "#"))
	if err != nil || i < 1 || i > len(msgs) || len(f) < 3 {
		s.fail("%s has %d messages, no %s", f[0], len(msgs), f[1])
		return
	}
	if have := fault(&msgs[i-1], f[2]); have != "" {
		s.fail("message %d of %s: want %s; it is\n%s", i, f[0], f[2], have)
	}
}

// asked checks the requests of an HTTP server.
func (s *story) asked(rest string) {
	f := strings.SplitN(rest, " ", 4)
	web := s.peer(f[0]).web
	if web == nil {
		s.fail("%s speaks SMTP: use got", f[0])
		return
	}
	reqs := web.Requests()
	if len(f) == 2 {
		s.number("requests at "+f[0], len(reqs), f[1])
		return
	}
	if len(f) != 4 || f[2] != "has" && f[2] != "hasnot" {
		s.fail("want asked ADDR:PORT #I has TEXT, or hasnot, or any for #I")
		return
	}
	if i, err := strconv.Atoi(strings.TrimPrefix(f[1], "#")); err == nil && 0 < i && i <= len(reqs) {
		reqs = reqs[i-1 : i]
	} else if f[1] != "any" {
		s.fail("%s has got %d requests, no %s", f[0], len(reqs), f[1])
		return
	}
	var all strings.Builder
	for i := range reqs {
		text := reqs[i].String()
		if strings.Contains(text, unescape(f[3])) == (f[2] == "has") {
			return
		}
		all.WriteString(text + "\n")
	}
	s.fail("no request at %s %s %s:\n%s", f[0], f[2], f[3], all.String())
}

// fault is what a message is like that is not as a line wants it, or "".
func fault(m *Delivered, want string) string {
	verb, arg, _ := strings.Cut(want, " ")
	name, _, _ := strings.Cut(verb, "=")
	ok, have := false, m.Data
	switch name {
	case "has", "hasnot":
		ok = strings.Contains(m.Data, unescape(arg)) == (name == "has")
	case "smaller":
		n, err := strconv.Atoi(arg)
		ok, have = err == nil && len(m.Data) < n, fmt.Sprintf("%d octets", len(m.Data))
	case "tls":
		ok, have = m.TLS, "in the clear"
	case "mail":
		ok, have = match(m.Mail, want[5:]), m.Mail
	case "rcpt":
		have = strings.Join(m.Rcpt, " ")
		ok = match(have, want[5:])
	case "from":
		have = fmt.Sprintf("from=%s to=%s", m.From, strings.Join(m.To, ","))
		ok = have == want
	default:
		have = "of no such quality"
	}
	if ok {
		return ""
	}
	return have
}
