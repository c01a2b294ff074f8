// Package quarantine holds mail with attachments whose names say that they are
// dangerous, until an operator has looked at it.
//
// Names are taken from wherever a mail program might take them: Content-Type
// and Content-Disposition, in plain, quoted, RFC 2231 and RFC 2047 form, from
// nested messages and multiparts, from uuencoded files in a text, and from the
// listings of zip archives. Where two programs would read two names, both count.
//
// A message that is nested too deeply, or has more parts or longer headers than
// an honest one, is held as well: what cannot be looked into is not let through.
//
// Invariants: it never refuses and never changes a message, and reads it once,
// in pieces; what it keeps of it is bounded.
package quarantine

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/programmable-mta/mta/sdk"
)

// New makes the plugin.
func New() sdk.Plugin {
	return &plugin{Patterns: dangerous, Double: true, Zip: true, ZipSize: 512 << 10, MaxDepth: 8}
}

// dangerous are names of files that run when they are opened.
var dangerous = []string{
	"*.ade", "*.adp", "*.bat", "*.chm", "*.cmd", "*.com", "*.cpl", "*.dll", "*.exe", "*.hta", "*.ins", "*.isp", "*.jar",
	"*.js", "*.jse", "*.lnk", "*.mde", "*.msc", "*.msi", "*.msp", "*.mst", "*.pif", "*.ps1", "*.reg", "*.scr", "*.sct",
	"*.shb", "*.sys", "*.vb", "*.vbe", "*.vbs", "*.vxd", "*.wsc", "*.wsf", "*.wsh", "*.xll",
}

type plugin struct {
	Patterns []string `json:"patterns"`
	Double   bool     `json:"double_extensions"`
	Zip      bool     `json:"zip"`
	ZipSize  int      `json:"zip_size"`
	MaxDepth int      `json:"max_depth"`

	host sdk.Host
}

// Start implements [sdk.Plugin].
func (p *plugin) Start(_ context.Context, host sdk.Host, config []byte) error {
	p.Patterns = append([]string(nil), p.Patterns...) // the decoder would write into the defaults
	if err := sdk.DecodeConfig(config, p); err != nil {
		return err
	}
	p.host = host
	switch {
	case len(p.Patterns) == 0 && !p.Double:
		return errors.New("quarantine: with no patterns and no double_extensions nothing would ever be held")
	case p.MaxDepth < 1 || p.MaxDepth > 50:
		return errors.New("quarantine: max_depth is 1 to 50")
	case p.ZipSize < 0 || p.ZipSize > 8<<20:
		return errors.New("quarantine: zip_size is 0 to 8388608 octets")
	}
	for i, pattern := range p.Patterns {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			return fmt.Errorf(`quarantine: pattern %q: write "*.exe" or "invoice*.zip"`, pattern)
		}
		p.Patterns[i] = strings.ToLower(pattern)
	}
	return nil
}

// Close implements [sdk.Plugin].
func (p *plugin) Close() error { return nil }

// Describe implements [sdk.Describer].
func (p *plugin) Describe() sdk.Description {
	return sdk.Description{
		Name: "quarantine", Version: "1.0.0",
		Hooks: map[string][]string{"data": {"message"}},
		Needs: []string{"body"},
	}
}

// OnData implements [sdk.DataHook].
func (p *plugin) OnData(ctx context.Context, e *sdk.DataEvent) (sdk.Answer, error) {
	body, err := e.Message.Open()
	if err != nil {
		return sdk.Answer{}, err
	}
	defer body.Close()
	s := &scan{plugin: p}
	if err := s.message(body, 0); err != nil {
		return sdk.Answer{}, err
	}
	p.host.Count(ctx, "looked_at", 1)
	if s.why == "" {
		return sdk.Answer{}, nil
	}
	p.host.Count(ctx, "held", 1)
	a := sdk.Answer{Action: sdk.Hold, Reason: s.why}
	if s.name != "" {
		a.Edits = []sdk.Edit{{Op: sdk.OpNote, Name: "attachment", Value: s.name}}
	}
	return a, nil
}

// judge is why a file of that name is held; empty: it is not.
func (p *plugin) judge(name string) string {
	if strings.ContainsFunc(name, bidi) {
		return "has characters that turn its letters around"
	}
	name = clean(name)
	for _, pattern := range p.Patterns {
		if ok, _ := path.Match(pattern, name); ok {
			return "fits " + pattern
		}
	}
	if p.Double {
		return doubled(name)
	}
	return ""
}

// bidi are the characters that make "gpj.exe" look like "exe.jpg".
func bidi(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// clean is the name under which a file would be stored: without folders, and
// without what file systems drop or nobody sees.
func clean(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xad || r >= 0x200b && r <= 0x200f || r == 0xfeff {
			return -1
		}
		return r
	}, name)
	return strings.ToLower(strings.Trim(name, " .\u00a0"))
}

const (
	documents = " pdf doc docx docm dot rtf odt ods odp xls xlsx xlsm csv ppt pptx pps txt htm html jpg jpeg png gif bmp tif tiff svg mp3 mp4 avi mov wav eml msg "
	harmless  = " webp heic ics vcf xml json md log yml diff gz bz2 xz zst zip 7z asc sig gpg pgp p7s p7m p7b crt pem bak old "
)

// doubled finds "invoice.pdf.exe", which a mail program may show as
// "invoice.pdf": a document's name with something else behind it.
func doubled(name string) string {
	last := strings.LastIndexByte(name, '.')
	if last < 0 {
		return ""
	}
	first := strings.TrimRight(name[:last], " ")
	inner, outer := first[strings.LastIndexByte(first, '.')+1:], strings.TrimSpace(name[last+1:])
	if len(inner) == len(first) || len(outer) < 2 || len(outer) > 4 || strings.Contains(inner, " ") || strings.Contains(outer, " ") {
		return ""
	}
	known := documents + harmless
	if strings.Contains(documents, " "+inner+" ") && !strings.Contains(known, " "+outer+" ") && !number(outer) {
		return "has a second extension behind ." + inner
	}
	return ""
}

func number(s string) bool { return strings.Trim(s, "0123456789") == "" }
