package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/programmable-mta/mta"
	"github.com/programmable-mta/mta/core/scaffold"
)

func pluginNewCommand(w *world) *cobra.Command {
	var p scaffold.Plugin
	var dir, hook string
	c := &cobra.Command{
		Use:   "new NAME --lang LANGUAGE",
		Short: "Begin a plugin: a folder with one that works, and its story",
		Long: `new writes a folder with a small plugin that works, a story that tests it, a
configuration to try it with, and a copy of the SDK. Nothing is fetched, and
nothing that is there is written over.

The languages are ` + strings.Join(scaffold.Languages(), ", ") + `; the hooks to begin with are
` + strings.Join(scaffold.Hooks(), ", ") + `.`,
		Example: `  mta plugin new suffixes --lang go
  mta plugin new tenants --lang rust --hook route --dir src/tenants`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			p.Name = args[0]
			if p.Lang == "" {
				return status(exitUsage, "--lang is missing; there are %s", strings.Join(scaffold.Languages(), ", "))
			}
			if dir == "" {
				dir = p.Name
			}
			files, err := scaffold.New(dir, p, hook, mta.Sources)
			if errors.Is(err, scaffold.ErrUsage) {
				return status(exitUsage, "%w", err)
			}
			if err != nil {
				return err
			}
			if asJSON, _ := c.Flags().GetBool("json"); asJSON {
				return printJSON(w, map[string]any{"dir": dir, "files": files})
			}
			for _, f := range files {
				fmt.Fprintln(w.stdout, filepath.Join(dir, f))
			}
			fmt.Fprintf(w.stdout, "\nnext:\n  cd %s\n  mta plugin build\n  mta plugin test\n", dir)
			return nil
		},
	}
	c.Flags().StringVar(&p.Lang, "lang", "", "its language: "+strings.Join(scaffold.Languages(), ", "))
	c.Flags().StringVar(&hook, "hook", "rcpt", "the hook to begin with: "+strings.Join(scaffold.Hooks(), ", "))
	c.Flags().StringVar(&dir, "dir", "", "the folder to write (default: NAME)")
	c.Flags().Bool("json", false, "as JSON")
	return c
}
