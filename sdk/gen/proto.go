package gen

import (
	"bytes"
	"fmt"
	"go/format"
)

// emitProto makes the twin of the schema for process plugins: the .proto that
// other languages are generated from, the codec in Go, and the tables that join
// hooks with messages on both sides.
func emitProto(s *Schema) (map[string][]byte, error) {
	m := protoModel(s)
	out := map[string][]byte{
		"sdk/proto/mta.proto":                protoText(m),
		"sdk/python/mta_plugin/_schema.py":   pythonSchema(m),
		"sdk/python/mta_plugin/messages.pyi": pythonTypes(m),
	}
	for path, src := range map[string][]byte{
		"sdk/wire/proto_gen.go":             protoCodec(s),
		"sdk/serve/process_gen.go":          serveTable(s),
		"core/runtime/process/hooks_gen.go": hostTable(s),
	} {
		made, err := format.Source(src)
		if err != nil {
			return nil, fmt.Errorf("gen: %s: %w\n%s", path, err, src)
		}
		out[path] = made
	}
	return out, nil
}

// protoCodec makes the methods of ProtoWriter and the functions Unmarshal….
func protoCodec(s *Schema) []byte {
	b := &bytes.Buffer{}
	b.WriteString(generated + "package wire\n\nimport (\n\t\"fmt\"\n\t\"time\"\n\n\t\"github.com/programmable-mta/mta/sdk\"\n)\n\n")
	for _, r := range s.Records {
		protoPut(b, r)
		protoGet(b, r)
	}
	top := func(r *RecordType, event bool) {
		arg, set := "", "w.wants(nil)"
		if event {
			arg, set = ", want *Want", "w.wants(want)"
		}
		fmt.Fprintf(b, "// %[1]s writes the fields of a %[1]s.\nfunc (w *ProtoWriter) %[1]s(v *sdk.%[1]s%[2]s) {\n\t%[3]s\n\tw.put%[1]s(v)\n}\n\n", r.Name, arg, set)
		fmt.Fprintf(b, "// Unmarshal%[1]s reads a %[1]s.\nfunc Unmarshal%[1]s(s string) (v sdk.%[1]s, err error) {\n\tr := NewProtoReader(s)\n\tr.get%[1]s(&v)\n\tif err := r.Err(); err != nil {\n\t\treturn sdk.%[1]s{}, err\n\t}\n\treturn v, nil\n}\n\n", r.Name)
	}
	done := map[*RecordType]bool{nil: true}
	for _, h := range s.Hooks {
		top(h.Event, true)
		if !done[h.Answer] {
			done[h.Answer] = true
			top(h.Answer, false)
		}
	}
	for _, c := range s.Calls {
		top(c.Call, false)
		top(c.Result, false)
	}
	b.WriteString("// CallFromProto turns the request of a call, by its number, from protobuf into a\n// block.\nfunc CallFromProto(number int, s string, w *Writer) ([]byte, error) {\n\tswitch number {\n")
	for _, c := range s.Calls {
		fmt.Fprintf(b, "\tcase %d:\n\t\tv, err := Unmarshal%[2]s(s)\n\t\tif err != nil {\n\t\t\treturn nil, err\n\t\t}\n\t\treturn w.%[2]s(&v), nil\n", c.Number, c.Call.Name)
	}
	b.WriteString("\t}\n\treturn nil, fmt.Errorf(\"wire: there is no call %d\", number)\n}\n\n// ResultToProto turns the result of a call, by its number, from a block into\n// protobuf.\nfunc ResultToProto(number int, block string, w *ProtoWriter) error {\n\tswitch number {\n")
	for _, c := range s.Calls {
		fmt.Fprintf(b, "\tcase %d:\n\t\tv, err := Parse%[2]s(block)\n\t\tif err == nil {\n\t\t\tw.%[2]s(&v)\n\t\t}\n\t\treturn err\n", c.Number, c.Result.Name)
	}
	b.WriteString("\t}\n\treturn fmt.Errorf(\"wire: there is no call %d\", number)\n}\n")
	return b.Bytes()
}

func protoPut(b *bytes.Buffer, r *RecordType) {
	if len(r.Fields) == 0 {
		fmt.Fprintf(b, "func (w *ProtoWriter) put%[1]s(*sdk.%[1]s) {}\n\n", r.Name)
		return
	}
	fmt.Fprintf(b, "func (w *ProtoWriter) put%[1]s(v *sdk.%[1]s) {\n\tm := w.want[record%[1]s]\n", r.Name)
	for _, f := range r.Fields {
		n, v := f.Slot+1, "v."+f.Go
		cond := fmt.Sprintf("m&(1<<%d) != 0", f.Slot)
		body := ""
		switch f.Kind {
		case Bool:
			body = fmt.Sprintf("w.bool(%d, %s)", n, v)
		case Int, Duration, Enum:
			body = fmt.Sprintf("w.Int(%d, int64(%s))", n, v)
		case Float:
			body = fmt.Sprintf("w.float(%d, %s)", n, v)
		case Time:
			body = fmt.Sprintf("w.Time(%d, %s)", n, v)
		case String:
			body = fmt.Sprintf("w.String(%d, %s)", n, v)
		case Bytes:
			body = fmt.Sprintf("w.Blob(%d, %s)", n, v)
		case Notes:
			body = fmt.Sprintf("w.notes(%d, %s)", n, v)
		case Record:
			if f.Ptr {
				cond += " && " + v + " != nil"
				body = fmt.Sprintf("at := w.Begin(%d)\n\t\tw.put%s(%s)\n\t\tw.End(at)", n, f.Type, v)
			} else {
				body = fmt.Sprintf("start := len(w.b)\n\t\tat := w.Begin(%d)\n\t\tw.put%s(&%s)\n\t\tw.drop(start, at)", n, f.Type, v)
			}
		case List:
			switch f.Elem {
			case String:
				body = fmt.Sprintf("w.Strings(%d, %s)", n, v)
			case Enum:
				cond += " && len(" + v + ") != 0"
				body = fmt.Sprintf("at := w.Begin(%d)\n\t\tfor _, e := range %s {\n\t\t\tw.b = appendVarint(w.b, uint64(e))\n\t\t}\n\t\tw.End(at)", n, v)
			default:
				body = fmt.Sprintf("for i := range %s {\n\t\t\tat := w.Begin(%d)\n\t\t\tw.put%s(&%s[i])\n\t\t\tw.End(at)\n\t\t}", v, n, f.Type, v)
			}
		}
		fmt.Fprintf(b, "\tif %s {\n\t\t%s\n\t}\n", cond, body)
	}
	b.WriteString("}\n\n")
}

func protoGet(b *bytes.Buffer, r *RecordType) {
	if len(r.Fields) == 0 {
		fmt.Fprintf(b, "func (r *ProtoReader) get%[1]s(*sdk.%[1]s) {\n\tfor r.Next() {\n\t}\n}\n\n", r.Name)
		return
	}
	fmt.Fprintf(b, "func (r *ProtoReader) get%[1]s(v *sdk.%[1]s) {\n\tfor r.Next() {\n\t\tswitch r.Field {\n", r.Name)
	for _, f := range r.Fields {
		v := "v." + f.Go
		body := ""
		switch f.Kind {
		case Bool:
			body = v + " = r.bool()"
		case Int:
			body = v + " = " + f.GoT + "(r.Int())"
		case Duration:
			body = v + " = time.Duration(r.Int())"
		case Enum:
			body = v + " = sdk." + f.Type + "(r.enum())"
		case Float:
			body = v + " = r.float()"
		case Time:
			body = v + " = r.Time()"
		case String:
			body = v + " = r.Text()"
		case Bytes:
			body = v + " = r.bytes()"
		case Notes:
			body = "r.note(&" + v + ")"
		case Record:
			if f.Ptr {
				body = fmt.Sprintf("if %s == nil {\n\t\t\t\t%s = new(sdk.%s)\n\t\t\t}\n\t\t\te := r.sub(r.Text())\n\t\t\te.get%s(%s)", v, v, f.Type, f.Type, v)
			} else {
				body = fmt.Sprintf("e := r.sub(r.Text())\n\t\t\te.get%s(&%s)", f.Type, v)
			}
		case List:
			switch f.Elem {
			case String:
				body = v + " = append(" + v + ", r.Element())"
			case Enum:
				body = fmt.Sprintf("for e := r.sub(r.Text()); e.S != \"\" && r.Err() == nil; {\n\t\t\t\t%s = append(%s, sdk.%s(e.varint()))\n\t\t\t}", v, v, f.Type)
			default:
				body = fmt.Sprintf("e := r.sub(r.Element())\n\t\t\t%s = append(%s, sdk.%s{})\n\t\t\te.get%s(&%s[len(%s)-1])", v, v, f.Type, f.Type, v, v)
			}
		}
		fmt.Fprintf(b, "\t\tcase %d:\n\t\t\t%s\n", f.Slot+1, body)
	}
	b.WriteString("\t\t}\n\t}\n}\n\n")
}

func has(r *RecordType, goName string) bool {
	for _, f := range r.Fields {
		if f.Go == goName {
			return true
		}
	}
	return false
}

// hostTable joins the hooks of a loaded plugin with their messages.
func hostTable(s *Schema) []byte {
	b := &bytes.Buffer{}
	b.WriteString(generated + "package process\n\nimport (\n\t\"github.com/programmable-mta/mta/core/runtime/call\"\n\t\"github.com/programmable-mta/mta/sdk\"\n\t\"github.com/programmable-mta/mta/sdk/wire\"\n)\n\n// bind gives hs the hooks that the plugin named in its description.\nfunc (p *plugin) bind(hs *sdk.Handlers) {\n")
	for _, h := range s.Hooks {
		n := title(h.Info.Name)
		answer, parse := "sdk.None", "func(string) (sdk.None, error) { return sdk.None{}, nil }"
		if h.Answer != nil {
			answer, parse = "sdk."+h.Answer.Name, "wire.Unmarshal"+h.Answer.Name
		}
		about := "nil"
		if has(h.Event, "Message") {
			about = "func(e *sdk." + n + "Event, s *call.Scope) { s.Message = e.Message }"
			if h.Info.Name == "deliver" {
				about = "func(e *sdk." + n + "Event, s *call.Scope) { s.Message, s.Deliver = e.Message, e }"
			}
		}
		fmt.Fprintf(b, "\tif want, ok := p.wants[%q]; ok {\n\t\ths.%[2]s = ask(p, &hook[sdk.%[2]sEvent, %[3]s]{%[1]q, wire.Hook%[2]s, want, (*wire.ProtoWriter).%[2]sEvent, %[4]s, %[5]s})\n\t}\n", h.Info.Name, n, answer, parse, about)
	}
	b.WriteString("}\n")
	return b.Bytes()
}

// serveTable joins the hooks of a plugin value with their messages.
func serveTable(s *Schema) []byte {
	b := &bytes.Buffer{}
	b.WriteString("//go:build !wasip1\n\n" + generated + "package serve\n\nimport (\n\t\"github.com/programmable-mta/mta/sdk\"\n\t\"github.com/programmable-mta/mta/sdk/wire\"\n)\n\n// answerers are the hooks that a plugin has, by their numbers.\nfunc answerers(hs *sdk.Handlers) map[int]answerer {\n\tm := map[int]answerer{}\n")
	for _, h := range s.Hooks {
		n := title(h.Info.Name)
		write := "nil"
		if h.Answer != nil {
			write = "(*wire.ProtoWriter)." + h.Answer.Name
		}
		bind := "nil"
		if has(h.Event, "Message") {
			bind = "func(e *sdk." + n + "Event, open func(*sdk.Message)) { open(&e.Message) }"
		}
		fmt.Fprintf(b, "\tif hs.%[1]s != nil {\n\t\tm[wire.Hook%[1]s] = answer(hs.%[1]s, wire.Unmarshal%[1]sEvent, %[2]s, %[3]s)\n\t}\n", n, write, bind)
	}
	b.WriteString("\treturn m\n}\n")
	return b.Bytes()
}
