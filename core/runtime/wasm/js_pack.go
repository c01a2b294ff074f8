package wasm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// A plugin in JavaScript is one module: the engine as it was published, and
// behind it three custom sections. The engine does not know of them, and is the
// same in all such plugins, so that it is compiled once for all.
const (
	engineSection  = "mta1.engine"  // the engine's name and version, and its length
	preludeSection = "mta1.prelude" // the part of the SDK that runs in the engine
	scriptSection  = "mta1.script"  // the author's code
)

// EngineName is the engine that a script is packed with, an npm package.
const EngineName = "quickjs-wasi"

// MaxScript bounds the prelude and the script that are packed, each.
const MaxScript = 4 << 20

// packInterface is what a prelude and this relay agree on beside the contract. A
// packed script brings its prelude along, so that a relay of another interface
// has to refuse it with the remedy rather than fail inside of it.
const packInterface = 1

func engineLine(size int) []byte {
	return fmt.Appendf(nil, "%s %d interface %d", EngineName, size, packInterface)
}

var errPacked = errors.New("wasm: the engine is a plugin already: it has a script")

// PackScript makes one module of the JavaScript engine (the file quickjs.wasm of
// the npm package quickjs-wasi), the prelude (sdk/js/mta.js) and an author's
// script, an ECMAScript module.
func PackScript(engine, prelude, script []byte) ([]byte, error) {
	if len(bytes.TrimSpace(script)) == 0 {
		return nil, errors.New("wasm: the script is empty")
	}
	if len(prelude) > MaxScript || len(script) > MaxScript {
		return nil, fmt.Errorf("wasm: a script or prelude of more than %d octets: leave out what the plugin does not use", MaxScript)
	}
	if bytes.IndexByte(script, 0) >= 0 || bytes.IndexByte(prelude, 0) >= 0 {
		return nil, errors.New("wasm: the script is no text: it has an octet 0")
	}
	have, err := unpack(engine)
	switch {
	case err != nil:
		return nil, fmt.Errorf("wasm: the engine: %w", err)
	case have != nil:
		return nil, errPacked
	}
	layout, err := parse(engine)
	if err != nil {
		return nil, fmt.Errorf("wasm: the engine: %w", err)
	}
	if err := layout.checkEngine(); err != nil {
		return nil, fmt.Errorf("wasm: %w", err)
	}
	out := bytes.Clone(engine)
	out = appendCustom(out, engineSection, engineLine(len(engine)))
	out = appendCustom(out, preludeSection, prelude)
	return appendCustom(out, scriptSection, script), nil
}

func appendCustom(module []byte, name string, content []byte) []byte {
	body := binary.AppendUvarint(nil, uint64(len(name)))
	body = append(body, name...)
	body = append(body, content...)
	module = append(module, 0)
	module = binary.AppendUvarint(module, uint64(len(body)))
	return append(module, body...)
}

// packed is a plugin in JavaScript, taken apart.
type packed struct {
	engine  []byte // the module without our sections
	prelude string
	script  string
}

// unpack takes a module apart; nil: it is a module without a script.
func unpack(module []byte) (*packed, error) {
	if len(module) < 8 || string(module[:4]) != "\x00asm" {
		return nil, errShort
	}
	p := &packed{}
	found := map[string]bool{}
	made := "" // by whom
	r := &reader{b: module[8:]}
	for len(r.b) > 0 {
		begin := len(module) - len(r.b)
		id := r.byte()
		s := &reader{b: r.take(r.u32())}
		if r.err != nil {
			return nil, r.err
		}
		if id != 0 {
			if p.engine != nil {
				return nil, errors.New("its script is in the midst of the engine: pack it anew")
			}
			continue
		}
		name := s.name()
		if s.err != nil {
			return nil, s.err
		}
		if !strings.HasPrefix(name, "mta1.") {
			continue
		}
		if found[name] {
			return nil, fmt.Errorf("it has two sections %s: pack it anew", name)
		}
		found[name] = true
		if p.engine == nil {
			p.engine = module[:begin:begin]
		}
		switch name {
		case engineSection:
			made = string(s.b)
		case preludeSection:
			p.prelude = string(s.b)
		case scriptSection:
			p.script = string(s.b)
		}
	}
	switch {
	case !found[engineSection] && !found[preludeSection] && !found[scriptSection]:
		return nil, nil
	case !found[engineSection] || !found[preludeSection] || !found[scriptSection]:
		return nil, fmt.Errorf("it has not all of the sections %s, %s and %s: pack it anew", engineSection, preludeSection, scriptSection)
	case len(p.prelude) > MaxScript || len(p.script) > MaxScript:
		return nil, fmt.Errorf("its script or prelude has more than %d octets", MaxScript)
	case made != string(engineLine(len(p.engine))):
		return nil, fmt.Errorf("its script was packed by another release of mta (%.80q, and this one makes %q): build it anew with mta plugin build", made, engineLine(len(p.engine)))
	}
	return p, nil
}
