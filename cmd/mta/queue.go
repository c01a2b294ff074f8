package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/programmable-mta/mta/core/control"
	"github.com/programmable-mta/mta/core/queue"
)

func queueCommand(w *world) *cobra.Command {
	c := &cobra.Command{
		Use:   "queue",
		Short: "See and steer what waits",
		Example: `  mta queue list --to '*@example.org'
  mta queue hold --from spammer@example.net --yes
  mta queue flush --next-hop mx.example.org --yes`,
	}
	c.AddCommand(queueListCommand(w), queueShowCommand(w), queueCountCommand(w), queueShapeCommand(w))
	for _, a := range queueActions {
		c.AddCommand(queueActCommand(w, a.name, a.short, a.example))
	}
	c.AddCommand(queueCheckCommand(w), queueRebuildCommand(w), queueCompactCommand(w))
	return c
}

// filterFlags are the flags by which messages are chosen.
type filterFlags struct {
	control.Filter
	older time.Duration
}

func (f *filterFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.To, "to", "", "recipient: address, *@domain, domain, or .domain for all below it")
	fl.StringVar(&f.From, "from", "", "sender in the same forms; <> is the null sender")
	fl.StringVar(&f.NextHop, "next-hop", "", "next hop of the last attempt")
	fl.StringSliceVar(&f.States, "state", nil, "pending, held, delivered, failed, expired or discarded")
	fl.DurationVar(&f.older, "older", 0, "arrived longer ago than this, as 90m or 36h")
	fl.StringVar(&f.Note, "note", "", "has the note KEY or KEY=VALUE")
}

func (f *filterFlags) filter(args []string) control.Filter {
	out := f.Filter
	for _, id := range args {
		out.IDs = append(out.IDs, strings.ToUpper(id))
	}
	out.OlderSeconds = int64(f.older / time.Second)
	return out
}

func queueListCommand(w *world) *cobra.Command {
	var f filterFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "list [ID...]",
		Short: "List messages with recipients, state, attempts, next time and last reply",
		Example: `  mta queue list
  mta queue list --to example.org --older 1h
  mta queue list --json | jq .id`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			b, err := dialControl(w, c)
			if err != nil {
				return err
			}
			n := 0
			err = b.QueueList(c.Context(), f.filter(args), func(m *control.Message) error {
				n++
				if asJSON {
					return json.NewEncoder(w.stdout).Encode(m)
				}
				printMessage(w, m)
				return nil
			})
			if err == nil && !asJSON {
				fmt.Fprintln(w.stdout, plural(n, "message"))
			}
			return err
		},
	}
	f.add(c)
	c.Flags().IntVar(&f.Limit, "limit", 0, "messages at most; 0: all")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return c
}

// printMessage is one message in the list: a line, and one for each recipient.
func printMessage(w *world, m *control.Message) {
	mark := ""
	if m.Active {
		mark = "  (an attempt is under way)"
	}
	now := w.now()
	fmt.Fprintf(w.stdout, "%s  %s ago  %s  from <%s>%s\n", m.ID, age(now.Sub(m.Arrived)), bytesText(m.Size), m.From, mark)
	for _, r := range m.Recipients {
		fmt.Fprintf(w.stdout, "    %-9s <%s>", r.State, r.Address)
		if r.Original != "" {
			fmt.Fprintf(w.stdout, " (was <%s>)", r.Original)
		}
		if r.Attempts > 0 {
			fmt.Fprintf(w.stdout, "  %s", plural(r.Attempts, "attempt"))
		}
		if r.State == "pending" && r.Next.After(now) {
			fmt.Fprintf(w.stdout, ", next %s", r.Next.Format(time.DateTime))
		}
		if r.By != "" {
			fmt.Fprintf(w.stdout, ", by %s", r.By)
		}
		if r.Route != "" {
			fmt.Fprintf(w.stdout, ", rerouted to %s", r.Route)
		}
		if reply := r.Reply.String(); reply != "" {
			fmt.Fprintf(w.stdout, "\n              %s", reply)
			switch {
			case r.RemoteReply && r.Remote != "":
				fmt.Fprintf(w.stdout, " (said by %s)", r.Remote)
			case r.Remote != "":
				fmt.Fprintf(w.stdout, " (of ours, about %s)", r.Remote)
			}
		}
		fmt.Fprintln(w.stdout)
	}
}

func queueShowCommand(w *world) *cobra.Command {
	var asJSON, body bool
	c := &cobra.Command{
		Use:   "show ID",
		Short: "Show one message: its envelope, or with --body its content",
		Example: `  mta queue show 4Q0000007K
  mta queue show 4Q0000007K --body > mail.eml`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := dialControl(w, c)
			if err != nil {
				return err
			}
			if body {
				rc, err := b.QueueBody(c.Context(), args[0])
				if err != nil {
					return err
				}
				defer rc.Close()
				_, err = io.Copy(w.stdout, rc)
				return err
			}
			m, err := b.QueueShow(c.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(w, m)
			}
			printMessage(w, m)
			fmt.Fprintf(w.stdout, "    arrived   %s from %s[%s] (helo %s) by %s\n", m.Arrived.Format(time.DateTime), or(m.Client, "unknown"), m.ClientIP, m.Helo, m.Protocol)
			for k, v := range m.Notes {
				fmt.Fprintf(w.stdout, "    note      %s = %s\n", k, v)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&body, "body", false, "print the message itself")
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

func queueCountCommand(w *world) *cobra.Command {
	var f filterFlags
	var asJSON bool
	c := &cobra.Command{
		Use:     "count [ID...]",
		Short:   "Count messages; the first number is all of them",
		Example: "  mta queue count\n  mta queue count --to example.org",
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			b, err := dialControl(w, c)
			if err != nil {
				return err
			}
			n, err := b.QueueCount(c.Context(), f.filter(args))
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(w, n)
			}
			fmt.Fprintf(w.stdout, "%s, %s, %s", plural(n.Messages, "message"), plural(n.Recipients, "recipient"), bytesText(n.Bytes))
			for _, name := range []string{"pending", "held"} {
				if k := n.States[name]; k > 0 {
					fmt.Fprintf(w.stdout, ", %d %s", k, name)
				}
			}
			fmt.Fprintln(w.stdout)
			return nil
		},
	}
	f.add(c)
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

func queueShapeCommand(w *world) *cobra.Command {
	c := &cobra.Command{
		Use:     "shape",
		Short:   "Age of what waits by destination: recipients younger than so many minutes",
		Example: "  mta queue shape",
		RunE: func(c *cobra.Command, _ []string) error {
			b, err := dialControl(w, c)
			if err != nil {
				return err
			}
			s, err := b.QueueShape(c.Context())
			if err != nil {
				return err
			}
			if asJSON, _ := c.Flags().GetBool("json"); asJSON {
				return printJSON(w, s)
			}
			fmt.Fprintf(w.stdout, "%-30s %7s", "", "TOTAL")
			for _, sec := range s.Bounds {
				fmt.Fprintf(w.stdout, " %5d", sec/60)
			}
			fmt.Fprintf(w.stdout, " older\n")
			for _, row := range s.Rows {
				fmt.Fprintf(w.stdout, "%-30s %7d", row.Destination, row.Total)
				for _, n := range row.Recipients {
					fmt.Fprintf(w.stdout, " %5d", n)
				}
				fmt.Fprintln(w.stdout)
			}
			return nil
		},
	}
	c.Flags().Bool("json", false, "as JSON")
	return c
}

var queueActions = [...]struct{ name, short, example string }{
	{"flush", "Try again now", "  mta queue flush --to example.org --yes"},
	{"hold", "Keep until released", "  mta queue hold --from '*@example.net' --yes"},
	{"release", "Let held mail go", "  mta queue release --state held --yes"},
	{"delete", "Throw away, without telling the sender", "  mta queue delete 4Q0000007K"},
	{"expire", "Give up: the sender gets a notification", "  mta queue expire --older 48h --yes"},
	{"reroute", "Send to another next hop than the routes say", "  mta queue reroute --to example.org --route smtp:backup.example.org:25 --yes"},
}

func queueActCommand(w *world, name, short, example string) *cobra.Command {
	var f filterFlags
	var yes, all, asJSON bool
	act := control.Act{Action: name}
	without := "Without IDs and filter it wants --all."
	if name == "flush" {
		without = "Without IDs and filter it means all messages."
	}
	c := &cobra.Command{
		Use:     name + " [ID...]",
		Short:   short,
		Long:    short + ".\n\nIt says first how many messages are meant, and asks unless --yes is given or\nonly IDs are. " + without,
		Example: example,
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			// To try everything again harms nothing, so flush alone means all.
			act.Filter, act.All, act.By = f.filter(args), all || name == "flush", operator()
			if act.Filter.Empty() && !act.All {
				return status(exitUsage, "%s what? give IDs, a filter, or --all", name)
			}
			b, err := dialControl(w, c)
			if err != nil {
				return err
			}
			onlyIDs := len(act.Filter.IDs) > 0
			if !yes && !onlyIDs {
				n, err := b.QueueCount(c.Context(), act.Filter)
				if err != nil {
					return err
				}
				ok, err := confirm(c.Context(), w, fmt.Sprintf("%s %s with %s", name, plural(n.Messages, "message"), plural(n.Recipients, "recipient")))
				if err != nil || !ok {
					return err
				}
			}
			return carryOut(c.Context(), w, b, act, asJSON)
		},
	}
	f.add(c)
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&all, "all", false, "all messages")
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	if name == "reroute" {
		c.Flags().StringVar(&act.Route, "route", "", "smtp:HOST:PORT or lmtp:HOST:PORT")
	}
	return c
}

func carryOut(ctx context.Context, w *world, b control.Backend, act control.Act, asJSON bool) error {
	done, err := b.QueueAct(ctx, act, func(n int) error {
		if w.terminal && !asJSON {
			fmt.Fprintf(w.stderr, "\r%s: %d ", act.Action, n)
		}
		return nil
	})
	if w.terminal && !asJSON {
		fmt.Fprint(w.stderr, "\r\033[K")
	}
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(w, done)
	}
	fmt.Fprintf(w.stdout, "%s: %s\n", act.Action, plural(done.Messages, "message"))
	if len(act.Filter.IDs) > 0 && done.Messages == 0 {
		return fmt.Errorf("no recipient of %s is in a state for that; 'mta queue list' shows them", strings.Join(act.Filter.IDs, ", "))
	}
	return nil
}

// ---- offline: the spool itself, while no relay runs ----

func spoolOf(c *cobra.Command) (string, error) {
	cfg, err := readConfig(c)
	if err != nil {
		return "", err
	}
	return cfg.Spool, nil
}

func queueCheckCommand(w *world) *cobra.Command {
	c := &cobra.Command{
		Use:     "check",
		Short:   "Verify the log and the index (the relay must not run)",
		Example: "  mta queue check -c /etc/mta/mta.toml",
		RunE: func(c *cobra.Command, _ []string) error {
			dir, err := spoolOf(c)
			if err != nil {
				return err
			}
			rep, err := queue.Check(dir)
			return reportSpool(w, c, rep, err)
		},
	}
	c.Flags().Bool("json", false, "as JSON")
	return c
}

func queueCompactCommand(w *world) *cobra.Command {
	c := &cobra.Command{
		Use:     "compact",
		Short:   "Free what is free in log and index (the relay must not run)",
		Example: "  mta queue compact -c /etc/mta/mta.toml",
		RunE: func(c *cobra.Command, _ []string) error {
			dir, err := spoolOf(c)
			if err != nil {
				return err
			}
			rep, err := queue.Compact(dir)
			return reportSpool(w, c, rep, err)
		},
	}
	c.Flags().Bool("json", false, "as JSON")
	return c
}

func queueRebuildCommand(w *world) *cobra.Command {
	return &cobra.Command{
		Use:     "rebuild",
		Short:   "Make the index anew from the log (the relay must not run)",
		Example: "  mta queue rebuild -c /etc/mta/mta.toml",
		RunE: func(c *cobra.Command, _ []string) error {
			dir, err := spoolOf(c)
			if err != nil {
				return err
			}
			last := -1
			err = queue.Rebuild(dir, func(done, total int64) {
				if percent := int(done * 100 / max(total, 1)); w.terminal && percent != last {
					last = percent
					fmt.Fprintf(w.stderr, "\r%d%% of %s ", percent, bytesText(total))
				}
			})
			if w.terminal {
				fmt.Fprint(w.stderr, "\r\033[K")
			}
			if err == nil {
				fmt.Fprintln(w.stdout, "the index is rebuilt")
			}
			return err
		},
	}
}

func reportSpool(w *world, c *cobra.Command, rep queue.Report, err error) error {
	if err != nil {
		return err
	}
	if asJSON, _ := c.Flags().GetBool("json"); asJSON {
		if err := printJSON(w, rep); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(w.stdout, "%s, %s; %d segments with %s, %s of it needed; %d big files\n", plural(rep.Messages, "message"),
			plural(rep.Recipients, "recipient"), rep.Segments, bytesText(rep.LogBytes), bytesText(rep.LiveBytes), rep.BigFiles)
		for _, f := range rep.Faults {
			fmt.Fprintln(w.stdout, f)
		}
	}
	if len(rep.Faults) > 0 {
		return fmt.Errorf("%s found; 'mta queue rebuild' mends the index, damaged records go to quarantine at the next start", plural(len(rep.Faults), "fault"))
	}
	return nil
}
