package bounce

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/programmable-mta/mta/sdk"
)

// statusRoom bounds the machine-readable part: about 150 recipients with a
// diagnosis each, 300 without.
const statusRoom = 22 << 10

// statusPart is the part for programs, RFC 3464 §2.
func statusPart(rep *Report) part {
	global := globalStatus(rep)
	room := statusRoom
	if global {
		room /= 3 // what quoted-printable may make of it
	}
	var groups bytes.Buffer
	told := 0
	for i := range rep.Recipients {
		before := groups.Len()
		appendGroup(&groups, rep, &rep.Recipients[i], global)
		if groups.Len() > room {
			groups.Truncate(before)
			break
		}
		told++
	}
	var b bytes.Buffer
	env := rep.Envelope
	if env.EnvID != "" {
		// RFC 3464 §2.2.1: only if the sender gave one.
		field(&b, "Original-Envelope-Id", ascii(env.EnvID, maxAddress))
	}
	field(&b, "Reporting-MTA", "dns; "+hostname(rep))
	if !env.Arrived.IsZero() {
		field(&b, "Arrival-Date", env.Arrived.Format(timeFormat))
	}
	if id := token(env.ID); id != "" {
		field(&b, "X-Queue-ID", id)
	}
	if n := len(rep.Recipients) - told; n > 0 {
		// RFC 3464 §2.4: an extension field, so that a program knows that the
		// list is not all.
		field(&b, "X-Recipients-Omitted", strconv.Itoa(n))
	}
	b.Write(groups.Bytes())
	if !global {
		return part{kind: "message/delivery-status", encoding: "7bit", content: b.Bytes()}
	}
	content, encoding := encode(b.Bytes())
	return part{kind: "message/global-delivery-status", encoding: encoding, content: content}
}

// globalStatus: RFC 6533 §3, for a sender who can read it and an address that
// needs it.
func globalStatus(rep *Report) bool {
	if !rep.Envelope.SMTPUTF8 {
		return false
	}
	for i := range rep.Recipients {
		if r := &rep.Recipients[i]; !isASCII(r.Addr) || !isASCII(r.ORcpt) {
			return true
		}
	}
	return false
}

// appendGroup writes the fields of one recipient, RFC 3464 §2.3.
func appendGroup(b *bytes.Buffer, rep *Report, r *Rcpt, global bool) {
	b.WriteString("\r\n")
	if kind, addr, ok := strings.Cut(r.ORcpt, ";"); ok && token(kind) != "" {
		// RFC 3461 §5.2.7: present if and only if ORCPT was.
		field(b, "Original-Recipient", typedAddress(token(kind), strings.TrimSpace(addr), global))
	}
	field(b, "Final-Recipient", typedAddress("rfc822", r.Addr, global))
	field(b, "Action", action(rep.Kind, r))
	field(b, "Status", statusCode(rep.Kind, r))
	if name := remoteName(r.Remote); name != "" {
		// RFC 3464 §2.3.5: not where no remote MTA took part.
		field(b, "Remote-MTA", "dns; "+name)
		if r.RemoteReply {
			// RFC 3464 §2.3.6: the words of the remote MTA, never our own.
			if w := replyWords(r.Reply); w != "" {
				field(b, "Diagnostic-Code", "smtp; "+ascii(w, maxWords))
			}
		}
	}
	if !r.LastAttempt.IsZero() {
		field(b, "Last-Attempt-Date", r.LastAttempt.Format(timeFormat))
	}
	if rep.Kind == sdk.DSNDelayed && !rep.WillRetryUntil.IsZero() {
		// RFC 3464 §2.3.9: for delayed recipients only.
		field(b, "Will-Retry-Until", rep.WillRetryUntil.Format(timeFormat))
	}
}

func field(b *bytes.Buffer, name, value string) {
	b.WriteString(name + ": ")
	appendFolded(b, value, "\t", len(name)+2)
	b.WriteString("\r\n")
}

// typedAddress is "type; address". An address beyond ASCII is of type utf-8
// and, in the 7-bit form of the part, in xtext (RFC 6533 §3).
func typedAddress(kind, addr string, global bool) string {
	if kind != "utf-8" && isASCII(addr) {
		return kind + "; " + clean(addr, maxAddress)
	}
	addr = clean(addr, maxAddress)
	if !global {
		addr = xtext(addr)
	}
	return "utf-8; " + addr
}

func action(k sdk.DSNKind, r *Rcpt) string {
	switch {
	case k == sdk.DSNFailed:
		return "failed"
	case k == sdk.DSNDelayed:
		return "delayed"
	case r.Expanded:
		return "expanded"
	case r.Relayed:
		return "relayed"
	}
	return "delivered"
}

// statusCode is the RFC 3463 code: that of the reply, with the class that the
// action demands, because some servers say 550 4.2.2.
func statusCode(k sdk.DSNKind, r *Rcpt) string {
	class := "5"
	switch {
	case k == sdk.DSNDelayed:
		class = "4"
	case k == sdk.DSNSuccess:
		class = "2"
	case r.Expired:
		return "4.4.7"
	}
	if validStatus(r.Reply.Enhanced) {
		return class + r.Reply.Enhanced[1:]
	}
	return class + ".0.0"
}

// validStatus: RFC 3463 §2, class "." 1*3DIGIT "." 1*3DIGIT.
func validStatus(s string) bool {
	class, rest, ok := strings.Cut(s, ".")
	subject, detail, ok2 := strings.Cut(rest, ".")
	return ok && ok2 && len(class) == 1 && digits(class) && digits(subject) && digits(detail)
}

func digits(s string) bool {
	if s == "" || len(s) > 3 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// remoteName is the host of "mx1.example.org[192.0.2.1]:25", "host:25",
// "192.0.2.1:25" or "[2001:db8::1]:25" as it stands behind "dns;". A socket
// path is no remote host.
func remoteName(remote string) string {
	if remote == "" || strings.HasPrefix(remote, "unix:") || strings.HasPrefix(remote, "/") {
		return ""
	}
	name := remote
	if i := strings.IndexByte(name, '['); i > 0 {
		name = name[:i]
	} else if i == 0 {
		if j := strings.IndexByte(name, ']'); j > 0 {
			return ascii(name[:j+1], maxAddress)
		}
	} else if i := strings.LastIndexByte(name, ':'); i > 0 {
		name = name[:i]
	}
	return ascii(name, maxAddress)
}

// replyWords is a reply on one line.
func replyWords(r sdk.Reply) string {
	var b strings.Builder
	if r.Code >= 100 && r.Code <= 999 {
		b.WriteString(strconv.Itoa(r.Code))
	}
	if r.Enhanced != "" {
		b.WriteString(" " + r.Enhanced)
	}
	if r.Text != "" {
		b.WriteString(" " + r.Text)
	}
	return clean(b.String(), maxWords)
}
