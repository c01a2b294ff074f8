package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/config"
)

// A recipient that is refused leaves no message to explain: the log is the only
// place where an operator finds why.
func TestTheLogSaysWhyAPluginFailed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Abs("../../testdata/wasm/hostile.wasm")
	if err != nil {
		t.Fatal(err)
	}
	log := &output{}
	w := systemWorld()
	w.stderr, w.noControl = log, true
	w.listen = func(string, string) (net.Listener, error) { return l, nil }
	cfg := config.Dev(filepath.Join(t.TempDir(), "spool"), "127.0.0.1:9")
	cfg.Plugins = []config.Plugin{{Name: "hostile", Source: "file:" + path, Mode: "active", Config: []byte("{}"), Limits: config.PluginLimits{Fuel: 1_000_000}}}
	r, err := start(context.Background(), w, cfg, origin{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := talkTo(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.conn.Close()
	reply, _, err := c.send("u@example.org") // it traps
	if err != nil || !strings.HasPrefix(reply, "451") {
		t.Fatal(reply, err)
	}
	c.conn.Close()
	r.stop(context.Background())
	if !strings.Contains(log.String(), "mta/plugin/hostile") || !strings.Contains(log.String(), `failed hook=rcpt error="wasm: `) {
		t.Errorf("nothing of it in the log:\n%s", log.String())
	}
}

func TestARouteToAPluginThatDoesNotDeliverIsRefused(t *testing.T) {
	dir := t.TempDir()
	path, err := filepath.Abs("../../testdata/wasm/c-noop.wasm")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "mta.toml")
	text := "hostname = \"mx.example\"\nspool = \"" + dir + "/spool\"\n[[listen]]\naddress = \"127.0.0.1:0\"\n" +
		"[[plugin]]\nname = \"discard\"\nsource = \"file:" + path + "\"\n[[route]]\nto = \"x.example\"\nvia = \"discard\"\n"
	if err := os.WriteFile(file, []byte(strings.Replace(text, "127.0.0.1:0", "127.0.0.1:2599", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	w := systemWorld()
	w.stdout, w.stderr = &out, &errs
	if code := execute(context.Background(), w, []string{"check", "-c", file}); code != exitConfig || !strings.Contains(errs.String()+out.String(), "route[0].via: the plugin discard has no deliver hook") {
		t.Errorf("status %d: %s%s", code, &out, &errs)
	}
}

func TestARecordingReplacesNoDevice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	if f, err := recordingFile(path, true); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Error(f, err)
	}
	if st, err := os.Lstat(path); err != nil || st.Mode()&os.ModeNamedPipe == 0 {
		t.Error("the pipe is gone:", err)
	}
}

// A plugin that takes its time to start keeps nobody from ending the relay.
func TestTheEndOfTheRelayDoesNotWaitForAReload(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	slow := filepath.Join(dir, "slow")
	if err := os.WriteFile(slow, []byte("#!/bin/sh\necho here >"+dir+"/started\nexec sleep 60\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	w := systemWorld()
	w.stderr, w.noControl = io.Discard, true
	w.listen = func(string, string) (net.Listener, error) { return l, nil }
	cfg := config.Dev(filepath.Join(dir, "spool"), "127.0.0.1:9")
	changed := *cfg
	changed.Plugins = []config.Plugin{{Name: "slow", Source: "process:" + slow, Mode: "active", Config: []byte("{}")}}
	r, err := start(context.Background(), w, cfg, origin{path: "mta.toml", read: func() (*config.Config, error) { return &changed, nil }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	reloaded := make(chan error, 1)
	go func() {
		_, err := r.reload(context.Background(), "")
		reloaded <- err
	}()
	for missingFile(filepath.Join(dir, "started")) {
		runtime.Gosched()
	}
	begin := time.Now()
	r.stop(context.Background())
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the end took %v", took)
	}
	if err := <-reloaded; err == nil || !strings.Contains(err.Error(), "the relay is ending") {
		t.Error(err)
	}
}

// Whoever has made a mistake in the file asks the relay that runs what is the
// matter; when none runs, the mistake is the answer.
func TestAMistakeInTheFileHidesNoRelayThatRuns(t *testing.T) {
	dir := t.TempDir()
	file, socket := filepath.Join(dir, "mta.toml"), filepath.Join(dir, "c.sock")
	if err := os.WriteFile(file, []byte("nonsense = 1\n[control]\nsocket = \""+socket+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := func() (string, error) {
		c := statusCommand(systemWorld())
		c.Flags().String("config", file, "")
		return controlSocket(c)
	}
	var faults config.Faults
	if got, err := at(); !errors.As(err, &faults) {
		t.Errorf("without a relay: %q, %v", got, err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Skip(err) // a path that is too long for a socket
	}
	defer l.Close()
	if got, err := at(); err != nil || got != socket {
		t.Errorf("with a relay: %q, %v", got, err)
	}
}
