package quarantine_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/programmable-mta/mta/examples/quarantine"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestStories(t *testing.T) { plugintest.Run(t, quarantine.New) }

func start(t testing.TB, config string) sdk.DataHook {
	t.Helper()
	p := quarantine.New()
	if err := p.Start(context.Background(), plugintest.NewHost(), []byte(config)); err != nil {
		t.Fatal(err)
	}
	return p.(sdk.DataHook)
}

func ask(t testing.TB, p sdk.DataHook, text string) sdk.Answer {
	t.Helper()
	a, err := p.OnData(context.Background(), &sdk.DataEvent{Session: plugintest.Session(),
		Envelope: plugintest.Envelope("a@example.com", "b@example.org"), Message: plugintest.Message(text)})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func attached(fields string) string {
	return "Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHello.\n--b\n" + fields + "\n\nAAAA\n--b--\n"
}

func TestNamesAreFoundInEveryForm(t *testing.T) {
	p := start(t, "{}")
	for _, tc := range []struct{ name, fields, note string }{
		{"disposition", `Content-Disposition: attachment; filename=a.exe`, "a.exe"},
		{"quoted", `Content-Disposition: attachment; filename="a b.EXE"`, "a b.EXE"},
		{"type", `Content-Type: application/octet-stream; name="a.exe"`, "a.exe"},
		{"inline", `Content-Disposition: inline; filename=a.exe`, "a.exe"},
		{"folded", "Content-Disposition: attachment;\n\tfilename=\"a.exe\"", "a.exe"},
		{"folded inside", "Content-Disposition: attachment;\n filename=\"a\n .exe\"", "a .exe"},
		{"both differ", "Content-Type: application/pdf; name=a.pdf\nContent-Disposition: attachment; filename=a.exe", "a.exe"},
		{"two fields", "Content-Disposition: attachment; filename=a.pdf\nContent-Disposition: attachment; filename=a.exe", "a.exe"},
		{"rfc 2231", `Content-Disposition: attachment; filename*=utf-8'en'%61.e%78e`, "a.exe"},
		{"rfc 2231 pieces", "Content-Disposition: attachment; filename*1=\"e.e\";\n filename*0*=utf-8''%C3%BC; filename*2*=%78e", "üe.exe"},
		{"rfc 2231 beside another", `Content-Disposition: attachment; filename=a.pdf; filename*=utf-8''a.exe`, "a.exe"},
		{"rfc 2047", `Content-Disposition: attachment; filename="=?utf-8?B?w7wuZXhl?="`, "ü.exe"},
		{"rfc 2047 Q", `Content-Type: application/x; name="=?iso-8859-1?Q?=FC=2Eexe?="`, "ü.exe"},
		{"rfc 2047 pieces", `Content-Type: application/x; name="=?utf-8?Q?a=2E?= =?utf-8?Q?exe?="`, "a.exe"},
		{"rfc 2047 of an unknown charset", `Content-Type: application/x; name="=?koi9-x?Q?a=2Eexe?="`, "a.exe"},
		{"no closing quote", `Content-Disposition: attachment; filename="a.exe`, "a.exe"},
		{"a word without a value", `Content-Disposition: attachment; x; filename=a.exe`, "a.exe"},
		{"no media type", `Content-Type: ; name=a.exe`, "a.exe"},
		{"blanks around", `Content-Disposition : attachment; filename = "a.exe "`, "a.exe "},
		{"dots behind", `Content-Disposition: attachment; filename="a.exe..."`, "a.exe..."},
		{"a folder", `Content-Disposition: attachment; filename="..\x\a.exe"`, "..xa.exe"},
		{"double", `Content-Disposition: attachment; filename="invoice.pdf.zz"`, "invoice.pdf.zz"},
		{"double with blanks", `Content-Disposition: attachment; filename="invoice.pdf        .zz"`, "invoice.pdf        .zz"},
		{"turned around", "Content-Disposition: attachment; filename*=utf-8''a%E2%80%AEgpj.zz", "a?gpj.zz"},
		{"harmless", `Content-Disposition: attachment; filename=report.pdf`, ""},
		{"archive of a document", `Content-Disposition: attachment; filename=report.pdf.gz`, ""},
		{"numbers", `Content-Disposition: attachment; filename=report.txt.2026`, ""},
		{"version", `Content-Disposition: attachment; filename=report-1.2.exe.pdf`, ""},
		{"no extension", `Content-Disposition: attachment; filename=exe`, ""},
	} {
		a := ask(t, p, attached(tc.fields))
		note := ""
		if len(a.Edits) > 0 {
			note = a.Edits[0].Value
		}
		if (a.Action == sdk.Hold) != (tc.note != "") || note != tc.note {
			t.Errorf("%s: %s %q with the note %q, want %q", tc.name, a.Action, a.Reason, note, tc.note)
		}
	}
}

func zipped(t testing.TB, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, n := range names {
		w, err := z.Create(n)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, strings.Repeat("x", 100))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func lines(b []byte) string {
	s, out := base64.StdEncoding.EncodeToString(b), ""
	for ; len(s) > 76; s = s[76:] {
		out += s[:76] + "\n"
	}
	return out + s + "\n"
}

func TestArchivesAreListed(t *testing.T) {
	bad, good := lines(zipped(t, "readme.txt", "docs/setup.exe")), lines(zipped(t, "readme.txt"))
	header := "Subject: x\nContent-Type: application/%s; name=%s\nContent-Transfer-Encoding: base64\n\n"
	for _, tc := range []struct {
		name, config, text string
		held               bool
	}{
		{"zip", "{}", fmt.Sprintf(header, "zip", "a.zip") + bad, true},
		{"under another name", "{}", fmt.Sprintf(header, "octet-stream", "a.dat") + bad, true},
		{"harmless", "{}", fmt.Sprintf(header, "zip", "a.zip") + good, false},
		{"not asked for", `{"zip": false}`, fmt.Sprintf(header, "zip", "a.zip") + bad, false},
		{"larger than zip_size", `{"zip_size": 100}`, fmt.Sprintf(header, "zip", "a.zip") + bad, false},
		{"broken", "{}", fmt.Sprintf(header, "zip", "a.zip") + bad[:80], false},
	} {
		a := ask(t, start(t, tc.config), tc.text)
		if (a.Action == sdk.Hold) != tc.held {
			t.Errorf("%s: %s %s", tc.name, a.Action, a.Reason)
		}
		if tc.held && !strings.Contains(a.Reason, `"docs/setup.exe" fits *.exe`) {
			t.Errorf("%s: the reason is %s", tc.name, a.Reason)
		}
	}
}

func TestWhatCannotBeLookedIntoIsHeld(t *testing.T) {
	p := start(t, "{}")
	deep, messages := "", ""
	for i := range 12 {
		deep += fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
		messages += "Content-Type: message/rfc822\n\n"
	}
	encoded := "Content-Type: text/plain; name=a.exe\n\n"
	for range 12 {
		encoded = "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + lines([]byte(encoded))
	}
	for name, tc := range map[string]struct{ text, want string }{
		"deep":     {deep + "\nx\n", "nested more than 8 deep"},
		"messages": {messages + "Subject: x\n\nx\n", "nested more than 8 deep"},
		"encoded":  {encoded, "nested more than 8 deep"},
		"parts":    {"Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 1100) + "--b--\n", "more than 1000 parts"},
		"header":   {"Content-Type: multipart/mixed; boundary=b\n\n--b\n" + strings.Repeat("X: y\n", 20000) + "\nx\n--b--\n", "header that is too long"},
		"long":     {strings.Repeat("X: y\n", 300000) + "\nx\n", "header that is too long"},
	} {
		a := ask(t, p, tc.text)
		if a.Action != sdk.Hold || !strings.Contains(a.Reason, tc.want) {
			t.Errorf("%s: %s %s", name, a.Action, a.Reason)
		}
	}
}

func TestPartsCannotHideInEachOther(t *testing.T) {
	p := start(t, "{}")
	const file = "Content-Disposition: attachment; filename=a.exe\n\nx\n"
	for name, text := range map[string]string{
		"an inner multipart without an end": "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\nx\n--o\n" + file + "--o--\n",
		"no end at all":                     "Content-Type: multipart/mixed; boundary=o\n\n--o\n" + file,
		"forwarded":                         "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=i\n\n--i\n" + file + "--i--\n--o--\n",
		"forwarded in base64":               "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + lines([]byte("Content-Type: multipart/mixed; boundary=i\n\n--i\n"+file+"--i--\n")),
		"a quoted boundary":                 "Content-Type: multipart/mixed; boundary=\"o o\"\n\n--o o\n" + file + "--o o--\n",
		"behind a long line":                "Content-Type: multipart/mixed; boundary=o\n\n--o\n\n" + strings.Repeat("x", 200000) + "\n--o\n" + file + "--o--\n",
		"uuencoded":                         "Subject: x\n\nHello.\nbegin 644 a.exe\n#0V%T\n`\nend\n",
		"at the top":                        "Content-Type: application/octet-stream; name=a.exe\n\nx\n",
	} {
		if a := ask(t, p, text); a.Action != sdk.Hold || a.Edits[0].Value != "a.exe" {
			t.Errorf("%s: %s %s", name, a.Action, a.Reason)
		}
	}
}

func FuzzMessages(f *testing.F) {
	f.Add(attached(`Content-Disposition: attachment; filename*0*=utf-8''a; filename*1="b.exe"`))
	f.Add("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + lines([]byte(attached("Content-Type: x; name=\"=?utf-8?Q?a?="))))
	f.Add("Content-Type: application/zip\nContent-Transfer-Encoding: base64\n\n" + lines(zipped(f, "a.exe")))
	p := start(f, "{}")
	f.Fuzz(func(t *testing.T, text string) {
		a := ask(t, p, text)
		for _, e := range a.Edits {
			if !utf8.ValidString(e.Value) || len(e.Value) > 4096 || strings.ContainsAny(e.Value, "\r\n\x00") {
				t.Errorf("a note that cannot be kept: %q", e.Value)
			}
		}
	})
}

func BenchmarkOneMiB(b *testing.B) {
	p := start(b, "{}")
	text := attached("Content-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\n" + lines(make([]byte, 750<<10)))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if a := ask(b, p, text); a.Action != sdk.Continue {
			b.Fatal(a)
		}
	}
}
