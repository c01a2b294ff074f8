package gen

import (
	"bytes"
	_ "embed" // the parts of the SDK that are written by hand
	"fmt"
	"strings"
)

var (
	//go:embed fragments/mta.js
	jsFragment string
	//go:embed fragments/mta.d.ts
	jsTypesFragment string
)

// jsMark is where the generated part of a fragment goes.
const jsMark = "/*GENERATED*/\n"

const jsNotice = "// Code generated from the types of the sdk and sdk/gen/fragments by sdk/gen; DO NOT EDIT.\n\n"

// emitJS makes the JavaScript SDK: what runs below a script in its engine, and
// the types that editors show.
func emitJS(s *Schema) (map[string][]byte, error) {
	code, types := &bytes.Buffer{}, &bytes.Buffer{}
	read, written := s.directions()
	event, result := s.readers()
	fmt.Fprintf(code, "const MINOR = %d;\n\n", jsMinor)
	for _, e := range s.Enums {
		jsEnum(code, types, e)
	}
	for _, r := range s.Records {
		if event[r.Name] {
			jsView(code, s, r)
		}
		if result[r.Name] {
			jsGot(code, r)
		}
		if written[r.Name] {
			jsPut(code, s, r)
		}
		if read[r.Name] || written[r.Name] {
			jsInterface(types, s, r, read[r.Name], written[r.Name])
		}
	}
	jsTables(code, types, s)
	out := map[string][]byte{}
	for path, x := range map[string]struct{ fragment, made string }{
		"sdk/js/mta.js":   {jsFragment, code.String()},
		"sdk/js/mta.d.ts": {jsTypesFragment, types.String()},
	} {
		before, after, ok := strings.Cut(x.fragment, jsMark)
		if !ok {
			return nil, fmt.Errorf("gen: the fragment of %s has no %q", path, jsMark)
		}
		out[path] = []byte(jsNotice + before + x.made + after)
	}
	return out, nil
}

// jsMinor is the minor version of the contract; a test of sdk/js compares it.
const jsMinor = 1

// readers are the records that events hold and those that results hold.
func (s *Schema) readers() (event, result map[string]bool) {
	event, result = map[string]bool{}, map[string]bool{}
	var walk func(r *RecordType, seen map[string]bool)
	walk = func(r *RecordType, seen map[string]bool) {
		if r == nil || seen[r.Name] {
			return
		}
		seen[r.Name] = true
		for _, f := range r.Fields {
			walk(s.records[f.Type], seen)
		}
	}
	for _, h := range s.Hooks {
		walk(h.Event, event)
	}
	for _, c := range s.Calls {
		walk(c.Result, result)
	}
	return event, result
}

func jsEnum(code, types *bytes.Buffer, e *EnumType) {
	fmt.Fprintf(code, "const %s = { __proto__: null", e.Name)
	var words []string
	for _, v := range e.Values {
		name := v.Name
		if e.Flags {
			name = strings.ToUpper(name)
		}
		fmt.Fprintf(code, ", %q: %d", name, v.N)
		words = append(words, fmt.Sprintf("%q", name))
	}
	code.WriteString(" };\n")
	if !e.Flags {
		fmt.Fprintf(code, "const %sNames = [];\nfor (const k in %s) %sNames[%s[k]] = k;\n", e.Name, e.Name, e.Name, e.Name)
	}
	if e.Name == "CallCode" {
		code.WriteString("const CODES = CallCodeNames;\n")
	}
	code.WriteString("\n")
	asDoc(types, "", e.Doc)
	if e.Flags {
		fmt.Fprintf(types, "export type %s = string; // %s, joined with commas\n\n", e.Name, strings.Join(words, ", "))
		return
	}
	fmt.Fprintf(types, "export type %s = %s;\n\n", e.Name, strings.Join(words, " | "))
}

// jsView is a record of an event: getters that read the inbox. A place is in
// words of four octets, a slot has two of them.
func jsView(b *bytes.Buffer, s *Schema, r *RecordType) {
	fmt.Fprintf(b, "class %s extends View {\n  static fields = [", r.Name)
	for i, f := range r.Fields {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(b, "%q", f.Name)
	}
	b.WriteString("];\n")
	for _, f := range r.Fields {
		fmt.Fprintf(b, "  get %s() { %s }\n", f.Name, jsRead(f))
	}
	b.WriteString("}\n\n")
}

func jsRead(f Field) string {
	w := fmt.Sprintf("this.a + %d", 2*f.Slot)
	switch f.Kind {
	case Bool:
		return "return u32[" + w + "] !== 0;"
	case Int:
		return "return int(" + w + ");"
	case Float:
		return "return f64[(" + w + ") >>> 1];"
	case Time:
		return "return millis(" + w + ");"
	case Duration:
		return "return int(" + w + ") / 1e6;"
	case Enum:
		if f.Type == "Notify" {
			return "return flags(u32[" + w + "], Notify);"
		}
		return "return " + f.Type + "Names[u32[" + w + "]];"
	case String:
		return "const w = " + w + "; return u32[w + 1] === 0 ? \"\" : text(w);"
	case Notes:
		return "return notes(" + w + ");"
	case Record:
		return fmt.Sprintf("let v = this.s%[1]d; if (v === undefined) Object.defineProperty(this, \"s%[1]d\", { value: v = new %[2]s() }); v.a = (u32[%[3]s] >>> 2) || ZERO; return v;", f.Slot, f.Type, w)
	case List:
		if f.Elem == Record {
			return "return views(" + w + ", " + f.Type + ");"
		}
		return "return strings(" + w + ");"
	}
	return "return bytes(" + w + ");"
}

// jsGot reads a record of a result at once.
func jsGot(b *bytes.Buffer, r *RecordType) {
	fmt.Fprintf(b, "function got%s(w) {\n  return {\n", r.Name)
	for _, f := range r.Fields {
		w := fmt.Sprintf("w + %d", 2*f.Slot)
		v := ""
		switch f.Kind {
		case Bool:
			v = "r32[" + w + "] !== 0"
		case Int:
			v = "gotInt(" + w + ")"
		case Float:
			v = "rf64[(" + w + ") >>> 1]"
		case Time:
			v = "gotMillis(" + w + ")"
		case Duration:
			v = "gotInt(" + w + ") / 1e6"
		case Enum:
			v = f.Type + "Names[r32[" + w + "]]"
		case String:
			v = "gotString(" + w + ")"
		case Bytes:
			v = "gotBytes(" + w + ")"
		case Record:
			v = "got" + f.Type + "(r32[" + w + "] >>> 2)"
		case List:
			v = "gotStrings(" + w + ")"
			if f.Elem == Record {
				v = "gotList(" + w + ", got" + f.Type + ")"
			}
		}
		fmt.Fprintf(b, "    %s: %s,\n", f.Name, v)
	}
	b.WriteString("  };\n}\n\n")
}

// jsPut writes a record of an answer or call. A reply may also lie flat in what
// has it: {action: "reject", code: 550, text: "no"}.
func jsPut(b *bytes.Buffer, s *Schema, r *RecordType) {
	fmt.Fprintf(b, "const keys%s = { __proto__: null", r.Name)
	for _, f := range r.Fields {
		fmt.Fprintf(b, ", %s: true", f.Name)
		if f.Type == "Reply" {
			for _, inner := range s.records["Reply"].Fields {
				fmt.Fprintf(b, ", %s: true", inner.Name)
			}
		}
	}
	fmt.Fprintf(b, " };\nfunction put%s(at, v) {\n", r.Name)
	for _, f := range r.Fields {
		at := fmt.Sprintf("at + %d", 2*f.Slot)
		v := "v." + f.Name
		name := fmt.Sprintf("%q", f.Name)
		switch f.Kind {
		case Bool:
			fmt.Fprintf(b, "  putBool(%s, %s);\n", at, v)
		case Int:
			fmt.Fprintf(b, "  putInt(%s, %s, %s);\n", at, v, name)
		case Float:
			fmt.Fprintf(b, "  putFloat(%s, %s, %s);\n", at, v, name)
		case Time, Duration:
			fmt.Fprintf(b, "  putMillis(%s, %s, %s);\n", at, v, name)
		case Enum:
			put := "putEnum"
			if s.enums[f.Type].Flags {
				put = "putFlags"
			}
			fmt.Fprintf(b, "  %s(%s, %s, %s, %s);\n", put, at, v, name, f.Type)
		case String:
			fmt.Fprintf(b, "  putString(%s, %s, %s);\n", at, v, name)
		case Bytes:
			fmt.Fprintf(b, "  putBytes(%s, %s, %s);\n", at, v, name)
		case Notes:
			fmt.Fprintf(b, "  putNotes(%s, %s, %s);\n", at, v, name)
		case Record:
			n := len(s.records[f.Type].Fields)
			if f.Type == "Reply" {
				fmt.Fprintf(b, "  const reply = v.reply === undefined ? v : v.reply;\n  if (reply.code || reply.enhanced || reply.text) putReply(slots(%s, %d), reply);\n", at, n)
				continue
			}
			fmt.Fprintf(b, "  if (%s !== undefined && %s !== null) {\n    known(%s, keys%s, %s);\n    put%s(slots(%s, %d), %s);\n  }\n", v, v, v, f.Type, name, f.Type, at, n, v)
		case List:
			if f.Elem == String {
				fmt.Fprintf(b, "  putStrings(%s, %s, %s);\n", at, v, name)
				continue
			}
			fmt.Fprintf(b, "  putList(%s, %s, %s, %d, checked%s);\n", at, v, name, len(s.records[f.Type].Fields), f.Type)
		}
	}
	fmt.Fprintf(b, "}\nfunction checked%[1]s(at, v) {\n  known(v, keys%[1]s, %[2]q);\n  put%[1]s(at, v);\n}\n\n", r.Name, strings.ToLower(r.Name[:1])+r.Name[1:])
}

// jsTables joins hooks and calls with their codecs, for the engine and for
// editors.
func jsTables(code, types *bytes.Buffer, s *Schema) {
	code.WriteString("const HOOKS = {\n  __proto__: null,\n")
	for _, h := range s.Hooks {
		enc, plain := "() => 0", "null"
		if h.Answer != nil {
			if f := h.Answer.Fields[0]; f.Name == "action" {
				plain = f.Type
			}
			enc = fmt.Sprintf("(r) => answered(r, %d, %d, keys%s, put%s, %s)", 256+h.Number, len(h.Answer.Fields), h.Answer.Name, h.Answer.Name, plain)
		}
		fmt.Fprintf(code, "  %s: { event: %s, kind: %d, plain: %s, encode: %s },\n", h.Info.Name, h.Event.Name, 256+h.Number, plain, enc)
	}
	code.WriteString("};\n\n")
	for _, c := range s.Calls {
		fmt.Fprintf(code, "const CALL_%s = %d;\n", strings.ToUpper(c.Info.Name), c.Number)
	}
	code.WriteString("\n")
	for _, c := range s.Calls {
		fmt.Fprintf(code, "function asked_%s(v) {\n  put%s(begin(%d, %d), v);\n  ask(%d, %q);\n  return got%s(6);\n}\n", c.Info.Name, c.Call.Name, 512+c.Number, len(c.Call.Fields), c.Number, c.Info.Name, c.Result.Name)
	}
	types.WriteString("/** The hooks that a plugin can export. */\nexport interface Hooks {\n")
	for _, h := range s.Hooks {
		asDoc(types, "  ", strings.ReplaceAll(h.Doc, title(h.Info.Name)+"Hook", "on"+title(h.Info.Name)))
		answer := "void"
		switch {
		case h.Answer == nil:
		case h.Answer.Fields[0].Name == "action":
			answer = h.Answer.Fields[0].Type + " | " + h.Answer.Name + " | void"
			if h.Answer.Name == "Answer" {
				answer = "Decision | " + answer
			}
		case h.Answer.Name == "DeliverAnswer":
			answer = "DeliverAnswer | Outcome[]"
		default:
			answer = h.Answer.Name + " | void"
		}
		fmt.Fprintf(types, "  on%s?(e: %s): %s | Promise<%s>;\n", title(h.Info.Name), h.Event.Name, answer, answer)
	}
	types.WriteString("}\n")
}

func jsInterface(b *bytes.Buffer, s *Schema, r *RecordType, read, written bool) {
	if strings.HasSuffix(r.Name, "Call") && r.Name != "SendCall" || strings.HasSuffix(r.Name, "Result") {
		return // seen through host only
	}
	asDoc(b, "", r.Doc)
	fmt.Fprintf(b, "export interface %s {\n", r.Name)
	mark := ""
	if written {
		mark = "?"
	}
	for _, f := range r.Fields {
		doc := f.Doc
		switch f.Kind {
		case Time:
			doc += "; milliseconds since 1970, 0: none"
		case Duration:
			doc += "; milliseconds"
		}
		asDoc(b, "  ", strings.TrimPrefix(doc, "; "))
		fmt.Fprintf(b, "  %s%s: %s;\n", f.Name, mark, jsType(f, written))
		if f.Type == "Reply" && written {
			for _, inner := range s.records["Reply"].Fields {
				fmt.Fprintf(b, "  /** as reply.%s */\n  %s?: %s;\n", inner.Name, inner.Name, jsType(inner, true))
			}
		}
	}
	b.WriteString("}\n\n")
}

func jsType(f Field, written bool) string {
	switch f.Kind {
	case Bool:
		return "boolean"
	case Int, Float:
		return "number"
	case Time, Duration:
		if written {
			return "number | string | Date"
		}
		return "number"
	case String:
		return "string"
	case Bytes:
		if written {
			return "Uint8Array | string"
		}
		return "Uint8Array"
	case Notes:
		return "Record<string, string>"
	case List:
		if f.Elem == String {
			return "string[]"
		}
		return f.Type + "[]"
	}
	return f.Type
}
