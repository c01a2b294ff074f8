package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/programmable-mta/mta/core/config"
)

func TestAFileWithFaultsStillLeadsToItsRelay(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"nonsense = 1\n[control]\nsocket = \"/run/a.sock\"\n": "/run/a.sock",
		"[control]\nsocket = \"a.sock\"\n[[route]]\n":         "",
		"[control]\nsocket = \"/a.sock\"\n[[route]]\n":        "/a.sock",
		"[controll]\nsocket = \"/run/a.sock\"\n":              "",
		"[control]\nsocket = 5\n":                             "",
		"control = 5\n":                                       "",
		"[control\nsocket = \"/run/a.sock\"\n":                "",
		"":                                                    "",
	} {
		path := filepath.Join(dir, "mta.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, ok := config.NamedSocket(path); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", text, got, ok)
		}
	}
	if _, ok := config.NamedSocket(filepath.Join(dir, "none")); ok {
		t.Error("a file that is not there has a socket")
	}
}
