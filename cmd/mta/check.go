package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/programmable-mta/mta/core/config"
	"github.com/programmable-mta/mta/core/fetch"
	"github.com/programmable-mta/mta/core/host"
	"github.com/programmable-mta/mta/core/resolver"
	"github.com/programmable-mta/mta/core/smtpout"
	"github.com/programmable-mta/mta/core/state"
	"github.com/programmable-mta/mta/core/trace"
)

// loadConfig reads a configuration and refuses what would fail later: names of
// plugins that do not exist, files that cannot be read.
func loadConfig(w *world, path string) (*config.Config, error) {
	cfg, err := config.LoadOptions{Builtins: w.builtinNames()}.Load(path)
	if err != nil {
		return nil, &statusError{exitConfig, err}
	}
	if faults := cfg.CheckFiles(w.now()); len(faults) > 0 {
		return nil, faults
	}
	return cfg, nil
}

// readConfig is for commands that only want to know where things are: it does
// not mind plugins and files that are not here.
func readConfig(c *cobra.Command) (*config.Config, error) {
	cfg, err := config.Load(configPath(c))
	if err != nil {
		return nil, &statusError{exitConfig, err}
	}
	return cfg, nil
}

func checkCommand(w *world) *cobra.Command {
	c := &cobra.Command{
		Use:   "check",
		Short: "Check configuration, certificates and plugins; print the chains",
		Long: `check reads the configuration, the certificates and keys that it names, and
starts every plugin with its own configuration, without opening a socket or
touching the spool. It prints "ok" and, for every hook, the plugins in the order
in which they are asked; or every fault with its line, and status 78.`,
		Example: "  mta check -c /etc/mta/mta.toml",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := loadConfig(w, configPath(c))
			if err != nil {
				return err
			}
			gen, err := tryPlugins(c.Context(), w, cfg)
			if err != nil {
				return &statusError{exitConfig, err}
			}
			defer gen.close()
			if asJSON, _ := c.Flags().GetBool("json"); asJSON {
				return json.NewEncoder(w.stdout).Encode(map[string]any{"ok": true, "chains": chainsJSON(gen)})
			}
			fmt.Fprint(w.stdout, "ok\n\n"+describe(gen.chains))
			return nil
		},
	}
	c.Flags().Bool("json", false, "print the chains as JSON")
	return c
}

// tryPlugins starts the plugins in surroundings that keep nothing.
func tryPlugins(ctx context.Context, w *world, cfg *config.Config) (*generation, error) {
	if _, err := loadRoots(cfg.TLS.Roots); err != nil {
		return nil, err
	}
	tracer, err := trace.New(trace.Options{Hostname: cfg.Hostname, Now: w.now})
	if err != nil {
		return nil, err
	}
	defer tracer.Close()
	res := newResolver(w, cfg)
	client := smtpout.New(smtpout.Options{Hostname: cfg.Hostname, Resolver: res, Dial: w.dial, Now: w.now})
	defer client.Close()
	var made []func()
	defer func() {
		for _, undo := range made {
			undo()
		}
	}()
	l := &loading{w: w, runtimes: &runtimes{w: w, logf: func(string, ...any) {}}, diffs: &diffs{}, relay: &host.Relay{
		Hostname: cfg.Hostname, Now: w.now, Resolver: res, Client: client, Tracer: tracer,
		Fetch: fetch.New(fetch.Options{Dial: w.dial, Now: w.now}),
		// The store of a running relay is its own; a plugin that is only tried
		// gets an empty one.
		State: func() (*state.Store, error) {
			dir, err := os.MkdirTemp("", "mta-check-")
			if err != nil {
				return nil, err
			}
			s, err := state.Open(filepath.Join(dir, "plugins.db"), state.Options{Now: w.now})
			made = append(made, func() {
				if s != nil {
					s.Close()
				}
				os.RemoveAll(dir)
			})
			return s, err
		},
	}}
	return l.load(ctx, cfg)
}

func newResolver(w *world, cfg *config.Config) *resolver.Resolver {
	var servers []string
	for _, s := range cfg.Resolver.Servers {
		servers = append(servers, s.String())
	}
	return resolver.New(resolver.Options{
		Servers: servers, Self: []string{cfg.Hostname}, SelfAddrs: ownAddresses(cfg),
		Hosts: w.resolveHosts, Now: w.now, Exchange: w.exchange,
	})
}

type chainJSON struct {
	Hook    string   `json:"hook"`
	Plugins []string `json:"plugins"`
}

func chainsJSON(gen *generation) []chainJSON {
	out := []chainJSON{}
	for _, c := range gen.chains.Describe() {
		row := chainJSON{Hook: c.Hook, Plugins: []string{}}
		for _, m := range c.Members {
			row.Plugins = append(row.Plugins, m.Plugin)
		}
		out = append(out, row)
	}
	return out
}

func configCommand(w *world) *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Print the annotated default configuration: the reference of every key",
		Example: `  mta config > mta.toml     then edit it, and
  mta check -c mta.toml`,
		RunE: func(*cobra.Command, []string) error { return config.WriteReference(w.stdout) },
	}
}
