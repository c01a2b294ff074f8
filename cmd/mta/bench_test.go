package main

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/config"
	"github.com/programmable-mta/mta/core/sink"
	"github.com/programmable-mta/mta/core/source"
)

// BenchmarkRelay sends 4 KiB messages over 50 connections through a whole relay
// to a sink, all in this process: its profile shows where the time of a message
// goes. Figures to compare with other servers come from separate processes.
//
// The second relay has five WebAssembly plugins: one that has every hook and does
// nothing, one that does nothing at DATA, a greylist that lets the client pass, a
// router that is not asked for this domain, and a policy at RCPT that accepts. The
// third has the first two at every hook, fourteen calls a message more than none.
func BenchmarkRelay(b *testing.B) {
	b.Run("plain", func(b *testing.B) { benchmarkRelay(b, nil) })
	b.Run("five-wasm", func(b *testing.B) {
		five := fiveGuests(b)
		five[1].Hooks = []string{"data"}
		benchmarkRelay(b, five)
	})
	b.Run("five-wasm-everywhere", func(b *testing.B) { benchmarkRelay(b, fiveGuests(b)) })
}

func fiveGuests(b *testing.B) (list []config.Plugin) {
	for _, g := range []struct{ file, config string }{
		{"c-noop", `{}`}, {"rust-noop", `{}`}, {"c-greylist", `{"networks":["127.0.0.0/8"]}`},
		{"tenant-router-go", `{"tenants":{"one":{"domains":["one.example"],"inbound":{"hosts":["192.0.2.1:25"]}}}}`},
		{"c-realrcpt", `{"domains":["y.test","z.test"],"senders":["spam.example"],"networks":["198.51.100."]}`},
	} {
		path, err := filepath.Abs("../../testdata/wasm/" + g.file + ".wasm")
		if err != nil {
			b.Fatal(err)
		}
		list = append(list, config.Plugin{Name: g.file, Source: "file:" + path, Mode: "active", Config: []byte(g.config),
			Allow:  config.Allow{KV: 1 << 20, Clock: true, Headers: "read"},
			Limits: config.PluginLimits{Deadline: time.Second, Instances: 64, Memory: 32 << 20, Fuel: 20_000_000}})
	}
	return list
}

func benchmarkRelay(b *testing.B, plugins []config.Plugin) {
	var arrived atomic.Int64
	far, err := sink.New(sink.Options{KeepMessages: -1, Received: func(*sink.Message) { arrived.Add(1) }})
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go far.Serve(l)
	defer far.Close()

	w := systemWorld()
	w.stderr = io.Discard
	dir := b.TempDir()
	cfg := config.Dev(filepath.Join(dir, "spool"), l.Addr().String())
	near, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	w.listen = func(string, string) (net.Listener, error) { return near, nil }
	w.noControl = true
	cfg.Limits.SessionsPerIP = 1000
	cfg.Delivery.Concurrency = 50
	cfg.Plugins = plugins
	r, err := start(context.Background(), w, cfg, origin{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	res, err := source.Run(context.Background(), source.Options{Addr: near.Addr().String(), Sessions: 50, Messages: int64(b.N), Size: 4096, From: "a@x.test", To: "b@y.test"})
	if err != nil || res.Accepted != int64(b.N) {
		b.Fatalf("%d of %d accepted: %v", res.Accepted, b.N, err)
	}
	for arrived.Load() < int64(b.N) {
		time.Sleep(time.Millisecond)
	}
	b.StopTimer()
	st := r.queue.Stats()
	b.ReportMetric(float64(st.Syncs)/float64(st.Puts), "syncs/msg")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	r.stop(context.Background())
}
