package bounce

import (
	"bytes"
	"io"

	"github.com/programmable-mta/mta/sdk"
)

// wholeLimit is the size above which only the header of a message comes back.
const wholeLimit = 50_000

// returned is what of the message comes back to its sender.
type returned struct {
	part part   // kind is empty when nothing could be read
	id   string // the Message-ID, if it can be quoted
	says string // what is attached, for people
}

// returnsWhole tells whether the whole message is to come back, if there is room.
func returnsWhole(rep *Report) bool {
	return rep.Kind == sdk.DSNFailed && // RFC 3461 §4.3: otherwise the header only
		rep.Envelope.Ret != "HDRS" &&
		rep.Message.Size <= wholeLimit &&
		!rep.Envelope.RequireTLS && // RFC 8689 §5: the way back may be in the clear
		rep.Envelope.Body != "BINARYMIME"
}

// read makes the third part, at most room octets of it. A message that cannot
// be read is no reason to keep its sender in the dark: the part is optional
// (RFC 6522 §3), and the letter says so.
func (o *returned) read(rep *Report, room int) {
	o.says = "Your message itself could not be read any more, so it is not attached."
	raw, err := readSome(rep.Message)
	if err != nil || len(raw) == 0 {
		return
	}
	header := headerOf(raw)
	fields, err := sdk.ReadHeader(bytes.NewReader(header))
	if err != nil {
		return
	}
	o.id = messageID(fields)
	if returnsWhole(rep) && len(raw) <= wholeLimit && o.whole(rep, raw, header, room) {
		o.says = "Your message is attached."
		return
	}
	o.headers(rep, fields, room)
}

// whole takes the message as it is, if it is fit to stand inside another.
func (o *returned) whole(rep *Report, raw, header []byte, room int) bool {
	if !plainLines(raw) {
		return false
	}
	if !bytes.HasSuffix(raw, []byte("\r\n")) {
		raw = append(raw, "\r\n"...)
	}
	p := part{kind: "message/rfc822", encoding: "7bit", content: raw}
	switch {
	case rep.Envelope.SMTPUTF8 && !isASCII(string(header)):
		// RFC 6532 §3.7: message/global, which unlike message/rfc822 may be encoded.
		p.kind = "message/global"
		p.content, p.encoding = encode(raw)
	case !sevenBit(raw):
		p.encoding = "8bit" // RFC 2046 §5.2.1 allows no other
	}
	if len(p.content) > room {
		return false
	}
	o.part = p
	return true
}

// headers takes the header fields for which there is room; after one that is too
// long, shorter ones still get their place.
func (o *returned) headers(rep *Report, fields sdk.Header, room int) {
	var b bytes.Buffer
	kept, encoded := 0, false
	plain := true
	for _, f := range fields {
		plain = plain && sevenBit(canonical(f.Raw))
	}
	for _, f := range fields {
		if !fieldName(f.Name) {
			continue
		}
		text := canonical(f.Raw)
		if !plain {
			// Encoded field by field: each begins and ends a line, so the
			// pieces join without a seam.
			text = encodeAlways(text)
			encoded = true
		}
		if b.Len()+len(text) > room {
			continue
		}
		b.Write(text)
		kept++
	}
	if kept == 0 {
		return
	}
	o.says = "The header of your message is attached."
	if kept < len(fields) {
		o.says = "The header of your message is attached, as far as there is room."
	}
	o.part = part{kind: "text/rfc822-headers", encoding: "7bit", content: b.Bytes()}
	if encoded {
		o.part.encoding = "quoted-printable"
		if rep.Envelope.SMTPUTF8 {
			o.part.kind = "message/global-headers" // RFC 6533 §4
		} else {
			o.part.kind = "text/rfc822-headers; charset=utf-8"
		}
	}
}

// readSome reads as much of a message as can matter here.
func readSome(m sdk.Message) ([]byte, error) {
	body, err := m.Open()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var b bytes.Buffer
	b.Grow(int(min(max(m.Size, 0), MaxSize)) + bytes.MinRead) // ReadFrom wants that much to see the end
	if _, err := b.ReadFrom(io.LimitReader(body, MaxSize)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// headerOf is the header of raw without the empty line. If it does not end in
// what was read, the last field is incomplete and left away.
func headerOf(raw []byte) []byte {
	if bytes.HasPrefix(raw, []byte("\r\n")) {
		return nil
	}
	if i := bytes.Index(raw, []byte("\r\n\r\n")); i >= 0 {
		return raw[:i+2]
	}
	if len(raw) < MaxSize {
		return raw
	}
	for end := len(raw); ; {
		i := bytes.LastIndexByte(raw[:end], '\n')
		if i < 0 {
			return nil
		}
		if i+1 < len(raw) && raw[i+1] != ' ' && raw[i+1] != '\t' {
			return raw[:i+1]
		}
		end = i
	}
}

// canonical gives a field CRLF line ends only, and no NUL.
func canonical(raw string) []byte {
	out := make([]byte, 0, len(raw)+2)
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '\r' && i+1 < len(raw) && raw[i+1] == '\n':
		case c == '\n':
			out = append(out, '\r', '\n')
		case c == '\r', c == 0:
			out = append(out, ' ')
		default:
			out = append(out, c)
		}
	}
	if !bytes.HasSuffix(out, []byte("\r\n")) {
		out = append(out, '\r', '\n')
	}
	return out
}

// fieldName: RFC 5322 §3.6.8.
func fieldName(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

// messageID is the Message-ID if it is one and harmless.
func messageID(h sdk.Header) string {
	id := h.Get("Message-ID")
	if len(id) < 5 || len(id) > 250 || id[0] != '<' || id[len(id)-1] != '>' {
		return ""
	}
	at := 0
	for i := 1; i < len(id)-1; i++ {
		if c := id[i]; c <= ' ' || c > '~' || c == '<' || c == '>' {
			return ""
		} else if c == '@' {
			at++
		}
	}
	if at != 1 {
		return ""
	}
	return id
}
