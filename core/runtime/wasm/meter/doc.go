// Package meter rewrites a WebAssembly module so that it counts fuel while it
// runs, and asks the host for more when what it has is used up.
//
// A mutable i64 global, exported as [GlobalName], holds what is left of a slice.
// The module lowers it by the weight of the code it is about to run, and calls
// the imported function [YieldModule].[YieldName] when it is below zero. There
// the host looks at the clock and at the budget, and either adds the next slice
// to the global or ends the guest by a panic. What a call has used is what was
// given out less what is left; it may exceed the budget by what one charge
// adds beyond the last slice.
//
// # Where charges stand
//
// Charges are static: the sum of the weights of the instructions that they
// cover. They are made
//
//   - at the entry of a function, for its code outside of loops, and checked;
//   - at the head of a loop, each time round, for its body outside of inner
//     loops, and checked;
//   - behind a branch that may skip what follows, in an arm of an if, and where
//     the cases of a switch begin, for the code up to the end of the enclosing
//     block. The next head or entry checks. Small pieces of such code (32 units
//     in all) are charged with the code before them instead;
//   - after each 4096 units of code without a branch, for what follows, and
//     checked;
//   - before an instruction that works on a range, by the length of the range,
//     and checked. The length counts even if the instruction then fails.
//
// # Why this is sound
//
// Every executed instruction is covered by a charge that was made before it. An
// instruction belongs to the innermost loop around it, or to the function. Control flow
// is structured, so none of them can run twice without passing the head of that
// loop, or the entry of the function, in between; and a charge stands only
// where every way to the code that it covers leads through it: before it in the
// same block. Each cycle of a program, that is each loop and each recursion,
// has a checked charge of more than zero in it, so no program runs on without
// yielding. Between two checks there are at most the short pieces of code, about 4096
// units each, that functions have behind the calls from which they return.
//
// The count depends on the module and its input alone, not on time, the
// machine, or the size of slices: a loop that yields gets back the charge that it
// makes again.
//
// # Weights
//
//	0    local.get, constants, drop, nop, block, end: they become operands
//	1    arithmetic, comparisons, loads, stores, branches, local.set, globals
//	2    loop, each time round; a SIMD instruction
//	3    conversions, rounding, min, max, br_table, table.get, table.set
//	4    entry of a function, and 1 for each 4 locals
//	6    SIMD without a machine instruction of its own
//	8    call
//	10   division, remainder, square root; 20 for SIMD
//	12   call_indirect
//	16   memory.copy, fill, init and 1 for 8 bytes; table.copy, fill, init and 1 for an element
//	100  ref.func; memory.grow and 8192 for a page; table.grow and 1 for an element
//
// A nanosecond of compiled code is 5 to 20 units, which depends on how well the
// machine does on it.
//
// # What changes in the module
//
// The yield function is the last imported function, so every defined function
// moves up by one and is renumbered in calls, ref.func, exports, the start
// function, elements and initialisers. The global is the last one, so no other
// moves; it is zero at first, so that a start function yields before it runs.
// A loop gets three blocks around it, because it is left when the fuel is at
// its end and entered again: a call inside would force wazero to keep all of the
// loop's variables in memory. Inside a loop that calls nothing a local mirrors
// the global, so that no time round waits for the store of the one before.
// Functions get one local, or two. Tables get a maximum, since no limit of
// memory pages holds for them. Custom sections are dropped, but those whose
// names begin with "mta1.".
//
// # What is refused
//
// What is not a core module of WebAssembly 2.0 (threads, tail calls,
// exceptions, 64-bit or several memories, garbage collection, components), what
// uses the reserved names, what has more than a compiler should be asked for
// (50,000 locals, 1,000 parameters, 7.6 MB of code or a million loops, branches and
// calls in one function, 10 million table elements, 100,000 segments), and whatever is malformed. Types and
// stacks are not checked: that is the validator's work, and what was invalid before
// is invalid afterwards. No input makes [Rewrite] panic or take more than
// linear time.
package meter
