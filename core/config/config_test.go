package config

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// named is a machine with a full name, so that tests do not depend on this one.
var named = LoadOptions{Hostname: func() (string, error) { return "mx.test.example", nil }}

func TestTheReferenceIsMadeFromTheStructs(t *testing.T) {
	var b bytes.Buffer
	if err := WriteReference(&b); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "reference.toml")
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Error("the reference has changed: go test ./core/config -update writes it anew")
	}
}

func TestTheReferenceLoadsAsItIsAndWithEveryExampleTakenIn(t *testing.T) {
	var b bytes.Buffer
	if err := WriteReference(&b); err != nil {
		t.Fatal(err)
	}
	if _, err := named.Parse("mta.toml", b.String()); err != nil {
		t.Errorf("as it is:\n%v", err)
	}
	var all strings.Builder
	for line := range strings.Lines(b.String()) {
		if len(line) > 2 && line[0] == '#' && line[1] != ' ' && line[1] != '\n' {
			line = line[1:]
		}
		all.WriteString(line)
	}
	c, err := named.Parse("mta.toml", all.String())
	if err != nil {
		t.Fatalf("with the examples:\n%v", err)
	}
	if len(c.Plugins) != 1 || len(c.Routes) != 1 || c.Routes[0].Auth == nil || len(c.TLS.Certificates) != 1 || len(c.Plugins[0].Config) < 20 {
		t.Errorf("the examples are not all there: %+v", c)
	}
}
