package main

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/programmable-mta/mta/core/control"
)

func statusCommand(w *world) *cobra.Command {
	c := &cobra.Command{
		Use:     "status",
		Short:   "One page of facts about the running relay",
		Example: "  mta status\n  mta status --json",
		RunE: func(c *cobra.Command, _ []string) error {
			b, err := dialControl(w, c)
			if err != nil {
				return err
			}
			s, err := b.Status(c.Context())
			if err != nil {
				return err
			}
			if asJSON, _ := c.Flags().GetBool("json"); asJSON {
				return printJSON(w, s)
			}
			printStatus(w, s)
			return nil
		},
	}
	c.Flags().Bool("json", false, "as JSON")
	return c
}

func printStatus(w *world, s *control.Status) {
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w.stdout, "%-11s %s\n", name, fmt.Sprintf(format, args...))
	}
	now := w.now()
	row("relay", "%s, %s, pid %d, for %s", s.Hostname, s.State, s.PID, age(now.Sub(s.Started)))
	row("version", "%s", s.Version)
	row("config", "%s", or(s.Config, "none (--dev)"))
	var listeners []string
	for _, l := range s.Listeners {
		listeners = append(listeners, l.Address+" ("+l.Profile+")")
	}
	row("listening", "%s", strings.Join(listeners, ", "))
	row("sessions", "%d", s.Sessions)
	oldest := ""
	if !s.Oldest.IsZero() {
		oldest = ", the oldest for " + age(now.Sub(s.Oldest))
	}
	row("queue", "%s%s, %d with an attempt under way", plural(s.Messages, "message"), oldest, s.Active)
	var states []string
	for name, n := range s.Recipients {
		states = append(states, fmt.Sprintf("%d %s", n, name))
	}
	sort.Strings(states)
	if len(states) > 0 {
		row("recipients", "%s", strings.Join(states, ", "))
	}
	row("accepted", "%s since the start, %s", plural(s.Counters["accepted"], "message"), plural(s.Counters["syncs"], "sync"))
	row("spool", "%s, %s", s.Spool, bytesText(s.Disk))
	row("memory", "%s", bytesText(int64(s.Memory)))
	for _, d := range s.Destinations {
		text := fmt.Sprintf("%d of %d connections, %d waiting", d.Active, d.Limit, d.Waiting)
		if d.Paused.After(now) {
			text += fmt.Sprintf(", paused until %s: %s", d.Paused.Format(time.TimeOnly), d.Reason)
		}
		row("to", "%s: %s", d.Name, text)
	}
	for _, warning := range s.Warnings {
		row("WARNING", "%s", warning)
	}
}

func reloadCommand(w *world) *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "Read the configuration again, without dropping a session",
		Long: `reload makes the running relay read its configuration and load its plugins anew.
Sessions and deliveries that have begun finish with the plugins they began with.
If anything is wrong with the new configuration, the old one stays in force and
the command says why.`,
		Example: "  mta check -c /etc/mta/mta.toml && mta reload",
		RunE: func(c *cobra.Command, _ []string) error {
			b, err := dialControl(w, c)
			if err != nil {
				return err
			}
			text, err := b.Reload(c.Context(), "")
			if err != nil {
				return err
			}
			fmt.Fprintln(w.stdout, text)
			return nil
		},
	}
}

func drainCommand(w *world) *cobra.Command {
	return &cobra.Command{
		Use:   "drain",
		Short: "Stop accepting, let sessions and deliveries finish, exit",
		Long: `drain ends the relay in an orderly way: it takes no more mail, lets sessions and
deliveries finish within shutdown_grace, and exits. What is queued stays queued.`,
		Example: "  mta drain",
		RunE: func(c *cobra.Command, _ []string) error {
			b, err := dialControl(w, c)
			if err != nil {
				return err
			}
			if err := b.Drain(c.Context()); err != nil {
				return err
			}
			fmt.Fprintln(w.stdout, "draining")
			return nil
		},
	}
}
