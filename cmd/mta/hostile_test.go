package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/config"
	"github.com/programmable-mta/mta/core/sink"
	"github.com/programmable-mta/mta/sdk"
)

// attacks are what the guest testdata/wasm/hostile.wasm does, by the first letter
// of the recipient; see core/runtime/wasm/testdata/hostile. Its "g" grows until
// it may not and then answers, so that one is no failure.
const attacks = "abBcdDefGhiklLmopqrsStuwxz"

// attacked is a relay on real sockets with the hostile guest at rcpt, and
// everything delivered to a sink.
func attacked(tb testing.TB, onError sdk.Action) (addr string, r *relay, arrived *atomic.Int64) {
	tb.Helper()
	arrived = &atomic.Int64{}
	far, err := sink.New(sink.Options{KeepMessages: -1, Received: func(*sink.Message) { arrived.Add(1) }})
	if err != nil {
		tb.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	go far.Serve(l)
	tb.Cleanup(func() { far.Close() })
	near, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	path, err := filepath.Abs("../../testdata/wasm/hostile.wasm")
	if err != nil {
		tb.Fatal(err)
	}
	w := systemWorld()
	w.stderr, w.noControl = io.Discard, true
	w.listen = func(string, string) (net.Listener, error) { return near, nil }
	cfg := config.Dev(filepath.Join(tb.TempDir(), "spool"), l.Addr().String())
	cfg.Limits.SessionsPerIP = 1000
	cfg.Limits.Errors = 100000
	cfg.Plugins = []config.Plugin{{
		Name: "hostile", Source: "file:" + path, Mode: "active", Config: []byte("{}"), OnError: config.OnError{config.EveryHook: onError},
		Limits: config.PluginLimits{Deadline: time.Second, Instances: 8, Memory: 4 << 20, Fuel: 20_000_000},
	}}
	r, err = start(context.Background(), w, cfg, origin{}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { r.stop(context.Background()) })
	return near.Addr().String(), r, arrived
}

// talker is an SMTP client that says one line and reads one reply.
type talker struct {
	conn net.Conn
	r    *bufio.Reader
}

func talkTo(addr string) (*talker, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	t := &talker{conn, bufio.NewReader(conn)}
	if _, err := t.reply(); err != nil {
		return nil, err
	}
	_, err = t.say("HELO client.test")
	return t, err
}

func (t *talker) reply() (string, error) {
	t.conn.SetReadDeadline(time.Now().Add(time.Minute))
	for {
		line, err := t.r.ReadString('\n')
		if err != nil || len(line) > 3 && line[3] == ' ' {
			return line, err
		}
	}
}

func (t *talker) say(line string) (string, error) {
	if _, err := io.WriteString(t.conn, line+"\r\n"); err != nil {
		return "", err
	}
	return t.reply()
}

// send sends a small message; the reply to RCPT is what counts.
func (t *talker) send(to string) (rcpt string, took time.Duration, err error) {
	if _, err = t.say("MAIL FROM:<a@sender.test>"); err != nil {
		return
	}
	begin := time.Now()
	rcpt, err = t.say("RCPT TO:<" + to + ">")
	took = time.Since(begin)
	if err != nil {
		return
	}
	if rcpt[0] != '2' {
		_, err = t.say("RSET")
		return
	}
	if _, err = t.say("DATA"); err != nil {
		return
	}
	var last string
	if last, err = t.say("Subject: x\r\n\r\nx\r\n."); err == nil && !strings.HasPrefix(last, "250 ") {
		err = fmt.Errorf("the end of the message: %q", last)
	}
	return
}

func TestEachAttackIsDeferredAndTheNextMessagePasses(t *testing.T) {
	addr, r, arrived := attacked(t, sdk.Defer)
	c, err := talkTo(addr)
	if err != nil {
		t.Fatal(err)
	}
	for i, letter := range attacks {
		name := string(letter) + "@rcpt.test"
		reply, _, err := c.send(name)
		if err != nil || !strings.HasPrefix(reply, "451 4.3.5") {
			t.Errorf("%s: %q, %v", name, reply, err)
		}
		if reply, _, err := c.send("n@rcpt.test"); err != nil || reply[0] != '2' {
			t.Fatalf("honest mail after %s: %q, %v", name, reply, err)
		}
		for arrived.Load() < int64(i+1) {
			time.Sleep(time.Millisecond)
		}
	}
	st := r.gen.Load().find("hostile").loaded.Stats()
	if st.Instances > 2 || st.Memory > 4<<20 || st.Discarded == 0 {
		t.Errorf("after all of it there are %d instances with %d octets, %d were thrown away", st.Instances, st.Memory, st.Discarded)
	}
}

// Many at once, with honest sessions beside them: every message arrives, and
// the memory returns to where it was.
func TestAttacksUnderLoadAreHandledAsOnErrorSays(t *testing.T) {
	addr, r, arrived := attacked(t, sdk.Continue)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	run := func(rounds int) (sent int64) {
		var wg sync.WaitGroup
		var ok atomic.Int64
		session := func(name func(i int) string) {
			c, err := talkTo(addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.conn.Close()
			for i := range rounds {
				reply, _, err := c.send(name(i))
				if err != nil || reply[0] != '2' {
					t.Errorf("%s: %q, %v", name(i), reply, err)
					return
				}
				ok.Add(1)
			}
		}
		for n := range 4 {
			wg.Go(func() { session(func(i int) string { return string(attacks[(i*7+n)%len(attacks)]) + "@rcpt.test" }) })
			wg.Go(func() { session(func(int) string { return "n@rcpt.test" }) })
		}
		wg.Wait()
		return ok.Load()
	}
	sent := run(2)
	before := heap()
	sent += run(30)
	for arrived.Load() < sent && !t.Failed() {
		time.Sleep(time.Millisecond)
	}
	if st := r.gen.Load().find("hostile").loaded.Stats(); st.Busy != 0 || st.Memory > 8*4<<20 || st.MaxMemory > 4<<20 {
		t.Errorf("%+v", st)
	}
	// Eight instances of at most 4 MiB may stay; the rest is slack for traces.
	if after := heap(); after > before+48<<20 {
		t.Errorf("the heap has grown from %d to %d octets", before, after)
	}
}

// BenchmarkRcptBesideAttacks shows the replies to RCPT that honest sessions get,
// alone and beside a session that attacks without a pause.
func BenchmarkRcptBesideAttacks(b *testing.B) {
	for _, name := range []string{"alone", "spinning", "all"} {
		b.Run(name, func(b *testing.B) {
			addr, _, _ := attacked(b, sdk.Continue)
			stop := make(chan struct{})
			var wg sync.WaitGroup
			if name != "alone" {
				with := attacks
				if name == "spinning" {
					with = "s"
				}
				wg.Go(func() {
					c, err := talkTo(addr)
					for i := 0; err == nil; i++ {
						select {
						case <-stop:
							return
						default:
							_, _, err = c.send(string(with[i%len(with)]) + "@rcpt.test")
						}
					}
				})
			}
			c, err := talkTo(addr)
			if err != nil {
				b.Fatal(err)
			}
			var times []time.Duration
			for b.Loop() {
				_, took, err := c.send("n@rcpt.test")
				if err != nil {
					b.Fatal(err)
				}
				times = append(times, took)
			}
			close(stop)
			wg.Wait()
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-us")
		})
	}
}
