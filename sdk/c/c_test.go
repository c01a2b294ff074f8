// Package c_test builds mta.h for this machine, where the sanitizers see every
// octet that it reads. What it does as a plugin is tested in sdk/gen.
package c_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestNoBlockMakesTheHeaderReadOutsideOfIt(t *testing.T) {
	cc, err := exec.LookPath("cc")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("no C compiler: apt-get install gcc")
	}
	bin := filepath.Join(t.TempDir(), "native")
	said, err := exec.Command(cc, "-std=c11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
		"-I.", "-o", bin, "testdata/native/native.c").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	events, err := filepath.Glob("../testdata/wire/*.event.bin")
	if err != nil || len(events) != 12 {
		t.Fatalf("%d events in sdk/testdata/wire, %v", len(events), err)
	}
	run := exec.Command(bin, append([]string{"300"}, events...)...)
	run.Env = append(os.Environ(), "ASAN_OPTIONS=detect_leaks=0") // an arena gives nothing back
	if said, err := run.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}
