package smtpout

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

// transact carries out one transaction (RFC 5321 §3.3) for the recipients
// batch. It is false if the connection, kept from earlier, was dead before the
// reply to MAIL, so that nothing has happened.
func (a *attempt) transact(c *conn, batch []int) (alive bool) {
	start := a.c.o.Now()
	bdat := a.binary
	rset := c.dirty
	a.commands(c, batch, bdat)
	a.taken = a.taken[:0]
	g := group{a: a, c: c, batch: batch, lockstep: !c.peer.has(smtp.ExtPipelining)}
	outcome := g.run(rset, bdat)
	if outcome == groupDead {
		c.broken = true
		return false
	}
	if outcome == groupGo && len(a.taken) > 0 {
		if a.content(c, bdat) {
			a.results(c)
		}
	} else if outcome == groupGo {
		// RFC 2920 §3.1: 354 although nobody was accepted. The lone dot ends that
		// and delivers nothing.
		if err := c.say([]byte(".\r\n"), a.c.o.Timeouts.DataDone); err != nil {
			c.lost(err, "after an empty message")
		}
		c.dirty = false
	}
	c.messages++
	transfer := a.c.o.Now().Sub(start)
	for _, i := range batch {
		a.outcomes[i].Transfer = transfer
	}
	return true
}

// commands puts [RSET,] MAIL, RCPT and DATA into a.wire, and their ends into
// a.ends.
func (a *attempt) commands(c *conn, batch []int, bdat bool) {
	w, ends := a.wire[:0], a.ends[:0]
	if c.dirty {
		w = append(w, "RSET\r\n"...)
		ends = append(ends, len(w))
	}
	w = a.appendMail(w, c)
	ends = append(ends, len(w))
	for _, i := range batch {
		w = a.appendRcpt(w, c, &a.e.Recipients[i])
		ends = append(ends, len(w))
	}
	if !bdat {
		w = append(w, "DATA\r\n"...)
		ends = append(ends, len(w))
	}
	a.wire, a.ends = w, ends
}

// appendMail appends MAIL with the parameters that the peer announced, and no
// others.
func (a *attempt) appendMail(w []byte, c *conn) []byte {
	env := a.e.Envelope
	w = append(w, "MAIL FROM:<"...)
	w = append(w, env.From...)
	w = append(w, '>')
	if c.peer.has(smtp.ExtSize) {
		w = append(w, " SIZE="...)
		w = strconv.AppendInt(w, a.e.Message.Size, 10)
	}
	switch {
	case a.binary:
		w = append(w, " BODY=BINARYMIME"...)
	case env.Body != "7BIT" && c.peer.has(smtp.Ext8BitMIME):
		// Nobody declared what it is: this promises nothing that 7BIT keeps.
		w = append(w, " BODY=8BITMIME"...)
	}
	if c.peer.has(smtp.ExtSMTPUTF8) && (env.SMTPUTF8 || a.utf8Envelope()) {
		w = append(w, " SMTPUTF8"...)
	}
	if env.RequireTLS {
		w = append(w, " REQUIRETLS"...)
	}
	if c.peer.has(smtp.ExtDSN) {
		if env.Ret == "FULL" || env.Ret == "HDRS" {
			w = append(append(w, " RET="...), env.Ret...)
		}
		if env.EnvID != "" && printableASCII(env.EnvID) {
			w = within(w, smtp.AppendXtext(append(w, " ENVID="...), env.EnvID), len(" ENVID=")+100)
		}
	}
	return append(w, '\r', '\n')
}

// appendRcpt appends RCPT, with the RFC 3461 parameters if the peer takes them.
func (a *attempt) appendRcpt(w []byte, c *conn, r *sdk.Recipient) []byte {
	w = append(w, "RCPT TO:<"...)
	w = append(w, r.Addr...)
	w = append(w, '>')
	if c.peer.has(smtp.ExtDSN) {
		switch n := r.Notify; {
		case n&sdk.NotifyNever != 0: // RFC 3461 §4.1: alone
			w = append(w, " NOTIFY=NEVER"...)
		case n != 0 && n.String() != "":
			w = append(append(w, " NOTIFY="...), n.String()...)
		}
		if kind, addr, ok := strings.Cut(r.ORcpt, ";"); ok && addr != "" && isWord(kind) && (strings.EqualFold(kind, "utf-8") && noControls(addr) || printableASCII(addr)) {
			w = within(w, smtp.AppendORcpt(append(w, " ORCPT="...), kind, addr), len(" ORCPT=")+500)
		}
	}
	return append(w, '\r', '\n')
}

// within is the longer of the two lines if what it adds is not more than max,
// the limit of RFC 3461 §4.2 and §4.4: better without a parameter than refused
// for it.
func within(before, after []byte, max int) []byte {
	if len(after)-len(before) > max {
		return after[:len(before)]
	}
	return after
}

func printableASCII(s string) bool { return ascii(s) && noControls(s) }

func noControls(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}

// isWord keeps an address type that a plugin made up from being more than that.
func isWord(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && s[i] != '-' {
			return false
		}
	}
	return s != ""
}

// How a group of commands ended.
type groupEnd uint8

const (
	groupOver groupEnd = iota // nothing more to do in this transaction
	groupGo                   // the message may be sent
	groupDead                 // the connection was dead already
)

// group is RSET, MAIL, RCPTs and DATA on their way, all at once (RFC 2920) or
// one by one.
type group struct {
	a        *attempt
	c        *conn
	batch    []int
	lockstep bool
	sent     int  // commands written
	mail     bool // MAIL was accepted
}

func (g *group) run(rset, bdat bool) groupEnd {
	a, c := g.a, g.c
	if !g.lockstep {
		c.conv.addLines('>', a.wire)
		if err := c.write(a.wire, a.c.o.Timeouts.Command); err != nil {
			return g.lost(err, "while sending MAIL")
		}
	}
	if rset {
		if err := g.next(a.c.o.Timeouts.Command); err != nil || c.reused && c.code == 421 {
			return g.lost(err, "in RSET")
		}
		if !c.good() {
			return g.misplaced()
		}
		c.dirty = false
	}
	if err := g.next(a.c.o.Timeouts.Command); err != nil || c.reused && c.code == 421 {
		return g.lost(err, "in MAIL")
	}
	c.reused = false // what fails from here on is not for having waited
	if g.mail = c.good(); g.mail {
		c.dirty = true
	} else if !c.refused() || c.code == 421 {
		return g.misplaced()
	} else {
		g.fail()
		if g.lockstep {
			return groupOver
		}
	}
	if end := g.rcpts(); end != groupGo {
		return end
	}
	if bdat {
		if len(a.taken) == 0 {
			return groupOver
		}
		return groupGo
	}
	if g.lockstep && len(a.taken) == 0 {
		return groupOver
	}
	return g.data()
}

// next sends the next command if they go one by one, and reads the next reply.
func (g *group) next(timeout time.Duration) error {
	a := g.a
	if g.lockstep {
		from := 0
		if g.sent > 0 {
			from = a.ends[g.sent-1]
		}
		line := a.wire[from:a.ends[g.sent]]
		g.sent++
		return g.c.say(line, timeout)
	}
	return g.c.readReply(timeout)
}

// lost notes a failed connection, unless it was dead before it was used.
func (g *group) lost(err error, during string) groupEnd {
	if g.c.reused && g.a.ctx.Err() == nil {
		g.c.conv.remark("the connection was dead")
		return groupDead
	}
	o := g.c.lost(err, during)
	for _, i := range g.batch {
		g.a.set(i, o, false)
	}
	return groupOver
}

// misplaced notes a reply after which it is unclear what the peer thinks, or
// one that ends the connection (421).
func (g *group) misplaced() groupEnd {
	g.c.broken = true
	o := g.c.later()
	for _, i := range g.batch {
		g.a.set(i, o, false)
	}
	return groupOver
}

// fail notes a refused MAIL: its class is final for these recipients.
func (g *group) fail() {
	o := g.c.said()
	for _, i := range g.batch {
		g.a.set(i, o, o.Status == sdk.StatusFailed)
	}
}

// rcpts reads the replies to RCPT.
func (g *group) rcpts() groupEnd {
	a, c := g.a, g.c
	for _, i := range g.batch {
		if err := g.next(a.c.o.Timeouts.Command); err != nil {
			return g.lost(err, "in RCPT")
		}
		switch {
		case c.code == 421:
			return g.misplaced()
		case !g.mail: // 503 as a matter of course
		case c.good():
			a.taken = append(a.taken, i)
		case !c.refused():
			return g.misplaced()
		case len(a.taken) > 0 && tooMany(c):
			a.again = append(a.again, i)
		default:
			o := c.said()
			a.set(i, o, o.Status == sdk.StatusFailed)
		}
	}
	return groupGo
}

// tooMany tells whether a refused RCPT was one too many, and not refused for
// itself (RFC 5321 §4.5.3.1.10, which takes 552 for 452).
func tooMany(c *conn) bool {
	if c.code != 452 && c.code != 552 {
		return false
	}
	return len(c.enhanced) == 0 || string(c.enhanced[1:]) == ".5.3"
}

// data reads the reply to DATA.
func (g *group) data() groupEnd {
	a, c := g.a, g.c
	if err := g.next(a.c.o.Timeouts.DataInit); err != nil {
		return g.lost(err, "in DATA")
	}
	if c.code == 354 {
		return groupGo
	}
	if !c.refused() || c.code == 421 {
		return g.misplaced()
	}
	if len(a.taken) > 0 {
		o := c.said()
		for _, i := range a.taken {
			a.set(i, o, o.Status == sdk.StatusFailed)
		}
	}
	return groupOver
}

// content sends the message. It is false if it did not get through to its end;
// then no recipient has it.
func (a *attempt) content(c *conn, bdat bool) bool {
	w := a.wire[:0]
	if bdat { // RFC 3030 §2
		w = append(w, "BDAT "...)
		w = strconv.AppendInt(w, a.e.Message.Size, 10)
		w = append(w, " LAST\r\n"...)
		c.conv.addLines('>', w)
	}
	if c.conv != nil {
		c.conv.remark("message of " + strconv.FormatInt(a.e.Message.Size, 10) + " octets")
	}
	var dots smtp.DotEncoder
	for off, last := int64(0), false; !last; off += int64(len(a.block)) {
		var err error
		if last, err = a.read(off); err != nil {
			return a.abandon(c, a.unreadable(err))
		}
		if bdat {
			w = append(w, a.block...)
		} else if w = dots.Append(w, a.block); last {
			w = dots.End(w)
		}
		if err := c.write(w, a.c.o.Timeouts.Block); err != nil {
			return a.interrupted(c, err)
		}
		a.wire, w = w, w[:0]
	}
	return true
}

// abandon closes the connection in the middle of the message: the only way to
// take back what was sent of it.
func (a *attempt) abandon(c *conn, o sdk.Outcome) bool {
	c.broken = true
	for _, i := range a.taken {
		a.set(i, o, true)
	}
	return false
}

// interrupted handles a message that could not be written to its end. A peer
// that has had enough says why before it closes.
func (a *attempt) interrupted(c *conn, err error) bool {
	o := c.lost(err, "while sending the message")
	if a.ctx.Err() == nil && c.readReply(time.Second) == nil && c.refused() {
		o = c.said()
	}
	for _, i := range a.taken {
		a.set(i, o, o.Status == sdk.StatusFailed)
	}
	return false
}

// results reads the replies to the end of the message: one for all, or for LMTP
// one for each recipient that was accepted (RFC 2033 §4.2).
func (a *attempt) results(c *conn) {
	relayed := c.peer.has(smtp.ExtDSN)
	for n, i := range a.taken {
		if err := c.readReply(a.c.o.Timeouts.DataDone); err != nil {
			a.uncertain(c, a.taken[n:], c.lost(err, "after the end of the message"))
			return
		}
		o := c.said()
		o.DSNRelayed = relayed && o.Status == sdk.StatusDelivered
		if !c.good() && !c.refused() {
			c.broken = true
			a.uncertain(c, a.taken[n:], o)
			return
		}
		c.broken = c.broken || c.code == 421
		if a.lmtp {
			a.set(i, o, o.Status != sdk.StatusDeferred)
			continue
		}
		for _, i := range a.taken {
			a.set(i, o, o.Status != sdk.StatusDeferred)
		}
		break
	}
	c.dirty = false
}

// uncertain notes that nobody knows whether the next hop has the message. It is
// final in this pass: another host would make a duplicate likely (RFC 1047).
func (a *attempt) uncertain(c *conn, who []int, o sdk.Outcome) {
	o.Status, o.MaybeDuplicate = sdk.StatusDeferred, true
	for _, i := range who {
		a.set(i, o, true)
	}
}
