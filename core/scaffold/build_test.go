package scaffold_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/core/scaffold"
)

// Each hook is written in each language; that they answer right is tested with
// their stories in cmd/mta, where the runtimes are.
func TestEveryHookBuildsInC(t *testing.T) {
	need(t, "c")
	for _, hook := range scaffold.Hooks() {
		build(t, "c", hook)
	}
}

func TestEveryHookBuildsInRust(t *testing.T) {
	need(t, "rust")
	for _, hook := range scaffold.Hooks() {
		build(t, "rust", hook)
	}
}

func build(t *testing.T, lang, hook string) {
	t.Helper()
	dir, p := begin(t, lang, hook)
	var commands bytes.Buffer
	b := &scaffold.Builder{Getenv: os.Getenv, Commands: &commands}
	file, err := b.Build(t.Context(), dir, p)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", lang, hook, err, &commands)
	}
	if st, err := os.Stat(file); err != nil || st.Size() == 0 {
		t.Errorf("%s %s: %v", lang, hook, err)
	}
	if strings.Contains(commands.String(), "warning:") {
		t.Errorf("%s %s builds with warnings:\n%s", lang, hook, &commands)
	}
}

func TestTheComplaintsOfACompilerAreKept(t *testing.T) {
	need(t, "c")
	dir, p := begin(t, "c", "rcpt")
	if err := os.WriteFile(dir+"/main.c", []byte("this is not C\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := (&scaffold.Builder{Getenv: os.Getenv}).Build(t.Context(), dir, p)
	var failed *scaffold.Failed
	if !errors.As(err, &failed) || !strings.Contains(failed.Output, "main.c:1") {
		t.Errorf("it gives %v", err)
	}
}
