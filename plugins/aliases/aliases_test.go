package aliases_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/plugins/aliases"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestStories(t *testing.T) { plugintest.Run(t, aliases.New) }

func start(t testing.TB, h *plugintest.Host, config string) sdk.RcptHook {
	t.Helper()
	p := aliases.New()
	if err := p.Start(t.Context(), h, []byte(config)); err != nil {
		t.Fatal(err)
	}
	return p.(sdk.RcptHook)
}

func ask(t testing.TB, p sdk.RcptHook, rcpt string) (sdk.Answer, string) {
	t.Helper()
	a, err := p.OnRcpt(t.Context(), &sdk.RcptEvent{Session: plugintest.Session(), Envelope: plugintest.Envelope("a@b"), Recipient: sdk.Recipient{Addr: rcpt}})
	if err != nil {
		t.Fatal(err)
	}
	var to []string
	for _, e := range a.Edits {
		if e.Op != sdk.OpReplaceRecipient || e.Name != rcpt {
			t.Errorf("unexpected edit %+v", e)
		}
		to = append(to, e.Value)
	}
	return a, strings.Join(to, " ")
}

func TestALoopIsRefusedAtEveryLength(t *testing.T) {
	for _, n := range []int{2, 3, 9} {
		var parts []string
		for i := range n {
			parts = append(parts, fmt.Sprintf(`"u%d@x": ["u%d@x"]`, i, (i+1)%n))
		}
		p := start(t, plugintest.NewHost(), `{"aliases": {`+strings.Join(parts, ",")+`}}`)
		a, _ := ask(t, p, "u0@x")
		if a.Action != sdk.Reject || a.Reply.Code != 550 || a.Reply.Enhanced != "5.4.6" || len(a.Edits) != 0 {
			t.Errorf("loop of %d: %v %v", n, a.Action, a.Reply)
		}
		if !strings.Contains(a.Reason, "u0@x -> u1@x") {
			t.Errorf("the log does not tell the way: %q", a.Reason)
		}
	}
}

func TestTenStepsAreFollowedAndElevenAreTakenForALoop(t *testing.T) {
	var parts []string
	for i := range 11 {
		parts = append(parts, fmt.Sprintf(`"u%d@x": ["u%d@x"]`, i, i+1))
	}
	p := start(t, plugintest.NewHost(), `{"aliases": {`+strings.Join(parts, ",")+`}}`)
	if _, to := ask(t, p, "u1@x"); to != "u11@x" {
		t.Errorf("ten steps lead to %q", to)
	}
	if a, _ := ask(t, p, "u0@x"); a.Action != sdk.Reject {
		t.Errorf("eleven steps: %v", a.Action)
	}
}

func TestAnExpansionIsBoundedWhateverTheTableSays(t *testing.T) {
	// Each name becomes ten others, six levels deep: a million without a bound.
	var parts []string
	for level := range 6 {
		for i := range 10 {
			var to []string
			for j := range 10 {
				to = append(to, fmt.Sprintf(`"l%d.%d@x"`, level+1, j))
			}
			parts = append(parts, fmt.Sprintf(`"l%d.%d@x": [%s]`, level, i, strings.Join(to, ",")))
		}
	}
	p := start(t, plugintest.NewHost(), `{"aliases": {`+strings.Join(parts, ",")+`}}`)
	if a, to := ask(t, p, "l0.0@x"); a.Action != sdk.Continue || len(strings.Fields(to)) != 10 {
		t.Errorf("%v %q; want the ten addresses at the end, each once", a.Action, to)
	}

	var many []string
	for i := range 1001 {
		many = append(many, fmt.Sprintf(`"m%d@x"`, i))
	}
	p = start(t, plugintest.NewHost(), `{"aliases": {"all@x": [`+strings.Join(many, ",")+`], "some@x": [`+strings.Join(many[:999], ",")+`]}}`)
	if a, _ := ask(t, p, "all@x"); a.Action != sdk.Defer || a.Reply.Code != 451 || a.Reply.Enhanced != "4.3.5" {
		t.Errorf("1001 addresses: %v %v", a.Action, a.Reply)
	}
	if _, to := ask(t, p, "some@x"); len(strings.Fields(to)) != 999 {
		t.Errorf("999 addresses became %d", len(strings.Fields(to)))
	}
}

func TestAChangedFileIsReadAgainAndABrokenOneIsNot(t *testing.T) {
	h := plugintest.NewHost()
	path := filepath.Join(t.TempDir(), "aliases")
	write := func(text string) {
		t.Helper()
		tmp := path + ".new" // as editors do: another file under the same name
		if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, path); err != nil {
			t.Fatal(err)
		}
	}
	write("u@x: one@x\n")
	p := start(t, h, `{"file": "`+path+`", "aliases": {"static@x": ["s@x"]}}`)
	expect := func(rcpt, want string) {
		t.Helper()
		if _, to := ask(t, p, rcpt); to != want {
			t.Errorf("%s became %q, want %q", rcpt, to, want)
		}
	}
	expect("u@x", "one@x")
	write("u@x: two@x\n")
	expect("u@x", "one@x") // looked at once a second
	h.Advance(time.Second)
	expect("u@x", "two@x")
	expect("static@x", "s@x")

	write("u@x: |command\n")
	h.Advance(time.Second)
	expect("u@x", "two@x")
	h.Advance(time.Second)
	expect("u@x", "two@x")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	h.Advance(time.Second)
	expect("u@x", "two@x")
	h.Advance(time.Second)
	expect("u@x", "two@x")
	errs := 0
	for _, l := range h.Logs() {
		if strings.Contains(l.Text, "last good content") {
			errs++
		}
	}
	if errs != 2 {
		t.Errorf("%d complaints, want one for each change: %v", errs, h.Logs())
	}
	write("u@x: three@x\n")
	h.Advance(time.Second)
	expect("u@x", "three@x")
}

func TestAMistakeInTheConfigurationIsNamed(t *testing.T) {
	dir := t.TempDir()
	for i, tt := range []struct{ config, file, want string }{
		{`{"aliases": {"": ["a@x"]}}`, "", `alias ""`},
		{`{"aliases": {"@": ["a@x"]}}`, "", `alias "@"`},
		{`{"aliases": {"a@x": []}}`, "", "no address"},
		{`{"aliases": {"a@x": [""]}}`, "", `"" is no address`},
		{`{"aliases": {"a@x": ["b@"]}}`, "", `"b@" is no address`},
		{`{"aliases": {"a@x": ["<b@x>"]}}`, "", "is no address"},
		{`{"aliases": {"a@x": ["b@x c@x"]}}`, "", "has a space"},
		{`{"aliases": {"a@x": ["b@x"], "A@X": ["c@x"]}}`, "", "twice"},
		{`{"aliases": {"a@x": "b@x"}}`, "", "aliases"},
		{`{"domains": ["*"]}`, "", `domain "*"`},
		{`{"file": "/nonexistent/aliases"}`, "", "/nonexistent/aliases"},
		{`{"file": "$"}`, "a b c\n", ":1: write"},
		{`{"file": "$"}`, "# x\n\nu: a@x\nb: |cmd\n", `:4: alias "b"`},
		{`{"file": "$"}`, "u: a@x,\n b: c\n", `:1: alias "u"`},
		{`{"file": "$"}`, "u: /var/mail/u\n", "not supported"},
		{`{"file": "$"}`, "u: :include:/etc/list\n", "not supported"},
		{`{"file": "$"}`, "u: \n", "no address"},
		{`{"file": "$", "aliases": {"u": ["a@x"]}}`, "U: b@x\n", "twice"},
	} {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
			t.Fatal(err)
		}
		err := aliases.New().Start(t.Context(), plugintest.NewHost(), []byte(strings.ReplaceAll(tt.config, "$", path)))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %q: got %v, want it to say %s", tt.config, tt.file, err, tt.want)
		}
	}
}

func FuzzAnAliasFileNeverBreaksTheRelay(f *testing.F) {
	f.Add("a: b, c@x\n d\n# x\n\"q:,\"@y: z\n@x: @y\n", "a@x")
	f.Add("a: a\nb: a, b\n", "b+c@x")
	f.Fuzz(func(t *testing.T, text, rcpt string) {
		path := filepath.Join(t.TempDir(), "aliases")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p := aliases.New()
		if p.Start(t.Context(), plugintest.NewHost(), []byte(`{"domains": ["x"], "file": "`+path+`"}`)) != nil {
			return
		}
		a, err := p.(sdk.RcptHook).OnRcpt(t.Context(), &sdk.RcptEvent{Recipient: sdk.Recipient{Addr: rcpt}})
		if err != nil || len(a.Edits) > 1000+len(text) {
			t.Errorf("%d edits, %v", len(a.Edits), err)
		}
		for _, e := range a.Edits {
			if e.Value == "" || strings.ContainsAny(e.Value, "\r\n") && !strings.ContainsAny(rcpt, "\r\n") {
				t.Errorf("replaced by %q", e.Value)
			}
		}
	})
}

func BenchmarkAnAddressWithoutAlias(b *testing.B) {
	p := start(b, plugintest.NewHost(), `{"aliases": {"sales@example.org": ["a@example.org"]}, "domains": ["example.org"]}`)
	e := &sdk.RcptEvent{Recipient: sdk.Recipient{Addr: "user@example.org"}}
	b.ReportAllocs()
	for b.Loop() {
		if a, _ := p.OnRcpt(b.Context(), e); a.Edits != nil {
			b.Fatal(a)
		}
	}
}
