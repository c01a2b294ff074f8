package gen

import (
	"bytes"
	_ "embed" // the parts of mta.h that are written by hand
	"fmt"
	"strings"
)

var (
	//go:embed fragments/head.h
	cHead string
	//go:embed fragments/net.h
	cNet string
	//go:embed fragments/tail.h
	cTail string
)

// emitC makes the guest library in C, which is one header, and the source of a
// plugin that shows every field of every event and fills every field of every
// answer, for its test.
func emitC(s *Schema) (map[string][]byte, error) {
	listed, err := s.listed()
	if err != nil {
		return nil, err
	}
	c := &cEmitter{s: s, listed: listed}
	c.read, c.written = s.ways()
	c.b.WriteString("/* Code generated from the types of the sdk by sdk/gen; DO NOT EDIT. */\n")
	c.b.WriteString(cHead)
	c.enums()
	for _, r := range s.ordered() {
		c.record(r)
	}
	for _, call := range s.Calls {
		if call.Number == 1 {
			c.asking()
		}
		c.call(call)
	}
	c.description()
	c.b.WriteString(cNet)
	c.b.WriteString(strings.TrimSuffix(cTail, end))
	for _, h := range s.Hooks {
		c.hook(h)
	}
	c.b.WriteString(end)
	check := c.selfcheck()
	return map[string][]byte{"sdk/c/mta.h": c.b.Bytes(), "sdk/c/testdata/selfcheck/selfcheck.c": check}, nil
}

// end of the include guard.
const end = "\n#endif\n"

type cEmitter struct {
	s                     *Schema
	read, written, listed map[string]bool
	b                     bytes.Buffer
}

func (c *cEmitter) printf(format string, args ...any) { fmt.Fprintf(&c.b, format, args...) }

func cName(goName string) string { return "mta_" + snaked(goName) }

func (c *cEmitter) enums() {
	c.printf("\n/* ---- enumerations ---- */\n")
	for _, e := range c.s.Enums {
		c.printf("\n/* %s */\ntypedef enum {\n", oneLine(e.Doc))
		for _, v := range e.Values {
			c.printf("    %s = %d,%s\n", strings.ToUpper(cName(v.Go)), v.N, cComment(v.Doc))
		}
		c.printf("} %s;\n", cName(e.Name))
	}
}

func cComment(doc string) string {
	if doc == "" {
		return ""
	}
	return " /* " + strings.ReplaceAll(oneLine(doc), "*/", "* /") + " */"
}

// cType is the type of a field in its struct.
func cType(f *Field) string {
	switch f.Kind {
	case Bool:
		return "bool"
	case Float:
		return "double"
	case String, Bytes:
		return "mta_str"
	case Notes:
		return "mta_notes"
	case Enum, Record:
		return cName(f.Type)
	case List:
		if f.Elem == String {
			return "mta_str_list"
		}
		return cName(f.Type) + "_list"
	}
	return "int64_t"
}

// answers tells whether a record is what a hook returns.
func (s *Schema) answers(r *RecordType) bool {
	for _, h := range s.Hooks {
		if h.Answer == r {
			return true
		}
	}
	return false
}

func (s *Schema) isEvent(r *RecordType) bool {
	for _, h := range s.Hooks {
		if h.Event == r {
			return true
		}
	}
	return false
}

func (s *Schema) isCall(r *RecordType) bool {
	for _, call := range s.Calls {
		if call.Call == r {
			return true
		}
	}
	return false
}

func (c *cEmitter) record(r *RecordType) {
	if len(r.Fields) == 0 || c.s.isCall(r) {
		return // the arguments of a function
	}
	n := cName(r.Name)
	c.printf("\n/* %s */\ntypedef struct {\n", oneLine(r.Doc))
	for i := range r.Fields {
		f := &r.Fields[i]
		c.printf("    %s %s;%s\n", cType(f), f.Name, cComment(f.Doc))
	}
	if c.s.answers(r) {
		c.printf("    mta_str error; /* not empty: the plugin is broken, and this is how; nothing else counts */\n")
	}
	if c.s.isEvent(r) {
		c.printf("    int64_t now; /* the time of the event */\n")
	}
	c.printf("} %s;\n", n)
	if c.listed[r.Name] {
		c.printf("\ntypedef struct {\n    const %s *items; /* an array, or NULL */\n    uint32_t len;\n    uint32_t room; /* of an array that grows */\n    mta_view in;   /* the block it is in, when items is NULL */\n} %[1]s_list;\n", n)
	}
	if c.read[r.Name] {
		c.reader(r)
	}
	if c.listed[r.Name] {
		c.list(r)
	}
	if c.written[r.Name] {
		c.writer(r)
	}
	if c.s.answers(r) {
		c.answer(r)
	}
}

func (c *cEmitter) reader(r *RecordType) {
	c.printf("\n__attribute__((always_inline)) static inline %[1]s mta_get_%[2]s(mta_view v) {\n    %[1]s r = {0};\n", cName(r.Name), snaked(r.Name))
	for i := range r.Fields {
		f := &r.Fields[i]
		switch f.Kind {
		case Bool:
			c.printf("    r.%s = mta_int(v, %d) != 0;\n", f.Name, f.Slot)
		case Float:
			c.printf("    r.%s = mta_float(v, %d);\n", f.Name, f.Slot)
		case String, Bytes:
			c.printf("    r.%s = mta_text(v, %d);\n", f.Name, f.Slot)
		case Notes:
			c.printf("    r.%s = mta_get_notes(v, %d);\n", f.Name, f.Slot)
		case Enum:
			c.printf("    r.%s = (%s)mta_int(v, %d);\n", f.Name, cName(f.Type), f.Slot)
		case Record:
			c.printf("    r.%s = mta_get_%s(mta_sub(v, %d));\n", f.Name, snaked(f.Type), f.Slot)
		case List:
			if f.Elem == String {
				c.printf("    r.%s = mta_get_strs(v, %d);\n", f.Name, f.Slot)
			} else {
				c.printf("    r.%[1]s.in = mta_sub(v, %[2]d);\n    r.%[1]s.len = r.%[1]s.in.n;\n", f.Name, f.Slot)
			}
		default:
			c.printf("    r.%s = mta_int(v, %d);\n", f.Name, f.Slot)
		}
	}
	c.printf("    return r;\n}\n")
}

func (c *cEmitter) list(r *RecordType) {
	n := cName(r.Name)
	c.printf("\n/* %[1]s_at is element i of a list; zero behind its end. */\nstatic inline %[1]s %[1]s_at(%[1]s_list l, uint32_t i) {\n    %[1]s none = {0};\n    if (i >= l.len) return none;\n    if (l.items != NULL) return l.items[i];\n    return ", n)
	if c.read[r.Name] {
		c.printf("mta_get_%s(mta_sub(l.in, i));\n}\n", snaked(r.Name))
	} else {
		c.printf("none;\n}\n")
	}
	if !c.written[r.Name] {
		return
	}
	c.printf("\n/* %[1]s_add adds to the end of a list. */\nstatic inline void %[1]s_add(%[1]s_list *l, %[1]s item) {\n"+
		"    if (l->len == l->room || l->room == 0) {\n        if (l->len > (1u << 16)) __builtin_trap();\n        uint32_t room = 2 * l->len + 4;\n"+
		"        %[1]s *items = mta_alloc(room * (uint32_t)sizeof(%[1]s));\n        for (uint32_t i = 0; i < l->len; i++) items[i] = %[1]s_at(*l, i);\n"+
		"        l->items = items;\n        l->room = room;\n    }\n    ((%[1]s *)(uintptr_t)l->items)[l->len++] = item;\n}\n", n)
}

// putField writes the value of one field, a C expression, to a slot.
func (c *cEmitter) putField(f *Field, value string) {
	at := fmt.Sprintf("at + %d", 8*f.Slot)
	switch f.Kind {
	case Float:
		c.printf("    mta_put_float(w, %s, %s);\n", at, value)
	case String, Bytes:
		c.printf("    mta_put_str(w, %s, %s);\n", at, value)
	case Record:
		c.printf("    if (!mta_zero_%[1]s(&%[2]s)) mta_put_%[1]s(w, mta_slots(w, %[3]s, %[4]d), &%[2]s);\n", snaked(f.Type), value, at, len(c.s.records[f.Type].Fields))
	case List:
		if f.Elem == String {
			c.printf("    mta_put_strs(w, %s, %s);\n", at, value)
			return
		}
		c.printf("    if (%[1]s.len != 0) {\n        uint32_t off = mta_slots(w, %[2]s, %[1]s.len);\n        for (uint32_t i = 0; i < %[1]s.len; i++) {\n            %[3]s item = %[3]s_at(%[1]s, i);\n            mta_put_%[4]s(w, mta_slots(w, off + 8 * i, %[5]d), &item);\n        }\n    }\n",
			value, at, cName(f.Type), snaked(f.Type), len(c.s.records[f.Type].Fields))
	default:
		c.printf("    mta_put64(w, %s, (uint64_t)%s);\n", at, value)
	}
}

func (c *cEmitter) writer(r *RecordType) {
	n := snaked(r.Name)
	c.printf("\nstatic inline bool mta_zero_%s(const mta_%s *r) {\n    return ", n, n)
	for i := range r.Fields {
		f := &r.Fields[i]
		if i > 0 {
			c.printf(" && ")
		}
		switch f.Kind {
		case String, Bytes, List:
			c.printf("r->%s.len == 0", f.Name)
		case Record:
			c.printf("mta_zero_%s(&r->%s)", snaked(f.Type), f.Name)
		case Bool:
			c.printf("!r->%s", f.Name)
		default:
			c.printf("r->%s == 0", f.Name)
		}
	}
	c.printf(";\n}\n\nstatic inline void mta_put_%s(mta_writer *w, uint32_t at, const mta_%s *r) {\n", n, n)
	for i := range r.Fields {
		c.putField(&r.Fields[i], "r->"+r.Fields[i].Name)
	}
	c.printf("}\n")
}

// answer makes the function that turns an answer into what an export returns.
func (c *cEmitter) answer(r *RecordType) {
	n := snaked(r.Name)
	c.printf("\nstatic inline int64_t mta_block_of_%[1]s(const mta_%[1]s *a, uint32_t kind) {\n    mta_writer w;\n    uint32_t at = mta_begin(&w, kind, %[2]d);\n    mta_put_%[1]s(&w, at, a);\n    mta_end(&w);\n    return mta_at(w.p, w.len);\n}\n", n, len(r.Fields))
	c.printf("\n__attribute__((always_inline)) static inline int64_t mta_return_%[1]s(const mta_%[1]s *a, uint32_t kind) {\n    if (a->error.len != 0) return mta_fail(a->error);\n", n)
	if action, reply := field(r, "action"), field(r, "reply"); action != nil && reply != nil {
		c.printf("    mta_%s rest = *a; /* the action and its code alone need no block */\n    rest.action = 0;\n    rest.reply.code = 0;\n"+
			"    if (mta_zero_%[1]s(&rest) && a->reply.code >= 0 && a->reply.code < 65536) return (int64_t)a->action | a->reply.code << 16;\n", n)
	} else if r.Name != "DeliverAnswer" { // which owes one outcome a recipient
		c.printf("    if (mta_zero_%s(a)) return 0;\n", n)
	}
	c.printf("    return mta_block_of_%s(a, kind);\n}\n", n)
}

func field(r *RecordType, name string) *Field {
	for i := range r.Fields {
		if r.Fields[i].Name == name {
			return &r.Fields[i]
		}
	}
	return nil
}

func (c *cEmitter) asking() {
	c.printf(`
/* ---- calls: what a plugin may ask of the relay ---- */

MTA_IMPORT("rest") uint32_t mta1_rest(uint8_t *result, uint32_t capacity);

typedef int64_t (*mta_import)(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity);

__attribute__((always_inline)) static inline mta_call_code mta_ask(mta_import ask, uint32_t kind, const mta_writer *w, mta_view *v) {
    uint32_t cap = 1024;
    uint8_t *p = mta_alloc(cap);
    uint64_t got = (uint64_t)ask(w->p, w->len, p, cap);
    uint32_t code = (uint32_t)(got >> 32), len = (uint32_t)got;
    v->block = p;
    v->at = v->n = 0;
    if (len > cap) {
        p = mta_alloc(len);
        if (mta1_rest(p, len) != len) code = MTA_CALL_FAILED, len = 0;
    }
    if (code == MTA_CALL_OK && !mta_open(p, len, kind, v)) {
        mta_state.why = mta_cstr("the relay answered with another block");
        return MTA_CALL_FAILED;
    }
    if (code != MTA_CALL_OK) mta_state.why = mta_strn((const char *)p, len);
    return (mta_call_code)code;
}

/* mta_why says why the last call that failed did so. */
static inline mta_str mta_why(void) { return mta_state.why; }
`)
}

// function is the name of a call in C.
func (c *cEmitter) function(call Call) string {
	for _, r := range c.s.Records {
		if cName(r.Name) == "mta_"+call.Info.Name {
			return "mta_find_" + call.Info.Name // the type has the name
		}
	}
	return "mta_" + call.Info.Name
}

func (c *cEmitter) call(call Call) {
	name, fn := call.Info.Name, c.function(call)
	var params, names, wrapped []string
	for i := range call.Call.Fields {
		f := &call.Call.Fields[i]
		t := cType(f) + " "
		if f.Kind == Record {
			t = "const " + t + "*"
		}
		params = append(params, t+f.Name)
		names = append(names, f.Name)
		w := f.Name
		if f.Kind == String || f.Kind == Bytes {
			w = "MTA_S(" + w + ")"
		}
		wrapped = append(wrapped, w)
	}
	if len(call.Result.Fields) > 0 {
		params = append(params, cName(call.Result.Name)+" *out")
		names, wrapped = append(names, "out"), append(wrapped, "out")
	}
	grant := ""
	if call.Info.Grant != "" {
		grant = " Its grant: " + call.Info.Grant + "."
	}
	c.printf("\n/* %s %s.%s", fn, call.Info.Doc, grant)
	for i := range call.Call.Fields {
		if f := &call.Call.Fields[i]; f.Doc != "" {
			c.printf("\n * %s: %s", f.Name, oneLine(f.Doc))
		}
	}
	c.printf(" */\nMTA_IMPORT(\"%[1]s\") int64_t mta1_%[1]s(const uint8_t *request, uint32_t length, uint8_t *result, uint32_t capacity);\n\nstatic inline mta_call_code %[2]s_(%[3]s) {\n    mta_writer writer, *w = &writer;\n    mta_view v;\n    uint32_t at = mta_begin(w, %[4]d, %[5]d);\n    (void)at;\n",
		name, fn, strings.Join(params, ", "), 512+call.Number, len(call.Call.Fields))
	for i := range call.Call.Fields {
		f := &call.Call.Fields[i]
		value := f.Name
		if f.Kind == Record {
			value = "(*" + value + ")"
		}
		c.putField(f, value)
	}
	c.printf("    mta_end(w);\n    mta_call_code code = mta_ask(mta1_%s, %d, w, &v);\n", name, 768+call.Number)
	if len(call.Result.Fields) > 0 {
		c.printf("    if (out != NULL) *out = mta_get_%s(v);\n", snaked(call.Result.Name))
	}
	c.printf("    return code;\n}\n#define %[1]s(%[2]s) %[1]s_(%[3]s)\n", fn, strings.Join(names, ", "), strings.Join(wrapped, ", "))
}

func (c *cEmitter) description() {
	c.printf("\n/* ---- what a plugin says of itself ---- */\n\ntypedef struct {\n    const char *name;\n    const char *version;\n    const char *needs; /* grants without which it cannot work: \"kv dns\" */\n    const char *wants; /* grants without which it can do less */\n")
	for _, h := range c.s.Hooks {
		c.printf("    const char *%s; /* %s */\n", h.Info.Name, h.Info.When)
	}
	c.printf("} mta_description;\n\nstatic inline mta_str mta_words(mta_str json, const char *key, const char *words);\n\nstatic inline mta_str mta_describe_json(const mta_description *d) {\n    mta_str hooks = mta_strn(NULL, 0);\n")
	for _, h := range c.s.Hooks {
		c.printf("    hooks = mta_words(hooks, \"%[1]s\", d->%[1]s);\n", h.Info.Name)
	}
	c.printf("    mta_str out = mta_join(\"{\\\"abi\\\":1,\\\"name\\\":\\\"\", d->name, \"\\\",\\\"version\\\":\\\"\", d->version, \"\\\",\\\"hooks\\\":{\", mta_cut(hooks, 1), \"}\");\n    out = mta_words(out, \"needs\", d->needs);\n    out = mta_words(out, \"wants\", d->wants);\n    return mta_join(out, \"}\");\n}\n")
}

func (c *cEmitter) hook(h Hook) {
	name := h.Info.Name
	answer, back := "void", "    mta_user_"+name+"(&e);                                                  \\\n        return 0;"
	if h.Answer != nil {
		answer = cName(h.Answer.Name)
		back = fmt.Sprintf("    %s a = mta_user_%s(&e); \\\n        return mta_return_%s(&a, %d);", answer, name, snaked(h.Answer.Name), 256+h.Number)
	}
	c.printf("\n/* MTA_ON_%[1]s(ev) { ... }: %[2]s */\n#define MTA_ON_%[1]s(arg) \\\n    static %[3]s mta_user_%[4]s(const mta_%[4]s_event *arg); \\\n    MTA_EXPORT(\"mta1_on_%[4]s\") int64_t mta1_on_%[4]s(uint32_t len) { \\\n        mta_view v; \\\n        mta_reset(); \\\n        if (!mta_open(mta_state.buffer, len, %[5]d, &v)) return mta_fail(mta_cstr(\"this is no block of the event %[4]s\")); \\\n        mta_%[4]s_event e = mta_get_%[4]s_event(v); \\\n        e.now = (int64_t)mta_load64(mta_state.buffer + 16); \\\n    %[6]s \\\n    } \\\n    static %[3]s mta_user_%[4]s(const mta_%[4]s_event *arg)\n",
		strings.ToUpper(name), h.Info.When, answer, name, h.Number, back)
}
