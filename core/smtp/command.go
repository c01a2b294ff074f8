package smtp

import gosmtp "github.com/emersion/go-smtp"

// Command is one command line.
type Command struct {
	Verb string // in upper case
	Arg  string // what stands behind the verb, without white space at both ends
}

// ParseCommand splits a line without its CRLF. The error is a
// *[gosmtp.SMTPError], 500 5.5.2.
func ParseCommand(line []byte) (Command, error) { return Command{}, errStub }

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

// ParseMail parses the argument of MAIL: "FROM:<...>" and its parameters. An
// address that is not ASCII needs the SMTPUTF8 parameter. The error is a
// *[gosmtp.SMTPError] that carries the reply.
func ParseMail(arg string, allowed Extensions) (a Address, o gosmtp.MailOptions, size int64, err error) {
	return a, o, -1, errStub
}

// ParseRcpt parses the argument of RCPT: "TO:<...>" and its parameters; utf8
// tells whether MAIL carried SMTPUTF8. The error is a *[gosmtp.SMTPError].
func ParseRcpt(arg string, allowed Extensions, utf8 bool) (a Address, o gosmtp.RcptOptions, err error) {
	return a, o, errStub
}

// ParseMailParams parses what stands behind the reverse-path. The error is a
// *[gosmtp.SMTPError] that carries the reply. size is -1 if none was given.
func ParseMailParams(s string, allowed Extensions) (o gosmtp.MailOptions, size int64, err error) {
	return o, -1, errStub
}

// ParseRcptParams parses what stands behind the forward-path.
func ParseRcptParams(s string, allowed Extensions) (o gosmtp.RcptOptions, err error) {
	return o, errStub
}

// EncodeXtext encodes s as xtext (RFC 3461 §4).
func EncodeXtext(s string) string { return s }

// DecodeXtext is the inverse of [EncodeXtext].
func DecodeXtext(s string) (string, error) { return s, errStub }
