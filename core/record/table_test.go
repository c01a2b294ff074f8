package record

import (
	"reflect"
	"testing"

	"github.com/programmable-mta/mta/sdk"
)

func TestEveryHookOfTheTableIsRecorded(t *testing.T) {
	all := rows()
	hooks := sdk.Hooks()
	if len(all) != len(hooks) {
		t.Errorf("%d rows for %d hooks: add a row to rows() in core/record/table.go, and a case to about()", len(all), len(hooks))
	}
	for i := range min(len(all), len(hooks)) {
		if all[i].name != hooks[i].Name {
			t.Errorf("row %d is %s, and the hook is %s", i, all[i].name, hooks[i].Name)
		}
		event := all[i].event()
		complete(event)
		v := reflect.ValueOf(event).Elem()
		session, env, message := about(event)
		for name, got := range map[string]bool{"Session": session != nil, "Envelope": env != nil, "Message": message != nil} {
			if want := v.FieldByName(name).IsValid(); got != want {
				t.Errorf("%s: about() finds its %s: %v; it has one: %v", all[i].name, name, got, want)
			}
		}
	}
}

func TestEveryCallOfTheTableHasItsTypes(t *testing.T) {
	for _, c := range sdk.Calls() {
		_, ok := shapeOfCall(c.Name)
		if fromMessage := c.Name == "read" || c.Name == "header"; ok == fromMessage {
			t.Errorf("%s: it has types: %v; add it to shapeOfCall in core/record/format.go, and to the hosts of tap and replay", c.Name, ok)
		}
	}
	if _, ok := shapeOfCall("nonsense"); ok {
		t.Error("a call that is none has types")
	}
}

func TestEveryCodeHasAName(t *testing.T) {
	for c := sdk.CallOK; c <= sdk.CallNotAllowed; c++ {
		if got, ok := codeOf(c.String()); !ok || got != c {
			t.Errorf("%d: %v, %v", c, got, ok)
		}
	}
	if (sdk.CallNotAllowed + 1).String() != "unknown" {
		t.Error("there are more codes: codeOf ends too early")
	}
}

func TestACloneSharesNothing(t *testing.T) {
	e := &sdk.DeliverEvent{
		Envelope:   &sdk.Envelope{ID: "Q1", Recipients: []sdk.Recipient{{Addr: "a@x"}}, Notes: sdk.Notes{"p.k": "v"}},
		Message:    sdk.NewMessage("Q1", 5, func() (sdk.Body, error) { panic("opened") }),
		Recipients: []sdk.Recipient{{Addr: "a@x"}}, Route: sdk.Route{Hosts: []string{"h"}},
	}
	c := clone(e)
	e.Envelope.ID, e.Envelope.Recipients[0].Addr, e.Envelope.Notes["p.k"] = "-", "-", "-"
	e.Recipients[0].Addr, e.Route.Hosts[0] = "-", "-"
	if c.Envelope.ID != "Q1" || c.Envelope.Recipients[0].Addr != "a@x" || c.Envelope.Notes["p.k"] != "v" || c.Recipients[0].Addr != "a@x" || c.Route.Hosts[0] != "h" {
		t.Errorf("%+v", c)
	}
	if c.Message.ID != "Q1" || c.Message.Size != 5 {
		t.Errorf("%+v", c.Message)
	}
	if _, err := c.Message.Open(); err == nil {
		t.Error("the content can still be opened")
	}
}

func FuzzEveryStringComesBackAsItWas(f *testing.F) {
	for _, s := range []string{"", "plain", "\xff\x00", "a\xc3", "\U0010ff41", "é\xf4\x8f\xbd\x81", "\xf4"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := &sdk.LogCall{Text: s}
		b, err := marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back sdk.LogCall
		if err := value(b, &back); err != nil || back.Text != s {
			t.Errorf("%q became %q by way of %s (%v)", s, back.Text, b, err)
		}
	})
}

func FuzzEveryContentComesBackAsItWas(f *testing.F) {
	for _, s := range []string{"x", "a\nb", "a\r\nb", "\xff", "a\r"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		var l line
		l.setBody(b)
		text, err := encode(&l)
		if err != nil {
			t.Fatal(err)
		}
		var back line
		if err := strict(text, &back); err != nil {
			t.Fatal(err)
		}
		if got, ok := back.content(); !ok || string(got) != string(b) {
			t.Errorf("%q became %q", b, got)
		}
	})
}
