package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/core/scaffold"
)

// The first loop of an author, as the README of a new plugin tells it: begin,
// build, serve, and see the plugin decide.
func TestTheReadmeOfANewPluginLeadsToItsDecision(t *testing.T) {
	cacheDir(t)
	needTools(t, "c")
	says := map[string]string{
		"rcpt": "550 5.1.1 no such user here", "connect": "5.7.1 not from there", "helo": "5.7.1 that is not your name",
		"mail": "5.7.1 nobody sends mail", "data": "prepend-header", "route": "127.0.0.1:2526",
	}
	for _, hook := range scaffold.Hooks() {
		t.Run(hook, func(t *testing.T) {
			a := newAuthor(t)
			a.must("plugin new first --lang c --dir {}/first --hook " + hook)
			a.must("plugin build {}/first")
			d := &daemon{t: t, bin: mustBinary(t), dir: filepath.Join(a.dir, "first"), port: freePort(t)}
			d.config = filepath.Join(d.dir, "mta.toml")
			text, err := os.ReadFile(d.config)
			must(t, err)
			text = regexp.MustCompile(`(?m)^spool = .*`).ReplaceAll(text, []byte(fmt.Sprintf("spool = %q", filepath.Join(a.dir, "s"))))
			text = []byte(strings.ReplaceAll(string(text), "127.0.0.1:2525", fmt.Sprintf("127.0.0.1:%d", d.port)))
			must(t, os.WriteFile(d.config, text, 0o600))
			d.start()

			readme, err := os.ReadFile(filepath.Join(d.dir, "README.md"))
			must(t, err)
			line := regexp.MustCompile(`(?m)^mta (explain) -c mta.toml (.*)$`).FindStringSubmatch(string(readme))
			if line == nil {
				t.Fatalf("the README has no mta explain:\n%s", readme)
			}
			told := d.mta(append([]string{line[1]}, strings.Fields(line[2])...)...)
			if !strings.Contains(told, says[hook]) || !strings.Contains(told, "first ") {
				t.Errorf("mta explain %s says\n%s\nwant %q of the plugin first", line[2], told, says[hook])
			}
			d.mta("send", "--addr", fmt.Sprintf("127.0.0.1:%d", d.port), "--to", "ann@example.org")
			if told := d.mta("explain", "--last"); !strings.Contains(told, "delivered") {
				t.Errorf("mta explain --last says\n%s", told)
			}
		})
	}
}
