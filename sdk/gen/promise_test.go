package gen

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What was promised stays: plugins that exist count on the places of fields,
// hooks and calls.
func TestASchemaThatTakesSomethingBackIsRefused(t *testing.T) {
	s, err := Load("..")
	if err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(t.TempDir(), "schema.txt")
	for _, tc := range []struct{ name, line, want string }{
		{"as it is", "", ""},
		{"a field that is gone", "field Session 40 country string", "field Session 40 country string"},
		{"a field at another place", "field Session 0 profile string", "field Session 0 profile string"},
		{"a field of another type", "field Session 0 id int64", "field Session 0 id int64"},
		{"a hook that is gone", "hook 13 tick", "hook 13 tick"},
		{"a call that is gone", "call 16 emit", "call 16 emit"},
		{"a value of an enumeration", "enum Action 7 quarantine", "enum Action 7 quarantine"},
	} {
		text := strings.Join(promises(s), "\n") + "\n" + tc.line
		if err := os.WriteFile(lock, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		switch err := keeps(s, lock); {
		case tc.want == "" && err != nil:
			t.Errorf("%s: %v", tc.name, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "was promised")):
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

func TestAFieldAtTheEndBreaksNoPromise(t *testing.T) {
	s, err := Load("..")
	if err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(t.TempDir(), "schema.txt")
	if err := os.WriteFile(lock, []byte(strings.Join(promises(s), "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	r := s.Record("Session")
	r.Fields = append(r.Fields, Field{Slot: len(r.Fields), Name: "country", Kind: String, GoT: "string"})
	if err := keeps(s, lock); err != nil {
		t.Error(err)
	}
}
