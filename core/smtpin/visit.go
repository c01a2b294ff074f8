package smtpin

import (
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/queue"
	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// visit is one client and the transaction it is in, without the octets: what
// the SMTP engine and the LMTP server have in common. Its methods ask the
// plugins and answer with the reply to the command. It belongs to one goroutine.
type visit struct {
	srv    *Server
	gen    *generation
	chains *hook.Chains
	ses    sdk.Session
	th     *trace.Thread
	apply  hook.Apply // carries out edits on the transaction; made at the first need

	accepted int    // messages
	over     string // why the session ends, once it is decided; a code of 421 was said

	// The transaction. env is nil outside of one.
	env     *sdk.Envelope
	draft   *queue.Draft
	body    inbound
	refused int             // recipients refused because there were too many
	pending []sdk.Recipient // what the recipient in hand has become
	dropped []dropped       // recipients that were accepted and thrown away
	folded  int             // recipients that were there already
	discard string          // the plugin that threw the message away
	held    string          // the plugin that holds the message

	stage stage // which hook edits come from

	// The events are here and not on the heap one by one: a call that outlives
	// its deadline has a copy.
	mailEvent    sdk.MailEvent
	rcptEvent    sdk.RcptEvent
	predataEvent sdk.PredataEvent
	dataEvent    sdk.DataEvent
}

// dropped is a recipient that a plugin discarded.
type dropped struct {
	addr  string
	reply sdk.Reply
	by    string
}

// begin fills in what is known of a client when it connects.
func (v *visit) begin(s *Server, c net.Conn, ip netip.Addr, profile string) {
	v.srv = s
	v.gen = s.generation()
	v.chains = v.gen.chains
	v.ses = sdk.Session{
		ID:        s.o.Queue.NewID(),
		Profile:   profile,
		LocalAddr: c.LocalAddr().String(),
		Started:   s.o.Now(),
	}
	if ip.IsValid() {
		v.ses.RemoteIP = ip.String()
	}
	if a, ok := c.RemoteAddr().(interface{ AddrPort() netip.AddrPort }); ok {
		v.ses.RemotePort = int(a.AddrPort().Port())
	}
	v.ses.RemoteName = s.clientName(ip)
	s.o.Tracer.Connected(&v.ses)
}

// end tells everybody that the client has gone, and leaves nothing behind.
func (v *visit) end(reason string, counts map[string][2]int) {
	v.reset()
	if v.chains.Has("disconnect") {
		e := &sdk.DisconnectEvent{Session: &v.ses, Messages: v.accepted, Reason: reason}
		v.chains.Disconnect(v.srv.ctx, v.thread(), e)
	}
	v.srv.o.Tracer.Disconnected(&v.ses, reason, counts)
	v.th.Release()
	v.th = nil
	v.gen.release()
}

// thread is where the records of hook calls go; a session without hooks needs none.
func (v *visit) thread() *trace.Thread {
	if v.th == nil {
		v.th = v.srv.o.Tracer.Thread()
	}
	return v.th
}

// reset ends the transaction and leaves no trace of it.
func (v *visit) reset() {
	if v.env == nil {
		return
	}
	if v.draft != nil {
		v.draft.Discard()
		v.draft = nil
	}
	v.env = nil
	v.refused, v.folded = 0, 0
	v.dropped = nil
	v.discard, v.held = "", ""
	v.th.Reset()
	v.mailEvent, v.rcptEvent = sdk.MailEvent{}, sdk.RcptEvent{}
	v.predataEvent, v.dataEvent = sdk.PredataEvent{}, sdk.DataEvent{}
}

// log of a refusal: the NOQUEUE lines that people know.
func (v *visit) rejected(verb, rcpt string, r sdk.Reply, plugin, reason string) {
	from := ""
	if v.env != nil {
		from = v.env.From
	}
	v.srv.o.Tracer.Rejected(&v.ses, verb, from, rcpt, r, plugin, reason, v.th)
}

// judge is the reply to a refusal by a hook; no: it is none.
func (v *visit) judge(verb, rcpt string, d *hook.Verdict) (r sdk.Reply, no bool) {
	switch d.Action {
	case sdk.Discard:
		v.discard = d.Plugin
	case sdk.Hold:
		v.held = d.Plugin
	}
	if r, no = refusal(d.Action, d.Reply); no {
		v.rejected(verb, rcpt, r, d.Plugin, d.Reason)
		if d.Action == sdk.Disconnect {
			v.over = "refused"
		}
	}
	return r, no
}

// connect asks before the banner.
func (v *visit) connect() (r sdk.Reply, no bool) {
	if !v.chains.Has("connect") {
		return sdk.Reply{}, false
	}
	d := v.chains.Connect(v.srv.ctx, v.thread(), &sdk.ConnectEvent{Session: &v.ses})
	switch d.Action {
	case sdk.Reject:
		r = chosen(d.Reply, replyConnect)
		if r.Code != 521 { // RFC 7504: a host that takes no mail at all
			r.Code = 554 // RFC 5321 §3.1
		}
	case sdk.Defer, sdk.Disconnect:
		// A greeting can defer only with 421, which ends the connection.
		r = chosen(d.Reply, replyClosing)
		r.Code = 421
		v.over = "refused"
	default:
		return sdk.Reply{}, false
	}
	v.rejected("CONNECT", "", r, d.Plugin, d.Reason)
	return r, true
}

// helo takes the name; the caller has checked that it is one word.
func (v *visit) helo(name string, extended bool) (r sdk.Reply, no bool) {
	v.reset() // RFC 5321 §4.1.4
	v.ses.Helo = name
	v.ses.Protocol = protocol(v.ses.Profile == "lmtp", extended, v.ses.TLS != "", v.ses.Login != "", false)
	if !v.chains.Has("helo") {
		return sdk.Reply{}, false
	}
	d := v.chains.Helo(v.srv.ctx, v.thread(), &sdk.HeloEvent{Session: &v.ses, Extended: extended})
	if r, no = v.judge("HELO", "", &d); no {
		v.ses.Helo, v.ses.Protocol = "", ""
	}
	return r, no
}

// envelope is an Envelope with room for its first recipients: one allocation.
type envelope struct {
	sdk.Envelope
	first [2]sdk.Recipient
}

// mail begins a transaction. size is what the client announced, or -1.
func (v *visit) mail(a smtp.Address, o *gosmtp.MailOptions, size int64, extended bool) (r sdk.Reply, no bool) {
	from := a.String()
	if over(size, v.srv.o.Limits.MessageSize) { // RFC 1870 §6.1
		v.srv.o.Tracer.Rejected(&v.ses, "MAIL", from, "", replyTooBig, "", "", v.th)
		return replyTooBig, true
	}
	if has := v.srv.o.HasSpace; has != nil && !has(max(size, 0)) {
		v.srv.o.Tracer.Rejected(&v.ses, "MAIL", from, "", replyNoSpace, "", "", v.th)
		return replyNoSpace, true
	}
	e := &envelope{}
	e.Envelope = sdk.Envelope{
		ID:         v.srv.o.Queue.NewID(),
		From:       from,
		Recipients: e.first[:0],
		Body:       string(o.Body),
		SMTPUTF8:   o.UTF8,
		RequireTLS: o.RequireTLS,
		Ret:        string(o.Return),
		EnvID:      o.EnvelopeID,
		Arrived:    v.srv.o.Now(),
		Origin: sdk.Origin{
			IP:       v.ses.RemoteIP,
			Name:     v.ses.RemoteName,
			Helo:     v.ses.Helo,
			Protocol: protocol(v.ses.Profile == "lmtp", extended, v.ses.TLS != "", v.ses.Login != "", o.UTF8),
			Login:    v.ses.Login,
			Profile:  v.ses.Profile,
		},
		Notes: maps.Clone(v.ses.Notes),
	}
	v.env = &e.Envelope
	if !v.chains.Has("mail") {
		return replySender, false
	}
	v.stage = inMail
	v.mailEvent = sdk.MailEvent{Session: &v.ses, Envelope: v.env}
	d := v.chains.Mail(v.srv.ctx, v.thread(), &v.mailEvent, v.applier())
	if r, no = v.judge("MAIL", "", &d); no {
		v.reset()
		return r, true
	}
	return replySender, false
}

// rcpt adds a recipient. Nobody who may relay accepts it: it is refused.
func (v *visit) rcpt(a smtp.Address, o *gosmtp.RcptOptions) (r sdk.Reply, no bool) {
	if v.crowded() {
		v.refused++
		r = replyTooMany // RFC 5321 §4.5.3.1.10: those before it stand
		if v.refused > v.srv.o.Limits.Recipients {
			r = replyTooManyErrors
		}
		v.rejected("RCPT", a.String(), r, "", "")
		return r, true
	}
	rcpt := sdk.Recipient{Addr: a.String(), Notify: notify(o.Notify)}
	if o.OriginalRecipient != "" {
		// The type in the case in which it is registered and everybody writes it:
		// next hops get the parameter back as it came (RFC 3461 §5.2.1).
		rcpt.ORcpt = strings.ToLower(string(o.OriginalRecipientType)) + ";" + o.OriginalRecipient
	}
	v.pending = append(v.pending[:0], rcpt)
	v.stage = inRcpt
	v.rcptEvent = sdk.RcptEvent{Session: &v.ses, Envelope: v.env, Recipient: rcpt}
	d := v.chains.Rcpt(v.srv.ctx, v.thread(), &v.rcptEvent, v.applier())
	switch {
	case d.Action == sdk.Discard:
		v.dropped = append(v.dropped, dropped{rcpt.Addr, d.Reply, d.Plugin})
		return replyRecipient, false
	case d.Action == sdk.Continue, !d.Relay && (d.Action == sdk.Accept || d.Action == sdk.Hold):
		v.rejected("RCPT", rcpt.Addr, replyRelay, d.Plugin, d.Reason)
		return replyRelay, true
	}
	if r, no = v.judge("RCPT", rcpt.Addr, &d); no {
		return r, true
	}
	if a.Domain == "" && len(v.pending) > 0 && v.pending[0].Addr == rcpt.Addr {
		// RFC 5321 §4.1.1.3: the postmaster of this host. Plugins see the bare
		// name, which they know by that; routes need a domain.
		v.pending[0].Addr += "@" + v.srv.o.Hostname
	}
	for i := range v.pending {
		if v.has(&v.pending[i]) {
			v.folded++
			continue
		}
		v.env.Recipients = append(v.env.Recipients, v.pending[i])
	}
	return replyRecipient, false
}

// sameLooked is how many recipients are compared with a new one: lists that are
// longer were made by programs, and comparing all would be quadratic.
const sameLooked = 1000

// has tells whether a recipient is there already, by the same address and with
// the same wishes: a name given twice, or two aliases of one mailbox, is one
// copy. Over LMTP each RCPT has a reply of its own, so nothing is folded.
func (v *visit) has(r *sdk.Recipient) bool {
	if v.ses.Profile == "lmtp" {
		return false
	}
	for i := range v.env.Recipients[:min(len(v.env.Recipients), sameLooked)] {
		o := &v.env.Recipients[i]
		if o.Addr == r.Addr && o.Notify == r.Notify && o.ORcpt == r.ORcpt {
			return true
		}
	}
	return false
}

// crowded tells that one recipient more would be above the limit.
func (v *visit) crowded() bool {
	return over(len(v.env.Recipients)+len(v.dropped)+v.folded+1, v.srv.o.Limits.Recipients)
}

// recipients tells whether any was accepted.
func (v *visit) recipients() bool {
	return v.env != nil && len(v.env.Recipients)+len(v.dropped) > 0
}

// predata asks before the message is read.
func (v *visit) predata(verb string) (r sdk.Reply, no bool) {
	if !v.chains.Has("predata") || len(v.env.Recipients) == 0 {
		return sdk.Reply{}, false
	}
	v.predataEvent = sdk.PredataEvent{Session: &v.ses, Envelope: v.env}
	d := v.chains.Predata(v.srv.ctx, v.thread(), &v.predataEvent)
	return v.judge(verb, "", &d)
}

func notify(ns []gosmtp.DSNNotify) (n sdk.Notify) {
	for _, x := range ns {
		switch x {
		case gosmtp.DSNNotifyNever:
			n |= sdk.NotifyNever
		case gosmtp.DSNNotifySuccess:
			n |= sdk.NotifySuccess
		case gosmtp.DSNNotifyFailure:
			n |= sdk.NotifyFailure
		case gosmtp.DSNNotifyDelayed:
			n |= sdk.NotifyDelay
		}
	}
	return n
}

// protocols are the names of RFC 3848 and RFC 6531 §4.3, by TLS and AUTH.
var protocols = [...][4]string{
	{"SMTP", "ESMTPS", "ESMTPA", "ESMTPSA"}, // HELO; with TLS or AUTH, EHLO was spoken before
	{"ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA"},
	{"LMTP", "LMTPS", "LMTPA", "LMTPSA"},
	{"UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA"},
	{"UTF8LMTP", "UTF8LMTPS", "UTF8LMTPA", "UTF8LMTPSA"},
}

// protocol is what stands behind "with" in a Received field.
func protocol(lmtp, extended, tls, auth, utf8 bool) string {
	row, col := 0, 0
	switch {
	case lmtp && utf8:
		row = 4
	case utf8:
		row = 3
	case lmtp:
		row = 2
	case extended:
		row = 1
	}
	if tls {
		col |= 1
	}
	if auth {
		col |= 2
	}
	return protocols[row][col]
}

// guard keeps a panic inside the session. The reply, if any, is up to the caller.
func (v *visit) guard(panicked *bool) {
	r := recover()
	if r == nil {
		return
	}
	*panicked = true
	v.srv.log(slog.LevelError, "panic in a session", "session", v.ses.ID, "panic", r, "stack", string(debug.Stack()))
}

// since is how long ago t was, by the clock of the relay.
func (v *visit) since(t time.Time) time.Duration { return v.srv.o.Now().Sub(t) }
