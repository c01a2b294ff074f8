package js_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/programmable-mta/mta/core/runtime/wasm"
)

var update = flag.Bool("update", false, "write testdata/wasm")

// TestThePrebuiltExamplesAreTheirSources packs the examples anew.
func TestThePrebuiltExamplesAreTheirSources(t *testing.T) {
	for _, name := range []string{"realrcpt", "greylist"} {
		path := root + "/testdata/wasm/js-" + name + ".wasm"
		made, err := wasm.PackScript(needed(t, "node_modules/quickjs-wasi/quickjs.wasm"), []byte(read(t, "mta.js")), []byte(read(t, "examples/"+name+".js")))
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(path, made, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, made) {
			t.Errorf("%s is not what its source makes (%v): run sdk/js/build.sh", path, err)
		}
	}
}
