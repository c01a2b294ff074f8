// Package bounce turns the outcomes of a message into a delivery status
// notification (DSN): RFC 3461 says when one is due, RFC 3464 and RFC 6522 what
// it looks like, RFC 6533 how it speaks of addresses beyond ASCII, RFC 3834 how
// it says that no person wrote it. It is a pure function: the same report makes
// the same octets, and nothing here queues, sends, or knows the time.
//
// It refuses to answer the null reverse-path, in [Wanted] and again in [Write]:
// no notification is ever made about a notification.
//
// Its invariants, whatever a remote server, a client or a header has put into
// the report:
//   - the result is below [MaxSize]; what does not fit is summed up in words;
//   - only CRLF ends a line, no line is longer than 998 octets, and no text of
//     others can begin a line of ours or end a part;
//   - everything but a returned whole message is 7-bit, so that the
//     notification itself does not fail for want of an extension;
//   - the class digit of each Status agrees with its Action. The one exception
//     is a recipient that expired, which fails with 4.4.7 by tradition: the
//     reader shall see that it was the time that ran out.
package bounce

import (
	"errors"
	"io"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// MaxSize bounds every notification: it is always smaller than this.
const MaxSize = 64 << 10

// reserve is kept free below MaxSize for what a bounce hook or the next hops
// put on top of the header.
const reserve = 2 << 10

// Report is all that a notification is made from.
type Report struct {
	Kind       sdk.DSNKind
	Envelope   *sdk.Envelope // the message that it is about
	Message    sdk.Message   // its content; a report without content returns none
	Recipients []Rcpt        // those that it tells about: [Wanted]
	Hostname   string        // of this relay: Reporting-MTA, and behind MAILER-DAEMON@
	Postmaster string        // whom the reader may ask; empty: postmaster at Hostname
	ID         string        // queue ID of the notification
	Now        time.Time
	// WillRetryUntil is when a delayed recipient will be given up; zero: not said.
	WillRetryUntil time.Time
}

// Rcpt is one recipient and how it came out.
type Rcpt struct {
	sdk.Recipient
	sdk.Outcome
	// Expired: the lifetime in the queue ended. Outcome is that of the last attempt.
	Expired bool
	// Relayed: with success, the next hop took the message but answers for no
	// further notification. Expanded: it went on to several other addresses.
	Relayed, Expanded bool
	LastAttempt       time.Time // zero: there was none
}

// Wanted tells whether the sender asked for, or has to be told of, what happened
// to r. Of success it is told by the next hop instead where that took over the
// wish ([sdk.Outcome.DSNRelayed], RFC 3461 §5.2.2).
func Wanted(env *sdk.Envelope, r sdk.Recipient, kind sdk.DSNKind) bool {
	if nullSender(env) || r.Notify&sdk.NotifyNever != 0 {
		return false
	}
	switch kind {
	case sdk.DSNFailed:
		// RFC 3461 §4.1: without NOTIFY a failure is reported.
		return r.Notify == 0 || r.Notify&sdk.NotifyFailure != 0
	case sdk.DSNDelayed:
		// RFC 3461 §4.1: without NOTIFY a delay may be reported.
		return r.Notify == 0 || r.Notify&sdk.NotifyDelay != 0
	case sdk.DSNSuccess:
		return r.Notify&sdk.NotifySuccess != 0
	}
	return false
}

// nullSender also knows the form with brackets, which should never come here:
// an answer to a notification is the one mistake that multiplies.
func nullSender(env *sdk.Envelope) bool {
	return env == nil || env.From == "" || env.From == "<>"
}

// Envelope is what the notification travels in: from the null reverse-path to
// the sender (RFC 3464 §2), who is never told about the fate of a notification
// (RFC 3461 §6.2 allows only NEVER, and no RET).
func Envelope(rep *Report) *sdk.Envelope {
	env := &sdk.Envelope{
		ID:         rep.ID,
		Recipients: []sdk.Recipient{{Addr: rep.Envelope.From, Notify: sdk.NotifyNever}},
		Arrived:    rep.Now,
		// Only the To field and the recipient itself may be beyond ASCII; all
		// parts are encoded. So the extension is asked for only when the
		// sender's own address needs it (RFC 6533 §4).
		SMTPUTF8: !isASCII(rep.Envelope.From),
	}
	if returnsWhole(rep) && rep.Envelope.Body == "8BITMIME" {
		env.Body = "8BITMIME"
	}
	return env
}

// Write writes the notification. It fails when w fails, and when the report
// must not or cannot become a notification.
func Write(w io.Writer, rep *Report) error {
	switch {
	case nullSender(rep.Envelope):
		return errors.New("bounce: the null reverse-path is never notified")
	case len(rep.Recipients) == 0:
		return errors.New("bounce: a report without recipients")
	case rep.Kind < sdk.DSNFailed || rep.Kind > sdk.DSNSuccess:
		return errors.New("bounce: a report of no known kind")
	}
	_, err := w.Write(render(rep))
	return err
}

// Automatic tells whether a header says that no person wrote the message
// (RFC 3834 §5). Nobody waits for such mail, so a delay is not worth a notice.
func Automatic(h sdk.Header) bool {
	switch v := lowerWord(h.Get("Auto-Submitted")); v {
	case "", "no":
	default:
		return true
	}
	switch lowerWord(h.Get("Precedence")) {
	case "bulk", "list", "junk":
		return true
	}
	return h.Get("List-Id") != ""
}
