package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/programmable-mta/mta/core/config"
	"github.com/programmable-mta/mta/core/control"
	"github.com/programmable-mta/mta/core/record"
)

// recordCommands are those that compare what plugins did, would do, and do.
func recordCommands(w *world) []*cobra.Command {
	return []*cobra.Command{pluginRecordCommand(w), pluginReplayCommand(w), pluginDiffCommand(w)}
}

func pluginRecordCommand(w *world) *cobra.Command {
	var q control.Recording
	var out, size string
	var last time.Duration
	var force bool
	c := &cobra.Command{
		Use:   "record NAME --out FILE",
		Short: "Record what a loaded plugin is asked and answers",
		Long: `record writes every call of a plugin's hooks to a file: the event, what the
plugin asked of the relay meanwhile and was told, and its answer. It ends with
--for, --calls or --max-bytes, with control-C, or when the plugin is loaded anew.

Mail is never delayed for it: calls that cannot be written fast enough are left
out, and counted in the last line of the file.

The file holds addresses, the plugin's configuration with its secrets, and with
--bodies messages: it is made for its owner alone. Passwords that clients present
and the credentials of HTTP requests are left out. --hash-addresses replaces local
parts of addresses; go doc ` + "github.com/programmable-mta/mta/core/record" + ` tells where it cannot
find them, and describes the format.`,
		Args: cobra.ExactArgs(1),
		Example: `  mta plugin record greylist --out greylist.jsonl --for 10m
  mta plugin record footer --out footer.jsonl --calls 100 --bodies`,
		RunE: func(c *cobra.Command, args []string) error {
			q.Plugin = args[0]
			if last < 0 || last > 0 && last < time.Second {
				return status(exitUsage, "--for is at least a second")
			}
			q.Seconds = int64(last / time.Second)
			if size != "" {
				n, err := config.ParseSize(size)
				if err != nil {
					return status(exitUsage, "--max-bytes: %w", err)
				}
				q.MaxBytes = int64(n)
			}
			return recordTo(w, c, q, out, force)
		},
	}
	c.Flags().StringVar(&out, "out", "", "the file to write; - for standard output")
	c.Flags().DurationVar(&last, "for", 0, "end after this time, 10m (default 24h)")
	c.Flags().IntVar(&q.Calls, "calls", 0, "end after so many calls; 0: any number")
	c.Flags().StringVar(&size, "max-bytes", "", "end at this size (default 64MiB)")
	c.Flags().BoolVar(&q.Bodies, "bodies", false, "record the content of messages, each once")
	c.Flags().BoolVar(&q.HashAddresses, "hash-addresses", false, "replace local parts of addresses")
	c.Flags().BoolVar(&force, "force", false, "replace FILE if it is there")
	return c
}

// recordTo asks the relay first, so that a wrong name leaves no file behind.
func recordTo(w *world, c *cobra.Command, q control.Recording, path string, force bool) error {
	if path == "" {
		return status(exitUsage, "--out is missing: name the file to write, or - for standard output")
	}
	b, err := dialControl(w, c)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	src, err := b.PluginRecord(ctx, q)
	if err != nil {
		return err
	}
	defer src.Close()
	// A backend in this process does not know of the signal otherwise.
	defer context.AfterFunc(ctx, func() { src.Close() })()
	dst := io.WriteCloser(unclosed{w.stdout})
	if path != "-" {
		if dst, err = recordingFile(path, force); err != nil {
			return err
		}
	}
	sum, err := record.Copy(dst, src)
	if e := dst.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("recording %s: %w", path, err)
	}
	if ctx.Err() != nil {
		sum.Why = "asked to stop"
	}
	fmt.Fprintf(w.stderr, "%s recorded (%s): %s\n", plural(int(sum.Calls), "call"), bytesText(sum.Bytes), sum.Why)
	if sum.Dropped > 0 {
		fmt.Fprintf(w.stderr, "%s could not be written fast enough\n", plural(int(sum.Dropped), "call"))
	}
	return nil
}

// unclosed keeps a writer open.
type unclosed struct{ io.Writer }

// Close implements io.Closer.
func (unclosed) Close() error { return nil }

func recordingFile(path string, force bool) (*os.File, error) {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		// A recording replaces files, and never /dev/full.
		if st, err := os.Lstat(path); err == nil && !st.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is no regular file: choose another name", path)
		}
		// What is there may be open to others; the new file is not.
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s is there already: choose another name, or replace it with --force", path)
	}
	return f, err
}

func pluginReplayCommand(w *world) *cobra.Command {
	var plugin, settings string
	var o record.ReplayOptions
	var asJSON bool
	c := &cobra.Command{
		Use:   "replay FILE --plugin PLUGIN",
		Short: "Ask a plugin what was recorded, and compare its answers",
		Long: `replay asks a plugin everything that a recording of mta plugin record (or a file
of fixtures) holds, one call after the other, and compares its answers and what
it asks of the relay, bit for bit. The clock, random octets, the plugin's store,
DNS, HTTP and deliveries answer as they did then; nothing leaves this machine.
(A plugin in Go that is compiled in, and a process, are trusted with the machine
and do with files what they do.)

PLUGIN is a folder of mta plugin new, a .wasm file, process:PROGRAM or
builtin:NAME. It gets the recorded configuration; --settings names a JSON file
with another. All grants are given. The exit status is 1 if anything differs.`,
		Args: cobra.ExactArgs(1),
		Example: `  mta plugin replay greylist.jsonl --plugin greylist.wasm
  mta plugin replay relay.jsonl --plugin builtin:relay --differences 5`,
		RunE: func(c *cobra.Command, args []string) error {
			if plugin == "" {
				return status(exitUsage, "--plugin is missing: name a .wasm file, process:PROGRAM or builtin:NAME")
			}
			if settings != "" {
				b, err := os.ReadFile(settings)
				if err != nil {
					return err
				}
				o.Config = b
			}
			rep, err := replay(c.Context(), w, args[0], plugin, o)
			if err != nil {
				return err
			}
			return reportReplay(w, rep, asJSON)
		},
	}
	c.Flags().StringVar(&plugin, "plugin", "", "the plugin to ask")
	c.Flags().StringVar(&settings, "settings", "", "a JSON file with the plugin's configuration, instead of the recorded one")
	c.Flags().BoolVar(&o.Logs, "logs", false, "compare what is logged, too")
	c.Flags().IntVar(&o.Keep, "differences", 1, "how many differences to show")
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

func replay(ctx context.Context, w *world, path, plugin string, o record.ReplayOptions) (*record.Report, error) {
	s, err := findSubject(w, plugin)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rec, err := record.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "record: "))
	}
	shop := newWorkshop(w)
	defer shop.close()
	o.Runtime = runtimeOf(s.source)
	return rec.Replay(ctx, record.Load(shop.loader(s.source)), o)
}

func reportReplay(w *world, rep *record.Report, asJSON bool) error {
	if asJSON {
		if err := printJSON(w, rep); err != nil {
			return err
		}
	} else {
		fmt.Fprint(w.stdout, rep.Text())
	}
	switch {
	case rep.Different > 0:
		return fmt.Errorf("%d of %s came out otherwise", rep.Different, plural(rep.Calls, "call"))
	case !rep.OK():
		return errors.New("nothing could be compared")
	}
	return nil
}

func pluginDiffCommand(w *world) *cobra.Command {
	var asJSON bool
	var examples int
	c := &cobra.Command{
		Use:   "diff NAME",
		Short: "Where a shadow plugin would have done otherwise",
		Long: `diff counts, by hook, where a plugin with mode = "shadow" answered otherwise than
what the active plugins made of it, since it was loaded, with the latest examples
of each kind. mta explain ID shows the whole story of one.`,
		Args:    cobra.ExactArgs(1),
		Example: "  mta plugin diff greylist2 --examples 5",
		RunE: func(c *cobra.Command, args []string) error {
			b, err := dialControl(w, c)
			if err != nil {
				return err
			}
			d, err := b.PluginDiff(c.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(w, d)
			}
			fmt.Fprint(w.stdout, d.Text(examples))
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	c.Flags().IntVar(&examples, "examples", 3, "how many examples of each kind to show, 16 at most")
	return c
}

// runtimeOf is the way in which a source is loaded. Recordings of one runtime
// read the clock at other places than those of another.
func runtimeOf(source string) string { return (&config.Plugin{Source: source}).Runtime() }
