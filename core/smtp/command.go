package smtp

import (
	"strings"
	"unicode/utf8"

	gosmtp "github.com/emersion/go-smtp"
)

// Command is one command line.
type Command struct {
	Verb string // in upper case
	Arg  string // what stands behind the verb, without spaces at both ends
}

// verbs are those of which a line is made without allocating its name.
var verbs = [...]string{"MAIL", "RCPT", "DATA", "BDAT", "EHLO", "HELO", "LHLO", "QUIT", "RSET", "NOOP", "AUTH", "STARTTLS", "VRFY", "EXPN", "HELP", "XCLIENT"}

const maxVerb = 16

// ParseCommand splits a line without its CRLF. Control characters and what is
// not UTF-8 make no command, whatever the verb. The error is a
// *[gosmtp.SMTPError], 500 5.5.2.
func ParseCommand(line []byte) (Command, error) {
	ascii := true
	for _, c := range line {
		if c < ' ' || c == 0x7f {
			return Command{}, fail(500, 5, 5, 2, "control character in command")
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	if !ascii && !utf8.Valid(line) { // RFC 6531 §3.5
		return Command{}, fail(500, 5, 5, 2, "command is not UTF-8")
	}
	for len(line) > 0 && line[len(line)-1] == ' ' { // RFC 5321 §4.1.1: tolerate trailing white space
		line = line[:len(line)-1]
	}
	n := 0
	for n < len(line) && line[n] != ' ' {
		if c := line[n] | 0x20; (c < 'a' || c > 'z') && !digit(line[n]) {
			return Command{}, fail(500, 5, 5, 2, "bad command")
		}
		n++
	}
	if n == 0 || n > maxVerb {
		return Command{}, fail(500, 5, 5, 2, "bad command")
	}
	arg := line[n:]
	for len(arg) > 0 && arg[0] == ' ' {
		arg = arg[1:]
	}
	return Command{Verb: verb(line[:n]), Arg: string(arg)}, nil
}

func verb(b []byte) string {
	for _, v := range verbs {
		if len(v) == len(b) && equalFold(b, v) {
			return v
		}
	}
	return strings.ToUpper(string(b))
}

func equalFold(b []byte, upper string) bool {
	for i := range b {
		if b[i]&^0x20 != upper[i] {
			return false
		}
	}
	return true
}

// fail is an answer to a bad command, in the vocabulary of go-smtp.
func fail(code, class, subject, detail int, text string) *gosmtp.SMTPError {
	return &gosmtp.SMTPError{Code: code, EnhancedCode: gosmtp.EnhancedCode{class, subject, detail}, Message: text}
}

// ParseMail parses the argument of MAIL: "FROM:<...>" and its parameters. An
// address that is not ASCII needs the SMTPUTF8 parameter. A bare postmaster is
// no reverse-path. size is -1 if none was given. The error is a
// *[gosmtp.SMTPError] that carries the reply.
func ParseMail(arg string, allowed Extensions) (a Address, o gosmtp.MailOptions, size int64, err error) {
	path, ok := cutPrefixFold(arg, "FROM:")
	if !ok {
		return a, o, -1, fail(501, 5, 5, 4, "expected MAIL FROM:<address>")
	}
	a, params, err := ParsePath(path, true)
	if err != nil {
		return a, o, -1, pathFailure(501, 7, err)
	}
	if a.Domain == "" && !a.IsNull() {
		return Address{}, o, -1, pathFailure(501, 7, errNoDomain)
	}
	if o, size, err = ParseMailParams(params, allowed); err != nil {
		return Address{}, o, size, err
	}
	if !o.UTF8 && !isASCII(path[:len(path)-len(params)]) {
		return Address{}, o, size, pathFailure(501, 7, ErrNeedUTF8)
	}
	return a, o, size, nil
}

// ParseRcpt parses the argument of RCPT: "TO:<...>" and its parameters; utf8
// tells whether MAIL carried SMTPUTF8. The null path is no forward-path. The
// error is a *[gosmtp.SMTPError] that carries the reply.
func ParseRcpt(arg string, allowed Extensions, utf8 bool) (a Address, o gosmtp.RcptOptions, err error) {
	path, ok := cutPrefixFold(arg, "TO:")
	if !ok {
		return a, o, fail(501, 5, 5, 4, "expected RCPT TO:<address>")
	}
	a, params, err := ParsePath(path, utf8)
	if err != nil {
		return a, o, pathFailure(501, 3, err)
	}
	if a.IsNull() {
		return a, o, pathFailure(501, 3, errNoLocal)
	}
	if o, err = ParseRcptParams(params, allowed); err != nil {
		return Address{}, o, err
	}
	return a, o, nil
}

// pathFailure is the reply to a bad path: detail 7 for a sender, 3 for a
// recipient (RFC 3463 §3.2).
func pathFailure(code, detail int, err error) error {
	if err == ErrNeedUTF8 { // RFC 6531 §3.5
		return fail(553, 5, 6, 7, "address needs SMTPUTF8")
	}
	return fail(code, 5, 1, detail, strings.TrimPrefix(err.Error(), "smtp: "))
}

// cutPrefixFold takes "FROM:" or "TO:" off, and the spaces behind it, which
// RFC 5321 §3.3 forbids and many clients send.
func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return strings.TrimLeft(s[len(prefix):], " "), true
}
