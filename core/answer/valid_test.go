package answer

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

func TestAnActionIsPossibleOnlyWhereTheHookTableSaysSo(t *testing.T) {
	for _, h := range sdk.Hooks() {
		r := RulesOf(h)
		for n := range 256 {
			a := sdk.Action(n)
			want := a == sdk.Continue
			for _, ok := range h.Actions {
				want = want || a == ok
			}
			ans := sdk.Answer{Action: a}
			if h.Name == "auth" && a == sdk.Accept {
				ans.Identity = "user"
			}
			if got := r.Check(&ans, 0, false) == nil; got != want {
				t.Errorf("%s %s: possible %v, want %v", h.Name, a, got, want)
			}
		}
		for n := range 256 {
			want := false
			for _, ok := range h.Edits {
				want = want || sdk.Op(n) == ok
			}
			e := sdk.Edit{Op: sdk.Op(n), Name: "x", Value: "a@example.org"}
			if e.Op == sdk.OpRemoveRecipient || e.Op == sdk.OpReplaceRecipient {
				e.Name = "a@example.org"
			}
			if got := r.Check(&sdk.Answer{Edits: []sdk.Edit{e}}, 0, false) == nil; got != want {
				t.Errorf("%s %s: possible %v, want %v", h.Name, e.Op, got, want)
			}
		}
	}
}

func TestWhatGoesWithOneHookOnlyIsRefusedElsewhere(t *testing.T) {
	for _, tc := range []struct {
		name string
		hook string
		in   sdk.Answer
		ok   bool
	}{
		{"accept at auth with an identity", "auth", sdk.Answer{Action: sdk.Accept, Identity: "user@example.org"}, true},
		{"accept at auth without identity", "auth", sdk.Answer{Action: sdk.Accept}, false},
		{"an identity with a line end", "auth", sdk.Answer{Action: sdk.Accept, Identity: "user\r\nX: y"}, false},
		{"an identity that is too long", "auth", sdk.Answer{Action: sdk.Accept, Identity: strings.Repeat("x", 513)}, false},
		{"an identity with a reject", "auth", sdk.Answer{Action: sdk.Reject, Identity: "user"}, false},
		{"an identity at mail", "mail", sdk.Answer{Action: sdk.Accept, Identity: "user"}, false},
		{"verdicts on recipients at data", "data", sdk.Answer{Recipients: make([]sdk.Verdict, 2)}, true},
		{"too few of them", "data", sdk.Answer{Recipients: make([]sdk.Verdict, 1)}, false},
		{"too many of them", "data", sdk.Answer{Recipients: make([]sdk.Verdict, 3)}, false},
		{"verdicts on recipients at rcpt", "rcpt", sdk.Answer{Recipients: make([]sdk.Verdict, 2)}, false},
		{"a verdict with words", "data", sdk.Answer{Recipients: []sdk.Verdict{{Action: sdk.Reject, Reply: sdk.Reply{Code: 550}}, {Action: sdk.Discard}}}, true},
		{"a verdict with the wrong words", "data", sdk.Answer{Recipients: []sdk.Verdict{{Action: sdk.Reject, Reply: sdk.Reply{Code: 450}}, {}}}, false},
		{"a recipient to be disconnected", "data", sdk.Answer{Recipients: []sdk.Verdict{{Action: sdk.Disconnect}, {}}}, false},
		{"a recipient to be held", "data", sdk.Answer{Recipients: []sdk.Verdict{{Action: sdk.Hold}, {}}}, false},
		{"a verdict that is none", "data", sdk.Answer{Recipients: []sdk.Verdict{{Action: 99}, {}}}, false},
	} {
		if err := rulesOf(t, tc.hook).Check(&tc.in, 2, false); (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func TestEditsThatWouldBreakAMessageAreRefused(t *testing.T) {
	field := func(value string) sdk.Edit { return sdk.Edit{Op: sdk.OpAppendHeader, Name: "X-A", Value: value} }
	named := func(name string) sdk.Edit { return sdk.Edit{Op: sdk.OpPrependHeader, Name: name, Value: "v"} }
	note := func(key, value string) sdk.Edit { return sdk.Edit{Op: sdk.OpNote, Name: key, Value: value} }
	for _, tc := range []struct {
		name string
		in   sdk.Edit
		ok   bool
	}{
		{"a note", note("karma.score_2-a", "7"), true},
		{"a note that goes", note("karma", ""), true},
		{"a note without key", note("", "7"), false},
		{"a note in capitals", note("Karma", "7"), false},
		{"a key that is too long", note(strings.Repeat("k", 65), "7"), false},
		{"a value that is too long", note("k", strings.Repeat("v", 4097)), false},
		{"a sender", sdk.Edit{Op: sdk.OpSetSender, Value: "a@example.org"}, true},
		{"the null sender", sdk.Edit{Op: sdk.OpSetSender}, true},
		{"a sender with a line end", sdk.Edit{Op: sdk.OpSetSender, Value: "a@example.org>\r\nRCPT TO:<b@example.org"}, false},
		{"a sender without domain", sdk.Edit{Op: sdk.OpSetSender, Value: "a"}, false},
		{"a recipient", sdk.Edit{Op: sdk.OpAddRecipient, Value: `"a b"@example.org`}, true},
		{"no recipient", sdk.Edit{Op: sdk.OpAddRecipient}, false},
		{"a recipient in brackets", sdk.Edit{Op: sdk.OpAddRecipient, Value: "<a@example.org>"}, false},
		{"a recipient that needs SMTPUTF8", sdk.Edit{Op: sdk.OpAddRecipient, Value: "ü@example.org"}, false},
		{"to remove somebody", sdk.Edit{Op: sdk.OpRemoveRecipient, Name: "a@example.org"}, true},
		{"to remove nobody", sdk.Edit{Op: sdk.OpRemoveRecipient}, false},
		{"to replace somebody", sdk.Edit{Op: sdk.OpReplaceRecipient, Name: "a@example.org", Value: "b@example.org"}, true},
		{"to replace nobody", sdk.Edit{Op: sdk.OpReplaceRecipient, Name: "@", Value: "b@example.org"}, false},
		{"to replace by nobody", sdk.Edit{Op: sdk.OpReplaceRecipient, Name: "a@example.org", Value: ""}, false},
		{"a field", field("v"), true},
		{"an empty field", field(""), true},
		{"a folded field", field("a,\r\n\tb"), true},
		{"a second field inside", field("a\r\nX-B: b"), false},
		{"the end of the header inside", field("a\r\n\r\nbody"), false},
		{"a folded line of white space alone", field("a\r\n \r\n b"), false},
		{"a folded line at the end", field("a\r\n "), false},
		{"a CRLF at the end", field("a\r\n"), false},
		{"a bare LF", field("a\n b"), false},
		{"a bare CR", field("a\r b"), false},
		{"a NUL", field("a\x00"), false},
		{"a value that is too long", field(strings.Repeat("v", maxFieldValue+1)), false},
		{"a name with a colon", named("X:A"), false},
		{"a name with a space", named("X A"), false},
		{"a name with a line end", named("X\r\nA"), false},
		{"a name in UTF-8", named("Ü"), false},
		{"no name", named(""), false},
		{"a name that is too long", named(strings.Repeat("x", 257)), false},
		{"a negative index", sdk.Edit{Op: sdk.OpRemoveHeader, Name: "X-A", Index: -1}, false},
		{"a new body", sdk.Edit{Op: sdk.OpReplaceBody, Data: []byte("x")}, true},
		{"a new body beside a note", sdk.Edit{Op: sdk.OpNote, Name: "k", Value: "v", Data: []byte("x")}, false},
	} {
		err := rulesOf(t, "data").Check(&sdk.Answer{Edits: []sdk.Edit{tc.in}}, 0, false)
		if (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	utf := sdk.Answer{Edits: []sdk.Edit{{Op: sdk.OpAddRecipient, Value: "ü@example.org"}}}
	if err := rulesOf(t, "data").Check(&utf, 0, true); err != nil {
		t.Errorf("an address in UTF-8 in an SMTPUTF8 transaction: %v", err)
	}
}

func TestAnAliasMayReplaceThePostmasterWithoutDomain(t *testing.T) {
	edit := sdk.Edit{Op: sdk.OpReplaceRecipient, Name: "postmaster", Value: "chief@example.org"}
	if err := rulesOf(t, "rcpt").Check(&sdk.Answer{Edits: []sdk.Edit{edit}}, 0, false); err != nil {
		t.Error(err)
	}
	edit.Value = "postmaster"
	if err := rulesOf(t, "rcpt").Check(&sdk.Answer{Edits: []sdk.Edit{edit}}, 0, false); err == nil {
		t.Error("a recipient becomes one without domain")
	}
}

func TestNoStatusIsPutIntoThePeersMouth(t *testing.T) {
	outs := []sdk.Outcome{{Status: sdk.StatusFailed, RemoteReply: true, Reply: sdk.Reply{Code: 599, Text: "never"}}}
	if err := Settle(outs, sdk.Outcome{}); err != nil || outs[0].Reply.String() != "599 never" {
		t.Errorf("the peer said 599 never, and is quoted with %q (%v)", outs[0].Reply, err)
	}
}

func TestTheEditsOfAnAnswerAreBounded(t *testing.T) {
	many := func(n int, e sdk.Edit) sdk.Answer {
		a := sdk.Answer{Edits: make([]sdk.Edit, n)}
		for i := range a.Edits {
			a.Edits[i] = e
		}
		return a
	}
	rcpt := sdk.Edit{Op: sdk.OpAddRecipient, Value: "a@example.org"}
	body := sdk.Edit{Op: sdk.OpReplaceBody, Data: make([]byte, maxEditData/2+1)}
	field := sdk.Edit{Op: sdk.OpAppendHeader, Name: "X", Value: strings.Repeat("x", maxFieldValue)}
	for _, tc := range []struct {
		name string
		in   sdk.Answer
		ok   bool
	}{
		{"1000 recipients", many(1000, rcpt), true},
		{"1001 recipients", many(1001, rcpt), false},
		{"a large body", many(1, body), true},
		{"two of them", many(2, body), false},
		{"fifteen large fields", many(15, field), true},
		{"sixteen of them", many(16, field), false},
	} {
		if err := rulesOf(t, "data").Check(&tc.in, 0, false); (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func TestRoutesAreCheckedBeforeAnybodyFollowsThem(t *testing.T) {
	use := func(r sdk.Route) sdk.RouteAnswer { return sdk.RouteAnswer{Action: sdk.RouteUse, Route: r} }
	via := func(hosts ...string) sdk.RouteAnswer { return use(sdk.Route{Via: "smtp", Hosts: hosts}) }
	later := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name string
		in   sdk.RouteAnswer
		ok   bool
	}{
		{"nothing", sdk.RouteAnswer{}, true},
		{"hosts of every kind", via("mx", "mx.example.org", "mx.example.org.:25", "192.0.2.1:2525", "192.0.2.1", "[2001:db8::1]:25", "[2001:db8::1]", "under_score.example"), true},
		{"no hosts", via(), true},
		{"no transport", use(sdk.Route{Hosts: []string{"mx"}}), false},
		{"too many hosts", via(make([]string, 101)...), false},
		{"an empty host", via(""), false},
		{"a host with a space", via("mx example"), false},
		{"a host with a line end", via("mx\r\nQUIT"), false},
		{"a host that begins with a hyphen", via("-mx.example"), false},
		{"an empty label", via("mx..example"), false},
		{"a label that is too long", via(strings.Repeat("x", 64) + ".example"), false},
		{"a host that is too long", via(strings.Repeat("x.", 127) + "xx"), false},
		{"IPv6 without brackets", via("2001:db8::1"), false},
		{"an open bracket", via("[2001:db8::1"), false},
		{"no address in brackets", via("[mx.example]:25"), false},
		{"something behind the bracket", via("[2001:db8::1]25"), false},
		{"no port behind the colon", via("[2001:db8::1]:"), false},
		{"port 0", via("mx:0"), false},
		{"port 65536", via("mx:65536"), false},
		{"a port with a sign", via("mx:+25"), false},
		{"a port with a leading zero", via("mx:025"), false},
		{"a socket over SMTP", via("unix:/run/lmtp"), false},
		{"a socket over LMTP", use(sdk.Route{Via: "lmtp", Hosts: []string{"unix:/run/lmtp"}}), true},
		{"a socket without path", use(sdk.Route{Via: "lmtp", Hosts: []string{"unix:lmtp"}}), false},
		{"a TLS policy", use(sdk.Route{Via: "smtp", TLS: "verify"}), true},
		{"a TLS policy that our client lacks", use(sdk.Route{Via: "smtp", TLS: "dane"}), false},
		{"the same for a transport of somebody else", use(sdk.Route{Via: "courier", TLS: "dane", Pool: "x"}), true},
		{"a pool, which our client lacks", use(sdk.Route{Via: "lmtp", Pool: "x"}), false},
		{"a source", use(sdk.Route{Via: "smtp", Source: "192.0.2.9"}), true},
		{"a source that is no address", use(sdk.Route{Via: "smtp", Source: "eth0"}), false},
		{"a TLS policy that is none", use(sdk.Route{Via: "smtp", TLS: "maybe"}), false},
		{"a pool with a line end", use(sdk.Route{Via: "smtp", Pool: "a\nb"}), false},
		{"a user in broken UTF-8", use(sdk.Route{Via: "smtp", User: "\xff"}), false},
		{"a key that is too long", use(sdk.Route{Via: "smtp", Key: strings.Repeat("k", maxWord+1)}), false},
		{"use with words", sdk.RouteAnswer{Action: sdk.RouteUse, Route: sdk.Route{Via: "smtp"}, Reply: sdk.Reply{Text: "x"}}, false},
		{"defer until later", sdk.RouteAnswer{Action: sdk.RouteDefer, NotBefore: later}, true},
		{"use later", sdk.RouteAnswer{Action: sdk.RouteUse, Route: sdk.Route{Via: "smtp"}, NotBefore: later}, false},
		{"defer with a 5yz", sdk.RouteAnswer{Action: sdk.RouteDefer, Reply: sdk.Reply{Code: 550}}, false},
		{"defer with a route", sdk.RouteAnswer{Action: sdk.RouteDefer, Route: sdk.Route{Via: "smtp"}}, false},
		{"fail", sdk.RouteAnswer{Action: sdk.RouteFail, Reply: sdk.Reply{Enhanced: "5.1.2"}}, true},
		{"fail with a 4yz", sdk.RouteAnswer{Action: sdk.RouteFail, Reply: sdk.Reply{Code: 450}}, false},
		{"hold", sdk.RouteAnswer{Action: sdk.RouteHold}, true},
		{"an action that is none", sdk.RouteAnswer{Action: 9}, false},
	} {
		if err := CheckRoute(&tc.in, false); (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func TestOnlyACompiledInPluginMayNameAPasswordFile(t *testing.T) {
	for _, compiledIn := range []bool{true, false} {
		a := sdk.RouteAnswer{Action: sdk.RouteUse, Route: sdk.Route{Via: "smtp", Hosts: []string{"mx"}, User: "u", PasswordFile: "/etc/shadow"}}
		if err := CheckRoute(&a, compiledIn); (err == nil) != compiledIn {
			t.Errorf("compiled in %v: %v", compiledIn, err)
		}
	}
}

func TestAnOutcomeCanOnlyMoveBetweenDeferredAndFailed(t *testing.T) {
	const none, delivered, deferred, failed = sdk.StatusNone, sdk.StatusDelivered, sdk.StatusDeferred, sdk.StatusFailed
	for _, tc := range []struct {
		was sdk.Status
		in  sdk.OutcomeAnswer
		ok  bool
	}{
		{delivered, sdk.OutcomeAnswer{}, true},
		{delivered, sdk.OutcomeAnswer{Status: delivered}, true},
		{delivered, sdk.OutcomeAnswer{Status: deferred}, false},
		{delivered, sdk.OutcomeAnswer{Status: failed}, false},
		{delivered, sdk.OutcomeAnswer{Hold: true}, false},
		{delivered, sdk.OutcomeAnswer{Delay: time.Hour}, false},
		{delivered, sdk.OutcomeAnswer{Reply: sdk.Reply{Text: "x"}}, false},
		{deferred, sdk.OutcomeAnswer{Status: delivered}, false},
		{deferred, sdk.OutcomeAnswer{Status: failed}, true},
		{deferred, sdk.OutcomeAnswer{Status: failed, Delay: time.Hour}, false},
		{deferred, sdk.OutcomeAnswer{Status: failed, Hold: true}, false},
		{deferred, sdk.OutcomeAnswer{Delay: time.Hour}, true},
		{deferred, sdk.OutcomeAnswer{Delay: -time.Hour}, false},
		{deferred, sdk.OutcomeAnswer{Reply: sdk.Reply{Code: 450}}, true},
		{deferred, sdk.OutcomeAnswer{Reply: sdk.Reply{Code: 550}}, false},
		{deferred, sdk.OutcomeAnswer{Status: 9}, false},
		{failed, sdk.OutcomeAnswer{Status: deferred, Delay: time.Hour, Reply: sdk.Reply{Text: "later"}}, true},
		{failed, sdk.OutcomeAnswer{Status: delivered}, false},
		{failed, sdk.OutcomeAnswer{Delay: time.Hour}, false},
		{failed, sdk.OutcomeAnswer{Hold: true, Reply: sdk.Reply{Code: 450}}, true},
		{failed, sdk.OutcomeAnswer{Reply: sdk.Reply{Code: 553}}, true},
		{failed, sdk.OutcomeAnswer{Reply: sdk.Reply{Code: 450}}, false},
		{none, sdk.OutcomeAnswer{Status: delivered}, false},
	} {
		if err := CheckOutcome(&tc.in, tc.was); (err == nil) != tc.ok {
			t.Errorf("%s: %+v: %v", tc.was, tc.in, err)
		}
	}
}

func TestASumOfOutcomeAnswersIsConsistent(t *testing.T) {
	for _, tc := range []struct {
		was      sdk.Status
		in, want sdk.OutcomeAnswer
	}{
		{sdk.StatusDeferred, sdk.OutcomeAnswer{Status: sdk.StatusFailed, Delay: time.Hour, Reply: sdk.Reply{Code: 451}}, sdk.OutcomeAnswer{Status: sdk.StatusFailed}},
		{sdk.StatusFailed, sdk.OutcomeAnswer{Status: sdk.StatusDeferred, Reply: sdk.Reply{Code: 550}}, sdk.OutcomeAnswer{Status: sdk.StatusDeferred}},
		{sdk.StatusFailed, sdk.OutcomeAnswer{Hold: true}, sdk.OutcomeAnswer{Status: sdk.StatusDeferred, Hold: true}},
	} {
		if got := Consistent(tc.in, tc.was); got != tc.want {
			t.Errorf("%+v became %+v, want %+v", tc.in, got, tc.want)
		}
	}
}

func TestABounceAnswerSaysOneThing(t *testing.T) {
	r := rulesOf(t, "bounce")
	for n := range 8 {
		a := sdk.BounceAnswer{Suppress: n&1 != 0, Defer: n&2 != 0, Hold: n&4 != 0}
		want := n == 0 || n == 1 || n == 2 || n == 4
		if err := r.CheckBounce(&a, false); (err == nil) != want {
			t.Errorf("%+v: %v", a, err)
		}
	}
	bad := sdk.BounceAnswer{Edits: []sdk.Edit{{Op: sdk.OpReplaceBody}}}
	if r.CheckBounce(&bad, false) == nil {
		t.Error("a bounce hook may replace the body of a DSN")
	}
}

func TestOutcomesAreSettledOneByOne(t *testing.T) {
	standIn := sdk.Outcome{Status: sdk.StatusDeferred, Reply: Fault("local problem")}
	peer := sdk.Reply{Code: 550, Enhanced: "4.1.1", Text: "no \xff\x00\nuser"}
	for _, tc := range []struct {
		name  string
		in    sdk.Outcome
		want  string // status and reply
		fault bool
	}{
		{"nothing", sdk.Outcome{}, "deferred 451 4.3.5 local problem", true},
		{"a status that is none", sdk.Outcome{Status: 77}, "deferred 451 4.3.5 local problem", true},
		{"delivered", sdk.Outcome{Status: sdk.StatusDelivered}, "delivered 250 2.0.0 delivered", false},
		{"delivered with a refusal", sdk.Outcome{Status: sdk.StatusDelivered, Reply: sdk.Reply{Code: 550}}, "deferred 451 4.3.5 local problem", true},
		{"failed with a 4yz", sdk.Outcome{Status: sdk.StatusFailed, Reply: sdk.Reply{Code: 450}}, "deferred 451 4.3.5 local problem", true},
		{"failed and to be held", sdk.Outcome{Status: sdk.StatusFailed, Hold: true}, "deferred 451 4.3.5 local problem", true},
		{"deferred with a 5yz", sdk.Outcome{Status: sdk.StatusDeferred, Reply: sdk.Reply{Code: 550, Text: "soft"}}, "deferred 550 4.0.0 soft", false},
		{"a peer's bad words", sdk.Outcome{Status: sdk.StatusFailed, RemoteReply: true, Reply: peer}, "failed 550 5.1.1 no ?  user", false},
		{"a code that is none", sdk.Outcome{Status: sdk.StatusDeferred, Reply: sdk.Reply{Code: 7}}, "deferred 451 4.0.0 delivery deferred", false},
		{"a megabyte of words", sdk.Outcome{Status: sdk.StatusDeferred, Reply: sdk.Reply{Text: strings.Repeat("x", 1<<20)}}, "deferred 451 4.0.0 " + strings.Repeat("x", maxRemoteText), false},
	} {
		outs := []sdk.Outcome{{Status: sdk.StatusDelivered, Setup: -1, Remote: "a\nb"}, tc.in}
		err := Settle(outs, standIn)
		if got := fmt.Sprintf("%s %s", outs[1].Status, outs[1].Reply); got != tc.want || (err != nil) != tc.fault {
			t.Errorf("%s: %.200q, %v", tc.name, got, err)
		}
		if outs[0].Status != sdk.StatusDelivered || outs[0].Setup != 0 || outs[0].Remote != "a b" {
			t.Errorf("%s: the neighbour became %+v", tc.name, outs[0])
		}
	}
}

func TestNotesAreSeparatedKeptApartAndBounded(t *testing.T) {
	note, field := sdk.Edit{Op: sdk.OpNote, Name: "k", Value: "v"}, sdk.Edit{Op: sdk.OpAppendHeader, Name: "X"}
	for _, tc := range []struct {
		in            []sdk.Edit
		notes, others int
	}{
		{nil, 0, 0}, {[]sdk.Edit{note}, 1, 0}, {[]sdk.Edit{field}, 0, 1}, {[]sdk.Edit{field, note, field}, 1, 2},
	} {
		if n, o := Split(tc.in); len(n) != tc.notes || len(o) != tc.others {
			t.Errorf("%v: %d notes and %d others", tc.in, len(n), len(o))
		}
	}
	was := sdk.Notes{"a.k": "old", "b.k": "b"}
	got, err := Noted(&was, "a", []sdk.Edit{note, {Op: sdk.OpNote, Name: "x", Value: "y"}, {Op: sdk.OpNote, Name: "x"}})
	if err != nil || len(got) != 2 || got["a.k"] != "v" || got["b.k"] != "b" || was["a.k"] != "old" {
		t.Errorf("notes %v, before %v, %v", got, was, err)
	}
	if _, err := Noted(nil, "a", []sdk.Edit{note}); err == nil {
		t.Error("a note on nothing was left")
	}
	var none sdk.Notes
	if got, err := Noted(&none, "a", []sdk.Edit{note}); err != nil || got["a.k"] != "v" {
		t.Errorf("the first note: %v, %v", got, err)
	}
	full := sdk.Notes{}
	for i := range maxNotes {
		full[fmt.Sprint("a.", i)] = "x"
	}
	if _, err := Noted(&full, "a", []sdk.Edit{note}); err == nil {
		t.Error("one note too many was left")
	}
	if got, err := Noted(&full, "a", []sdk.Edit{{Op: sdk.OpNote, Name: "0"}}); err != nil || len(got) != maxNotes-1 {
		t.Errorf("a note could not be taken away: %v", err)
	}
}

func TestWhyIsOneBoundedLine(t *testing.T) {
	if got := Why(errors.New("a\nb" + strings.Repeat("x", 2*MaxReason))); len(got) != MaxReason || got[:3] != "a b" {
		t.Errorf("%d octets: %.10q", len(got), got)
	}
}
