package meter

import (
	"bytes"
	"errors"
	"fmt"
)

// Version changes whenever the same module is rewritten to other bytes or is
// charged otherwise. It belongs into the key of every cache of compiled code
// and beside every fuel figure that is kept.
const Version = 1

// GlobalName is the exported mutable i64 global that holds what is left of the
// slice. The host sets it before a call and reads it afterwards.
const GlobalName = "mta1_fuel"

// YieldModule and YieldName are the import, a func () -> (), that is called
// when the global is below zero. The host adds the next slice to what the
// global holds and returns, or ends the guest by a panic. It is asked again
// until the global is no longer below zero. The module that calls is the one
// whose global it is.
const YieldModule, YieldName = "mta1", "yield"

// Options bound a rewrite.
type Options struct {
	MaxBytes int // of the result; zero means 64 MiB
	// MaxTable is to how many elements all tables together can grow, unless
	// they begin with more; zero means 10 million. An element takes 8 bytes of
	// the host.
	MaxTable int
}

const defaultMaxBytes = 64 << 20

// Bounds that the format does not have and that every browser has too (the
// implementation limits of the WebAssembly JavaScript interface). Without them
// a module of a few bytes makes the compiler behind us allocate gigabytes.
const (
	maxLocals   = 50_000
	maxParams   = 1_000
	maxBody     = 7_654_321
	maxSegments = 100_000
	maxTable    = 10_000_000
	maxBranches = 65_520
	maxPatches  = 1 << 20 // our own bound on what one function makes us remember
)

var (
	errTooBig    = errors.New("meter: the metered module is larger than the limit")
	errNotWasm   = errors.New("meter: this is not a WebAssembly module: it does not begin with \\0asm")
	errComponent = errors.New("meter: this is a component; build a core module (wasip1 reactor, wasm32-unknown-unknown)")
	errReserved  = fmt.Errorf("meter: the module exports %q, a name that is reserved for the fuel counter", GlobalName)
	errYield     = fmt.Errorf("meter: the module imports %s.%s, a name that is reserved for the fuel counter", YieldModule, YieldName)
	errMemory    = errors.New("meter: the module has more than one memory; build it without multi-memory")
)

// Rewrite returns the module with fuel counting. It is safe on any bytes, but
// only what it makes of a valid module counts correctly: let the compiler
// validate what [Strip] returns too, after Rewrite, whose bounds protect the
// compiler. The result shares nothing with module.
func Rewrite(module []byte, opt Options) ([]byte, error) {
	if opt.MaxBytes <= 0 {
		opt.MaxBytes = defaultMaxBytes
	}
	if opt.MaxTable <= 0 || opt.MaxTable > maxTable {
		opt.MaxTable = maxTable
	}
	m := rewriter{max: opt.MaxBytes, maxTable: opt.MaxTable}
	if err := m.split(module); err != nil {
		return nil, err
	}
	return m.rewrite()
}

// Strip returns the module as it is, without custom sections: what a compiler
// can be given to validate once Rewrite took the module. The sections that are left out
// count for nothing in validation, but wazero reads some of them, and a count
// in a name section of twenty bytes makes it allocate without bound.
func Strip(module []byte) ([]byte, error) {
	var m rewriter
	if err := m.split(module); err != nil {
		return nil, err
	}
	m.out = append(m.out, module[:8]...)
	for _, id := range order {
		if m.present[id] {
			m.append(id, m.sections[id].b)
		}
	}
	return m.out, nil
}

func preamble(module []byte) error {
	switch {
	case len(module) < 8 || !bytes.HasPrefix(module, []byte("\x00asm")):
		return errNotWasm
	case module[6] == 1 && module[7] == 0: // the layer field: 0 is a core module, 1 a component
		return errComponent
	case !bytes.Equal(module[4:8], []byte{1, 0, 0, 0}):
		return fmt.Errorf("meter: WebAssembly binary version % x is not known; version 1 is", module[4:8])
	}
	return nil
}
