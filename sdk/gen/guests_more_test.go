package gen_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// snippet is the first block of code of a language in a page.
func snippet(t *testing.T, page, lang string) string {
	t.Helper()
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(b), "```"+lang+"\n")
	code, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatalf("%s has no %s", page, lang)
	}
	return code
}

func TestTheFirstPluginOfEachPageWorks(t *testing.T) {
	for i, ext := range []string{"c", "rs"} {
		g := guests[i]
		t.Run(g.lang, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "hello")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			code := snippet(t, filepath.Join(top, "sdk", g.lang, "README.md"), g.lang)
			if err := os.WriteFile(filepath.Join(dir, "hello."+ext), []byte(code), 0o600); err != nil {
				t.Fatal(err)
			}
			plugintest.RunWith(t, loader(newRuntime(t), build(t, g.lang, g.needs, dir)), "testdata/hello.txtar")
		})
	}
}

func TestAPluginFindsItsOwnNotesByName(t *testing.T) {
	for _, g := range guests {
		t.Run(g.lang, func(t *testing.T) {
			path := build(t, g.lang, g.needs, filepath.Join(top, "sdk", g.lang, "testdata/own"))
			plugintest.RunWith(t, loader(newRuntime(t), path), "testdata/own-notes.txtar")
		})
	}
}

// The same source with a libc: C authors have code that wants one.
func TestTheHeaderGoesWithWASILibc(t *testing.T) {
	if testing.Short() {
		t.Skip("compilers take their time")
	}
	cc, err := exec.LookPath("clang-19")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("no compiler: apt-get install clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32")
	}
	out := filepath.Join(t.TempDir(), "wasi.wasm")
	said, err := exec.Command(cc, "--target=wasm32-wasi", "-mexec-model=reactor", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror",
		"-I"+filepath.Join(top, "sdk/c"), "-o", out, filepath.Join(top, "sdk/c/testdata/libc/libc.c")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	plugintest.RunWith(t, loader(newRuntime(t), out), "testdata/libc.txtar")
}

// An event that is larger than the buffer finds room, again and again.
func TestLargeEventsFindRoom(t *testing.T) {
	for _, g := range guests {
		t.Run(g.lang, func(t *testing.T) {
			path := build(t, g.lang, g.needs, filepath.Join(top, "sdk", g.lang, "testdata/selfcheck"))
			host := plugintest.NewHost()
			hs, stop, err := loader(newRuntime(t), path)(t.Context(), host, []byte("{}"))
			if err != nil {
				t.Fatal(err)
			}
			for _, size := range []int{10, 100_000, 5_000_000, 10, 1_000_000} {
				e := &sdk.HeloEvent{Session: plugintest.Session()}
				e.Session.Helo = strings.Repeat("x", size)
				before := len(host.Logs())
				if _, err := hs.Helo(t.Context(), e); err != nil {
					t.Fatal(err)
				}
				want, found := "session.helo="+escaped(e.Session.Helo), false
				for _, l := range host.Logs()[before:] {
					found = found || l.Text == want
				}
				if !found {
					t.Errorf("a name of %d octets did not arrive", size)
				}
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
		})
	}
}
