package process

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestFoldersOfRelaysThatWereKilledAreSwept(t *testing.T) {
	temp, err := os.MkdirTemp("/tmp", "mta") // t.TempDir is too long for sockets
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(temp)
	t.Setenv("TMPDIR", temp)
	old := time.Now().Add(-time.Hour)
	left := func(name string, locked bool, at time.Time) string {
		dir := filepath.Join(os.TempDir(), tempName+name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		f, err := claim(dir)
		if err != nil {
			t.Fatal(err)
		}
		if locked {
			t.Cleanup(func() { f.Close() })
		} else {
			f.Close()
		}
		if err := os.Chtimes(dir, at, at); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	dead, alive, young := left("dead", false, old), left("alive", true, old), left("young", false, time.Now())
	var f folder
	if err := f.make(); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]bool{dead: false, alive: true, young: true, f.place(): true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s: %v", dir, err)
		}
	}
	place := f.place()
	f.release()
	if _, err := os.Stat(place); err == nil {
		t.Errorf("%s is still there", place)
	}
}
