package sdk_test

import (
	"context"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/programmable-mta/mta/sdk"
)

// nothing is a plugin without hooks; the others add one hook each.
type nothing struct{}

func (nothing) Start(context.Context, sdk.Host, []byte) error { return nil }
func (nothing) Close() error                                  { return nil }

type told struct {
	nothing
	err error
}

func (p told) OnDisconnect(context.Context, *sdk.DisconnectEvent) error { return p.err }

func TestTheHookTableAgreesWithTheHandlersAndTheInterfaces(t *testing.T) {
	fields := reflect.TypeFor[sdk.Handlers]()
	hooks := sdk.Hooks()
	if len(hooks) != fields.NumField() {
		t.Fatalf("%d rows in the table, %d fields in Handlers", len(hooks), fields.NumField())
	}
	for i, h := range hooks {
		f := fields.Field(i)
		if strings.ToLower(f.Name) != h.Name {
			t.Errorf("row %d is %s, field %d of Handlers is %s", i, h.Name, i, f.Name)
			continue
		}
		var hs sdk.Handlers
		if h.Implemented(&hs) {
			t.Errorf("%s: implemented by nothing", h.Name)
		}
		reflect.ValueOf(&hs).Elem().Field(i).Set(reflect.MakeFunc(f.Type, nil))
		for _, other := range hooks {
			if other.Implemented(&hs) != (other.Name == h.Name) {
				t.Errorf("%s: row %s looks at another field", h.Name, other.Name)
			}
		}
		h.Remove(&hs)
		if h.Implemented(&hs) {
			t.Errorf("%s: still there when removed", h.Name)
		}
		if h.When == "" || h.Queue && h.Reports {
			t.Errorf("%s: %+v", h.Name, h)
		}
		if slices.Contains(h.Actions, sdk.Continue) {
			t.Errorf("%s: continue goes without saying", h.Name)
		}
	}
}

func TestLocalFindsTheHooksThatAPluginHas(t *testing.T) {
	none := sdk.Local(nothing{})
	one := sdk.Local(told{err: io.EOF})
	for _, h := range sdk.Hooks() {
		if h.Implemented(&none) {
			t.Errorf("a plugin without hooks has %s", h.Name)
		}
		if h.Implemented(&one) != (h.Name == "disconnect") {
			t.Errorf("a plugin with disconnect: %s is %v", h.Name, h.Implemented(&one))
		}
	}
	if _, err := one.Disconnect(t.Context(), &sdk.DisconnectEvent{}); err != io.EOF {
		t.Errorf("the error of a disconnect hook became %v", err)
	}
}

func TestNamesAreReadAsTheyAreWritten(t *testing.T) {
	for a := sdk.Continue; a <= sdk.Hold; a++ {
		if got, ok := sdk.ParseAction(a.String()); !ok || got != a {
			t.Errorf("%s becomes %s", a, got)
		}
	}
	if a, ok := sdk.ParseAction("explode"); ok {
		t.Errorf("explode is %s", a)
	}
	for _, tc := range []struct{ got, want string }{
		{sdk.Action(99).String(), "action(99)"},
		{sdk.OpReplaceBody.String(), "replace-body"}, {sdk.Op(0).String(), "op(0)"}, {sdk.Op(99).String(), "op(99)"},
		{sdk.RouteHold.String(), "hold"}, {sdk.RouteAction(99).String(), "route(99)"},
		{sdk.StatusFailed.String(), "failed"}, {sdk.Status(99).String(), "status(99)"},
		{sdk.DSNDelayed.String(), "delayed"}, {sdk.DSNFailed.String(), "failed"}, {sdk.DSNSuccess.String(), "success"}, {sdk.DSNKind(0).String(), "none"},
		{(sdk.NotifySuccess | sdk.NotifyFailure).String(), "SUCCESS,FAILURE"}, {sdk.Notify(0).String(), ""}, {sdk.NotifyNever.String(), "NEVER"},
		{sdk.Reply{Code: 550, Enhanced: "5.1.1", Text: "no\nuser"}.String(), "550 5.1.1 no user"}, {sdk.Reply{}.String(), ""},
		{(&sdk.DNSError{Name: "x.example", Text: "SERVFAIL"}).Error(), "dns: x.example: SERVFAIL"},
	} {
		if tc.got != tc.want {
			t.Errorf("%q, want %q", tc.got, tc.want)
		}
	}
}

func TestShortAnswersAreWhatTheySay(t *testing.T) {
	for _, tc := range []struct {
		got    sdk.Answer
		action sdk.Action
		reply  sdk.Reply
		edits  int
	}{
		{sdk.Accepted(), sdk.Accept, sdk.Reply{}, 0},
		{sdk.Rejected("5.1.1", "no"), sdk.Reject, sdk.Reply{Enhanced: "5.1.1", Text: "no"}, 0},
		{sdk.Deferred("", "later"), sdk.Defer, sdk.Reply{Text: "later"}, 0},
		{sdk.Noted("k", "v"), sdk.Continue, sdk.Reply{}, 1},
	} {
		if tc.got.Action != tc.action || tc.got.Reply != tc.reply || len(tc.got.Edits) != tc.edits {
			t.Errorf("%+v", tc.got)
		}
	}
}

func TestAConfigurationIsDecodedStrictly(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{`{}`, ""},
		{`{"limit": 7}`, ""},
		{"{\"limit\": 7}\n", ""},
		{`{"limti": 7}`, `"limti"`},
		{`{"limit": "7"}`, "limit"},
		{`{"limit": 7} {"limit": 8}`, "more than one"},
		{`{"limit": 7} x`, "more than one"},
		{``, "EOF"},
	} {
		c := struct {
			Limit int `json:"limit"`
		}{5}
		err := sdk.DecodeConfig([]byte(tc.in), &c)
		if tc.want == "" && (err != nil || c.Limit != 7 && tc.in != "{}" || c.Limit == 0) {
			t.Errorf("%q: %+v, %v", tc.in, c, err)
		}
		if tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%q: %v does not say %s", tc.in, err, tc.want)
		}
	}
}

func TestAddressesAreTakenApartAtTheLastAt(t *testing.T) {
	for _, tc := range []struct{ in, local, domain string }{
		{"a@example.org", "a", "example.org"},
		{`"a@b"@example.org`, `"a@b"`, "example.org"},
		{"postmaster", "postmaster", ""},
		{"", "", ""},
	} {
		if l, d := sdk.LocalPart(tc.in), sdk.Domain(tc.in); l != tc.local || d != tc.domain {
			t.Errorf("%q: %q and %q", tc.in, l, d)
		}
	}
}

// body is a Body in memory.
type body struct{ *strings.Reader }

func (body) Close() error { return nil }

func message(text string) sdk.Message {
	return sdk.NewMessage("id", int64(len(text)), func() (sdk.Body, error) { return body{strings.NewReader(text)}, nil })
}

func TestAHeaderIsReadWithoutItsBody(t *testing.T) {
	h, err := message("Subject: one\r\n two\r\nX-A : 1\r\nno field\r\nx-a:2\r\n\r\nSubject: body\r\n").Header()
	if err != nil {
		t.Fatal(err)
	}
	if h.Get("subject") != "one two" || !slices.Equal(h.Values("X-A"), []string{"1", "2"}) || h.Get("X-B") != "" || len(h) != 4 {
		t.Errorf("%q", h)
	}
	var raw string
	for _, f := range h {
		raw += f.Raw
	}
	if raw != "Subject: one\r\n two\r\nX-A : 1\r\nno field\r\nx-a:2\r\n" {
		t.Errorf("raw %q", raw)
	}
	for in, fields := range map[string]int{"": 0, "\r\n": 0, "A: a": 1, " a\r\nB: b\r\n": 2} {
		if h, err := sdk.ReadHeader(strings.NewReader(in)); err != nil || len(h) != fields {
			t.Errorf("%q: %q, %v", in, h, err)
		}
	}
}

func TestAHeaderThatCannotBeReadIsAnError(t *testing.T) {
	if _, err := message("A: " + strings.Repeat("x", sdk.MaxHeader)).Header(); err != sdk.ErrHeaderTooLong {
		t.Errorf("too long: %v", err)
	}
	broken := errors.New("disk on fire")
	if _, err := sdk.ReadHeader(io.MultiReader(strings.NewReader("A: a\r\nB"), iotest.ErrReader(broken))); err != broken {
		t.Errorf("broken: %v", err)
	}
	if _, err := sdk.ReadHeader(iotest.ErrReader(broken)); err != broken {
		t.Errorf("broken at once: %v", err)
	}
	if _, err := (sdk.Message{}).Header(); err == nil {
		t.Error("a message without content has a header")
	}
	closed := sdk.NewMessage("id", 1, func() (sdk.Body, error) { return nil, broken })
	if _, err := closed.Header(); err != broken {
		t.Errorf("not to be opened: %v", err)
	}
}
