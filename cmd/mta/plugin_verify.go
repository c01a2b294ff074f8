package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/programmable-mta/mta/core/runtime/wasm"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// verified is what mta plugin verify finds out.
type verified struct {
	Source      string          `json:"source"`
	Runtime     string          `json:"runtime"` // wasm, process, builtin
	Digest      string          `json:"sha256,omitempty"`
	Size        int64           `json:"size,omitempty"`
	MinMemory   int64           `json:"min_memory,omitempty"`
	Description sdk.Description `json:"description"`
	Hooks       []string        `json:"hooks"`
	Grants      []string        `json:"grants,omitempty"` // that its imports can use
	Imports     []string        `json:"imports,omitempty"`
	Exports     []string        `json:"exports,omitempty"`
	Faults      []string        `json:"faults,omitempty"`
}

func pluginVerifyCommand(w *world) *cobra.Command {
	var config string
	c := &cobra.Command{
		Use:   "verify [PLUGIN]",
		Short: "Say what a plugin is, what it asks for, and whether it would be loaded",
		Long: `verify shows what a plugin imports and exports, its size and digest, its hooks
with the fields of events that it reads, and the grants that it needs or wants. A
module is looked at without being started; a process is started, and ended.

PLUGIN is a folder of mta plugin new (default: this one), a .wasm file,
process:PROGRAM or builtin:NAME. The exit status is 1 when it would not be loaded.`,
		Example: `  mta plugin verify greylist.wasm
  mta plugin verify process:./tenants.py --config '{"file": "tenants.json"}'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := findSubject(w, cmp.Or(strings.Join(args, ""), "."))
			if err != nil {
				return err
			}
			asJSON, _ := c.Flags().GetBool("json")
			return verifySource(c.Context(), w, s.source, config, asJSON)
		},
	}
	c.Flags().StringVar(&config, "config", "{}", "the configuration as JSON that a process is started with")
	c.Flags().Bool("json", false, "as JSON")
	return c
}

// verifySource looks at a plugin and prints what it is.
func verifySource(ctx context.Context, w *world, source, config string, asJSON bool) error {
	v, err := look(ctx, w, source, config)
	if err != nil {
		return err
	}
	if asJSON {
		if err := printJSON(w, v); err != nil {
			return err
		}
	} else {
		v.print(w.stdout)
	}
	if len(v.Faults) > 0 {
		return fmt.Errorf("%s would not be loaded: %s", source, strings.Join(v.Faults, "; "))
	}
	return nil
}

func look(ctx context.Context, w *world, source, config string) (*verified, error) {
	v := &verified{Source: source}
	if path, ok := strings.CutPrefix(source, wasm.Prefix); ok {
		m, err := wasm.Inspect(ctx, path)
		if err != nil {
			return nil, err
		}
		v.Runtime, v.Digest, v.Size, v.MinMemory = "wasm", m.Digest, m.Size, m.MinMemory
		v.Description, v.Hooks, v.Grants = m.Description, m.Hooks, m.Grants
		v.Imports, v.Exports, v.Faults = m.Imports, m.Exports, m.Faults
		return v, nil
	}
	shop := newWorkshop(w)
	defer shop.close()
	l, err := shop.load(ctx, source, nil, plugintest.NewHost(), []byte(config))
	if err != nil {
		return nil, err
	}
	defer l.Close()
	a := l.About()
	v.Runtime, v.Digest, v.Description = a.Runtime, a.Digest, a.Description
	if st, err := os.Stat(a.Path); err == nil && a.Path != "" {
		v.Size = st.Size()
	}
	for _, h := range sdk.Hooks() {
		if h.Implemented(l.Handlers()) {
			v.Hooks = append(v.Hooks, h.Name)
		}
	}
	return v, nil
}

func (v *verified) print(out io.Writer) {
	row := func(name, format string, args ...any) {
		fmt.Fprintf(out, "%-9s %s\n", name, fmt.Sprintf(format, args...))
	}
	d := v.Description
	row("source", "%s", v.Source)
	if v.Size > 0 {
		row("file", "%s, sha256 %s", sizeText(v.Size), v.Digest)
	}
	if d.Name != "" || d.Version != "" {
		row("says", "%s", strings.TrimSpace(d.Name+" "+d.Version))
	}
	if v.Runtime == "wasm" {
		row("abi", "mta1.%d, begins with %s of memory", d.ABI, sizeText(v.MinMemory))
	}
	for i, h := range v.Hooks {
		name := "hooks"
		if i > 0 {
			name = ""
		}
		row(name, "%-10s %s", h, fields(d.Hooks, h))
	}
	row("needs", "%s", cmp.Or(strings.Join(d.Needs, " "), "no grants"))
	if len(d.Wants) > 0 {
		row("wants", "%s", strings.Join(d.Wants, " "))
	}
	if len(v.Imports) > 0 {
		row("imports", "%s", grouped(v.Imports))
	}
	if len(v.Exports) > 0 {
		row("exports", "%s", contract(v.Exports))
	}
	if line := allowLine(append(slices.Clone(d.Needs), d.Wants...)); line != "" {
		row("write", "%s", line)
	}
	for _, f := range v.Faults {
		row("FAULT", "%s", f)
	}
}

// fields are those of an event that a plugin is sent.
func fields(hooks map[string][]string, hook string) string {
	list, ok := hooks[hook]
	switch {
	case !ok || slices.Contains(list, "*"):
		return "reads all fields"
	case len(list) == 0:
		return "reads no fields"
	}
	return "reads " + strings.Join(list, " ")
}

// grouped are imports by module: "mta1: log now; wasi_snapshot_preview1: fd_write".
func grouped(imports []string) string {
	by := map[string][]string{}
	for _, i := range imports {
		module, name, _ := strings.Cut(i, ".")
		by[module] = append(by[module], name)
	}
	var parts []string
	for _, module := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, module+": "+strings.Join(by[module], " "))
	}
	return strings.Join(parts, "; ")
}

// contract are the exports that the contract names; engines of scripts have
// hundreds of others.
func contract(exports []string) string {
	ours := slices.DeleteFunc(slices.Clone(exports), func(name string) bool {
		return !strings.HasPrefix(name, "mta1_") && name != "memory" && name != "_initialize" && name != "_start"
	})
	if n := len(exports) - len(ours); n > 0 {
		ours = append(ours, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(ours, " ")
}

// allowLine is the key allow as it is written for these grants.
func allowLine(grants []string) string {
	values := map[string]string{"http": `["api.example.net:443"]`, "kv": `"8MiB"`, "body": `"read"`, "headers": `"write"`}
	var parts []string
	for _, g := range grants {
		name, degree, ok := strings.Cut(g, "=")
		if ok {
			values[name] = strconv.Quote(degree)
			g = name
		}
		if part := g + " = " + cmp.Or(values[g], "true"); !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	if parts == nil {
		return ""
	}
	return "allow = {" + strings.Join(parts, ", ") + "}"
}
