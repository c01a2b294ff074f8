package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/core/scaffold"
)

// guestExamples are the examples in other languages than Go: each is a folder as
// mta plugin new makes it, and has its module among the prebuilt ones.
func guestExamples(t *testing.T) map[string]scaffold.Plugin {
	t.Helper()
	found, err := filepath.Glob(repository + "/examples/*/" + scaffold.ManifestName)
	must(t, err)
	all := map[string]scaffold.Plugin{}
	for _, manifest := range found {
		dir := filepath.Dir(manifest)
		p, err := scaffold.Open(dir)
		must(t, err)
		if p.Name != filepath.Base(dir) {
			t.Errorf("%s calls its plugin %s", dir, p.Name)
		}
		all[dir] = p
	}
	if len(all) < 3 {
		t.Fatalf("there are the examples %v; want one in C, one in JavaScript, one in AssemblyScript", found)
	}
	return all
}

func TestGuestExamplesAnswerAsTheirStoriesSay(t *testing.T) {
	cacheDir(t)
	for dir, p := range guestExamples(t) {
		t.Run(p.Name, func(t *testing.T) {
			stories, err := filepath.Glob(dir + "/testdata/*.txtar")
			if err != nil || len(stories) == 0 {
				t.Fatalf("it has no stories: %v", err)
			}
			newAuthor(t).must("plugin test " + repository + "/testdata/wasm/" + p.Result() + " " + strings.Join(stories, " "))
		})
	}
}

// Somebody copies an example as its README says, and goes on from there.
func TestGuestExamplesAreBuiltAsTheirReadmesSay(t *testing.T) {
	if testing.Short() {
		t.Skip("npm and the compilers run")
	}
	cacheDir(t)
	for dir, p := range guestExamples(t) {
		t.Run(p.Name, func(t *testing.T) {
			needTools(t, p.Lang)
			a := newAuthor(t)
			must(t, copyFollowing(dir, filepath.Join(a.dir, p.Name)))
			readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
			must(t, err)
			for _, step := range []struct{ says, command, prints string }{
				{"mta plugin build", "plugin build -v {}/" + p.Name, "says      " + p.Name + " 1.0.0"},
				{"mta plugin test", "plugin test {}/" + p.Name, "ok    " + a.dir},
				{"mta plugin verify " + p.Result(), "plugin verify {}/" + p.Name + "/" + p.Result(), "write     allow = "},
				{"mta serve -c mta.toml", "check -c {}/" + p.Name + "/mta.toml", p.Name},
			} {
				if !strings.Contains(string(readme), "\n    "+step.says) {
					t.Errorf("its README does not say %q", step.says)
				}
				printed := a.must(step.command)
				if !strings.Contains(printed, step.prints) || strings.Contains(printed, "warning:") {
					t.Errorf("mta %s says\n%swant %q, and no warnings", step.command, printed, step.prints)
				}
			}
			// package.json names the compiler and the engine to the last digit.
			if p.Lang == "js" || p.Lang == "ts" {
				made, err := os.ReadFile(filepath.Join(a.dir, p.Name, p.Result()))
				must(t, err)
				kept, err := os.ReadFile(filepath.Join(repository, "testdata/wasm", p.Result()))
				must(t, err)
				if !bytes.Equal(made, kept) {
					t.Errorf("testdata/wasm/%s is not what its source makes: run the command in testdata/wasm/README.md", p.Result())
				}
			}
		})
	}
}

// copyFollowing is cp -RL, without what was built and fetched.
func copyFollowing(from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		src, dst := filepath.Join(from, e.Name()), filepath.Join(to, e.Name())
		st, err := os.Stat(src)
		switch {
		case err != nil:
			return err
		case e.Name() == "node_modules":
			// npm takes some seconds; what it has fetched is the same.
			src, err = filepath.Abs(src)
			if err == nil {
				err = os.Symlink(src, dst)
			}
		case st.IsDir():
			err = copyFollowing(src, dst)
		case st.Mode()&fs.ModeType == 0 && !strings.HasSuffix(src, ".wasm"):
			err = copyFile(src, dst)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
