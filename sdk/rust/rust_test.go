// Package rust_test runs the tests of the crate on this machine. What it does in
// plugins is tested in sdk/gen.
package rust_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The crate compiles without a warning, and its tests pass, with each compiler
// there is: Debian's, and that of rustup.
func TestTheCrateKeepsItsWord(t *testing.T) {
	found := false
	for i, rustc := range []string{"/usr/bin/rustc", "rustc"} {
		path, err := exec.LookPath(rustc)
		if err != nil || i > 0 && path == "/usr/bin/rustc" {
			continue
		}
		found = true
		bin := filepath.Join(t.TempDir(), "tests")
		for _, features := range [][]string{nil, {"--cfg", `feature="alloc"`}} {
			args := append([]string{"--edition", "2021", "--test", "-D", "warnings", "-C", "debuginfo=0", "-o", bin, "src/lib.rs"}, features...)
			if said, err := exec.Command(path, args...).CombinedOutput(); err != nil {
				t.Fatalf("%s %v: %v\n%s", path, features, err, said)
			}
		}
		if said, err := exec.Command(bin).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", path, err, said)
		}
	}
	if !found {
		if os.Getenv("CI") != "" {
			t.Fatal("no rustc")
		}
		t.Skip("no Rust compiler: apt-get install rustc")
	}
}
