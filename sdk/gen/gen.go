package gen

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// emitters make the files that are derived from the schema, by their path from
// the top of the repository.
var emitters = []func(*Schema) (map[string][]byte, error){
	emitSchema,
	emitBlock,
	emitProto,
	emitSamples,
	emitAssemblyScript,
	emitAssemblyScriptCheck,
	emitJS,
	emitC,
	emitRust,
	emitDocs,
}

// Files are all derived files as they should be. root is the top of the
// repository.
func Files(root string) (map[string][]byte, error) {
	s, err := Load(filepath.Join(root, "sdk"))
	if err != nil {
		return nil, err
	}
	if err := keeps(s, filepath.Join(root, lockFile)); err != nil {
		return nil, err
	}
	all := map[string][]byte{}
	for _, emit := range emitters {
		made, err := emit(s)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, made)
	}
	return all, nil
}

// Stale names the files on disk that are not as they should be.
func Stale(root string) ([]string, error) {
	all, err := Files(root)
	if err != nil {
		return nil, err
	}
	var stale []string
	for _, path := range slices.Sorted(maps.Keys(all)) {
		have, err := os.ReadFile(filepath.Join(root, path))
		if err != nil || !bytes.Equal(have, all[path]) {
			stale = append(stale, path)
		}
	}
	return stale, nil
}

// lockFile holds what was promised: every record with its fields in order.
const lockFile = "sdk/testdata/wire/schema.txt"

func emitSchema(s *Schema) (map[string][]byte, error) {
	return map[string][]byte{lockFile: []byte(strings.Join(promises(s), "\n") + "\n")}, nil
}

func promises(s *Schema) []string {
	var out []string
	for _, h := range s.Hooks {
		out = append(out, fmt.Sprintf("hook %d %s", h.Number, h.Info.Name))
	}
	for _, c := range s.Calls {
		out = append(out, fmt.Sprintf("call %d %s", c.Number, c.Info.Name))
	}
	for _, e := range s.Enums {
		for _, v := range e.Values {
			out = append(out, fmt.Sprintf("enum %s %d %s", e.Name, v.N, v.Name))
		}
	}
	for _, r := range s.Records {
		for _, f := range r.Fields {
			out = append(out, fmt.Sprintf("field %s %d %s %s", r.Name, f.Slot, f.Name, f.GoT))
		}
	}
	return out
}

// keeps refuses a schema that takes back what an earlier one promised.
func keeps(s *Schema, lock string) error {
	b, err := os.ReadFile(lock)
	if os.IsNotExist(err) {
		return nil // the first of all
	}
	if err != nil {
		return err
	}
	now := promises(s)
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		if !slices.Contains(now, line) {
			return fmt.Errorf("gen: %q was promised in %s and is no more: fields, hooks and calls are only ever added at the end of their struct or table, because plugins that exist count on their places", line, lockFile)
		}
	}
	return nil
}
