package gen_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/wire"
)

// border is one call as the relay sees it: what was asked, and what it answers.
type border struct {
	request func(block string) (any, error)
	result  func() (value any, block []byte)
}

func crossingOf[C, R any](parse func(string) (C, error), write func(*wire.Writer, *R) []byte) border {
	return border{
		request: func(block string) (any, error) { return parse(block) },
		result: func() (any, []byte) {
			r := new(R)
			fill(reflect.ValueOf(r).Elem(), "", 0)
			if big, ok := any(r).(*sdk.ReadResult); ok { // more than the guest has room for
				big.Data = bytes.Repeat([]byte("0123456789"), 20_000)
			}
			return *r, slices.Clone(write(new(wire.Writer), r))
		},
	}
}

var borders = map[string]border{
	"log":       crossingOf(wire.ParseLogCall, (*wire.Writer).LogResult),
	"now":       crossingOf(wire.ParseNowCall, (*wire.Writer).NowResult),
	"random":    crossingOf(wire.ParseRandomCall, (*wire.Writer).RandomResult),
	"metric":    crossingOf(wire.ParseMetricCall, (*wire.Writer).MetricResult),
	"kv_get":    crossingOf(wire.ParseKVGetCall, (*wire.Writer).KVGetResult),
	"kv_set":    crossingOf(wire.ParseKVSetCall, (*wire.Writer).KVSetResult),
	"kv_swap":   crossingOf(wire.ParseKVSwapCall, (*wire.Writer).KVSwapResult),
	"kv_add":    crossingOf(wire.ParseKVAddCall, (*wire.Writer).KVAddResult),
	"kv_delete": crossingOf(wire.ParseKVDeleteCall, (*wire.Writer).KVDeleteResult),
	"lookup":    crossingOf(wire.ParseLookupCall, (*wire.Writer).LookupResult),
	"mx":        crossingOf(wire.ParseMXCall, (*wire.Writer).MXResult),
	"http":      crossingOf(wire.ParseHTTPCall, (*wire.Writer).HTTPResult),
	"read":      crossingOf(wire.ParseReadCall, (*wire.Writer).ReadResult),
	"header":    crossingOf(wire.ParseHeaderCall, (*wire.Writer).HeaderResult),
	"send":      crossingOf(wire.ParseSendCall, (*wire.Writer).SendResult),
}

// relay is the other side of the border: it answers every call, or refuses it.
type relay struct {
	t      *testing.T
	refuse bool
	lines  []string
	want   []string
	asked  map[string]bool
	rest   []byte
}

func (r *relay) call(name string, mem api.Memory, stack []uint64) {
	request, ok := mem.Read(api.DecodeU32(stack[0]), api.DecodeU32(stack[1]))
	if !ok {
		r.t.Fatalf("%s: a request outside of the memory", name)
	}
	got, err := borders[name].request(string(request))
	if err != nil {
		r.t.Fatalf("%s: %v", name, err)
	}
	result, block := borders[name].result()
	code := sdk.CallOK
	switch log, isLog := got.(sdk.LogCall); {
	case isLog:
		r.lines = append(r.lines, log.Text)
	case r.refuse:
		code, block = sdk.CallLimit, []byte("no more of it")
		r.want = append(r.want, fmt.Sprintf("%s.code=%d", name, code), name+".why="+escaped(string(block)))
	default:
		r.asked[name] = true
		want := reflect.New(reflect.TypeOf(got))
		fill(want.Elem(), name, 0)
		if !reflect.DeepEqual(got, want.Elem().Interface()) {
			r.t.Errorf("%s: asked\n%+v\nwant\n%+v", name, got, want.Elem())
		}
		r.want = append(r.want, name+".code=0")
		show(&r.want, name, reflect.ValueOf(result))
	}
	if len(block) <= int(api.DecodeU32(stack[3])) {
		mem.Write(api.DecodeU32(stack[2]), block)
	} else {
		r.rest = block
	}
	stack[0] = uint64(code)<<32 | uint64(len(block))
}

func (r *relay) leftover(mem api.Memory, stack []uint64) {
	if len(r.rest) > int(api.DecodeU32(stack[1])) || !mem.Write(api.DecodeU32(stack[0]), r.rest) {
		r.t.Error("rest: there is no room for it")
	}
	stack[0] = uint64(len(r.rest))
}

func (r *relay) offer(ctx context.Context, w wazero.Runtime) error {
	i32, i64 := api.ValueTypeI32, api.ValueTypeI64
	b := w.NewHostModuleBuilder("mta1")
	for _, c := range sdk.Calls() {
		f := func(_ context.Context, m api.Module, stack []uint64) { r.call(c.Name, m.Memory(), stack) }
		b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(f), []api.ValueType{i32, i32, i32, i32}, []api.ValueType{i64}).Export(c.Name)
	}
	f := func(_ context.Context, m api.Module, stack []uint64) { r.leftover(m.Memory(), stack) }
	b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(f), []api.ValueType{i32, i32}, []api.ValueType{i32}).Export("rest")
	_, err := b.Instantiate(ctx)
	return err
}

// asking makes the guest ask everything, and answers or refuses.
func asking(t *testing.T, path string, refuse bool) {
	module, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, refuse: refuse, asked: map[string]bool{"log": true}}
	w := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	defer w.Close(t.Context())
	if err := r.offer(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	m, err := w.Instantiate(t.Context(), module)
	if err != nil {
		t.Fatal(err)
	}
	if ret, err := m.ExportedFunction("mta1_selftest").Call(t.Context()); err != nil || ret[0] != 0 {
		t.Fatal(ret, err)
	}
	if !refuse && len(r.asked) != len(sdk.Calls()) {
		t.Errorf("asked only %v", r.asked)
	}
	slices.Sort(r.lines)
	slices.Sort(r.want)
	if !slices.Equal(r.lines, r.want) {
		t.Errorf("refuse %v: the plugin saw\n%s\nand Go says\n%s", refuse, strings.Join(r.lines, "\n"), strings.Join(r.want, "\n"))
	}
}
