package footer

import (
	"context"
	"encoding/hex"
	"mime"
	"strings"

	"github.com/programmable-mta/mta/sdk"
)

// change replaces text[start:end] of the message.
type change struct {
	start, end int
	text       string
}

// rewrite is what to change in a message so that it has the footer, or why it
// is left alone.
func (p *plugin) rewrite(ctx context.Context, message string, f *text) (edits []sdk.Edit, why string) {
	ps := &parser{text: message}
	top := ps.entity(0, len(message), 0, "text/plain")
	if ps.why == "" {
		ps.why = reserved(top)
	}
	if ps.why != "" {
		return nil, ps.why
	}
	places := top.places()
	if len(places) == 0 {
		return nil, "it has no text"
	}
	var changes []change
	for _, e := range places {
		c, more, err := f.into(e, e == top)
		switch {
		case err == errForeign:
			return p.wrap(ctx, top, f)
		case err != nil:
			return nil, err.Error()
		}
		changes, edits = append(changes, c), append(edits, more...)
	}
	body := len(message) - len(top.body)
	var b strings.Builder
	at := body
	for _, c := range changes {
		b.WriteString(message[at:c.start])
		b.WriteString(c.text)
		at = c.end
	}
	b.WriteString(message[at:])
	return append([]sdk.Edit{{Op: sdk.OpReplaceBody, Data: []byte(b.String())}}, edits...), ""
}

// into adds the footer to one text. Where that needs another encoding, the
// header of a part is part of the change, and that of the message is in edits.
func (f *text) into(e *entity, isTop bool) (c change, edits []sdk.Edit, err error) {
	charset := strings.ToLower(e.params["charset"])
	if charset == "" || charset == "ascii" {
		charset = "us-ascii" // RFC 2045 §5.2
	}
	if !asciiLike(charset) {
		return c, nil, errForeign
	}
	content := e.content
	switch {
	case e.err == errForeign:
		return c, nil, e.err
	case e.err != nil:
		return c, nil, errBroken
	}
	encoding, newCharset := e.encoding, charset
	var body string
	switch {
	case e.media == "text/html":
		body = encode(intoPage(content, f.html), encoding)
	default:
		var lines string
		lines, newCharset, err = f.lines(charset, content, e.params["format"] == "flowed")
		if err != nil {
			return c, nil, err
		}
		// Nothing becomes 8-bit that was not: the next hop may not take it.
		if has8bit(lines) && (encoding == "7bit" || encoding == "8bit" && !has8bit(content)) {
			encoding = "quoted-printable"
		}
		if encoding == e.encoding && encoding != "base64" {
			// What is there stays as it is, to the octet.
			body = joined(e.body, encode(lines, encoding))
		} else {
			body = encode(joined(content, lines), encoding)
		}
	}
	// The line end behind the last line of base64 is not of the text.
	if encoding == "base64" && strings.HasSuffix(e.body, "\r\n") {
		body += "\r\n"
	}
	bodyStart := e.end - len(e.body)
	if encoding == e.encoding && newCharset == charset {
		return change{bodyStart, e.end, body}, nil, nil
	}
	e.params["charset"] = newCharset
	contentType := mime.FormatMediaType(e.media, e.params)
	if contentType == "" {
		return c, nil, errForeign
	}
	if isTop {
		edits = []sdk.Edit{
			{Op: sdk.OpReplaceHeader, Name: "Content-Type", Value: contentType},
			{Op: sdk.OpReplaceHeader, Name: "Content-Transfer-Encoding", Value: encoding},
		}
		return change{bodyStart, e.end, body}, append(edits, versionEdit(e)...), nil
	}
	return change{e.start, e.end, e.partHeader(contentType, encoding) + "\r\n" + body}, nil, nil
}

// partHeader is the header of a part with another type and encoding.
func (e *entity) partHeader(contentType, encoding string) string {
	var b strings.Builder
	b.WriteString("Content-Type: " + contentType + "\r\nContent-Transfer-Encoding: " + encoding + "\r\n")
	for _, f := range e.fields {
		if f.name != "content-type" && f.name != "content-transfer-encoding" {
			b.WriteString(f.raw)
		}
	}
	return b.String()
}

// versionEdit makes a message that had no type one that has (RFC 2045 §4).
func versionEdit(top *entity) []sdk.Edit {
	if _, n := top.get("mime-version"); n > 0 {
		return nil
	}
	return []sdk.Edit{{Op: sdk.OpAppendHeader, Name: "MIME-Version", Value: "1.0"}}
}

// lines is the footer in the charset of a text, or in UTF-8 where the text is
// ASCII and the footer is not.
func (f *text) lines(charset, content string, flowed bool) (string, string, error) {
	var b strings.Builder
	for _, l := range f.plain {
		// RFC 3676 §4.4: what would be taken for a quote or a fold is stuffed.
		if flowed && (strings.HasPrefix(l, " ") || strings.HasPrefix(l, ">") || strings.HasPrefix(l, "From ")) {
			b.WriteByte(' ')
		}
		b.WriteString(l)
		b.WriteString("\r\n")
	}
	text := b.String()
	switch {
	case f.ascii || charset == "utf-8":
		return text, charset, nil
	case charset == "us-ascii" && !has8bit(content):
		return text, "utf-8", nil
	case charset == "iso-8859-1":
		if s, ok := latin1(text); ok {
			return s, charset, nil
		}
	}
	return "", "", errForeign
}

// joined puts the footer behind a text, with an empty line between. A text that
// ends in the middle of a line, as that of a part does, ends so afterwards.
func joined(text, footer string) string {
	switch {
	case text == "":
		return footer
	case strings.HasSuffix(text, "\r\n"):
		return text + "\r\n" + footer
	}
	return text + "\r\n\r\n" + strings.TrimSuffix(footer, "\r\n")
}

// intoPage puts the footer in front of the end of a page's body, or at its end.
func intoPage(page, footer string) string {
	lower := asciiLower(page)
	at := strings.LastIndex(lower, "</body")
	if at < 0 {
		at = strings.LastIndex(lower, "</html")
	}
	if at < 0 {
		at = len(page)
	}
	footer = "\r\n" + strings.ReplaceAll(footer, "\n", "\r\n")
	if at < len(page) || strings.HasSuffix(page, "\n") {
		footer += "\r\n"
	}
	return page[:at] + footer + page[at:]
}

// asciiLower keeps every octet in its place, whatever the charset.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// inlinePGP finds the armour of OpenPGP in a text (RFC 9580 §6.2).
func inlinePGP(text string) bool {
	return strings.Contains(text, "-----BEGIN PGP MESSAGE-----") || strings.Contains(text, "-----BEGIN PGP SIGNED MESSAGE-----")
}

type reasonError string

func (e reasonError) Error() string { return string(e) }

const errBroken reasonError = "a text is not encoded as it says"

// wrap puts the whole message into a multipart/mixed, with the footer as the
// last part: what says how the content is to be read moves to its own part.
func (p *plugin) wrap(ctx context.Context, top *entity, f *text) (edits []sdk.Edit, why string) {
	if top.encoding == "binary" {
		return nil, "it is binary"
	}
	random := make([]byte, 12)
	p.host.Random(ctx, random)
	boundary := "footer-" + hex.EncodeToString(random)
	if strings.Contains(top.body, boundary) {
		return nil, "the boundary stands in its text"
	}
	var b strings.Builder
	b.WriteString("--" + boundary + "\r\n")
	moved := map[string]bool{}
	for _, f := range top.fields {
		if strings.HasPrefix(f.name, "content-") {
			b.WriteString(f.raw)
			moved[f.name] = true
		}
	}
	b.WriteString("\r\n" + top.body + "\r\n--" + boundary + "\r\n")
	b.WriteString("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Disposition: inline\r\n\r\n")
	b.WriteString(quoted(strings.Join(f.plain, "\r\n") + "\r\n"))
	b.WriteString("\r\n--" + boundary + "--\r\n")
	encoding := "7bit"
	if has8bit(b.String()) { // RFC 2045 §6.4
		encoding = "8bit"
	}
	edits = []sdk.Edit{
		{Op: sdk.OpReplaceBody, Data: []byte(b.String())},
		{Op: sdk.OpReplaceHeader, Name: "Content-Type", Value: `multipart/mixed; boundary="` + boundary + `"`},
		{Op: sdk.OpReplaceHeader, Name: "Content-Transfer-Encoding", Value: encoding},
	}
	for _, f := range top.fields {
		if moved[f.name] && f.name != "content-type" && f.name != "content-transfer-encoding" {
			edits = append(edits, sdk.Edit{Op: sdk.OpRemoveHeader, Name: f.raw[:len(f.name)]})
			moved[f.name] = false
		}
	}
	return append(edits, versionEdit(top)...), ""
}
