package gen

import (
	"bytes"
	"fmt"
	"go/format"
	"strings"
)

// generated is the first line of every derived file in Go.
const generated = "// Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.\n\n"

// emitBlock makes the block codec in Go: both directions, for the host and for
// guests in Go.
func emitBlock(s *Schema) (map[string][]byte, error) {
	b := &bytes.Buffer{}
	b.WriteString(generated + "package wire\n\nimport (\n\t\"time\"\n\n\t\"github.com/programmable-mta/mta/sdk\"\n)\n\n")
	fmt.Fprintf(b, "// Records is how many types of record there are.\nconst Records = %d\n\n// The records, as places in [Tables].\nconst (\n", len(s.Records))
	for _, r := range s.Records {
		fmt.Fprintf(b, "\trecord%s = %d\n", r.Name, r.ID)
	}
	b.WriteString(")\n\n// The numbers of the hooks.\nconst (\n")
	for _, h := range s.Hooks {
		fmt.Fprintf(b, "\tHook%s = %d\n", title(h.Info.Name), h.Number)
	}
	b.WriteString(")\n\n// The numbers of the calls.\nconst (\n")
	for _, c := range s.Calls {
		fmt.Fprintf(b, "\tCall%s = %d\n", strings.TrimSuffix(c.Call.Name, "Call"), c.Number)
	}
	b.WriteString(")\n\n")
	for _, r := range s.Records {
		writeRecord(b, r)
		readRecord(b, r)
	}
	readers(b, s)
	for _, h := range s.Hooks {
		n := title(h.Info.Name)
		fmt.Fprintf(b, "// %[1]sEvent makes the block of an event.\nfunc (w *Writer) %[1]sEvent(now time.Time, e *sdk.%[1]sEvent, want *Want) []byte {\n\tw.put%[1]sEvent(w.begin(KindEvent+%[2]d, %[3]d, now, want), e)\n\treturn w.end()\n}\n\n", n, h.Number, len(h.Event.Fields))
		fmt.Fprintf(b, "// Parse%[1]sEvent reads the block of an event.\nfunc Parse%[1]sEvent(s string) (e sdk.%[1]sEvent, now time.Time, err error) {\n\tvar b Block\n\tat, n := b.parse(s, KindEvent+%[2]d)\n\tif b.err == nil {\n\t\tnow = b.Time()\n\t\tb.get%[1]sEvent(at, n, &e)\n\t}\n\treturn e, now, b.err\n}\n\n", n, h.Number)
		if h.Answer == nil {
			continue
		}
		fmt.Fprintf(b, "// %[1]sAnswer makes the block of an answer.\nfunc (w *Writer) %[1]sAnswer(a *sdk.%[4]s) []byte {\n\tw.put%[4]s(w.begin(KindAnswer+%[2]d, %[3]d, time.Time{}, nil), a)\n\treturn w.end()\n}\n\n", n, h.Number, len(h.Answer.Fields), h.Answer.Name)
		fmt.Fprintf(b, "// Parse%[1]sAnswer reads the block of an answer.\nfunc Parse%[1]sAnswer(s string) (a sdk.%[3]s, err error) {\n\tvar b Block\n\tat, n := b.parse(s, KindAnswer+%[2]d)\n\tif b.err == nil {\n\t\tb.get%[3]s(at, n, &a)\n\t}\n\tif b.err != nil {\n\t\treturn sdk.%[3]s{}, b.err\n\t}\n\treturn a, nil\n}\n\n", n, h.Number, h.Answer.Name)
	}
	for _, c := range s.Calls {
		for _, r := range []struct {
			t    *RecordType
			kind string
			word string
		}{{c.Call, "KindCall", "a call"}, {c.Result, "KindResult", "a result"}} {
			fmt.Fprintf(b, "// %[1]s makes the block of %[4]s.\nfunc (w *Writer) %[1]s(v *sdk.%[1]s) []byte {\n\tw.put%[1]s(w.begin(%[2]s+%[3]d, %[5]d, time.Time{}, nil), v)\n\treturn w.end()\n}\n\n", r.t.Name, r.kind, c.Number, r.word, len(r.t.Fields))
			fmt.Fprintf(b, "// Parse%[1]s reads the block of %[4]s.\nfunc Parse%[1]s(s string) (v sdk.%[1]s, err error) {\n\tvar b Block\n\tat, n := b.parse(s, %[2]s+%[3]d)\n\tif b.err == nil {\n\t\tb.get%[1]s(at, n, &v)\n\t}\n\treturn v, b.err\n}\n\n", r.t.Name, r.kind, c.Number, r.word)
		}
	}
	out, err := format.Source(b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("gen: block_gen.go: %w", err)
	}
	table, err := tables(s)
	return map[string][]byte{"sdk/wire/block_gen.go": out, "sdk/wire/tables_gen.go": table}, err
}

// readers makes [wire.Reader], which spares a guest the allocation of what events
// point to.
func readers(b *bytes.Buffer, s *Schema) {
	pointed := map[string]bool{}
	var names []string
	for _, r := range s.Records {
		for _, f := range r.Fields {
			if f.Ptr && !pointed[f.Type] {
				pointed[f.Type] = true
				names = append(names, f.Type)
			}
		}
	}
	b.WriteString("// Reader reads events into memory of its own, one at a time: what an event\n// points to is good until the next one is read. The strings are not among it.\ntype Reader struct {\n")
	for _, n := range names {
		fmt.Fprintf(b, "\trecord%[1]s sdk.%[1]s\n", n)
	}
	b.WriteString("}\n\n")
	for _, n := range names {
		fmt.Fprintf(b, "func (b *Block) new%[1]s() *sdk.%[1]s {\n\tif b.into == nil {\n\t\treturn new(sdk.%[1]s)\n\t}\n\tb.into.record%[1]s = sdk.%[1]s{}\n\treturn &b.into.record%[1]s\n}\n\n", n)
	}
	for _, h := range s.Hooks {
		fmt.Fprintf(b, "// %[1]sEvent reads the block of an event.\nfunc (r *Reader) %[1]sEvent(s string) (e sdk.%[1]sEvent, now time.Time, err error) {\n\tvar b Block\n\tat, n := b.parse(s, KindEvent+%[2]d)\n\tif b.into = r; b.err == nil {\n\t\tnow = b.Time()\n\t\tb.get%[1]sEvent(at, n, &e)\n\t}\n\treturn e, now, b.err\n}\n\n", title(h.Info.Name), h.Number)
	}
}

func title(hook string) string { return strings.ToUpper(hook[:1]) + hook[1:] }

func writeRecord(b *bytes.Buffer, r *RecordType) {
	if len(r.Fields) == 0 {
		fmt.Fprintf(b, "func (w *Writer) put%[1]s(int, *sdk.%[1]s) {}\n\n", r.Name)
		return
	}
	fmt.Fprintf(b, "func (w *Writer) put%[1]s(at int, v *sdk.%[1]s) {\n\tm := w.want[record%[1]s]\n", r.Name)
	for _, f := range r.Fields {
		at := fmt.Sprintf("at+%d", 8*f.Slot)
		cond := fmt.Sprintf("m&(1<<%d) != 0", f.Slot)
		body := ""
		v := "v." + f.Go
		switch f.Kind {
		case Bool:
			body = "w.bool(" + at + ", " + v + ")"
		case Int, Duration, Enum:
			body = "w.int(" + at + ", int64(" + v + "))"
		case Float:
			body = "w.float(" + at + ", " + v + ")"
		case Time:
			body = "w.time(" + at + ", " + v + ")"
		case String:
			body = "w.string(" + at + ", " + v + ")"
		case Bytes:
			body = "w.bytes(" + at + ", " + v + ")"
		case Notes:
			body = "w.notes(" + at + ", " + v + ")"
		case Record:
			ref := "&" + v
			if f.Ptr {
				ref = v
				cond += " && " + v + " != nil"
			}
			body = fmt.Sprintf("w.put%s(w.slots(%s, fields%s), %s)", f.Type, at, f.Type, ref)
		case List:
			if f.Elem == String {
				body = "w.strings(" + at + ", " + v + ")"
				break
			}
			cond += " && len(" + v + ") != 0"
			inner := fmt.Sprintf("w.put%[1]s(w.slots(off+8*i, fields%[1]s), &%[2]s[i])", f.Type, v)
			if f.Elem == Enum {
				inner = "w.int(off+8*i, int64(" + v + "[i]))"
			}
			body = fmt.Sprintf("off := w.slots(%s, len(%s))\n\t\tfor i := range %s {\n\t\t\t%s\n\t\t}", at, v, v, inner)
		}
		fmt.Fprintf(b, "\tif %s {\n\t\t%s\n\t}\n", cond, body)
	}
	b.WriteString("}\n\n")
}

func readRecord(b *bytes.Buffer, r *RecordType) {
	fmt.Fprintf(b, "const fields%s = %d\n\n", r.Name, len(r.Fields))
	if len(r.Fields) == 0 {
		fmt.Fprintf(b, "func (b *Block) get%[1]s(int, int, *sdk.%[1]s) {}\n\n", r.Name)
		return
	}
	fmt.Fprintf(b, "func (b *Block) get%[1]s(at, n int, v *sdk.%[1]s) {\n", r.Name)
	for _, f := range r.Fields {
		at := fmt.Sprintf("at+%d", 8*f.Slot)
		v := "v." + f.Go
		body := ""
		switch f.Kind {
		case Bool:
			body = v + " = b.slot(" + at + ") != 0"
		case Int:
			body = v + " = " + f.GoT + "(b.slot(" + at + "))"
		case Duration:
			body = v + " = time.Duration(b.int(" + at + "))"
		case Enum:
			body = "if b.slot(" + at + ") != 0 {\n\t\t\t" + v + " = sdk." + f.Type + "(b.enum(" + at + "))\n\t\t}"
		case Float:
			body = v + " = b.float(" + at + ")"
		case Time:
			body = "if b.slot(" + at + ") != 0 {\n\t\t\t" + v + " = b.time(" + at + ")\n\t\t}"
		case String:
			body = "if x := b.slot(" + at + "); x != 0 {\n\t\t\t" + v + " = b.text(x)\n\t\t}"
		case Bytes:
			body = v + " = b.bytes(" + at + ")"
		case Notes:
			body = "if b.slot(" + at + ") != 0 {\n\t\t\t" + v + " = b.notes(" + at + ")\n\t\t}"
		case Record:
			if f.Ptr {
				body = fmt.Sprintf("if off, m := b.sub(%s); off != 0 {\n\t\t\t%s = b.new%s()\n\t\t\tb.get%s(off, m, %s)\n\t\t}", at, v, f.Type, f.Type, v)
			} else {
				body = fmt.Sprintf("off, m := b.sub(%s)\n\t\tb.get%s(off, m, &%s)", at, f.Type, v)
			}
		case List:
			switch f.Elem {
			case String:
				body = "if b.slot(" + at + ") != 0 {\n\t\t\t" + v + " = b.strings(" + at + ")\n\t\t}"
			case Enum:
				body = fmt.Sprintf("if off, m := b.sub(%s); m > 0 {\n\t\t\t%s = make([]sdk.%s, m)\n\t\t\tfor i := range %s {\n\t\t\t\t%s[i] = sdk.%s(b.enum(off + 8*i))\n\t\t\t}\n\t\t}", at, v, f.Type, v, v, f.Type)
			default:
				body = fmt.Sprintf("if off, m := b.sub(%s); m > 0 {\n\t\t\t%s = make([]sdk.%s, m)\n\t\t\tfor i := range %s {\n\t\t\t\tel, k := b.element(off + 8*i)\n\t\t\t\tb.get%s(el, k, &%s[i])\n\t\t\t}\n\t\t}", at, v, f.Type, v, f.Type, v)
			}
		}
		fmt.Fprintf(b, "\tif n > %d {\n\t\t%s\n\t}\n", f.Slot, body)
	}
	b.WriteString("}\n\n")
}

// tables makes the field tables, for the names of wanted fields and for people.
func tables(s *Schema) ([]byte, error) {
	b := &bytes.Buffer{}
	b.WriteString(generated + "package wire\n\n// Tables are the fields of each record, in the order of their slots.\nvar Tables = [Records]RecordInfo{\n")
	for _, r := range s.Records {
		fmt.Fprintf(b, "\t{%q, []FieldInfo{\n", r.Name)
		for _, f := range r.Fields {
			record := "-1"
			if f.Kind == Record || f.Kind == List && f.Elem == Record {
				record = "record" + f.Type
			}
			fmt.Fprintf(b, "\t\t{%q, %q, %s, %q},\n", f.Name, f.ForPeople(), record, strings.ReplaceAll(f.Doc, "\n", " "))
		}
		b.WriteString("\t}},\n")
	}
	b.WriteString("}\n\n// eventRecords are the records of the events by the name of their hook.\nvar eventRecords = map[string]int{\n")
	for _, h := range s.Hooks {
		fmt.Fprintf(b, "\t%q: record%s,\n", h.Info.Name, h.Event.Name)
	}
	b.WriteString("}\n")
	return format.Source(b.Bytes())
}

// ForPeople is the type of a field as the documentation calls it.
func (f *Field) ForPeople() string {
	switch f.Kind {
	case Bool:
		return "yes/no"
	case Int:
		return "integer"
	case Float:
		return "number"
	case Time:
		return "time"
	case Duration:
		return "duration"
	case Bytes:
		return "bytes"
	case Notes:
		return "notes"
	case Enum, Record:
		return f.Type
	case List:
		if f.Elem == String {
			return "list of string"
		}
		return "list of " + f.Type
	}
	return "string"
}
