package meter

// Section identifiers.
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
	sectionTag
	sectionKinds
)

// order is how sections follow each other; the data count has the highest
// number and stands before the code.
var order = [...]byte{sectionType, sectionImport, sectionFunction, sectionTable, sectionMemory, sectionGlobal,
	sectionExport, sectionStart, sectionElement, sectionDataCount, sectionCode, sectionData}

// rewriter holds what later sections need to know about earlier ones.
type rewriter struct {
	max      int
	maxTable int // elements that tables can grow to
	sections [sectionKinds]reader
	present  [sectionKinds]bool
	custom   [][]byte // contents of the sections that are kept

	types         []int // how many parameters each has
	yieldType     int   // the type () -> ()
	functions     []uint32
	importedFuncs int
	memories      int
	globals       int
	code          scanner
	function      []byte // the code of one function, used again
	body          []byte // the contents of one section, used again
	out           []byte
}

// yield is the index of the function that is added: the last imported one, so
// that all defined functions move up by one.
func (m *rewriter) yield() uint32 { return uint32(m.importedFuncs) }

// fuel is the index of the global that is added: the last one, so that none
// moves.
func (m *rewriter) fuel() uint32 { return uint32(m.globals) }

// shift is the new index of function f.
func (m *rewriter) shift(r *reader, f uint32) uint32 {
	switch {
	case int64(f) >= int64(m.importedFuncs+len(m.functions)):
		r.failf("function %d does not exist", f)
		return 0
	case int64(f) >= int64(m.importedFuncs):
		return f + 1
	}
	return f
}

// checkGlobal refuses what the global that is added would make valid.
func (m *rewriter) checkGlobal(r *reader, g uint32) {
	if int64(g) >= int64(m.globals) {
		r.failf("global %d does not exist", g)
	}
}

// split finds the sections and checks that they are in order, once each.
func (m *rewriter) split(module []byte) error {
	if err := preamble(module); err != nil {
		return err
	}
	r := reader{b: module, pos: 8}
	rank := -1
	for r.more() {
		id := r.byte()
		size := r.count(1)
		if r.err != nil {
			return r.err
		}
		content := reader{b: module[r.pos : r.pos+size], base: r.pos}
		r.pos += size
		switch {
		case id == sectionCustom:
			name := content.name()
			if content.err != nil {
				return content.err
			}
			if len(name) > 5 && string(name[:5]) == "mta1." {
				m.custom = append(m.custom, content.b)
			}
			continue
		case id == sectionTag:
			r.failf("the module uses exceptions (a tag section), which the sandbox does not offer")
			return r.err
		}
		next := position(id)
		if next < 0 {
			r.failf("section %d is not one of WebAssembly 2.0", id)
		} else if next <= rank {
			r.failf("section %d is out of order or twice there", id)
		}
		if r.err != nil {
			return r.err
		}
		rank = next
		m.sections[id], m.present[id] = content, true
	}
	return r.err
}

func position(id byte) int {
	for i, o := range order {
		if o == id {
			return i
		}
	}
	return -1
}

// rewrite writes all sections in order. Those that only say what is there are
// read first, because code and initialisers refer to them.
func (m *rewriter) rewrite() ([]byte, error) {
	m.yieldType = -1
	m.readTypes()
	m.readImports()
	m.readFunctions()
	m.readMemories()
	m.readGlobals()
	m.readData()
	for i := range m.sections {
		if err := m.sections[i].err; err != nil {
			return nil, err
		}
	}
	m.out = append(m.out, "\x00asm\x01\x00\x00\x00"...)
	for _, id := range order {
		m.write(id)
		if err := m.sections[id].err; err != nil {
			return nil, err
		}
		if len(m.out) > m.max {
			return nil, errTooBig
		}
	}
	for _, c := range m.custom {
		m.append(sectionCustom, c)
	}
	if len(m.out) > m.max {
		return nil, errTooBig
	}
	return m.out, nil
}
