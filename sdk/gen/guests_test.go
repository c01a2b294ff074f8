package gen_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/wasm"
	"github.com/programmable-mta/mta/plugins/greylist"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// top is the folder of go.mod, seen from here.
const top = "../.."

// guests are the languages whose libraries are made here.
var guests = []struct{ lang, needs string }{
	{"c", "clang-19 lld-19"},
	{"rust", "rustc libstd-rust-dev-wasm32 lld-14"},
}

// modules are those that were built, by source folder, with what went wrong.
var (
	modules = map[string]error{}
	made    string // the folder that they are in
)

func TestMain(m *testing.M) {
	var err error
	if made, err = os.MkdirTemp("", "guests"); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := os.RemoveAll(made); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// errNoToolchain is a compiler that is not there.
var errNoToolchain = errors.New("no toolchain")

// build makes a module of a source folder, once. Without the toolchain the test
// is skipped, but never in CI.
func build(t testing.TB, lang, needs, dir string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("compilers take their time")
	}
	out := filepath.Join(made, lang+"-"+filepath.Base(dir)+".wasm")
	err, done := modules[out]
	if !done {
		err = compile(lang, dir, out)
		modules[out] = err
	}
	if errors.Is(err, errNoToolchain) && os.Getenv("CI") == "" {
		t.Skipf("%v: apt-get install %s", err, needs)
	}
	if err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	return out
}

func compile(lang, dir, out string) error {
	cmd := exec.Command(filepath.Join(top, "sdk", lang, "build.sh"), dir, out)
	cmd.Env = append(os.Environ(), "CFLAGS=-Werror")
	said, err := cmd.CombinedOutput()
	switch {
	case err != nil && cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == 127:
		return fmt.Errorf("%w: %s", errNoToolchain, said)
	case err != nil:
		return fmt.Errorf("%w\n%s", err, said)
	case len(said) > 0:
		return fmt.Errorf("the compiler says:\n%s", said)
	}
	return nil
}

func newRuntime(t testing.TB) *wasm.Runtime {
	t.Helper()
	rt, err := wasm.New(t.Context(), wasm.Options{Logf: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(); err != nil {
			t.Error(err)
		}
	})
	return rt
}

var everything = runtime.Grants{Relay: true, DNS: true, HTTP: []string{"api.example.net:443"}, KV: 1 << 20, Body: runtime.Write, Headers: runtime.Write, Send: true}

func loader(rt *wasm.Runtime, path string) plugintest.Loader {
	return func(ctx context.Context, host sdk.Host, config []byte) (*sdk.Handlers, func() error, error) {
		l, err := rt.Load(ctx, runtime.Spec{Name: "plugin", Source: wasm.Prefix + path, Config: config, Grants: everything}, host)
		if err != nil {
			return nil, nil, err
		}
		return l.Handlers(), l.Close, nil
	}
}

// Everything crosses the border: a plugin that is derived from the schema shows
// every field that arrives, and fills every field that it sends.
func TestEverythingCrossesTheBorder(t *testing.T) {
	for _, g := range guests {
		t.Run(g.lang, func(t *testing.T) {
			t.Setenv("RUSTFLAGS", "-C opt-level=1") // it is large, and not in a hurry
			path := build(t, g.lang, g.needs, filepath.Join(top, "sdk", g.lang, "testdata/selfcheck"))
			host := plugintest.NewHost()
			hs, stop, err := loader(newRuntime(t), path)(t.Context(), host, []byte("{}"))
			if err != nil {
				t.Fatal(err)
			}
			crossing(t, host, hs, true)
			crossing(t, host, hs, false)
			if err := stop(); err != nil {
				t.Error(err)
			}
			asking(t, path, false)
			asking(t, path, true)
		})
	}
}

func crossing(t *testing.T, host *plugintest.Host, hs *sdk.Handlers, filled bool) {
	fields := reflect.ValueOf(hs).Elem()
	for i := range fields.NumField() {
		name, hook := fields.Type().Field(i).Name, fields.Field(i)
		event := reflect.New(hook.Type().In(1).Elem())
		if filled {
			fill(event.Elem(), "", 0)
		}
		before := len(host.Logs())
		out := hook.Call([]reflect.Value{reflect.ValueOf(t.Context()), event})
		if err := out[1]; !err.IsNil() {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got, want []string
		for _, l := range host.Logs()[before:] {
			got = append(got, l.Text)
		}
		show(&want, "", event.Elem())
		want = append(want, fmt.Sprintf("now=%d", host.Now(t.Context()).UnixNano()))
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s, filled %v: the plugin saw\n%s\nand Go says\n%s", name, filled, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		answer := reflect.New(out[0].Type())
		fill(answer.Elem(), "", 0)
		if !reflect.DeepEqual(out[0].Interface(), answer.Elem().Interface()) {
			t.Errorf("%s: the plugin answered\n%+v\nand Go says\n%+v", name, out[0], answer.Elem())
		}
	}
}

// name is the name of a field outside of Go; empty: it does not cross.
func name(f reflect.StructField) string {
	n, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if !f.IsExported() {
		return ""
	}
	return n
}

func below(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// fill gives every field a value that no other one has, as far as it can; slot
// is its place in its record.
func fill(v reflect.Value, path string, slot int64) {
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.Unix(0, 1000+slot).UTC()
		return
	case *[]byte:
		*x = []byte(path)
		return
	case *[]string:
		*x = []string{path + ".0", path + ".1", path + ".2"}
		return
	case *sdk.Notes:
		*x = sdk.Notes{"a.b": path, "c.d": "é\n\\", "e": strings.Repeat("x", 300)}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), path, 0)
	case reflect.Struct:
		for i := range v.NumField() {
			if n := name(v.Type().Field(i)); n != "" {
				fill(v.Field(i), below(path, n), int64(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 6, 6))
		for i := range 6 {
			fill(v.Index(i), fmt.Sprintf("%s.%d", path, i), 0)
		}
	case reflect.String:
		v.SetString(path)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Float64:
		v.SetFloat(1000 + float64(slot))
	default:
		v.SetInt(1000 + slot)
	}
}

func escaped(s string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d:", len(s))
	for _, c := range []byte(s[:min(len(s), 200)]) {
		if c >= 0x20 && c < 0x7f && c != '\\' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "\\x%02x", c)
		}
	}
	return b.String()
}

// show is what the plugin is expected to log.
func show(out *[]string, path string, v reflect.Value) {
	add := func(text string) { *out = append(*out, path+"="+text) }
	switch x := v.Interface().(type) {
	case time.Time:
		n := int64(0)
		if !x.IsZero() {
			n = x.UnixNano()
		}
		add(fmt.Sprint(n))
		return
	case []byte:
		add(escaped(string(x)))
		return
	case sdk.Notes:
		for k, n := range x {
			*out = append(*out, below(path, k)+"="+escaped(n))
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		e := reflect.New(v.Type().Elem()).Elem()
		if !v.IsNil() {
			e = v.Elem()
		}
		show(out, path, e)
	case reflect.Struct:
		for i := range v.NumField() {
			if n := name(v.Type().Field(i)); n != "" {
				show(out, below(path, n), v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			show(out, fmt.Sprintf("%s.%d", path, i), v.Index(i))
		}
	case reflect.String:
		add(escaped(v.String()))
	case reflect.Bool:
		n := 0
		if v.Bool() {
			n = 1
		}
		add(fmt.Sprint(n))
	case reflect.Float64:
		add(fmt.Sprint(int64(v.Float() * 1000)))
	case reflect.Uint8:
		add(fmt.Sprint(v.Uint()))
	default:
		add(fmt.Sprint(v.Int()))
	}
}

// example gives the freshly built module of an example and the prebuilt one,
// which have to do the same.
func example(t *testing.T, name string, test func(t *testing.T, path string)) {
	for _, g := range guests {
		t.Run(g.lang+"/prebuilt", func(t *testing.T) {
			test(t, filepath.Join(top, "testdata/wasm", g.lang+"-"+name+".wasm"))
		})
		t.Run(g.lang+"/fresh", func(t *testing.T) {
			test(t, build(t, g.lang, g.needs, filepath.Join(top, "sdk", g.lang, "examples", name)))
		})
	}
}

// The example greylist is the relay's own plugin in another language: it plays
// the same stories.
func TestGreylistPlaysTheStoriesOfTheBuiltin(t *testing.T) {
	example(t, "greylist", func(t *testing.T, path string) {
		plugintest.RunWith(t, loader(newRuntime(t), path), filepath.Join(top, "plugins/greylist/testdata/*.txtar"))
	})
}

// They keep the same store, too: what the one has learned, the other knows.
func TestGreylistKeepsTheStoreOfTheBuiltin(t *testing.T) {
	example(t, "greylist", func(t *testing.T, path string) {
		host := plugintest.NewHost()
		ask := func(load plugintest.Loader, ip string) sdk.Action {
			hs, stop, err := load(t.Context(), host, []byte("{}"))
			if err != nil {
				t.Fatal(err)
			}
			e := &sdk.RcptEvent{Session: plugintest.Session(), Envelope: plugintest.Envelope("A@example.com"), Recipient: sdk.Recipient{Addr: strings.Repeat("long", 40) + "@example.org"}}
			e.Session.RemoteIP = ip
			a, err := hs.Rcpt(t.Context(), e)
			if err := errors.Join(err, stop()); err != nil {
				t.Fatal(err)
			}
			return a.Action
		}
		guest, builtin := loader(newRuntime(t), path), plugintest.Native(greylist.New)
		for i, ip := range []string{"192.0.2.7", "2001:db8:0:1:2::3", "::1", "2001:0:0:7::", "::ffff:198.51.100.7", "no address"} {
			first, second := guest, builtin
			if i%2 == 0 {
				first, second = builtin, guest
			}
			if got := ask(first, ip); got != sdk.Defer {
				t.Errorf("%s: first %s", ip, got)
			}
			host.Advance(10 * time.Minute)
			if got := ask(second, ip); got != sdk.Continue {
				t.Errorf("%s: then %s", ip, got)
			}
		}
	})
}

func TestTheTypicalHookDecides(t *testing.T) {
	example(t, "realrcpt", func(t *testing.T, path string) {
		plugintest.RunWith(t, loader(newRuntime(t), path), "testdata/realrcpt.txtar")
	})
}

func TestNoOpinionIsNoAnswer(t *testing.T) {
	example(t, "noop", func(t *testing.T, path string) {
		hs, stop, err := loader(newRuntime(t), path)(t.Context(), plugintest.NewHost(), []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		fields := reflect.ValueOf(hs).Elem()
		for i := range fields.NumField() {
			name, hook := fields.Type().Field(i).Name, fields.Field(i)
			if name == "Deliver" { // which has to have an opinion
				continue
			}
			event := reflect.New(hook.Type().In(1).Elem())
			fill(event.Elem(), "", 0)
			out := hook.Call([]reflect.Value{reflect.ValueOf(t.Context()), event})
			if !out[0].IsZero() || !out[1].IsNil() {
				t.Errorf("%s: %+v, %v", name, out[0], out[1])
			}
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}
