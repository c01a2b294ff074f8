package process

import (
	"os/exec"
	"testing"

	"github.com/programmable-mta/mta/sdk/plugintest"
)

// The same stories as compiled in and as a module.
func TestThePluginsTellTheSameStoriesAsProcesses(t *testing.T) {
	for name, p := range map[string]struct{ guest, stories string }{
		"reference": {"../wasm/testdata/reference", "../../../sdk/plugintest/testdata/reference/*.txtar"},
		"greylist":  {"../../../plugins/greylist/guest", "../../../plugins/greylist/testdata/*.txtar"},
	} {
		t.Run(name, func(t *testing.T) {
			exe := t.TempDir() + "/plugin"
			if out, err := exec.Command("go", "build", "-o", exe, p.guest).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			plugintest.RunWith(t, loader(t, exe), p.stories)
		})
	}
}
