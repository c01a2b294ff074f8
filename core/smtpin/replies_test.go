package smtpin

import (
	"errors"
	"strings"
	"testing"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

func TestWhateverAPluginSaysTheReplyKeepsItsClass(t *testing.T) {
	for _, c := range []struct {
		name   string
		action sdk.Action
		reply  sdk.Reply
		want   string
	}{
		{"nothing", sdk.Reject, sdk.Reply{}, "550 5.7.1 Refused"},
		{"a code that says yes", sdk.Reject, sdk.Reply{Code: 250, Enhanced: "2.0.0", Text: "welcome"}, "550 5.7.1 welcome"},
		{"temporary for permanent", sdk.Reject, sdk.Reply{Code: 450, Enhanced: "4.7.1"}, "550 5.7.1 Refused"},
		{"permanent for temporary", sdk.Defer, sdk.Reply{Code: 554, Enhanced: "5.1.1", Text: "x"}, "451 4.7.1 x"},
		{"a bad enhanced code", sdk.Reject, sdk.Reply{Code: 554, Enhanced: "5.7", Text: "x"}, "554 5.7.1 x"},
		{"its own words", sdk.Reject, sdk.Reply{Code: 553, Enhanced: "5.1.8", Text: "x"}, "553 5.1.8 x"},
		{"the end has one code", sdk.Disconnect, sdk.Reply{Code: 450, Enhanced: "4.2.1", Text: "x"}, "421 4.2.1 x"},
		{"a line of its own", sdk.Reject, sdk.Reply{Text: "x\r250 yes"}, "550 5.7.1 x?250 yes"},
		{"nonsense for a code", sdk.Reject, sdk.Reply{Code: -5}, "550 5.7.1 Refused"},
	} {
		r, no := refusal(c.action, c.reply)
		got := strings.TrimSuffix(string(smtp.AppendReply(nil, r)), "\r\n")
		if !no || got != c.want {
			t.Errorf("%s: %q (%v), want %q", c.name, got, no, c.want)
		}
	}
	for _, a := range []sdk.Action{sdk.Continue, sdk.Accept, sdk.Discard, sdk.Hold} {
		if r, no := refusal(a, sdk.Reply{Code: 550}); no || r != (sdk.Reply{}) {
			t.Errorf("%v is no refusal: %v", a, r)
		}
	}
}

func TestErrorsOfParsersAreReplies(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&gosmtp.SMTPError{Code: 555, EnhancedCode: gosmtp.EnhancedCode{5, 5, 4}, Message: "x"}, "555 5.5.4 x"},
		{&gosmtp.SMTPError{Code: 500, EnhancedCode: gosmtp.NoEnhancedCode, Message: "x"}, "500 x"},
		{errors.New("x"), "501 5.5.4 Syntax error"},
	} {
		if got := replyOf(c.err).String(); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

func TestLMTPRepliesKeepTheirLines(t *testing.T) {
	err := smtpError(sdk.Reply{Code: 550, Enhanced: "5.7.1", Text: "one\ntwo\r\n250 three\x00"})
	e, ok := err.(*gosmtp.SMTPError)
	if !ok || e.Code != 550 || e.EnhancedCode != (gosmtp.EnhancedCode{5, 7, 1}) || e.Message != "one\ntwo?\n250 three?" {
		t.Errorf("%+v", err)
	}
}

func TestQuotesGoBackOnAtTheLastAt(t *testing.T) {
	for in, want := range map[string]string{
		"a@example.org":                          "a@example.org",
		"a@evil@example.org":                     `"a@evil"@example.org`,
		`a"b\c@example.org`:                      `"a\"b\\c"@example.org`,
		"x> SIZE=9 @example.org":                 `"x> SIZE=9 "@example.org`,
		"a.@example.org":                         `"a."@example.org`,
		"@example.org":                           `""@example.org`,
		"a\r\nb@example.org":                     "",
		"nobody":                                 "",
		"a@exa mple.org":                         "",
		"a@b@":                                   "",
		strings.Repeat("x", 65) + "@example.org": "",
	} {
		a, err := requote(in, false)
		if (err == nil) != (want != "") || err == nil && a.String() != want {
			t.Errorf("%q: %q, %v, want %q", in, a, err, want)
		}
	}
}
