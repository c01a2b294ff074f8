package gen_test

import (
	"context"
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

// build makes a module of a source folder. Without the toolchain the test is
// skipped, but never in CI.
func build(t testing.TB, lang, needs, dir string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), lang+"-"+filepath.Base(dir)+".wasm")
	cmd := exec.Command(filepath.Join(top, "sdk", lang, "build.sh"), dir, out)
	cmd.Env = append(os.Environ(), "CFLAGS=-Werror")
	said, err := cmd.CombinedOutput()
	if err != nil {
		if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == 127 && os.Getenv("CI") == "" {
			t.Skipf("%s: apt-get install %s", strings.TrimSpace(string(said)), needs)
		}
		t.Fatalf("%s: %v\n%s", dir, err, said)
	}
	if len(said) > 0 {
		t.Errorf("%s: the compiler says:\n%s", dir, said)
	}
	return out
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

// Every field of every event arrives, and every field of every answer: a plugin
// that is derived from the schema shows the one and fills the other.
func TestEveryFieldCrossesTheBorder(t *testing.T) {
	for _, g := range guests {
		t.Run(g.lang, func(t *testing.T) {
			path := build(t, g.lang, g.needs, filepath.Join(top, "sdk", g.lang, "testdata/selfcheck"))
			rt := newRuntime(t)
			for _, filled := range []bool{true, false} {
				host := plugintest.NewHost()
				hs, stop, err := loader(rt, path)(t.Context(), host, []byte("{}"))
				if err != nil {
					t.Fatal(err)
				}
				crossing(t, host, hs, filled)
				if err := stop(); err != nil {
					t.Error(err)
				}
			}
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

// The example greylist is the relay's own plugin in another language: it plays
// the same stories.
func TestGreylistPlaysTheStoriesOfTheBuiltin(t *testing.T) {
	for _, g := range guests {
		t.Run(g.lang, func(t *testing.T) {
			path := build(t, g.lang, g.needs, filepath.Join(top, "sdk", g.lang, "examples/greylist"))
			plugintest.RunWith(t, loader(newRuntime(t), path), filepath.Join(top, "plugins/greylist/testdata/*.txtar"))
		})
	}
}
