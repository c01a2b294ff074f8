// Package wasm runs plugins that are WebAssembly modules, by the contract of
// sdk/abi.md, on wazero.
//
// What it promises beside the seam of package runtime:
//
//   - A module gets memory, fuel, time and calls of the host up to its limits,
//     and not more, whatever it does: while it starts, too. Fuel is counted by
//     the module itself, which package meter has rewritten; every million units
//     it lets the scheduler and the garbage collector have their turn.
//   - An instance serves one call at a time. After a trap, an overrun or an
//     answer that does not decode it is thrown away, and its memory with it.
//   - A call of a hook that does nothing allocates nothing.
//
// It refuses, in a sentence that names the file and the remedy, what is no core
// module, does not have the exports of the contract, imports what nobody offers
// or the configuration does not grant, or fails its own start.
package wasm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/wasm/meter"
	"github.com/programmable-mta/mta/sdk"
)

// Prefix is what a source of this runtime begins with.
const Prefix = "file:"

// The limits of a plugin whose configuration has none.
const (
	DefaultMemory    = 32 << 20
	DefaultFuel      = 100_000_000
	DefaultDeadline  = 10 * time.Second
	DefaultInstances = 16
	DefaultMaxModule = 16 << 20
)

// maxTable is to how many elements the tables of an instance can grow beyond
// what they begin with. They lie outside of its memory, and no limit counts them.
const maxTable = 64 << 10

// Options are what the modules of one relay share.
type Options struct {
	// CacheDir keeps compiled code, so that the next start need not compile. It
	// is made with mode 0700, and one that others can write to is refused: code
	// in it is run. Empty: compiled code is kept in memory only.
	CacheDir string
	// Now is the clock of deadlines; nil is time.Now.
	Now func() time.Time
	// Logf gets the traces of traps and such, for authors; nil drops them.
	Logf func(format string, args ...any)
	// MaxModule bounds the size of a file; 0 is DefaultMaxModule.
	MaxModule int64
}

// Runtime loads WebAssembly plugins.
type Runtime struct {
	opt   Options
	cache wazero.CompilationCache
	wz    wazero.Runtime

	rewrite   func([]byte, meter.Options) ([]byte, error) // meter.Rewrite, but in benchmarks
	compiling sync.Mutex                                  // one at a time: a compiler takes a lot of memory
}

var _ runtime.Runtime = (*Runtime)(nil)

// New makes the runtime of the WebAssembly plugins.
func New(ctx context.Context, opt Options) (*Runtime, error) { return newRuntime(ctx, opt, false) }

// newRuntime interprets what runs only once: that saves compiling it.
func newRuntime(ctx context.Context, opt Options, interpret bool) (*Runtime, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Logf == nil {
		opt.Logf = func(string, ...any) {}
	}
	if opt.MaxModule == 0 {
		opt.MaxModule = DefaultMaxModule
	}
	r := &Runtime{opt: opt, rewrite: meter.Rewrite}
	if err := r.openCache(); err != nil {
		return nil, err
	}
	config := wazero.NewRuntimeConfig()
	if interpret {
		config = wazero.NewRuntimeConfigInterpreter()
	}
	r.wz = wazero.NewRuntimeWithConfig(ctx, config.WithCoreFeatures(features).
		WithDebugInfoEnabled(false).WithCompilationCache(r.cache))
	if err := offer(ctx, r.wz); err != nil {
		return nil, errors.Join(fmt.Errorf("wasm: %w", err), r.Close())
	}
	return r, nil
}

// features are what the contract names: WebAssembly 2.0.
const features = api.CoreFeaturesV2

// Close frees what the runtime holds. The plugins are closed before.
func (r *Runtime) Close() error {
	ctx := context.Background()
	return errors.Join(r.wz.Close(ctx), r.cache.Close(ctx))
}

// source is a plugin as it lies on disk.
type source struct {
	path   string
	digest string // of the file, hex
	size   int64  // of the file
	code   string // digest of the module
	module []byte
	script *packed // of a plugin in JavaScript, whose module is the engine
}

// Load implements [runtime.Runtime].
func (r *Runtime) Load(ctx context.Context, spec runtime.Spec, host sdk.Host) (runtime.Loaded, error) {
	path, ok := strings.CutPrefix(spec.Source, Prefix)
	if !ok {
		return nil, fmt.Errorf("wasm: plugin %q: source %q does not begin with %q", spec.Name, spec.Source, Prefix)
	}
	src, err := r.read(path, spec.SHA256)
	if err != nil {
		return nil, fmt.Errorf("wasm: plugin %q: %w", spec.Name, err)
	}
	p, err := r.load(ctx, spec, host, src)
	if err != nil {
		return nil, fmt.Errorf("wasm: plugin %q: %s: %w", spec.Name, path, err)
	}
	return p, nil
}

func (r *Runtime) read(path, digest string) (*source, error) {
	b, err := readFile(path, r.opt.MaxModule)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	src := &source{path: path, digest: hex.EncodeToString(sum[:]), code: hex.EncodeToString(sum[:]), size: int64(len(b)), module: b}
	if digest != "" && !strings.EqualFold(digest, src.digest) {
		return nil, fmt.Errorf("%s: its SHA-256 is %s, and the configuration says sha256 = %q: it is another file than the one that was meant", path, src.digest, digest)
	}
	// A file that is cut off is explained later.
	if src.script, err = unpack(b); err != nil && !errors.Is(err, errShort) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if src.script != nil {
		// What is remembered of the engine is remembered for all scripts.
		src.module = src.script.engine
		sum = sha256.Sum256(src.module)
		src.code = hex.EncodeToString(sum[:])
	}
	return src, nil
}

// layout judges the module as far as that can be done without running it.
func (s *source) layout(memory int64) (*layout, error) {
	m, err := parse(s.module)
	switch {
	case err != nil:
		return nil, err
	case s.script != nil:
		if err := m.checkEngine(); err != nil {
			return m, err
		}
		m = m.asPlugin()
	}
	return m, m.check(memory)
}

func readFile(path string, limit int64) ([]byte, error) {
	// Asked before it is opened: to open a named pipe waits for its writer.
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s has more than %d octets: build it without debugging information (-s -w, strip)", path, limit)
	}
	return b, nil
}

// load compiles a module and starts its first instance.
func (r *Runtime) load(ctx context.Context, spec runtime.Spec, host sdk.Host, src *source) (_ *plugin, err error) {
	m, err := src.layout(spec.Limits.Memory)
	if err != nil {
		return nil, err
	}
	code, err := r.compile(ctx, src)
	if err != nil {
		return nil, err
	}
	p := newPlugin(r, spec, host, src, m, code)
	defer func() {
		if err != nil {
			_ = p.Close()
		}
	}()
	return p, p.start(ctx)
}

// compile validates the module as it is, so that it cannot name what meter adds
// to it, and compiles it as meter has rewritten it.
func (r *Runtime) compile(ctx context.Context, src *source) (wazero.CompiledModule, error) {
	r.compiling.Lock()
	defer r.compiling.Unlock()
	// First, because its bounds protect the compiler.
	metered, err := r.rewrite(src.module, meter.Options{MaxTable: maxTable})
	if err != nil {
		return nil, trimmed(err)
	}
	if err := r.validate(ctx, src); err != nil {
		return nil, err
	}
	code, err := r.throughCache(func() (wazero.CompiledModule, error) { return r.wz.CompileModule(ctx, metered) })
	if err != nil {
		return nil, fmt.Errorf("it does not compile: %w", err)
	}
	return code, nil
}

// validate remembers beside the compiled code which modules were valid.
func (r *Runtime) validate(ctx context.Context, src *source) error {
	mark := ""
	if r.opt.CacheDir != "" {
		mark = filepath.Join(r.opt.CacheDir, fmt.Sprintf("valid-%d-%s", validation, src.code))
		if _, err := os.Stat(mark); err == nil {
			return nil
		}
	}
	bare, err := meter.Strip(src.module)
	if err != nil {
		return trimmed(err)
	}
	w := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(features).WithDebugInfoEnabled(false))
	defer w.Close(ctx)
	if _, err := w.CompileModule(ctx, bare); err != nil {
		return fmt.Errorf("it is not a valid module: %w", err)
	}
	if mark != "" {
		if err := os.WriteFile(mark, nil, 0o600); err != nil {
			r.opt.Logf("wasm: cache: %v", err)
		}
	}
	return nil
}

// validation changes when modules are judged otherwise than before.
const validation = 1

// trimmed is an error without the name of the package that it comes from.
func trimmed(err error) error { return errors.New(strings.TrimPrefix(err.Error(), "meter: ")) }
