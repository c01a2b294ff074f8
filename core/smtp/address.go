package smtp

import (
	"errors"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Sizes of RFC 5321 §4.5.3.1, in octets.
const (
	maxLocal  = 64
	maxDomain = 255
	maxPath   = 256 // with the angle brackets
	maxLabel  = 63  // RFC 1035 §2.3.4
)

// Address is a mailbox as it stands in MAIL and RCPT. The zero value is the
// null reverse-path; a Local without Domain is the bare postmaster of
// RFC 5321 §4.1.1.3.
type Address struct {
	Local  string // keeps its quotes where it needs them; case is kept
	Domain string // lower case, A-labels; or an address literal in brackets
}

// ErrNeedUTF8 is returned for an address that is not ASCII where SMTPUTF8 was
// not asked for: 553 5.6.7.
var ErrNeedUTF8 = errors.New("smtp: address needs SMTPUTF8")

var (
	errBrackets  = errors.New("smtp: address not in angle brackets")
	errRoute     = errors.New("smtp: bad source route")
	errNoDomain  = errors.New("smtp: address without domain")
	errNoLocal   = errors.New("smtp: address without local part")
	errLocalDot  = errors.New("smtp: misplaced dot in local part")
	errLocalChar = errors.New("smtp: character not allowed in local part")
	errQuotes    = errors.New("smtp: bad quoted local part")
	errLocalLong = errors.New("smtp: local part longer than 64 octets")
	errPathLong  = errors.New("smtp: address longer than 254 octets")
	errDomain    = errors.New("smtp: bad domain")
	errDomainLen = errors.New("smtp: domain or label too long")
	errNumeric   = errors.New("smtp: IP address without brackets")
	errLiteral   = errors.New("smtp: bad address literal")
	errNotUTF8   = errors.New("smtp: address is not UTF-8")
)

// ParsePath parses "<...>" at the start of s, and returns what stands behind
// it. The null reverse-path <> and a <postmaster> without domain are addresses
// like others: the caller knows where they are allowed. A source route is
// checked and dropped (RFC 5321 §4.1.1.3, appendix C).
func ParsePath(s string, utf8 bool) (a Address, rest string, err error) {
	end := pathEnd(s)
	if end < 0 {
		return Address{}, "", errBrackets
	}
	if end+1 > maxPath {
		return Address{}, "", errPathLong
	}
	inner, rest := s[1:end], s[end+1:]
	if inner == "" {
		return Address{}, rest, nil
	}
	if inner[0] == '@' {
		if inner, err = dropRoute(inner, utf8); err != nil {
			return Address{}, "", err
		}
	}
	if strings.EqualFold(inner, "postmaster") {
		return Address{Local: "postmaster"}, rest, nil
	}
	a, err = ParseAddress(inner, utf8)
	if err != nil {
		return Address{}, "", err
	}
	return a, rest, nil
}

// ParseAddress parses a mailbox without angle brackets. With utf8, what
// RFC 6531 adds is allowed; the domain becomes A-labels all the same, so that
// a mailbox has one spelling.
func ParseAddress(s string, utf8 bool) (Address, error) {
	// The last @ is the border: a quoted local part may hold others, and taking
	// the first has let mail through to domains that nobody checked.
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return Address{}, errNoDomain
	}
	local, err := parseLocal(s[:at], utf8)
	if err != nil {
		return Address{}, err
	}
	domain, err := parseDomain(s[at+1:], utf8)
	if err != nil {
		return Address{}, err
	}
	if len(local) > maxLocal { // RFC 5321 §4.5.3.1.1
		return Address{}, errLocalLong
	}
	if len(local)+1+len(domain) > maxPath-2 { // RFC 5321 §4.5.3.1.3
		return Address{}, errPathLong
	}
	return Address{Local: local, Domain: domain}, nil
}

// String is the address without angle brackets, as it stands in envelopes. The
// null reverse-path is the empty string.
func (a Address) String() string {
	if a.Domain == "" {
		return a.Local
	}
	return a.Local + "@" + a.Domain
}

// IsNull tells whether this is the null reverse-path.
func (a Address) IsNull() bool { return a == Address{} }

// ValidDomain tells whether s is a domain of ASCII letters, digits, hyphens and
// underscores, or an address literal of RFC 5321 §4.1.3.
func ValidDomain(s string) bool {
	_, err := parseDomain(s, false)
	return err == nil
}

// ToASCII is a domain in lower case and A-labels, or an error if it is none.
func ToASCII(domain string) (string, error) { return parseDomain(domain, true) }

// pathEnd is the index of the ">" that closes the "<" at the start of s, or -1.
// One inside quotes closes nothing.
func pathEnd(s string) int {
	if s == "" || s[0] != '<' {
		return -1
	}
	quoted := false
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == '>' && !quoted:
			return i
		}
	}
	return -1
}

// dropRoute takes "@a,@b:" from the front of a path.
func dropRoute(s string, utf8 bool) (string, error) {
	route, mailbox, ok := strings.Cut(s, ":")
	if !ok {
		return "", errRoute
	}
	for hop := range strings.SplitSeq(route, ",") {
		if hop == "" || hop[0] != '@' {
			return "", errRoute
		}
		if _, err := parseDomain(hop[1:], utf8); err != nil {
			return "", err
		}
	}
	return mailbox, nil
}

// parseLocal checks a local part and gives it its one spelling: without quotes
// where it is a dot-string, with no quoted-pair that needs none.
func parseLocal(s string, utf8ok bool) (string, error) {
	if s == "" {
		return "", errNoLocal
	}
	if err := checkUTF8(s, utf8ok); err != nil {
		return "", err
	}
	if s[0] != '"' {
		return s, checkDotString(s)
	}
	content, err := unquote(s)
	if err != nil {
		return "", err
	}
	if checkDotString(content) == nil {
		return content, nil
	}
	return quote(content), nil
}

// checkUTF8 refuses what is not ASCII unless it may be and is sound.
func checkUTF8(s string, utf8ok bool) error {
	if isASCII(s) {
		return nil
	}
	if !utf8.ValidString(s) {
		return errNotUTF8
	}
	if !utf8ok {
		return ErrNeedUTF8
	}
	for _, r := range s {
		if r >= utf8.RuneSelf && (unicode.IsControl(r) || r == '\u2028' || r == '\u2029') {
			return errLocalChar
		}
	}
	return nil
}

// checkDotString checks Dot-string of RFC 5321 §4.1.2 with the UTF-8 of
// RFC 6531 §3.3.
func checkDotString(s string) error {
	dot := true // so that a dot in front is one too many
	for i := 0; i < len(s); i++ {
		if s[i] == '.' {
			if dot {
				return errLocalDot
			}
			dot = true
			continue
		}
		if !isAtext(s[i]) {
			return errLocalChar
		}
		dot = false
	}
	if dot {
		return errLocalDot
	}
	return nil
}

// unquote is the content of a Quoted-string of RFC 5321 §4.1.2.
func unquote(s string) (string, error) {
	if len(s) < 2 || s[len(s)-1] != '"' {
		return "", errQuotes
	}
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\\') < 0 {
		for i := 0; i < len(s); i++ {
			if s[i] < ' ' || s[i] == 0x7f || s[i] == '"' {
				return "", errQuotes
			}
		}
		return s, nil
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '"' || c < ' ' || c == 0x7f {
			return "", errQuotes
		}
		if c == '\\' {
			i++
			// RFC 6531 adds UTF-8 to qtext, not to quoted-pair.
			if i == len(s) || s[i] < ' ' || s[i] >= 0x7f {
				return "", errQuotes
			}
			c = s[i]
		}
		b = append(b, c)
	}
	return string(b), nil
}

// quote is the shortest Quoted-string with this content.
func quote(content string) string {
	b := make([]byte, 0, len(content)+8)
	b = append(b, '"')
	for i := 0; i < len(content); i++ {
		if content[i] == '"' || content[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, content[i])
	}
	return string(append(b, '"'))
}

// parseDomain checks a domain or address literal and gives it its one spelling.
func parseDomain(s string, utf8ok bool) (string, error) {
	if s == "" {
		return "", errNoDomain
	}
	if s[0] == '[' {
		return parseLiteral(s)
	}
	if !isASCII(s) {
		if !utf8.ValidString(s) {
			return "", errNotUTF8
		}
		if !utf8ok {
			return "", ErrNeedUTF8
		}
		if len(s) > 4*maxDomain {
			return "", errDomainLen
		}
		a, err := idna.Lookup.ToASCII(s)
		if err != nil {
			return "", errDomain
		}
		s = a
	}
	upper, err := checkDomain(s)
	if err != nil {
		return "", err
	}
	if upper {
		s = strings.ToLower(s)
	}
	return s, nil
}

// checkDomain checks Domain of RFC 5321 §4.1.2. The underscore is allowed as
// well: it is no host name, yet such names exist in the DNS and get mail.
func checkDomain(s string) (upper bool, err error) {
	if len(s) > maxDomain {
		return false, errDomainLen
	}
	numeric := true
	start := 0
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == '.' {
			// An empty label is also what a trailing dot leaves.
			if i == start || s[start] == '-' || s[i-1] == '-' {
				return false, errDomain
			}
			if i-start > maxLabel {
				return false, errDomainLen
			}
			start = i + 1
			continue
		}
		switch c := s[i]; {
		case c >= '0' && c <= '9':
		case c >= 'a' && c <= 'z', c == '-', c == '_':
			numeric = false
		case c >= 'A' && c <= 'Z':
			numeric, upper = false, true
		default:
			return false, errDomain
		}
	}
	if numeric { // RFC 5321 §2.3.5: an address is written as a literal
		return false, errNumeric
	}
	return upper, nil
}

// parseLiteral checks an address literal of RFC 5321 §4.1.3. Only IPv4 and
// IPv6 exist; no other tag was ever registered.
func parseLiteral(s string) (string, error) {
	if s[len(s)-1] != ']' || len(s) > maxDomain {
		return "", errLiteral
	}
	in := s[1 : len(s)-1]
	const tag = "IPv6:"
	if len(in) > len(tag) && strings.EqualFold(in[:len(tag)], tag) {
		ip, err := netip.ParseAddr(in[len(tag):])
		if err != nil || !ip.Is6() || ip.Zone() != "" {
			return "", errLiteral
		}
		return "[" + tag + ip.String() + "]", nil
	}
	ip, err := netip.ParseAddr(in) // refuses leading zeros
	if err != nil || !ip.Is4() {
		return "", errLiteral
	}
	return s, nil
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// isAtext tells whether c may stand in an Atom; octets of UTF-8 may, and were
// checked before.
func isAtext(c byte) bool {
	if c >= utf8.RuneSelf || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
		return true
	}
	switch c {
	case '!', '#', '$', '%', '&', '\'', '*', '+', '-', '/', '=', '?', '^', '_', '`', '{', '|', '}', '~':
		return true
	}
	return false
}
