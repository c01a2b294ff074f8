package footer_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/examples/footer"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestStories(t *testing.T) { plugintest.Run(t, footer.New) }

const config = `{"footers": [{"domains": ["example.org"], "text": "-- \nGrüße from example.org\n> all of us"}]}`

func start(t testing.TB, config string) sdk.DataHook {
	t.Helper()
	p := footer.New()
	if err := p.Start(context.Background(), plugintest.NewHost(), []byte(config)); err != nil {
		t.Fatal(err)
	}
	return p.(sdk.DataHook)
}

func ask(t testing.TB, p sdk.DataHook, text string) sdk.Answer {
	t.Helper()
	a, err := p.OnData(context.Background(), &sdk.DataEvent{Session: plugintest.Session(),
		Envelope: plugintest.Envelope("ann@example.org", "bob@example.net"), Message: plugintest.Message(text)})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// apply carries out edits as the relay does, on messages whose fields have one line.
func apply(message string, edits []sdk.Edit) string {
	header, body, _ := strings.Cut(message, "\r\n\r\n")
	fields := strings.SplitAfter(strings.ReplaceAll(header, "\r\n ", "")+"\r\n", "\r\n")
	fields = fields[:len(fields)-1]
	find := func(name string) int {
		for i, f := range fields {
			if n, _, _ := strings.Cut(f, ":"); strings.EqualFold(n, name) {
				return i
			}
		}
		return -1
	}
	for _, e := range edits {
		i := find(e.Name)
		switch {
		case e.Op == sdk.OpReplaceBody:
			body = string(e.Data)
		case e.Op == sdk.OpRemoveHeader && i >= 0:
			fields = append(fields[:i], fields[i+1:]...)
		case e.Op == sdk.OpReplaceHeader && i >= 0:
			fields[i] = e.Name + ": " + e.Value + "\r\n"
		case e.Op == sdk.OpReplaceHeader || e.Op == sdk.OpAppendHeader:
			fields = append(fields, e.Name+": "+e.Value+"\r\n")
		}
	}
	return strings.Join(fields, "") + "\r\n" + body
}

// messages are by their names, LF for CRLF; "left: why" and "wrapped" in the
// first line is what must become of them.
func messages(t testing.TB) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/messages/*.eml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d messages, %v", len(files), err)
	}
	all := map[string]string{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(f), ".eml")] = string(b)
	}
	all["iso-8859-1-8bit"] = "Subject: a\nMIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\ncaf\xe9\n"
	all["html-iso-8859-1-8bit"] = "Subject: a\nMIME-Version: 1.0\nContent-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\n<p>caf\xe9</p>\n</BODY></html>\n"
	all["wrapped-8bit-of-no-charset"] = "Subject: a\nContent-Type: text/plain\nMIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\n\ncaf\xe9\n"
	long := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("A line of text that goes on.\r\n"), 200))
	all["base64-long"] = "Subject: a\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n" + long + "\n"
	return all
}

func TestAFooterChangesTheTextsAndNothingElse(t *testing.T) {
	p := start(t, config)
	dir := t.TempDir()
	var list strings.Builder
	for name, text := range messages(t) {
		left, mustStay := strings.CutPrefix(name, "left-")
		a := ask(t, p, text)
		switch {
		case mustStay && (len(a.Edits) != 0 || !strings.HasPrefix(a.Reason, "no footer: ")):
			t.Errorf("%s was changed: %q", left, a.Reason)
		case !mustStay && len(a.Edits) == 0:
			t.Errorf("%s has no footer: %s", name, a.Reason)
		}
		if mustStay || len(a.Edits) == 0 {
			continue
		}
		before := strings.ReplaceAll(text, "\n", "\r\n")
		after := apply(before, a.Edits)
		if again := ask(t, p, strings.ReplaceAll(after, "\r\n", "\n")); len(again.Edits) != 0 {
			t.Errorf("%s got a second footer", name)
		}
		for _, line := range strings.Split(after, "\r\n") {
			if len(line) > 998 {
				t.Errorf("%s has a line of %d octets", name, len(line))
			}
		}
		how := "added"
		if strings.HasPrefix(name, "wrapped-") {
			how = "wrapped"
		}
		for file, content := range map[string]string{"before": before, "after": after} {
			if err := os.WriteFile(filepath.Join(dir, name+"."+file), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		list.WriteString(strings.Join([]string{name, filepath.Join(dir, name+".before"), filepath.Join(dir, name+".after"), how}, "\t") + "\n")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("python3 is not installed: its email module would compare the messages")
	}
	cmd := exec.Command(python, "testdata/compare.py")
	cmd.Stdin = strings.NewReader(list.String())
	out, err := cmd.CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("Python's email module (%v):\n%s", err, out)
	}
}

func TestAFooterInASCIIFitsEveryEncoding(t *testing.T) {
	p := start(t, `{"footers": [{"domains": ["example.org"], "text": "Company Ltd, 1 Street"}]}`)
	for name, text := range messages(t) {
		if strings.HasPrefix(name, "left-") {
			continue
		}
		a := ask(t, p, text)
		if len(a.Edits) == 0 {
			t.Errorf("%s has no footer: %s", name, a.Reason)
		}
	}
}

func TestHostileMessagesAreLeftAloneSoon(t *testing.T) {
	p := start(t, config)
	deep := "Content-Type: multipart/mixed; boundary=b0\n\n"
	for i := range 40 {
		deep += "--b" + string(rune('0'+i)) + "\nContent-Type: multipart/mixed; boundary=b" + string(rune('1'+i)) + "\n\n"
	}
	for name, text := range map[string]string{
		"deep":                   deep,
		"many parts":             "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\n\n", 20000) + "--b--\n",
		"folds":                  "Content-Type: text/plain\nX: y\n" + strings.Repeat(" y\n", 60000) + "Foo Bar: z\n\nx\n",
		"no header":              strings.Repeat("a\n", 1000),
		"boundary of its parent": "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b\n\n--b--\n",
	} {
		if a := ask(t, p, text); len(a.Edits) != 0 {
			t.Errorf("%s: was changed", name)
		}
	}
}

func FuzzMessages(f *testing.F) {
	for _, text := range messages(f) {
		f.Add(text)
	}
	p := start(f, config)
	f.Fuzz(func(t *testing.T, text string) {
		a := ask(t, p, text)
		for _, e := range a.Edits {
			if e.Op == sdk.OpReplaceBody && bytes.Contains(bytes.ReplaceAll(e.Data, []byte("\r\n"), nil), []byte("\n")) && !strings.Contains(text, "\r") {
				t.Errorf("a bare LF: %q", e.Data)
			}
			if e.Op != sdk.OpReplaceBody && strings.ContainsAny(e.Name+e.Value, "\r\n\x00") {
				t.Errorf("a field that is none: %q: %q", e.Name, e.Value)
			}
		}
		if _, err := json.Marshal(a); err != nil {
			t.Error(err)
		}
	})
}
