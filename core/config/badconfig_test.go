package config

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

const badDir = "../../testdata/badconfig"

// now is when the certificates of the files are looked at.
var now = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

// badFile loads mta.toml of one archive and gives its faults, with names
// relative to the archive.
func badFile(t *testing.T, ar *txtar.Archive) Faults {
	t.Helper()
	dir := t.TempDir()
	o := LoadOptions{Builtins: []string{"allow-list", "static-route"}, Hostname: named.Hostname}
	for _, f := range ar.Files {
		mode := os.FileMode(0o600)
		switch {
		case f.Name == "machine":
			o.Hostname = func() (string, error) { return strings.TrimSpace(string(f.Data)), nil }
		case strings.HasSuffix(f.Name, ".world"):
			mode = 0o644
		case f.Name == "mta.toml":
			n := 1
			if _, times, ok := strings.Cut(string(ar.Comment), "repeat: "); ok {
				fmt.Sscan(times, &n)
			}
			f.Data = bytes.Repeat(f.Data, n)
		}
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, f.Name), mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
	}
	c, err := o.Load(filepath.Join(dir, "mta.toml"))
	var faults Faults
	if err == nil {
		faults = c.CheckFiles(now)
	} else if !errors.As(err, &faults) {
		t.Fatalf("%v is not a list of faults", err)
	}
	for i := range faults {
		faults[i].File = strings.TrimPrefix(faults[i].File, dir+"/")
		faults[i].Text = strings.ReplaceAll(faults[i].Text, dir+"/", "")
		faults[i].Text = strings.ReplaceAll(faults[i].Text, dir, ".")
	}
	return faults
}

func badFiles(t *testing.T) map[string]*txtar.Archive {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(badDir, "*.txtar"))
	if err != nil || len(paths) < 45 {
		t.Fatalf("%d files in %s: %v", len(paths), badDir, err)
	}
	all := map[string]*txtar.Archive{}
	for _, p := range paths {
		ar, err := txtar.ParseFile(p)
		if err != nil {
			t.Fatal(err)
		}
		all[p] = ar
	}
	return all
}

func TestEveryBrokenFileIsRefusedWithExactlyTheseSentences(t *testing.T) {
	for path, ar := range badFiles(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			last := &ar.Files[len(ar.Files)-1]
			if last.Name != "want" {
				t.Fatal("the last file must be want")
			}
			in := &txtar.Archive{Comment: ar.Comment, Files: append([]txtar.File(nil), ar.Files[:len(ar.Files)-1]...)}
			faults := badFile(t, in)
			got := faults.Error() + "\n"
			if len(faults) == 0 {
				t.Error("no fault was found")
			}
			if strings.Contains(got, "hunter2") {
				t.Errorf("a secret is shown:\n%s", got)
			}
			if *update {
				last.Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(last.Data); got != want {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}

// sentences are the constants of rules.go.
func sentences(t *testing.T) (all []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "rules.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			s, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
		}
		return true
	})
	if len(all) < 70 {
		t.Fatalf("only %d sentences were found", len(all))
	}
	return all
}

func TestEverySentenceIsReachedByAFile(t *testing.T) {
	reached := map[rule]bool{}
	var texts strings.Builder
	for _, ar := range badFiles(t) {
		for _, f := range badFile(t, &txtar.Archive{Comment: ar.Comment, Files: ar.Files[:len(ar.Files)-1]}) {
			reached[f.rule] = true
			fmt.Fprintln(&texts, place{key: f.Key}.pattern()+": "+f.Text)
		}
	}
	for _, s := range sentences(t) {
		wrong, right, ok := strings.Cut(s, "; ")
		if !ok || wrong == "" || right == "" {
			t.Errorf("%q does not say what is wrong and what would be right", s)
		}
		if !reached[rule(s)] {
			t.Errorf("no file of %s reaches %q", badDir, s)
		}
	}
	for key, instead := range later {
		if !strings.Contains(texts.String(), key+": not in this release; "+instead) {
			t.Errorf("no file of %s reaches the later key %s", badDir, key)
		}
	}
	for key, words := range laterValues {
		for word := range words {
			if !strings.Contains(texts.String(), key+": \""+word+"\" is not in this release; ") {
				t.Errorf("no file of %s reaches the later value %s = %s", badDir, key, word)
			}
		}
	}
}
