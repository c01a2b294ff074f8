package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/programmable-mta/mta/core/config"
	"github.com/programmable-mta/mta/core/control"
)

func pluginCommand(w *world) *cobra.Command {
	c := &cobra.Command{
		Use:   "plugin",
		Short: "Write, try, load and watch plugins",
		Example: `  mta plugin new greeter --lang rust     begin one
  mta plugin list                        those that are loaded`,
	}
	c.AddCommand(pluginListCommand(w), pluginShowCommand(w), pluginReloadCommand(w))
	c.AddCommand(kitCommands(w)...)
	c.AddCommand(recordCommands(w)...)
	return c
}

func pluginListCommand(w *world) *cobra.Command {
	list := &cobra.Command{
		Use:     "list",
		Short:   "List the loaded plugins, their hooks and how they are",
		Example: "  mta plugin list",
		RunE: func(c *cobra.Command, _ []string) error {
			ps, err := askPlugins(w, c)
			if err != nil {
				return err
			}
			if asJSON, _ := c.Flags().GetBool("json"); asJSON {
				return printJSON(w, ps)
			}
			return listPlugins(w.stdout, ps)
		},
	}
	list.Flags().Bool("json", false, "as JSON")
	return list
}

func askPlugins(w *world, c *cobra.Command) ([]control.Plugin, error) {
	b, err := dialControl(w, c)
	if err != nil {
		return nil, err
	}
	return b.Plugins(c.Context())
}

func listPlugins(out io.Writer, ps []control.Plugin) error {
	t := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tSOURCE\tVERSION\tGEN\tMODE\tSTATE\tBREAKER\tCALLS\tERRORS\tP50\tP99\tFUEL/CALL\tMEMORY\tHOOKS")
	for _, p := range ps {
		p50, p99 := slowest(p.Details)
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\n", p.Name, shortSource(p), cmp.Or(version12(p), "-"),
			p.Generation, p.Mode, p.State, p.Breaker, p.Calls, p.Errors, micro(p50), micro(p99), perCall(p.Fuel, p.Calls), size(p.Memory), strings.Join(p.Hooks, " "))
	}
	return t.Flush()
}

// slowest are the times of the hook whose calls take longest.
func slowest(hooks []control.PluginHook) (p50, p99 float64) {
	for _, h := range hooks {
		p50, p99 = max(p50, h.P50US), max(p99, h.P99US)
	}
	return p50, p99
}

// shortSource leaves the folder of a file to `show`.
func shortSource(p control.Plugin) string {
	scheme, path, _ := strings.Cut(p.Source, ":")
	return scheme + ":" + path[strings.LastIndexByte(path, '/')+1:]
}

func version12(p control.Plugin) string {
	return strings.TrimSpace(p.Version + " " + p.Digest[:min(12, len(p.Digest))])
}

func micro(us float64) string {
	if us == 0 {
		return "-"
	}
	return time.Duration(us * float64(time.Microsecond)).String()
}

func perCall(fuel, calls int64) string {
	if fuel == 0 || calls == 0 {
		return "-"
	}
	return fmt.Sprint(fuel / calls)
}

func size(n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1fMiB", float64(n)/(1<<20))
}

func pluginShowCommand(w *world) *cobra.Command {
	show := &cobra.Command{
		Use:     "show NAME",
		Short:   "All that is known of one loaded plugin",
		Args:    cobra.ExactArgs(1),
		Example: "  mta plugin show greylist",
		RunE: func(c *cobra.Command, args []string) error {
			ps, err := askPlugins(w, c)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(ps, func(p control.Plugin) bool { return p.Name == args[0] })
			if i < 0 {
				return fmt.Errorf("%w: there is no plugin %q loaded; see 'mta plugin list'", control.ErrNotFound, args[0])
			}
			if asJSON, _ := c.Flags().GetBool("json"); asJSON {
				return json.NewEncoder(w.stdout).Encode(ps[i])
			}
			return showPlugin(w.stdout, &ps[i])
		},
	}
	show.Flags().Bool("json", false, "as JSON")
	return show
}

func showPlugin(out io.Writer, p *control.Plugin) error {
	line := func(name, format string, args ...any) {
		if text := fmt.Sprintf(format, args...); text != "" && text != "0" {
			fmt.Fprintf(out, "%-12s %s\n", name, text)
		}
	}
	line("name", "%s", p.Name)
	line("source", "%s", p.Source)
	line("version", "%s", p.Version)
	line("digest", "%s", p.Digest)
	line("mode", "%s", p.Mode)
	line("state", "%s", p.State)
	line("generation", "%d, loaded %s", p.Generation, p.Since.Format(time.RFC3339))
	line("grants", "%s", strings.Join(p.Grants, ", "))
	line("instances", "%d, %d at work, %d thrown away", p.Instances, p.Busy, p.Discarded)
	line("restarts", "%d", p.Restarts)
	if p.Memory > 0 {
		line("memory", "%s, the largest instance %s", size(p.Memory), size(p.MaxMemory))
	}
	if p.Fuel > 0 {
		line("fuel", "%d, %s a call, at most %d", p.Fuel, perCall(p.Fuel, p.Calls), p.MaxFuel)
	}
	if p.KVKeys > 0 {
		line("store", "%d keys, %s", p.KVKeys, config.Size(p.KVBytes))
	}
	line("last error", "%s", p.Last)
	fmt.Fprintln(out)
	t := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "HOOK\tON_ERROR\tBREAKER\tCALLS\tERRORS\tP50\tP99\tREADS")
	for _, h := range p.Details {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\n", h.Hook, cmp.Or(h.OnError, "-"), h.Breaker, h.Calls, h.Errors, micro(h.P50US), micro(h.P99US),
			cmp.Or(strings.Join(h.Reads, " "), "everything"))
	}
	return t.Flush()
}

func pluginReloadCommand(w *world) *cobra.Command {
	return &cobra.Command{
		Use:   "reload NAME",
		Short: "Load one plugin anew and put it in service",
		Long: `reload loads one plugin from its file and its block of the configuration, starts
and tests it, and then swaps it for the one in service. Sessions and deliveries
that have begun finish with the old one, which is closed after the last of them.
On any failure the old one stays in service, and the command says why.`,
		Args:    cobra.ExactArgs(1),
		Example: "  mta plugin reload greylist",
		RunE: func(c *cobra.Command, args []string) error {
			b, err := dialControl(w, c)
			if err != nil {
				return err
			}
			text, err := b.Reload(c.Context(), args[0])
			if err != nil {
				return err
			}
			fmt.Fprintln(w.stdout, text)
			return nil
		},
	}
}
