package record

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"unicode/utf8"
)

// hasher replaces local parts of addresses.
type hasher struct{ key []byte }

func newHasher(key []byte) *hasher { return &hasher{key} }

// local is the hash of a local part. Case does not count, because plugins fold
// it before they compare; the result is in lower case for the same reason.
func (h *hasher) local(s string) string {
	low := strings.ToLower(s)
	if low == "" || low == "postmaster" {
		return s
	}
	m := hmac.New(sha256.New, h.key)
	m.Write([]byte(low))
	return "h" + hex.EncodeToString(m.Sum(nil)[:8])
}

// address replaces the local part of an address, or a name without a domain.
func (h *hasher) address(s string) string {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return h.local(s)
	}
	return h.local(s[:i]) + s[i:]
}

// addressFields hold an address, or a login name, and nothing else.
func addressField(field string) bool {
	switch field {
	case "Recipient.Addr", "Recipient.Orig", "Envelope.From", "BounceEvent.To", "SendCall.From",
		"Session.Login", "Origin.Login", "AuthEvent.Username", "AuthEvent.AuthzID", "Answer.Identity", "Route.User":
		return true
	}
	return false
}

// about makes a visitor for all that belongs to an event: its addresses are
// found wherever they stand.
func (h *hasher) about(event any) visitor {
	var known []string
	names := map[string]bool{}
	visitor{text: func(field, s string) string {
		if addressField(field) && s != "" {
			if strings.LastIndexByte(s, '@') > 0 {
				known = append(known, s)
			} else {
				names[s] = true
			}
		}
		return s
	}}.visit(reflect.ValueOf(event), "")
	text := func(field, s string) string {
		if addressField(field) || names[s] {
			return h.address(s)
		}
		return h.within(s, known)
	}
	return visitor{text: text, bytes: func(b []byte) []byte {
		if !utf8.Valid(b) {
			return b
		}
		return []byte(text("", string(b)))
	}}
}

// within replaces the addresses that stand in a longer string: those that are
// known, and what looks like one. "%40" is an "@" as it stands in URLs.
func (h *hasher) within(s string, known []string) string {
	if strings.IndexByte(s, '@') < 0 && !strings.Contains(s, "%40") {
		return s
	}
	var b strings.Builder
	last := 0
	for i := 0; i < len(s); i++ {
		sep := 1
		if strings.HasPrefix(s[i:], "%40") {
			sep = 3
		} else if s[i] != '@' {
			continue
		}
		if i+sep == len(s) || !domainByte(s[i+sep]) && s[i+sep] != '[' {
			continue
		}
		start := i - knownLocal(s[last:i], s[i+sep:], known)
		if start == i {
			start = localStart(s, last, i)
		}
		if start == i {
			continue
		}
		local := s[start:i]
		if plain, err := url.PathUnescape(local); sep == 3 && err == nil {
			local = plain
		}
		b.WriteString(s[last:start])
		b.WriteString(h.local(local))
		last = i
	}
	b.WriteString(s[last:])
	return b.String()
}

// knownLocal is the length of the local part of the longest known address that
// ends before the "@" and goes on behind it; 0: none.
func knownLocal(before, behind string, known []string) int {
	best := 0
	for _, a := range known {
		at := strings.LastIndexByte(a, '@')
		domain := a[at+1:]
		if at <= best || at > len(before) || len(domain) > len(behind) {
			continue
		}
		// The end of a longer name is not the name.
		if rest := len(before) - at; rest > 0 && (alnum(before[rest-1]) || strings.IndexByte("._+-", before[rest-1]) >= 0) {
			continue
		}
		if strings.EqualFold(before[len(before)-at:], a[:at]) && strings.EqualFold(behind[:len(domain)], domain) {
			best = at
		}
	}
	return best
}

// localStart is where the local part before an "@" begins. The characters that
// separate fields in keys (| : / , ; =) end it here, although RFC 5321 §4.1.2
// lets some of them stand in one.
func localStart(s string, from, at int) int {
	if at > from && s[at-1] == '"' {
		if i := strings.LastIndexByte(s[from:at-1], '"'); i >= 0 {
			return from + i
		}
	}
	i := at
	for i > from && (alnum(s[i-1]) || s[i-1] >= 0x80 || strings.IndexByte(".!#$%&'*+?^_`{}~-", s[i-1]) >= 0) {
		i--
	}
	return i
}

func domainByte(c byte) bool { return alnum(c) || c >= 0x80 }

func alnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// config replaces the addresses in a configuration, in keys too.
func (h *hasher) config(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return raw
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil // it cannot be searched, so it does not go out
	}
	out, err := encode(h.tree(v))
	if err != nil {
		return nil
	}
	return out
}

func (h *hasher) tree(v any) any {
	switch x := v.(type) {
	case string:
		return h.within(x, nil)
	case []any:
		for i := range x {
			x[i] = h.tree(x[i])
		}
	case map[string]any:
		n := make(map[string]any, len(x))
		for k, e := range x {
			n[h.within(k, nil)] = h.tree(e)
		}
		return n
	}
	return v
}
