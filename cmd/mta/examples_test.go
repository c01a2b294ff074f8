package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/programmable-mta/mta/core/config"
	"github.com/programmable-mta/mta/core/mtatest"
)

func TestEveryExampleHasAReadmeAndItsConfigurationIsRight(t *testing.T) {
	dirs, err := filepath.Glob("../../examples/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "README.md")); err != nil {
			t.Errorf("%s: every example explains itself in a README.md: %v", dir, err)
		}
		file := filepath.Join(dir, "mta.toml")
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue // a board or a unit, not a relay
		}
		// Certificates and passwords of an example do not exist here, so only
		// what the file itself says is judged.
		if _, err := (config.LoadOptions{Builtins: systemWorld().builtinNames()}).Parse(file, string(text)); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "story.txtar")); err != nil {
			t.Errorf("%s: an example with a configuration has a story that shows it: %v", dir, err)
		}
	}
}

func TestExamplesDoWhatTheySay(t *testing.T) {
	mtatest.RunStories(t, "../../examples", bootStory)
}
