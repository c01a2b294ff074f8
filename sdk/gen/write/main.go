// Command write brings every file that is derived from the schema up to date.
//
//	go generate ./sdk/...
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/programmable-mta/mta/sdk/gen"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write() error {
	root, err := top()
	if err != nil {
		return err
	}
	files, err := gen.Files(root)
	if err != nil {
		return err
	}
	stale, err := gen.Stale(root)
	if err != nil {
		return err
	}
	for _, path := range stale {
		full := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(full, files[path], 0o644); err != nil {
			return err
		}
		fmt.Println("wrote", path)
	}
	return nil
}

// top is the folder of go.mod.
func top() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("gen: run this inside the repository")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}
