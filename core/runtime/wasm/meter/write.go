package meter

// write puts one section behind what is written already. m.body collects its
// contents; sections that hold nothing to renumber are copied.
func (m *rewriter) write(id byte) {
	s := &m.sections[id]
	m.body = m.body[:0]
	switch id {
	case sectionType:
		m.writeTypes(s)
	case sectionImport:
		m.copyVector(sectionImport)
		m.body = appendName(appendName(m.body, YieldModule), YieldName)
		m.body = appendU32(append(m.body, 0), uint32(m.yieldType))
	case sectionTable:
		m.writeTables(s)
	case sectionGlobal:
		m.writeGlobals(s)
	case sectionExport:
		m.writeExports(s)
	case sectionStart:
		if m.present[id] {
			m.body = appendU32(m.body, m.shift(s, s.u32()))
			s.end()
		}
	case sectionElement:
		m.writeElements(s)
	case sectionCode:
		m.writeCode(s)
	default:
		m.body = append(m.body, s.b...)
	}
	if s.err == nil && (len(m.body) > 0 || m.present[id]) {
		m.append(id, m.body)
	}
}

func (m *rewriter) append(id byte, content []byte) {
	m.out = appendU32(append(m.out, id), uint32(len(content)))
	m.out = append(m.out, content...)
}

// copyVector copies a section that is one vector, and announces one element more.
func (m *rewriter) copyVector(id byte) {
	s := &m.sections[id]
	r := reader{b: s.b} // the section was read before, and was well-formed
	m.body = appendU32(m.body, m.vectorLength(id, &r)+1)
	m.body = append(m.body, r.b[r.pos:]...)
}

// vectorLength is zero for a section that is not there; one without contents
// is malformed.
func (m *rewriter) vectorLength(id byte, r *reader) uint32 {
	if !m.present[id] {
		return 0
	}
	return r.u32()
}

func (m *rewriter) writeTypes(s *reader) {
	if m.yieldType >= 0 {
		m.body = append(m.body, s.b...)
		return
	}
	m.yieldType = len(m.types)
	m.copyVector(sectionType)
	m.body = append(m.body, 0x60, 0, 0)
}

// writeTables gives every table a maximum. A table may otherwise grow to 2^27
// elements of 8 bytes, which no limit of memory pages covers.
func (m *rewriter) writeTables(s *reader) {
	if !m.present[sectionTable] {
		return
	}
	n := s.count(3)
	m.body = appendU32(m.body, uint32(n))
	var sum int64
	for i := n; i > 0 && s.err == nil; i-- {
		kind := s.refType()
		low, high, bounded := s.limits()
		if sum += int64(low); sum > maxTable {
			s.failf("the module's tables begin with more than %d elements", maxTable)
		}
		if share := max(low, uint32(m.maxTable/n)); !bounded || high > share && high >= low {
			high = share
		}
		m.body = appendU32(appendU32(append(m.body, kind, 1), low), high)
	}
	s.end()
}

func (m *rewriter) writeGlobals(s *reader) {
	n := m.vectorLength(sectionGlobal, s)
	m.body = appendU32(m.body, n+1)
	for ; n > 0 && s.err == nil; n-- {
		at := s.pos
		s.globalType()
		if s.err == nil {
			m.body = m.constant(s, append(m.body, s.b[at:s.pos]...))
		}
	}
	s.end()
	// Zero, so that a start function yields at once and the host decides.
	m.body = append(m.body, 0x7e, 1, opI64Const, 0, opEnd)
}

func (m *rewriter) writeExports(s *reader) {
	n := m.vectorLength(sectionExport, s)
	m.body = appendU32(m.body, n+1)
	for ; n > 0 && s.err == nil; n-- {
		name := s.name()
		kind, index := s.byte(), s.u32()
		switch {
		case s.err != nil:
			return
		case string(name) == GlobalName:
			s.err = errReserved
		case kind == 0:
			index = m.shift(s, index)
		case kind == 3:
			m.checkGlobal(s, index)
		case kind > 3:
			s.failf("export of kind %d is not one of WebAssembly 2.0", kind)
		}
		m.body = append(appendU32(m.body, uint32(len(name))), name...)
		m.body = appendU32(append(m.body, kind), index)
	}
	s.end()
	m.body = appendU32(append(appendName(m.body, GlobalName), 3), m.fuel())
}

// writeElements knows the eight kinds of segment by the bits of their number:
// 1 not active, 2 with a table index (or declarative), 4 expressions.
func (m *rewriter) writeElements(s *reader) {
	if !m.present[sectionElement] {
		return
	}
	n := s.count(2)
	if n > maxSegments {
		s.failf("more than %d element segments", maxSegments)
	}
	m.body = appendU32(m.body, uint32(n))
	for ; n > 0 && s.err == nil; n-- {
		kind := s.u32()
		if kind > 7 {
			s.failf("element segment of kind %d is not one of WebAssembly 2.0", kind)
		}
		m.body = appendU32(m.body, kind)
		if kind&1 == 0 {
			if kind&2 != 0 {
				m.body = appendU32(m.body, s.u32())
			}
			m.body = m.constant(s, m.body)
		}
		if kind&3 != 0 {
			m.writeElementKind(s, kind&4 != 0)
		}
		items := s.count(1)
		m.body = appendU32(m.body, uint32(items))
		for ; items > 0 && s.err == nil; items-- {
			if kind&4 != 0 {
				m.body = m.constant(s, m.body)
			} else {
				m.body = appendU32(m.body, m.shift(s, s.u32()))
			}
		}
	}
	s.end()
}

func (m *rewriter) writeElementKind(s *reader, expressions bool) {
	if expressions {
		m.body = append(m.body, s.refType())
		return
	}
	if s.byte() != 0 && s.err == nil {
		s.failf("element segment of something else than functions")
	}
	m.body = append(m.body, 0)
}

func (m *rewriter) writeCode(s *reader) {
	n := 0
	if m.present[sectionCode] {
		n = s.count(2)
	}
	if n != len(m.functions) && s.err == nil {
		s.failf("%d functions are declared and %d have code", len(m.functions), n)
	}
	if !m.present[sectionCode] {
		return
	}
	m.body = appendU32(m.body, uint32(n))
	for i := 0; i < n && s.err == nil; i++ {
		size := s.count(1)
		if size > maxBody {
			s.failf("function %d has more than %d bytes of code", m.importedFuncs+i, maxBody)
		}
		if s.err != nil {
			return
		}
		s.err = m.writeFunction(m.types[m.functions[i]], reader{b: s.b[s.pos : s.pos+size], base: s.base + s.pos})
		s.pos += size
		if s.err == nil && len(m.body) > m.max {
			s.err = errTooBig
		}
	}
	s.end()
}

// writeFunction scans a function's code and writes it with its patches.
func (m *rewriter) writeFunction(params int, body reader) error {
	c := &m.code
	c.reader, c.m = body, m
	groups := c.count(2)
	at, sum := c.pos, 0
	for i := 0; i < groups && c.err == nil; i++ {
		n := c.u32()
		c.valueType()
		if sum += int(min(n, maxLocals+1)); sum > maxLocals {
			c.failf("a function with more than %d locals", maxLocals)
		}
	}
	begin := c.pos
	c.scan(params, sum)
	if c.err != nil {
		return c.err
	}
	w := codeWriter{b: m.function[:0], m: m, left: uint32(params + sum)}
	if c.ranges {
		w.b = appendU32(w.b, uint32(groups+2))
	} else {
		w.b = appendU32(w.b, uint32(groups+1))
	}
	w.b = append(w.b, c.b[at:begin]...)
	w.b = append(w.b, 1, 0x7e)
	if c.ranges {
		w.b = append(w.b, 1, 0x7f)
	}
	from := uint32(begin)
	for i := range c.patches {
		p := &c.patches[i]
		if p.kind == folded {
			continue
		}
		w.b = append(w.b, c.b[from:p.pos]...)
		from = p.pos
		if p.kind == renumber {
			from = p.end
		}
		w.patch(p, c.b)
	}
	w.b = append(w.b, c.b[from:]...)
	m.function = w.b
	m.body = append(appendU32(m.body, uint32(len(w.b))), w.b...)
	return nil
}

// codeWriter writes the instructions that meter. Locals left and left+1 are
// ours: what is left of the fuel, and the length of a range.
type codeWriter struct {
	b     []byte
	m     *rewriter
	left  uint32
	quiet uint32 // up to this byte the local holds what the global holds
}

func (w *codeWriter) patch(p *patch, code []byte) {
	inside := p.pos < w.quiet
	switch p.kind {
	case renumber:
		w.b = appendU32(w.b, p.w)
	case entry:
		w.subtract(p.w, inside)
		w.check(inside)
	case wrap:
		if p.optional > 0 && !inside {
			w.quiet = p.optional
			w.index(opGlobalGet, w.m.fuel())
			w.index(opLocalSet, w.left)
		}
		w.b = append(append(w.b, opBlock), code[p.pos+1:p.end]...) // of the loop's type
		w.b = append(w.b, opLoop, blockEmpty, opBlock, blockEmpty)
	case head:
		w.subtract(p.w, inside)
		w.keep()
		w.b = append(w.b, opBrIf, 1)
	case unwrap:
		inside = p.pos <= w.quiet // this loop, or one around it
		w.b = append(w.b, opBr, 2, opEnd)
		w.index(opCall, w.m.yield())
		// The head charges again, so it gets back what it has charged.
		w.index(opGlobalGet, w.m.fuel())
		w.b = append(appendS64(append(w.b, opI64Const), int64(p.w)), opI64Add)
		if inside {
			w.index(opLocalTee, w.left)
		}
		w.index(opGlobalSet, w.m.fuel())
		w.b = append(w.b, opBr, 0, opEnd, opUnreachable, opEnd)
	case branch:
		w.subtract(p.w, inside)
		if inside {
			w.index(opLocalTee, w.left)
		}
		w.index(opGlobalSet, w.m.fuel())
	case rangeDown, rangeUp:
		w.index(opLocalTee, w.left+1) // the length stays on the stack for the instruction itself
		w.current(inside)
		w.index(opLocalGet, w.left+1)
		w.b = append(w.b, opI64ExtendU)
		if p.w > 0 {
			w.b = appendS64(append(w.b, opI64Const), int64(p.w))
			if p.kind == rangeUp {
				w.b = append(w.b, opI64Shl)
			} else {
				w.b = append(w.b, opI64ShrU)
			}
		}
		w.b = append(w.b, opI64Sub)
		w.check(inside)
	}
}

// current puts on the stack what is left. In a loop that calls nothing the
// local knows: reading back what was just written would make each time round
// wait for the one before.
func (w *codeWriter) current(inside bool) {
	if inside {
		w.index(opLocalGet, w.left)
	} else {
		w.index(opGlobalGet, w.m.fuel())
	}
}

// subtract leaves on the stack what remains after a charge.
func (w *codeWriter) subtract(weight uint32, inside bool) {
	w.current(inside)
	w.b = append(appendS64(append(w.b, opI64Const), int64(weight)), opI64Sub)
}

// keep takes what is left from the stack into global and local, and leaves on
// the stack whether it is below zero.
func (w *codeWriter) keep() {
	w.index(opLocalTee, w.left)
	w.index(opGlobalSet, w.m.fuel())
	w.index(opLocalGet, w.left)
	w.b = append(w.b, opI64Const, 0, opI64LtS)
}

func (w *codeWriter) check(inside bool) {
	w.keep()
	w.b = append(w.b, opIf, blockEmpty)
	w.index(opCall, w.m.yield())
	if inside {
		w.index(opGlobalGet, w.m.fuel())
		w.index(opLocalSet, w.left)
	}
	w.b = append(w.b, opEnd)
}

// index writes an instruction whose immediate is one index.
func (w *codeWriter) index(op byte, i uint32) { w.b = appendU32(append(w.b, op), i) }
