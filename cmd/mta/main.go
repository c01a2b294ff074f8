// Command mta is a programmable mail relay.
//
// One file holds one subcommand; run.go wires the rooms of core with the
// plugins, and is the only place where they meet. A command touches the machine
// through [world] only, so that tests can run all of it in memory.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/programmable-mta/mta/core/config"
	"github.com/programmable-mta/mta/core/control"
	"github.com/programmable-mta/mta/core/resolver"
	"github.com/programmable-mta/mta/plugins"
	"github.com/programmable-mta/mta/sdk"
)

// The exit statuses, from sysexits.h.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 64
	exitUnavailable = 69
	exitTryLater    = 75
	exitConfig      = 78
)

// world is all that the program touches outside itself.
type world struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       bool // stdout and stdin are a person
	listen         func(network, addr string) (net.Listener, error)
	dial           func(ctx context.Context, network, addr string) (net.Conn, error)
	dialFrom       func(ctx context.Context, source, network, addr string) (net.Conn, error)
	now            func() time.Time
	exchange       resolver.Exchange // nil: the network
	resolveHosts   string            // the hosts file; empty: the system's
	getenv         func(string) string
	builtins       map[string]func() sdk.Plugin // nil: those of this program
	noControl      bool                         // open no control socket
	backend        control.Backend              // what commands ask instead of the control socket
}

// compiledIn are the plugins that builtin:NAME can mean.
func (w *world) compiledIn() map[string]func() sdk.Plugin {
	if w.builtins != nil {
		return w.builtins
	}
	return plugins.Builtin
}

func (w *world) builtinNames() []string { return slices.Sorted(maps.Keys(w.compiledIn())) }

func systemWorld() *world {
	d := &net.Dialer{}
	return &world{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		terminal: isTerminal(os.Stdout) && isTerminal(os.Stdin),
		listen:   net.Listen, dial: d.DialContext, dialFrom: dialFrom, now: time.Now, getenv: os.Getenv,
	}
}

// dialFrom connects from one of our own addresses.
func dialFrom(ctx context.Context, source, network, addr string) (net.Conn, error) {
	ip, err := netip.ParseAddr(source)
	if err != nil {
		return nil, fmt.Errorf("source %q is no address of this machine: %w", source, err)
	}
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, 0))}
	return d.DialContext(ctx, network, addr)
}

func isTerminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

func main() {
	os.Exit(execute(context.Background(), systemWorld(), os.Args[1:]))
}

// statusError is an error that ends the program with a status of its own.
type statusError struct {
	status int
	err    error
}

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

func status(code int, format string, args ...any) error {
	return &statusError{code, fmt.Errorf(format, args...)}
}

// execute runs one command line and returns its exit status.
func execute(ctx context.Context, w *world, args []string) int {
	root := rootCommand(w)
	root.SetArgs(args)
	root.SetContext(ctx)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	text := strings.TrimPrefix(err.Error(), "mta: ")
	var faults config.Faults
	if !errors.As(err, &faults) || faults.Error() != text { // faults begin with file and line
		text = "mta: " + text
	}
	fmt.Fprintln(w.stderr, text)
	return exitStatus(err)
}

func rootCommand(w *world) *cobra.Command {
	root := &cobra.Command{
		Use:   "mta",
		Short: "A programmable mail relay",
		Long: `mta accepts mail over SMTP, keeps it durably, and relays or delivers it.
Who may send, what is refused, where mail goes and how it is handed over is
decided by plugins.`,
		Example: `  mta serve --dev                 a relay to play with, on 127.0.0.1:2525
  mta send --to you@example.org   a first message
  mta queue list                  what waits, and why
  mta explain ID                  what happened to a message`,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetIn(w.stdin)
	root.SetOut(w.stdout)
	root.SetErr(w.stderr)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return status(exitUsage, "%w; see '%s --help'", err, c.CommandPath())
	})
	root.PersistentFlags().StringP("config", "c", "", "the configuration file (default "+defaultConfig+")")
	root.AddCommand(
		serveCommand(w), checkCommand(w), configCommand(w),
		statusCommand(w), reloadCommand(w), drainCommand(w),
		queueCommand(w), explainCommand(w), routeCommand(w),
		pluginCommand(w), sendCommand(w), sinkCommand(w),
	)
	for _, c := range append(root.Commands(), root) {
		strict(c)
	}
	return root
}

// strict makes wrong arguments a usage error, and a group without a subcommand
// show its help.
func strict(c *cobra.Command) {
	for _, sub := range c.Commands() {
		strict(sub)
	}
	if c.RunE == nil && c.Run == nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return status(exitUsage, "unknown command %q; see '%s --help'", args[0], c.CommandPath())
			}
			return c.Help()
		}
		c.Args = cobra.ArbitraryArgs
		return
	}
	check := c.Args
	if check == nil {
		check = cobra.NoArgs
	}
	c.Args = func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return status(exitUsage, "%w; see '%s --help'", err, c.CommandPath())
		}
		return nil
	}
}

// defaultConfig is where the configuration is looked for without -c.
const defaultConfig = "/etc/mta/mta.toml"

func configPath(c *cobra.Command) string {
	if p, _ := c.Flags().GetString("config"); p != "" {
		return p
	}
	return defaultConfig
}

// version is what the build says about itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 && !strings.Contains(v, s.Value[:12]) {
			v += " " + s.Value[:12]
		}
	}
	return strings.TrimSpace(v + " " + info.GoVersion)
}
