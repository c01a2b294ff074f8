package gen

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// emitAssemblyScriptCheck makes a guest that compares every field of the golden
// events with what they hold, and answers the golden answers.
func emitAssemblyScriptCheck(s *Schema) (map[string][]byte, error) {
	b := &bytes.Buffer{}
	b.WriteString("// Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.\n\nimport * as m from \"../../assembly\";\nexport * from \"../../assembly/exports\";\n")
	b.WriteString(asCheckHelpers)
	for _, h := range s.Hooks {
		n := 0
		event := s.sample(h.Event, &n)
		answer, value := "void", ""
		body := &bytes.Buffer{}
		asCompare(body, &event, "e", h.Info.Name)
		if h.Answer != nil {
			n = 0
			sample := s.sample(h.Answer, &n)
			answer, value = "m."+h.Answer.Name, "  return a;\n"
			fmt.Fprintf(body, "  const a = new m.%s();\n", h.Answer.Name)
			next := 0
			asAssign(body, &sample, "a", &next)
		}
		fmt.Fprintf(b, "\nfunction on%s(e: m.%s): %s {\n%s%s}\n", title(h.Info.Name), h.Event.Name, answer, body, value)
	}
	b.WriteString("\nm.plugin.named(\"selfcheck\", \"1.0.0\");\n")
	for _, h := range s.Hooks {
		fmt.Fprintf(b, "m.plugin.on%[1]s(on%[1]s);\n", title(h.Info.Name))
	}
	return map[string][]byte{"sdk/assemblyscript/testdata/selfcheck/index.ts": b.Bytes()}, nil
}

const asCheckHelpers = `
function same<T>(what: string, got: T, want: T): void {
  if (got != want) m.fail(what + " is not as it should be");
}

function octets(text: string): Uint8Array {
  const b = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) b[i] = text.charCodeAt(i) as u8;
  return b;
}
`

// asText is a string constant; octets that are no text become code points.
func asText(s string) string {
	if utf8.ValidString(s) {
		return strconv.QuoteToASCII(s)
	}
	b := &strings.Builder{}
	b.WriteByte('"')
	for i := range len(s) {
		fmt.Fprintf(b, "\\u%04x", s[i])
	}
	b.WriteByte('"')
	return b.String()
}

func asConstant(v *sample) string {
	switch v.kind {
	case Bool:
		return "true"
	case Float:
		return strconv.FormatFloat(v.f, 'g', -1, 64)
	case Enum:
		return fmt.Sprintf("%d as m.%s", v.n, v.enum.Name)
	case String:
		return asText(v.s)
	}
	return strconv.FormatInt(v.n, 10)
}

// asCompare writes the comparisons of the record that an expression gives.
func asCompare(b *bytes.Buffer, v *sample, at, what string) {
	for i := range v.fields {
		f := &v.fields[i]
		name := v.record.Fields[i].Name
		path, place := what+"."+name, at+"."+asWord(name)
		switch f.kind {
		case Record:
			asCompare(b, f, place, path)
		case Notes:
			fmt.Fprintf(b, "  same<i32>(%q, %s.size, %d);\n", path, place, len(f.fields)/2)
			for k := 0; k < len(f.fields); k += 2 {
				fmt.Fprintf(b, "  same<string>(%q, %s.get(%s), %s);\n", path, place, asText(f.fields[k].s), asText(f.fields[k+1].s))
			}
		case List:
			fmt.Fprintf(b, "  same<i32>(%q, %s.length, %d);\n", path, place, len(f.fields))
			for k := range f.fields {
				element := fmt.Sprintf("%s[%d]", place, k)
				if f.elem == Record {
					asCompare(b, &f.fields[k], element, path)
				} else {
					fmt.Fprintf(b, "  same<string>(%q, %s, %s);\n", path, element, asText(f.fields[k].s))
				}
			}
		default:
			fmt.Fprintf(b, "  same<%s>(%q, %s, %s);\n", strings.Replace(asType(v.record.Fields[i]), v.record.Fields[i].Type, asQualified(v.record.Fields[i]), 1), path, place, asConstant(f))
		}
	}
}

func asQualified(f Field) string {
	if f.Type == "" {
		return ""
	}
	return "m." + f.Type
}

// asAssign fills the record that an expression names.
func asAssign(b *bytes.Buffer, v *sample, at string, next *int) {
	for i := range v.fields {
		f := &v.fields[i]
		place := at + "." + asWord(v.record.Fields[i].Name)
		switch f.kind {
		case Record:
			asAssign(b, f, place, next)
		case Bytes:
			fmt.Fprintf(b, "  %s = octets(%s);\n", place, asText(f.s))
		case Notes:
			for k := 0; k < len(f.fields); k += 2 {
				fmt.Fprintf(b, "  %s.set(%s, %s);\n", place, asText(f.fields[k].s), asText(f.fields[k+1].s))
			}
		case List:
			for k := range f.fields {
				if f.elem != Record {
					fmt.Fprintf(b, "  %s.push(%s);\n", place, asText(f.fields[k].s))
					continue
				}
				*next++
				name := fmt.Sprintf("x%d", *next)
				fmt.Fprintf(b, "  const %s = new m.%s();\n", name, f.fields[k].record.Name)
				asAssign(b, &f.fields[k], name, next)
				fmt.Fprintf(b, "  %s.push(%s);\n", place, name)
			}
		default:
			fmt.Fprintf(b, "  %s = %s;\n", place, asConstant(f))
		}
	}
}
