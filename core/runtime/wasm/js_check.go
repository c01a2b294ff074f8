package wasm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// engineModule is what the engine imports from, beside WASI.
const engineModule = "env"

// engineExports are the functions of the engine that the adapter calls, with
// their types.
var engineExports = map[string]string{
	"qjs_init":                "() -> i32",
	"qjs_get_context_ptr":     "() -> i32",
	"qjs_set_memory_limit":    "(i32)",
	"qjs_set_max_stack_size":  "(i32)",
	"qjs_new_host_function":   "(i32, i32, i32) -> i32",
	"qjs_new_string":          "(i32, i32) -> i32",
	"qjs_is_job_pending":      "() -> i32",
	"qjs_execute_pending_job": "() -> i32",
	"wasm_malloc":             "(i32) -> i32",
	"wasm_free":               "(i32)",
	"JS_Eval":                 "(i32, i32, i32, i32, i32) -> i64",
	"JS_EvalFunction":         "(i32, i64) -> i64",
	"JS_ResolveModule":        "(i32, i64) -> i32",
	"JS_GetModuleNamespace":   "(i32, i32) -> i64",
	"JS_Call":                 "(i32, i64, i64, i32, i32) -> i64",
	"JS_DupValue":             "(i32, i64) -> i64",
	"JS_FreeValue":            "(i32, i64)",
	"JS_GetException":         "(i32) -> i64",
	"JS_ToCStringLen2":        "(i32, i32, i64, i32) -> i32",
	"JS_FreeCString":          "(i32, i32)",
	"JS_PromiseState":         "(i32, i64) -> i32",
	"JS_PromiseResult":        "(i32, i64) -> i64",
	"JS_NewStringLen":         "(i32, i32, i32) -> i64",
	"JS_NewObject":            "(i32) -> i64",
	"JS_GetArrayBuffer":       "(i32, i32, i64) -> i32",
	"JS_GetPropertyStr":       "(i32, i64, i32) -> i64",
	"JS_GetProperty":          "(i32, i64, i32) -> i64",
	"JS_GetPropertyUint32":    "(i32, i64, i32) -> i64",
	"JS_GetOwnPropertyNames":  "(i32, i32, i32, i64, i32) -> i32",
	"JS_FreePropertyEnum":     "(i32, i32, i32)",
	"JS_GetPrototype":         "(i32, i64) -> i64",
	"JS_GetClassID":           "(i64) -> i32",
	"JS_GetLength":            "(i32, i64, i32) -> i32",
	"JS_NewAtomLen":           "(i32, i32, i32) -> i32",
	"JS_NewNumber":            "(i32, f64) -> i64",
	"JS_SetPropertyStr":       "(i32, i64, i32, i64) -> i32",
}

const otherEngine = "pack the script with quickjs.wasm of the npm package " + EngineName + ", version 3"

// checkEngine tells whether a module is an engine that the adapter can drive.
func (m *layout) checkEngine() error {
	for name, typ := range engineExports {
		x, ok := m.export(name)
		if !ok || x.kind != kindFunc || x.typ != typ {
			return fmt.Errorf("the engine has no function %s %s: %s", name, typ, otherEngine)
		}
	}
	if x, ok := m.export(memoryName); !ok || x.kind != kindMemory {
		return errors.New("the engine does not export its memory: " + otherEngine)
	}
	for _, x := range m.imports {
		want, ok := offered()[x.module+"."+x.name]
		if x.module == engineModule {
			i := slices.IndexFunc(engineCalls, func(f function) bool { return f.name == x.name })
			if ok = i >= 0; ok {
				want = engineCalls[i].typ()
			}
		}
		if !ok || x.kind != kindFunc || x.typ != want {
			return fmt.Errorf("the engine imports %s.%s %s, which nobody offers: %s", x.module, x.name, x.typ, otherEngine)
		}
	}
	return nil
}

// asPlugin is the layout of an engine with a script: the adapter makes the
// exports of the contract from it, and the script says which hooks it has.
func (m *layout) asPlugin() *layout {
	p := *m
	p.imports, p.exports = nil, []symbol{{name: memoryName, kind: kindMemory}}
	for name, typ := range signatures {
		p.exports = append(p.exports, symbol{name: name, kind: kindFunc, typ: typ})
	}
	for _, name := range hookNames() {
		p.exports = append(p.exports, symbol{name: hookPrefix + name, kind: kindFunc, typ: "(i32) -> i64"})
	}
	slices.SortFunc(p.exports, func(a, b symbol) int { return strings.Compare(a.name, b.name) })
	return &p
}
