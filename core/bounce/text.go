package bounce

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/programmable-mta/mta/sdk"
)

// textRoom bounds the part for people: about 100 recipients with a reason
// each; of those behind them, only the addresses.
const (
	textRoom   = 18 << 10
	reasonRoom = 12 << 10
)

// letter is the part for people, RFC 6522 §3 item 1. It says what happened in
// plain words before any code, and quotes the remote server literally.
type letter struct {
	bytes.Buffer
	rep *Report
}

// newLetter writes the letter without its end, so that the size of the rest is
// known before it is decided how much of the message comes back.
func newLetter(rep *Report) *letter {
	l := &letter{rep: rep}
	room, reasons := textRoom, reasonRoom
	if !l.ascii() {
		room, reasons = room/3, reasons/3 // what quoted-printable may make of it
	}
	l.para("This is the mail system at " + hostname(rep) + ".")
	l.para(l.opening())
	i := 0
	for ; i < len(rep.Recipients); i++ {
		before := l.Len()
		l.recipient(&rep.Recipients[i])
		if l.Len() > reasons {
			l.Truncate(before)
			break
		}
	}
	if i < len(rep.Recipients) {
		l.rest(rep.Recipients[i:], room)
	}
	return l
}

// ascii: nothing in the letter can be beyond ASCII.
func (l *letter) ascii() bool {
	for i := range l.rep.Recipients {
		if r := &l.rep.Recipients[i]; !isASCII(r.Addr) || !isASCII(r.Orig) || !isASCII(r.Reply.Text) || !isASCII(r.Remote) {
			return false
		}
	}
	return isASCII(l.rep.Postmaster)
}

func (l *letter) opening() string {
	rep := l.rep
	n := len(rep.Recipients)
	whom := "the following recipient"
	if n > 1 {
		whom = "the following " + strconv.Itoa(n) + " recipients"
	}
	switch rep.Kind {
	case sdk.DSNDelayed:
		s := "Your message could not be delivered yet to " + whom + "."
		if d := rep.Now.Sub(rep.Envelope.Arrived); !rep.Envelope.Arrived.IsZero() && d > 0 {
			s = "Your message has been waiting for " + timespan(d) + " and could not be delivered yet to " + whom + "."
		}
		s += " You need not send it again: delivery will be tried further"
		if !rep.WillRetryUntil.IsZero() {
			s += " until " + rep.WillRetryUntil.Format(timeFormat)
		}
		return s + "."
	case sdk.DSNSuccess:
		return "As you asked to be told: this is what became of your message for " + whom + "."
	}
	return "Sorry, your message could not be delivered to " + whom + ", and it will not be tried again."
}

func (l *letter) recipient(r *Rcpt) {
	l.WriteString("<" + clean(r.Addr, maxAddress) + ">")
	if r.Orig != "" && r.Orig != r.Addr {
		l.WriteString("\r\n    (for <" + clean(r.Orig, maxAddress) + ">)")
	}
	l.WriteString("\r\n")
	for _, s := range l.happened(r) {
		l.WriteString("    ")
		appendFolded(&l.Buffer, s, "    ", 4)
		l.WriteString("\r\n")
	}
	l.WriteString("\r\n")
}

// happened is what happened to one recipient, in paragraphs.
func (l *letter) happened(r *Rcpt) []string {
	words := replyWords(r.Reply)
	remote := clean(r.Remote, maxAddress)
	if remote == "" {
		remote = "the next mail server"
	}
	if l.rep.Kind == sdk.DSNSuccess {
		var s string
		switch action(l.rep.Kind, r) {
		case "expanded":
			s = "It was passed on to several other addresses. No further report will come from here."
		case "relayed":
			s = "It was handed over to " + remote + ", which sends no reports of its own on delivery. No further report will come."
		default:
			s = "It was delivered."
		}
		if words != "" && r.RemoteReply {
			return []string{s, "The answer was: " + words}
		}
		return []string{s}
	}
	var out []string
	if r.Expired {
		s := "It could not be delivered in time."
		if d := l.rep.Now.Sub(l.rep.Envelope.Arrived); !l.rep.Envelope.Arrived.IsZero() && d > 0 {
			s = "It could not be delivered within " + timespan(d) + "."
		}
		out = append(out, s)
	}
	switch {
	case words == "":
		return append(out, "No reason is known.")
	case r.RemoteReply:
		return append(out, remote+" answered:", words)
	case r.Remote != "":
		return append(out, "The reason, while talking to "+remote+":", words)
	}
	return append(out, "The reason:", words)
}

// rest names those for whom there is no room to give reasons, and counts those
// for whom there is no room at all.
func (l *letter) rest(rs []Rcpt, room int) {
	l.para("The same holds for these, whose reasons there is no room to give:")
	i := 0
	for ; i < len(rs); i++ {
		line := "<" + clean(rs[i].Addr, maxAddress) + ">\r\n"
		if l.Len()+len(line) > room-512 {
			break
		}
		l.WriteString(line)
	}
	l.WriteString("\r\n")
	if n := len(rs) - i; n > 0 {
		l.para("and for " + strconv.Itoa(n) + " more: " + summary(l.rep, rs[i:]) + ".")
	}
}

// summary counts recipients by status, at most eight kinds of it.
func summary(rep *Report, rs []Rcpt) string {
	var codes []string
	var counts []int
	others := 0
count:
	for i := range rs {
		c := statusCode(rep.Kind, &rs[i])
		for j := range codes {
			if codes[j] == c {
				counts[j]++
				continue count
			}
		}
		if len(codes) == 8 {
			others++
			continue
		}
		codes, counts = append(codes, c), append(counts, 1)
	}
	var b strings.Builder
	for j, c := range codes {
		if j > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(counts[j]) + " with status " + c)
	}
	if others > 0 {
		b.WriteString(", " + strconv.Itoa(others) + " with others")
	}
	return b.String()
}

// end closes the letter, when it is known what of the message is attached.
func (l *letter) end(attached string) part {
	l.para(attached)
	who := clean(l.rep.Postmaster, maxAddress)
	if who == "" {
		who = "postmaster@" + hostname(l.rep)
	}
	s := "If you need help, ask " + who
	if id := token(l.rep.Envelope.ID); id != "" {
		s += " and name the message " + id
	}
	l.para(s + ".")
	content, encoding := encode(bytes.TrimSuffix(l.Bytes(), []byte("\r\n")))
	kind := "text/plain; charset=us-ascii"
	if encoding != "7bit" {
		kind = "text/plain; charset=utf-8"
	}
	return part{kind: kind, encoding: encoding, content: content}
}

// size is the most octets that the letter will have, its end included.
func (l *letter) size() int {
	content, _ := encode(l.Bytes())
	return len(content) + 2<<10
}

func (l *letter) para(s string) {
	if s == "" {
		return
	}
	appendFolded(&l.Buffer, s, "", 0)
	l.WriteString("\r\n\r\n")
}
