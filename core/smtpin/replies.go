package smtpin

import (
	"errors"
	"strconv"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/programmable-mta/mta/core/queue"
	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

// The replies of the front door. Plugins choose their own words; these are the
// core's.
var (
	replyBye       = sdk.Reply{Code: 221, Enhanced: "2.0.0", Text: "Bye"}
	replyHelp      = sdk.Reply{Code: 214, Enhanced: "2.0.0", Text: "See RFC 5321"}
	replyReset     = sdk.Reply{Code: 250, Enhanced: "2.0.0", Text: "Ok"}
	replySender    = sdk.Reply{Code: 250, Enhanced: "2.1.0", Text: "Ok"}
	replyRecipient = sdk.Reply{Code: 250, Enhanced: "2.1.5", Text: "Ok"}
	replyVerify    = sdk.Reply{Code: 252, Enhanced: "2.0.0", Text: "Send some mail to find out"} // RFC 5321 §7.3
	replyGoAhead   = sdk.Reply{Code: 354, Text: "End data with <CR><LF>.<CR><LF>"}
	replyStartTLS  = sdk.Reply{Code: 220, Enhanced: "2.0.0", Text: "Ready to start TLS"}

	replyTooManySessions = sdk.Reply{Code: 421, Enhanced: "4.7.0", Text: "Too many connections"}
	replyTooManyErrors   = sdk.Reply{Code: 421, Enhanced: "4.7.0", Text: "Too many errors"}
	replyTooMuchJunk     = sdk.Reply{Code: 421, Enhanced: "4.7.0", Text: "Too many commands without mail"}
	replyTimeout         = sdk.Reply{Code: 421, Enhanced: "4.4.2", Text: "Timeout"}
	replyTooSlow         = sdk.Reply{Code: 421, Enhanced: "4.4.2", Text: "Message arrives too slowly"}
	replyShutdown        = sdk.Reply{Code: 421, Enhanced: "4.3.2", Text: "Going down, try again soon"}
	replyFault           = sdk.Reply{Code: 421, Enhanced: "4.3.0", Text: "Local fault, try again later"}

	replyQueueFault = sdk.Reply{Code: 451, Enhanced: "4.3.0", Text: "Queue fault, try again later"}
	replyNoSpace    = sdk.Reply{Code: 452, Enhanced: "4.3.1", Text: "No space left, try again later"}
	replyTooMany    = sdk.Reply{Code: 452, Enhanced: "4.5.3", Text: "Too many recipients"}
	replyNoTLS      = sdk.Reply{Code: 454, Enhanced: "4.7.0", Text: "TLS not available now"}

	replyLineTooLong  = sdk.Reply{Code: 500, Enhanced: "5.5.2", Text: "Line too long"}
	replyBareCR       = sdk.Reply{Code: 500, Enhanced: "5.5.2", Text: "CR without LF"}
	replyBareLF       = sdk.Reply{Code: 500, Enhanced: "5.5.2", Text: "A line ends in CR LF"}
	replyUnknown      = sdk.Reply{Code: 500, Enhanced: "5.5.1", Text: "Unknown command"}
	replyNoArgument   = sdk.Reply{Code: 501, Enhanced: "5.5.4", Text: "No argument allowed"}
	replyArgument     = sdk.Reply{Code: 501, Enhanced: "5.5.4", Text: "Argument required"}
	replyBadHelo      = sdk.Reply{Code: 501, Enhanced: "5.5.4", Text: "One domain or address literal required"}
	replyBadChunk     = sdk.Reply{Code: 501, Enhanced: "5.5.4", Text: "Expected BDAT octets [LAST]"}
	replyNotOffered   = sdk.Reply{Code: 502, Enhanced: "5.5.1", Text: "Not offered here"}
	replyHeloFirst    = sdk.Reply{Code: 503, Enhanced: "5.5.1", Text: "Say EHLO first"}
	replyMailFirst    = sdk.Reply{Code: 503, Enhanced: "5.5.1", Text: "Say MAIL first"}
	replyNested       = sdk.Reply{Code: 503, Enhanced: "5.5.1", Text: "Not inside a transaction"}
	replyInChunks     = sdk.Reply{Code: 503, Enhanced: "5.5.1", Text: "Not between chunks of a message"}
	replyOnlyQuit     = sdk.Reply{Code: 503, Enhanced: "5.5.1", Text: "Only QUIT is left"} // RFC 5321 §3.1
	replyAlreadyTLS   = sdk.Reply{Code: 503, Enhanced: "5.5.1", Text: "TLS is active already"}
	replyBareNewline  = sdk.Reply{Code: 550, Enhanced: "5.5.2", Text: "Message has CR without LF or LF without CR"}
	replyNUL          = sdk.Reply{Code: 554, Enhanced: "5.6.0", Text: "Message has NUL"}
	replyTooBig       = sdk.Reply{Code: 552, Enhanced: "5.3.4", Text: "Message too big"}
	replyNoRecipients = sdk.Reply{Code: 554, Enhanced: "5.5.1", Text: "No valid recipients"}
	replySync         = sdk.Reply{Code: 554, Enhanced: "5.5.0", Text: "You spoke out of turn"}
	replyNotSMTP      = sdk.Reply{Code: 554, Enhanced: "5.5.0", Text: "This is SMTP"}
	replyLoop         = sdk.Reply{Code: 554, Enhanced: "5.4.6", Text: "Too many hops: this message loops"} // RFC 5321 §6.3
	replyRefused      = sdk.Reply{Code: 550, Enhanced: "5.7.1", Text: "Refused"}
	replyDeferred     = sdk.Reply{Code: 451, Enhanced: "4.7.1", Text: "Try again later"}
	replyRelay        = sdk.Reply{Code: 550, Enhanced: "5.7.1", Text: "Recipient refused: relaying is not permitted"}
	replyClosing      = sdk.Reply{Code: 421, Enhanced: "4.7.0", Text: "Closing connection"}
	replyConnect      = sdk.Reply{Code: 554, Enhanced: "5.7.1", Text: "Access denied"}
)

// ehloReplies are the replies to EHLO without and with STARTTLS. RFC 2034 keeps
// enhanced codes out of them.
func ehloReplies(hostname string, size int64) [2]sdk.Reply {
	announced := "SIZE"
	if size >= 0 {
		announced += " " + strconv.FormatInt(size, 10)
	}
	text := hostname + "\nPIPELINING\n" + announced + "\n8BITMIME\nENHANCEDSTATUSCODES\nCHUNKING\nSMTPUTF8\nDSN"
	return [2]sdk.Reply{{Code: 250, Text: text}, {Code: 250, Text: text + "\nSTARTTLS"}}
}

// offered are the extensions whose parameters MAIL and RCPT may carry.
const offered = smtp.ExtSize | smtp.Ext8BitMIME | smtp.ExtSMTPUTF8 | smtp.ExtDSN

func banner(hostname string) sdk.Reply {
	return sdk.Reply{Code: 220, Text: hostname + " ESMTP"}
}

func replyQueued(id string) sdk.Reply {
	return sdk.Reply{Code: 250, Enhanced: "2.0.0", Text: "queued as " + id}
}

func replyChunk(n int64) sdk.Reply {
	return sdk.Reply{Code: 250, Enhanced: "2.0.0", Text: strconv.FormatInt(n, 10) + " octets received"}
}

// replyOf turns the error of a parser into its reply.
func replyOf(err error) sdk.Reply {
	var e *gosmtp.SMTPError
	if !errors.As(err, &e) {
		return sdk.Reply{Code: 501, Enhanced: "5.5.4", Text: "Syntax error"}
	}
	r := sdk.Reply{Code: e.Code, Text: e.Message}
	if c := e.EnhancedCode; c[0] > 0 {
		r.Enhanced = strconv.Itoa(c[0]) + "." + strconv.Itoa(c[1]) + "." + strconv.Itoa(c[2])
	}
	return r
}

// replyPut is the reply to a message that the queue did not take.
func replyPut(err error) sdk.Reply {
	if errors.Is(err, queue.ErrNoSpace) {
		return replyNoSpace
	}
	return replyQueueFault
}

// chosen is the reply of a plugin, made whole by the core's words where it is
// empty, and kept within the class of code that the action promises.
func chosen(r, words sdk.Reply) sdk.Reply {
	if r.Code/100 != words.Code/100 {
		r.Code = words.Code
	}
	if !smtp.ValidEnhanced(r.Enhanced) || r.Enhanced[0] != words.Enhanced[0] {
		r.Enhanced = words.Enhanced
	}
	if r.Text == "" {
		r.Text = words.Text
	}
	return r
}

// refusal is the reply to a command that a verdict refuses; false: it does not.
func refusal(a sdk.Action, r sdk.Reply) (sdk.Reply, bool) {
	switch a {
	case sdk.Reject:
		return chosen(r, replyRefused), true
	case sdk.Defer:
		return chosen(r, replyDeferred), true
	case sdk.Disconnect:
		r = chosen(r, replyClosing)
		r.Code = 421 // the only code that announces the end (RFC 5321 §3.8)
		return r, true
	}
	return sdk.Reply{}, false
}
