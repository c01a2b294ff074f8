package smtpout

import (
	"bytes"
	"strconv"

	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

// able leaves those of todo for whom the peer can take this message, going by
// what it announced. For the others it notes why not; another host may do.
func (a *attempt) able(c *conn, todo []int) []int {
	if o, ok := a.takes(c); !ok {
		c.conv.remark(o.Reply.Text)
		for _, i := range todo {
			a.unable(i, o)
		}
		return nil
	}
	if c.peer.has(smtp.ExtSMTPUTF8) {
		return todo
	}
	kept := todo[:0]
	for _, i := range todo {
		if ascii(a.e.Recipients[i].Addr) {
			kept = append(kept, i)
			continue
		}
		a.unable(i, lacks(c, 553, "5.6.7", "the next hop does not take addresses that need SMTPUTF8"))
	}
	return kept
}

// takes checks what concerns all recipients.
func (a *attempt) takes(c *conn) (sdk.Outcome, bool) {
	env, p := a.e.Envelope, &c.peer
	switch {
	case env.RequireTLS && !p.has(smtp.ExtRequireTLS): // RFC 8689 §4.2.1
		return lacks(c, 550, "5.7.30", "the next hop does not support REQUIRETLS"), false
	case p.size > 0 && a.e.Message.Size > p.size: // RFC 1870 §6.1
		return lacks(c, 552, "5.3.4", "message of "+strconv.FormatInt(a.e.Message.Size, 10)+" octets, the next hop takes "+strconv.FormatInt(p.size, 10)), false
	case a.binary && !p.has(smtp.ExtBinaryMIME|smtp.ExtChunking): // RFC 3030 §3
		return lacks(c, 554, "5.6.3", "the next hop does not take BINARYMIME"), false
	case !p.has(smtp.ExtSMTPUTF8) && !ascii(env.From):
		return lacks(c, 553, "5.6.7", "the sender needs SMTPUTF8, which the next hop does not support"), false
	}
	needScan := !p.has(smtp.Ext8BitMIME) && !a.binary || env.SMTPUTF8 && !p.has(smtp.ExtSMTPUTF8)
	if !needScan {
		return sdk.Outcome{}, true
	}
	if err := a.scan(); err != nil {
		o := a.unreadable(err)
		return o, false
	}
	switch {
	case env.SMTPUTF8 && !p.has(smtp.ExtSMTPUTF8) && a.header8: // RFC 6531 §3.2
		return lacks(c, 550, "5.6.7", "the header needs SMTPUTF8, which the next hop does not support"), false
	case !p.has(smtp.Ext8BitMIME) && !a.binary && a.body8: // RFC 6152 §3: never strip, never send as is
		return lacks(c, 554, "5.6.3", "8-bit message, and the next hop does not support 8BITMIME"), false
	}
	return sdk.Outcome{}, true
}

func lacks(c *conn, code int, enhanced, text string) sdk.Outcome {
	return sdk.Outcome{Status: sdk.StatusFailed, Reply: sdk.Reply{Code: code, Enhanced: enhanced, Text: text}, Remote: c.remote, TLS: c.tls}
}

// scan finds out once whether header and message are ASCII. It is done only for
// a peer that makes it matter.
func (a *attempt) scan() error {
	if a.scanned {
		return nil
	}
	header, tail := true, []byte(nil)
	for off, last := int64(0), false; !last; off += int64(len(a.block)) {
		var err error
		if last, err = a.read(off); err != nil {
			return err
		}
		a.body8 = a.body8 || !ascii(a.block)
		if !header {
			continue
		}
		part := append(tail, a.block...) // the empty line may lie across two blocks
		if i := bytes.Index(part, []byte("\r\n\r\n")); i >= 0 {
			header, part = false, part[:i]
		}
		a.header8 = a.header8 || !ascii(part)
		tail = append([]byte(nil), part[max(0, len(part)-3):]...)
	}
	a.scanned = true
	return nil
}

// utf8Envelope tells whether an address makes SMTPUTF8 necessary.
func (a *attempt) utf8Envelope() bool {
	if !ascii(a.e.Envelope.From) {
		return true
	}
	for i := range a.e.Recipients {
		if !ascii(a.e.Recipients[i].Addr) {
			return true
		}
	}
	return false
}

func ascii[T string | []byte](s T) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
