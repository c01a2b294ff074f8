package wasm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/tetratelabs/wazero"
)

// errPublic is a cache that others can write to.
var errPublic = errors.New("others may write to it, and what lies in it is run")

// openCache opens the place for compiled code. It saves time and nothing else: a
// disk that is full or read-only costs the time, and no plugin. Only a cache that
// others can write to is refused.
func (r *Runtime) openCache() error {
	r.cache = wazero.NewCompilationCache()
	if r.opt.CacheDir == "" {
		return nil
	}
	err := private(r.opt.CacheDir)
	var kept wazero.CompilationCache
	if err == nil {
		kept, err = wazero.NewCompilationCacheWithDir(r.opt.CacheDir)
	}
	if err == nil {
		err = private(r.cacheFolders()...)
	}
	switch {
	case errors.Is(err, errPublic):
		return fmt.Errorf("wasm: cache %w", err)
	case err != nil:
		r.opt.Logf("wasm: compiled code is not kept: cache %s: %v", r.opt.CacheDir, err)
		r.opt.CacheDir = ""
	default:
		r.cache = kept
	}
	return nil
}

// cacheFolders are those of the compiler in the cache, one for each version of it.
func (r *Runtime) cacheFolders() []string {
	folders, _ := filepath.Glob(filepath.Join(r.opt.CacheDir, "wazero-*")) // the pattern is sound
	return folders
}

// private makes folders, and judges who can write to them.
func private(dirs ...string) error {
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		st, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if st.Mode().Perm()&0o022 != 0 {
			return fmt.Errorf("%s: %w: chmod 700 it", dir, errPublic)
		}
		if sys, ok := st.Sys().(*syscall.Stat_t); ok && int(sys.Uid) != os.Geteuid() {
			return fmt.Errorf("%s belongs to the user %d: %w: remove it, or run the relay as that user", dir, sys.Uid, errPublic)
		}
	}
	return nil
}

// throughCache compiles. What was cut off or damaged in the cache is an error of
// the compiler, and would be one at every start: the cache is emptied then. What
// cannot be written to it is an error too, after which the code is in memory.
func (r *Runtime) throughCache(compile func() (wazero.CompiledModule, error)) (wazero.CompiledModule, error) {
	code, err := compile()
	if err == nil || r.opt.CacheDir == "" {
		return code, err
	}
	r.opt.Logf("wasm: cache %s: %v: it is emptied", r.opt.CacheDir, err)
	for _, dir := range r.cacheFolders() {
		if err := os.RemoveAll(dir); err == nil {
			_ = os.Mkdir(dir, 0o700) // or else nothing is kept
		}
	}
	if code, err = compile(); err == nil {
		return code, nil
	}
	return compile()
}
