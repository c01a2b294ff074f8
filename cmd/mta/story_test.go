package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/config"
	"github.com/programmable-mta/mta/core/mtatest"
)

func TestStories(t *testing.T) {
	mtatest.RunStories(t, "../../testdata/stories", bootStory)
}

// storyRelay is the whole program in the world of a story.
type storyRelay struct {
	t   testing.TB
	env mtatest.Env
	w   *world
	r   *relay

	stop    context.CancelFunc
	stopped chan struct{}
}

func bootStory(t testing.TB, env mtatest.Env) mtatest.Relay {
	t.Helper()
	w := storyWorld(env)
	cfg, err := loadConfig(w, env.Config)
	if err != nil {
		t.Fatalf("the story's configuration: %v", err)
	}
	r, err := start(context.Background(), w, cfg, origin{env.Config, func() (*config.Config, error) { return loadConfig(w, env.Config) }}, nil)
	if err != nil {
		t.Fatalf("the relay does not start: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &storyRelay{t: t, env: env, w: w, r: r, stop: cancel, stopped: make(chan struct{})}
	go s.wait(ctx)
	return s
}

// wait ends the relay when somebody asks for it, as serve does.
func (s *storyRelay) wait(ctx context.Context) {
	defer close(s.stopped)
	select {
	case <-ctx.Done():
	case <-s.r.asked:
	}
	grace, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s.r.stop(grace)
}

func storyWorld(env mtatest.Env) *world {
	return &world{
		stdin: bytes.NewReader(nil), stdout: io.Discard, stderr: env.Log,
		listen: env.Net.Listen,
		dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return env.Net.Dial(ctx, network, addr)
		},
		now: time.Now, exchange: env.Zone.Exchange, resolveHosts: "-", noControl: true, builtins: storyPlugins(), getenv: func(string) string { return "" },
	}
}

func (s *storyRelay) Command(args ...string) (string, int) {
	var out bytes.Buffer
	w := *s.w
	w.backend = &backend{s.r}
	w.stdout, w.stderr = &out, &out
	code := execute(context.Background(), &w, append(args, "-c", s.env.Config))
	return out.String(), code
}

func (s *storyRelay) Stop() {
	s.stop()
	<-s.stopped
}

// Kill leaves the spool as a kill -9 at this instant would: what was written is
// there, what was only in memory is not.
func (s *storyRelay) Kill() {
	spool := s.r.cfg.Load().Spool
	image := spool + ".killed"
	if err := os.CopyFS(image, os.DirFS(spool)); err != nil {
		s.t.Fatal(err)
	}
	s.Stop()
	if err := os.RemoveAll(spool); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(image, spool); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chmod(filepath.Clean(spool), 0o700); err != nil {
		s.t.Fatal(err)
	}
}
