package sdk

import (
	"strings"
	"time"
)

// Session is one connection from a client, as far as it has come.
type Session struct {
	ID         string    `json:"id,omitzero"`          // unique in the life of the spool; joins log lines of one connection
	Profile    string    `json:"profile,omitzero"`     // of the listener: mx, submission, submissions, lmtp
	LocalAddr  string    `json:"local_addr,omitzero"`  // address:port that the client connected to
	RemoteIP   string    `json:"remote_ip,omitzero"`   // the client's address, without port and brackets
	RemotePort int       `json:"remote_port,omitzero"` // the client's port
	RemoteName string    `json:"remote_name,omitzero"` // the client's name, confirmed in both directions; empty: unknown
	Helo       string    `json:"helo,omitzero"`        // the name given in HELO/EHLO/LHLO; empty: not yet
	Protocol   string    `json:"protocol,omitzero"`    // RFC 3848: SMTP, ESMTP, ESMTPS, ESMTPA, LMTP, UTF8SMTP, ...
	TLS        string    `json:"tls,omitzero"`         // version and cipher suite; empty: in the clear
	Login      string    `json:"login,omitzero"`       // the authenticated identity; empty: none
	Started    time.Time `json:"started,omitzero"`     // when the connection was accepted
	Notes      Notes     `json:"notes,omitzero"`       // what plugins left on the session
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
	Addr   string `json:"addr,omitzero"`   // where the message goes
	Orig   string `json:"orig,omitzero"`   // as the client gave it, when a plugin changed it; else empty
	Notify Notify `json:"notify,omitzero"` // RFC 3461 NOTIFY
	ORcpt  string `json:"orcpt,omitzero"`  // RFC 3461 ORCPT, decoded: "rfc822;user@example.org"; empty: none
}

// Envelope is a message without its content: from whom, to whom, and on which
// terms. It is kept in the queue until every recipient has ended.
type Envelope struct {
	ID         string      `json:"id,omitzero"`          // the queue ID, from MAIL to the last log line
	From       string      `json:"from,omitzero"`        // the reverse-path; empty is the null reverse-path
	Recipients []Recipient `json:"recipients,omitzero"`  // in the order in which they were accepted
	Size       int64       `json:"size,omitzero"`        // octets of the message; 0 before it was received
	Body       string      `json:"body,omitzero"`        // BODY= of RFC 6152/3030: "", 7BIT, 8BITMIME, BINARYMIME
	SMTPUTF8   bool        `json:"smtputf8,omitzero"`    // RFC 6531
	RequireTLS bool        `json:"require_tls,omitzero"` // RFC 8689
	Ret        string      `json:"ret,omitzero"`         // RFC 3461 RET: "", FULL, HDRS
	EnvID      string      `json:"env_id,omitzero"`      // RFC 3461 ENVID, decoded
	Arrived    time.Time   `json:"arrived,omitzero"`     // when the transaction began
	Origin     Origin      `json:"origin,omitzero"`      // how it came to us
	Notes      Notes       `json:"notes,omitzero"`       // what plugins left on the message
}

// Origin tells how a message came to the relay. It is kept with the message,
// so that a route can depend on it days later.
type Origin struct {
	IP       string `json:"ip,omitzero"`       // the client's address; empty: made by the relay itself
	Name     string `json:"name,omitzero"`     // its confirmed name
	Helo     string `json:"helo,omitzero"`     // its HELO name
	Protocol string `json:"protocol,omitzero"` // RFC 3848
	Login    string `json:"login,omitzero"`    // the authenticated identity
	Profile  string `json:"profile,omitzero"`  // of the listener
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
