package scaffold

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Builder runs toolchains.
type Builder struct {
	// Say is told what is done, one line each; nil: nobody.
	Say func(line string)
	// Commands, if not nil, gets each command line before it is run, and what it
	// prints.
	Commands io.Writer
	// Pack makes one module of the JavaScript engine, the part of the SDK that
	// runs in it, and a script.
	Pack func(engine, prelude, script []byte) ([]byte, error)
	// Getenv is the environment.
	Getenv func(string) string
}

// Missing says that a tool is not on this machine, and what brings it.
type Missing struct {
	Tool   string
	Remedy string
}

// Error implements error.
func (m *Missing) Error() string { return m.Tool + " is missing: " + m.Remedy }

// Build makes a plugin from its folder, and returns the file that is loaded.
func (b *Builder) Build(ctx context.Context, dir string, p Plugin) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, p.Entry)); err != nil {
		return "", fmt.Errorf("the entry of %s: %w", ManifestName, err)
	}
	lang, err := find(p.Lang)
	if err != nil {
		return "", err
	}
	return lang.build(b, ctx, dir, p)
}

// Result is the file that [Builder.Build] makes.
func (p Plugin) Result() string {
	if p.Lang == "python" {
		return p.Entry
	}
	return p.Name + ".wasm"
}

// SourceIn is how a configuration names the result, when the plugin's folder is
// dir.
func (p Plugin) SourceIn(dir string) string {
	kind := "file:"
	if p.Lang == "python" {
		kind = "process:"
	}
	return kind + filepath.Join(dir, p.Result())
}

func (b *Builder) say(format string, args ...any) {
	if b.Say != nil {
		b.Say(fmt.Sprintf(format, args...))
	}
}

// tool finds the first of several programs.
func tool(remedy string, names ...string) (string, error) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", &Missing{Tool: names[0], Remedy: remedy}
}

// maxShown is how much of the output of a tool is kept for its error.
const maxShown = 16 << 10

// run runs a command in a folder. What it printed is in the error.
func (b *Builder) run(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if b.Commands != nil {
		fmt.Fprintf(b.Commands, "+ %s\n", strings.Join(append(append([]string{}, env...), append([]string{filepath.Base(name)}, args...)...), " "))
		cmd.Stdout = io.MultiWriter(&out, b.Commands)
		cmd.Stderr = cmd.Stdout
	}
	shown := filepath.Base(name)
	if shown == "sh" && len(args) > 0 {
		shown = args[0] // the script says more than its interpreter
	}
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	text := out.Bytes()
	if len(text) > maxShown {
		text = append([]byte("...\n"), text[len(text)-maxShown:]...)
	}
	return &Failed{Tool: shown, Output: strings.TrimRight(string(text), "\n"), err: err}
}

// Failed says that a tool did not do its work.
type Failed struct {
	Tool   string
	Output string
	err    error
}

// Error implements error.
func (f *Failed) Error() string { return f.Tool + " failed: " + f.err.Error() }
func (f *Failed) Unwrap() error { return f.err }

// exists tells whether a file is there.
func exists(parts ...string) bool {
	_, err := os.Stat(filepath.Join(parts...))
	return !errors.Is(err, os.ErrNotExist)
}
