package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/scaffold"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// kitCommands are the commands of plugin authors. They need no relay.
func kitCommands(w *world) []*cobra.Command {
	return []*cobra.Command{
		pluginNewCommand(w), pluginBuildCommand(w), pluginTestCommand(w), pluginBenchCommand(w), pluginVerifyCommand(w),
	}
}

// subject is the plugin that a command of the kit is about.
type subject struct {
	source  string // builtin:NAME, file:PATH or process:PATH
	dir     string // where its stories are looked for; empty: it has none
	sources bool   // dir is a folder of mta plugin new
}

// findSubject takes what a person wrote: a folder of a plugin, a module, or a
// source as in a configuration.
func findSubject(w *world, arg string) (subject, error) {
	kind, rest, _ := strings.Cut(arg, ":")
	switch kind {
	case "builtin":
		if w.compiledIn()[rest] == nil {
			return subject{}, fmt.Errorf("there is no builtin plugin %q; there are %s", rest, strings.Join(w.builtinNames(), ", "))
		}
		return subject{source: arg}, nil
	case "file", "process":
		path := rest
		if words := strings.Fields(rest); kind == "process" && len(words) > 1 {
			path = words[0] // what follows are arguments of the program
		}
		if _, err := os.Stat(path); err != nil {
			return subject{}, err
		}
		return subject{source: arg, dir: filepath.Dir(path)}, nil
	}
	st, err := os.Stat(arg)
	switch {
	case err != nil:
		return subject{}, fmt.Errorf("%w; name a folder of a plugin, a .wasm file, process:PROGRAM or builtin:NAME", err)
	case !st.IsDir():
		return subject{source: "file:" + arg, dir: filepath.Dir(arg)}, nil
	}
	p, err := scaffold.Open(arg)
	if err != nil {
		return subject{}, err
	}
	built, err := os.Stat(filepath.Join(arg, p.Result()))
	if err != nil {
		return subject{}, fmt.Errorf("%s is not built yet: run mta plugin build %s", arg, arg)
	}
	entry := filepath.Join(arg, p.Entry)
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(entry), "*"+filepath.Ext(entry))) // well formed
	for _, f := range files {
		if st, err := os.Stat(f); err == nil && p.Result() != p.Entry && st.ModTime().After(built.ModTime()) {
			fmt.Fprintf(w.stderr, "%s is newer than %s: mta plugin build makes it anew\n", f, p.Result())
		}
	}
	return subject{source: p.SourceIn(arg), dir: arg, sources: true}, nil
}

// stories finds the files that tell how the plugin has to answer.
func (s subject) stories() []string {
	if s.dir == "" {
		return nil
	}
	for _, folder := range []string{"stories", "testdata"} {
		var found []string
		for _, pattern := range []string{"*.txtar", "*.jsonl"} {
			paths, _ := filepath.Glob(filepath.Join(s.dir, folder, pattern)) // the pattern is well formed
			found = append(found, paths...)
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// workshop loads plugins without a relay around them. What an operator will allow
// is not known here: a plugin gets every grant, unless a story says otherwise.
type workshop struct {
	runtimes *runtimes
}

// named are the grants of these names; nil: all.
func named(names []string) (g runtime.Grants) {
	given := func(name string) bool { return names == nil || slices.Contains(names, name) }
	g.Relay, g.DNS, g.Clock, g.Send = given("relay"), given("dns"), given("clock"), given("send")
	if given("http") {
		g.HTTP = []string{"*"} // the web of a story is all made up
	}
	if given("kv") {
		g.KV = 64 << 20
	}
	if given("body") {
		g.Body = runtime.Write
	}
	if given("headers") {
		g.Headers = runtime.Write
	}
	return g
}

// newWorkshop keeps compiled code where programs keep such things, so that an
// author does not wait for the compiler at each command.
func newWorkshop(w *world) *workshop {
	r := &runtimes{w: w, logf: func(format string, args ...any) { fmt.Fprintf(w.stderr, format+"\n", args...) }}
	if cache, err := os.UserCacheDir(); err == nil {
		r.dir = filepath.Join(cache, "mta")
	}
	return &workshop{r}
}

func (s *workshop) close() { _ = s.runtimes.close() } // nothing is left to be told

// load starts a plugin with the grants of these names; nil: all.
func (s *workshop) load(ctx context.Context, source string, allow []string, host sdk.Host, config []byte) (runtime.Loaded, error) {
	kind, rest, _ := strings.Cut(source, ":")
	if kind == "file" {
		kind = "wasm"
	}
	rt, err := s.runtimes.of(ctx, kind)
	if err != nil {
		return nil, err
	}
	name := strings.TrimSuffix(filepath.Base(rest), filepath.Ext(rest))
	return rt.Load(ctx, runtime.Spec{Name: name, Source: source, Config: config, Grants: named(allow)}, host)
}

// loader is load for stories and recordings, with every grant.
func (s *workshop) loader(source string) plugintest.Loader { return s.granting(source, nil) }

// granting is loader with the grants of these names only; nil: all.
func (s *workshop) granting(source string, allow []string) plugintest.Loader {
	return func(ctx context.Context, host sdk.Host, config []byte) (*sdk.Handlers, func() error, error) {
		l, err := s.load(ctx, source, allow, host, config)
		if err != nil {
			return nil, nil, err
		}
		return l.Handlers(), l.Close, nil
	}
}
