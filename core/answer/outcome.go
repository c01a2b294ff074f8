package answer

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/programmable-mta/mta/sdk"
)

// CheckOutcome judges the answer of an outcome hook about an outcome.
func CheckOutcome(a *sdk.OutcomeAnswer, was sdk.Status) error {
	a.Reason = Clean(a.Reason, MaxReason)
	if a.Status > sdk.StatusFailed {
		return fmt.Errorf("answer: %s is no status", a.Status)
	}
	is := was
	if a.Status != sdk.StatusNone {
		is = a.Status
	}
	switch {
	case (was == sdk.StatusDelivered) != (is == sdk.StatusDelivered):
		return errors.New("answer: what was delivered stays delivered, and nothing else becomes so")
	case was == sdk.StatusDelivered && (a.Delay != 0 || a.Hold || a.Reply != (sdk.Reply{})):
		return errors.New("answer: what was delivered cannot be delayed, held or reworded")
	case a.Delay < 0 || a.Delay > 0 && is != sdk.StatusDeferred:
		return errors.New("answer: a delay is positive and goes with deferred")
	case a.Hold && a.Status == sdk.StatusFailed:
		return errors.New("answer: hold and failed exclude each other")
	}
	if a.Reply == (sdk.Reply{}) {
		return nil
	}
	if is == sdk.StatusFailed && !a.Hold {
		return complete(&a.Reply, sdk.Reply{Code: 550, Enhanced: "5.0.0", Text: "delivery failed"}, 5, 5)
	}
	return complete(&a.Reply, sdk.Reply{Code: 451, Enhanced: "4.0.0", Text: "delivery deferred"}, 4, 4)
}

// CheckBounce judges the answer of a bounce hook.
func (r *Rules) CheckBounce(a *sdk.BounceAnswer, smtputf8 bool) error {
	a.Reason = Clean(a.Reason, MaxReason)
	if a.Suppress && a.Defer || a.Suppress && a.Hold || a.Defer && a.Hold {
		return errors.New("answer: suppress, defer and hold exclude each other")
	}
	return r.checkEdits(a.Edits, smtputf8)
}

// Settle makes outcomes fit to be written down. A recipient without a usable
// outcome gets the stand-in; the others keep theirs, because what was delivered
// must not be delivered again for the sake of its neighbour. Words are cleaned
// and never a fault: they are often a peer's, and no peer shall be able to open
// the breaker of a transport.
func Settle(outs []sdk.Outcome, standIn sdk.Outcome) (err error) {
	for i := range outs {
		o := &outs[i]
		class := o.Reply.Code / 100
		wrong := ""
		switch {
		case o.Status == sdk.StatusNone || o.Status > sdk.StatusFailed:
			wrong = "no status"
		case o.Status == sdk.StatusDelivered && o.Reply.Code != 0 && class != 2,
			o.Status == sdk.StatusFailed && o.Reply.Code != 0 && class != 5:
			wrong = o.Status.String() + " with the reply code " + strconv.Itoa(o.Reply.Code)
		case o.Hold && o.Status != sdk.StatusDeferred:
			wrong = o.Status.String() + " and to be held"
		}
		if wrong != "" {
			if err == nil {
				err = fmt.Errorf("answer: recipient %d: %s", i+1, wrong)
			}
			*o = standIn
			continue
		}
		tidyOutcome(o)
	}
	return err
}

func tidyOutcome(o *sdk.Outcome) {
	own := sdk.Reply{Code: 451, Enhanced: "4.0.0", Text: "delivery deferred"}
	switch o.Status {
	case sdk.StatusDelivered:
		own = sdk.Reply{Code: 250, Enhanced: "2.0.0", Text: "delivered"}
	case sdk.StatusFailed:
		own = sdk.Reply{Code: 550, Enhanced: "5.0.0", Text: "delivery failed"}
	}
	r := &o.Reply
	if r.Code < 200 || r.Code > 599 {
		r.Code = own.Code
	}
	// RFC 3464 §2.3.4: the class of the status says what became of the
	// recipient, so of a peer's "550 4.7.1" only the rest can stand.
	if !validEnhanced(r.Enhanced) {
		// What a peer said stands in the DSN as its own words (RFC 3464 §2.3.6):
		// nothing is added to them.
		if r.Enhanced = own.Enhanced; o.RemoteReply {
			r.Enhanced = ""
		}
	} else if r.Enhanced[0] != own.Enhanced[0] {
		r.Enhanced = own.Enhanced[:1] + r.Enhanced[1:]
	}
	if r.Text = tidy(r.Text, maxRemoteText, true); r.Text == "" {
		r.Text = own.Text
	}
	o.Remote, o.TLS = Clean(o.Remote, maxWord), Clean(o.TLS, maxWord)
	o.Setup, o.Transfer = max(o.Setup, 0), max(o.Transfer, 0)
}

// Consistent drops from a sum of answers what does not go together: plugins may
// have answered each for a different status.
func Consistent(a sdk.OutcomeAnswer, was sdk.Status) sdk.OutcomeAnswer {
	is := was
	if a.Status != sdk.StatusNone {
		is = a.Status
	}
	if a.Hold && is == sdk.StatusFailed {
		a.Status, is = sdk.StatusDeferred, sdk.StatusDeferred
	}
	if is != sdk.StatusDeferred {
		a.Delay = 0
	}
	if is == sdk.StatusDeferred && a.Reply.Code/100 == 5 || is == sdk.StatusFailed && a.Reply.Code/100 == 4 {
		a.Reply = sdk.Reply{}
	}
	return a
}
