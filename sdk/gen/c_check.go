package gen

import (
	"bytes"
	"fmt"
	"strings"
)

// selfcheck is the source of a plugin that logs every field of every event, one
// a line, and answers with every field filled: the test compares both with what
// Go says.
func (c *cEmitter) selfcheck() []byte {
	b := &bytes.Buffer{}
	b.WriteString("/* Code generated from the types of the sdk by sdk/gen; DO NOT EDIT. */\n#include \"check.h\"\n")
	for _, r := range c.s.ordered() {
		if len(r.Fields) == 0 || c.s.isCall(r) {
			continue
		}
		n := snaked(r.Name)
		if c.read[r.Name] {
			fmt.Fprintf(b, "\nSHOW void show_%s(mta_str path, mta_%s r) {\n    if (path.len != 0) path = mta_join(path, \".\");\n", n, n)
			for i := range r.Fields {
				c.show(b, &r.Fields[i])
			}
			b.WriteString("}\n")
		}
		if c.written[r.Name] {
			fmt.Fprintf(b, "\nSHOW mta_%s fill_%s(mta_str path) {\n    mta_%s r = {0};\n    if (path.len != 0) path = mta_join(path, \".\");\n", n, n, n)
			for i := range r.Fields {
				c.fill(b, &r.Fields[i])
			}
			b.WriteString("    return r;\n}\n")
		}
	}
	b.WriteString("\nMTA_PLUGIN(.name = \"selfcheck\", .version = \"1.0.0\"")
	for _, h := range c.s.Hooks {
		fmt.Fprintf(b, ", .%s = \"*\"", h.Info.Name)
	}
	b.WriteString(")\n")
	for _, h := range c.s.Hooks {
		fmt.Fprintf(b, "\nMTA_ON_%s(ev) {\n    show_%s_event(mta_cstr(\"\"), *ev);\n    show_int(mta_cstr(\"now\"), ev->now);\n", strings.ToUpper(h.Info.Name), h.Info.Name)
		if h.Answer != nil {
			fmt.Fprintf(b, "    return fill_%s(mta_cstr(\"\"));\n", snaked(h.Answer.Name))
		}
		b.WriteString("}\n")
	}
	c.asks(b)
	return b.Bytes()
}

// asks makes every call, with every field filled, and shows what came back.
func (c *cEmitter) asks(b *bytes.Buffer) {
	b.WriteString("\n#if defined(__wasm__) /* elsewhere there is nobody to ask */\nMTA_SELFTEST() {\n")
	for _, call := range c.s.Calls {
		fn, name := c.function(call), call.Info.Name
		if name == "log" {
			continue // every shown line is one
		}
		var args []string
		b.WriteString("    {\n")
		for i := range call.Call.Fields {
			f := &call.Call.Fields[i]
			path := fmt.Sprintf("mta_cstr(\"%s.%s\")", name, f.Name)
			switch {
			case f.Kind == Record:
				fmt.Fprintf(b, "        mta_%s %s = fill_%[1]s(%[3]s);\n", snaked(f.Type), f.Name, path)
				args = append(args, "&"+f.Name)
			case f.Kind == List && f.Elem == Record:
				fmt.Fprintf(b, "        %s_list %s = {0};\n        for (uint32_t i = 0; i < 6; i++) %[1]s_add(&%[2]s, fill_%[3]s(mta_join(%[4]s, \".\", mta_itoa(i))));\n", cName(f.Type), f.Name, snaked(f.Type), path)
				args = append(args, f.Name)
			case f.Kind == List:
				args = append(args, "fill_strs("+path+")")
			case f.Kind == String || f.Kind == Bytes:
				args = append(args, path)
			case f.Kind == Bool:
				args = append(args, "true")
			default:
				args = append(args, fmt.Sprint(1000+f.Slot))
			}
		}
		if len(call.Result.Fields) > 0 {
			fmt.Fprintf(b, "        %s out;\n", cName(call.Result.Name))
			args = append(args, "&out")
		}
		fmt.Fprintf(b, "        mta_call_code code = %s(%s);\n        show_int(mta_cstr(\"%s.code\"), code);\n        if (code != MTA_CALL_OK) show_str(mta_cstr(\"%[3]s.why\"), mta_why());\n", fn, strings.Join(args, ", "), name)
		if len(call.Result.Fields) > 0 {
			fmt.Fprintf(b, "        if (code == MTA_CALL_OK) show_%s(mta_cstr(\"%s\"), out);\n", snaked(call.Result.Name), name)
		}
		b.WriteString("    }\n")
	}
	b.WriteString("    return mta_cstr(\"\");\n}\n#endif\n")
}

func (c *cEmitter) show(b *bytes.Buffer, f *Field) {
	path := fmt.Sprintf("mta_join(path, \"%s\")", f.Name)
	switch f.Kind {
	case String, Bytes:
		fmt.Fprintf(b, "    show_str(%s, r.%s);\n", path, f.Name)
	case Notes:
		fmt.Fprintf(b, "    show_notes(%s, r.%s);\n", path, f.Name)
	case Record:
		fmt.Fprintf(b, "    show_%s(%s, r.%s);\n", snaked(f.Type), path, f.Name)
	case Float:
		fmt.Fprintf(b, "    show_int(%s, (int64_t)(r.%s * 1000));\n", path, f.Name)
	case List:
		item := fmt.Sprintf("show_str(item, mta_str_at(r.%s, i))", f.Name)
		if f.Elem == Record {
			item = fmt.Sprintf("show_%s(item, %s_at(r.%s, i))", snaked(f.Type), cName(f.Type), f.Name)
		}
		fmt.Fprintf(b, "    for (uint32_t i = 0; i < r.%s.len; i++) {\n        mta_str item = mta_join(path, \"%s.\", mta_itoa(i));\n        %s;\n    }\n", f.Name, f.Name, item)
	default:
		fmt.Fprintf(b, "    show_int(%s, (int64_t)r.%s);\n", path, f.Name)
	}
}

func (c *cEmitter) fill(b *bytes.Buffer, f *Field) {
	path := fmt.Sprintf("mta_join(path, \"%s\")", f.Name)
	switch f.Kind {
	case String, Bytes:
		fmt.Fprintf(b, "    r.%s = %s;\n", f.Name, path)
	case Bool:
		fmt.Fprintf(b, "    r.%s = true;\n", f.Name)
	case Enum:
		fmt.Fprintf(b, "    r.%s = (%s)1;\n", f.Name, cName(f.Type))
	case Record:
		fmt.Fprintf(b, "    r.%s = fill_%s(%s);\n", f.Name, snaked(f.Type), path)
	case List:
		if f.Elem == String {
			fmt.Fprintf(b, "    r.%s = fill_strs(%s);\n", f.Name, path)
			return
		}
		fmt.Fprintf(b, "    for (uint32_t i = 0; i < 6; i++) %s_add(&r.%s, fill_%s(mta_join(path, \"%s.\", mta_itoa(i))));\n", cName(f.Type), f.Name, snaked(f.Type), f.Name)
	default:
		fmt.Fprintf(b, "    r.%s = %d;\n", f.Name, 1000+f.Slot)
	}
}
