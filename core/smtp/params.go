package smtp

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	gosmtp "github.com/emersion/go-smtp"
)

// Extensions is a set of service extensions.
type Extensions uint32

// The extensions that both directions know.
const (
	ExtSize Extensions = 1 << iota
	Ext8BitMIME
	ExtBinaryMIME
	ExtChunking
	ExtSMTPUTF8
	ExtDSN
	ExtAuth
	ExtRequireTLS
	ExtPipelining
	ExtStartTLS
	ExtEnhancedStatusCodes
)

// Limits of RFC 3461 §4.2, §4.4, in octets as they come.
const (
	maxEnvID = 100
	maxORcpt = 500
)

// seen tells which parameters came already.
type seen uint16

const (
	sawSize seen = 1 << iota
	sawBody
	sawUTF8
	sawRet
	sawEnvID
	sawAuth
	sawRequireTLS
	sawNotify
	sawORcpt
)

// param is one parameter that may follow a path.
type param struct {
	keyword string
	needs   Extensions
	flag    seen
}

var mailParams = [...]param{
	{"SIZE", ExtSize, sawSize},
	{"BODY", Ext8BitMIME, sawBody},
	{"SMTPUTF8", ExtSMTPUTF8, sawUTF8},
	{"RET", ExtDSN, sawRet},
	{"ENVID", ExtDSN, sawEnvID},
	{"AUTH", ExtAuth, sawAuth},
	{"REQUIRETLS", ExtRequireTLS, sawRequireTLS},
}

var rcptParams = [...]param{
	{"NOTIFY", ExtDSN, sawNotify},
	{"ORCPT", ExtDSN, sawORcpt},
}

// ParseMailParams parses what stands behind the reverse-path. A parameter of an
// extension that is not in allowed is an unknown one: 555 5.5.4. Duplicates and
// bad values are 501 5.5.4. size is -1 if none was given. The error is a
// *[gosmtp.SMTPError] that carries the reply.
func ParseMailParams(s string, allowed Extensions) (o gosmtp.MailOptions, size int64, err error) {
	size = -1
	err = eachParam(s, mailParams[:], allowed, func(flag seen, value string, given bool) error {
		ok := given && value != ""
		switch flag {
		case sawSize:
			size, ok = parseSize(value)
			o.Size = size
		case sawBody:
			o.Body, ok = parseBody(value, allowed)
		case sawUTF8: // RFC 6531 §3.4: no value
			o.UTF8, ok = true, !given
		case sawRequireTLS: // RFC 8689 §3: no value
			o.RequireTLS, ok = true, !given
		case sawRet:
			o.Return, ok = parseRet(value)
		case sawEnvID:
			o.EnvelopeID, ok = parseEnvID(value)
		case sawAuth:
			o.Auth, ok = parseAuth(value)
		}
		if !ok {
			return badParam(flag)
		}
		return nil
	})
	if err != nil {
		return gosmtp.MailOptions{}, -1, err
	}
	return o, size, nil
}

// ParseRcptParams parses what stands behind the forward-path, as
// [ParseMailParams] does. The address type of ORCPT is in upper case.
func ParseRcptParams(s string, allowed Extensions) (o gosmtp.RcptOptions, err error) {
	err = eachParam(s, rcptParams[:], allowed, func(flag seen, value string, given bool) error {
		ok := false
		switch flag {
		case sawNotify:
			o.Notify, ok = parseNotify(value)
		case sawORcpt:
			o.OriginalRecipientType, o.OriginalRecipient, ok = parseORcpt(value)
		}
		if !ok {
			return badParam(flag)
		}
		return nil
	})
	if err != nil {
		return gosmtp.RcptOptions{}, err
	}
	return o, nil
}

// eachParam calls f for each parameter of s, which begins with a space or is
// empty.
func eachParam(s string, known []param, allowed Extensions, f func(flag seen, value string, given bool) error) error {
	if s != "" && s[0] != ' ' {
		return fail(501, 5, 5, 4, "garbage behind the address")
	}
	var had seen
	for s != "" {
		var word string
		word, s, _ = strings.Cut(s, " ")
		if word == "" {
			continue // more than one space, or one at the end
		}
		keyword, value, given := strings.Cut(word, "=")
		if !validKeyword(keyword) || given && !validValue(value) {
			return fail(501, 5, 5, 4, "bad parameter syntax")
		}
		p, ok := findParam(known, keyword)
		if !ok || p.needs&^allowed != 0 { // RFC 5321 §4.1.1.11
			return fail(555, 5, 5, 4, "unknown parameter "+keyword)
		}
		if had&p.flag != 0 {
			return fail(501, 5, 5, 4, "parameter "+p.keyword+" given twice")
		}
		had |= p.flag
		if err := f(p.flag, value, given); err != nil {
			return err
		}
	}
	return nil
}

func findParam(known []param, keyword string) (param, bool) {
	for _, p := range known {
		if strings.EqualFold(p.keyword, keyword) {
			return p, true
		}
	}
	return param{}, false
}

func badParam(flag seen) error {
	for _, ps := range [...][]param{mailParams[:], rcptParams[:]} {
		for _, p := range ps {
			if p.flag == flag {
				return fail(501, 5, 5, 4, "bad value of parameter "+p.keyword)
			}
		}
	}
	return fail(501, 5, 5, 4, "bad parameter")
}

// validKeyword checks esmtp-keyword of RFC 5321 §4.1.2.
func validKeyword(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if !(c >= 'a' && c <= 'z' || digit(s[i]) || s[i] == '-' && i > 0) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// validValue checks esmtp-value of RFC 5321 §4.1.2, with the UTF-8 that
// RFC 6531 §3.3 adds.
func validValue(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] == '=' || s[i] == 0x7f {
			return false
		}
	}
	return s != "" && utf8.ValidString(s)
}

// parseSize reads up to 20 digits (RFC 1870 §4); what no int64 holds is as
// large as can be, and larger than every limit.
func parseSize(s string) (int64, bool) {
	if s == "" || len(s) > 20 {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if !digit(s[i]) {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		n = math.MaxInt64
	}
	return n, true
}

func parseBody(s string, allowed Extensions) (gosmtp.BodyType, bool) {
	switch {
	case strings.EqualFold(s, "7BIT"):
		return gosmtp.Body7Bit, true
	case strings.EqualFold(s, "8BITMIME"):
		return gosmtp.Body8BitMIME, true
	case strings.EqualFold(s, "BINARYMIME") && allowed&ExtBinaryMIME != 0:
		return gosmtp.BodyBinaryMIME, true
	}
	return "", false
}

func parseRet(s string) (gosmtp.DSNReturn, bool) {
	switch {
	case strings.EqualFold(s, "FULL"):
		return gosmtp.DSNReturnFull, true
	case strings.EqualFold(s, "HDRS"):
		return gosmtp.DSNReturnHeaders, true
	}
	return "", false
}

// parseEnvID decodes ENVID, which is printable ASCII (RFC 3461 §4.4).
func parseEnvID(s string) (string, bool) {
	if len(s) > maxEnvID {
		return "", false
	}
	id, err := DecodeXtext(s)
	return id, err == nil && id != "" && isASCII(id)
}

// parseAuth decodes AUTH= (RFC 4954 §5). The result is never nil if ok.
func parseAuth(s string) (*string, bool) {
	id := ""
	if s == "<>" {
		return &id, true
	}
	text, err := DecodeXtext(s)
	if err != nil {
		return nil, false
	}
	a, err := ParseAddress(text, true)
	if err != nil {
		return nil, false
	}
	id = a.String()
	return &id, true
}

// parseNotify reads NEVER alone or a list of the others, each once
// (RFC 3461 §4.1).
func parseNotify(s string) ([]gosmtp.DSNNotify, bool) {
	if strings.EqualFold(s, string(gosmtp.DSNNotifyNever)) {
		return []gosmtp.DSNNotify{gosmtp.DSNNotifyNever}, true
	}
	list := make([]gosmtp.DSNNotify, 0, 3)
	for word := range strings.SplitSeq(s, ",") {
		n := gosmtp.DSNNotify(strings.ToUpper(word))
		switch n {
		case gosmtp.DSNNotifySuccess, gosmtp.DSNNotifyFailure, gosmtp.DSNNotifyDelayed:
		default:
			return nil, false
		}
		for _, have := range list {
			if have == n {
				return nil, false
			}
		}
		list = append(list, n)
	}
	return list, true
}

// parseORcpt decodes ORCPT (RFC 3461 §4.2, RFC 6533 §3). What comes out is
// printable: it will stand in a DSN.
func parseORcpt(s string) (gosmtp.DSNAddressType, string, bool) {
	kind, addr, ok := strings.Cut(s, ";")
	if !ok || addr == "" || len(s) > maxORcpt {
		return "", "", false
	}
	for i := 0; i < len(kind); i++ {
		if c := kind[i]; c >= utf8.RuneSelf || !isAtext(c) {
			return "", "", false
		}
	}
	if kind == "" {
		return "", "", false
	}
	typ := gosmtp.DSNAddressType(strings.ToUpper(kind))
	var err error
	if typ == gosmtp.DSNAddressTypeUTF8 {
		addr, err = decodeUnitext(addr)
	} else if addr, err = DecodeXtext(addr); err == nil && !isASCII(addr) {
		return "", "", false
	}
	return typ, addr, err == nil
}

// decodeUnitext decodes utf-8-addr-xtext and utf-8-addr-unitext of RFC 6533 §3:
// UTF-8 as it is, or \x{HEX}. Old clients send xtext; its "+" cannot stand in the
// others, so that there is no doubt.
func decodeUnitext(s string) (string, error) {
	var b strings.Builder
	for s != "" {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			i = len(s)
		}
		plain := s[:i]
		if strings.IndexByte(plain, '+') >= 0 {
			text, err := DecodeXtext(plain)
			if err != nil {
				return "", err
			}
			plain = text
		}
		b.WriteString(plain)
		if s = s[i:]; s == "" {
			break
		}
		hex, rest, ok := strings.Cut(s, "}")
		hex, prefixed := strings.CutPrefix(hex, `\x{`)
		r, err := strconv.ParseUint(hex, 16, 32)
		if !ok || !prefixed || len(hex) > 6 || err != nil || !utf8.ValidRune(rune(r)) || unicode.IsControl(rune(r)) {
			return "", errXtext
		}
		b.WriteRune(rune(r))
		s = rest
	}
	out := b.String()
	for _, r := range out {
		if unicode.IsControl(r) {
			return "", errXtext
		}
	}
	if !utf8.ValidString(out) {
		return "", errXtext
	}
	return out, nil
}
