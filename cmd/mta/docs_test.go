package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/scaffold"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// The pages for authors: sdk/README.md and sdk/coming-from.md.
var authorPages = []string{"sdk/README.md", "sdk/coming-from.md"}

// fencesOf are the fenced blocks of a page.
func fencesOf(t *testing.T, page string) (text string, fences []fence) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(repository, page))
	must(t, err)
	text = string(b)
	for _, m := range regexp.MustCompile("(?ms)^```(.*?)\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		fences = append(fences, fence{strings.TrimSpace(m[1]), m[2]})
	}
	return text, fences
}

// The first plugin is made as the page says, in its order, in a shell with the
// built program in its PATH: in Go, and with the words changed that depend on
// the language, in the others.
func TestAFirstPluginOfTheAuthorsPageWorks(t *testing.T) {
	langs := []string{"go", "js"}
	switch {
	case os.Getenv("CI") != "":
		langs = scaffold.Languages()
	case testing.Short():
		langs = langs[:1]
	}
	compiled, err := exec.Command("go", "env", "GOCACHE").Output()
	must(t, err)
	t.Setenv("GOCACHE", strings.TrimSpace(string(compiled))) // or the library is compiled again
	cacheDir(t)
	for _, lang := range langs {
		t.Run(lang, func(t *testing.T) {
			needTools(t, lang)
			if lang == "python" { // Debian's interpreter has Debian's gRPC
				t.Setenv("PATH", "/usr/bin:"+os.Getenv("PATH"))
			}
			follow(t, lang)
		})
	}
}

// inOther are the words of the page that depend on the language.
func inOther(lang, text string) string {
	entry := map[string]string{"rust": "plugin/plugin.rs", "c": "main.c", "ts": "index.ts", "js": "plugin.js", "python": "plugin.py"}[lang]
	if entry == "" {
		return text
	}
	words := []string{"--lang go", "--lang " + lang, "main.go", entry}
	if lang == "python" {
		words = append(words, "file:greeter.wasm", "process:plugin.py", "greeter.wasm", "plugin.py", "built ", "checked ")
	}
	return strings.NewReplacer(words...).Replace(text)
}

// follow does what the page says.
func follow(t *testing.T, lang string) {
	_, fences := fencesOf(t, "sdk/README.md")
	top, err := os.MkdirTemp("", "page") // sockets of plugins lie below, and their paths have to be short
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(top) })
	dir := filepath.Join(top, "greeter") // made by the first block
	must(t, os.Mkdir(filepath.Join(top, "bin"), 0o755))
	must(t, os.Symlink(mustBinary(t), filepath.Join(top, "bin", "mta")))
	env := append(os.Environ(), "TMPDIR="+top, "PATH="+filepath.Join(top, "bin")+":"+os.Getenv("PATH"))
	sh := func(in, script string) (string, error) {
		cmd := exec.Command("sh", "-e", "-c", script)
		cmd.Dir, cmd.Env = in, env
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	printed, seen, began := "", map[string]int{}, time.Now()
	for _, f := range fences {
		seen[f.info]++
		text := inOther(lang, f.text)
		switch f.info {
		case "sh relay":
			devOf(t, dir, env, strings.TrimSpace(text))
		case "sh first", "sh first fails":
			in := dir
			if seen["sh first"] == 1 {
				in = top
			}
			out, err := sh(in, text)
			if fails := strings.HasSuffix(f.info, "fails"); (err != nil) != fails {
				t.Fatalf("the page says\n%s\nand that gives %v:\n%s", text, err, out)
			}
			printed += out
		case "text printed":
			for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
				if !printedLike(printed, line) {
					t.Errorf("the page says that this is printed: %s\nbut there is\n%s", line, printed)
				}
			}
			if strings.Contains(text, "the client is told") && seen["decided"] == 0 {
				seen["decided"]++
				t.Logf("%s: from nothing to a decision took %v", lang, time.Since(began).Round(time.Millisecond))
			}
		case "toml plugin":
			text = "hostname = \"mx.example.org\"\nspool = \"" + top + "/spool\"\n[[listen]]\naddress = \"127.0.0.1:0\"\n" + text
			must(t, os.WriteFile(filepath.Join(dir, "own.toml"), []byte(text), 0o600))
			if out, err := sh(dir, "mta check -c own.toml"); err != nil || !strings.Contains(out, "greeter") {
				t.Errorf("mta check of\n%s\nsays %v:\n%s", text, err, out)
			}
		case "json fixture":
			must(t, os.WriteFile(filepath.Join(dir, "stories", "fixture.jsonl"), []byte(text), 0o600))
			if out, err := sh(dir, "mta plugin test"); err != nil || !strings.Contains(out, "fixture.jsonl") {
				t.Errorf("mta plugin test with the fixture says %v:\n%s", err, out)
			}
		}
	}
	if seen["sh first"] < 4 || seen["sh relay"] != 1 || seen["toml plugin"] < 3 || seen["json fixture"] != 1 {
		t.Errorf("blocks of the page are missing: %v", seen)
	}
}

// printedLike finds a line in which "..." stands for anything.
func printedLike(text, line string) bool {
	parts := strings.Split(line, "...")
	for i := range parts {
		parts[i] = regexp.MustCompile(`\s+`).ReplaceAllString(regexp.QuoteMeta(strings.TrimSpace(parts[i])), `\s+`)
	}
	return regexp.MustCompile(strings.Join(parts, `[^\n]*`)).MatchString(text)
}

// devOf runs the relay of the page; its port is fixed, see [startDev].
func devOf(t *testing.T, dir string, env []string, command string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); listens(2525)(); {
		if time.Now().After(end) {
			missing(t, "127.0.0.1:2525 is taken: a relay of --dev is running")
		}
		time.Sleep(100 * time.Millisecond)
	}
	words := strings.Fields(command)
	cmd := exec.Command(filepath.Join(filepath.Dir(dir), "bin", words[0]), words[1:]...)
	cmd.Env, cmd.Dir = env, dir
	c := spawnCommand(t, dir, cmd)
	waitFor(t, 30*time.Second, "the relay with the plugin listens", func() bool {
		select {
		case <-c.done:
			t.Fatalf("%s has ended:\n%s", command, c.log.String())
		default:
		}
		return listens(2525)()
	})
}

// Each worked translation is put in the place of the plugin that mta plugin new
// makes, built, and played its story.
func TestTheTranslationsDoWhatTheirStoriesSay(t *testing.T) {
	const folder = repository + "/sdk/testdata/coming-from/"
	cacheDir(t)
	for _, tc := range []struct{ name, lang, file, entry string }{
		{"quota", "js", "quota.js", "plugin.js"},
		{"size", "c", "size.c", "main.c"},
		{"policy", "python", "policy.py", "plugin.py"},
	} {
		t.Run(tc.lang, func(t *testing.T) {
			needTools(t, tc.lang)
			if tc.lang == "python" { // Debian's interpreter has Debian's gRPC
				t.Setenv("PATH", "/usr/bin:"+os.Getenv("PATH"))
			}
			a := newAuthor(t)
			a.must("plugin new " + tc.name + " --lang " + tc.lang + " --dir {}/" + tc.name)
			dir := filepath.Join(a.dir, tc.name)
			must(t, os.Remove(filepath.Join(dir, "stories", "first.txtar")))
			copyTo(t, folder+tc.file, filepath.Join(dir, tc.entry))
			copyTo(t, folder+tc.name+".txtar", filepath.Join(dir, "stories", tc.name+".txtar"))
			a.must("plugin build {}/" + tc.name)
			if out := a.must("plugin test {}/" + tc.name); !strings.Contains(out, "ok    ") {
				t.Errorf("mta plugin test says\n%s", out)
			}
		})
	}
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, b, 0o755))
}

// What is translated is a program of its own world, as far as that is here.
func TestTheProgramsBeforeTheirTranslationAreValid(t *testing.T) {
	const folder = repository + "/sdk/testdata/coming-from/"
	t.Run("python", func(t *testing.T) {
		needTools(t, "python")
		cmd := exec.Command("python3", folder+"policy-postfix.py")
		cmd.Stdin = strings.NewReader("client_address=192.0.2.1\nsender=a\nrecipient=b\n\nclient_address=192.0.2.1\nsasl_username=x\n\n")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "action=DEFER_IF_PERMIT 4.7.1 ") || !strings.HasSuffix(string(out), "\n\naction=DUNNO\n\n") {
			t.Errorf("the policy service says %v:\n%s", err, out)
		}
	})
	t.Run("js", func(t *testing.T) {
		needTools(t, "ts")
		if out, err := exec.Command("node", "--check", folder+"quota-haraka.js").CombinedOutput(); err != nil {
			t.Errorf("node says %v:\n%s", err, out)
		}
	})
	t.Run("c", func(t *testing.T) {
		if _, err := os.Stat("/usr/include/libmilter/mfapi.h"); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal("libmilter-dev is not installed")
			}
			t.Skip("libmilter-dev is not installed")
		}
		cmd := exec.Command("clang-19", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", folder+"size-milter.c")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("the compiler says %v:\n%s", err, out)
		}
	})
}

// The column on_error of the table is what a relay takes; the first word is
// what it does without being told.
func TestTheOnErrorOfTheAuthorsPageIsThatOfTheRelay(t *testing.T) {
	text, _ := fencesOf(t, "sdk/README.md")
	all := sdk.Local(plugintest.NewReference())
	for _, h := range sdk.Hooks() {
		row := regexp.MustCompile("(?m)^\\| \\[`" + h.Name + "`\\].*\\| ([^|]*) \\|$").FindStringSubmatch(text)
		if row == nil {
			t.Errorf("the page has no row for %s", h.Name)
			continue
		}
		var takes []string
		for o := hook.OnErrorDefer; o <= hook.OnErrorDisconnect; o++ {
			p := hook.Plugin{Name: "p", Handlers: all, OnError: map[string]hook.OnError{h.Name: o}}
			if _, err := hook.New([]hook.Plugin{p}, hook.Options{}); err == nil {
				takes = append(takes, o.String())
			}
		}
		if len(takes) == 0 {
			takes = []string{"-"}
		}
		if have := strings.Split(row[1], ", "); !slices.Equal(have, takes) {
			t.Errorf("on_error of %s: the page says %v, the relay takes %v", h.Name, have, takes)
		}
	}
}

func TestEveryCommandThatTheAuthorsPagesNameExists(t *testing.T) {
	for _, page := range authorPages {
		text, fences := fencesOf(t, page)
		var lines []string
		for _, m := range regexp.MustCompile("`mta ([^`\n]+)`").FindAllStringSubmatch(text, -1) {
			lines = append(lines, m[1])
		}
		for _, f := range fences {
			if !strings.HasPrefix(f.info, "sh") {
				continue
			}
			for _, m := range regexp.MustCompile(`(?m)^mta ([^#\n]+)`).FindAllStringSubmatch(f.text, -1) {
				lines = append(lines, m[1])
			}
		}
		if len(lines) < 3 {
			t.Errorf("%s: only %d commands were found", page, len(lines))
		}
		for _, line := range lines {
			words := strings.Fields(line)
			var path []string
			for i := 0; i < len(words) && regexp.MustCompile(`^[a-z]+$`).MatchString(words[i]); i++ {
				path = append(path, words[i])
			}
			root := rootCommand(systemWorld())
			cmd, _, err := root.Find(path)
			if err != nil || cmd == root {
				t.Errorf("%s names `mta %s`: there is no such command", page, line)
				continue
			}
			for _, w := range words {
				name, ok := strings.CutPrefix(w, "--")
				if name, _, _ = strings.Cut(name, "="); ok && !hasFlag(cmd, name) {
					t.Errorf("%s names `mta %s`: %s has no flag --%s", page, line, cmd.CommandPath(), name)
				}
			}
		}
	}
}

func TestTheLinksOfTheAuthorsPagesLeadSomewhere(t *testing.T) {
	for _, page := range authorPages {
		text, _ := fencesOf(t, page)
		anchors := map[string]bool{}
		for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
			a := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
			anchors[strings.ReplaceAll(a, " ", "-")] = true
		}
		for _, m := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(text, -1) {
			if anchor, ok := strings.CutPrefix(m[1], "#"); ok {
				if !anchors[anchor] {
					t.Errorf("%s links to #%s, which is no heading of it", page, anchor)
				}
				continue
			}
			path, _, _ := strings.Cut(m[1], "#")
			if _, err := os.Stat(filepath.Join(repository, filepath.Dir(page), path)); err != nil {
				t.Errorf("%s links to %s, which is not there", page, m[1])
			}
		}
	}
}
