package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/programmable-mta/mta/core/runtime/wasm"
	"github.com/programmable-mta/mta/core/scaffold"
)

func pluginBuildCommand(w *world) *cobra.Command {
	var verbose bool
	c := &cobra.Command{
		Use:   "build [FOLDER]",
		Short: "Build a plugin, and verify what came of it",
		Long: `build runs the toolchain of the plugin's language in a folder that mta plugin
new has made, and verifies the result as mta plugin verify does. When a tool is
missing, it names the package that brings it.`,
		Example: `  mta plugin build
  mta plugin build -v src/tenants`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			p, err := scaffold.Open(dir)
			if err != nil {
				return err
			}
			b := newBuilder(w, verbose)
			result, err := b.Build(c.Context(), dir, p)
			var failed *scaffold.Failed
			if errors.As(err, &failed) && !verbose && failed.Output != "" {
				fmt.Fprintln(w.stderr, failed.Output)
			}
			if err != nil {
				return err
			}
			done := "built"
			if p.Result() == p.Entry {
				done = "checked" // a program that is its own result
			}
			fmt.Fprintf(w.stdout, "%s %s\n", done, result)
			return verifySource(c.Context(), w, p.SourceIn(dir), "{}", false)
		},
	}
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "show the commands and what they print")
	return c
}

func newBuilder(w *world, verbose bool) *scaffold.Builder {
	b := &scaffold.Builder{Say: func(line string) { fmt.Fprintln(w.stderr, line) }, Getenv: w.getenv, Pack: wasm.PackScript}
	if verbose {
		b.Commands = w.stderr
	}
	return b
}

// sizeText is a size for people.
func sizeText(n int64) string {
	switch {
	case n < 10<<10:
		return fmt.Sprintf("%d octets", n)
	case n < 1<<20:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
