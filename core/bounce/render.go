package bounce

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// timeFormat is RFC 5322 §3.3 with the numeric zone that RFC 3464 §2.1.3 asks for.
const timeFormat = "Mon, 02 Jan 2006 15:04:05 -0700"

// partsRoom is the most that boundaries, part headers, and the fields that
// render itself writes take.
const partsRoom = 2 << 10

// part is one body part, encoded.
type part struct {
	kind     string // media type with parameters
	encoding string // 7bit, 8bit or quoted-printable
	content  []byte // ends with CRLF
}

// render puts the parts together. The first two have rooms of their own, so
// that neither a thousand recipients nor a talkative server can crowd out the
// other or the returned header, which is what people recognise their message by.
func render(rep *Report) []byte {
	head := messageHeader(rep)
	status := statusPart(rep)
	l := newLetter(rep)
	var orig returned
	orig.read(rep, MaxSize-reserve-len(head)-len(status.content)-l.size()-partsRoom)
	text := l.end(orig.says)

	parts := []part{text, status}
	if orig.part.kind != "" {
		parts = append(parts, orig.part)
	}
	boundary := freeBoundary(rep, parts)

	var b bytes.Buffer
	n := len(head) + partsRoom
	for _, p := range parts {
		n += len(p.content)
	}
	b.Grow(n)
	b.Write(head)
	if orig.id != "" {
		// RFC 3834 §3.1.5: an automatic answer names what it answers.
		b.WriteString("In-Reply-To: " + orig.id + "\r\nReferences: " + orig.id + "\r\n")
	}
	b.WriteString("MIME-Version: 1.0\r\n")
	// RFC 6522 §3.
	b.WriteString("Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"" + boundary + "\"\r\n\r\n")
	b.WriteString("This is a delivery report in several parts (MIME).\r\n")
	for _, p := range parts {
		b.WriteString("\r\n--" + boundary + "\r\nContent-Type: " + p.kind + "\r\n")
		if p.encoding != "7bit" {
			b.WriteString("Content-Transfer-Encoding: " + p.encoding + "\r\n")
		}
		b.WriteString("\r\n")
		b.Write(p.content)
	}
	b.WriteString("\r\n--" + boundary + "--\r\n")
	return b.Bytes()
}

// messageHeader is the header of the notification without its MIME fields.
func messageHeader(rep *Report) []byte {
	var b bytes.Buffer
	host := hostname(rep)
	b.WriteString("Date: " + rep.Now.Format(timeFormat) + "\r\n")
	b.WriteString("From: Mail Delivery System <MAILER-DAEMON@" + host + ">\r\n")
	to := clean(rep.Envelope.From, maxAddress)
	b.WriteString("To: <" + to + ">\r\n")
	b.WriteString("Subject: " + subject(rep.Kind) + "\r\n")
	b.WriteString("Message-ID: <" + rep.Now.UTC().Format("20060102150405") + "." + token(rep.ID) + "@" + host + ">\r\n")
	// RFC 3834 §5: so that no vacation program answers.
	b.WriteString("Auto-Submitted: auto-replied\r\n")
	return b.Bytes()
}

func subject(k sdk.DSNKind) string {
	switch k {
	case sdk.DSNDelayed:
		return "Your message is delayed"
	case sdk.DSNSuccess:
		return "Your message was delivered"
	}
	return "Your message could not be delivered"
}

func hostname(rep *Report) string {
	if h := token(rep.Hostname); h != "" {
		return h
	}
	return "localhost"
}

// token keeps of s what may stand in a domain or message identifier.
func token(s string) string {
	if len(s) > 255 {
		s = s[:255]
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return -1
	}, s)
}

// freeBoundary is a boundary that no line of any part begins with. The ID alone
// can be guessed, and the returned message is in the hands of others.
func freeBoundary(rep *Report, parts []part) string {
	base := "=_" + token(rep.ID)
	if len(base) > 40 {
		base = base[:40]
	}
	base += "." + strconv.FormatInt(rep.Now.UnixNano(), 36)
	for n := 0; ; n++ {
		b := base
		if n > 0 {
			b += "." + strconv.Itoa(n)
		}
		taken := false
		for _, p := range parts {
			// Anywhere in the part, not only at the start of a line: then no
			// parser, however lenient, can mistake it. A part is finite, so some
			// number is free.
			taken = taken || bytes.Contains(p.content, []byte(b))
		}
		if !taken {
			return b
		}
	}
}

// timespan says a duration as people do, in one unit.
func timespan(d time.Duration) string {
	for _, u := range [...]struct {
		d    time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := int64(d / u.d); n == 1 {
			return "1 " + u.name
		} else if n > 1 {
			return strconv.FormatInt(n, 10) + " " + u.name + "s"
		}
	}
	return "less than a minute"
}
