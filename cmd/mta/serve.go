package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/programmable-mta/mta/core/config"
	"github.com/programmable-mta/mta/core/sink"
)

func serveCommand(w *world) *cobra.Command {
	var dev bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the relay",
		Long: `serve runs the relay in the foreground; log lines go to standard error.

TERM or INT drains it: no more mail is taken, sessions and deliveries may finish
within shutdown_grace; a second TERM stops it at once, and loses nothing that was
accepted. HUP reads the configuration again.

--dev needs no configuration: it listens on 127.0.0.1:2525, keeps its spool in a
temporary folder, and delivers everything to a built-in sink. With -c it takes
the plugins, the relay policy, the limits and the resolver of that file, and
loads a plugin anew whenever its file or the configuration changes.`,
		Example: `  mta serve --dev
  mta serve --dev -c mta.toml       try the plugins of a file
  mta serve -c /etc/mta/mta.toml`,
		RunE: func(c *cobra.Command, _ []string) error {
			if dev {
				file, _ := c.Flags().GetString("config")
				return serveDev(c.Context(), w, file)
			}
			path := configPath(c)
			cfg, err := loadConfig(w, path)
			if err != nil {
				if errors.Is(err, os.ErrNotExist) || missingFile(path) {
					return status(exitConfig, "%w; 'mta serve --dev' needs no file, 'mta config' prints one to start from", err)
				}
				return err
			}
			read := func() (*config.Config, error) { return loadConfig(w, path) }
			return serve(c.Context(), w, cfg, origin{path, read}, nil, func(*relay) {})
		},
	}
	c.Flags().BoolVar(&dev, "dev", false, "127.0.0.1:2525, a temporary spool, a built-in sink; with -c the plugins of the file")
	return c
}

func missingFile(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, os.ErrNotExist)
}

// serveDev makes the surroundings of --dev. The spool goes with the process:
// what was sent to it was never real mail.
func serveDev(ctx context.Context, w *world, file string) error {
	dir, err := os.MkdirTemp("", "mta-dev-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := sink.New(sink.Options{Hostname: "sink.localhost", Now: w.now})
	if err != nil {
		return err
	}
	l, err := w.listen("tcp", "127.0.0.1:0")
	if err != nil {
		return portError("the built-in sink", "127.0.0.1", err)
	}
	go s.Serve(l)
	from := origin{path: file, read: func() (*config.Config, error) {
		return devConfig(w, file, filepath.Join(dir, "spool"), l.Addr().String())
	}}
	cfg, err := from.read()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(cfg.Control.Socket), 0o700); err != nil {
		return err
	}
	return serve(ctx, w, cfg, from, s, func(r *relay) {
		if file != "" {
			go r.watch(ctx, time.Second/2)
		}
		fmt.Fprintf(w.stderr, `
mta is running. SMTP on %s; the spool is temporary; everything is delivered to a
built-in sink. In another terminal:

  mta send --to you@example.org              send a first message, or the same with
  swaks --server %s --to you@example.org
  mta sink list                              what was delivered
  mta queue list                             what waits, and why
  mta explain --last                         what happened to the last message

(with "go run ./cmd/mta" for "mta" if it is not in your PATH). Ctrl-C ends it.

`, cfg.Listen[0].Address, cfg.Listen[0].Address)
	})
}

// devConfig is the configuration of --dev, with the plugins, the policy and the
// limits of a file, if there is one. What the file says of listeners, spool and
// routes is for real mail.
func devConfig(w *world, file, spool, sink string) (*config.Config, error) {
	cfg := config.Dev(spool, sink)
	if file != "" {
		f, err := loadConfig(w, file)
		if err != nil {
			return nil, err
		}
		cfg.Plugins, cfg.Resolver, cfg.Limits, cfg.Dir = f.Plugins, f.Resolver, f.Limits, f.Dir
		cfg.Relay.Domains = f.Relay.Domains
		cfg.Relay.Networks = append(cfg.Relay.Networks, f.Relay.Networks...)
	}
	cfg.Control.Socket = devSocket()
	cfg.Limits.SessionsPerIP = cfg.Limits.Sessions // one developer, one address
	return cfg, nil
}

// watch reloads when the configuration or the file of a plugin has changed and
// then stood still for one interval, so that a half-written file is not read.
func (r *relay) watch(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	loaded := r.stamps()
	before := loaded
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.asked:
			return
		case <-tick.C:
		}
		now := r.stamps()
		if now != loaded && now == before {
			loaded = now
			if _, err := r.reload(ctx, ""); err != nil {
				r.tracer.Log(slog.LevelError, "mta", "reload refused", "error", err)
			}
		}
		before = now
	}
}

// stamps are the sizes and times of the files that a reload would read.
func (r *relay) stamps() string {
	var b strings.Builder
	for _, path := range append([]string{r.from.path}, r.pluginFiles()...) {
		if st, err := os.Stat(path); err == nil {
			fmt.Fprintln(&b, path, st.Size(), st.ModTime().UnixNano())
		}
	}
	return b.String()
}

func (r *relay) pluginFiles() []string {
	var files []string
	for _, p := range r.cfg.Load().Plugins {
		if _, path, ok := strings.Cut(p.Source, ":"); ok && p.Runtime() != "builtin" {
			files = append(files, path)
		}
	}
	return files
}

// devSocket is where commands without -c find a relay that runs with --dev.
func devSocket() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("mta-dev-%d", os.Getuid()), "control.sock")
}

// serve runs a relay until a signal, a drain, or a fault ends it.
func serve(ctx context.Context, w *world, cfg *config.Config, from origin, s *sink.Sink, ready func(*relay)) error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)
	r, err := start(ctx, w, cfg, from, s)
	if err != nil {
		return err
	}
	for _, l := range r.listeners {
		r.tracer.Log(slog.LevelInfo, "mta", "listening", "address", l.Addr().String(), "profile", l.profile)
	}
	notify(w, "READY=1")
	ready(r)
	hangups := make(chan struct{}, 1)
	defer close(hangups)
	go r.reloadAt(ctx, hangups)
	for {
		select {
		case sig := <-signals:
			if sig == syscall.SIGHUP {
				select {
				case hangups <- struct{}{}:
				default: // one waits already, and will read the same file
				}
				continue
			}
			return r.drain(signals)
		case <-r.asked:
			return r.drain(signals)
		case err := <-r.failed:
			r.tracer.Log(slog.LevelError, "mta", "stopping", "error", err)
			r.drain(signals)
			return err
		case <-ctx.Done():
			return r.drain(signals)
		}
	}
}

// reloadAt reloads at each signal. It has a goroutine of its own: a plugin can
// take its time to start, and TERM must not wait for that.
func (r *relay) reloadAt(ctx context.Context, hangups <-chan struct{}) {
	for range hangups {
		notify(r.w, "RELOADING=1")
		if _, err := r.reload(ctx, ""); err != nil {
			r.tracer.Log(slog.LevelError, "mta", "reload refused", "error", err)
		}
		notify(r.w, "READY=1")
	}
}

// drain ends the relay within shutdown_grace, or at once at a second signal.
func (r *relay) drain(signals <-chan os.Signal) error {
	notify(r.w, "STOPPING=1")
	grace := r.cfg.Load().ShutdownGrace
	r.tracer.Log(slog.LevelInfo, "mta", "draining", "grace", grace)
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case sig := <-signals:
				if sig != syscall.SIGHUP {
					cancel()
					return
				}
			case <-done:
				return
			}
		}
	}()
	return r.stop(ctx)
}
