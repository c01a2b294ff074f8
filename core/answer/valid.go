package answer

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/programmable-mta/mta/sdk"
)

// Bounds of an answer. They are far above what an honest plugin needs and keep
// a broken or hostile one from filling the memory or the queue.
const (
	maxEdits      = 1000
	maxEditText   = 1 << 20  // of all names and values of one answer
	maxEditData   = 64 << 20 // of all new bodies of one answer
	maxFieldName  = 256
	maxFieldValue = 64 << 10
	maxNoteKey    = 64
	maxNoteValue  = 4 << 10
	maxNotes      = 1000    // on one session or message
	maxNoteBytes  = 1 << 20 // of all of them
	maxIdentity   = 512
	maxHosts      = 100
	maxWord       = 1024 // names in a route
)

// Rules is a row of the hook table in the form in which answers are checked.
type Rules struct {
	Name    string
	Queue   bool
	Reports bool
	Relays  bool   // rcpt: who says yes may open the relay
	Login   bool   // auth: who says yes names the user
	actions uint16 // 1<<sdk.Action
	edits   uint16 // 1<<sdk.Op
}

// RulesOf makes the rules of a row of [sdk.Hooks].
func RulesOf(h sdk.HookInfo) *Rules {
	r := &Rules{Name: h.Name, Queue: h.Queue, Reports: h.Reports, Relays: h.Name == "rcpt", Login: h.Name == "auth",
		actions: 1 << sdk.Continue}
	for _, a := range h.Actions {
		r.actions |= 1 << a
	}
	for _, o := range h.Edits {
		r.edits |= 1 << o
	}
	return r
}

// Allows tells whether the action is possible at this hook.
func (r *Rules) Allows(a sdk.Action) bool { return a <= sdk.Hold && r.actions&(1<<a) != 0 }

// Plain tells whether an answer is "continue" and nothing else, which is the
// case that has to be fast.
func Plain(a *sdk.Answer) bool {
	return a.Action == sdk.Continue && len(a.Edits) == 0 && a.Reason == "" && a.Reply == (sdk.Reply{}) &&
		a.Identity == "" && len(a.Recipients) == 0
}

// Check judges the answer of a decision hook and completes its replies.
// recipients is how many the envelope has.
func (r *Rules) Check(a *sdk.Answer, recipients int, smtputf8 bool) error {
	if !r.Allows(a.Action) {
		return fmt.Errorf("answer: the answer %s is not possible at %s", a.Action, r.Name)
	}
	a.Reason = Clean(a.Reason, MaxReason)
	if err := r.checkReply(a.Action, &a.Reply); err != nil {
		return err
	}
	switch {
	case r.Login && a.Action == sdk.Accept:
		if !validIdentity(a.Identity) {
			return fmt.Errorf("answer: accept at auth needs an identity: 1 to %d octets of UTF-8 without control characters", maxIdentity)
		}
	case a.Identity != "":
		return errors.New("answer: an identity goes with accept at auth only")
	}
	if n := len(a.Recipients); n != 0 {
		if r.Name != "data" {
			return errors.New("answer: verdicts on recipients are possible at data only")
		}
		if n != recipients {
			return fmt.Errorf("answer: %d verdicts on %d recipients: none or one for each", n, recipients)
		}
		for i := range a.Recipients {
			v := &a.Recipients[i]
			if v.Action == sdk.Disconnect || v.Action >= sdk.Hold {
				return fmt.Errorf("answer: the verdict %s is not possible for a recipient", v.Action)
			}
			v.Reason = Clean(v.Reason, MaxReason)
			if err := r.checkReply(v.Action, &v.Reply); err != nil {
				return err
			}
		}
	}
	return r.checkEdits(a.Edits, smtputf8)
}

// checkReply: the class of the code fits the action, RFC 5321 §4.2.1.
func (r *Rules) checkReply(a sdk.Action, reply *sdk.Reply) error {
	switch a {
	case sdk.Defer:
		return complete(reply, Words(r.Name, a), 4, 4)
	case sdk.Reject:
		return complete(reply, Words(r.Name, a), 5, 5)
	case sdk.Disconnect:
		return complete(reply, Words(r.Name, a), 4, 5)
	}
	if *reply != (sdk.Reply{}) {
		return fmt.Errorf("answer: a reply goes with defer, reject and disconnect, not with %s", a)
	}
	return nil
}

func validIdentity(s string) bool {
	return 0 < len(s) && len(s) <= maxIdentity && utf8.ValidString(s) && strings.IndexFunc(s, control) < 0
}
