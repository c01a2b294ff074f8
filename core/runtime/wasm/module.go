package wasm

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/programmable-mta/mta/sdk"
)

// The names of the contract.
const (
	ourModule   = "mta1"
	wasiModule  = "wasi_snapshot_preview1"
	memoryName  = "memory"
	bufferName  = "mta1_buffer"
	startName   = "mta1_start"
	stopName    = "mta1_stop"
	testName    = "mta1_selftest"
	describes   = "mta1_describe"
	hookPrefix  = "mta1_on_"
	initialize  = "_initialize"
	restName    = "rest"
	pageSize    = 64 << 10
	maxPages    = 65536
	kindFunc    = 0
	kindTable   = 1
	kindMemory  = 2
	kindGlobal  = 3
	elementSize = 8 // octets of host memory that an element of a table takes
)

var kindNames = [...]string{"function", "table", "memory", "global"}

// symbol is an import or an export.
type symbol struct {
	module string // of an import
	name   string
	kind   byte
	typ    string // of a function: "(i32) -> i64"
}

// layout is what a module's file says without running it.
type layout struct {
	imports []symbol
	exports []symbol
	min     uint32 // pages of memory
	max     uint32
	tables  uint64 // elements that all tables begin with
	start   bool   // it has a start function
}

var errShort = errors.New("it is cut off, or damaged")

// maxSymbols bounds types, imports, functions and exports, each: what is
// remembered of one is larger than what it takes in the file.
const maxSymbols = 200_000

// reader reads the few sections that are of interest here.
type reader struct {
	b   []byte
	err error
}

func (r *reader) u32() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		if len(r.b) == 0 {
			break
		}
		c := r.b[0]
		r.b = r.b[1:]
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			if v > 1<<32-1 {
				break
			}
			return uint32(v)
		}
	}
	r.err, r.b = errShort, nil
	return 0
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.err = errShort
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) take(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)) {
		r.err, r.b = errShort, nil
		return nil
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

// count is the length of a vector.
func (r *reader) count() uint32 {
	n := r.u32()
	if n > maxSymbols && r.err == nil {
		r.err, r.b = fmt.Errorf("it has more than %d types, imports, functions or exports", maxSymbols), nil
	}
	return n
}

func (r *reader) name() string { return strings.ToValidUTF8(string(r.take(r.u32())), "?") }

// limits are those of a memory or table.
func (r *reader) limits() (low, high uint32, bounded bool) {
	flags := r.byte()
	low = r.u32()
	if flags&1 != 0 {
		return low, r.u32(), true
	}
	return low, 0, false
}

// parse reads what is needed to judge a module and to explain what is wrong with
// it. Whether the rest is valid is found out by the compiler.
func parse(b []byte) (*layout, error) {
	switch {
	case len(b) < 8 || !bytes.HasPrefix(b, []byte("\x00asm")):
		return nil, errors.New("it is not a WebAssembly module: build one, or write source = \"process:...\" for a program")
	case b[6] == 1 && b[7] == 0:
		return nil, errors.New("it is a component: build a core module (wasip1 reactor, wasm32-unknown-unknown)")
	case !bytes.Equal(b[4:8], []byte{1, 0, 0, 0}):
		return nil, fmt.Errorf("WebAssembly binary version % x is not known; version 1 is", b[4:8])
	}
	m := &layout{}
	var types []string
	var functions []uint32 // the type of each
	r := &reader{b: b[8:]}
	for len(r.b) > 0 && r.err == nil {
		id := r.byte()
		s := &reader{b: r.take(r.u32())}
		switch id {
		case 1:
			types = readTypes(s)
		case 2:
			functions = m.readImports(s, types)
		case 3:
			for n := s.count(); n > 0 && s.err == nil; n-- {
				functions = append(functions, s.u32())
			}
		case 4:
			for n := s.u32(); n > 0 && s.err == nil; n-- {
				s.byte()
				low, _, _ := s.limits()
				m.tables += uint64(low)
			}
		case 5:
			for n := s.u32(); n > 0 && s.err == nil; n-- {
				m.memory(s)
			}
		case 7:
			m.readExports(s, types, functions)
		case 8:
			m.start = true
		}
		if s.err != nil {
			r.err = s.err
		}
	}
	return m, r.err
}

func (m *layout) memory(s *reader) {
	var bounded bool
	if m.min, m.max, bounded = s.limits(); !bounded {
		m.max = maxPages
	}
}

var valueNames = map[byte]string{0x7f: "i32", 0x7e: "i64", 0x7d: "f32", 0x7c: "f64", 0x7b: "v128", 0x70: "funcref", 0x6f: "externref"}

func readTypes(s *reader) (types []string) {
	list := func() string {
		var words []string
		for n := s.count(); n > 0 && s.err == nil; n-- {
			words = append(words, valueNames[s.byte()])
		}
		return strings.Join(words, ", ")
	}
	for n := s.count(); n > 0 && s.err == nil; n-- {
		s.byte()
		t := "(" + list() + ")"
		if result := list(); result != "" {
			t += " -> " + result
		}
		types = append(types, t)
	}
	return types
}

func typeOf(types []string, i uint32) string {
	if uint64(i) < uint64(len(types)) {
		return types[i]
	}
	return "?"
}

func (m *layout) readImports(s *reader, types []string) (functions []uint32) {
	for n := s.count(); n > 0 && s.err == nil; n-- {
		x := symbol{module: s.name(), name: s.name(), kind: s.byte()}
		switch x.kind {
		case kindFunc:
			t := s.u32()
			x.typ = typeOf(types, t)
			functions = append(functions, t)
		case kindTable:
			s.byte()
			s.limits()
		case kindMemory:
			s.limits()
		case kindGlobal:
			s.byte()
			s.byte()
		default:
			s.err = fmt.Errorf("it imports something of the unknown kind %d", x.kind)
		}
		m.imports = append(m.imports, x)
	}
	return functions
}

func (m *layout) readExports(s *reader, types []string, functions []uint32) {
	for n := s.count(); n > 0 && s.err == nil; n-- {
		x := symbol{name: s.name(), kind: s.byte()}
		if i := s.u32(); x.kind == kindFunc && uint64(i) < uint64(len(functions)) {
			x.typ = typeOf(types, functions[i])
		}
		m.exports = append(m.exports, x)
	}
}

func (m *layout) export(name string) (symbol, bool) {
	i := slices.IndexFunc(m.exports, func(x symbol) bool { return x.name == name })
	if i < 0 {
		return symbol{}, false
	}
	return m.exports[i], true
}

// hooks are the hooks that it exports, by their names.
func (m *layout) hooks() (names []string) {
	for _, h := range sdk.Hooks() {
		if _, ok := m.export(hookPrefix + h.Name); ok {
			names = append(names, h.Name)
		}
	}
	return names
}

const reactor = `build a reactor: with Go "-buildmode=c-shared", with clang "-mexec-model=reactor", with Rust a library of the crate-type "cdylib"`

// check refuses what cannot be a plugin, whatever is granted.
func (m *layout) check(memory int64) error {
	if memory <= 0 {
		memory = DefaultMemory
	}
	if x, ok := m.export("_start"); ok && x.kind == kindFunc {
		return errors.New("it is a program that runs once and ends (it exports _start): " + reactor)
	}
	for _, x := range m.imports {
		if err := checkImport(x); err != nil {
			return err
		}
	}
	for _, x := range m.exports {
		if rest, ok := strings.CutPrefix(x.name, "mta"); ok && x.kind == kindFunc && len(rest) > 1 && rest[1] == '_' && rest[0] >= '2' && rest[0] <= '9' {
			return fmt.Errorf("it exports %s, so it was made for a later contract than this relay knows (mta1): build it with an SDK for mta1, or update the relay", x.name)
		}
	}
	if err := m.checkExports(); err != nil {
		return err
	}
	if n := int64(m.min)*pageSize + int64(m.tables)*elementSize; n > memory {
		return fmt.Errorf("it begins with %d octets of memory, and limits.memory is %d: raise the limit, or build it with less", n, memory)
	}
	return nil
}

// signatures are the types of the functions that the contract names.
var signatures = map[string]string{
	initialize: "()",
	bufferName: "(i32) -> i32",
	describes:  "() -> i64",
	startName:  "(i32) -> i64",
	testName:   "() -> i64",
	stopName:   "()",
}

func (m *layout) checkExports() error {
	for _, name := range []string{memoryName, bufferName} {
		x, ok := m.export(name)
		if !ok {
			return fmt.Errorf("it does not export %s, so it is no plugin for this relay: build it with one of the SDKs", name)
		}
		if name == memoryName && x.kind != kindMemory {
			return fmt.Errorf("its export %s is a %s", name, kindName(x.kind))
		}
	}
	for _, x := range m.exports {
		want, ok := signatures[x.name]
		if hook, isHook := strings.CutPrefix(x.name, hookPrefix); isHook {
			if hookNumber(hook) == 0 {
				return fmt.Errorf("it exports %s, and there is no hook %q; the hooks are: %s", x.name, hook, strings.Join(hookNames(), ", "))
			}
			want, ok = "(i32) -> i64", true
		}
		if ok && (x.kind != kindFunc || x.typ != want) {
			return fmt.Errorf("its export %s is a %s %s, and has to be a function %s", x.name, kindName(x.kind), x.typ, want)
		}
	}
	if len(m.hooks()) == 0 {
		return errors.New("it has no hooks at all: it exports no mta1_on_HOOK")
	}
	return nil
}

func kindName(kind byte) string {
	if int(kind) < len(kindNames) {
		return kindNames[kind]
	}
	return "thing"
}

func checkImport(x symbol) error {
	want, ok := offered()[x.module+"."+x.name]
	switch {
	case !ok && x.module == wasiModule:
		return fmt.Errorf("it imports %s.%s, and of WASI there is no such function", x.module, x.name)
	case !ok && x.module == ourModule:
		return fmt.Errorf("it imports %s.%s, and this relay has no such call: update the relay, or build the plugin with an older SDK", x.module, x.name)
	case !ok:
		return fmt.Errorf("it imports the %s %s.%s, which nobody offers: a plugin can import from %s and %s", kindName(x.kind), x.module, x.name, ourModule, wasiModule)
	case x.kind != kindFunc || x.typ != want:
		return fmt.Errorf("its import %s.%s is a %s %s, and has to be a function %s", x.module, x.name, kindName(x.kind), x.typ, want)
	}
	return nil
}

// grants are those that its imports need.
func (m *layout) grants() (names []string) {
	for _, c := range sdk.Calls() {
		// Without the grant clock the call answers the time of the event.
		if c.Grant == "" || c.Grant == "clock" || slices.Contains(names, c.Grant) {
			continue
		}
		if slices.ContainsFunc(m.imports, func(x symbol) bool { return x.module == ourModule && x.name == c.Name }) {
			names = append(names, c.Grant)
		}
	}
	return names
}

func hookNames() (names []string) {
	for _, h := range sdk.Hooks() {
		names = append(names, h.Name)
	}
	return names
}

// hookNumber is the number of a hook on the wire; 0: there is none.
func hookNumber(name string) int { return slices.Index(hookNames(), name) + 1 }
