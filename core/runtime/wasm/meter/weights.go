package meter

// Weights are in units of about half a nanosecond of a server's core; one
// plain instruction is 1. See the table in the package comment.
const (
	weightEntry    = 4   // of a function: frame and stack check
	localsPerUnit  = 4   // locals that are cleared for one unit
	weightLoop     = 2   // of one time round: the check itself
	weightCall     = 8   // arguments, jump, return
	weightIndirect = 12  // the same, and the look-up with its type check
	weightDivide   = 10  // integer and floating point division, square root
	weightConvert  = 3   // between integers and floats, rounding
	weightBranches = 3   // br_table
	weightTable    = 3   // table.get, table.set
	weightBulk     = 16  // memory and table instructions over a range, besides the range
	weightHost     = 100 // what leaves compiled code: memory.grow, table.grow, ref.func
	weightVector   = 2   // SIMD
	weightVectorX  = 6   // SIMD without a machine instruction of its own, or with a slow one
)

// Ranges are charged one unit for 8 bytes of memory, one for an element of a
// table, and 8192 for a page of new memory, which is again one for 8 bytes.
const (
	shiftBytes    = 3  // right
	shiftElements = 0  // none
	shiftPages    = 13 // left
)

// weightOf is for instructions of one byte that have no weight of a section above.
func weightOf(op byte) uint32 {
	switch {
	case op == opUnreachable, op == opNop, op == opDrop, op == opLocalGet, op >= opI32Const && op <= opF64Const:
		return 0 // these become operands of others, or nothing
	case op >= 0x6d && op <= 0x70, op >= 0x7f && op <= 0x82: // i32 and i64 div, rem
		return weightDivide
	case op == 0x91, op == 0x95, op == 0x9f, op == 0xa3: // f32 and f64 sqrt, div
		return weightDivide
	case op >= 0x8d && op <= 0x90, op >= 0x9b && op <= 0x9e: // ceil, floor, trunc, nearest
		return weightConvert
	case op >= 0xa8 && op <= 0xab, op >= 0xae && op <= 0xbb: // trunc, convert, demote, promote
		return weightConvert
	case op == 0x97, op == 0x96, op == 0xa4, op == 0xa5: // min, max
		return weightConvert
	}
	return 1
}

func vectorWeight(op byte) uint32 {
	switch {
	case op == 0x0d, op == 0x0e: // shuffle, swizzle
		return weightVectorX
	case op == 0x62, op >= 0x6b && op <= 0x6d: // i8x16 popcnt and shifts
		return weightVectorX
	case op >= 0x67 && op <= 0x6a, op == 0x74, op == 0x75, op == 0x7a, op == 0x94: // rounding
		return weightVectorX
	case op == 0xcc, op == 0xd5, op >= 0xdc && op <= 0xdf: // i64x2 shr_s, mul, extmul
		return weightVectorX
	case op == 0xe3, op == 0xe7, op == 0xef, op == 0xf3: // sqrt, div
		return 2 * weightDivide
	case op >= 0xe8 && op <= 0xeb, op >= 0xf4: // min, max, conversions
		return weightVectorX
	}
	return weightVector
}
