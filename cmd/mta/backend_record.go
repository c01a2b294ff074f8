package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/programmable-mta/mta/core/control"
	"github.com/programmable-mta/mta/core/record"
)

// serviceNamed finds a loaded plugin.
func (b *backend) serviceNamed(name string) (*service, error) {
	gen := b.r.gen.Load()
	if s := gen.find(name); s != nil {
		return s, nil
	}
	var names []string
	for _, s := range gen.services {
		names = append(names, s.conf.Name)
	}
	return nil, fmt.Errorf("%w: there is no plugin %q loaded; there are: %s", control.ErrNotFound, name, strings.Join(names, ", "))
}

// PluginRecord implements control.Backend.
func (b *backend) PluginRecord(ctx context.Context, q control.Recording) (io.ReadCloser, error) {
	s, err := b.serviceNamed(q.Plugin)
	if err != nil {
		return nil, err
	}
	limit := control.MaxRecording
	if q.Seconds > 0 {
		limit = min(limit, time.Duration(q.Seconds)*time.Second)
	}
	out, in := io.Pipe()
	rec := record.New(in, record.Options{Bodies: q.Bodies, HashAddresses: q.HashAddresses, MaxBytes: q.MaxBytes, MaxCalls: q.Calls, Now: b.r.w.now},
		record.Header{Plugin: s.conf.Name, Source: s.conf.Source, Runtime: s.conf.Runtime(), Digest: s.loaded.About().Digest, Config: s.conf.Config, Hostname: s.host.Hostname()})
	if !s.tap.Attach(rec) {
		out.Close()
		_, _ = rec.Close() // nothing was recorded
		return nil, fmt.Errorf("%w: plugin %q is being recorded already", control.ErrBusy, q.Plugin)
	}
	go func() {
		why := b.recorded(ctx, s, rec, limit)
		s.tap.Detach(rec)
		_, err := rec.Stop(why)
		in.CloseWithError(err) // nil is the end
	}()
	return out, nil
}

// recorded waits for the end of a recording, and is why it has come. Another
// generation of the plugin is another recording: it may have another program
// and configuration.
func (b *backend) recorded(ctx context.Context, s *service, rec *record.Recorder, limit time.Duration) (why string) {
	end := time.NewTimer(limit)
	defer end.Stop()
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return "asked to stop"
		case <-rec.Done():
			return ""
		case <-end.C:
			return "its time was over"
		case <-look.C:
			if b.r.gen.Load().find(s.conf.Name) != s {
				return "the plugin was loaded anew"
			}
		}
	}
}

// PluginDiff implements control.Backend.
func (b *backend) PluginDiff(_ context.Context, plugin string) (*record.Differences, error) {
	s, err := b.serviceNamed(plugin)
	if err != nil {
		return nil, err
	}
	if s.conf.Mode != "shadow" {
		return nil, fmt.Errorf("%w: plugin %q is %s: only one with mode = \"shadow\" is compared with what the others decide", control.ErrUsage, plugin, s.conf.Mode)
	}
	d := b.r.diffs.of(plugin).Snapshot()
	d.Plugin = plugin
	return d, nil
}
