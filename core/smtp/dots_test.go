package smtp

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestDotsAreDoubledAtTheStartOfLines(t *testing.T) {
	for in, want := range map[string]string{
		"":                    "",
		"a\r\n":               "a\r\n",
		".\r\n":               "..\r\n",
		".a\r\n..b\r\nc.\r\n": "..a\r\n...b\r\nc.\r\n",
		"a\r\n\r\n.\r\n.\r\n": "a\r\n\r\n..\r\n..\r\n",
		"smuggle\n.\r\nMAIL":  "smuggle\n..\r\nMAIL",
		"\xff\x00.\r\n.":      "\xff\x00.\r\n..",
	} {
		if got, _ := AppendDots(nil, []byte(in), true); string(got) != want {
			t.Errorf("%q: got %q", in, got)
		}
		for cut := range len(in) {
			got, at := AppendDots(nil, []byte(in[:cut]), true)
			if got, _ = AppendDots(got, []byte(in[cut:]), at); string(got) != want {
				t.Errorf("%q cut at %d: got %q", in, cut, got)
			}
		}
	}
	if got, _ := AppendDots(nil, []byte(".a"), false); string(got) != ".a" {
		t.Errorf("a dot inside a line was doubled: %q", got)
	}
}

func TestTheEncoderLeavesNoBareNewline(t *testing.T) {
	for in, want := range map[string]string{
		"":                 ".\r\n",
		"a":                "a\r\n.\r\n",
		"a\r\n":            "a\r\n.\r\n",
		"a\r":              "a\r\n.\r\n",
		".":                "..\r\n.\r\n",
		"\r\n.\r\n.x":      "\r\n..\r\n..x\r\n.\r\n",
		"a\n.\nb":          "a\r\n..\r\nb\r\n.\r\n",
		"a\r.\rb\r\n":      "a . b\r\n.\r\n",
		"a\r\r\n.\n":       "a \r\n..\r\n.\r\n",
		"\r.":              " .\r\n.\r\n",
		"a\n.\r\nMAIL\r\n": "a\r\n..\r\nMAIL\r\n.\r\n",
	} {
		for cut := 0; cut <= len(in); cut++ {
			var e DotEncoder
			got := e.Append(nil, []byte(in[:cut]))
			got = e.End(e.Append(got, []byte(in[cut:])))
			if string(got) != want {
				t.Errorf("%q cut at %d: got %q, want %q", in, cut, got, want)
			}
		}
	}
}

func FuzzDots(f *testing.F) {
	for _, e := range endings {
		f.Add([]byte("a"+e.seq+"b"), uint8(1))
	}
	f.Add([]byte(".\r\n..\r\n"), uint8(4))
	f.Fuzz(func(t *testing.T, body []byte, step uint8) {
		var e DotEncoder
		var wire []byte
		for rest := body; len(rest) > 0; {
			n := min(len(rest), int(step)%13+1)
			wire, rest = e.Append(wire, rest[:n]), rest[n:]
		}
		wire = e.End(wire)
		if n := bytes.Index(append([]byte("\r\n"), wire...), []byte("\r\n.\r\n")); n != len(wire)-3 {
			t.Fatalf("%q becomes %q, which ends at %d", body, wire, n)
		}
		var out bytes.Buffer
		r := NewReader(bytes.NewReader(wire), nil)
		if _, err := r.ReadData(&out, -1, AllowNUL); err != nil {
			t.Fatalf("%q becomes %q: %v", body, wire, err)
		}
		if r.Buffered() != 0 {
			t.Fatalf("%q becomes %q, of which %d octets are left", body, wire, r.Buffered())
		}
		want := normalized(body)
		if out.String() != want {
			t.Fatalf("%q comes back as %q", body, out.Bytes())
		}
		if want == string(body) {
			plain, _ := AppendDots(nil, body, true)
			if !bytes.Equal(append(plain, ".\r\n"...), wire) {
				t.Fatalf("%q: AppendDots makes %q, the encoder %q", body, plain, wire)
			}
		}
	})
}

// normalized is body with CRLF at the end of each line.
func normalized(body []byte) string {
	s := strings.ReplaceAll(string(body), "\r\n", "\n")
	s = strings.TrimSuffix(s, "\r")
	if s != "" && !strings.HasSuffix(s, "\n") || len(s) < len(body) && strings.HasSuffix(string(body), "\r") {
		s += "\n"
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r", " "), "\n", "\r\n")
}

func BenchmarkDotEncoder(b *testing.B) {
	body := benchBody()
	dst := make([]byte, 0, 2*len(body))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var e DotEncoder
		dst = e.End(e.Append(dst[:0], body))
	}
	io.Discard.Write(dst)
}
