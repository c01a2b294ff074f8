package meter

import (
	"os"
	"testing"
)

func TestZZ(t *testing.T) {
	in := os.Getenv("IN")
	if in == "" {
		t.Skip()
	}
	b, _ := os.ReadFile(in)
	o, err := Rewrite(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(os.Getenv("OUT"), o, 0o644)
}
