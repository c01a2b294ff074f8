// Package footer adds a few lines to the end of mail from chosen domains: the
// particulars that a company has to give, a notice, a greeting.
//
// The text goes into the parts that a person reads, in their own charset and
// transfer encoding: text/plain and text/html, at the top or in multiparts. A
// message whose text is in a charset that cannot hold the footer gets a part of
// its own for it, in a multipart/mixed around everything.
//
// It leaves alone whatever would lose its meaning: mail that is signed or
// encrypted (S/MIME, OpenPGP, inline too, and DKIM), reports and notifications,
// invitations, mail that is not well-formed or that it does not understand, and
// mail that already has a footer. Only what is behind the last line of a text
// changes; every other part stays octet for octet.
//
// It reads at most max_size octets, to a bounded depth and number of parts.
package footer

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/programmable-mta/mta/sdk"
)

// Marker is the header field that keeps a message from getting a second footer.
const Marker = "X-Footer-Added"

// New makes the plugin.
func New() sdk.Plugin { return &plugin{MaxSize: 256 << 10} }

type plugin struct {
	Footers []*text `json:"footers"`
	Login   bool    `json:"login"`    // only mail of clients that have logged in
	MaxSize int64   `json:"max_size"` // larger messages are left alone

	host sdk.Host
}

// text is one footer.
type text struct {
	Domains []string `json:"domains"` // of senders; ".example.org" is every name below it
	Text    string   `json:"text"`
	HTML    string   `json:"html"` // empty: made from Text

	plain []string // lines in UTF-8
	html  string   // in ASCII
	ascii bool     // plain is
}

// Start implements [sdk.Plugin].
func (p *plugin) Start(_ context.Context, host sdk.Host, config []byte) error {
	if err := sdk.DecodeConfig(config, p); err != nil {
		return err
	}
	p.host = host
	if len(p.Footers) == 0 {
		return errors.New(`footer: there are no footers; write footers = [{domains = ["example.org"], text = "..."}]`)
	}
	if p.MaxSize < 1024 || p.MaxSize > 16<<20 {
		return errors.New("footer: max_size is 1024 to 16777216 octets")
	}
	for i, f := range p.Footers {
		if f == nil {
			return fmt.Errorf("footer: footer %d is empty", i+1)
		}
		if err := f.prepare(); err != nil {
			return fmt.Errorf("footer: footer %d: %w", i+1, err)
		}
	}
	return nil
}

// maxLine keeps a footer within RFC 5322 §2.1.1 whatever stands in front of it.
const maxLine = 900

func (f *text) prepare() error {
	if len(f.Domains) == 0 {
		return errors.New("domains has to name the senders that get it")
	}
	for i, d := range f.Domains {
		f.Domains[i] = strings.ToLower(d)
	}
	lines := strings.Split(strings.Trim(strings.ReplaceAll(f.Text, "\r\n", "\n"), "\n"), "\n")
	if strings.Join(lines, "") == "" {
		return errors.New("text is empty")
	}
	f.ascii = true
	for i, l := range lines {
		if !utf8.ValidString(l) || strings.ContainsFunc(l, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return errors.New("text is not UTF-8, or has control characters")
		}
		if len(l) > maxLine {
			return fmt.Errorf("text has a line of %d octets, more than %d", len(l), maxLine)
		}
		if l != "-- " { // RFC 3676 §4.3: the line above a signature
			lines[i] = strings.TrimRight(l, " \t")
		}
		f.ascii = f.ascii && isASCII(l)
	}
	f.plain = lines
	f.html = f.HTML
	if f.html == "" {
		f.html = "<p>" + strings.Join(escaped(lines), "<br>\n") + "</p>"
	}
	f.html = references(strings.ReplaceAll(f.html, "\r\n", "\n"))
	for l := range strings.SplitSeq(f.html, "\n") {
		if len(l) > maxLine {
			return fmt.Errorf("html has a line of %d octets, more than %d", len(l), maxLine)
		}
	}
	return nil
}

func escaped(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = html.EscapeString(l)
	}
	return out
}

// references writes what is not ASCII as numbers, which mean the same in every
// charset that a page may be in.
func references(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "&#%d;", r)
		}
	}
	return b.String()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Close implements [sdk.Plugin].
func (p *plugin) Close() error { return nil }

// Describe implements [sdk.Describer].
func (p *plugin) Describe() sdk.Description {
	return sdk.Description{
		Name: "footer", Version: "1.0.0",
		Hooks: map[string][]string{"data": {"session.login", "envelope.from", "envelope.body", "message"}},
		Needs: []string{"body=write", "headers=write"},
	}
}

// OnData implements [sdk.DataHook].
func (p *plugin) OnData(ctx context.Context, e *sdk.DataEvent) (sdk.Answer, error) {
	f := p.choose(e.Envelope.From)
	if f == nil || p.Login && e.Session.Login == "" {
		return sdk.Answer{}, nil
	}
	if e.Message.Size > p.MaxSize {
		return p.leave(ctx, "it is larger than max_size"), nil
	}
	if strings.EqualFold(e.Envelope.Body, "BINARYMIME") {
		return p.leave(ctx, "it is binary"), nil
	}
	content, err := read(e.Message, p.MaxSize)
	if err != nil {
		return sdk.Answer{}, err
	}
	edits, why := p.rewrite(ctx, string(content), f)
	if why != "" {
		return p.leave(ctx, why), nil
	}
	p.host.Count(ctx, "added", 1)
	edits = append(edits, sdk.Edit{Op: sdk.OpAppendHeader, Name: Marker, Value: p.host.Hostname()})
	return sdk.Answer{Edits: edits, Reason: "a footer was added"}, nil
}

func (p *plugin) leave(ctx context.Context, why string) sdk.Answer {
	p.host.Count(ctx, "left_alone", 1)
	return sdk.Answer{Reason: "no footer: " + why}
}

// choose is the footer of a sender; the null reverse-path has none.
func (p *plugin) choose(from string) *text {
	domain := strings.ToLower(sdk.Domain(from))
	if domain == "" {
		return nil
	}
	for _, f := range p.Footers {
		for _, d := range f.Domains {
			if d == domain || strings.HasPrefix(d, ".") && strings.HasSuffix(domain, d) {
				return f
			}
		}
	}
	return nil
}

func read(m sdk.Message, limit int64) ([]byte, error) {
	body, err := m.Open()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(io.LimitReader(body, limit))
}
