package answer

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/programmable-mta/mta/sdk"
)

func rulesOf(tb testing.TB, hook string) *Rules {
	tb.Helper()
	for _, h := range sdk.Hooks() {
		if h.Name == hook {
			return RulesOf(h)
		}
	}
	tb.Fatal("no hook " + hook)
	return nil
}

func TestTheReplyOfAnAnswerIsCompletedOrRefused(t *testing.T) {
	long := strings.Repeat("x", maxReplyLine)
	for _, tc := range []struct {
		name   string
		hook   string
		action sdk.Action
		in     sdk.Reply
		want   sdk.Reply // zero: refused
	}{
		{"no words at all", "rcpt", sdk.Reject, sdk.Reply{}, sdk.Reply{Code: 550, Enhanced: "5.7.1", Text: "refused by local policy"}},
		{"only a text", "rcpt", sdk.Reject, sdk.Reply{Text: "go away"}, sdk.Reply{Code: 550, Enhanced: "5.7.1", Text: "go away"}},
		{"only a code", "rcpt", sdk.Reject, sdk.Reply{Code: 553}, sdk.Reply{Code: 553, Enhanced: "5.7.1", Text: "refused by local policy"}},
		{"only an enhanced code", "rcpt", sdk.Reject, sdk.Reply{Enhanced: "5.1.1"}, sdk.Reply{Code: 550, Enhanced: "5.1.1", Text: "refused by local policy"}},
		{"a bare enhanced code as text", "rcpt", sdk.Reject, sdk.Reply{Text: "5.7.2"}, sdk.Reply{Code: 550, Enhanced: "5.7.2", Text: "refused by local policy"}},
		{"an enhanced code before the text", "rcpt", sdk.Reject, sdk.Reply{Text: "5.1.1 no such user"}, sdk.Reply{Code: 550, Enhanced: "5.1.1", Text: "no such user"}},
		{"a bare enhanced code beside one", "rcpt", sdk.Reject, sdk.Reply{Enhanced: "5.1.1", Text: "5.7.2"}, sdk.Reply{Code: 550, Enhanced: "5.1.1", Text: "refused by local policy"}},
		{"a bare enhanced code of another class", "rcpt", sdk.Reject, sdk.Reply{Text: "4.7.2"}, sdk.Reply{Code: 550, Enhanced: "5.7.1", Text: "refused by local policy"}},
		{"white space as text", "rcpt", sdk.Defer, sdk.Reply{Text: " \t"}, sdk.Reply{Code: 451, Enhanced: "4.7.1", Text: "try again later"}},
		{"several lines", "data", sdk.Defer, sdk.Reply{Text: "one\ntwo"}, sdk.Reply{Code: 451, Enhanced: "4.7.1", Text: "one\ntwo"}},
		{"ten lines of the greatest length", "data", sdk.Defer, sdk.Reply{Text: strings.Repeat(long+"\n", 9) + long}, sdk.Reply{Code: 451, Enhanced: "4.7.1", Text: strings.Repeat(long+"\n", 9) + long}},
		{"text in UTF-8", "data", sdk.Defer, sdk.Reply{Text: "später"}, sdk.Reply{Code: 451, Enhanced: "4.7.1", Text: "später"}},
		{"disconnect", "helo", sdk.Disconnect, sdk.Reply{}, sdk.Reply{Code: 421, Enhanced: "4.3.2", Text: "closing the connection"}},
		{"disconnect for ever", "helo", sdk.Disconnect, sdk.Reply{Enhanced: "5.7.1"}, sdk.Reply{Code: 554, Enhanced: "5.7.1", Text: "closing the connection"}},
		{"disconnect with a code", "helo", sdk.Disconnect, sdk.Reply{Code: 550}, sdk.Reply{Code: 550, Enhanced: "5.7.1", Text: "closing the connection"}},
		{"defer before the greeting", "connect", sdk.Defer, sdk.Reply{}, sdk.Reply{Code: 421, Enhanced: "4.3.2", Text: "try again later"}},
		{"a wrong password", "auth", sdk.Reject, sdk.Reply{}, sdk.Reply{Code: 535, Enhanced: "5.7.8", Text: "authentication failed"}},

		{"2yz in a reject", "rcpt", sdk.Reject, sdk.Reply{Code: 250}, sdk.Reply{}},
		{"4yz in a reject", "rcpt", sdk.Reject, sdk.Reply{Code: 450}, sdk.Reply{}},
		{"5yz in a defer", "rcpt", sdk.Defer, sdk.Reply{Code: 550}, sdk.Reply{}},
		{"354 in a disconnect", "rcpt", sdk.Disconnect, sdk.Reply{Code: 354}, sdk.Reply{}},
		{"a code that is none", "rcpt", sdk.Reject, sdk.Reply{Code: 599}, sdk.Reply{}},
		{"a code of four digits", "rcpt", sdk.Reject, sdk.Reply{Code: 5500}, sdk.Reply{}},
		{"a negative code", "rcpt", sdk.Reject, sdk.Reply{Code: -550}, sdk.Reply{}},
		{"an enhanced code of the wrong class", "rcpt", sdk.Reject, sdk.Reply{Enhanced: "4.7.1"}, sdk.Reply{}},
		{"an enhanced code that differs from the code", "rcpt", sdk.Disconnect, sdk.Reply{Code: 421, Enhanced: "5.7.1"}, sdk.Reply{}},
		{"an enhanced code of two parts", "rcpt", sdk.Reject, sdk.Reply{Enhanced: "5.7"}, sdk.Reply{}},
		{"an enhanced code with a leading zero", "rcpt", sdk.Reject, sdk.Reply{Enhanced: "5.07.1"}, sdk.Reply{}},
		{"an enhanced code of four digits", "rcpt", sdk.Reject, sdk.Reply{Enhanced: "5.7.1000"}, sdk.Reply{}},
		{"an enhanced code with a line end", "rcpt", sdk.Reject, sdk.Reply{Enhanced: "5.7.1\n"}, sdk.Reply{}},
		{"an enhanced code of class 3", "rcpt", sdk.Reject, sdk.Reply{Enhanced: "3.7.1"}, sdk.Reply{}},
		{"CRLF in the text", "rcpt", sdk.Reject, sdk.Reply{Text: "no\r\n250 ok"}, sdk.Reply{}},
		{"CR in the text", "rcpt", sdk.Reject, sdk.Reply{Text: "no\r250 ok"}, sdk.Reply{}},
		{"NUL in the text", "rcpt", sdk.Reject, sdk.Reply{Text: "no\x00"}, sdk.Reply{}},
		{"DEL in the text", "rcpt", sdk.Reject, sdk.Reply{Text: "no\x7f"}, sdk.Reply{}},
		{"a C1 control in the text", "rcpt", sdk.Reject, sdk.Reply{Text: "no\u0085"}, sdk.Reply{}},
		{"invalid UTF-8", "rcpt", sdk.Reject, sdk.Reply{Text: "no\xff"}, sdk.Reply{}},
		{"eleven lines", "rcpt", sdk.Reject, sdk.Reply{Text: strings.Repeat("\n", 10)}, sdk.Reply{}},
		{"a line that is too long", "rcpt", sdk.Reject, sdk.Reply{Text: long + "x"}, sdk.Reply{}},
		{"a megabyte of text", "rcpt", sdk.Reject, sdk.Reply{Text: strings.Repeat("x", 1<<20)}, sdk.Reply{}},
		{"words with an accept", "rcpt", sdk.Accept, sdk.Reply{Code: 250}, sdk.Reply{}},
		{"words with a continue", "rcpt", sdk.Continue, sdk.Reply{Text: "hm"}, sdk.Reply{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := sdk.Answer{Action: tc.action, Reply: tc.in}
			err := rulesOf(t, tc.hook).Check(&a, 0, false)
			if tc.want == (sdk.Reply{}) {
				if err == nil {
					t.Fatalf("let through as %q", a.Reply)
				}
				if len(err.Error()) > 300 {
					t.Errorf("an error of %d octets", len(err.Error()))
				}
				return
			}
			if err != nil || a.Reply != tc.want {
				t.Errorf("got %+v, %v; want %+v", a.Reply, err, tc.want)
			}
		})
	}
}

func TestTheCoresOwnWordsAreSuchAsItWouldTakeFromAPlugin(t *testing.T) {
	for _, h := range sdk.Hooks() {
		r := RulesOf(h)
		for a := sdk.Continue; a <= sdk.Hold; a++ {
			for _, words := range []sdk.Reply{Words(h.Name, a), Broken(h.Name, a)} {
				same := words
				if !r.Allows(a) {
					continue
				}
				if err := r.checkReply(a, &same); err != nil || same != words {
					t.Errorf("%s %s: %+v became %+v, %v", h.Name, a, words, same, err)
				}
			}
		}
	}
	for _, words := range []sdk.Reply{RelayingDenied(), Fault("no route")} {
		if err := checkText(words.Text); err != nil || !validEnhanced(words.Enhanced) {
			t.Errorf("%+v: %v", words, err)
		}
	}
}

func TestReasonsAreCleanedAndNotRefused(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"all is well", "all is well"},
		{"two\r\nlines\x1b[2J", "two  lines [2J"},
		{"bad \xff byte", "bad ? byte"},
		{"hidden\u2028line", "hidden line"},
	} {
		a := sdk.Answer{Action: sdk.Accept, Reason: tc.in}
		if err := rulesOf(t, "rcpt").Check(&a, 0, false); err != nil || a.Reason != tc.want {
			t.Errorf("%q: %q, %v", tc.in, a.Reason, err)
		}
	}
	if got := Clean(strings.Repeat("ä", MaxReason), MaxReason); len(got) > MaxReason+2 || !utf8.ValidString(got) {
		t.Errorf("%d octets, valid %v", len(got), utf8.ValidString(got))
	}
}
