package answer

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/programmable-mta/mta/sdk"
)

var (
	enhancedForm = regexp.MustCompile(`\A[245]\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})\z`)
	fieldName    = regexp.MustCompile(`\A[\x21-\x39\x3b-\x7e]{1,256}\z`)
	noteKey      = regexp.MustCompile(`\A[a-z0-9_.-]{1,64}\z`)
	folding      = regexp.MustCompile(`\r\n[ \t]+[^ \t\r\n]`)
)

// obeys fails the test if a reply that was let through could do harm.
func obeys(t *testing.T, a sdk.Action, r sdk.Reply) {
	t.Helper()
	low, high := 0, -1
	switch a {
	case sdk.Defer:
		low, high = 400, 499
	case sdk.Reject:
		low, high = 500, 599
	case sdk.Disconnect:
		low, high = 400, 599
	default:
		if r != (sdk.Reply{}) {
			t.Fatalf("%s with words: %+v", a, r)
		}
		return
	}
	if r.Code < low || r.Code > high || r.Code/10%10 > 5 {
		t.Fatalf("%s with code %d", a, r.Code)
	}
	if !enhancedForm.MatchString(r.Enhanced) || int(r.Enhanced[0]-'0') != r.Code/100 {
		t.Fatalf("%s with %d and enhanced code %q", a, r.Code, r.Enhanced)
	}
	lines := strings.Split(r.Text, "\n")
	if strings.TrimSpace(r.Text) == "" || len(lines) > 10 || !utf8.ValidString(r.Text) {
		t.Fatalf("text %q", r.Text)
	}
	for _, line := range lines {
		if len(line) > 400 || strings.ContainsFunc(line, func(c rune) bool { return c != '\t' && (c < ' ' || c >= 0x7f && c < 0xa0) }) {
			t.Fatalf("line %q", line)
		}
	}
}

func FuzzNoInvalidAnswerGetsThrough(f *testing.F) {
	f.Add(uint8(4), uint8(3), 550, "5.7.1", "no", uint8(3), "a@example.org", "b@example.org", 0, "", uint8(0))
	f.Add(uint8(6), uint8(2), 0, "", "5.7.2", uint8(6), "X-A", "v\r\n w", 1, "", uint8(2))
	f.Add(uint8(2), uint8(1), 0, "", "", uint8(1), "key", "value", 0, "user", uint8(0))
	f.Add(uint8(0), uint8(4), 421, "4.3.2", "a\nb\r\n", uint8(0), "", "", -1, "", uint8(0))
	hooks := sdk.Hooks()
	f.Fuzz(func(t *testing.T, hook, action uint8, code int, enhanced, text string, op uint8, name, value string, index int, identity string, verdicts uint8) {
		h := hooks[int(hook)%len(hooks)]
		a := sdk.Answer{Action: sdk.Action(action), Reply: sdk.Reply{Code: code, Enhanced: enhanced, Text: text}, Reason: text, Identity: identity,
			Recipients: make([]sdk.Verdict, verdicts%4)}
		for i := range a.Recipients {
			a.Recipients[i] = sdk.Verdict{Action: sdk.Action(int(action) >> i), Reply: a.Reply}
		}
		if op != 0 {
			a.Edits = []sdk.Edit{{Op: sdk.Op(op), Name: name, Value: value, Index: index}}
		}
		if RulesOf(h).Check(&a, 2, index%2 == 0) != nil {
			return
		}
		if a.Action != sdk.Continue && !slices.Contains(h.Actions, a.Action) {
			t.Fatalf("%s: action %s", h.Name, a.Action)
		}
		obeys(t, a.Action, a.Reply)
		if n := len(a.Recipients); n != 0 && (n != 2 || h.Name != "data") {
			t.Fatalf("%d verdicts at %s", n, h.Name)
		}
		for _, v := range a.Recipients {
			if v.Action == sdk.Disconnect || v.Action > sdk.Discard {
				t.Fatalf("verdict %s", v.Action)
			}
			obeys(t, v.Action, v.Reply)
		}
		if (a.Identity != "") != (h.Name == "auth" && a.Action == sdk.Accept) || strings.ContainsAny(a.Identity, "\r\n\x00") {
			t.Fatalf("identity %q at %s", a.Identity, h.Name)
		}
		if strings.ContainsAny(a.Reason, "\r\n\x00\x1b") || !utf8.ValidString(a.Reason) {
			t.Fatalf("reason %q", a.Reason)
		}
		for _, e := range a.Edits {
			harmless(t, h, e)
		}
	})
}

func harmless(t *testing.T, h sdk.HookInfo, e sdk.Edit) {
	t.Helper()
	if !slices.Contains(h.Edits, e.Op) {
		t.Fatalf("%s at %s", e.Op, h.Name)
	}
	var addresses []string
	switch e.Op {
	case sdk.OpNote:
		if !noteKey.MatchString(e.Name) || len(e.Value) > 4096 {
			t.Fatalf("note %q", e.Name)
		}
	case sdk.OpSetSender, sdk.OpAddRecipient:
		addresses = []string{e.Value}
	case sdk.OpRemoveRecipient:
		addresses = []string{e.Name}
	case sdk.OpReplaceRecipient:
		addresses = []string{e.Name, e.Value}
	case sdk.OpReplaceBody:
	default:
		rest := folding.ReplaceAllString(e.Value, " ")
		if !fieldName.MatchString(e.Name) || strings.ContainsAny(rest, "\r\n\x00") || e.Index < 0 {
			t.Fatalf("field %q: %q", e.Name, e.Value)
		}
	}
	for _, a := range addresses {
		if a == "" && e.Op == sdk.OpSetSender {
			continue
		}
		if !strings.Contains(a, "@") || strings.ContainsAny(a, "\r\n\x00") || len(a) > 512 {
			t.Fatalf("%s: address %q", e.Op, a)
		}
	}
}

func FuzzNoInvalidRouteGetsThrough(f *testing.F) {
	f.Add(uint8(1), "smtp", "mx.example.org:25", "may", 0, "", "", "pw")
	f.Add(uint8(1), "lmtp", "unix:/run/x", "", 0, "", "", "")
	f.Add(uint8(2), "", "", "", 451, "4.7.1", "later", "")
	f.Add(uint8(1), "smtp", "[::1]:25", "dane", 0, "", "", "")
	host := regexp.MustCompile(`\A(unix:/[^\x00-\x1f\x7f]{0,106}|\[[0-9a-fA-F:.%A-Za-z_-]+\](:[1-9][0-9]{0,4})?|[A-Za-z0-9_.-]{1,254}(:[1-9][0-9]{0,4})?)\z`)
	f.Fuzz(func(t *testing.T, action uint8, via, hop, tls string, code int, enhanced, text, file string) {
		a := sdk.RouteAnswer{Action: sdk.RouteAction(action), Reply: sdk.Reply{Code: code, Enhanced: enhanced, Text: text},
			Route: sdk.Route{Via: via, TLS: tls, Pool: text, PasswordFile: file}}
		if hop != "" {
			a.Route.Hosts = []string{hop}
		}
		if CheckRoute(&a, false) != nil {
			return
		}
		if a.Action > sdk.RouteHold {
			t.Fatalf("action %d", a.Action)
		}
		switch a.Action {
		case sdk.RouteDefer:
			obeys(t, sdk.Defer, a.Reply)
		case sdk.RouteFail:
			obeys(t, sdk.Reject, a.Reply)
		default:
			obeys(t, sdk.Continue, a.Reply)
		}
		if a.Action != sdk.RouteUse {
			return
		}
		if a.Route.Via == "" || hop != "" && !host.MatchString(hop) || a.Route.PasswordFile != "" || strings.ContainsAny(a.Route.Pool, "\r\n\x00") {
			t.Fatalf("route %+v", a.Route)
		}
	})
}
