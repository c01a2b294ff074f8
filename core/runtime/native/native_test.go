package native_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/native"
	"github.com/programmable-mta/mta/sdk"
)

// gate has two hooks, and behaves at start and close as its configuration says.
type gate struct {
	Do     string
	closed int
}

func (g *gate) Start(ctx context.Context, _ sdk.Host, config []byte) error {
	if err := sdk.DecodeConfig(config, g); err != nil {
		return err
	}
	switch g.Do {
	case "panic":
		panic("no good")
	case "fail":
		return errors.New("no such table")
	case "hang":
		<-make(chan struct{})
	}
	return nil
}

func (g *gate) Close() error {
	g.closed++
	switch g.Do {
	case "panic at close":
		panic("too late")
	case "fail at close":
		return errors.New("disk full")
	}
	return nil
}

func (*gate) OnRcpt(context.Context, *sdk.RcptEvent) (sdk.Answer, error) { return sdk.Accepted(), nil }
func (*gate) OnData(context.Context, *sdk.DataEvent) (sdk.Answer, error) { return sdk.Answer{}, nil }

type quickGate struct{ gate }

func (*quickGate) HooksNeverBlock() {}

type hookless struct{}

func (hookless) Start(context.Context, sdk.Host, []byte) error { return nil }
func (hookless) Close() error                                  { return nil }

func builtin() map[string]func() sdk.Plugin {
	return map[string]func() sdk.Plugin{
		"gate":     func() sdk.Plugin { return &gate{} },
		"quick":    func() sdk.Plugin { return &quickGate{} },
		"hookless": func() sdk.Plugin { return hookless{} },
		"nothing":  func() sdk.Plugin { return nil },
		"bomb":     func() sdk.Plugin { panic("made of dynamite") },
	}
}

func TestWhatCannotBeLoadedSaysWhy(t *testing.T) {
	for _, tc := range []struct {
		name string
		spec runtime.Spec
		want []string
	}{
		{"an unknown builtin lists the known ones", runtime.Spec{Source: "builtin:gaet"}, []string{`no builtin plugin "gaet"`, "bomb, gate, hookless, nothing, quick"}},
		{"another source", runtime.Spec{Source: "file:gate.wasm"}, []string{"builtin:"}},
		{"a checksum", runtime.Spec{Source: "builtin:gate", SHA256: "00"}, []string{"sha256"}},
		{"a hook it lacks", runtime.Spec{Source: "builtin:gate", Hooks: []string{"rcpt", "route"}}, []string{`"route"`, "rcpt, data"}},
		{"a hook that is none", runtime.Spec{Source: "builtin:gate", Hooks: []string{"rcptto"}}, []string{`no hook "rcptto"`, "rcpt, data"}},
		{"an empty list of hooks", runtime.Spec{Source: "builtin:gate", Hooks: []string{}}, []string{"leave hooks out"}},
		{"a plugin without hooks", runtime.Spec{Source: "builtin:hookless"}, []string{"no hooks"}},
		{"a constructor that panics", runtime.Spec{Source: "builtin:bomb"}, []string{"panic: made of dynamite"}},
		{"a constructor that returns nothing", runtime.Spec{Source: "builtin:nothing"}, []string{"returned nothing"}},
		{"a start that panics", runtime.Spec{Source: "builtin:gate", Config: []byte(`{"Do":"panic"}`)}, []string{"start: panic: no good"}},
		{"a start that fails", runtime.Spec{Source: "builtin:gate", Config: []byte(`{"Do":"fail"}`)}, []string{"start: no such table"}},
		{"a key that is unknown", runtime.Spec{Source: "builtin:gate", Config: []byte(`{"dooo":"x"}`)}, []string{"dooo"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.spec.Name = "door"
			l, err := native.New(builtin()).Load(t.Context(), tc.spec, nil)
			if err == nil || l != nil {
				t.Fatalf("loaded %v, error %v", l, err)
			}
			for _, w := range append(tc.want, `plugin "door"`) {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not say %q", err, w)
				}
			}
		})
	}
}

func TestAStartThatHangsIsLeftBehind(t *testing.T) {
	// The goroutine of a plugin that never returns cannot be ended, so this
	// one stands outside of a bubble, which would wait for it.
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := native.New(builtin()).Load(ctx, runtime.Spec{Name: "door", Source: "builtin:gate", Config: []byte(`{"Do":"hang"}`)}, nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v", err)
	}
}

func TestAllHooksAreThereUnlessSomeAreChosen(t *testing.T) {
	for _, tc := range []struct {
		hooks []string
		want  string
	}{
		{nil, "rcpt data"},
		{[]string{"data"}, "data"},
		{[]string{"data", "rcpt", "data"}, "rcpt data"},
	} {
		l, err := native.New(builtin()).Load(t.Context(), runtime.Spec{Name: "door", Source: "builtin:gate", Hooks: tc.hooks}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, h := range sdk.Hooks() {
			if h.Implemented(l.Handlers()) {
				got = append(got, h.Name)
			}
		}
		if s := strings.Join(got, " "); s != tc.want {
			t.Errorf("hooks %q: has %q, want %q", tc.hooks, s, tc.want)
		}
	}
}

func TestALoadedPluginAnswersAndTellsWhetherItBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for source, inline := range map[string]bool{"builtin:gate": false, "builtin:quick": true} {
			l, err := native.New(builtin()).Load(t.Context(), runtime.Spec{Name: "door", Source: source}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if l.Inline() != inline {
				t.Errorf("%s: inline %v", source, l.Inline())
			}
			a, err := l.Handlers().Rcpt(t.Context(), &sdk.RcptEvent{})
			if err != nil || a.Action != sdk.Accept {
				t.Errorf("%s: answered %v, %v", source, a, err)
			}
		}
	})
}

func TestCloseReachesThePluginOnceAndSurvivesIt(t *testing.T) {
	for do, want := range map[string]string{"": "", "panic at close": "panic: too late", "fail at close": "disk full"} {
		g := &gate{}
		l, err := native.New(map[string]func() sdk.Plugin{"gate": func() sdk.Plugin { return g }}).
			Load(t.Context(), runtime.Spec{Name: "door", Source: "builtin:gate", Config: []byte(`{"Do":"` + do + `"}`)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			got := ""
			if err := l.Close(); err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("%q: close said %q, want %q", do, got, want)
			}
		}
		if g.closed != 1 {
			t.Errorf("%q: closed %d times", do, g.closed)
		}
	}
}
