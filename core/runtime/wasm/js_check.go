package wasm

import (
	"fmt"
	"slices"
)

// checkEngine tells whether a module is an engine that the adapter can drive.
func (l *layout) checkEngine() error {
	for _, name := range []string{"JS_NewRuntime", "JS_NewContext", "JS_Eval", "JS_Call", "js_malloc"} {
		if !slices.ContainsFunc(l.exports, func(s symbol) bool { return s.name == name }) {
			return fmt.Errorf("the engine does not export %s: take quickjs.wasm from the npm package quickjs-wasi", name)
		}
	}
	return nil
}
