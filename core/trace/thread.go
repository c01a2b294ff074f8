package trace

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

const (
	threadCap       = 64 << 10 // what a session or transaction may gather
	conversationCap = 16 << 10 // what is kept of one conversation
)

// Thread gathers the records of one session or transaction. What it gathers
// before the first Reset, Accepted or transaction hook (connect, helo, auth)
// belongs to the session and is kept with each of its messages. A nil Thread
// gathers nothing. It is not for use by several goroutines at once.
type Thread struct {
	t       *Tracer // counts the calls; nil in a dry run
	buf     []byte  // the tails of records (see appendRecord), a line each
	session int     // buf[:session] belongs to the session
	kept    int     // buf[:kept] is written under the session already
	left    int     // records that did not fit
}

// Hook keeps a hook call, and counts it.
func (th *Thread) Hook(c HookCall) {
	if th == nil {
		return
	}
	if th.t != nil {
		th.t.m.hook(c.Plugin, c.Hook, c.Elapsed, c.Err != "")
	}
	clean := th.session == len(th.buf)
	at := len(th.buf)
	th.buf = appendHook(th.buf, &c)
	th.bound(at)
	if clean && (c.Hook == "connect" || c.Hook == "helo" || c.Hook == "auth") {
		// A client that greets for ever must leave room for its transactions.
		if len(th.buf) > threadCap/4 {
			th.buf = th.buf[:at]
			th.left++
		}
		th.session = len(th.buf)
	}
}

// Attempt keeps a delivery attempt. [Tracer.Attempted] keeps it by itself.
func (th *Thread) Attempt(a *Attempt) {
	if th == nil {
		return
	}
	at := len(th.buf)
	th.buf = appendAttempt(th.buf, a)
	th.bound(at)
}

// Note keeps a sentence for people.
func (th *Thread) Note(text string) {
	if th == nil {
		return
	}
	now := time.Now
	if th.t != nil {
		now = th.t.now
	}
	at := len(th.buf)
	th.buf = appendNote(th.buf, now(), text)
	th.bound(at)
}

// Reset drops what belongs to the transaction; the session's records stay.
func (th *Thread) Reset() {
	if th == nil {
		return
	}
	th.buf = th.buf[:th.session]
	th.kept = min(th.kept, th.session)
	th.left = 0
}

// Release gives the thread back to the pool; the caller forgets it.
func (th *Thread) Release() {
	if th == nil || th.t == nil {
		return
	}
	t := th.t
	if cap(th.buf) > threadCap {
		th.buf = nil
	}
	*th = Thread{t: t, buf: th.buf[:0]}
	t.threads.Put(th)
}

// Records are what the thread holds, for a dry run.
func (th *Thread) Records() []Record {
	if th == nil {
		return nil
	}
	var rs []Record
	for tail := range bytes.Lines(th.buf) {
		var r Record
		if json.Unmarshal(append([]byte{'{'}, bytes.TrimSuffix(tail, []byte("\n"))...), &r) == nil {
			rs = append(rs, r)
		}
	}
	return rs
}

// bound ends the record that began at, or takes it back when it is too much.
func (th *Thread) bound(at int) {
	th.buf = append(th.buf, '\n')
	if len(th.buf) > threadCap {
		th.buf = th.buf[:at]
		th.left++
	}
}

// appendLines appends the records from an offset on as whole lines.
func (th *Thread) appendLines(b []byte, from int, id, session string, now time.Time) ([]byte, int) {
	if th == nil {
		return b, 0
	}
	n := 0
	for rest := th.buf[from:]; len(rest) > 0; n++ {
		i := bytes.IndexByte(rest, '\n') + 1
		b = append(head(b, id, session), rest[:i]...)
		rest = rest[i:]
	}
	if th.left > 0 {
		b = append(appendNote(head(b, id, session), now, "some records were left out: there were too many"), '\n')
		th.left = 0
		n++
	}
	return b, n
}

// head begins a line: the identifiers stand first, so that a search finds them
// without understanding the rest.
func head(b []byte, id, session string) []byte {
	b = appendJSON(append(b, `{"id":`...), id)
	if session != "" {
		b = appendJSON(append(b, `,"session":`...), session)
	}
	return append(b, ',')
}

// began begins the tail of a record.
func began(b []byte, kind string, at time.Time) []byte {
	b = append(appendTime(append(b, `"at":"`...), at), `","kind":"`...)
	return append(append(b, kind...), '"')
}

func appendHook(b []byte, c *HookCall) []byte {
	b = began(b, KindHook, c.At)
	b = str(b, "hook", c.Hook)
	b = str(b, "plugin", c.Plugin)
	b = str(b, "recipient", c.Recipient)
	b = str(b, "action", c.Action)
	b = reply(b, c.Reply)
	b = str(b, "reason", c.Reason)
	b = str(b, "detail", c.Detail)
	if len(c.Edits) > 0 {
		b = append(b, `,"edits":[`...)
		for i := range c.Edits {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendEdit(b, &c.Edits[i])
		}
		b = append(b, ']')
	}
	b = micros(b, "cost_us", c.Elapsed)
	b = str(b, "error", c.Err)
	b = append(b, c.Fixed...)
	if c.Fuel > 0 {
		b = strconv.AppendInt(append(b, `,"fuel":`...), c.Fuel, 10)
	}
	return append(flag(b, "shadow", c.Shadow), '}')
}

func appendEdit(b []byte, e *sdk.Edit) []byte {
	b = appendJSON(append(b, `{"op":`...), e.Op.String())
	b = str(b, "name", e.Name)
	b = str(b, "value", e.Value)
	b = num(b, "index", int64(e.Index))
	// The new body itself is in the queue; its size is enough here.
	return append(num(b, "octets", int64(len(e.Data))), '}')
}

func appendNote(b []byte, at time.Time, text string) []byte {
	return append(str(began(b, KindNote, at), "text", text), '}')
}

func appendAttempt(b []byte, a *Attempt) []byte {
	return append(attemptFields(began(b, KindAttempt, a.At), a, 0, len(a.Outcomes), true), '}')
}

// attemptFields appends an attempt with its recipients from..to.
func attemptFields(b []byte, a *Attempt, from, to int, conversation bool) []byte {
	b = num(b, "attempt", int64(a.Number))
	b = appendRoute(b, &a.Route)
	b = append(b, `,"results":[`...)
	for i := from; i < min(to, len(a.Outcomes), len(a.Recipients)); i++ {
		if i > from {
			b = append(b, ',')
		}
		var next time.Time
		if i < len(a.Next) {
			next = a.Next[i]
		}
		b = appendResult(b, a.Recipients[i], &a.Outcomes[i], next)
	}
	b = micros(append(b, ']'), "cost_us", a.Elapsed)
	if conversation && len(a.Conversation) > 0 {
		text := a.Conversation
		if len(text) > conversationCap {
			text = text[:conversationCap]
			b = flag(b, "conversation_cut", true)
		}
		b = appendJSON(key(b, "conversation"), text)
	}
	return b
}

func appendRoute(b []byte, r *sdk.Route) []byte {
	b = append(b, `,"route":{`...)
	at := len(b)
	b = str(b, "via", r.Via)
	b = list(b, "hosts", r.Hosts)
	b = str(b, "tls", r.TLS)
	b = str(b, "source", r.Source)
	b = str(b, "pool", r.Pool)
	b = str(b, "user", r.User)
	return append(uncomma(str(b, "rule", r.Rule), at), '}')
}

func appendResult(b []byte, rcpt string, o *sdk.Outcome, next time.Time) []byte {
	b = appendJSON(append(b, `{"recipient":`...), rcpt)
	b = str(b, "status", o.Status.String())
	b = reply(b, o.Reply)
	b = str(b, "remote", o.Remote)
	b = flag(b, "remote_reply", o.RemoteReply)
	b = str(b, "tls", o.TLS)
	if !next.IsZero() {
		b = append(appendTime(append(b, `,"next":"`...), next), '"')
	}
	b = flag(b, "maybe_duplicate", o.MaybeDuplicate)
	b = flag(b, "unreachable", o.Unreachable)
	b = micros(b, "setup_us", o.Setup)
	return append(micros(b, "transfer_us", o.Transfer), '}')
}
