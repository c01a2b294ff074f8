package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/programmable-mta/mta/core/sink"
)

func sinkCommand(w *world) *cobra.Command {
	var o sink.Options
	var addr string
	var faults []string
	var asJSON bool
	c := &cobra.Command{
		Use:   "sink",
		Short: "Run a server that takes everything, or misbehaves as told",
		Long: `sink is an SMTP server for trying and measuring: it takes every message, keeps
the newest in memory (or all as files), and can delay, refuse or drop on request.
"sink list" and "sink show" look into the sink that mta serve --dev has built in.`,
		Example: `  mta sink --listen 127.0.0.1:2526
  mta sink --fault rcpt:defer=0.1 --fault dot:delay=50ms,drop=0.01
  mta sink list               what the relay of mta serve --dev has delivered
  mta sink show 1`,
		RunE: func(c *cobra.Command, _ []string) error {
			for _, text := range faults {
				if err := o.Faults.Set(text); err != nil {
					return status(exitUsage, "%w", err)
				}
			}
			o.Now = w.now
			return runSink(c.Context(), w, o, addr, asJSON)
		},
	}
	f := c.Flags()
	f.StringVar(&addr, "listen", "127.0.0.1:2526", "address:port")
	f.BoolVar(&o.LMTP, "lmtp", false, "speak LMTP")
	f.BoolVar(&o.StartTLS, "starttls", false, "offer STARTTLS with a self-signed certificate")
	f.StringVar(&o.Dir, "dir", "", "keep every message as a file in this folder")
	f.IntVar(&o.MaxConnections, "connections", 0, "connections at the same time; more get 421; 0: no limit")
	f.StringArrayVar(&faults, "fault", nil, "STAGE:delay=D,defer=SHARE,reject=SHARE,drop=SHARE; STAGE is connect, mail, rcpt, data or dot")
	f.Uint64Var(&o.Seed, "seed", 1, "of the randomness of faults")
	f.BoolVar(&asJSON, "json", false, "print the counters as JSON when it ends")
	c.AddCommand(sinkListCommand(w), sinkShowCommand(w), sinkClearCommand(w))
	return c
}

func runSink(ctx context.Context, w *world, o sink.Options, addr string, asJSON bool) error {
	s, err := sink.New(o)
	if err != nil {
		return status(exitUsage, "%w", err)
	}
	l, err := w.listen("tcp", addr)
	if err != nil {
		return portError("--listen", addr, err)
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Fprintf(w.stderr, "sink listens on %s; interrupt it to see what it got\n", l.Addr())
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	select {
	case err = <-served:
	case <-ctx.Done():
		s.Close()
		<-served
	}
	st := s.Stats()
	if asJSON {
		json.NewEncoder(w.stdout).Encode(st)
	} else {
		fmt.Fprintf(w.stdout, "%d messages to %d recipients, %d octets, %d connections; refused %d for now and %d for good, dropped %d\n",
			st.Messages, st.Recipients, st.Bytes, st.Connections, st.Deferred, st.Rejected, st.Dropped)
	}
	return err
}

func sinkListCommand(w *world) *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List what the built-in sink of mta serve --dev has got",
		Example: "  mta sink list",
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := dialControl(w, c)
			if err != nil {
				return err
			}
			list, err := client.SinkList(c.Context())
			if err != nil {
				return err
			}
			if asJSON, _ := c.Flags().GetBool("json"); asJSON {
				return json.NewEncoder(w.stdout).Encode(list)
			}
			for _, m := range list {
				fmt.Fprintf(w.stdout, "%-4s %s  %7d  <%s> -> %s  %s\n", m.ID, m.Received.Format(time.TimeOnly), m.Size, m.From, strings.Join(m.To, ", "), m.Subject)
			}
			fmt.Fprintln(w.stdout, plural(len(list), "message"))
			return nil
		},
	}
	c.Flags().Bool("json", false, "as JSON")
	return c
}

func sinkShowCommand(w *world) *cobra.Command {
	return &cobra.Command{
		Use:     "show N",
		Short:   "Show one message of the built-in sink as it arrived",
		Example: "  mta sink show 1",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			client, err := dialControl(w, c)
			if err != nil {
				return err
			}
			body, err := client.SinkShow(c.Context(), args[0])
			if err != nil {
				return err
			}
			defer body.Close()
			_, err = io.Copy(w.stdout, body)
			return err
		},
	}
}

func sinkClearCommand(w *world) *cobra.Command {
	return &cobra.Command{
		Use:     "clear",
		Short:   "Forget what the built-in sink has got",
		Example: "  mta sink clear",
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := dialControl(w, c)
			if err != nil {
				return err
			}
			n, err := client.SinkClear(c.Context())
			if err != nil {
				return err
			}
			fmt.Fprintf(w.stdout, "%d messages forgotten\n", n)
			return nil
		},
	}
}
