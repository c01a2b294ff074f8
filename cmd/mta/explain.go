package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/programmable-mta/mta/core/control"
	"github.com/programmable-mta/mta/core/trace"
)

func explainCommand(w *world) *cobra.Command {
	var d control.Dry
	var last, refused, asJSON bool
	c := &cobra.Command{
		Use:   "explain [ID]",
		Short: "What happened to a message, and why; or what would happen to one",
		Long: `explain ID tells what every plugin was asked about a message, what it answered
and what that cost; every delivery attempt with its conversation; why it waits and
when it goes on. It reads the trace, so it works long after the message is gone.

With --to it asks all plugins about a message that is not sent: nothing is queued.
A file (or - for standard input) gives the message itself.`,
		Example: `  mta explain --last
  mta explain --last-refused
  mta explain 4Q0000007K
  mta explain --from a@example.net --to b@example.org --ip 192.0.2.7 --helo mx.example.net mail.eml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := dialControl(w, c)
			if err != nil {
				return err
			}
			if len(d.To) > 0 || d.From != "" {
				if len(args) == 1 {
					if d.Message, err = readInput(w, args[0]); err != nil {
						return err
					}
				}
				return explainDry(w, c, b, d, asJSON)
			}
			id := "last"
			switch {
			case len(args) == 1:
				id = args[0]
			case refused:
				id = "last-refused"
			case !last:
				return status(exitUsage, "which message? give its ID or that of a session, --last, --last-refused, or --from and --to for a dry run")
			}
			rs, err := b.Explain(c.Context(), id)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(w, rs)
			}
			if len(rs) > 0 {
				fmt.Fprintln(w.stdout, rs[0].ID)
			}
			fmt.Fprint(w.stdout, trace.Timeline(rs))
			return nil
		},
	}
	f := c.Flags()
	f.BoolVar(&refused, "last-refused", false, "the session in which something was refused last")
	f.BoolVar(&last, "last", false, "the message that was accepted last")
	f.StringVar(&d.From, "from", "", "dry run: the sender; <> is the null sender")
	f.StringSliceVar(&d.To, "to", nil, "dry run: a recipient (several times for several)")
	f.StringVar(&d.IP, "ip", "127.0.0.1", "dry run: the client's address")
	f.StringVar(&d.Name, "name", "", "dry run: the client's confirmed name")
	f.StringVar(&d.Helo, "helo", "", "dry run: the client's HELO name")
	f.StringVar(&d.Login, "login", "", "dry run: who the client has logged in as")
	f.BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

func explainDry(w *world, c *cobra.Command, b control.Backend, d control.Dry, asJSON bool) error {
	res, err := b.ExplainDry(c.Context(), d)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(w, res)
	}
	for _, r := range res.Records {
		fmt.Fprintln(w.stdout, r.Text())
	}
	fmt.Fprintf(w.stdout, "\nthe client is told: %s\n", res.Reply)
	for i := range res.Routes {
		printRoute(w, &res.Routes[i])
	}
	fmt.Fprintln(w.stdout, "nothing was queued")
	return nil
}

func routeCommand(w *world) *cobra.Command {
	c := &cobra.Command{
		Use:   "route ADDRESS",
		Short: "Where mail for an address goes: next hops, TLS policy, and the rule that chose them",
		Long: `route asks the route chain where mail from postmaster at this host to an address
goes. For another sender, and for bounces, ask "mta explain --from A --to B".`,
		Example: "  mta route someone@example.org",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			b, err := dialControl(w, c)
			if err != nil {
				return err
			}
			r, err := b.Route(c.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON, _ := c.Flags().GetBool("json"); asJSON {
				return printJSON(w, r)
			}
			printRoute(w, r)
			return nil
		},
	}
	c.Flags().Bool("json", false, "as JSON")
	return c
}

func printRoute(w *world, r *control.Route) {
	fmt.Fprintf(w.stdout, "%s: ", r.Address)
	if r.Action != "use" {
		fmt.Fprintf(w.stdout, "%s: %s (%s)\n", r.Action, r.Reason, or(r.Plugin, "no plugin has a route"))
		return
	}
	fmt.Fprintf(w.stdout, "via %s, tls %s, chosen by %s", r.Via, r.TLS, r.Plugin)
	if r.Rule != "" && r.Rule != r.Plugin {
		fmt.Fprintf(w.stdout, " (%s)", r.Rule)
	}
	fmt.Fprintln(w.stdout)
	for _, h := range r.Hosts {
		text := strings.Join(h.Addresses, ", ")
		if h.Error != "" {
			text = h.Error
		}
		fmt.Fprintf(w.stdout, "  %-40s %s\n", h.Name, text)
	}
}
