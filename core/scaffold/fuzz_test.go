package scaffold

import (
	"path/filepath"
	"testing"
)

// A manifest is read or refused, and never names a file outside of its folder.
func FuzzManifest(f *testing.F) {
	f.Add("name = \"x\"\nlang = \"go\"\nentry = \"main.go\"\n")
	f.Add("# no\n\nname=\"x\"\nentry = \"/etc/passwd\"")
	f.Add("name = \"\nlang = \"\"\"")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parseManifest(text)
		if err == nil && (CheckName(p.Name) != nil || !filepath.IsLocal(p.Entry)) {
			t.Errorf("%q is taken for %+v", text, p)
		}
	})
}
