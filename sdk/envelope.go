package sdk

import (
	"strings"
	"time"
)

// Session is one connection from a client, as far as it has come.
type Session struct {
	ID         string    // unique in the life of the spool; joins log lines of one connection
	Profile    string    // of the listener: mx, submission, submissions, lmtp
	LocalAddr  string    // address:port that the client connected to
	RemoteIP   string    // the client's address, without port and brackets
	RemotePort int       // the client's port
	RemoteName string    // the client's name, confirmed in both directions; empty: unknown
	Helo       string    // the name given in HELO/EHLO/LHLO; empty: not yet
	Protocol   string    // RFC 3848: SMTP, ESMTP, ESMTPS, ESMTPA, LMTP, UTF8SMTP, ...
	TLS        string    // version and cipher suite; empty: in the clear
	Login      string    // the authenticated identity; empty: none
	Started    time.Time // when the connection was accepted
	Notes      Notes     // what plugins left on the session
}

// Notes are what plugins leave for each other and for themselves. A key is
// "plugin.key": a plugin writes only below its own name, and may read all.
// Notes of a session are copied to each of its messages.
type Notes map[string]string

// Notify is the set of NOTIFY conditions of RFC 3461 §4.1.
type Notify uint8

// The conditions. The zero value means that none was given: failure, and
// delay as the relay sees fit.
const (
	NotifyNever   Notify = 1 << iota // alone
	NotifySuccess                    // tell when it was delivered
	NotifyFailure                    // tell when it failed
	NotifyDelay                      // tell when it is delayed
)

// String is the value as it stands in the NOTIFY parameter; empty for none.
func (n Notify) String() string {
	var words []string
	for i, w := range [...]string{"NEVER", "SUCCESS", "FAILURE", "DELAY"} {
		if n&(1<<i) != 0 {
			words = append(words, w)
		}
	}
	return strings.Join(words, ",")
}

// Recipient is one forward-path of a message.
type Recipient struct {
	Addr   string // where the message goes
	Orig   string // as the client gave it, when a plugin changed it; else empty
	Notify Notify // RFC 3461 NOTIFY
	ORcpt  string // RFC 3461 ORCPT, decoded: "rfc822;user@example.org"; empty: none
}

// Envelope is a message without its content: from whom, to whom, and on which
// terms. It is kept in the queue until every recipient has ended.
type Envelope struct {
	ID         string      // the queue ID, from MAIL to the last log line
	From       string      // the reverse-path; empty is the null reverse-path
	Recipients []Recipient // in the order in which they were accepted
	Size       int64       // octets of the message; 0 before it was received
	Body       string      // BODY= of RFC 6152/3030: "", 7BIT, 8BITMIME, BINARYMIME
	SMTPUTF8   bool        // RFC 6531
	RequireTLS bool        // RFC 8689
	Ret        string      // RFC 3461 RET: "", FULL, HDRS
	EnvID      string      // RFC 3461 ENVID, decoded
	Arrived    time.Time   // when the transaction began
	Origin     Origin      // how it came to us
	Notes      Notes       // what plugins left on the message
}

// Origin tells how a message came to the relay. It is kept with the message,
// so that a route can depend on it days later.
type Origin struct {
	IP       string // the client's address; empty: made by the relay itself
	Name     string // its confirmed name
	Helo     string // its HELO name
	Protocol string // RFC 3848
	Login    string // the authenticated identity
	Profile  string // of the listener
}

// Domain is the part of an address behind its last "@", or "" if it has none.
func Domain(addr string) string {
	if i := strings.LastIndexByte(addr, '@'); i >= 0 {
		return addr[i+1:]
	}
	return ""
}

// LocalPart is the part of an address before its last "@", or all of it.
func LocalPart(addr string) string {
	if i := strings.LastIndexByte(addr, '@'); i >= 0 {
		return addr[:i]
	}
	return addr
}
