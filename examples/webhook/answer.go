package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// reply is what the service may answer with a 2xx: how single recipients came
// out. Those that it does not name are delivered.
type reply struct {
	Recipients map[string]struct {
		Status   string `json:"status"` // delivered, deferred, failed
		Code     int    `json:"code"`
		Enhanced string `json:"enhanced"`
		Text     string `json:"text"`
	} `json:"recipients"`
}

// answered is what the status of a response means.
func (p *plugin) answered(e *sdk.DeliverEvent, r *sdk.HTTPResponse) sdk.DeliverAnswer {
	said := "the webhook answered " + strconv.Itoa(r.Status)
	switch {
	case r.Status >= 200 && r.Status <= 299:
		return p.single(e, r, said)
	case r.Status == 408 || r.Status == 425 || r.Status == 429 || slices.Contains(p.Defer, r.Status):
		return p.all(e, outcome(sdk.StatusDeferred, 451, "4.3.2", said+p.retryAfter(r)))
	case r.Status == 413:
		return p.all(e, outcome(sdk.StatusFailed, 552, "5.3.4", said))
	case r.Status >= 400 && r.Status <= 499:
		return p.all(e, outcome(sdk.StatusFailed, 554, "5.3.0", said))
	case r.Status >= 500 && r.Status <= 599:
		return p.all(e, outcome(sdk.StatusDeferred, 451, "4.3.2", said+p.retryAfter(r)))
	}
	// A redirect that leads nowhere, or no HTTP at all: somebody has to look.
	return p.all(e, outcome(sdk.StatusDeferred, 451, "4.3.5", said))
}

// single is the answer to a 2xx. An answer in JSON that tells of recipients, and
// cannot be understood, delivers nobody: they come again with the same key.
func (p *plugin) single(e *sdk.DeliverEvent, r *sdk.HTTPResponse, said string) sdk.DeliverAnswer {
	a := p.all(e, outcome(sdk.StatusDelivered, 250, "2.0.0", said))
	if !strings.HasPrefix(get(r, "Content-Type"), "application/json") {
		return a
	}
	var told reply
	if err := json.Unmarshal(r.Body, &told); err != nil {
		return p.all(e, outcome(sdk.StatusDeferred, 451, "4.3.5", said+", with JSON that cannot be read"))
	}
	for i, rcpt := range e.Recipients {
		one, ok := told.Recipients[rcpt.Addr]
		if !ok {
			continue
		}
		o := &a.Outcomes[i]
		switch one.Status {
		case "delivered":
		case "failed":
			o.Status, o.Reply = sdk.StatusFailed, words(one.Code, one.Enhanced, one.Text, 5, said)
		case "deferred":
			o.Status, o.Reply = sdk.StatusDeferred, words(one.Code, one.Enhanced, one.Text, 4, said)
		default:
			o.Status, o.Reply = sdk.StatusDeferred, sdk.Reply{Code: 451, Enhanced: "4.3.5", Text: said + ", with a status that cannot be understood"}
		}
	}
	return a
}

// words is a reply in the service's words, as far as they are right: the class
// must be that of the status.
func words(code int, enhanced, text string, class int, said string) sdk.Reply {
	r := sdk.Reply{Code: map[int]int{4: 451, 5: 554}[class], Enhanced: fmt.Sprintf("%d.3.0", class), Text: said}
	if code/100 == class && code%100/10 <= 5 {
		r.Code = code
	}
	if parts := strings.Split(enhanced, "."); len(parts) == 3 && parts[0] == strconv.Itoa(class) && digits(parts[1]) && digits(parts[2]) {
		r.Enhanced = enhanced
	}
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return -1
		}
		return c
	}, text)
	if text = strings.TrimSpace(text); text != "" {
		r.Text = text[:min(len(text), 300)]
	}
	return r
}

// digits: RFC 3463 §2, one to three of them.
func digits(s string) bool {
	return 0 < len(s) && len(s) <= 3 && strings.Trim(s, "0123456789") == ""
}

func get(r *sdk.HTTPResponse, name string) string {
	for _, f := range r.Header {
		if textproto.CanonicalMIMEHeaderKey(f.Name) == name {
			return f.Value
		}
	}
	return ""
}

// retryMark stands in the text of an outcome in front of a number of seconds.
// The deliver hook cannot say when to try again, and the outcome hook can: an
// instance knows nothing of the others, so the text carries it.
const retryMark = ", retry after "

// retryAfter is Retry-After in seconds (RFC 9110 §10.2.3); a date counts too
// rarely to be worth a clock.
func (p *plugin) retryAfter(r *sdk.HTTPResponse) string {
	n, err := strconv.ParseUint(strings.TrimSpace(get(r, "Retry-After")), 10, 32)
	if err != nil || n == 0 {
		return ""
	}
	return retryMark + strconv.FormatUint(min(n, 86400), 10) + " s"
}

// OnOutcome implements [sdk.OutcomeHook].
func (p *plugin) OnOutcome(_ context.Context, e *sdk.OutcomeEvent) (sdk.OutcomeAnswer, error) {
	if e.Outcome.Status != sdk.StatusDeferred || e.Outcome.Remote != p.remote {
		return sdk.OutcomeAnswer{}, nil
	}
	_, text, ok := strings.Cut(e.Outcome.Reply.Text, retryMark)
	n, err := strconv.Atoi(strings.TrimSuffix(text, " s"))
	if !ok || err != nil || n < 1 || n > 86400 {
		return sdk.OutcomeAnswer{}, nil
	}
	return sdk.OutcomeAnswer{Delay: time.Duration(n) * time.Second, Reason: "Retry-After of the webhook"}, nil
}
