// Package core_test holds the rules of the house that no compiler checks.
package core_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/programmable-mta/mta/"

// rooms says, for each folder, which other folders of this module it may import
// outside its tests. A folder that is not listed may not exist.
var rooms = map[string]string{
	"sdk":                     "",
	"sdk/plugintest":          "sdk",
	"core/smtp":               "sdk",
	"core/config":             "sdk",
	"core/trace":              "sdk",
	"core/runtime":            "sdk",
	"core/runtime/native":     "sdk core/runtime",
	"core/runtime/call":       "sdk sdk/wire core/runtime",
	"core/runtime/wasm":       "sdk sdk/wire core/runtime core/runtime/call core/runtime/wasm/meter",
	"core/runtime/wasm/meter": "",
	"core/runtime/process":    "sdk sdk/wire core/runtime core/runtime/call sdk/serve/frames",
	"core/state":              "sdk",
	"core/fetch":              "",
	"core/host":               "sdk core/runtime core/state core/fetch core/trace",
	"core/record":             "sdk",
	"core/scaffold":           "*",
	"sdk/wire":                "sdk",
	"sdk/gen":                 "sdk sdk/wire",
	"sdk/gen/write":           "sdk/gen",
	"sdk/serve/frames":        "sdk sdk/wire",
	"sdk/serve":               "sdk sdk/wire sdk/serve/frames",
	"core/resolver":           "sdk",
	"core/queue":              "sdk",
	"core/bounce":             "sdk core/smtp",
	"core/answer":             "sdk core/smtp",
	"core/hook":               "sdk core/answer core/trace core/runtime",
	"core/smtpout":            "sdk core/smtp core/trace",
	"core/smtpin":             "sdk core/smtp core/trace core/hook core/queue",
	"core/delivery":           "sdk core/smtp core/trace core/hook core/queue core/bounce",
	"core/control":            "sdk core/queue core/trace core/record",
	"core/sink":               "",
	"core/source":             "",
	"core/mtatest":            "sdk core/resolver",
	"cmd/mta":                 "*",
	"plugins":                 "sdk plugins/*",
	"plugins/*":               "sdk",
	"examples/*":              "sdk",
	".":                       "", // it embeds the sources of the SDKs
}

// owners says who may import a heavy dependency outside of tests.
var owners = map[string]string{
	"go.etcd.io/bbolt":           "core/queue core/state",
	"github.com/miekg/dns":       "core/resolver core/mtatest",
	"github.com/tetratelabs":     "core/runtime/wasm",
	"github.com/hashicorp":       "core/runtime/process sdk/serve sdk/serve/frames",
	"google.golang.org":          "core/runtime/process sdk/serve sdk/serve/frames",
	"github.com/BurntSushi/toml": "core/config",
	"github.com/prometheus":      "core/trace",
	"github.com/emersion":        "core/smtp core/smtpin core/sink",
	"github.com/spf13/cobra":     "cmd/mta",
}

var banned = []string{"util", "utils", "common", "helpers", "helper", "misc", "types", "base", "shared", "pkg"}

// roomSize is the number of lines of code, without tests, comments and blank
// lines, above which a room is hard to keep in one head; those that are larger
// say why they are one room nevertheless.
const roomSize = 1500

var larger = map[string]int{
	"core/queue":        5200, // log, index, scheduler, compaction and recovery keep one invariant, under one lock
	"core/smtpin":       2800, // one state machine and its LMTP front, which shares the transaction
	"core/trace":        2400, // one set of events, as records, log lines and metrics
	"core/mtatest":      1900, // a network, peers, clients and the language that joins them
	"core/config":       2200, // one struct, its rules and its reference
	"core/record":       2500, // a recording, its replay and what compares them share one format
	"core/runtime/wasm": 3600, // one life of an instance, of modules and of scripts: a script is read through its engine
	"sdk/gen":           3500, // one emitter a language over one schema
	"sdk/plugintest":    1700, // one language of stories
	"core/smtpout":      1800, // one conversation, both protocols
	"cmd/mta":           5000, // one file a subcommand
}

func TestRoomsImportOneWayOnly(t *testing.T) {
	walk(t, func(room, file string, imports []string) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		allowed, known := lookup(room)
		if !known {
			t.Errorf("%s: folder %s has no row in `rooms` of core/house_test.go: add it with what it may import, and a line in ARCHITECTURE.md", file, room)
			return
		}
		for _, imp := range imports {
			if other, ours := strings.CutPrefix(imp, module); ours && !permits(allowed, other) {
				t.Errorf("%s imports %s: %s may import only [%s]; pass what you need as an argument or an interface that you declare", file, other, room, allowed)
			}
		}
	})
}

func TestEachHeavyDependencyHasOneOwner(t *testing.T) {
	walk(t, func(room, file string, imports []string) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		for _, imp := range imports {
			for dep, who := range owners {
				if strings.HasPrefix(imp, dep) && !permits(who, room) {
					t.Errorf("%s imports %s, which belongs to [%s]: ask that room for what you need", file, imp, who)
				}
			}
			if strings.HasPrefix(room, "sdk") && !strings.HasPrefix(room, "sdk/serve") && strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") && !strings.HasPrefix(imp, module) {
				t.Errorf("%s imports %s: the sdk uses the standard library only", file, imp)
			}
		}
	})
}

func TestRoomsAreSmallAndWellNamed(t *testing.T) {
	size := map[string]int{}
	walk(t, func(room, file string, _ []string) {
		for _, part := range strings.Split(room, "/") {
			if slices.Contains(banned, part) {
				t.Errorf("%s: a folder named %q says nothing about its job: name it after the one thing it does", file, part)
			}
		}
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		b, err := os.ReadFile(filepath.Join("..", file))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b[:min(len(b), 512)]), "// Code generated ") {
			return // nobody keeps it in a head
		}
		for line := range strings.Lines(string(b)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
				size[room]++
			}
		}
	})
	for room, lines := range size {
		limit := roomSize
		if n, ok := larger[room]; ok {
			limit = n
		}
		if lines > limit {
			t.Errorf("%s has %d lines of code, more than %d: split the room, or give it a reason in `larger` of core/house_test.go", room, lines, limit)
		}
	}
}

func TestEveryPackageSaysWhatItDoes(t *testing.T) {
	doc := map[string]bool{}
	walk(t, func(room, file string, _ []string) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", file), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		doc[room] = doc[room] || f.Doc != nil && len(f.Doc.Text()) > 40
	})
	for room, ok := range doc {
		if !ok {
			t.Errorf("%s has no package comment: say what it does, what it refuses, and its invariants", room)
		}
	}
}

// walk calls visit for every Go file of the module.
func walk(t *testing.T, visit func(room, file string, imports []string)) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel("..", path)
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if base := d.Name(); rel != "." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") || strings.Contains(rel, "house_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		var imports []string
		for _, spec := range f.Imports {
			p, _ := strconv.Unquote(spec.Path.Value)
			imports = append(imports, p)
		}
		room := filepath.ToSlash(filepath.Dir(rel))
		if room == "core" && strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		visit(room, rel, imports)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func lookup(room string) (string, bool) {
	if a, ok := rooms[room]; ok {
		return a, true
	}
	// The main package of a guest joins the plugin beside it with the sdk.
	if dir, ok := strings.CutSuffix(room, "/guest"); ok {
		return "sdk/serve " + dir, strings.HasPrefix(room, "examples/") || strings.HasPrefix(room, "plugins/")
	}
	a, ok := rooms[filepath.ToSlash(filepath.Dir(room))+"/*"]
	return a, ok
}

func permits(list, room string) bool {
	for _, a := range strings.Fields(list) {
		if a == "*" || a == room || strings.HasSuffix(a, "/*") && strings.HasPrefix(room, strings.TrimSuffix(a, "*")) {
			return true
		}
	}
	return false
}
