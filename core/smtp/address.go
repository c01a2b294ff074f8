package smtp

import "errors"

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

var errStub = errors.New("smtp: stub")

// ParsePath parses "<...>" at the start of s, and returns what stands behind it.
func ParsePath(s string, utf8 bool) (a Address, rest string, err error) { return a, "", errStub }

// ParseAddress parses a mailbox without angle brackets.
func ParseAddress(s string, utf8 bool) (Address, error) { return Address{}, errStub }

// String is the address without angle brackets, as it stands in envelopes.
func (a Address) String() string { return a.Local + "@" + a.Domain }

// IsNull tells whether this is the null reverse-path.
func (a Address) IsNull() bool { return a == Address{} }

// ValidDomain tells whether s is a domain or an address literal of RFC 5321 §4.1.2.
func ValidDomain(s string) bool { return false }

// ToASCII is a domain in lower case and A-labels, or an error if it is none.
func ToASCII(domain string) (string, error) { return "", errStub }
