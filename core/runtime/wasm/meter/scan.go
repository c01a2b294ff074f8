package meter

// Opcodes that the rewrite treats each in its own way.
const (
	opUnreachable  = 0x00
	opNop          = 0x01
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opDrop         = 0x1a
	opSelect       = 0x1b
	opSelectTyped  = 0x1c
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opTableGet     = 0x25
	opTableSet     = 0x26
	opFirstAccess  = 0x28
	opLastAccess   = 0x3e
	opMemorySize   = 0x3f
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opFirstPlain   = 0x45
	opI64LtS       = 0x53
	opI64Add       = 0x7c
	opI64Sub       = 0x7d
	opI64Shl       = 0x86
	opI64ShrU      = 0x88
	opI64ExtendU   = 0xad
	opLastPlain    = 0xc4
	opRefNull      = 0xd0
	opRefIsNull    = 0xd1
	opRefFunc      = 0xd2
	opMisc         = 0xfc
	opVector       = 0xfd
	opAtomic       = 0xfe

	blockEmpty = 0x40 // the type of a block without parameters and results
)

// foldLimit bounds what a charge may contain for code that need not run. Up to
// it a branch of an if, or what follows a br_if, is charged with the code
// before it, which costs nothing at run time; what is larger gets a charge of
// its own, so that a call or a time round a loop is never charged more than
// foldLimit units too much for each charge that it passes.
const foldLimit = 32

// pieceLimit is the weight at which straight code gets a further charge and
// check. Otherwise a deep recursion could be charged for long code behind its
// calls while it descends, and run all of that without a check on its way back.
const pieceLimit = 4096

type patchKind uint8

const (
	folded    patchKind = iota // nothing to write: another charge contains this one
	entry                      // charge and check
	branch                     // charge only: the next entry or loop head checks
	wrap                       // open the blocks around a loop whose type ends at byte end
	head                       // charge and check in such a loop
	unwrap                     // close them; w is what the head charges
	renumber                   // the bytes pos..end become the number w
	rangeDown                  // charge by the number on the stack, shifted right by w
	rangeUp                    // the same, shifted left
)

// patch is something to be written before byte pos of a function's body.
type patch struct {
	pos, end uint32
	w        uint32 // weight, number or shift
	optional uint32 // the part of w that may not run; for wrap, where a loop ends that calls nothing
	kind     patchKind
}

// wrapDepth is how many blocks stand around a loop that is wrapped.
const wrapDepth = 3

// frame is an open block, loop, if or else.
type frame struct {
	segments int // how many were open where it began
	exits    int // the outermost frame that a branch inside leads to
	wraps    int // how many wrapped loops there are from the function's begin to this frame
	wrap     int // the patch that wraps this loop, or zero, which is the function's entry
	calls    bool
}

// scanner reads the code of one function once and leaves the patches that
// meter it, in ascending order. Its slices are used again for the next one.
type scanner struct {
	reader
	m        *rewriter
	patches  []patch
	frames   []frame
	segments []int // patches that charge for code here, innermost last
	locals   int   // with the parameters
	ranges   bool  // some instruction is charged by a number on the stack
}

func (s *scanner) scan(params, locals int) {
	s.locals = params + locals
	s.patches, s.frames, s.segments, s.ranges = s.patches[:0], s.frames[:0], s.segments[:0], false
	s.open(entry)
	s.charge(weightEntry + uint32(locals)/localsPerUnit)
	s.frames = append(s.frames, frame{})
	for len(s.frames) > 0 && s.err == nil && len(s.patches) <= maxPatches {
		s.instruction()
	}
	if len(s.patches) > maxPatches {
		s.failf("a function with more than %d loops, branches and calls", maxPatches)
	}
	if s.err == nil && s.more() {
		s.failf("code of a function goes on after its end")
	}
}

func (s *scanner) charge(w uint32) { s.patches[s.segments[len(s.segments)-1]].w += w }

// open begins a segment, that is code that runs only after the patch that is
// put here and once at most for each time that it runs.
func (s *scanner) open(kind patchKind) {
	s.segments = append(s.segments, len(s.patches))
	s.patches = append(s.patches, patch{pos: uint32(s.pos), kind: kind})
}

// close ends the segments that were opened since there were n.
func (s *scanner) close(n int) {
	for len(s.segments) > n {
		last := len(s.segments) - 1
		p := &s.patches[s.segments[last]]
		s.segments = s.segments[:last]
		if p.kind != branch {
			continue
		}
		before := &s.patches[s.segments[last-1]]
		if before.optional+p.w <= foldLimit {
			before.w += p.w
			before.optional += p.w
			p.kind = folded
		}
	}
}

// label reads the label of a branch, notes where the branch leads, and counts
// the blocks that were put between.
func (s *scanner) label() {
	at, top := s.pos, len(s.frames)-1
	depth := s.u32()
	if int64(depth) > int64(top) {
		s.failf("branch to a label that does not exist")
		return
	}
	target := top - int(depth)
	s.frames[top].exits = min(s.frames[top].exits, target)
	if between := s.frames[top].wraps - s.frames[target].wraps; between > 0 {
		s.patches = append(s.patches, patch{pos: uint32(at), end: uint32(s.pos), kind: renumber, w: depth + wrapDepth*uint32(between)})
	}
}

func (s *scanner) enter() *frame {
	n := len(s.frames)
	s.frames = append(s.frames, frame{segments: len(s.segments), exits: n, wraps: s.frames[n-1].wraps})
	return &s.frames[n]
}

// loop wraps every loop that takes no parameters, so that it can be left and
// entered again when the fuel is at its end: a call inside would keep the
// compiler from holding anything in registers.
func (s *scanner) loop(at int) {
	params := s.blockType()
	f := s.enter()
	if params > 0 {
		s.open(entry)
	} else {
		f.wraps++
		f.wrap = len(s.patches)
		s.patches = append(s.patches, patch{pos: uint32(at), end: uint32(s.pos), kind: wrap})
		s.open(head)
	}
	s.charge(weightLoop)
}

func (s *scanner) leave() {
	top := len(s.frames) - 1
	f := s.frames[top]
	s.close(f.segments)
	s.frames = s.frames[:top]
	if f.wrap > 0 {
		charged := s.patches[f.wrap+1].w
		s.patches = append(s.patches, patch{pos: uint32(s.pos), kind: unwrap, w: charged})
		if !f.calls {
			s.patches[f.wrap].optional = uint32(s.pos)
		}
	}
	if top == 0 {
		return
	}
	outer := &s.frames[top-1]
	outer.calls = outer.calls || f.calls
	if f.exits < top {
		// Some branch leaves the enclosing frame too, or goes back to its head: what
		// follows here need not run.
		outer.exits = min(outer.exits, f.exits)
		s.open(branch)
	}
}

func (s *scanner) instruction() {
	if s.patches[s.segments[len(s.segments)-1]].w >= pieceLimit {
		s.open(entry)
	}
	at := s.pos
	op := s.byte()
	switch {
	case op >= opFirstPlain && op <= opLastPlain, op == opRefIsNull, op == opDrop, op == opSelect, op == opUnreachable, op == opNop:
		s.charge(weightOf(op))
	case op >= opLocalGet && op <= opLocalTee:
		if l := s.u32(); int64(l) >= int64(s.locals) {
			s.failf("local %d does not exist", l) // one of ours, perhaps
		}
		s.charge(weightOf(op))
	case op >= opFirstAccess && op <= opLastAccess:
		s.memoryArgument()
		s.charge(weightOf(op))
	case op <= opReturn:
		s.control(op, at)
	case op == opMisc:
		s.misc(at)
	case op == opVector:
		s.vector()
	default:
		s.other(op, at)
	}
}

func (s *scanner) control(op byte, at int) {
	switch op {
	case opBlock:
		s.blockType()
		s.enter()
	case opLoop:
		s.loop(at)
	case opIf:
		s.charge(weightOf(op))
		s.blockType()
		s.enter()
		s.open(branch)
	case opElse:
		// Whether the frame is an if is for the validator; here any frame begins anew.
		s.close(s.frames[len(s.frames)-1].segments)
		if len(s.frames) == 1 || len(s.segments) == 0 {
			s.failf("else outside of an if")
			return
		}
		s.open(branch)
	case opEnd:
		s.leave()
	case opBr:
		s.charge(weightOf(op))
		s.label()
	case opBrIf:
		s.charge(weightOf(op))
		s.label()
		s.open(branch)
	case opBrTable:
		s.charge(weightBranches)
		n := s.count(1)
		if n > maxBranches {
			s.failf("br_table with more than %d labels", maxBranches)
		}
		for ; n >= 0 && s.err == nil; n-- { // and the default
			s.label()
		}
	case opReturn:
		s.charge(weightOf(op))
		s.frames[len(s.frames)-1].exits = 0
	default: // 0x06 to 0x0a
		s.failf("the module uses exceptions (instruction %#02x), which the sandbox does not offer", op)
	}
}

func (s *scanner) other(op byte, at int) {
	switch op {
	case opCall:
		s.charge(weightCall)
		s.frames[len(s.frames)-1].calls = true
		s.function()
	case opCallIndirect:
		s.charge(weightIndirect)
		s.frames[len(s.frames)-1].calls = true
		s.m.typeIndex(&s.reader)
		s.u32()
	case opSelectTyped:
		s.charge(weightOf(op))
		if n := s.byte(); n != 1 {
			s.failf("select of %d types", n)
		}
		s.valueType()
	case opGlobalGet, opGlobalSet:
		s.charge(weightOf(op))
		s.m.checkGlobal(&s.reader, s.u32())
	case opTableGet, opTableSet:
		s.charge(weightTable)
		s.u32()
	case opMemorySize:
		s.charge(weightOf(op))
		s.memory()
	case opMemoryGrow:
		s.rangeOver(at, rangeUp, shiftPages, weightHost)
		s.memory()
	case opI32Const:
		s.charge(weightOf(op))
		s.signed(32)
	case opI64Const:
		s.charge(weightOf(op))
		s.signed(64)
	case opF32Const:
		s.charge(weightOf(op))
		s.skip(4)
	case opF64Const:
		s.charge(weightOf(op))
		s.skip(8)
	case opRefNull:
		s.charge(weightOf(op))
		s.refType()
	case opRefFunc:
		s.charge(weightHost)
		s.function()
	case 0x12, 0x13, 0x14, 0x15:
		s.failf("the module uses tail calls (instruction %#02x), which the sandbox does not offer", op)
	case 0x18, 0x19, 0x1f:
		s.failf("the module uses exceptions (instruction %#02x), which the sandbox does not offer", op)
	case opAtomic:
		s.failf("the module uses threads (an atomic instruction), which the sandbox does not offer")
	default:
		s.failf("instruction %#02x is not one of WebAssembly 2.0", op)
	}
}

// misc reads what follows the prefix 0xfc: saturating conversions, and what
// works on a range, with its length on top of the stack.
func (s *scanner) misc(at int) {
	switch op := s.u32(); op {
	case 0, 1, 2, 3, 4, 5, 6, 7: // trunc_sat
		s.charge(weightConvert)
	case 8: // memory.init
		s.rangeOver(at, rangeDown, shiftBytes, weightBulk)
		s.u32()
		s.memory()
	case 9, 13: // data.drop, elem.drop
		s.charge(weightBulk)
		s.u32()
	case 10: // memory.copy
		s.rangeOver(at, rangeDown, shiftBytes, weightBulk)
		s.memory()
		s.memory()
	case 11: // memory.fill
		s.rangeOver(at, rangeDown, shiftBytes, weightBulk)
		s.memory()
	case 12, 14: // table.init, table.copy
		s.rangeOver(at, rangeDown, shiftElements, weightBulk)
		s.u32()
		s.u32()
	case 15: // table.grow
		s.rangeOver(at, rangeDown, shiftElements, weightHost)
		s.u32()
	case 16: // table.size
		s.charge(1)
		s.u32()
	case 17: // table.fill
		s.rangeOver(at, rangeDown, shiftElements, weightBulk)
		s.u32()
	default:
		s.failf("instruction 0xfc %d is not one of WebAssembly 2.0", op)
	}
}

func (s *scanner) rangeOver(at int, kind patchKind, shift, weight uint32) {
	s.charge(weight)
	s.patches = append(s.patches, patch{pos: uint32(at), kind: kind, w: shift})
	s.ranges = true
}

// vector reads what follows the prefix 0xfd. The number behind it is LEB128,
// but wazero reads one byte and takes the 0x01 that ends a number of two for a
// nop. Any other spelling would mean one thing here and another there, and is
// refused.
func (s *scanner) vector() {
	op := s.byte()
	if op >= 0x80 && s.byte() != 1 && s.err == nil {
		s.failf("vector instruction is not one of WebAssembly 2.0")
		return
	}
	s.charge(vectorWeight(op))
	switch {
	case op <= 0x0b, op == 0x5c, op == 0x5d: // loads and the store
		s.memoryArgument()
	case op == 0x0c, op == 0x0d: // const, shuffle
		s.skip(16)
	case op >= 0x15 && op <= 0x22: // extract and replace lane
		s.skip(1)
	case op >= 0x54 && op <= 0x5b: // load and store lane
		s.memoryArgument()
		s.skip(1)
	case op == 0x9a, op == 0xa2, op == 0xa5, op == 0xa6, op == 0xaf, op == 0xb0, op == 0xb2, op == 0xb3, op == 0xb4,
		op == 0xbb, op == 0xc2, op == 0xc5, op == 0xc6, op == 0xcf, op == 0xd0, op == 0xd2, op == 0xd3, op == 0xd4,
		op == 0xe2, op == 0xee:
		s.failf("vector instruction %#02x is not one of WebAssembly 2.0", op)
	}
}

func (s *scanner) function() {
	at := s.pos
	index := s.m.shift(&s.reader, s.u32())
	s.patches = append(s.patches, patch{pos: uint32(at), end: uint32(s.pos), kind: renumber, w: index})
}

// blockType says how many parameters a block takes.
func (s *scanner) blockType() int {
	if s.more() && s.b[s.pos]&0xc0 == 0x40 { // a negative number of one byte
		if s.b[s.pos] == 0x40 {
			s.pos++
		} else {
			s.valueType()
		}
		return 0
	}
	at := s.pos
	s.signed(33)
	if s.err != nil {
		return 0
	}
	r := reader{b: s.b[at:s.pos]}
	t := r.u32()
	if negative := s.pos-at < 5 && s.b[s.pos-1]&0x40 != 0; negative || r.err != nil || int64(t) >= int64(len(s.m.types)) {
		s.failf("block of type %d: there is no such type", t)
		return 0
	}
	return s.m.types[t]
}

func (s *scanner) memoryArgument() {
	if align := s.u32(); align >= 32 { // bit 6 would announce a memory index
		s.failf("memory access with alignment 2^%d, or to a second memory", align)
	}
	s.u32()
}

func (s *scanner) memory() {
	if s.byte() != 0 && s.err == nil {
		s.failf("%s", errMemory.Error()[len("meter: "):])
	}
}
