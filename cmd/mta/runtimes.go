package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/native"
	"github.com/programmable-mta/mta/core/runtime/process"
	"github.com/programmable-mta/mta/core/runtime/wasm"
)

// runtimes are the ways to load a plugin. Those that cost something are made
// when the first plugin needs them.
type runtimes struct {
	w    *world
	dir  string // for compiled code and sockets; empty: nothing is kept
	logf func(format string, args ...any)

	mu   sync.Mutex
	made map[string]runtime.Runtime
}

// of is the runtime of a kind: builtin, wasm, process.
func (r *runtimes) of(ctx context.Context, kind string) (runtime.Runtime, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rt := r.made[kind]; rt != nil {
		return rt, nil
	}
	var rt runtime.Runtime
	var err error
	switch kind {
	case "builtin":
		rt = native.New(r.w.compiledIn())
	case "wasm":
		o := wasm.Options{Now: r.w.now, Logf: r.logf}
		if r.dir != "" {
			o.CacheDir = filepath.Join(r.dir, "wasm")
		}
		rt, err = wasm.New(context.WithoutCancel(ctx), o)
	case "process":
		rt = process.New(process.Options{Now: r.w.now, Logf: func(plugin, format string, args ...any) { r.logf("%s: "+format, append([]any{plugin}, args...)...) }})
	default:
		err = fmt.Errorf("%q is no source; write \"builtin:NAME\", \"file:PATH.wasm\" or \"process:PATH\"", kind)
	}
	if err != nil {
		return nil, err
	}
	if r.made == nil {
		r.made = map[string]runtime.Runtime{}
	}
	r.made[kind] = rt
	return rt, nil
}

// close ends the runtimes; every plugin is closed before.
func (r *runtimes) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, rt := range r.made {
		if c, ok := rt.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	r.made = nil
	return errors.Join(errs...)
}

// digest is the SHA-256 of a file, hex.
func digest(path string) (string, error) {
	// To open a named pipe waits for its writer.
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no regular file", path)
	}
	f, err := os.Open(cmp.Or(path, os.DevNull))
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
