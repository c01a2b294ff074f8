package meter_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// program writes random valid modules that end. Their code keeps an account of
// its own: the exported global "count" grows by one for every instruction that
// was executed (but local.get, constants, ends of blocks, and what a trap kept
// from being counted). So it says, without any knowledge of the meter, what the fuel must
// at least be.
type program struct {
	*rand.Rand
	code   []byte
	counts int    // instructions since the last count
	arity  []byte // how many values each open label takes; the function's first
	funcs  int
	self   int
	fresh  byte // the next local that no open loop counts with
	size   int
}

const (
	scratch = 4  // locals 0 to 3 are anything, 0 being the parameter
	tmp     = 24 // holds the value that a loop takes
	locals  = 25
)

func (p *program) op(b ...byte) {
	p.code = append(p.code, b...)
	if b[0] != 0x20 && b[0] != 0x41 && b[0] != 0x42 {
		p.counts++
	}
}

func (p *program) constant(v int32) { p.op(sleb([]byte{0x41}, int64(v))...) }

func sleb(b []byte, v int64) []byte {
	for ; v < -64 || v > 63; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v)&0x7f)
}

// count accounts for what was executed so far, itself included.
func (p *program) count() {
	n := p.counts + 3
	p.op(0x23, 0)
	p.op(sleb([]byte{0x42}, int64(n))...)
	p.op(0x7c)
	p.op(0x24, 0)
	p.counts = 0
}

func (p *program) expression(depth int) {
	switch k := p.IntN(10); {
	case k < 3 || depth == 0:
		p.op(0x20, byte(p.IntN(scratch)))
	case k < 5:
		p.constant(int32(p.Uint32()) >> p.IntN(32))
	case k < 8:
		p.expression(depth - 1)
		p.expression(depth - 1)
		p.op(0x6a + byte(p.IntN(3))) // add, sub, mul
	case k < 9:
		p.address(depth - 1)
		p.op(0x2d, 0, 0) // i32.load8_u
	default:
		p.expression(depth - 1)
		p.expression(depth - 1)
		p.op([]byte{0x6e, 0x70, 0x74, 0x71, 0x49}[p.IntN(5)]) // div_u and rem_u may trap
	}
}

// address is nearly always one that exists.
func (p *program) address(depth int) {
	p.expression(depth)
	if p.IntN(50) > 0 {
		p.constant(0xfff)
		p.op(0x71)
	}
}

func (p *program) statements(depth int) {
	for n := 1 + p.IntN(4); n > 0; n-- {
		p.statement(depth)
	}
}

func (p *program) statement(depth int) {
	p.size++
	if depth == 0 || p.size > 300 {
		p.expression(2)
		p.op(0x21, byte(p.IntN(scratch)))
		p.count()
		return
	}
	switch p.IntN(12) {
	case 0, 1:
		p.expression(3)
		p.op(0x21, byte(p.IntN(scratch)))
		p.count()
	case 2:
		p.address(2)
		p.expression(2)
		p.op(0x3a, 0, 0)
		p.count()
	case 3:
		p.block(0x02, 0, depth)
	case 4:
		p.expression(1)
		p.op(0x04, 0x40)
		p.counts++ // an if weighs one, and is counted in both arms
		saved := p.counts
		p.open(0, func() {
			p.count()
			p.statements(depth - 1)
			p.code = append(p.code, 0x05)
			p.counts = saved
			p.count()
			if p.IntN(2) == 0 {
				p.statements(depth - 1)
			}
		})
	case 5, 6:
		p.loop(depth)
	case 7:
		p.loopWithValue(depth)
	case 8, 9:
		p.branch()
	case 10:
		if p.self+1 < p.funcs {
			p.call()
		}
	default:
		p.address(1)
		if p.IntN(2) == 0 {
			p.expression(1)
			p.address(0)
			p.op(0xfc, 0x0b, 0)
		} else {
			p.address(1)
			p.address(0)
			p.op(0xfc, 0x0a, 0, 0)
		}
		p.count()
	}
}

// open runs what is inside of a label and writes its end.
func (p *program) open(arity byte, inside func()) {
	p.arity = append(p.arity, arity)
	inside()
	p.arity = p.arity[:len(p.arity)-1]
	p.code = append(p.code, 0x0b)
	p.counts = 0
}

func (p *program) block(op, arity byte, depth int) {
	p.code = append(p.code, op, 0x40)
	p.open(arity, func() { p.statements(depth - 1) })
}

// loop goes round at most five times, wherever a branch goes: the head counts.
func (p *program) loop(depth int) {
	if p.fresh >= tmp {
		return
	}
	c := p.fresh
	p.fresh++
	p.constant(int32(1 + p.IntN(5)))
	p.op(0x21, c)
	p.count()
	p.code = append(p.code, 0x02, 0x40)
	p.open(0, func() {
		p.code = append(p.code, 0x03, 0x40)
		p.open(0, func() {
			p.op(0x20, c)
			p.op(0x45)
			p.counts++ // the branch
			p.count()
			p.op(0x20, c)
			p.op(0x45)
			p.op(0x0d, 1)
			p.op(0x20, c)
			p.constant(1)
			p.op(0x6b)
			p.op(0x21, c)
			p.count()
			p.statements(depth - 1)
			p.counts++
			p.count()
			p.op(0x0c, 0)
		})
	})
	p.fresh--
}

// loopWithValue takes a value round: (param i32) (result i32) is type 0.
func (p *program) loopWithValue(depth int) {
	if p.fresh >= tmp {
		return
	}
	c := p.fresh
	p.fresh++
	p.constant(int32(1 + p.IntN(5)))
	p.op(0x21, c)
	p.expression(1)
	p.count()
	p.code = append(p.code, 0x03, 0x00)
	p.open(2, func() { // no random branch leads here
		p.op(0x21, tmp)
		p.op(0x20, c)
		p.constant(1)
		p.op(0x6b)
		p.op(0x21, c)
		p.count()
		p.statements(depth - 1)
		p.counts += 3
		p.count()
		p.op(0x20, tmp)
		p.op(0x20, c)
		p.op(0x0d, 0)
	})
	p.op(0x21, byte(p.IntN(scratch)))
	p.fresh--
}

func (p *program) branch() {
	var to []byte
	for i := range p.arity[1:] {
		if p.arity[len(p.arity)-1-i] == 0 {
			to = append(to, byte(i))
		}
	}
	if len(to) == 0 {
		return
	}
	any := func() byte { return to[p.IntN(len(to))] }
	switch p.IntN(8) {
	case 0: // for good: what follows is dead
		p.counts++
		p.count()
		p.op(0x0c, any())
		p.counts = 0
	case 1:
		p.expression(1)
		p.counts++
		p.count()
		p.op(0x0e, 2, any(), any(), any())
		p.counts = 0
	case 2:
		p.expression(1)
		p.counts++
		p.count()
		p.op(0x0f)
		p.counts = 0
	default:
		p.expression(1)
		p.counts++
		p.count()
		p.op(0x0d, any())
		p.counts = 0
	}
}

// call goes to a later function, directly or through the table, so that there
// is no recursion.
func (p *program) call() {
	f := p.self + 1 + p.IntN(p.funcs-p.self-1)
	p.expression(1)
	if p.IntN(2) == 0 {
		p.counts++
		p.count()
		p.op(0x10, byte(f))
	} else {
		p.constant(int32(f))
		p.counts++
		p.count()
		p.op(0x11, 0, 0)
	}
	p.counts = 0
	p.op(0x21, byte(p.IntN(scratch)))
}

func section(id byte, content []byte) []byte {
	return append(binary.AppendUvarint([]byte{id}, uint64(len(content))), content...)
}

// module has some functions (i32) -> i32, of which the first is exported as "f".
func module(seed uint64) []byte {
	p := &program{Rand: rand.New(rand.NewPCG(seed, 1))}
	p.funcs = 1 + p.IntN(4)
	functions, elements, code := []byte{byte(p.funcs)}, []byte{1, 0, 0x41, 0, 0x0b, byte(p.funcs)}, []byte{byte(p.funcs)}
	for p.self = range p.funcs {
		functions = append(functions, 0)
		elements = append(elements, byte(p.self))
		p.code, p.counts, p.arity, p.fresh, p.size = nil, 0, []byte{1}, scratch, 0
		p.statements(5)
		p.op(0x20, 1)
		p.code = append(p.code, 0x0b)
		b := append([]byte{1, locals - 1, 0x7f}, p.code...)
		code = append(binary.AppendUvarint(code, uint64(len(b))), b...)
	}
	out := []byte("\x00asm\x01\x00\x00\x00")
	out = append(out, section(1, []byte{1, 0x60, 1, 0x7f, 1, 0x7f})...)
	out = append(out, section(3, functions)...)
	out = append(out, section(4, []byte{1, 0x70, 0, byte(p.funcs)})...)
	out = append(out, section(5, []byte{1, 1, 1, 2})...)
	out = append(out, section(6, []byte{1, 0x7e, 1, 0x42, 0, 0x0b})...)
	out = append(out, section(7, []byte("\x03\x01f\x00\x00\x05count\x03\x00\x01m\x02\x00"))...)
	out = append(out, section(9, elements)...)
	return append(out, section(10, code)...)
}

// outcome is all that a run leaves behind.
type outcome struct {
	results []uint64
	trap    string
	count   uint64
	memory  []byte
	used    int64
}

func run(t testing.TB, r wazero.Runtime, h *host, module []byte) outcome {
	t.Helper()
	ctx := context.Background()
	h.given = 0
	mod, err := r.InstantiateWithConfig(ctx, module, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		t.Fatal(err)
	}
	defer mod.Close(ctx)
	var o outcome
	results, err := mod.ExportedFunction("f").Call(ctx, 5)
	for _, v := range results {
		o.results = append(o.results, v&0xffffffff)
	}
	if err != nil {
		o.trap = trapKind(err)
	}
	o.count = mod.ExportedGlobal("count").Get()
	view, _ := mod.Memory().Read(0, mod.Memory().Size())
	o.memory = bytes.Clone(view)
	if g, ok := mod.ExportedGlobal("mta1_fuel").(api.MutableGlobal); ok {
		o.used = h.given - int64(g.Get())
	}
	return o
}

func compare(t testing.TB, r wazero.Runtime, h *host, seed uint64) outcome {
	t.Helper()
	original := module(seed)
	plain := run(t, r, h, original)
	rewritten := metered(t, original)
	h.slice = 1 << 40
	once := run(t, r, h, rewritten)
	h.slice = 200 // so that nearly every loop is left and entered again
	sliced := run(t, r, h, rewritten)
	for name, o := range map[string]outcome{"one slice": once, "small slices": sliced} {
		if o.trap != plain.trap || o.count != plain.count || !bytes.Equal(o.memory, plain.memory) ||
			len(o.results) != len(plain.results) || len(o.results) > 0 && o.results[0] != plain.results[0] {
			t.Errorf("seed %d, %s: unmetered %v %q %d, metered %v %q %d", seed, name, plain.results, plain.trap, plain.count, o.results, o.trap, o.count)
		}
		if o.used < int64(plain.count) {
			t.Errorf("seed %d, %s: %d instructions were executed and %d units charged", seed, name, plain.count, o.used)
		}
	}
	if once.used != sliced.used {
		t.Errorf("seed %d: used %d with one slice and %d with small ones", seed, once.used, sliced.used)
	}
	return once
}

func TestRandomModulesBehaveAlikeAndPayForEveryInstruction(t *testing.T) {
	n := uint64(400)
	if testing.Short() {
		n = 50
	}
	h := unlimited()
	r := h.runtime(t, wazero.NewRuntimeConfig())
	var instructions, used, traps, long int64
	for seed := range n {
		o := compare(t, r, h, seed)
		instructions += int64(o.count)
		used += o.used
		if o.trap != "" {
			traps++
		}
		if o.count > 1000 {
			long++
		}
	}
	t.Logf("%d instructions, %d units, %d traps, %d of more than a thousand", instructions, used, traps, long)
	if testing.Short() {
		return // too few to judge
	}
	if traps < int64(n)/50 || traps > int64(n)/2 || long < int64(n)/20 {
		t.Errorf("the programs are not what they should be: %d traps, %d long of %d", traps, long, n)
	}
}

func FuzzRandomModules(f *testing.F) {
	for seed := range uint64(10) {
		f.Add(seed + 1_000_000)
	}
	h := unlimited()
	r := h.runtime(f, wazero.NewRuntimeConfigInterpreter())
	f.Fuzz(func(t *testing.T, seed uint64) { compare(t, r, h, seed) })
}
