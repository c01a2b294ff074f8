package plugintest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/sdk"
)

// asker answers rcpt with what its store and a URL say, and counts.
type asker struct{ host sdk.Host }

func (p *asker) Start(_ context.Context, h sdk.Host, _ []byte) error { p.host = h; return nil }
func (p *asker) Close() error                                        { return nil }

func (p *asker) OnRcpt(ctx context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
	p.host.Count(ctx, "asked", 1)
	known, _, err := p.host.KV().Get(ctx, e.Recipient.Addr)
	if err != nil {
		return sdk.Answer{}, err
	}
	r, err := p.host.HTTP(ctx, &sdk.HTTPRequest{URL: "https://api.example.net/?a=b", Body: []byte(e.Recipient.Addr)})
	if err != nil {
		return sdk.Deferred("4.4.1", err.Error()), nil
	}
	header := ""
	for _, f := range r.Header {
		header += f.Name + ":" + f.Value
	}
	return sdk.Rejected("5.1.1", string(known)+"/"+string(r.Body)+"/"+header), nil
}

func TestAStorySetsWhatTheHostAnswers(t *testing.T) {
	const story = `
-- story --
kv ann@example.org likes cats ttl=1m
http GET "https://api.example.net/?a=b" 200 yes, sure header.X-A=b
http GET "https://api.example.net/?a=b" "!no route"
fuel 5
rcpt ann@example.org
    reject 5.1.1 likes cats/yes, sure/X-A:b
clock +1m
metric asked 1
rcpt ann@example.org
    defer 4.4.1 http: temporary: no route
requests
    GET https://api.example.net/?a=b ann@example.org
    GET https://api.example.net/?a=b ann@example.org
metric asked 2
`
	s, err := ParseStory("s.txtar", story)
	if err != nil {
		t.Fatal(err)
	}
	load := Native(func() sdk.Plugin { return &asker{} })
	meter := func(n int64) Meter {
		return func(ctx context.Context) (context.Context, func() int64) { return ctx, func() int64 { return n } }
	}
	for _, tc := range []struct {
		name  string
		tell  Telling
		wrong string
	}{
		{"fuel is not known", Telling{}, ""},
		{"fuel is enough", Telling{Meter: meter(5), Ceiling: 1}, ""},
		{"too much is burnt", Telling{Meter: meter(6)}, "burnt 6 units of fuel, more than the 5 of its ceiling"},
	} {
		err := s.PlayWith(t.Context(), load, tc.tell)
		if (err == nil) != (tc.wrong == "") || err != nil && !strings.Contains(err.Error(), tc.wrong) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.wrong)
		}
	}
}

func TestTheCeilingOfTheCommandLineHoldsWhereAStoryHasNone(t *testing.T) {
	s, err := ParseStory("s.txtar", "-- story --\nrcpt a@example.org\n    reject 5.1.1 //\n")
	if err != nil {
		t.Fatal(err)
	}
	meter := func(ctx context.Context) (context.Context, func() int64) { return ctx, func() int64 { return 9 } }
	err = s.PlayWith(t.Context(), Native(func() sdk.Plugin { return &asker{} }), Telling{Meter: meter, Ceiling: 8})
	if err == nil || !strings.Contains(err.Error(), "burnt 9") {
		t.Errorf("9 units with a ceiling of 8 give %v", err)
	}
}

func TestASettingThatMakesNoSenseIsNamed(t *testing.T) {
	for line, want := range map[string]string{
		"http GET":                      "want http GET",
		"http GET https://x/ 42":        `status "42"`,
		"kv k v ttl=soon":               "invalid duration",
		"metric asked":                  "want metric NAME NUMBER",
		"metric asked 3":                "metric asked is 0, expected 3",
		"fuel much":                     "want fuel UNITS",
		"fuel 3 4":                      "too many words",
		`kv "" v`:                       "1 to 512 octets",
		"http GET https://x/ 200 c=d a": "unknown word c=",
	} {
		s, err := ParseStory("s.txtar", "-- story --\n"+line+"\n")
		if err != nil {
			t.Fatal(err)
		}
		err = s.Play(t.Context(), Native(func() sdk.Plugin { return &asker{} }), "")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}

func TestAStoryNamesTheGrantsOfItsPlugin(t *testing.T) {
	const rest = "-- story --\nrcpt a@example.org\n    continue\n"
	for text, want := range map[string]string{
		rest:                                "[]",
		"-- allow --\nkv dns\n" + rest:      "[kv dns]",
		"-- allow --\n" + rest:              "[]",
		"-- allow --\nkv all\n" + rest:      `s.txtar:2: there is no grant "all"`,
		"-- allow --\n-- allow --\n" + rest: `section "allow" is there twice`,
	} {
		s, err := ParseStory("s.txtar", text)
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprint(s.Allow)
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q gives %s, want %s", text, got, want)
		}
		if err == nil && (s.Allow == nil) != !strings.Contains(text, "allow") {
			t.Errorf("%q: nil stands for all, and it is %#v", text, s.Allow)
		}
	}
}
