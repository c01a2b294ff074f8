package meter

// The readers below go through a section without changing it; what they find
// malformed stays in the section's reader.

func (m *rewriter) readTypes() {
	r := &m.sections[sectionType]
	if !m.present[sectionType] {
		return
	}
	for n := r.count(1); n > 0 && r.err == nil; n-- {
		if form := r.byte(); form != 0x60 && r.err == nil {
			r.failf("type %#02x is not a function type of WebAssembly 2.0", form)
		}
		params, results := r.valueTypes(), r.valueTypes()
		if params+results == 0 && m.yieldType < 0 {
			m.yieldType = len(m.types)
		}
		m.types = append(m.types, params)
	}
	r.end()
}

func (m *rewriter) readImports() {
	r := &m.sections[sectionImport]
	if !m.present[sectionImport] {
		return
	}
	for n := r.count(4); n > 0 && r.err == nil; n-- {
		module, name := r.name(), r.name()
		if string(module) == YieldModule && string(name) == YieldName && r.err == nil {
			r.err = errYield
		}
		switch kind := r.byte(); kind {
		case 0:
			m.typeIndex(r)
			m.importedFuncs++
		case 1:
			r.refType()
			r.limits()
		case 2:
			r.limits()
			m.memories++
		case 3:
			r.globalType()
			m.globals++
		default:
			r.failf("import of kind %d is not one of WebAssembly 2.0", kind)
		}
	}
	r.end()
}

func (m *rewriter) readFunctions() {
	r := &m.sections[sectionFunction]
	if !m.present[sectionFunction] {
		return
	}
	for n := r.count(1); n > 0 && r.err == nil; n-- {
		m.functions = append(m.functions, m.typeIndex(r))
	}
	r.end()
}

func (m *rewriter) typeIndex(r *reader) uint32 {
	t := r.u32()
	if int64(t) >= int64(len(m.types)) {
		r.failf("type %d does not exist", t)
	}
	return t
}

func (m *rewriter) readMemories() {
	r := &m.sections[sectionMemory]
	if m.present[sectionMemory] {
		for n := r.count(2); n > 0 && r.err == nil; n-- {
			r.limits()
			m.memories++
		}
		r.end()
	}
	if m.memories > 1 && r.err == nil {
		r.err = errMemory
	}
}

func (m *rewriter) readGlobals() {
	r := m.sections[sectionGlobal] // a copy: the section is read in full when it is written
	if m.present[sectionGlobal] {
		m.globals += r.count(4)
	}
}

func (m *rewriter) readData() {
	r := &m.sections[sectionData]
	if !m.present[sectionData] {
		return
	}
	n := r.count(2)
	if n > maxSegments {
		r.failf("more than %d data segments", maxSegments)
	}
	for ; n > 0 && r.err == nil; n-- {
		mode := r.u32()
		switch mode {
		case 0, 1:
		case 2:
			if r.u32() != 0 && r.err == nil {
				r.err = errMemory
			}
		default:
			r.failf("data segment of kind %d is not one of WebAssembly 2.0", mode)
		}
		if mode != 1 {
			m.constant(r, nil)
		}
		r.skip(r.count(1))
	}
	r.end()
}

// constant copies an expression of an initialiser to b, with new function
// indices.
func (m *rewriter) constant(r *reader, b []byte) []byte {
	for r.err == nil {
		at := r.pos
		op := r.byte()
		switch op {
		case opEnd:
			return append(b, opEnd)
		case opI32Const:
			r.signed(32)
		case opI64Const:
			r.signed(64)
		case opF32Const:
			r.skip(4)
		case opF64Const:
			r.skip(8)
		case opGlobalGet:
			m.checkGlobal(r, r.u32())
		case opRefNull:
			r.refType()
		case opRefFunc:
			b = appendU32(append(b, op), m.shift(r, r.u32()))
			continue
		case opVector:
			if r.byte() != 0x0c && r.err == nil {
				r.failf("an initialiser with a vector instruction other than v128.const")
			}
			r.skip(16)
		default:
			r.failf("an initialiser with instruction %#02x, which WebAssembly 2.0 does not allow", op)
		}
		if r.err == nil {
			b = append(b, r.b[at:r.pos]...)
		}
	}
	return b
}

// end refuses what follows the last element of a section.
func (r *reader) end() {
	if r.err == nil && r.more() {
		r.failf("malformed module at byte %d: the section is longer than its contents", r.base+r.pos)
	}
}

func (r *reader) valueTypes() int {
	n := r.count(1)
	if n > maxParams {
		r.failf("a function with more than %d parameters or results", maxParams)
	}
	for i := 0; i < n && r.err == nil; i++ {
		r.valueType()
	}
	return n
}

func (r *reader) valueType() byte {
	t := r.byte()
	switch t {
	case 0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f:
	default:
		if r.err == nil {
			r.failf("value type %#02x is not one of WebAssembly 2.0", t)
		}
	}
	return t
}

func (r *reader) refType() byte {
	t := r.byte()
	if t != 0x70 && t != 0x6f && r.err == nil {
		r.failf("reference type %#02x is not one of WebAssembly 2.0", t)
	}
	return t
}

func (r *reader) globalType() {
	r.valueType()
	if mutable := r.byte(); mutable > 1 {
		r.failf("global of mutability %d", mutable)
	}
}

func (r *reader) limits() (low, high uint32, bounded bool) {
	switch flag := r.byte(); {
	case flag == 2 || flag == 3:
		r.failf("the module uses threads (shared memory), which the sandbox does not offer")
	case flag >= 4 && flag <= 7:
		r.failf("the module uses 64-bit memory, which the sandbox does not offer; build it for wasm32")
	case flag > 7:
		r.failf("limits of kind %d are not of WebAssembly 2.0", flag)
	default:
		bounded = flag == 1
		low = r.u32()
		if bounded {
			high = r.u32()
		}
	}
	return low, high, bounded
}
