package wasm

import (
	"os"
	"path/filepath"
	"testing"
)

// Whatever the bytes are, reading them ends, and what is read is judged without
// a panic.
func FuzzParse(f *testing.F) {
	paths, _ := filepath.Glob("testdata/refused/*.wasm")
	for _, path := range append(paths, "testdata/noop.wasm", "../../../testdata/wasm/hostile.wasm") {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parse(b)
		if err != nil {
			return
		}
		if err := m.check(0); err == nil && (len(m.hooks()) == 0 || int64(m.min)*pageSize > DefaultMemory) {
			t.Errorf("a module without hooks or with %d pages was taken", m.min)
		}
		for _, name := range m.grants() {
			if name == "" {
				t.Error("a grant without a name")
			}
		}
	})
}
