package gen

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// emitSamples makes the golden fixtures: for every event, answer, call and
// result one value in which nothing is zero, as a block, as protobuf and as
// JSON. They are made from the schema alone, by other code than the codecs that
// are tested with them.
func emitSamples(s *Schema) (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, h := range s.Hooks {
		s.emitSample(out, h.Info.Name+".event", h.Event, h.Number, sampleTime)
		if h.Answer != nil {
			s.emitSample(out, h.Info.Name+".answer", h.Answer, 256+h.Number, 0)
		}
	}
	for _, c := range s.Calls {
		s.emitSample(out, c.Info.Name+".call", c.Call, 512+c.Number, 0)
		s.emitSample(out, c.Info.Name+".result", c.Result, 768+c.Number, 0)
	}
	return out, nil
}

// sampleTime is the time in the header of event blocks: 2026-01-02 15:04:05.
const sampleTime = 1767366245_000000000

func (s *Schema) emitSample(out map[string][]byte, name string, r *RecordType, kind int, now int64) {
	n := 0
	v := s.sample(r, &n)
	path := "sdk/testdata/wire/" + name
	out[path+".bin"] = v.block(kind, now)
	out[path+".pb"] = v.proto()
	text := &bytes.Buffer{}
	v.json(text, "")
	text.WriteString("\n")
	out[path+".json"] = text.Bytes()
}

// sample is one value: a scalar in n, f or s, or a record or list in fields.
type sample struct {
	kind   Kind
	elem   Kind // of a list
	record *RecordType
	enum   *EnumType
	n      int64
	f      float64
	s      string
	fields []sample
}

// sample fills a record; n numbers the values, so that no two are the same.
func (s *Schema) sample(r *RecordType, n *int) sample {
	v := sample{kind: Record, record: r}
	for i := range r.Fields {
		v.fields = append(v.fields, s.sampleField(&r.Fields[i], r.Fields[i].Kind, n))
	}
	return v
}

func (s *Schema) sampleField(f *Field, kind Kind, n *int) sample {
	*n++
	v := sample{kind: kind, n: int64(*n)}
	switch kind {
	case Bool:
		v.n = 1
	case Int:
		v.n += 1000
		switch {
		case f.GoT == "int64":
			v.n += 1 << 40 // more than 32 bits
		case *n%5 == 0:
			v.n = -v.n
		}
	case Float:
		v.f = float64(*n) + 0.25
	case Time:
		v.n = sampleTime + v.n*1_000_000_001
	case Duration:
		v.n *= 1_500_000_000
	case Enum:
		v.enum = s.Enum(f.Type)
		last := v.enum.Values[len(v.enum.Values)-1]
		v.n = int64(last.N)
		if v.enum.Flags {
			v.n |= int64(v.enum.Values[1].N)
		}
	case String:
		v.s = f.Name + "-" + strconv.Itoa(*n)
		if *n%3 == 0 {
			v.s += "é"
		}
	case Bytes:
		v.s = fmt.Sprintf("%s\x00\xff%d", f.Name, *n)
	case Notes:
		for _, k := range []string{"a.key", "b.other"} {
			*n++
			v.fields = append(v.fields, sample{kind: String, s: k}, sample{kind: String, s: "note-" + strconv.Itoa(*n)})
		}
	case Record:
		return s.sample(s.Record(f.Type), n)
	case List:
		v.elem = f.Elem
		for range 2 {
			v.fields = append(v.fields, s.sampleField(f, f.Elem, n))
		}
	}
	return v
}

// block writes the value as the package comment of sdk/wire says.
func (v *sample) block(kind int, now int64) []byte {
	b := make([]byte, 24+8*len(v.fields))
	binary.LittleEndian.PutUint32(b[4:], uint32(len(v.fields)))
	binary.LittleEndian.PutUint16(b[8:], uint16(kind))
	b[10] = 1
	binary.LittleEndian.PutUint64(b[16:], uint64(now))
	for i := range v.fields {
		b = v.fields[i].slot(b, 24+8*i)
	}
	binary.LittleEndian.PutUint32(b, uint32(len(b)))
	return b
}

// slot writes the value into the slot at, and what it points to at the end.
func (v *sample) slot(b []byte, at int) []byte {
	put := func(off, n int) {
		binary.LittleEndian.PutUint32(b[at:], uint32(off))
		binary.LittleEndian.PutUint32(b[at+4:], uint32(n))
	}
	switch v.kind {
	case Float:
		binary.LittleEndian.PutUint64(b[at:], math.Float64bits(v.f))
	case String, Bytes:
		put(len(b), len(v.s))
		b = append(b, v.s...)
	case Record, Notes, List:
		if len(v.fields) == 0 {
			return b
		}
		for len(b)%8 != 0 {
			b = append(b, 0)
		}
		off := len(b)
		put(off, len(v.fields))
		b = append(b, make([]byte, 8*len(v.fields))...)
		for i := range v.fields {
			b = v.fields[i].slot(b, off+8*i)
		}
	default:
		binary.LittleEndian.PutUint64(b[at:], uint64(v.n))
	}
	return b
}

// proto writes a record as a protobuf message.
func (v *sample) proto() []byte {
	p := pb{}
	for i := range v.fields {
		v.fields[i].field(&p, i+1)
	}
	return p
}

func (v *sample) field(p *pb, number int) {
	switch v.kind {
	case Float:
		p.varint(uint64(number)<<3 | 1)
		*p = binary.LittleEndian.AppendUint64(*p, math.Float64bits(v.f))
	case String, Bytes:
		p.bytes(number, v.s)
	case Record:
		p.bytes(number, string(v.proto()))
	case Notes:
		for i := 0; i < len(v.fields); i += 2 {
			var e pb
			e.bytes(1, v.fields[i].s)
			e.bytes(2, v.fields[i+1].s)
			p.bytes(number, string(e))
		}
	case List:
		if v.elem == Enum {
			var packed pb
			for i := range v.fields {
				packed.varint(uint64(v.fields[i].n))
			}
			p.bytes(number, string(packed))
			return
		}
		for i := range v.fields {
			v.fields[i].field(p, number)
		}
	default:
		p.int(number, v.n)
	}
}

// json writes the value as encoding/json writes the Go type.
func (v *sample) json(b *bytes.Buffer, indent string) {
	deeper := indent + "  "
	between := func(i int) {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n" + deeper)
	}
	switch v.kind {
	case Bool:
		b.WriteString("true")
	case Int, Duration:
		fmt.Fprint(b, v.n)
	case Float:
		fmt.Fprint(b, v.f)
	case Time:
		b.WriteString(time.Unix(0, v.n).UTC().Format(`"` + time.RFC3339Nano + `"`))
	case Enum:
		b.WriteString(strconv.Quote(v.enumText()))
	case String:
		text, _ := json.Marshal(v.s)
		b.Write(text)
	case Bytes:
		b.WriteString(strconv.Quote(base64.StdEncoding.EncodeToString([]byte(v.s))))
	case Notes:
		b.WriteString("{")
		for i := 0; i < len(v.fields); i += 2 {
			between(i)
			fmt.Fprintf(b, "%q: %q", v.fields[i].s, v.fields[i+1].s)
		}
		b.WriteString("\n" + indent + "}")
	case Record:
		b.WriteString("{")
		for i := range v.fields {
			between(i)
			fmt.Fprintf(b, "%q: ", v.record.Fields[i].Name)
			v.fields[i].json(b, deeper)
		}
		if len(v.fields) > 0 {
			b.WriteString("\n" + indent)
		}
		b.WriteString("}")
	case List:
		b.WriteString("[")
		for i := range v.fields {
			between(i)
			v.fields[i].json(b, deeper)
		}
		b.WriteString("\n" + indent + "]")
	}
}

func (v *sample) enumText() string {
	var words []string
	for _, e := range v.enum.Values {
		switch {
		case v.enum.Flags && v.n&int64(e.N) != 0:
			words = append(words, strings.ToUpper(e.Name))
		case !v.enum.Flags && int64(e.N) == v.n:
			words = append(words, e.Name)
		}
	}
	return strings.Join(words, ",")
}
