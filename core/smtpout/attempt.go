package smtpout

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

const (
	blockSize   = 64 << 10  // read and written at once; a smaller message leaves in one write
	keptScratch = 256 << 10 // a larger buffer is not kept for the next attempt
)

// attempt is one call of Send. It is used again and again, with its buffers.
type attempt struct {
	c        *Client
	ctx      context.Context
	e        *sdk.DeliverEvent
	lmtp     bool
	hops     []hop
	conv     *Conversation
	deadline time.Time
	outcomes []sdk.Outcome

	done  []bool // the outcome is final in this pass
	bare  []bool // the outcome only says that a host cannot take such a message
	todo  []int  // of the recipients that are not done, those for this conversation
	again []int  // those that were too many for a transaction
	taken []int  // those that the peer accepted in this transaction
	ends  []int  // where each command of a group ends in wire

	addresses int // tried
	sessions  int // conversations begun
	setup     time.Duration

	body    sdk.Body
	block   []byte // content as it was read, from offset blockAt
	blockAt int64  // -1: nothing was read
	wire    []byte // what is written
	binary  bool   // the message is BINARYMIME
	scanned bool   // header8 and body8 are known
	header8 bool   // the header is not ASCII
	body8   bool   // the message is not ASCII
}

func (a *attempt) begin(ctx context.Context, e *sdk.DeliverEvent, opt sdk.SendOptions, hops []hop) {
	n := len(e.Recipients)
	conv, _ := ctx.Value(conversationKey{}).(*Conversation)
	*a = attempt{
		c: a.c, ctx: ctx, e: e, lmtp: opt.LMTP, hops: hops, conv: conv,
		deadline: time.Now().Add(a.c.o.Timeouts.Attempt), outcomes: make([]sdk.Outcome, n),
		done: resized(a.done, n), bare: resized(a.bare, n),
		todo: a.todo[:0], again: a.again[:0], taken: a.taken[:0], ends: a.ends[:0],
		block: a.block, blockAt: -1, wire: a.wire[:0], binary: e.Envelope.Body == "BINARYMIME",
	}
}

func resized(b []bool, n int) []bool {
	if cap(b) < n {
		return make([]bool, n)
	}
	b = b[:n]
	clear(b)
	return b
}

// end forgets what belongs to the message.
func (a *attempt) end() {
	if a.body != nil {
		a.body.Close()
	}
	a.ctx, a.e, a.hops, a.conv, a.outcomes, a.body = nil, nil, nil, nil, nil, nil
	if cap(a.wire) > keptScratch {
		a.wire = nil
	}
}

// key is what connections for this attempt and host have in common.
func (a *attempt) key(h *hop) key {
	r := &a.e.Route
	k := key{host: h.name, port: h.port, mx: r.MX, lmtp: a.lmtp, tls: r.TLS, source: r.Source, user: r.User, password: r.PasswordFile}
	if k.tls == "" {
		k.tls = "may"
	}
	if a.e.Envelope.RequireTLS { // RFC 8689 §4.2.1
		k.tls = "verify"
	}
	return k
}

// run is one pass over the hosts (RFC 5321 §5.1).
func (a *attempt) run() {
	a.refuseBadAddresses()
	if a.left() && !a.load() {
		return
	}
	for i := range a.hops {
		if !a.left() || a.ctx.Err() != nil {
			break
		}
		a.host(&a.hops[i])
	}
	for i := range a.outcomes {
		if a.outcomes[i].Status == sdk.StatusNone {
			a.outcomes[i] = sdk.Outcome{Status: sdk.StatusDeferred, Reply: sdk.Reply{Enhanced: "4.3.2", Text: "attempt ended before a host was tried"}}
		}
	}
}

// refuseBadAddresses keeps what is no address off the wire, where it could be
// another command.
func (a *attempt) refuseBadAddresses() {
	for i, r := range a.e.Recipients {
		if _, err := smtp.ParseAddress(r.Addr, true); err != nil && r.Addr != "postmaster" {
			a.set(i, sdk.Outcome{Status: sdk.StatusFailed, Reply: sdk.Reply{Code: 501, Enhanced: "5.1.3", Text: "bad address"}}, true)
		}
	}
}

var errLength = errors.New("it is not as long as it should be")

// load opens the message and reads its first block.
func (a *attempt) load() bool {
	body, err := a.e.Message.Open()
	if err == nil {
		a.body = body
		if a.block == nil {
			a.block = make([]byte, blockSize)
		}
		_, err = a.read(0)
	}
	if err != nil {
		a.all(a.unreadable(err), true)
		return false
	}
	return true
}

// unreadable is a fault of ours. What exactly is for the trace, and not for a
// DSN: it may name files.
func (a *attempt) unreadable(err error) sdk.Outcome {
	a.conv.remark("the message cannot be read: " + err.Error())
	return sdk.Outcome{Status: sdk.StatusDeferred, Reply: sdk.Reply{Enhanced: "4.3.0", Text: "the message cannot be read"}}
}

// read makes a.block the block that begins at off, and tells whether it is the
// last one.
func (a *attempt) read(off int64) (last bool, err error) {
	rest := a.e.Message.Size - off
	if a.blockAt == off {
		return int64(len(a.block)) == rest, nil
	}
	b, n := a.block[:cap(a.block)], 0
	a.blockAt = -1
	for n < len(b) {
		m, err := a.body.ReadAt(b[n:], off+int64(n))
		n += m
		if err == io.EOF {
			break
		}
		if err != nil {
			return false, err
		}
		if m == 0 {
			return false, io.ErrNoProgress
		}
	}
	if int64(n) > rest || n < len(b) && int64(n) < rest {
		return false, errLength
	}
	a.block, a.blockAt = b[:n], off
	return int64(n) == rest, nil
}

// left tells whether any recipient still needs a host.
func (a *attempt) left() bool {
	for _, d := range a.done {
		if !d {
			return true
		}
	}
	return false
}

// set notes an outcome. One that is not final stands until another host does
// better: what a host said outweighs that another was not reached, and both
// outweigh that a host cannot take such a message at all, so that this is
// reported only when it is true of every host that was asked.
func (a *attempt) set(i int, o sdk.Outcome, final bool) {
	old := &a.outcomes[i]
	if a.done[i] || !final && old.Status != sdk.StatusNone && !a.bare[i] && o.Unreachable && !old.Unreachable {
		return
	}
	o.Setup = a.setup
	*old, a.done[i], a.bare[i] = o, final, false
}

// unable notes that the host cannot take the message for this recipient.
func (a *attempt) unable(i int, o sdk.Outcome) {
	if a.done[i] || a.outcomes[i].Status != sdk.StatusNone && !a.bare[i] {
		return
	}
	o.Setup = a.setup
	a.outcomes[i], a.bare[i] = o, true
}

// all notes an outcome for every recipient that is not done.
func (a *attempt) all(o sdk.Outcome, final bool) {
	for i := range a.done {
		a.set(i, o, final)
	}
}

// host tries one host: over a connection that is open already, or its addresses
// in turn.
func (a *attempt) host(h *hop) {
	k := a.key(h)
	if a.sessions >= a.c.o.MaxSessions {
		return
	}
	for c := a.c.cache.get(k); c != nil; c = a.c.cache.get(k) {
		c.reused = true
		a.setup = 0
		if a.converse(c) {
			a.sessions++
			return // who is still left goes to the next host
		}
		if a.ctx.Err() != nil {
			return
		}
	}
	start := a.c.o.Now()
	ips := []netip.Addr{{}}
	if h.unix == "" {
		var err error
		if ips, err = a.c.addresses(a.ctx, h, k.mx); err != nil || len(ips) == 0 {
			a.noAddress(h, k.mx, err)
			return
		}
	}
	for _, ip := range ips {
		if !a.left() || a.ctx.Err() != nil || a.addresses >= a.c.o.MaxAddresses || a.sessions >= a.c.o.MaxSessions {
			return
		}
		a.addresses++
		c, o, err := a.open(h, ip, false)
		if err == errTLS && k.tls == "may" && a.ctx.Err() == nil {
			a.conv.remark("once more without TLS") // RFC 7435
			c, o, _ = a.open(h, ip, true)
		}
		a.setup = a.c.o.Now().Sub(start)
		if c == nil {
			a.all(o, false)
		} else if a.converse(c) {
			a.sessions++
		}
		start = a.c.o.Now()
	}
}

// noAddress notes why a host has no address to try. If the DNS named the host,
// and says that there is none, the domain cannot be reached at all.
func (a *attempt) noAddress(h *hop, mx bool, err error) {
	var dns *sdk.DNSError
	switch {
	case errors.As(err, &dns) && !dns.Temporary, err == nil:
		text := "host " + h.name + " has no address"
		a.conv.remark(text)
		o := unreachable("4.4.4", text)
		if !mx { // an operator's mistake: mail waits until it is mended
			a.all(o, false)
			return
		}
		o.Status, o.Reply.Enhanced, o.Unreachable = sdk.StatusFailed, "5.4.4", false
		for i := range a.done {
			a.unable(i, o)
		}
	default:
		text := "host " + h.name + ": " + printable(err.Error())
		a.conv.remark(text)
		a.all(unreachable("4.4.3", text), false)
	}
}

// converse sends what is left over one connection, in as many transactions as
// it takes. It is false if the connection, kept from earlier, turned out to be
// dead before anything of the message was accepted.
func (a *attempt) converse(c *conn) (counts bool) {
	release := c.use(a.ctx, a.deadline, a.conv)
	if c.reused && a.conv != nil {
		a.conv.remark("connection to " + c.remote + " used again")
	}
	a.todo = a.todo[:0]
	for i, d := range a.done {
		if !d {
			a.todo = append(a.todo, i)
		}
	}
	dead := false
	if todo := a.able(c, a.todo); len(todo) > 0 {
		dead = !a.transactions(c, todo)
	}
	live := release() && !c.broken && c.rd.Buffered() == 0 && a.ctx.Err() == nil
	c.ctx, c.conv = nil, nil
	switch {
	case !live:
		c.close()
	case c.peer.limitMessages > 0 && c.messages >= c.peer.limitMessages:
		a.c.cache.quit(c)
	default:
		a.c.cache.put(c)
	}
	return !dead
}

// transactions sends to the recipients todo, some at a time. It is false if the
// connection was dead.
func (a *attempt) transactions(c *conn, todo []int) bool {
	for len(todo) > 0 {
		limit := a.c.o.MaxRecipients
		if c.peer.rcptMax > 0 {
			limit = min(limit, c.peer.rcptMax)
		}
		n := min(len(todo), limit)
		a.again = a.again[:0]
		if !a.transact(c, todo[:n]) {
			return false
		}
		rest := todo[n:]
		if len(a.again) > 0 {
			// RFC 5321 §4.5.3.1.10: the others in a transaction of their own. The
			// number that was accepted is what the peer takes at a time.
			c.peer.rcptMax = n - len(a.again)
			k := copy(todo[n-len(a.again):n], a.again)
			rest = todo[n-k:]
		}
		todo = rest
		if c.broken {
			for _, i := range todo {
				a.set(i, sdk.Outcome{Status: sdk.StatusDeferred, Reply: sdk.Reply{Enhanced: "4.4.2", Text: "connection lost before this recipient's turn"}, Remote: c.remote, TLS: c.tls}, false)
			}
			return true
		}
	}
	return true
}
