package answer

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/programmable-mta/mta/sdk"
)

// Bounds of what a client is told, and of what people read.
const (
	maxReplyLines = 10
	maxReplyLine  = 400
	MaxReason     = 1000
	maxRemoteText = 4096
)

// Words are what the core says when a plugin has decided and said nothing.
func Words(hook string, a sdk.Action) sdk.Reply {
	switch a {
	case sdk.Disconnect:
		return sdk.Reply{Code: 421, Enhanced: "4.3.2", Text: "closing the connection"}
	case sdk.Defer:
		switch hook {
		case "connect": // RFC 5321 §3.8: 421 is the temporary reply before the greeting
			return sdk.Reply{Code: 421, Enhanced: "4.3.2", Text: "try again later"}
		case "auth": // RFC 4954 §6
			return sdk.Reply{Code: 454, Enhanced: "4.7.0", Text: "temporary authentication failure"}
		}
		return sdk.Reply{Code: 451, Enhanced: "4.7.1", Text: "try again later"}
	case sdk.Reject:
		switch hook {
		case "connect": // RFC 5321 §3.1
			return sdk.Reply{Code: 554, Enhanced: "5.7.1", Text: "refused by local policy"}
		case "auth": // RFC 4954 §6
			return sdk.Reply{Code: 535, Enhanced: "5.7.8", Text: "authentication failed"}
		}
		return sdk.Reply{Code: 550, Enhanced: "5.7.1", Text: "refused by local policy"}
	}
	return sdk.Reply{}
}

// Broken are the words when a plugin was to decide and could not. They say
// nothing about the plugin: its errors are for the trace.
func Broken(hook string, a sdk.Action) sdk.Reply {
	r := Words(hook, a)
	switch a {
	case sdk.Defer, sdk.Disconnect:
		r.Text = "local problem, try again later"
		if hook != "auth" {
			r.Enhanced = "4.3.5"
		}
	case sdk.Reject:
		r.Enhanced, r.Text = "5.3.5", "local problem"
	}
	return r
}

func RelayingDenied() sdk.Reply {
	return sdk.Reply{Code: 550, Enhanced: "5.7.1", Text: "relaying denied"}
}

// complete checks the reply of an answer against what it may be, and fills in
// from the core's words what the plugin left to the core. low and high are the
// classes of code that fit.
func complete(r *sdk.Reply, own sdk.Reply, low, high byte) error {
	if err := checkText(r.Text); err != nil {
		return err
	}
	liftEnhanced(r, low, high)
	class := byte(0)
	if r.Code != 0 {
		class = byte(min(max(r.Code, 0), 999) / 100)
		// RFC 5321 §4.2: the second digit is 0 to 5.
		if class < low || class > high || r.Code/10%10 > 5 || r.Code > 599 {
			return fmt.Errorf("answer: reply code %d does not fit: it is %s", r.Code, classes(low, high))
		}
	}
	if r.Enhanced != "" {
		if !validEnhanced(r.Enhanced) {
			return fmt.Errorf("answer: enhanced code %.20q is not one of RFC 3463", r.Enhanced)
		}
		digit := r.Enhanced[0] - '0'
		if digit < low || digit > high || class != 0 && digit != class {
			return fmt.Errorf("answer: enhanced code %s does not fit: its class is that of the reply code, %s", r.Enhanced, classes(low, high))
		}
		class = digit
	}
	ownClass := byte(own.Code / 100)
	if r.Code == 0 {
		if r.Code = own.Code; class != 0 && class != ownClass {
			r.Code = 451
			if class == 5 {
				r.Code = 554
			}
		}
		class = byte(r.Code / 100)
	}
	if r.Enhanced == "" {
		if r.Enhanced = own.Enhanced; class != ownClass {
			r.Enhanced = string('0'+class) + ".7.1"
		}
	}
	if strings.TrimSpace(r.Text) == "" {
		r.Text = own.Text
	}
	return nil
}

func classes(low, high byte) string {
	if low == high {
		return fmt.Sprintf("%dyz here", low)
	}
	return fmt.Sprintf("%dyz or %dyz here", low, high)
}

// liftEnhanced takes an enhanced code at the beginning of the text for what it
// is. Access tables and policy services of other relays write "5.7.1 go away",
// or the bare code.
func liftEnhanced(r *sdk.Reply, low, high byte) {
	code, rest, _ := strings.Cut(strings.TrimLeft(r.Text, " \t"), " ")
	code = strings.TrimRight(code, "\t")
	if len(code) > 9 || !validEnhanced(code) {
		return
	}
	digit := code[0] - '0'
	if r.Enhanced == "" && (r.Code == 0 || r.Code/100 == int(digit)) && low <= digit && digit <= high {
		r.Enhanced = code
	}
	if rest = strings.TrimLeft(rest, " \t"); rest == "" || r.Enhanced == code {
		r.Text = rest
	}
}

// validEnhanced is RFC 3463 §2: class "." subject "." detail, without leading zeros.
func validEnhanced(s string) bool {
	if len(s) < 5 || len(s) > 9 || s[0] != '2' && s[0] != '4' && s[0] != '5' || s[1] != '.' {
		return false
	}
	subject, detail, ok := strings.Cut(s[2:], ".")
	return ok && subCode(subject) && subCode(detail)
}

func subCode(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return 1 <= len(s) && len(s) <= 3 && (s[0] != '0' || len(s) == 1)
}

var errControl = errors.New("answer: reply text has a control character: only \"\\n\" may stand between lines")

// checkText makes sure that a text cannot end the reply early or add to it.
func checkText(s string) error {
	lines, length := 1, 0
	for i := 0; i < len(s); {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			if r, n = utf8.DecodeRuneInString(s[i:]); r == utf8.RuneError && n == 1 {
				return errors.New("answer: reply text is not valid UTF-8")
			}
		}
		i += n
		length += n
		switch {
		case r == '\n':
			lines, length = lines+1, 0
		case control(r) && r != '\t':
			return errControl
		}
		if length > maxReplyLine {
			return fmt.Errorf("answer: a line of the reply text is longer than %d octets", maxReplyLine)
		}
		if lines > maxReplyLines {
			return fmt.Errorf("answer: reply text has more than %d lines", maxReplyLines)
		}
	}
	return nil
}

// control includes the C1 controls and the line separators of Unicode: some
// terminals and log readers obey them.
func control(r rune) bool {
	return r < 0x20 || 0x7f <= r && r < 0xa0 || r == 0x2028 || r == 0x2029
}

// Why is an error as it stands in log and trace.
func Why(err error) string { return Clean(err.Error(), MaxReason) }

// Clean makes a text for people harmless: one line, valid, bounded.
func Clean(s string, limit int) string { return tidy(s, limit, false) }

func tidy(s string, limit int, lines bool) string {
	ok := len(s) <= limit && utf8.ValidString(s)
	if ok {
		for _, r := range s {
			if control(r) && !(lines && r == '\n') {
				ok = false
				break
			}
		}
	}
	if ok {
		return s
	}
	if len(s) > limit {
		s = s[:limit]
	}
	s = strings.ToValidUTF8(s, "?")
	return strings.Map(func(r rune) rune {
		if control(r) && !(lines && r == '\n') {
			return ' '
		}
		return r
	}, s)
}

// Fault is the outcome and the reason when the core or a plugin is at fault:
// the mail stays, and is tried again.
func Fault(text string) sdk.Reply { return sdk.Reply{Code: 451, Enhanced: "4.3.5", Text: text} }
