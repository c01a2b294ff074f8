package smtp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
)

// pieces is a connection that delivers its input in the given pieces.
type pieces [][]byte

func (p *pieces) Read(b []byte) (int, error) {
	if len(*p) == 0 {
		return 0, io.EOF
	}
	n := copy(b, (*p)[0])
	if (*p)[0] = (*p)[0][n:]; len((*p)[0]) == 0 {
		*p = (*p)[1:]
	}
	return n, nil
}

func TestLinesEndInCRLFAndNothingElse(t *testing.T) {
	type got struct {
		line string
		err  error
	}
	for in, want := range map[string][]got{
		"NOOP\r\nQUIT\r\n":                       {{"NOOP", nil}, {"QUIT", nil}, {"", io.EOF}},
		"\r\n":                                   {{"", nil}, {"", io.EOF}},
		"NOOP\nQUIT\r\n":                         {{"NOOP", ErrBareLF}, {"QUIT", nil}},
		"\nQUIT\r\n":                             {{"", ErrBareLF}, {"QUIT", nil}},
		"NO\rOP\r\nQUIT\r\n":                     {{"NO\rOP", ErrBareCR}, {"QUIT", nil}},
		"NOOP\r\r\nQUIT\r\n":                     {{"NOOP\r", ErrBareCR}, {"QUIT", nil}},
		"NOOP":                                   {{"", io.ErrUnexpectedEOF}},
		"NOOP\r":                                 {{"", io.ErrUnexpectedEOF}},
		strings.Repeat("a", 18) + "\r\n":         {{strings.Repeat("a", 18), nil}},
		strings.Repeat("a", 19) + "\r\nQUIT\r\n": {{"", ErrLineTooLong}, {"QUIT", nil}},
		strings.Repeat("a", 900) + "\r\nQUIT\r\n": {{"", ErrLineTooLong}, {"QUIT", nil}},
		strings.Repeat("a", 900):                  {{"", io.EOF}},
	} {
		for _, r := range []*Reader{
			NewReader(strings.NewReader(in), make([]byte, 256)),
			NewReader(iotest.OneByteReader(strings.NewReader(in)), nil),
			NewReader(iotest.DataErrReader(strings.NewReader(in)), nil),
		} {
			for _, w := range want {
				line, err := r.ReadLine(20)
				if string(line) != w.line || !errors.Is(err, w.err) {
					t.Errorf("%.40q: got %q, %v; want %q, %v", in, line, err, w.line, w.err)
				}
			}
		}
	}
}

func TestALongLineTakesMemoryUpToItsLimitAndGivesItBack(t *testing.T) {
	long := strings.Repeat("x", 5000)
	mine := make([]byte, 512)
	r := NewReader(strings.NewReader(long+"\r\nNOOP\r\n"), mine)
	line, err := r.ReadLine(12288)
	if string(line) != long || err != nil {
		t.Fatalf("got %d octets, %v", len(line), err)
	}
	if line, err = r.ReadLine(512); string(line) != "NOOP" || err != nil {
		t.Fatalf("got %q, %v", line, err)
	}
	if _, err = r.ReadLine(512); err != io.EOF {
		t.Fatal(err)
	}
	if free := r.SwapBuffer(make([]byte, 256)); &free[0] != &mine[0] {
		t.Errorf("got a buffer of %d octets back, not the one given", len(free))
	}
}

// endless is a connection that never ends its line.
type endless struct{ n int64 }

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'a'
	}
	e.n += int64(len(b))
	return len(b), nil
}

func TestAnEndlessLineIsGivenUp(t *testing.T) {
	e := &endless{}
	r := NewReader(e, nil)
	for range 3 {
		if _, err := r.ReadLine(1000); !errors.Is(err, ErrLineTooLong) {
			t.Fatal(err)
		}
	}
	if e.n > 100<<10 || len(r.buf) > 1200 {
		t.Errorf("read %d octets into a buffer of %d", e.n, len(r.buf))
	}
	if _, err := r.ReadData(io.Discard, -1, 0); !errors.Is(err, ErrLineTooLong) {
		t.Error(err)
	}
	if err := r.ReadChunk(io.Discard, 10, -1); !errors.Is(err, ErrLineTooLong) {
		t.Error(err)
	}
}

// nothing is a connection that delivers nothing, and no error.
type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, nil }

func TestAReaderThatBringsNothingIsAnError(t *testing.T) {
	if _, err := NewReader(nothing{}, nil).ReadLine(512); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
}

// endings are the sequences that have been taken for an end of data by one MTA
// or another (CVE-2023-51764, -51765, -51766 and others). Only the first is one.
var endings = []struct {
	seq string
	end bool
}{
	{"\r\n.\r\n", true},
	{"\n.\n", false},
	{"\n.\r\n", false},
	{"\r\n.\n", false},
	{"\r.\r", false},
	{"\r.\n", false},
	{"\n.\r", false},
	{"\r.\r\n", false},
	{"\r\n.\r", false},
	{"\r\n.\r\r\n", false},
	{"\r\r\n.\r\r\n", false},
	{"\r\n\x00.\r\n", false},
	{"\r\n.\x00\r\n", false},
	{"\r\n.\r\x00\n", false},
	{"\r\n..\r\n", false},
	{"\r\n. \r\n", false},
	{"\n\r.\n\r", false},
}

func TestOnlyCRLFDotCRLFEndsData(t *testing.T) {
	const before, smuggled, rest = "one", "MAIL FROM:<x@y>\r\n", "QUIT\r\n"
	for _, e := range endings {
		in := before + e.seq + smuggled
		if !e.end {
			in += ".\r\n"
		}
		want := e.end || e.seq == "\r\n..\r\n" || e.seq == "\r\n. \r\n"
		for cut := 0; cut <= len(in+rest); cut++ {
			all := []byte(in + rest)
			r := NewReader(&pieces{all[:cut], all[cut:]}, nil)
			var out bytes.Buffer
			_, err := r.ReadData(&out, -1, RefuseBareNewlines)
			if (err == nil) != want {
				t.Fatalf("%q cut at %d: %v", e.seq, cut, err)
			}
			if e.end {
				if out.String() != before+"\r\n" {
					t.Fatalf("%q cut at %d: got %q", e.seq, cut, out.String())
				}
				if line, err := r.ReadLine(512); string(line)+"\r\n" != smuggled || err != nil {
					t.Fatalf("%q cut at %d: next line %q, %v", e.seq, cut, line, err)
				}
			}
			if line, err := r.ReadLine(512); string(line) != "QUIT" || err != nil {
				t.Fatalf("%q cut at %d: the command behind the message is %q, %v", e.seq, cut, line, err)
			}
		}
	}
}

func TestCRBeforeTheEndIsRefusedAndTheEndIsFound(t *testing.T) {
	for _, in := range []string{"x\r\r\n.\r\n", "x\r\n.\r\r\n.\r\n", "x\r\n\r.\r\n.\r\n", "\r.\r\n.\r\n", "\n.\r\n"} {
		for _, src := range []io.Reader{strings.NewReader(in + "QUIT\r\n"), iotest.OneByteReader(strings.NewReader(in + "QUIT\r\n"))} {
			r := NewReader(src, nil)
			_, err := r.ReadData(io.Discard, -1, 0)
			if in == "\n.\r\n" {
				if err != io.ErrUnexpectedEOF {
					t.Errorf("%q: a dot behind a bare LF ended the message: %v", in, err)
				}
				continue
			}
			if !errors.Is(err, ErrBareNewline) {
				t.Errorf("%q: %v", in, err)
			}
			if line, err := r.ReadLine(512); string(line) != "QUIT" || err != nil {
				t.Errorf("%q: next line %q, %v", in, line, err)
			}
		}
	}
}

func TestDataIsCopiedWithoutItsDots(t *testing.T) {
	long := strings.Repeat("long ", 40000)
	for _, c := range []struct {
		in, want string
		policy   NewlinePolicy
		err      error
	}{
		{".\r\n", "", 0, nil},
		{"\r\n.\r\n", "\r\n", 0, nil},
		{"a\r\n.\r\n", "a\r\n", 0, nil},
		{"..\r\n.\r\n", ".\r\n", 0, nil},
		{".a\r\n...b\r\n.\r\n", "a\r\n..b\r\n", 0, nil},
		{"a.\r\n.\r\n", "a.\r\n", 0, nil},
		{long + "\r\n.." + long + "\r\n.\r\n", long + "\r\n." + long + "\r\n", 0, nil},
		{"a\nb\r\n.\r\n", "", 0, ErrBareNewline},
		{"a\x00b\r\n.\r\n", "", 0, ErrNUL},
		{"a\x00b\r\n.\r\n", "a\x00b\r\n", AllowNUL, nil},
		{"a\x00b\nc\r\n.\r\n", "a\x00b\r\nc\r\n", AllowNUL | NormalizeBareNewlines, nil},
		{"a\nb\rc\r\r\nd\n\r\n.\r\n", "a\r\nb c \r\nd\r\n\r\n", NormalizeBareNewlines, nil},
		{"a\n.\n..b\r\n.\r\n", "a\r\n.\r\n..b\r\n", NormalizeBareNewlines, nil},
		{".\nb\r\n.\r\n", "\r\nb\r\n", NormalizeBareNewlines, nil},
		{"x\r\n.\rY\r\n.\r\n", "x\r\n Y\r\n", NormalizeBareNewlines, nil},
		{"\r\r\r\n.\r\n", "  \r\n", NormalizeBareNewlines, nil},
		{"8 bit \xff\xfe\r\n.\r\n", "8 bit \xff\xfe\r\n", 0, nil},
	} {
		for i, src := range []io.Reader{strings.NewReader(c.in + "X"), iotest.OneByteReader(strings.NewReader(c.in + "X")), iotest.HalfReader(strings.NewReader(c.in + "X"))} {
			r := NewReader(src, make([]byte, 4096))
			var out bytes.Buffer
			n, err := r.ReadData(&out, -1, c.policy)
			if !errors.Is(err, c.err) || err == nil && (out.String() != c.want || n != int64(len(c.want))) {
				t.Errorf("%.40q way %d: got %.40q, %d, %v", c.in, i, out.String(), n, err)
			}
			var next [1]byte
			if err := r.ReadChunk(sliceWriter(next[:]), 1, 1); err != nil || next[0] != 'X' {
				t.Errorf("%.40q way %d: what follows is %q, %v", c.in, i, next[0], err)
			}
		}
	}
}

type sliceWriter []byte

func (s sliceWriter) Write(b []byte) (int, error) { return copy(s, b), nil }

// failing fails after n octets.
type failing int

var errDisk = errors.New("disk full")

func (f *failing) Write(b []byte) (int, error) {
	if *f -= failing(len(b)); *f < 0 {
		return 0, errDisk
	}
	return len(b), nil
}

func TestWhateverIsWrongTheMessageIsReadToItsEnd(t *testing.T) {
	body := strings.Repeat("line\r\n", 1000)
	for _, c := range []struct {
		name  string
		w     io.Writer
		limit int64
		in    string
		want  error
	}{
		{"at the limit", new(bytes.Buffer), 6000, body, nil},
		{"over the limit", new(bytes.Buffer), 5999, body, ErrTooLarge},
		{"a limit of nothing", new(bytes.Buffer), 0, body, ErrTooLarge},
		{"the disk is full", new(failing), -1, body, errDisk},
		{"bare LF at the start", new(bytes.Buffer), -1, "\n" + body, ErrBareNewline},
		{"bare CR at the end", new(bytes.Buffer), 10, body + "\r\r\n", ErrBareNewline},
	} {
		r := NewReader(strings.NewReader(c.in+".\r\nQUIT\r\n"), make([]byte, 512))
		n, err := r.ReadData(c.w, c.limit, 0)
		if !errors.Is(err, c.want) || n < int64(len(body)) {
			t.Errorf("%s: %d, %v", c.name, n, err)
		}
		if b, ok := c.w.(*bytes.Buffer); ok && c.limit >= 0 && int64(b.Len()) > c.limit {
			t.Errorf("%s: %d octets were written", c.name, b.Len())
		}
		if line, err := r.ReadLine(512); string(line) != "QUIT" || err != nil {
			t.Errorf("%s: next line %q, %v", c.name, line, err)
		}
	}
}

func TestAConnectionThatEndsInsideAMessageIsNoMessage(t *testing.T) {
	for _, in := range []string{"", "a", "a\r\n", "a\r\n.", "a\r\n.\r", "a\r\n.\n"} {
		if _, err := NewReader(strings.NewReader(in), nil).ReadData(io.Discard, -1, 0); err != io.ErrUnexpectedEOF {
			t.Errorf("%q: %v", in, err)
		}
	}
	if err := NewReader(strings.NewReader("abc"), nil).ReadChunk(io.Discard, 4, -1); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
	broken := errors.New("broken")
	if _, err := NewReader(iotest.ErrReader(broken), nil).ReadData(io.Discard, -1, 0); err != broken {
		t.Error(err)
	}
}

func TestChunksAreReadByCount(t *testing.T) {
	in := "a\r\n.\r\n\x00\n\rQUIT\r\n"
	for _, limit := range []int64{-1, 9, 8} {
		r := NewReader(iotest.HalfReader(strings.NewReader(in)), nil)
		var out bytes.Buffer
		err := r.ReadChunk(&out, 9, limit)
		if limit == 8 {
			if !errors.Is(err, ErrTooLarge) || out.Len() != 0 {
				t.Errorf("%v, %q", err, out.String())
			}
		} else if err != nil || out.String() != in[:9] {
			t.Errorf("%v, %q", err, out.String())
		}
		if line, err := r.ReadLine(512); string(line) != "QUIT" || err != nil {
			t.Errorf("limit %d: next line %q, %v", limit, line, err)
		}
	}
	if err := NewReader(strings.NewReader("abc"), nil).ReadChunk(io.Discard, math.MaxInt64, -1); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
	r := NewReader(strings.NewReader("abcQUIT\r\n"), nil)
	if err := r.ReadChunk(new(failing), 3, -1); !errors.Is(err, errDisk) {
		t.Error(err)
	}
	if line, _ := r.ReadLine(512); string(line) != "QUIT" {
		t.Errorf("next line %q", line)
	}
}

func TestBuffersAreSwappedWithoutLosingWhatIsBuffered(t *testing.T) {
	small := make([]byte, 256)
	r := NewReader(strings.NewReader("DATA\r\n"+strings.Repeat("x\r\n", 50)+".\r\nQUIT\r\n"), small)
	if line, err := r.ReadLine(512); string(line) != "DATA" || err != nil {
		t.Fatal(line, err)
	}
	held := r.Buffered()
	if held == 0 {
		t.Fatal("nothing is buffered")
	}
	if free := r.SwapBuffer(make([]byte, 130)); len(free) != 130 {
		t.Errorf("a buffer of 130 octets was taken for %d", held)
	}
	if free := r.SwapBuffer(make([]byte, 4096)); &free[0] != &small[0] || r.Buffered() != held {
		t.Errorf("got %d octets back, %d are buffered", len(free), r.Buffered())
	}
	var out bytes.Buffer
	if _, err := r.ReadData(&out, -1, 0); err != nil || out.Len() != 150 {
		t.Fatal(out.Len(), err)
	}
	if line, err := r.ReadLine(512); string(line) != "QUIT" || err != nil {
		t.Fatal(line, err)
	}
}

func TestResetDropsWhatWasSentInTheClear(t *testing.T) {
	r := NewReader(strings.NewReader("STARTTLS\r\nRSET\r\n"), nil)
	if line, _ := r.ReadLine(512); string(line) != "STARTTLS" {
		t.Fatal(line)
	}
	r.Reset(strings.NewReader("EHLO x\r\n"))
	if line, _ := r.ReadLine(512); string(line) != "EHLO x" {
		t.Errorf("got %q", line)
	}
}

// decodeSlowly is what ReadData does, by searching and replacing.
func decodeSlowly(in []byte, policy NewlinePolicy) (out []byte, used int, err error) {
	text := "\r\n" + string(in)
	end := strings.Index(text, "\r\n.\r\n")
	if end < 0 {
		return nil, 0, io.ErrUnexpectedEOF
	}
	used = end + 5 - 2
	text = strings.ReplaceAll(text[:end+2], "\r\n.", "\r\n")
	// From here on the pairs are CRLF; what is left of either is bare. A removed
	// dot must not make a pair of what it stood between, so pairs are marked in
	// the raw text.
	var b []byte
	lineStart, raw := true, in[:used-3]
	bare := false
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '\r' && i+1 < len(raw) && raw[i+1] == '\n':
			b = append(b, "\r\n"...)
			i++
			lineStart = true
			continue
		case c == '\r':
			bare = true
			b = append(b, ' ')
		case c == '\n':
			bare = true
			b = append(b, "\r\n"...)
		case c == '.' && lineStart:
		default:
			b = append(b, c)
		}
		lineStart = false
	}
	switch {
	case bare && policy&NormalizeBareNewlines == 0:
		return nil, used, ErrBareNewline
	case bytes.IndexByte(raw, 0) >= 0 && policy&AllowNUL == 0:
		return nil, used, ErrNUL
	case !bare && string(b) != text[2:]:
		panic(fmt.Sprintf("the two halves of the reference differ: %q and %q", b, text[2:]))
	}
	return b, used, nil
}

func FuzzData(f *testing.F) {
	for _, e := range endings {
		f.Add([]byte("a"+e.seq+"b\r\n.\r\nQUIT"), uint8(0), uint8(3))
		f.Add([]byte("a"+e.seq+"b\r\n.\r\nQUIT"), uint8(1), uint8(1))
	}
	f.Fuzz(func(t *testing.T, in []byte, policy, step uint8) {
		p := NewlinePolicy(policy & 3)
		var src pieces
		for rest := in; len(rest) > 0; {
			n := min(len(rest), int(step)%97+1)
			src, rest = append(src, rest[:n]), rest[n:]
		}
		var out bytes.Buffer
		r := NewReader(&src, nil)
		n, err := r.ReadData(&out, -1, p)
		want, used, wantErr := decodeSlowly(in, p)
		if err != wantErr {
			t.Fatalf("%q: %v, want %v", in, err, wantErr)
		}
		if err == nil && (!bytes.Equal(out.Bytes(), want) || n != int64(len(want))) {
			t.Fatalf("%q: got %q, want %q", in, out.Bytes(), want)
		}
		if wantErr == io.ErrUnexpectedEOF {
			return
		}
		left, _ := io.ReadAll(io.MultiReader(bytes.NewReader(r.buf[r.pos:r.end]), &src))
		if !bytes.Equal(left, in[used:]) {
			t.Fatalf("%q: %q is left, want %q", in, left, in[used:])
		}
	})
}

func benchBody() []byte {
	var b []byte
	for i := 0; len(b) < 64<<10; i++ {
		if i%100 == 0 {
			b = append(b, '.')
		}
		b = append(b, "The quick brown fox jumps over the lazy dog and goes home again.\r\n"...)
	}
	return b
}

func BenchmarkReadData(b *testing.B) {
	wire, _ := AppendDots(nil, benchBody(), true)
	wire = append(wire, ".\r\n"...)
	src := bytes.NewReader(wire)
	r := NewReader(src, make([]byte, 64<<10))
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		src.Reset(wire)
		if _, err := r.ReadData(io.Discard, -1, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadDataByteWise(b *testing.B) {
	wire, _ := AppendDots(nil, benchBody(), true)
	wire = append(wire, ".\r\n"...)
	b.SetBytes(int64(len(wire)))
	for b.Loop() {
		if _, _, err := decodeSlowly(wire, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadLine(b *testing.B) {
	wire := bytes.Repeat([]byte("RCPT TO:<first.last@mail.example.org>\r\n"), 100)
	src := bytes.NewReader(wire)
	r := NewReader(src, make([]byte, 4<<10))
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		src.Reset(wire)
		for range 100 {
			if _, err := r.ReadLine(512); err != nil {
				b.Fatal(err)
			}
		}
	}
}
