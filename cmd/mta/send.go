package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/programmable-mta/mta/core/source"
)

func sendCommand(w *world) *cobra.Command {
	var o source.Options
	var tlsMode, body string
	var asJSON bool
	c := &cobra.Command{
		Use:   "send",
		Short: "Send messages: one to try, or many as a load",
		Long: `send is a load source. It sends made-up messages, or a file again and again,
to a server, and says what became of them: how many were accepted, how many
refused with which code, and how long the reply to the end of a message took.
It never sends a message twice.`,
		Example: `  mta send --to you@example.org                      one message to 127.0.0.1:2525
  mta send -n 10000 --sessions 50 --size 4096         a load
  mta send --addr mx.example.org:25 --body mail.eml   a message of your own`,
		RunE: func(c *cobra.Command, _ []string) error {
			o.TLS = source.TLSMode(tlsMode)
			o.Dial, o.Now = w.dial, w.now
			if body != "" {
				b, err := readInput(w, body)
				if err != nil {
					return err
				}
				o.Body = b
			}
			if w.terminal && !asJSON {
				o.Progress = func(r source.Result) {
					fmt.Fprintf(w.stderr, "\r%d accepted, %.0f/s, p50 %v ", r.Accepted, r.Rate, r.P50.Round(10*time.Microsecond))
				}
			}
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt)
			defer stop()
			r, err := source.Run(ctx, o)
			if o.Progress != nil {
				fmt.Fprint(w.stderr, "\r\033[K")
			}
			if asJSON {
				json.NewEncoder(w.stdout).Encode(r)
			} else {
				printSent(w.stdout, r)
			}
			switch {
			case err != nil && r.Accepted == 0 && r.Connections == 0:
				return status(exitUnavailable, "%w; is a relay running there? (mta serve --dev listens on 127.0.0.1:2525)", err)
			case err != nil:
				return err
			case r.Accepted < o.Messages:
				return fmt.Errorf("%d of %d messages were not accepted", o.Messages-r.Accepted, o.Messages)
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&o.Addr, "addr", "127.0.0.1:2525", "server, host:port or unix:/path")
	f.StringVar(&o.From, "from", "sender@example.org", "sender; {n} is the number of the message; empty: the null sender")
	f.StringVar(&o.To, "to", "user{r}@example.org", "recipient; {n} is the number of the message, {r} that of the recipient")
	f.IntVar(&o.Recipients, "recipients", 1, "recipients of each message")
	f.Int64VarP(&o.Messages, "messages", "n", 1, "messages in all; 0: until interrupted")
	f.IntVarP(&o.Sessions, "sessions", "s", 1, "connections at the same time")
	f.IntVar(&o.PerConnection, "per-connection", 0, "messages before a new connection; 0: as many as there are")
	f.IntVar(&o.Size, "size", 1024, "octets of a made-up message")
	f.Float64Var(&o.Rate, "rate", 0, "messages a second; 0: as fast as it goes")
	f.BoolVar(&o.Pipeline, "pipeline", false, "MAIL, RCPT and DATA in one packet (RFC 2920)")
	f.BoolVar(&o.LMTP, "lmtp", false, "speak LMTP")
	f.StringVar(&o.Helo, "helo", "", "name to greet with")
	f.StringVar(&tlsMode, "tls", "", "starttls, or tls from the first octet; empty: in the clear")
	f.StringVar(&body, "body", "", "file to send instead of made-up messages; - is standard input")
	f.DurationVar(&o.Timeout, "timeout", time.Minute, "for every reply")
	f.BoolVar(&asJSON, "json", false, "print the result as JSON")
	return c
}

func readInput(w *world, name string) ([]byte, error) {
	r := w.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	const most = 256 << 20
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && len(b) > most {
		return nil, fmt.Errorf("%s is larger than 256 MiB", name)
	}
	return b, err
}

func printSent(w io.Writer, r source.Result) {
	fmt.Fprintf(w, "%d accepted in %v (%.0f/s), reply to the end of a message: p50 %v, p99 %v\n",
		r.Accepted, r.Elapsed.Round(time.Millisecond), r.Rate, r.P50.Round(time.Microsecond), r.P99.Round(time.Microsecond))
	var codes []int
	for code := range r.Refused {
		codes = append(codes, code)
	}
	sort.Ints(codes)
	for _, code := range codes {
		fmt.Fprintf(w, "%d refused with %d\n", r.Refused[code], code)
	}
	if r.Lost > 0 {
		fmt.Fprintf(w, "%d lost with their connection: %s\n", r.Lost, strings.TrimSpace(r.LastError))
	}
	if r.Failed > 0 {
		fmt.Fprintf(w, "%d connections failed\n", r.Failed)
	}
}
