package gen

import (
	"bytes"
	"fmt"
	"strings"
)

// emitRust makes the generated half of the guest library in Rust, and the
// source of its selfcheck plugin.
func emitRust(s *Schema) (map[string][]byte, error) {
	listed, err := s.listed()
	if err != nil {
		return nil, err
	}
	r := &rustEmitter{s: s, listed: listed}
	r.read, r.written = s.ways()
	r.b.WriteString("// Code generated from the types of the sdk by sdk/gen; DO NOT EDIT.\n\n//! Events, answers and calls: one type or method for each of the contract.\n\n#![allow(clippy::all)]\n\nuse crate::block::{Element, List, Notes, View, Writer};\nuse crate::{Block, CallError, Host, InList};\n")
	r.enums()
	for _, rec := range s.ordered() {
		if len(rec.Fields) == 0 || s.isCall(rec) {
			continue
		}
		if r.read[rec.Name] {
			r.view(rec)
		}
		if r.written[rec.Name] {
			r.plain(rec)
		}
		if r.read[rec.Name] && r.written[rec.Name] {
			r.copier(rec)
		}
		if s.answers(rec) {
			r.answer(rec)
		}
	}
	r.calls()
	r.exports()
	return map[string][]byte{"sdk/rust/src/gen.rs": r.b.Bytes(), "sdk/rust/testdata/selfcheck/selfcheck.rs": r.selfcheck()}, nil
}

type rustEmitter struct {
	s                     *Schema
	read, written, listed map[string]bool
	b                     bytes.Buffer
}

func (r *rustEmitter) printf(format string, args ...any) { fmt.Fprintf(&r.b, format, args...) }

func (r *rustEmitter) doc(indent, doc string) {
	if doc != "" {
		r.printf("%s/// %s\n", indent, strings.NewReplacer("[", "`", "]", "`").Replace(oneLine(doc)))
	}
}

// viewName is the type with which a record is read. One that is also written
// has the plain name for that.
func (r *rustEmitter) viewName(rec string) string {
	if r.written[rec] {
		return cameled(rec) + "View"
	}
	return cameled(rec)
}

func (r *rustEmitter) enums() {
	for _, e := range r.s.Enums {
		n := cameled(e.Name)
		r.printf("\n")
		r.doc("", e.Doc)
		r.printf("#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]\npub struct %s(pub u8);\n\nimpl %[1]s {\n", n)
		for _, v := range e.Values {
			r.doc("    ", v.Doc)
			r.printf("    pub const %s: %s = %[2]s(%d);\n", strings.ToUpper(snaked(v.Go)), n, v.N)
		}
		r.printf("\n    /// The name of the value.\n    pub fn name(self) -> &'static str {\n        match self.0 {\n")
		for _, v := range e.Values {
			r.printf("            %d => %q,\n", v.N, v.Name)
		}
		r.printf("            _ => \"\",\n        }\n    }\n")
		if e.Flags {
			r.printf("\n    /// Whether all of other is in it.\n    pub fn has(self, other: %s) -> bool {\n        self.0 & other.0 == other.0\n    }\n", n)
		}
		r.printf("}\n")
	}
}

// gets is the type that the method of a field gives, and how it is read from
// the slots v.
func (r *rustEmitter) gets(f *Field, v string) (typ, expr string) {
	switch f.Kind {
	case Bool:
		return "bool", fmt.Sprintf("%s.int(%d) != 0", v, f.Slot)
	case Float:
		return "f64", fmt.Sprintf("%s.float(%d)", v, f.Slot)
	case String:
		return "&'a str", fmt.Sprintf("%s.text(%d)", v, f.Slot)
	case Bytes:
		return "&'a [u8]", fmt.Sprintf("%s.bytes(%d)", v, f.Slot)
	case Notes:
		return "Notes<'a>", fmt.Sprintf("Notes::new(%s.record(%d))", v, f.Slot)
	case Enum:
		return cameled(f.Type), fmt.Sprintf("%s(%s.int(%d) as u8)", cameled(f.Type), v, f.Slot)
	case Record:
		n := r.viewName(f.Type)
		return n + "<'a>", fmt.Sprintf("%s(%s.record(%d))", n, v, f.Slot)
	case List:
		elem := "&'a str"
		if f.Elem == Record {
			elem = r.viewName(f.Type) + "<'a>"
		}
		return "List<'a, " + elem + ">", fmt.Sprintf("List::new(%s.record(%d))", v, f.Slot)
	}
	return "i64", fmt.Sprintf("%s.int(%d)", v, f.Slot)
}

func (r *rustEmitter) view(rec *RecordType) {
	n := r.viewName(rec.Name)
	event := r.s.isEvent(rec)
	inner, v := "View<'a>", "self.0"
	if event {
		inner = "View<'a>, Host<'a>"
	}
	r.printf("\n")
	r.doc("", rec.Doc)
	r.printf("#[derive(Clone, Copy)]\npub struct %[1]s<'a>(%[2]s);\n\nimpl<'a> %[1]s<'a> {\n", n, inner)
	if event {
		r.printf("    #[doc(hidden)]\n    pub fn new(view: View<'a>, host: Host<'a>) -> Self {\n        %s(view, host)\n    }\n\n    /// The relay, to be called.\n    pub fn host(self) -> Host<'a> {\n        self.1\n    }\n\n    /// The time of the event.\n    pub fn now(self) -> i64 {\n        self.0.now()\n    }\n", n)
	}
	for i := range rec.Fields {
		f := &rec.Fields[i]
		typ, expr := r.gets(f, v)
		if i > 0 || event {
			r.printf("\n")
		}
		r.doc("    ", f.Doc)
		r.printf("    #[inline]\n    pub fn %s(self) -> %s {\n        %s\n    }\n", f.Name, typ, expr)
	}
	r.printf("}\n")
	if r.listed[rec.Name] {
		r.printf("\nimpl<'a> Element<'a> for %[1]s<'a> {\n    fn of(v: View<'a>, slot: usize) -> Self {\n        %[1]s(v.record(slot))\n    }\n}\n", n)
	}
}

// holds is the type of a field of a struct that is written.
func holds(f *Field) string {
	switch f.Kind {
	case Bool:
		return "bool"
	case Float:
		return "f64"
	case String:
		return "&'a str"
	case Bytes:
		return "&'a [u8]"
	case Enum:
		return cameled(f.Type)
	case Record:
		return cameled(f.Type) + "<'a>"
	case List:
		if f.Elem == String {
			return "&'a [&'a str]"
		}
		return "&'a [" + cameled(f.Type) + "<'a>]"
	}
	return "i64"
}

// put writes the value of one field to a slot.
func (r *rustEmitter) put(f *Field, value string) {
	at := fmt.Sprintf("at + %d", 8*f.Slot)
	switch f.Kind {
	case Float:
		r.printf("        w.float(%s, %s);\n", at, value)
	case String:
		r.printf("        w.bytes(%s, %s.as_bytes());\n", at, value)
	case Bytes:
		r.printf("        w.bytes(%s, %s);\n", at, value)
	case Enum:
		r.printf("        w.int(%s, %s.0 as i64);\n", at, value)
	case Bool:
		r.printf("        w.int(%s, %s as i64);\n", at, value)
	case Record:
		r.printf("        if !%[1]s.is_zero() {\n            let off = w.slots(%[2]s, %[3]d);\n            %[1]s.put(w, off);\n        }\n", value, at, len(r.s.records[f.Type].Fields))
	case List:
		if f.Elem == String {
			r.printf("        w.texts(%s, %s);\n", at, value)
			return
		}
		r.printf("        if !%[1]s.is_empty() {\n            let off = w.slots(%[2]s, %[1]s.len());\n            for (i, item) in %[1]s.iter().enumerate() {\n                let el = w.slots(off + 8 * i, %[3]d);\n                item.put(w, el);\n            }\n        }\n", value, at, len(r.s.records[f.Type].Fields))
	default:
		r.printf("        w.int(%s, %s);\n", at, value)
	}
}

func (r *rustEmitter) plain(rec *RecordType) {
	n := cameled(rec.Name)
	r.printf("\n")
	r.doc("", rec.Doc)
	r.printf("#[derive(Clone, Copy, Debug, Default)]\npub struct %s<'a> {\n", n)
	for i := range rec.Fields {
		f := &rec.Fields[i]
		r.doc("    ", f.Doc)
		r.printf("    pub %s: %s,\n", f.Name, holds(f))
	}
	r.printf("}\n\nimpl<'a> %s<'a> {\n    #[allow(dead_code)]\n    fn is_zero(&self) -> bool {\n        ", n)
	for i := range rec.Fields {
		f := &rec.Fields[i]
		if i > 0 {
			r.printf("\n            && ")
		}
		switch f.Kind {
		case String, Bytes, List:
			r.printf("self.%s.is_empty()", f.Name)
		case Record:
			r.printf("self.%s.is_zero()", f.Name)
		case Bool:
			r.printf("!self.%s", f.Name)
		case Enum:
			r.printf("self.%s.0 == 0", f.Name)
		case Float:
			r.printf("self.%s == 0.0", f.Name)
		default:
			r.printf("self.%s == 0", f.Name)
		}
	}
	r.printf("\n    }\n\n    fn put(&self, w: &mut Writer, at: usize) {\n")
	for i := range rec.Fields {
		r.put(&rec.Fields[i], "self."+rec.Fields[i].Name)
	}
	r.printf("    }\n}\n\nimpl InList for %s<'_> {}\n", n)
}

// copier makes what is written of what was read: an event's route, to be sent
// on.
func (r *rustEmitter) copier(rec *RecordType) {
	r.printf("\nimpl<'a> %sView<'a> {\n    /// The same as a struct; texts stay where they are.\n    pub fn to_plain(self, host: Host<'a>) -> %[1]s<'a> {\n        let _ = host;\n        %[1]s {\n", cameled(rec.Name))
	for i := range rec.Fields {
		f := &rec.Fields[i]
		value := "self." + f.Name + "()"
		switch {
		case f.Kind == Record:
			value += ".to_plain(host)"
		case f.Kind == List && f.Elem == String:
			value += ".to_slice(host)"
		case f.Kind == List:
			value += ".to_plain(host)"
		}
		r.printf("            %s: %s,\n", f.Name, value)
	}
	r.printf("        }\n    }\n}\n")
	if r.listed[rec.Name] {
		r.printf("\nimpl<'a> List<'a, %[1]sView<'a>> {\n    /// The same as a slice of structs.\n    pub fn to_plain(self, host: Host<'a>) -> &'a [%[1]s<'a>] {\n        // SAFETY: the host is there as long as the hook.\n        unsafe { crate::memory::slice(self.len(), |i| self.get(i).map_or(%[1]s::default(), |v| v.to_plain(host))) }\n    }\n}\n", cameled(rec.Name))
	}
}

func (r *rustEmitter) answer(rec *RecordType) {
	n := cameled(rec.Name)
	r.printf("\nimpl Block for %s<'_> {\n    #[inline]\n    fn short(&self) -> Option<i64> {\n", n)
	if action, reply := field(rec, "action"), field(rec, "reply"); action != nil && reply != nil {
		r.printf("        let mut rest = *self;\n        rest.action.0 = 0;\n        rest.reply.code = 0;\n        if rest.is_zero() && (0..65536).contains(&self.reply.code) {\n            return Some(self.action.0 as i64 | self.reply.code << 16);\n        }\n        None\n")
	} else if rec.Name != "DeliverAnswer" { // which owes one outcome a recipient
		r.printf("        if self.is_zero() {\n            return Some(0);\n        }\n        None\n")
	} else {
		r.printf("        None\n")
	}
	r.printf("    }\n\n    fn block(&self, kind: u64) -> &[u8] {\n        // SAFETY: the relay reads it before it calls again.\n        let (mut w, at) = unsafe { Writer::begin(kind, %d) };\n        self.put(&mut w, at);\n        w.end()\n    }\n}\n", len(rec.Fields))
}

func (r *rustEmitter) calls() {
	r.printf("\n#[cfg(target_arch = \"wasm32\")]\npub(crate) mod import {\n    #[link(wasm_import_module = \"mta1\")]\n    extern \"C\" {\n        pub fn rest(result: *mut u8, capacity: usize) -> usize;\n")
	for _, c := range r.s.Calls {
		r.printf("        pub fn %s(request: *const u8, length: usize, result: *mut u8, capacity: usize) -> i64;\n", c.Info.Name)
	}
	r.printf("    }\n}\n\n/// Where there is no relay, no call is allowed.\n#[cfg(not(target_arch = \"wasm32\"))]\npub(crate) mod import {\n    pub unsafe extern \"C\" fn rest(_: *mut u8, _: usize) -> usize {\n        0\n    }\n")
	for _, c := range r.s.Calls {
		r.printf("    pub unsafe extern \"C\" fn %s(_: *const u8, _: usize, _: *mut u8, _: usize) -> i64 {\n        7 << 32\n    }\n", c.Info.Name)
	}
	r.printf("}\n\nimpl<'a> Host<'a> {\n")
	for i, c := range r.s.Calls {
		if i > 0 {
			r.printf("\n")
		}
		r.call(c)
	}
	r.printf("}\n")
}

func (r *rustEmitter) call(c Call) {
	doc := title(c.Info.Doc) + "."
	if c.Info.Grant != "" {
		doc += " Its grant: " + c.Info.Grant + "."
	}
	r.doc("    ", doc)
	params := ""
	for i := range c.Call.Fields {
		f := &c.Call.Fields[i]
		if f.Doc != "" {
			r.doc("    ", f.Name+": "+f.Doc)
		}
		t := strings.ReplaceAll(holds(f), "'a ", "")
		t = strings.ReplaceAll(t, "<'a>", "")
		if f.Kind == Record {
			t = "&" + t
		}
		params += ", " + f.Name + ": " + t
	}
	result, done := "()", ".map(|_| ())"
	if len(c.Result.Fields) > 0 {
		n := r.viewName(c.Result.Name)
		result, done = n+"<'a>", ".map("+n+")"
	}
	r.printf("    pub fn %s(self%s) -> Result<%s, CallError<'a>> {\n        // SAFETY: self is there as long as the hook.\n        let (writer, at) = unsafe { Writer::begin(%d, %d) };\n        let mut writer = writer;\n        let w = &mut writer;\n        let _ = (at, &w);\n", c.Info.Name, params, result, 512+c.Number, len(c.Call.Fields))
	for i := range c.Call.Fields {
		r.put(&c.Call.Fields[i], c.Call.Fields[i].Name)
	}
	r.printf("        self.ask(%q, import::%[1]s, %d, writer)%s\n    }\n", c.Info.Name, 768+c.Number, done)
}

func (r *rustEmitter) exports() {
	r.printf("\n#[doc(hidden)]\n#[macro_export]\nmacro_rules! export_hook {\n")
	for _, h := range r.s.Hooks {
		answer := "()"
		if h.Answer != nil {
			answer = "$crate::" + cameled(h.Answer.Name) + "<'x>"
		}
		r.printf("    (%[1]s, $f:path) => {\n        #[no_mangle]\n        extern \"C\" fn mta1_on_%[1]s(len: u32) -> i64 {\n            fn hook<'x>(v: $crate::block::View<'x>, h: $crate::Host<'x>) -> i64 {\n                $crate::Returned::<%[2]s>::give($f($crate::%[3]s::new(v, h)), %[4]d)\n            }\n            $crate::run(len, %[5]d, hook)\n        }\n    };\n", h.Info.Name, answer, r.viewName(h.Event.Name), 256+h.Number, h.Number)
	}
	r.printf("}\n")
}
