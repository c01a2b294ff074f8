package answer

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/programmable-mta/mta/sdk"
)

func edited(tb testing.TB, msg string, keep int, edits ...sdk.Edit) string {
	tb.Helper()
	var out bytes.Buffer
	if err := EditMessage(&out, strings.NewReader(msg), edits, keep); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

func TestEditsOfAMessageAreCarriedOutInOrder(t *testing.T) {
	const msg = "Received: us\r\nReceived: them\r\nsubject : one\r\n two\r\nX-A: 1\r\nX-a: 2\r\nX-A: 3\r\n\r\nbody\r\n.\r\n"
	prepend := func(n, v string) sdk.Edit { return sdk.Edit{Op: sdk.OpPrependHeader, Name: n, Value: v} }
	appendTo := func(n, v string) sdk.Edit { return sdk.Edit{Op: sdk.OpAppendHeader, Name: n, Value: v} }
	replace := func(n, v string, i int) sdk.Edit {
		return sdk.Edit{Op: sdk.OpReplaceHeader, Name: n, Value: v, Index: i}
	}
	remove := func(n string, i int) sdk.Edit { return sdk.Edit{Op: sdk.OpRemoveHeader, Name: n, Index: i} }
	body := func(s string) sdk.Edit { return sdk.Edit{Op: sdk.OpReplaceBody, Data: []byte(s)} }
	for _, tc := range []struct {
		name  string
		keep  int
		edits []sdk.Edit
		in    string
		want  string
	}{
		{"nothing", 1, nil, msg, msg},
		{"edits of other kinds", 1, []sdk.Edit{{Op: sdk.OpNote, Name: "k"}, {Op: sdk.OpSetSender}}, msg, msg},
		{"a field on top goes below ours", 1, []sdk.Edit{prepend("X-New", "v")}, "Received: us\r\nSubject: s\r\n\r\n", "Received: us\r\nX-New: v\r\nSubject: s\r\n\r\n"},
		{"the last on top is the topmost", 1, []sdk.Edit{prepend("X-1", "v"), prepend("X-2", "v")}, "Received: us\r\nSubject: s\r\n\r\n", "Received: us\r\nX-2: v\r\nX-1: v\r\nSubject: s\r\n\r\n"},
		{"more to keep than there is", 9, []sdk.Edit{prepend("X", "v")}, "A: a\r\n\r\n", "A: a\r\nX: v\r\n\r\n"},
		{"less than nothing to keep", -1, []sdk.Edit{prepend("X", "v")}, "A: a\r\n\r\n", "X: v\r\nA: a\r\n\r\n"},
		{"ours is removed", 1, []sdk.Edit{remove("Received", 1), prepend("X", "v")}, "Received: us\r\nA: a\r\n\r\n", "X: v\r\nA: a\r\n\r\n"},
		{"fields at the end", 0, []sdk.Edit{appendTo("X", "1"), appendTo("Y", "2")}, "A: a\r\n\r\nb", "A: a\r\nX: 1\r\nY: 2\r\n\r\nb"},
		{"an empty field", 0, []sdk.Edit{appendTo("X", "")}, "A: a\r\n\r\nb", "A: a\r\nX:\r\n\r\nb"},
		{"a folded field", 0, []sdk.Edit{appendTo("X", "1\r\n\t2")}, "A: a\r\n\r\nb", "A: a\r\nX: 1\r\n\t2\r\n\r\nb"},
		{"a folded field is replaced whole", 1, []sdk.Edit{replace("Subject", "new", 1)}, msg, "Received: us\r\nReceived: them\r\nSubject: new\r\nX-A: 1\r\nX-a: 2\r\nX-A: 3\r\n\r\nbody\r\n.\r\n"},
		{"the second is replaced", 1, []sdk.Edit{replace("x-a", "new", 2)}, msg, strings.Replace(msg, "X-a: 2", "x-a: new", 1)},
		{"all become one", 1, []sdk.Edit{replace("X-A", "new", 0)}, msg, strings.Replace(msg, "X-A: 1\r\nX-a: 2\r\nX-A: 3", "X-A: new", 1)},
		{"none becomes one", 1, []sdk.Edit{replace("X-B", "new", 0)}, msg, strings.Replace(msg, "X-A: 3\r\n", "X-A: 3\r\nX-B: new\r\n", 1)},
		{"the fourth of three", 1, []sdk.Edit{replace("X-A", "new", 4), remove("X-A", 4)}, msg, msg},
		{"the first is removed, then the first", 1, []sdk.Edit{remove("X-A", 1), remove("X-A", 1)}, msg, strings.Replace(msg, "X-A: 1\r\nX-a: 2\r\n", "", 1)},
		{"all are removed", 1, []sdk.Edit{remove("X-A", 0)}, msg, strings.Replace(msg, "X-A: 1\r\nX-a: 2\r\nX-A: 3\r\n", "", 1)},
		{"what was added is removed", 0, []sdk.Edit{appendTo("X", "1"), remove("X", 0)}, msg, msg},
		{"a body", 0, []sdk.Edit{body("new\nlines\r\n")}, "A: a\r\n\r\nold\r\n", "A: a\r\n\r\nnew\r\nlines\r\n"},
		{"the last body", 0, []sdk.Edit{body("1"), body("2")}, "A: a\r\n\r\nold\r\n", "A: a\r\n\r\n2"},
		{"no body", 0, []sdk.Edit{body("")}, "A: a\r\n\r\nold\r\n", "A: a\r\n\r\n"},
		{"a body for a header alone", 0, []sdk.Edit{body("b")}, "A: a", "A: a\r\n\r\nb"},
		{"a field for a header without line end", 0, []sdk.Edit{appendTo("X", "1")}, "A: a", "A: a\r\nX: 1\r\n"},
		{"a field for nothing", 0, []sdk.Edit{appendTo("X", "1")}, "", "X: 1\r\n"},
		{"a field for a body alone", 0, []sdk.Edit{appendTo("X", "1")}, "\r\nbody", "X: 1\r\n\r\nbody"},
		{"a line that is no field ends the header", 0, []sdk.Edit{appendTo("X", "1"), remove("B", 0)}, "A: a\r\nno field\r\nB: b\r\n\r\nbody", "A: a\r\nX: 1\r\nno field\r\nB: b\r\n\r\nbody"},
		{"a body alone that looks like a continuation", 0, []sdk.Edit{appendTo("X", "1")}, " body", "X: 1\r\n\r\n body"},
		{"an mbox line is no field", 0, []sdk.Edit{prepend("X", "1")}, "From a Thu Jan 1 00:00:00\r\nA: a\r\n\r\n", "X: 1\r\nFrom a Thu Jan 1 00:00:00\r\nA: a\r\n\r\n"},
		{"bare line ends", 0, nil, "A: a\rB: b\n\nx\r\r\ny\r", "A: a B: b\r\n\r\nx \r\ny "},
		{"bare line ends at an edit", 0, []sdk.Edit{remove("B", 0)}, "A: a\nB: b\rc\n\nx\n", "A: a\r\n\r\nx\r\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := edited(t, tc.in, tc.keep, tc.edits...); got != tc.want {
				t.Errorf("got\n%q\nwant\n%q", got, tc.want)
			}
		})
	}
}

func TestALongFieldIsFoldedAndUnfoldsToItsValue(t *testing.T) {
	word := strings.Repeat("x", 100)
	for _, tc := range []struct {
		name, value string
		broken      bool // a word had to be broken
	}{
		{"words", strings.TrimSpace(strings.Repeat(word+" ", 50)), false},
		{"words and tabs", strings.TrimSpace(strings.Repeat(word+"\t  ", 50)), false},
		{"one long word", strings.Repeat("x", 5000), true},
		{"one long word of runes", strings.Repeat("ä", 2500), true},
		{"folded already", strings.Repeat(word+",\r\n ", 50) + "end", false},
		{"folded, with a long line", word + "\r\n " + strings.Repeat(word+" ", 20) + "end", false},
	} {
		out := edited(t, "A: a\r\n\r\nbody", 0, sdk.Edit{Op: sdk.OpAppendHeader, Name: "X-Long", Value: tc.value})
		h, err := sdk.ReadHeader(strings.NewReader(out))
		if err != nil || len(h) != 2 {
			t.Fatalf("%s: %d fields, %v", tc.name, len(h), err)
		}
		for line := range strings.SplitSeq(out, "\r\n") {
			if len(line) > maxLine || line != "" && strings.TrimSpace(line) == "" {
				t.Errorf("%s: a line of %d octets", tc.name, len(line))
			}
		}
		got, want := h.Get("X-Long"), strings.ReplaceAll(tc.value, "\r\n", "")
		if tc.broken {
			got = strings.ReplaceAll(got, " ", "")
		}
		if got != want || strings.ToValidUTF8(got, "") != got {
			t.Errorf("%s: unfolds to %d octets instead of %d", tc.name, len(got), len(want))
		}
	}
	spaces := edited(t, "\r\n", 0, sdk.Edit{Op: sdk.OpAppendHeader, Name: "X", Value: "a" + strings.Repeat(" ", 3000) + "b" + strings.Repeat(" ", 3000)})
	if strings.Join(strings.Fields(spaces), " ") != "X: a b" || len(spaces) > 2000 {
		t.Errorf("white space: %d octets, %q", len(spaces), strings.Fields(spaces))
	}
}

func TestAMessageThatCannotBeEditedIsAnError(t *testing.T) {
	field := []sdk.Edit{{Op: sdk.OpAppendHeader, Name: "X", Value: "v"}}
	huge := "A: " + strings.Repeat("x", sdk.MaxHeader)
	broken := errors.New("disk on fire")
	for _, tc := range []struct {
		name string
		src  io.Reader
		dst  io.Writer
		in   []sdk.Edit
		want error
	}{
		{"a header that is too long", strings.NewReader(huge), io.Discard, field, ErrHeaderTooLong},
		{"a source that breaks in the header", io.MultiReader(strings.NewReader("A: a\r\nB"), iotest.ErrReader(broken)), io.Discard, field, broken},
		{"a source that breaks in a line", io.MultiReader(strings.NewReader("A: a"), iotest.ErrReader(broken)), io.Discard, field, broken},
		{"a source that breaks in the body", io.MultiReader(strings.NewReader("A: a\r\n\r\nb"), iotest.ErrReader(broken)), io.Discard, field, broken},
		{"a destination that breaks", strings.NewReader("A: a\r\n\r\nb"), brokenWriter{broken}, field, broken},
		{"a destination that breaks late", strings.NewReader("A: a\r\n\r\n" + strings.Repeat("b", 1<<20)), brokenWriter{broken}, field, broken},
		{"a field that is none", strings.NewReader("A: a\r\n\r\nb"), io.Discard, []sdk.Edit{{Op: sdk.OpAppendHeader, Name: "X Y"}}, nil},
	} {
		err := EditMessage(tc.dst, tc.src, tc.in, 0)
		if err == nil || tc.want != nil && !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

type brokenWriter struct{ err error }

func (b brokenWriter) Write([]byte) (int, error) { return 0, b.err }

func TestALongLineThatIsNoFieldIsNotKeptInMemory(t *testing.T) {
	in := strings.Repeat("x", 4*sdk.MaxHeader)
	if got := edited(t, in, 0, sdk.Edit{Op: sdk.OpAppendHeader, Name: "X", Value: "v"}); got != "X: v\r\n"+in {
		t.Errorf("%d octets", len(got))
	}
}

func FuzzEditedMessagesHaveNoBareLineEnds(f *testing.F) {
	f.Add("Received: us\r\nA: a\r\n b\r\n\r\nbody\r\n", "A", "v", uint8(sdk.OpReplaceHeader), 0, 1)
	f.Add("A: a\rb\nc\r\r\n\n", "X", strings.Repeat("y ", 700), uint8(sdk.OpPrependHeader), 1, 0)
	f.Add("A: a", "A", "body\nx\r", uint8(sdk.OpReplaceBody), 0, 0)
	f.Add("\r\n", "A", " \r\n v", uint8(sdk.OpAppendHeader), 0, 3)
	f.Fuzz(func(t *testing.T, msg, name, value string, op uint8, index, keep int) {
		e := sdk.Edit{Op: sdk.Op(op), Name: name, Value: value, Index: index}
		if e.Op == sdk.OpReplaceBody {
			e = sdk.Edit{Op: e.Op, Data: []byte(value)}
		}
		var out, slow bytes.Buffer
		err := EditMessage(&out, strings.NewReader(msg), []sdk.Edit{e}, keep)
		if checkEdit(&e, true) == nil && err != nil && len(msg) < sdk.MaxHeader {
			t.Fatalf("%v", err)
		}
		if err != nil {
			return
		}
		got := out.String()
		if rest := strings.ReplaceAll(got, "\r\n", ""); strings.ContainsAny(rest, "\r\n") {
			t.Fatalf("a bare line end in %q", got)
		}
		if err := EditMessage(&slow, iotest.OneByteReader(strings.NewReader(msg)), []sdk.Edit{e}, keep); err != nil || slow.String() != got {
			t.Fatalf("read byte by byte it becomes %q, %v; else %q", slow.String(), err, got)
		}
		// What is well-formed and not edited stays byte for byte.
		plain := edited(t, msg, keep)
		if !strings.ContainsAny(strings.ReplaceAll(msg, "\r\n", ""), "\r\n") && plain != msg {
			t.Fatalf("without edits %q becomes %q", msg, plain)
		}
		fields, body := halves(plain)
		gotFields, gotBody := halves(got)
		if body != "" && (body[0] == ' ' || body[0] == '\t') && gotFields > 0 {
			body = "\r\n" + body
		}
		switch e.Op {
		case sdk.OpPrependHeader, sdk.OpAppendHeader:
			if gotFields != fields+1 || gotBody != body {
				t.Fatalf("%d fields became %d, body %q became %q", fields, gotFields, body, gotBody)
			}
		case sdk.OpRemoveHeader:
			if gotFields > fields || gotBody != body {
				t.Fatalf("%d fields became %d, body %q became %q", fields, gotFields, body, gotBody)
			}
		case sdk.OpReplaceHeader:
			if gotFields > fields+1 || gotBody != body {
				t.Fatalf("%d fields became %d, body %q became %q", fields, gotFields, body, gotBody)
			}
		}
	})
}

// halves counts the fields of a message and returns what stands behind them,
// line by line and without regard for speed.
func halves(msg string) (fields int, body string) {
	for msg != "" {
		line, rest, _ := strings.Cut(msg, "\r\n")
		switch {
		case fields > 0 && strings.TrimLeft(line, " \t") != line:
		case beginsField([]byte(line[:min(len(line), maxFieldName+16)])):
			fields++
		default:
			return fields, msg
		}
		msg = rest
	}
	return fields, ""
}

func BenchmarkEditMessage(b *testing.B) {
	msg := "Received: us\r\nSubject: s\r\n\r\n" + strings.Repeat(strings.Repeat("x", 70)+"\r\n", 14000)
	edits := []sdk.Edit{{Op: sdk.OpPrependHeader, Name: "X-Seen", Value: "yes"}}
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	for b.Loop() {
		if err := EditMessage(io.Discard, strings.NewReader(msg), edits, 1); err != nil {
			b.Fatal(err)
		}
	}
}
