package assemblyscript_test

import (
	"bytes"
	"os"
	"testing"
)

// TestThePrebuiltExamplesAreTheirSources compiles the examples anew.
func TestThePrebuiltExamplesAreTheirSources(t *testing.T) {
	for _, name := range []string{"noop", "realrcpt", "greylist"} {
		made, err := os.ReadFile(build(t, "examples/"+name+"/index.ts"))
		if err != nil {
			t.Fatal(err)
		}
		path := root + "/testdata/wasm/as-" + name + ".wasm"
		if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, made) {
			t.Errorf("%s is not what its source makes (%v): run sdk/assemblyscript/build.sh", path, err)
		}
	}
}
