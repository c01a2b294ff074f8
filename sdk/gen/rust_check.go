package gen

import (
	"bytes"
	"fmt"
	"strings"
)

// selfcheck is the Rust twin of the plugin of the same name in C.
func (r *rustEmitter) selfcheck() []byte {
	b := &bytes.Buffer{}
	b.WriteString("// Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.\n#![no_std]\n#![allow(dead_code)]\n\nextern crate alloc;\n\n#[path = \"check.rs\"]\nmod check;\nuse alloc::{format, string::String};\nuse check::*;\nuse mta::*;\n")
	for _, rec := range r.s.ordered() {
		if len(rec.Fields) == 0 || r.s.isCall(rec) {
			continue
		}
		if r.read[rec.Name] {
			fmt.Fprintf(b, "\nfn show_%s(h: Host, path: &str, r: %s) {\n    let path: String = below(path);\n", snaked(rec.Name), r.viewName(rec.Name))
			for i := range rec.Fields {
				r.show(b, &rec.Fields[i])
			}
			b.WriteString("}\n")
		}
		if r.written[rec.Name] {
			n := cameled(rec.Name)
			fmt.Fprintf(b, "\nfn fill_%s<'a>(h: Host<'a>, path: &str) -> %s<'a> {\n    let path: String = below(path);\n    %[2]s {\n", snaked(rec.Name), n)
			for i := range rec.Fields {
				r.fill(b, &rec.Fields[i])
			}
			b.WriteString("    }\n}\n")
		}
	}
	b.WriteString("\nplugin! {\n    name: \"selfcheck\", version: \"1.0.0\",\n    selftest: on_selftest,\n    hooks: {\n")
	for _, h := range r.s.Hooks {
		fmt.Fprintf(b, "        %s: on_%[1]s [*],\n", h.Info.Name)
	}
	b.WriteString("    }\n}\n")
	for _, h := range r.s.Hooks {
		name := h.Info.Name
		fmt.Fprintf(b, "\nfn on_%s(ev: %s)", name, r.viewName(h.Event.Name))
		if h.Answer != nil {
			fmt.Fprintf(b, " -> %s", cameled(h.Answer.Name))
		}
		fmt.Fprintf(b, " {\n    show_%s_event(ev.host(), \"\", ev);\n    show_int(ev.host(), \"now\", ev.now());\n", name)
		if h.Answer != nil {
			fmt.Fprintf(b, "    fill_%s(ev.host(), \"\")\n", snaked(h.Answer.Name))
		}
		b.WriteString("}\n")
	}
	r.asks(b)
	return b.Bytes()
}

// asks makes every call, with every field filled, and shows what came back.
func (r *rustEmitter) asks(b *bytes.Buffer) {
	b.WriteString("\nfn on_selftest(h: Host) {\n")
	for _, call := range r.s.Calls {
		name := call.Info.Name
		if name == "log" {
			continue // every shown line is one
		}
		var args []string
		for i := range call.Call.Fields {
			f := &call.Call.Fields[i]
			path := fmt.Sprintf("%q", name+"."+f.Name)
			switch {
			case f.Kind == Record:
				args = append(args, fmt.Sprintf("&fill_%s(h, %s)", snaked(f.Type), path))
			case f.Kind == List && f.Elem == Record:
				args = append(args, fmt.Sprintf("h.list(&[0, 1, 2, 3, 4, 5].map(|i| fill_%s(h, &format!(\"%s.%s.{}\", i))))", snaked(f.Type), name, f.Name))
			case f.Kind == List:
				args = append(args, "fill_texts(h, "+path+")")
			case f.Kind == Bytes:
				args = append(args, "b"+path)
			case f.Kind == String:
				args = append(args, path)
			case f.Kind == Bool:
				args = append(args, "true")
			case f.Kind == Float:
				args = append(args, fmt.Sprintf("%d.0", 1000+f.Slot))
			default:
				args = append(args, fmt.Sprint(1000+f.Slot))
			}
		}
		show := ""
		if len(call.Result.Fields) > 0 {
			show = fmt.Sprintf("show_%s(h, %q, r)", snaked(call.Result.Name), name)
		}
		fmt.Fprintf(b, "    match h.%[1]s(%[2]s) {\n        Ok(r) => {\n            show_int(h, \"%[1]s.code\", 0);\n            let _ = r;\n            %[3]s\n        }\n        Err(e) => {\n            show_int(h, \"%[1]s.code\", e.code.0 as i64);\n            show_bytes(h, \"%[1]s.why\", e.text.as_bytes());\n        }\n    }\n", name, strings.Join(args, ", "), show)
	}
	b.WriteString("}\n")
}

func (r *rustEmitter) show(b *bytes.Buffer, f *Field) {
	path := fmt.Sprintf("&format!(\"{}%s\", path)", f.Name)
	value := "r." + f.Name + "()"
	switch f.Kind {
	case String:
		fmt.Fprintf(b, "    show_bytes(h, %s, %s.as_bytes());\n", path, value)
	case Bytes:
		fmt.Fprintf(b, "    show_bytes(h, %s, %s);\n", path, value)
	case Notes:
		fmt.Fprintf(b, "    show_notes(h, %s, %s);\n", path, value)
	case Record:
		fmt.Fprintf(b, "    show_%s(h, %s, %s);\n", snaked(f.Type), path, value)
	case Float:
		fmt.Fprintf(b, "    show_int(h, %s, (%s * 1000.0) as i64);\n", path, value)
	case Enum:
		fmt.Fprintf(b, "    show_int(h, %s, %s.0 as i64);\n", path, value)
	case List:
		item := "show_bytes(h, &item, v.as_bytes())"
		if f.Elem == Record {
			item = fmt.Sprintf("show_%s(h, &item, v)", snaked(f.Type))
		}
		fmt.Fprintf(b, "    for (i, v) in %s.iter().enumerate() {\n        let item = format!(\"{}%s.{}\", path, i);\n        %s;\n    }\n", value, f.Name, item)
	default:
		fmt.Fprintf(b, "    show_int(h, %s, %s as i64);\n", path, value)
	}
}

func (r *rustEmitter) fill(b *bytes.Buffer, f *Field) {
	path := fmt.Sprintf("&format!(\"{}%s\", path)", f.Name)
	switch f.Kind {
	case String:
		fmt.Fprintf(b, "        %s: h.keep(%s),\n", f.Name, path)
	case Bytes:
		fmt.Fprintf(b, "        %s: h.keep(%s).as_bytes(),\n", f.Name, path)
	case Bool:
		fmt.Fprintf(b, "        %s: true,\n", f.Name)
	case Enum:
		fmt.Fprintf(b, "        %s: %s(1),\n", f.Name, cameled(f.Type))
	case Record:
		fmt.Fprintf(b, "        %s: fill_%s(h, %s),\n", f.Name, snaked(f.Type), path)
	case List:
		if f.Elem == String {
			fmt.Fprintf(b, "        %s: fill_texts(h, %s),\n", f.Name, path)
			return
		}
		fmt.Fprintf(b, "        %[1]s: h.list(&[0, 1, 2, 3, 4, 5].map(|i| fill_%[2]s(h, &format!(\"{}%[1]s.{}\", path, i)))),\n", f.Name, snaked(f.Type))
	default:
		fmt.Fprintf(b, "        %s: %d,\n", f.Name, 1000+f.Slot)
	}
}
