package gen

import (
	"bytes"
	"fmt"
	"strings"
)

// emitAssemblyScript makes the types of the AssemblyScript SDK. Records of
// events and results are views, which read the block; those of answers and
// calls are classes with fields.
func emitAssemblyScript(s *Schema) (map[string][]byte, error) {
	b := &bytes.Buffer{}
	b.WriteString("// Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.\n\n")
	b.WriteString("import { Out, Rec, View } from \"./block\";\n\n")
	for _, e := range s.Enums {
		asDoc(b, "", e.Doc)
		fmt.Fprintf(b, "export enum %s {\n", e.Name)
		if e.Flags {
			b.WriteString("  None = 0,\n")
		}
		for _, v := range e.Values {
			asDoc(b, "  ", v.Doc)
			fmt.Fprintf(b, "  %s = %d,\n", asEnumValue(e, v), v.N)
		}
		b.WriteString("}\n\n")
	}
	read, written := s.directions()
	for _, r := range s.Records {
		if read[r.Name] {
			asView(b, r)
		}
		if written[r.Name] || read[r.Name] && !strings.HasSuffix(r.Name, "Event") && !strings.HasSuffix(r.Name, "Result") {
			asRecord(b, s, r, read[r.Name], written[r.Name])
		}
	}
	b.WriteString("// The numbers of the hooks and calls.\n")
	for _, h := range s.Hooks {
		fmt.Fprintf(b, "export const HOOK_%s: i32 = %d;\n", strings.ToUpper(h.Info.Name), h.Number)
	}
	for _, c := range s.Calls {
		fmt.Fprintf(b, "export const CALL_%s: i32 = %d;\n", strings.ToUpper(c.Info.Name), c.Number)
	}
	b.WriteString("\n/** A code in words. */\nexport function callCodeText(c: CallCode): string {\n  switch (c) {\n")
	for _, v := range s.Enum("CallCode").Values {
		fmt.Fprintf(b, "    case CallCode.%s:\n      return %q;\n", asEnumValue(s.Enum("CallCode"), v), v.Name)
	}
	b.WriteString("    default:\n      return \"unknown\";\n  }\n}\n")
	b.WriteString("\n// The imports of the relay.\n")
	for _, c := range s.Calls {
		fmt.Fprintf(b, "@external(\"mta1\", \"%[1]s\")\nexport declare function call_%[1]s(request: usize, length: i32, result: usize, capacity: i32): i64;\n", c.Info.Name)
	}
	b.WriteString("@external(\"mta1\", \"rest\")\nexport declare function call_rest(result: usize, capacity: i32): i32;\n")
	return map[string][]byte{
		"sdk/assemblyscript/assembly/gen.ts":     b.Bytes(),
		"sdk/assemblyscript/assembly/hooks.ts":   asHooks(s),
		"sdk/assemblyscript/assembly/exports.ts": asExports(s),
	}, nil
}

// directions are the records that a guest reads and those that it writes.
func (s *Schema) directions() (read, written map[string]bool) {
	read, written = map[string]bool{}, map[string]bool{}
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
		walk(h.Event, read)
		walk(h.Answer, written)
	}
	for _, c := range s.Calls {
		walk(c.Call, written)
		walk(c.Result, read)
	}
	return read, written
}

// asDoc writes a comment as editors show it.
func asDoc(b *bytes.Buffer, indent, doc string) {
	switch {
	case doc == "":
	case strings.Contains(doc, "\n"):
		fmt.Fprintf(b, "%s/**\n%s * %s\n%s */\n", indent, indent, strings.ReplaceAll(strings.ReplaceAll(doc, "*/", "* /"), "\n", "\n"+indent+" * "), indent)
	default:
		fmt.Fprintf(b, "%s/** %s */\n", indent, strings.ReplaceAll(doc, "*/", "* /"))
	}
}

// asEnumValue is the name of a constant without the name of its type.
func asEnumValue(e *EnumType, v EnumValue) string {
	name := v.Go
	for _, prefix := range []string{e.Name, strings.TrimSuffix(e.Name, "Action"), strings.TrimSuffix(e.Name, "Kind"), strings.TrimSuffix(e.Name, "Code")} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && prefix != "" && rest != "" {
			return rest
		}
	}
	return name
}

// asWord is a name that is no keyword of the language.
func asWord(name string) string {
	switch name {
	case "new", "default", "delete", "in", "function", "class":
		return name + "_"
	}
	return name
}

// asViewName is the class with which a record is read.
func asViewName(name string) string {
	if strings.HasSuffix(name, "Event") || strings.HasSuffix(name, "Result") {
		return name
	}
	return name + "View"
}

func asView(b *bytes.Buffer, r *RecordType) {
	asDoc(b, "", r.Doc)
	fmt.Fprintf(b, "export class %s extends View {\n", asViewName(r.Name))
	for _, f := range r.Fields {
		asDoc(b, "  ", f.Doc+asUnit(f))
		name := asWord(f.Name)
		switch f.Kind {
		case Record:
			v := asViewName(f.Type)
			// One view a place: it is made once, and read anew each time.
			fmt.Fprintf(b, "  private _%[1]s: %[2]s | null = null;\n  get %[1]s(): %[2]s {\n    let v = this._%[1]s;\n    if (v === null) {\n      v = new %[2]s();\n      this._%[1]s = v;\n    }\n    return this.of<%[2]s>(v, %[3]d);\n  }\n", name, v, f.Slot)
		case List:
			if f.Elem == Record {
				v := asViewName(f.Type)
				fmt.Fprintf(b, "  get %s(): %s[] {\n    const out = new Array<%s>(this.count(%d));\n    for (let i = 0; i < out.length; i++) out[i] = this.element(new %s(), %d, i);\n    return out;\n  }\n", name, v, v, f.Slot, v, f.Slot)
				continue
			}
			fmt.Fprintf(b, "  get %s(): string[] {\n    return this.strs(%d);\n  }\n", name, f.Slot)
		default:
			fmt.Fprintf(b, "  get %s(): %s {\n    return %s;\n  }\n", name, asType(f), asRead(f))
		}
	}
	b.WriteString("}\n\n")
}

// asUnit says what the numbers of times mean.
func asUnit(f Field) string {
	switch f.Kind {
	case Time:
		return "; nanoseconds since 1970, 0: none"
	case Duration:
		return "; nanoseconds"
	}
	return ""
}

func asRead(f Field) string {
	switch f.Kind {
	case Bool:
		return fmt.Sprintf("this.i(%d) != 0", f.Slot)
	case Float:
		return fmt.Sprintf("this.f(%d)", f.Slot)
	case String:
		return fmt.Sprintf("this.s(%d)", f.Slot)
	case Bytes:
		return fmt.Sprintf("this.b(%d)", f.Slot)
	case Notes:
		return fmt.Sprintf("this.notesAt(%d)", f.Slot)
	case Time, Duration:
		return fmt.Sprintf("this.i(%d)", f.Slot)
	}
	if asType(f) == "i64" {
		return fmt.Sprintf("this.i(%d)", f.Slot)
	}
	return fmt.Sprintf("this.i(%d) as %s", f.Slot, asType(f))
}

// asType is the type of a field in a class with fields.
func asType(f Field) string {
	switch f.Kind {
	case Bool:
		return "bool"
	case Int:
		if f.GoT == "int" {
			return "i32"
		}
		return "i64"
	case Time, Duration:
		return "i64"
	case Float:
		return "f64"
	case String:
		return "string"
	case Bytes:
		return "Uint8Array"
	case Notes:
		return "Map<string, string>"
	case Enum:
		return f.Type
	case List:
		if f.Elem == String {
			return "string[]"
		}
		return f.Type + "[]"
	}
	return f.Type
}

// asLazy tells whether the value of a field is made when it is first asked for:
// most answers have neither edits nor verdicts.
func asLazy(f Field) bool {
	switch f.Kind {
	case Bytes, Record, Notes, List:
		return true
	}
	return false
}

// asNew is the empty value of such a field.
func asNew(f Field) string {
	switch f.Kind {
	case Bytes:
		return "new Uint8Array(0)"
	case List:
		return "new Array<" + strings.TrimSuffix(asType(f), "[]") + ">()"
	}
	return "new " + asType(f) + "()"
}

func asZero(f Field) string {
	switch f.Kind {
	case Bool:
		return "false"
	case String:
		return `""`
	case Enum:
		return "0 as " + f.Type
	}
	return "0"
}

func asRecord(b *bytes.Buffer, s *Schema, r *RecordType, read, written bool) {
	asDoc(b, "", r.Doc)
	fmt.Fprintf(b, "export class %s extends Rec {\n", r.Name)
	for _, f := range r.Fields {
		if asLazy(f) {
			name, typ := asWord(f.Name), asType(f)
			fmt.Fprintf(b, "  private _%s: %s | null = null;\n", name, typ)
			asDoc(b, "  ", f.Doc+asUnit(f))
			fmt.Fprintf(b, "  get %[1]s(): %[2]s {\n    let v = this._%[1]s;\n    if (v === null) {\n      v = %[3]s;\n      this._%[1]s = v;\n    }\n    return v;\n  }\n  set %[1]s(v: %[2]s) {\n    this._%[1]s = v;\n  }\n", name, typ, asNew(f))
			continue
		}
		asDoc(b, "  ", f.Doc+asUnit(f))
		fmt.Fprintf(b, "  %s: %s = %s;\n", asWord(f.Name), asType(f), asZero(f))
	}
	if read {
		fmt.Fprintf(b, "\n  /** A copy that outlives the hook. */\n  static of(v: %s): %s {\n    const r = new %s();\n", asViewName(r.Name), r.Name, r.Name)
		for _, f := range r.Fields {
			name := asWord(f.Name)
			switch {
			case f.Kind == Record:
				fmt.Fprintf(b, "    r.%[1]s = %[2]s.of(v.%[1]s);\n", name, f.Type)
			case f.Kind == List && f.Elem == Record:
				fmt.Fprintf(b, "    const %[1]s = v.%[1]s;\n    for (let i = 0; i < %[1]s.length; i++) r.%[1]s.push(%[2]s.of(%[1]s[i]));\n", name, f.Type)
			default:
				fmt.Fprintf(b, "    r.%[1]s = v.%[1]s;\n", name)
			}
		}
		b.WriteString("    return r;\n  }\n")
	}
	if written {
		fmt.Fprintf(b, "\n  put(w: Out, at: i32): void {\n")
		for _, f := range r.Fields {
			at := fmt.Sprintf("at + %d", 8*f.Slot)
			name := "this." + asWord(f.Name)
			if asLazy(f) {
				name = asWord(f.Name)
				fmt.Fprintf(b, "    const %[1]s = this._%[1]s;\n    if (%[1]s !== null) ", name)
			} else {
				b.WriteString("    ")
			}
			switch f.Kind {
			case Bool:
				fmt.Fprintf(b, "w.int(%s, %s ? 1 : 0);\n", at, name)
			case Float:
				fmt.Fprintf(b, "w.float(%s, %s);\n", at, name)
			case String:
				fmt.Fprintf(b, "w.str(%s, %s);\n", at, name)
			case Bytes:
				fmt.Fprintf(b, "w.bytes(%s, %s);\n", at, name)
			case Notes:
				fmt.Fprintf(b, "w.notes(%s, %s);\n", at, name)
			case Record:
				fmt.Fprintf(b, "%s.put(w, w.slots(%s, %d));\n", name, at, len(s.records[f.Type].Fields))
			case List:
				if f.Elem == String {
					fmt.Fprintf(b, "w.strs(%s, %s);\n", at, name)
					continue
				}
				fmt.Fprintf(b, "if (%[1]s.length) {\n      const list = w.slots(%[2]s, %[1]s.length);\n      for (let i = 0; i < %[1]s.length; i++) %[1]s[i].put(w, w.slots(list + 8 * i, %[3]d));\n    }\n", name, at, len(s.records[f.Type].Fields))
			default:
				fmt.Fprintf(b, "w.int(%s, %s as i64);\n", at, name)
			}
		}
		b.WriteString("  }\n")
		fmt.Fprintf(b, "\n  slots(): i32 {\n    return %d;\n  }\n", len(r.Fields))
		if r.Name == "Answer" {
			b.WriteString(asPlain(r))
		}
	}
	b.WriteString("}\n\n")
}

// asPluginMethods are those that are not of a hook.
const asPluginMethods = `  /** Its name and semantic version, for operators. */
  named(name: string, version: string): this {
    this.name = name;
    this.version = version;
    return this;
  }

  /** The grants without which it cannot work, such as "kv". */
  needs(grants: string[]): this {
    this.grants = grants;
    return this;
  }

  /** The grants without which it can do less. */
  wants(grants: string[]): this {
    this.wishes = grants;
    return this;
  }

  /** Called once with the configuration, before any hook. */
  onStart(f: (c: Config) => void): this {
    this.startHook = f;
    return this;
  }

  /** Called after start: fail() keeps this version out of service. */
  onSelfTest(f: () => void): this {
    this.testHook = f;
    return this;
  }

  /** Called before the plugin is closed in good order. */
  onStop(f: () => void): this {
    this.stopHook = f;
    return this;
  }
`

// asPlain tells whether an answer is its action and reply code alone, which
// need no block.
func asPlain(r *RecordType) string {
	b := &strings.Builder{}
	b.WriteString("\n  get plain(): bool {\n")
	for _, f := range r.Fields {
		name := asWord(f.Name)
		switch f.Kind {
		case String:
			fmt.Fprintf(b, "    if (this.%s.length) return false;\n", name)
		case List:
			fmt.Fprintf(b, "    const %[1]s = this._%[1]s;\n    if (%[1]s !== null && %[1]s.length) return false;\n", name)
		}
	}
	b.WriteString("    const reply = this._reply;\n    return reply === null || (reply.enhanced.length == 0 && reply.text.length == 0);\n  }\n")
	b.WriteString("\n  /** Such an answer as it is given. */\n  get word(): i64 {\n    const reply = this._reply;\n    const code: i64 = reply === null ? 0 : (reply.code as i64);\n    return ((this.action as i64) | (code << 16)) & 0xffffffff;\n  }\n")
	return b.String()
}

// asHooks makes the part of a plugin that its author fills: one function a hook.
func asHooks(s *Schema) []byte {
	b := &bytes.Buffer{}
	b.WriteString("// Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.\n\n")
	var types []string
	answers := map[string]bool{}
	for _, h := range s.Hooks {
		types = append(types, h.Event.Name)
		if h.Answer != nil && !answers[h.Answer.Name] {
			answers[h.Answer.Name] = true
			types = append(types, h.Answer.Name)
		}
	}
	fmt.Fprintf(b, "import { %s } from \"./gen\";\nimport { answer, begin, failed, NO_ANSWER } from \"./run\";\nimport { Config } from \"./config\";\nimport { BasePlugin } from \"./plugin\";\n\n", strings.Join(types, ", "))
	for _, h := range s.Hooks {
		fmt.Fprintf(b, "let %sHook: ((e: %s) => %s) | null = null;\n", h.Info.Name, h.Event.Name, asAnswer(h))
	}
	b.WriteString("\n/** The hooks of a plugin, and what it says of itself. */\nexport class Plugin extends BasePlugin {\n" + asPluginMethods)
	for _, h := range s.Hooks {
		asDoc(b, "  ", strings.ReplaceAll(h.Doc, title(h.Info.Name)+"Hook", "The hook "+h.Info.Name)+"\n@param fields what it reads of the event, such as \"recipient.addr\"; more is not sent")
		fmt.Fprintf(b, "  on%[1]s(f: (e: %[2]s) => %[3]s, fields: string[] = [\"*\"]): this {\n    %[4]sHook = f;\n    this.hook(\"%[4]s\", fields);\n    return this;\n  }\n", title(h.Info.Name), h.Event.Name, asAnswer(h), h.Info.Name)
	}
	b.WriteString("}\n\n/** This plugin. */\nexport const plugin = new Plugin();\n")
	for _, h := range s.Hooks {
		fmt.Fprintf(b, "\nlet %[1]sEvent: %[2]s | null = null;\n\nexport function run_%[1]s(): i64 {\n  const f = %[1]sHook;\n  if (f === null) return NO_ANSWER;\n  let e = %[1]sEvent;\n  if (e === null) {\n    e = new %[2]s();\n    %[1]sEvent = e;\n  }\n  begin(e);\n", h.Info.Name, h.Event.Name)
		if h.Answer == nil {
			b.WriteString("  f(e);\n  return failed() ? answer(null, 0) : NO_ANSWER;\n}\n")
			continue
		}
		b.WriteString("  const a = f(e);\n  if (failed()) return answer(null, 0);\n")
		if h.Answer.Name == "Answer" {
			b.WriteString("  if (a.plain) return a.word;\n")
		}
		fmt.Fprintf(b, "  return answer(a, %d);\n}\n", 256+h.Number)
	}
	return b.Bytes()
}

func asAnswer(h Hook) string {
	if h.Answer == nil {
		return "void"
	}
	return h.Answer.Name
}

// asExports makes the file that an author's entry re-exports.
func asExports(s *Schema) []byte {
	b := &bytes.Buffer{}
	b.WriteString("// Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.\n\n// The exports of the contract: the entry file of a plugin says\n//\n//   export * from \"mta/assembly/exports\";\n\nimport * as hooks from \"./hooks\";\nexport { mta1_buffer, mta1_describe, mta1_start, mta1_selftest, mta1_stop } from \"./run\";\n")
	for _, h := range s.Hooks {
		fmt.Fprintf(b, "\nexport function mta1_on_%[1]s(length: i32): i64 {\n  return hooks.run_%[1]s();\n}\n", h.Info.Name)
	}
	return b.Bytes()
}
