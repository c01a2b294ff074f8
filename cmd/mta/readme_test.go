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

	"github.com/spf13/cobra"

	"github.com/programmable-mta/mta/sdk"
)

const repository = "../.."

// fence is a fenced block of a Markdown file.
type fence struct {
	info string // "sh tour"
	text string
}

func readme(t *testing.T) (text string, fences []fence) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(repository, "README.md"))
	must(t, err)
	text = string(b)
	for _, m := range regexp.MustCompile("(?ms)^```(.*?)\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		fences = append(fences, fence{strings.TrimSpace(m[1]), m[2]})
	}
	return text, fences
}

// The tour is carried out as it is written, in its order, with the built
// program in the PATH and a relay of --dev beside it.
func TestTheTourOfTheReadmeWorks(t *testing.T) {
	_, fences := readme(t)
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "bin"), 0o755))
	must(t, os.Symlink(mustBinary(t), filepath.Join(dir, "bin", "mta")))
	env := append(os.Environ(), "TMPDIR="+dir, "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))
	startDev(t, dir, env)
	run := func(script string) string {
		t.Helper()
		cmd := exec.Command("sh", "-e", "-c", script)
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("the tour says\n%s\nand that gives %v:\n%s", script, err, out)
		}
		return string(out)
	}
	tours, configs, printed := 0, 0, ""
	for _, f := range fences {
		switch f.info {
		case "sh tour":
			out := run(f.text)
			printed += out
			if tours++; tours == 1 { // what was sent arrives; the next block looks at it
				waitFor(t, 20*time.Second, "the sink has what was sent", func() bool { return strings.Contains(run("mta sink list"), "101 messages") })
			}
		case "toml mta.toml":
			configs++
			must(t, os.WriteFile(filepath.Join(dir, "mta.toml"), []byte(f.text), 0o600))
		}
	}
	if tours < 5 || configs != 1 {
		t.Errorf("%d blocks of the tour and %d configurations were found", tours, configs)
	}
	for _, want := range []string{
		"1 accepted in", "100 accepted in", "101 messages", "relay", "accept", // send, sink list, explain
		"the client is told: 550 5.7.1", "nothing was queued", // the dry run
		"hold: ", "release: ", "ok\n", "route ", "deliver ", // hold, check and its chains
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("the tour does not print %q:\n%s", want, printed)
		}
	}
}

// startDev runs `mta serve --dev`. Its port is fixed, so it waits for another
// run of this test, and does not argue with a person who has one running.
func startDev(t *testing.T, dir string, env []string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); listens(2525)(); {
		if time.Now().After(end) {
			missing(t, "127.0.0.1:2525 is taken: a relay of --dev is running")
		}
		time.Sleep(100 * time.Millisecond)
	}
	cmd := exec.Command(filepath.Join(dir, "bin", "mta"), "serve", "--dev")
	cmd.Env = env
	c := spawnCommand(t, dir, cmd)
	waitFor(t, 20*time.Second, "the relay of --dev listens", func() bool {
		select {
		case <-c.done:
			t.Fatalf("the relay of --dev has ended:\n%s", c.log.String())
		default:
		}
		return strings.Contains(c.log.String(), "mta is running") && listens(2525)()
	})
	for _, next := range []string{"mta send --to", "mta sink list", "mta queue list", "mta explain --last"} {
		if !strings.Contains(c.log.String(), next) {
			t.Errorf("serve --dev does not say what to try next: %q", next)
		}
	}
}

// The commands of the beginning are not carried out here (one is this test
// itself), but they must be commands.
func TestTheFirstCommandsOfTheReadmeExist(t *testing.T) {
	_, fences := readme(t)
	var lines []string
	for _, f := range fences {
		if f.info == "sh" {
			lines = append(lines, strings.Split(strings.TrimSpace(f.text), "\n")...)
		}
	}
	if want := []string{"go run ./cmd/mta serve --dev", "go test ./..."}; !slices.Equal(lines, want) {
		t.Errorf("the first commands are %q, want %q; mark others as `sh tour`, so that they are tried", lines, want)
	}
	if _, err := os.Stat(filepath.Join(repository, "cmd/mta/main.go")); err != nil {
		t.Error(err)
	}
}

func TestEveryCommandThatTheReadmeNamesExists(t *testing.T) {
	text, _ := readme(t)
	n := 0
	for _, m := range regexp.MustCompile("`mta ([^`\n]+)`").FindAllStringSubmatch(text, -1) {
		words := strings.Fields(m[1])
		var parent []string
		for i := 0; i < len(words) && regexp.MustCompile(`^[a-z]+$`).MatchString(words[i]); i++ {
			parent = append(parent, words[i])
		}
		for _, args := range alternatives(parent, words) {
			n++
			root := rootCommand(systemWorld())
			cmd, rest, err := root.Find(args)
			if err != nil || cmd == root || len(rest) > 0 {
				t.Errorf("README names `mta %s`: there is no command %q", m[1], strings.Join(args, " "))
				continue
			}
			for _, w := range words {
				if name, ok := strings.CutPrefix(w, "--"); ok && !hasFlag(cmd, name) {
					t.Errorf("README names `mta %s`: %s has no flag --%s", m[1], cmd.CommandPath(), name)
				}
			}
		}
	}
	if n < 25 {
		t.Errorf("only %d commands were found", n)
	}
}

// alternatives reads "queue list / show / count" as three commands.
func alternatives(first, words []string) [][]string {
	out := [][]string{first}
	for i, w := range words {
		if w == "/" && i+1 < len(words) && len(first) > 1 {
			out = append(out, append(slices.Clone(first[:len(first)-1]), words[i+1]))
		}
	}
	return out
}

func hasFlag(c *cobra.Command, name string) bool {
	return c.Flags().Lookup(name) != nil || c.InheritedFlags().Lookup(name) != nil
}

func TestTheHooksOfTheReadmeAreThoseOfTheTable(t *testing.T) {
	text, _ := readme(t)
	_, section, ok := strings.Cut(text, "## The hooks")
	if !ok {
		t.Fatal("there is no section about the hooks")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var have, want []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z]+)` \\|").FindAllStringSubmatch(section, -1) {
		have = append(have, m[1])
	}
	for _, h := range sdk.Hooks() {
		want = append(want, h.Name)
	}
	if !slices.Equal(have, want) {
		t.Errorf("the README has the hooks %v, the table %v", have, want)
	}
}

func TestTheLinksOfTheReadmeLeadSomewhere(t *testing.T) {
	text, _ := readme(t)
	for _, m := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(text, -1) {
		if strings.Contains(m[1], "://") {
			continue
		}
		if _, err := os.Stat(filepath.Join(repository, m[1])); err != nil {
			t.Errorf("README links to %s, which is not there", m[1])
		}
	}
}
