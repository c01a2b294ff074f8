package maildir

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/programmable-mta/mta/sdk"
)

// maxName is the longest name of a folder on the file systems of this world.
const maxName = 255

// mailbox is the folder of an address.
func (p *plugin) mailbox(addr string) (string, error) {
	local, domain := unquote(sdk.LocalPart(addr)), sdk.Domain(addr)
	if domain == "" { // postmaster
		domain = p.host.Hostname()
	}
	if p.detail != "" {
		if i := strings.Index(local, p.detail); i > 0 {
			local = local[:i]
		}
	}
	local, domain = encode(local), encode(domain)
	if local == "" || domain == "" {
		return "", errors.New("not the address of a mailbox")
	}
	path := strings.NewReplacer("{domain}", domain, "{local}", local).Replace(p.path)
	for part := range strings.SplitSeq(path, "/") {
		if len(part) > maxName {
			return "", errors.New("the address is too long for a mailbox")
		}
	}
	return filepath.Clean(path), nil
}

// unquote takes the quotes from a local part: "joe" and joe are one mailbox
// (RFC 5321 §4.1.2).
func unquote(local string) string {
	if len(local) < 2 || local[0] != '"' || local[len(local)-1] != '"' {
		return local
	}
	var b strings.Builder
	local = local[1 : len(local)-1]
	for i := 0; i < len(local); i++ {
		if local[i] == '\\' && i+1 < len(local) {
			i++
		}
		b.WriteByte(local[i])
	}
	return b.String()
}

// encode makes a part of an address the name of a folder: letters in lower
// case, digits and a few signs stay, and everything else becomes %XX. So do
// dots in front, which would hide the folder or be ".." itself.
func encode(part string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	dots := true // still in front
	for i := 0; i < len(part); i++ {
		c := part[i]
		dots = dots && c == '.'
		switch {
		case c >= 'A' && c <= 'Z':
			b.WriteByte(c + 'a' - 'A')
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', strings.IndexByte("-_+=", c) >= 0, c == '.' && !dots:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
