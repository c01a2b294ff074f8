package record

import (
	"fmt"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/sdk"
)

const header = `{"mta_recording":1,"plugin":"p","hashed":false,"bodies":false}` + "\n"

func TestAFixtureMayLeaveOutAlmostEverything(t *testing.T) {
	rec, err := Read(strings.NewReader("\ufeff# a comment\n\n" +
		`{"hook":"rcpt","event":{"recipient":{"addr":"x@example.org"}},"answer":{"action":"reject"}}` + "\r\n" +
		`{"hook":"data","body":"Subject: x\n\nhello\n"}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(rec.Calls) != 2 {
		t.Fatalf("%+v", rec.Calls)
	}
	c := rec.Calls[0]
	e := c.Event.(*sdk.RcptEvent)
	if c.Line != 3 || e.Session == nil || e.Envelope == nil || e.Recipient.Addr != "x@example.org" || c.Answer.(*sdk.Answer).Action != sdk.Reject || c.Told {
		t.Errorf("%+v, %+v", c, e)
	}
	if d := rec.Calls[1]; string(d.body) != "Subject: x\r\n\r\nhello\r\n" || d.Answer != nil {
		t.Errorf("%+v", d)
	}
}

func TestCallsStandInTheOrderInWhichTheyBegan(t *testing.T) {
	rec, err := Read(strings.NewReader(header + `{"n":3,"hook":"mail"}
{"n":1,"hook":"connect"}
{"n":2,"hook":"helo"}
{"hook":"auth"}
{"end":{"calls":4,"dropped":0,"bytes":1,"why":"x"}}
`))
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, c := range rec.Calls {
		order = append(order, c.Hook)
	}
	if got := strings.Join(order, " "); got != "connect helo auth mail" {
		t.Error(got)
	}
	if rec.End == nil || rec.End.Why != "x" {
		t.Error("the end was not read")
	}
}

func TestWhatIsWrongInAFileIsSaidWithItsLine(t *testing.T) {
	for _, tc := range []struct{ file, want string }{
		{"nonsense\n", "line 1: it is not a JSON object"},
		{"[1]\n", "line 1: it is not a JSON object"},
		{header + "null\n", `line 2: no "hook"`},
		{header + `{"hook":"rcpt","event":{"recipient":{"ad`, "line 2: the file is cut off in the middle"},
		{header + `{"hook":"rcpt","event":{"recipient":{"ad` + "\n{}", "line 2: it is not a JSON object"},
		{`{"mta_recording":2}`, "line 1: this is a recording of version 2"},
		{`{"mta_recording":1,"nonsense":1}`, `line 1: unknown field "nonsense"`},
		{header + header, "line 2: a second header"},
		{header + "{}\n", `line 2: no "hook"`},
		{header + `{"hook":"rctp"}`, `line 2: there is no hook "rctp"; there are: connect`},
		{header + `{"hook":"rcpt","evnt":{}}`, `line 2: unknown field "evnt"`},
		{header + `{"hook":"rcpt","event":{"recipent":{}}}`, `line 2: event: unknown field "recipent"`},
		{header + `{"hook":"rcpt","event":{}} {}`, "line 2: it is not a JSON object"},
		{header + `{"hook":"rcpt","answer":{"action":"rejekt"}}`, `line 2: answer: sdk: there is no "rejekt"`},
		{header + `{"hook":"rcpt","answer":{},"error":"x"}`, "line 2: both"},
		{header + `{"hook":"rcpt","calls":[{"call":"kv_got"}]}`, `line 2: calls: number 1: there is no call "kv_got"`},
		{header + `{"hook":"rcpt","calls":[{"call":"now"},{"call":"kv_get","request":{"k":1}}]}`, "line 2: calls: number 2: request of kv_get"},
		{header + `{"hook":"rcpt","calls":[{"call":"kv_get","result":{"k":1}}]}`, "line 2: calls: number 1: result of kv_get"},
		{header + `{"hook":"rcpt","calls":[{"call":"kv_get","code":"bad luck"}]}`, `line 2: calls: number 1: there is no code "bad luck"`},
		{header + `{"end":{"calls":0,"dropped":0,"bytes":0,"why":""}}` + "\n" + `{"hook":"rcpt"}`, "line 3: there is more behind the end"},
		{header + strings.Repeat("x", maxLine+1), "line 2: it is longer than 16 MiB"},
	} {
		_, err := Read(strings.NewReader(tc.file))
		if err == nil || !strings.HasPrefix(err.Error(), "record: "+tc.want) {
			t.Errorf("%.100q: %v; want %s", tc.file, err, tc.want)
		}
	}
}

func FuzzReadNeverPanics(f *testing.F) {
	f.Add([]byte(header + `{"n":1,"hook":"rcpt","event":{"recipient":{"addr":"a@b"}},"calls":[{"call":"kv_get","request":{"key":"a"},"result":{"found":true}}],"answer":{}}`))
	for _, r := range rows() {
		f.Add(fmt.Appendf(nil, `{"hook":%q,"event":{},"answer":{},"body":"x"}`, r.name))
	}
	f.Add([]byte(`{"hook":"data","body64":"AA==","error":"x","withheld":["y"]}`))
	f.Add([]byte(`{"hook":"rcpt","calls":[{"call":"lookup","code":"temporary","text":"t","name":"n"},{"call":"now","result":{"time":"2026-01-02T15:04:05Z"}}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := Read(strings.NewReader(string(b)))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "record: line ") {
				t.Error(err)
			}
			return
		}
		for i := range rec.Calls {
			c := &rec.Calls[i]
			if c.Event == nil || c.Line == 0 {
				t.Errorf("%+v", c)
			}
			_ = short(c.Event)
		}
	})
}
