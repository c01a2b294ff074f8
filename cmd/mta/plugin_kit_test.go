package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/scaffold"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// author runs commands in a folder, as somebody does who writes a plugin.
type author struct {
	t   *testing.T
	dir string
}

func newAuthor(t *testing.T) *author { return &author{t: t, dir: t.TempDir()} }

// run runs one command; {} in it is the folder of the author.
func (a *author) run(command string) (stdout, stderr string, status int) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), 5*time.Minute) // two cores, and others on them
	defer cancel()
	var out, errs output
	w := systemWorld()
	w.stdin, w.stdout, w.stderr, w.terminal = strings.NewReader(""), &out, &errs, false
	args := strings.Fields(command)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "{}", a.dir)
	}
	status = execute(ctx, w, args)
	if s := out.String() + errs.String(); strings.Contains(s, "goroutine ") || strings.Contains(s, "panic:") {
		a.t.Errorf("mta %s shows its insides:\n%s", command, s)
	}
	return out.String(), errs.String(), status
}

// must is run for commands that have to work.
func (a *author) must(command string) string {
	a.t.Helper()
	out, errs, status := a.run(command)
	if status != exitOK {
		a.t.Fatalf("mta %s: status %d\n%s%s", command, status, out, errs)
	}
	return out + errs
}

// cacheDir keeps compiled modules and downloads for all tests of this run.
func cacheDir(t *testing.T) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", filepath.Join(filepath.Dir(mustBinary(t)), "cache"))
}

// toolsOf are the programs that a language needs.
var toolsOf = map[string][]string{
	"go": {"go"}, "rust": {"rustc"}, "c": {"clang-19", "wasm-ld-19"}, "ts": {"node", "npm"}, "js": {"npm"}, "python": {"python3"},
}

func needTools(t *testing.T, lang string) {
	t.Helper()
	for _, name := range toolsOf[lang] {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing", name)
			}
			t.Skipf("%s is missing", name)
		}
	}
}

// hooksTried are all in CI; elsewhere those whose answers are of different
// kinds, and one where the compiler is slow.
func hooksTried(lang string) []string {
	switch {
	case testing.Short():
		return []string{"rcpt"}
	case os.Getenv("CI") == "true":
		return scaffold.Hooks()
	case lang == "go" || lang == "rust" || lang == "ts":
		return []string{"rcpt"}
	}
	return []string{"rcpt", "data", "route"}
}

func TestAPluginIsBegunBuiltAndTestedInEveryLanguage(t *testing.T) {
	cacheDir(t)
	for _, lang := range scaffold.Languages() {
		t.Run(lang, func(t *testing.T) {
			needTools(t, lang)
			if testing.Short() && lang != "c" {
				t.Skip("compilers and engines take minutes below the race detector; the test runs in full without -short")
			}
			if lang == "python" { // Debian's interpreter has Debian's gRPC
				t.Setenv("PATH", "/usr/bin:"+os.Getenv("PATH"))
			}
			if lang == "go" { // nothing is fetched: the folder has all that is needed
				t.Setenv("GOPROXY", "off")
				t.Setenv("GOMODCACHE", t.TempDir())
			}
			a := newAuthor(t)
			for _, hook := range hooksTried(lang) {
				name := "my-" + hook
				a.must("plugin new " + name + " --lang " + lang + " --hook " + hook + " --dir {}/" + name)
				built := a.must("plugin build -v {}/" + name)
				if strings.Contains(built, "warning:") {
					t.Errorf("%s builds with warnings:\n%s", hook, built)
				}
				for _, want := range []string{"says      " + name + " 0.1.0", "hooks     " + hook} {
					if !strings.Contains(built, want) {
						t.Errorf("mta plugin build does not say %q:\n%s", want, built)
					}
				}
				if tested := a.must("plugin test {}/" + name); !strings.Contains(tested, "ok    "+a.dir) {
					t.Errorf("%s: mta plugin test says\n%s", hook, tested)
				}
				// npm needs some seconds; the next plugin finds what this one has.
				if err := os.Rename(filepath.Join(a.dir, name, "node_modules"), filepath.Join(a.dir, "node_modules")); err != nil && !os.IsNotExist(err) {
					t.Error(err)
				}
				if text := a.must("check -c {}/" + name + "/mta.toml"); !strings.Contains(text, name) {
					t.Errorf("mta check says\n%s", text)
				}
			}
			a.breaksTheStory("my-rcpt")
			a.benches("my-rcpt", lang)
		})
	}
}

// breaksTheStory expects another answer, and has to be told.
func (a *author) breaksTheStory(name string) {
	a.t.Helper()
	story := filepath.Join(a.dir, name, "stories", "first.txtar")
	text, err := os.ReadFile(story)
	must(a.t, err)
	broken := filepath.Join(a.dir, "broken.txtar")
	must(a.t, os.WriteFile(broken, []byte(strings.ReplaceAll(string(text), "no such user here", "go away")), 0o600))
	out, errs, status := a.run("plugin test {}/" + name + " {}/broken.txtar")
	for _, want := range []string{"FAIL  " + broken, "rcpt nobody@example.org", "! reject 5.1.1 go away"} {
		if status != exitFailed || !strings.Contains(out, want) {
			a.t.Errorf("a story that is wrong: status %d, want %q in\n%s%s", status, want, out, errs)
		}
	}
	if !strings.Contains(errs, "1 of 1 stories failed") {
		a.t.Errorf("it ends with %s", errs)
	}
}

func (a *author) benches(name, lang string) {
	a.t.Helper()
	var results []benched
	out, errs, status := a.run("plugin bench {}/" + name + " --time 100ms --json")
	if status != exitOK {
		a.t.Errorf("mta plugin bench: status %d\n%s", status, errs)
		return
	}
	must(a.t, json.Unmarshal([]byte(out), &results))
	if len(results) != 1 || results[0].Hook != "rcpt" || results[0].Calls < 3 || results[0].P50 <= 0 || results[0].Fault != "" {
		a.t.Errorf("mta plugin bench says\n%s", out)
	}
	if inWasm := lang != "python"; len(results) == 1 && inWasm != (results[0].Fuel > 0) {
		a.t.Errorf("%d units of fuel", results[0].Fuel)
	}
}

func TestTheKitSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	cacheDir(t)
	a := newAuthor(t)
	a.must("plugin new first --lang c --dir {}/first")
	must(t, os.WriteFile(filepath.Join(a.dir, "text.wasm"), []byte("no module\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(a.dir, "none.txtar"), []byte("nothing\n"), 0o600))
	for _, tc := range []struct {
		command string
		status  int
		says    string
	}{
		{"plugin new first", exitUsage, "--lang is missing; there are go, rust"},
		{"plugin new", exitUsage, "see 'mta plugin new --help'"},
		{"plugin new first --lang perl", exitUsage, "there is no language \"perl\""},
		{"plugin new first --lang c --dir {}/first", exitFailed, "not empty: nothing was written"},
		{"plugin build {}", exitFailed, "it has no plugin.toml; mta plugin new begins one"},
		{"plugin test {}/first", exitFailed, "is not built yet: run mta plugin build " + a.dir + "/first"},
		{"plugin test {}/missing", exitFailed, "name a folder of a plugin, a .wasm file"},
		{"plugin test builtin:relay", exitUsage, "no story was found for builtin:relay"},
		{"plugin test builtin:relai x.txtar", exitFailed, "there is no builtin plugin \"relai\"; there are"},
		{"plugin test builtin:relay {}/none.txtar", exitFailed, "1 of 1 stories failed"},
		{"plugin verify {}/text.wasm", exitFailed, "it is not a WebAssembly module"},
		{"plugin verify process:{}/missing", exitFailed, "no such file"},
		{"plugin bench builtin:relay --hook data --event sample --time 1ms", exitFailed, "does not have the hook \"data\"; it has rcpt"},
		{"plugin bench builtin:relay --time 0s", exitUsage, "--time"},
		{"plugin bench builtin:relay --event {}/missing.txtar", exitFailed, "missing.txtar"},
		{"plugin bench builtin:relay --config {\"domain\":1}", exitFailed, "domain"},
	} {
		out, errs, status := a.run(tc.command)
		if status != tc.status || !strings.Contains(errs, tc.says) {
			t.Errorf("mta %s: status %d, it says\n%s%swant %d and %q", tc.command, status, out, errs, tc.status, tc.says)
		}
	}
}

func TestAModuleThatIsOlderThanItsSourceIsPointedOut(t *testing.T) {
	cacheDir(t)
	a := newAuthor(t)
	a.must("plugin new first --lang c --dir {}/first")
	module := filepath.Join(a.dir, "first", "first.wasm")
	text, err := os.ReadFile(repository + "/testdata/wasm/c-noop.wasm")
	must(t, err)
	must(t, os.WriteFile(module, text, 0o600))
	const says = "main.c is newer than first.wasm: mta plugin build makes it anew"
	for age, want := range map[time.Duration]bool{-time.Hour: true, time.Hour: false} {
		when := time.Now().Add(age)
		must(t, os.Chtimes(module, when, when))
		if _, errs, status := a.run("plugin verify {}/first"); status != exitOK || strings.Contains(errs, says) != want {
			t.Errorf("at the age %v: status %d\n%s", age, status, errs)
		}
	}
}

func TestBuiltinsAreTestedBenchedAndVerifiedAsOthersAre(t *testing.T) {
	a := newAuthor(t)
	stories := repository + "/plugins/relay/testdata/policy.txtar " + repository + "/plugins/relay/testdata/open.txtar"
	var results []played
	must(t, json.Unmarshal([]byte(a.must("plugin test builtin:relay "+stories+" --json")), &results))
	if len(results) != 2 || !results[0].OK || !results[1].OK {
		t.Errorf("%+v", results)
	}
	text := a.must("plugin bench builtin:relay --time 20ms --event " + repository + "/plugins/relay/testdata/policy.txtar")
	if !strings.Contains(text, "HOOK") || !strings.Contains(text, "\nrcpt ") {
		t.Errorf("mta plugin bench says\n%s", text)
	}
	if text := a.must("plugin verify builtin:relay"); !strings.Contains(text, "hooks     rcpt") {
		t.Errorf("mta plugin verify says\n%s", text)
	}
}

func TestEveryHookCanBeBenched(t *testing.T) {
	w := systemWorld()
	var out, errs output
	w.stdout, w.stderr = &out, &errs
	w.builtins = map[string]func() sdk.Plugin{"reference": plugintest.NewReference}
	for _, event := range []string{"sample", repository + "/sdk/plugintest/testdata/reference/session.txtar"} {
		if status := execute(t.Context(), w, []string{"plugin", "bench", "builtin:reference", "--time", "2ms", "--event", event}); status != exitOK {
			t.Errorf("%s: status %d\n%s", event, status, errs.String())
		}
	}
	for _, h := range sdk.Hooks() {
		if strings.Count(out.String(), "\n"+h.Name+" ") != 2 {
			t.Errorf("%s is not benched twice:\n%s", h.Name, out.String())
		}
	}
}

func TestARecordingIsAFixture(t *testing.T) {
	a := newAuthor(t)
	line := `{"hook":"rcpt","event":{"session":{"remote_ip":"192.0.2.1"},"envelope":{},"recipient":{"addr":"x@example.org"}},"answer":{"action":"%","reason":"domain example.org is ours"}}` + "\n"
	for action, want := range map[string]int{"accept": exitOK, "discard": exitFailed} {
		name := filepath.Join(a.dir, action+".jsonl")
		header := `{"mta_recording":1,"config":{"domains":["example.org"]}}` + "\n"
		must(t, os.WriteFile(name, []byte(header+strings.ReplaceAll(line, "%", action)), 0o600))
		out, errs, status := a.run("plugin test builtin:relay " + name)
		if status != want {
			t.Errorf("%s: status %d, want %d\n%s%s", action, status, want, out, errs)
		}
		if want == exitFailed && (!strings.Contains(out, "discard") || !strings.Contains(out, "accept")) {
			t.Errorf("the difference is not shown:\n%s", out)
		}
	}
}

// The builtin greylist is a module of testdata, too; without its store it is not
// loaded.
func TestAStoryTakesGrantsAway(t *testing.T) {
	cacheDir(t)
	a := newAuthor(t)
	story := "-- config --\n{}\n-- allow --\ndns\n-- start --\nallow.kv\n"
	must(t, os.WriteFile(filepath.Join(a.dir, "no-kv.txtar"), []byte(story), 0o600))
	a.must("plugin test " + repository + "/testdata/wasm/c-greylist.wasm {}/no-kv.txtar")
	must(t, os.WriteFile(filepath.Join(a.dir, "all.txtar"), []byte(strings.Replace(story, "-- allow --\ndns\n", "", 1)), 0o600))
	if out, _, status := a.run("plugin test " + repository + "/testdata/wasm/c-greylist.wasm {}/all.txtar"); status != exitFailed || !strings.Contains(out, "Start succeeded") {
		t.Errorf("with all grants: status %d\n%s", status, out)
	}
}
