package smtp

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/sdk"
)

func TestReplies(t *testing.T) {
	for _, c := range []struct {
		in   sdk.Reply
		want string
	}{
		{sdk.Reply{Code: 250, Enhanced: "2.0.0", Text: "queued as 1"}, "250 2.0.0 queued as 1\r\n"},
		{sdk.Reply{Code: 220, Text: "mx.example.org ESMTP"}, "220 mx.example.org ESMTP\r\n"},
		{sdk.Reply{Code: 250, Text: "mx\nPIPELINING\nSIZE 10"}, "250-mx\r\n250-PIPELINING\r\n250 SIZE 10\r\n"},
		{sdk.Reply{Code: 550, Enhanced: "5.7.1", Text: "no\nnever"}, "550-5.7.1 no\r\n550 5.7.1 never\r\n"},
		{sdk.Reply{Code: 550, Enhanced: "5.7.1", Text: "no\r\nnever\r\n"}, "550-5.7.1 no\r\n550 5.7.1 never\r\n"},
		{sdk.Reply{Code: 354, Enhanced: "2.0.0", Text: "go"}, "354 go\r\n"},
		{sdk.Reply{Code: 334}, "334\r\n"},
		{sdk.Reply{Code: 450, Enhanced: "5.7.1", Text: "x"}, "450 4.7.1 x\r\n"},
		{sdk.Reply{Code: 550, Enhanced: "4.2.2", Text: "x"}, "550 5.2.2 x\r\n"},
		{sdk.Reply{Code: 550, Enhanced: "nonsense", Text: "x"}, "550 5.0.0 x\r\n"},
		{sdk.Reply{Code: 550, Enhanced: "5.7.1 250 ok", Text: "x"}, "550 5.0.0 x\r\n"},
		{sdk.Reply{Code: 550, Enhanced: "5.7.1"}, "550 5.7.1 Refused\r\n"},
		{sdk.Reply{Code: 450, Enhanced: "4.7.1"}, "450 4.7.1 Try again later\r\n"},
		{sdk.Reply{Code: 250, Enhanced: "2.1.0"}, "250 2.1.0 Ok\r\n"},
		{sdk.Reply{Code: 0, Text: "x"}, "451 4.3.0 x\r\n"},
		{sdk.Reply{Code: 999, Enhanced: "9.9.9"}, "451 4.3.0 Try again later\r\n"},
		{sdk.Reply{Code: -250, Text: "x"}, "451 4.3.0 x\r\n"},
		{sdk.Reply{Code: 550, Text: "a\x00b\rc\td\x7f\x1b[2J ü\xff"}, "550 a?b?c d??[2J ??\r\n"},
	} {
		if got := string(AppendReply(nil, c.in)); got != c.want {
			t.Errorf("%+v:\n got %q\nwant %q", c.in, got, c.want)
		}
	}
}

func TestLongRepliesBecomeSeveralLines(t *testing.T) {
	words := strings.TrimSpace(strings.Repeat("words and more words ", 100))
	for _, text := range []string{words, strings.Repeat("x", 3000), strings.Repeat("ü", 2000), strings.Repeat("line\n", 10000), strings.Repeat("x", 1<<20)} {
		out := string(AppendReply(nil, sdk.Reply{Code: 550, Enhanced: "5.7.1", Text: text}))
		lines := strings.SplitAfter(strings.TrimSuffix(out, "\r\n"), "\r\n")
		if len(lines) < 2 || len(lines) > 100 {
			t.Errorf("%.20q: %d lines", text, len(lines))
		}
		var back []string
		for i, l := range lines {
			l = strings.TrimSuffix(l, "\r\n")
			if len(l)+2 > 512 {
				t.Errorf("%.20q: line of %d octets", text, len(l)+2)
			}
			code, more, enhanced, text, err := ParseReplyLine([]byte(l))
			if code != 550 || more != (i < len(lines)-1) || enhanced != "5.7.1" || err != nil {
				t.Errorf("line %d is %q: %v", i, l, err)
			}
			back = append(back, text)
		}
		if text == words && strings.Join(back, " ") != words {
			t.Errorf("words were cut: %q", back)
		}
	}
}

func TestReplyLines(t *testing.T) {
	for _, c := range []struct {
		in       string
		code     int
		more     bool
		enhanced string
		text     string
	}{
		{"250 ok", 250, false, "", "ok"},
		{"250", 250, false, "", ""},
		{"250 ", 250, false, "", ""},
		{"250-", 250, true, "", ""},
		{"250-2.1.0 ok", 250, true, "2.1.0", "ok"},
		{"250 2.1.0", 250, false, "2.1.0", ""},
		{"550 5.7.509 x", 550, false, "5.7.509", "x"},
		{"550 4.7.1 x", 550, false, "", "4.7.1 x"},
		{"550 5.7.1234 x", 550, false, "", "5.7.1234 x"},
		{"550 5.7.1x", 550, false, "", "5.7.1x"},
		{"550 5.7 x", 550, false, "", "5.7 x"},
		{"250-SIZE 1", 250, true, "", "SIZE 1"},
		{"599 \x00", 599, false, "", "\x00"},
	} {
		code, more, enhanced, text, err := ParseReplyLine([]byte(c.in))
		if code != c.code || more != c.more || enhanced != c.enhanced || text != c.text || err != nil {
			t.Errorf("%q: %d %v %q %q %v", c.in, code, more, enhanced, text, err)
		}
	}
	for _, in := range []string{"", "2", "25", "ok", "2x0 ok", "25x", "100 x", "650 x", "050 x", "250ok", "250\tok", "-250", "2500 x", " 250 x"} {
		if code, _, _, _, err := ParseReplyLine([]byte(in)); err == nil {
			t.Errorf("%q is %d", in, code)
		}
	}
}

func FuzzReply(f *testing.F) {
	f.Add(250, "2.0.0", "ok\r\nx\x00")
	f.Add(550, "5.7.1 x", strings.Repeat("word ", 300))
	f.Add(354, "", "")
	f.Fuzz(func(t *testing.T, code int, enhanced, text string) {
		out := string(AppendReply(nil, sdk.Reply{Code: code, Enhanced: enhanced, Text: text}))
		first := ""
		lines := strings.Split(out, "\r\n")
		if lines[len(lines)-1] != "" || len(lines) < 2 || len(lines) > 101 {
			t.Fatalf("%q", out)
		}
		lines = lines[:len(lines)-1]
		for i, l := range lines {
			got, more, enh, _, err := ParseReplyLine([]byte(l))
			if err != nil || more != (i < len(lines)-1) || len(l) > 510 {
				t.Fatalf("line %d of %q: %v", i, out, err)
			}
			if code >= 200 && code <= 599 && got != code {
				t.Fatalf("%q", out)
			}
			if enhanced != "" && got/100 != 3 && enh == "" {
				t.Fatalf("line %d of %q has no enhanced code", i, out)
			}
			if i == 0 {
				first = l[:3]
			}
			if l[:3] != first || strings.IndexFunc(l, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
				t.Fatalf("line %d of %q", i, out)
			}
		}
	})
}

func FuzzReplyLine(f *testing.F) {
	for _, s := range []string{"250 2.0.0 ok", "250-x", "550", "55", "550 5.7.1234"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		code, more, enhanced, text, err := ParseReplyLine(line)
		if err != nil {
			return
		}
		if code < 200 || code > 599 || enhanced != "" && (!ValidEnhanced(enhanced) || int(enhanced[0]-'0') != code/100) {
			t.Fatalf("%q: %d %q", line, code, enhanced)
		}
		sep := " "
		if more {
			sep = "-"
		}
		back := fmt.Sprint(code) + sep + enhanced
		if enhanced != "" {
			back += " "
		}
		if back += text; back != string(line) && strings.TrimRight(back, " ") != strings.TrimRight(string(line), " ") {
			t.Fatalf("%q is read as %q", line, back)
		}
	})
}

func TestXtextGoesAroundAndHidesNothing(t *testing.T) {
	for in, want := range map[string]string{"abc": "abc", "a+b=c d": "a+2Bb+3Dc+20d", "": "", "ü": "+C3+BC"} {
		got := EncodeXtext(in)
		back, err := DecodeXtext(got)
		if got != want || back != in || err != nil {
			t.Errorf("%q: %q, %q, %v", in, got, back, err)
		}
	}
	for _, in := range []string{"+", "+2", "+2b", "+GG", "a+", "+00", "+0D", "+0A", "+7F", "+1B", "a b", "a=b", "\x00", "ü"} {
		if got, err := DecodeXtext(in); err == nil {
			t.Errorf("%q was decoded to %q", in, got)
		}
	}
	for range 1000 {
		b := make([]byte, rand.N(20))
		for i := range b {
			b[i] = byte(' ' + rand.N(95))
		}
		if back, err := DecodeXtext(EncodeXtext(string(b))); back != string(b) || err != nil {
			t.Fatalf("%q comes back as %q, %v", b, back, err)
		}
	}
}

func BenchmarkAppendReply(b *testing.B) {
	dst := make([]byte, 0, 512)
	r := sdk.Reply{Code: 250, Enhanced: "2.1.5", Text: "Ok"}
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendReply(dst[:0], r)
	}
}

func BenchmarkSplitReplyLine(b *testing.B) {
	line := []byte("250 2.0.0 Ok: queued as 0123456789")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, _, _, err := SplitReplyLine(line); err != nil {
			b.Fatal(err)
		}
	}
}

func TestORcptGoesAround(t *testing.T) {
	for in, want := range map[[2]string]string{
		{"rfc822", "a+b@c"}:       "rfc822;a+2Bb@c",
		{"utf-8", `jö+=\x y@c`}:   `utf-8;j\x{F6}\x{2B}\x{3D}\x{5C}x\x{20}y@c`,
		{"UTF-8", "\U0001F600@c"}: `UTF-8;\x{1F600}@c`,
	} {
		got := string(AppendORcpt(nil, in[0], in[1]))
		kind, addr, ok := parseORcpt(got)
		if got != want || !ok || !strings.EqualFold(string(kind), in[0]) || addr != in[1] {
			t.Errorf("%q: %s, read back as %q, %v", in, got, addr, ok)
		}
	}
}
