package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/programmable-mta/mta/core/config"
	"github.com/programmable-mta/mta/core/control"
)

// dialControl finds the relay that a command talks about: that of the
// configuration, or without one the relay of --dev.
func dialControl(w *world, c *cobra.Command) (control.Backend, error) {
	if w.backend != nil {
		return w.backend, nil
	}
	socket, err := controlSocket(c)
	if err != nil {
		return nil, err
	}
	return control.Dial(socket)
}

func controlSocket(c *cobra.Command) (string, error) {
	if p, _ := c.Flags().GetString("config"); p == "" && missingFile(defaultConfig) {
		return devSocket(), nil
	}
	cfg, err := readConfig(c)
	var faults config.Faults
	if errors.As(err, &faults) {
		// When no relay answers there, the file is what has to be mended.
		if socket, ok := config.NamedSocket(configPath(c)); ok && answers(socket) {
			return socket, nil
		}
	}
	if err != nil {
		return "", err
	}
	return cfg.Control.Socket, nil
}

// answers tells whether a relay listens at a socket.
func answers(socket string) bool {
	conn, err := net.DialTimeout("unix", socket, time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// exitStatus finds the status for an error that a command came back with.
func exitStatus(err error) int {
	var st *statusError
	var faults config.Faults
	switch {
	case errors.As(err, &st):
		return st.status
	case errors.Is(err, control.ErrUnreachable):
		return exitUnavailable
	case errors.Is(err, control.ErrUsage):
		return exitUsage
	case errors.Is(err, control.ErrBusy):
		return exitTryLater
	case errors.Is(err, control.ErrConfig), errors.As(err, &faults):
		return exitConfig
	}
	return exitFailed
}

// operator is who acts, for the record.
func operator() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}

func printJSON(w *world, v any) error {
	enc := json.NewEncoder(w.stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// age is a duration as people say it.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
}

func bytesText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// confirm asks a person before something is done to many messages.
func confirm(ctx context.Context, w *world, question string) (bool, error) {
	if !w.terminal {
		return false, status(exitUsage, "%s: nobody is there to ask; add --yes to do it", question)
	}
	fmt.Fprintf(w.stderr, "%s? [y/N] ", question)
	var answer string
	fmt.Fscanln(w.stdin, &answer)
	return strings.HasPrefix(strings.ToLower(answer), "y"), ctx.Err()
}
