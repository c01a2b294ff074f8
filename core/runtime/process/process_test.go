package process

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestAHookIsAnsweredByAProcess(t *testing.T) {
	p, host := mustLoad(t, "plain", nil)
	a, err := rcpt(t.Context(), p, "nobody")
	if err != nil || a.Action != sdk.Reject || a.Reply.Text != "no such user" {
		t.Fatalf("%+v %v", a, err)
	}
	hs := p.Handlers()
	if hs.Data == nil || hs.Connect != nil {
		t.Errorf("%+v", hs)
	}
	if _, err := hs.Disconnect(t.Context(), &sdk.DisconnectEvent{Reason: "quit"}); err != nil {
		t.Error(err)
	}
	if logs := host.Logs(); len(logs) != 1 || logs[0].Text != "gone reason=quit" {
		t.Errorf("%v", logs)
	}
	about := p.About()
	if about.Runtime != "process" || len(about.Digest) != 64 || about.Description.Version != "1.2.3" || !p.Inline() {
		t.Errorf("%+v", about)
	}
	if s := p.Stats(); s.State != "ready" || s.Instances != 1 || s.Busy != 0 {
		t.Errorf("%+v", s)
	}
	dir := p.rt.dir.place()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := rcpt(context.Background(), p, "nobody"); err == nil {
		t.Error("a closed plugin answers")
	}
	if s := p.Stats(); s.Instances != 0 || s.State != "closed" {
		t.Errorf("%+v", s)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder of the sockets is still there: %v", err)
	}
}

func TestCallsOfTheHostGoThroughTheStream(t *testing.T) {
	p, host := mustLoad(t, "plain", nil)
	for word, want := range map[string]string{
		"kv": "2", "storm": "calm", "name": "mx.example.org", "now": "2026-01-02T15:04:05Z", "seen": "192.0.2.1 client.example.com a@example.com",
	} {
		if a, err := rcpt(t.Context(), p, word); err != nil || a.Reason != want {
			t.Errorf("%s: %q %v", word, a.Reason, err)
		}
	}
	if n := host.Metric("storm"); n != 5000 {
		t.Errorf("%v of 5000 metrics came", n)
	}
	var cost runtime.Cost
	if _, err := rcpt(runtime.WithCost(t.Context(), &cost), p, "kv"); err != nil || cost.Calls != 1 {
		t.Errorf("%+v %v", cost, err)
	}
	a, err := p.Handlers().Data(t.Context(), &sdk.DataEvent{Session: plugintest.Session(), Envelope: plugintest.Envelope("a@x", "b@x"), Message: plugintest.Message("Subject: long\n\n" + strings.Repeat("x\n", 300_000))})
	if err != nil || a.Reason != "long" {
		t.Errorf("%+v %v", a, err)
	}
	d := &sdk.DeliverEvent{Envelope: plugintest.Envelope("a@x", "b@x"), Message: plugintest.Message("A: b\n\nc\n"), Recipients: []sdk.Recipient{{Addr: "b@x"}}, Route: sdk.Route{Via: "subject", Hosts: []string{"mx1"}}}
	out, err := p.Handlers().Deliver(t.Context(), d)
	if err != nil || len(out.Outcomes) != 1 || out.Outcomes[0].Status != sdk.StatusDelivered {
		t.Errorf("%+v %v", out, err)
	}
	if sent := host.Sent(); len(sent) != 1 || sent[0].Event.Route.Hosts[0] != "mx1" || sent[0].Event.Message.Size != 11 {
		t.Errorf("%+v", sent)
	}
}

func TestWhatIsNotGrantedIsRefused(t *testing.T) {
	p, _ := mustLoad(t, "plain", func(_ *processes, s *runtime.Spec) { s.Grants = runtime.Grants{} })
	if _, err := rcpt(t.Context(), p, "kv"); err == nil || !strings.Contains(err.Error(), "allow.kv") {
		t.Errorf("%v", err)
	}
	e := &sdk.DataEvent{Envelope: plugintest.Envelope("a@x", "b@x"), Message: plugintest.Message("A: b\n\nc\n")}
	if _, err := p.Handlers().Data(t.Context(), e); err == nil {
		t.Error("the message is read without a grant")
	}
}

func TestOnlyTheFieldsThatItNamedAreSent(t *testing.T) {
	p, _ := mustLoad(t, "few-fields", nil)
	if p.Handlers().Data != nil {
		t.Error("a hook that it does not want")
	}
	a, err := p.Handlers().Rcpt(t.Context(), &sdk.RcptEvent{Session: plugintest.Session(), Recipient: sdk.Recipient{Addr: "seen@example.org"}})
	if err != nil || a.Action != sdk.Reject { // it does not see "seen"
		t.Errorf("%+v %v", a, err)
	}
}

func TestManyCallsRunAtTheSameTime(t *testing.T) {
	p, _ := mustLoad(t, "plain", func(_ *processes, s *runtime.Spec) { s.Limits.Instances = 16 })
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			word, want := "nobody", ""
			if i%2 == 0 {
				word, want = "name", "mx.example.org"
			}
			for range 20 {
				if a, err := rcpt(t.Context(), p, word); err != nil || a.Reason != want {
					t.Errorf("%+v %v", a, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// Each of them is refused within its time, with a sentence, and leaves nothing.
func TestAPluginThatDoesNotStartIsRefused(t *testing.T) {
	digest := strings.Repeat("ab", 32)
	for mode, tc := range map[string]struct {
		change func(*processes, *runtime.Spec)
		want   string
	}{
		"exit-at-start":    {nil, "exit status 3 before it was ready; it wrote: no library, no service"},
		"silent":           {nil, "not ready within 600ms"},
		"gossip":           {nil, "hello, is this the relay?"},
		"elsewhere":        {nil, "listens on tcp 127.0.0.1:1"},
		"hang-in-start":    {nil, "not ready within 600ms"},
		"bad-config":       {func(_ *processes, s *runtime.Spec) { s.Config = []byte(`{"limti": 1}`) }, `"limti"`},
		"unfit":            {nil, "self-test failed: the database is not there"},
		"needs-kv":         {func(_ *processes, s *runtime.Spec) { s.Grants.KV = 0 }, "add allow.kv"},
		"unknown-field":    {nil, `no "colour"`},
		"wrong-digest":     {func(_ *processes, s *runtime.Spec) { s.SHA256 = digest }, "the configuration wants " + digest},
		"no-such-hook":     {func(_ *processes, s *runtime.Spec) { s.Hooks = []string{"route"} }, `does not have the hook "route"`},
		"no-program":       {func(_ *processes, s *runtime.Spec) { s.Source = "process:/dev/null" }, "is no program"},
		"no-file":          {func(_ *processes, s *runtime.Spec) { s.Source = "process:/nonexistent/x" }, "no such file"},
		"no-path":          {func(_ *processes, s *runtime.Spec) { s.Source = "process:" }, "followed by the path"},
		"no-process":       {func(_ *processes, s *runtime.Spec) { s.Source = "file:x" }, "does not begin"},
		"an-open-folder":   {func(rt *processes, _ *runtime.Spec) { os.Mkdir(rt.dir.base, 0o755) }, "can be entered by others"},
		"a-distant-folder": {func(rt *processes, _ *runtime.Spec) { rt.dir.base += strings.Repeat("x", 60) }, "more than 50 octets"},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			var rt *processes
			began := time.Now()
			_, _, err := load(t, mode, func(r *processes, s *runtime.Spec) {
				rt = r
				if strings.Contains(tc.want, "600ms") {
					r.timing.start = 600 * time.Millisecond
				}
				if tc.change != nil {
					tc.change(r, s)
				}
			})
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), `plugin "subject"`) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v", err)
			}
			if d := time.Since(began); d > 9*time.Second {
				t.Errorf("it took %s", d)
			}
			if rt.dir.path != "" {
				if _, err := os.Stat(rt.dir.path); !os.IsNotExist(err) {
					t.Errorf("the folder of the sockets is still there: %v", err)
				}
			}
		})
	}
}

func TestTheRightDigestRuns(t *testing.T) {
	exe, _ := os.Executable()
	b, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	p, _ := mustLoad(t, "plain", func(_ *processes, s *runtime.Spec) { s.SHA256 = strings.ToUpper(hex.EncodeToString(sum[:])) })
	if a, err := rcpt(t.Context(), p, "name"); err != nil || a.Reason != "mx.example.org" || p.About().Digest != hex.EncodeToString(sum[:]) {
		t.Errorf("%+v %v %s", a, err, p.About().Digest)
	}
}

func TestAScriptWithTheRightDigestRuns(t *testing.T) {
	exe, _ := os.Executable()
	script := filepath.Join(t.TempDir(), "plugin.sh")
	text := "#!/bin/sh\nexec " + exe + " \"$@\"\n"
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(text))
	p, _ := mustLoad(t, "plain", func(_ *processes, s *runtime.Spec) {
		s.Source, s.SHA256 = Prefix+script+" plain", hex.EncodeToString(sum[:])
	})
	if a, err := rcpt(t.Context(), p, "name"); err != nil || a.Reason != "mx.example.org" {
		t.Errorf("%+v %v", a, err)
	}
}

func TestTheEnvironmentIsClean(t *testing.T) {
	t.Setenv("SECRET_OF_THE_RELAY", "x")
	p, _ := mustLoad(t, "plain", nil)
	a, err := rcpt(t.Context(), p, "env")
	if err != nil {
		t.Fatal(err)
	}
	for v := range strings.FieldsSeq(a.Reason) {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, "PLUGIN_") && !slices.Contains([]string{"PATH", "LANG", "TZ", "MTA_PLUGIN", "MTA_PLUGIN_PARENT"}, name) {
			t.Errorf("%s is in the environment", v)
		}
	}
}

// quick shortens what supervision waits for.
func quick(rt *processes, s *runtime.Spec) {
	rt.timing.health, rt.timing.healthLimit = 50*time.Millisecond, 100*time.Millisecond
	rt.timing.backoff, rt.timing.tripped = 5*time.Millisecond, 300*time.Millisecond
	rt.timing.grace, rt.timing.kill = 300*time.Millisecond, 300*time.Millisecond
	s.Limits.Deadline = 10 * time.Second
}

func TestAPluginThatCrashesInACallIsStartedAgain(t *testing.T) {
	for _, word := range []string{"crash", "exit", "stop"} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			p, _ := mustLoad(t, "plain", quick)
			before, err := rcpt(t.Context(), p, "pid")
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if _, err := rcpt(t.Context(), p, word); err == nil || !strings.Contains(err.Error(), "went away") {
				t.Errorf("%v", err)
			}
			if d := time.Since(began); d > 5*time.Second {
				t.Errorf("the call took %s", d)
			}
			until(t, "the plugin runs again", func() bool { return p.Stats().Restarts == 1 })
			after, err := rcpt(t.Context(), p, "pid")
			if err != nil || after.Reason == before.Reason {
				t.Errorf("%+v %v", after, err)
			}
			pid, _ := strconv.Atoi(before.Reason)
			if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
				t.Errorf("the old process is still there: %v", err)
			}
			if s := p.Stats(); s.Discarded != 1 || s.State != "ready" {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestOtherCallsOfACrashedProcessFailAndNoneWaits(t *testing.T) {
	p, _ := mustLoad(t, "plain", quick)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := rcpt(t.Context(), p, "wait"); err == nil || !strings.Contains(err.Error(), "went away") {
				t.Errorf("%v", err)
			}
		})
	}
	until(t, "all wait", func() bool { return p.Stats().Busy == 8 })
	if _, err := rcpt(t.Context(), p, "crash"); err == nil {
		t.Error("no error")
	}
	wg.Wait()
	if n := p.Stats().Busy; n != 0 {
		t.Errorf("%d slots are taken", n)
	}
}

func TestTooManyCrashesTripThePlugin(t *testing.T) {
	p, _ := mustLoad(t, "plain", func(rt *processes, s *runtime.Spec) {
		quick(rt, s)
		rt.timing.crashes = 3
	})
	for i := range 3 {
		until(t, "the plugin runs", func() bool { return p.Stats().Restarts == int64(i) && p.Stats().State == "ready" })
		rcpt(t.Context(), p, "exit")
	}
	until(t, "it trips", func() bool { return p.Stats().State == "tripped" })
	began := time.Now()
	_, err := rcpt(t.Context(), p, "nobody")
	if err == nil || !strings.Contains(err.Error(), "crashed 3 times") || !strings.Contains(err.Error(), "exit status 7") || time.Since(began) > 100*time.Millisecond {
		t.Errorf("%v", err)
	}
	until(t, "a start succeeds", func() bool { return p.Stats().State == "ready" })
	if _, err := rcpt(t.Context(), p, "nobody"); err != nil {
		t.Error(err)
	}
	rcpt(t.Context(), p, "exit") // one more within the window trips it at once
	until(t, "it trips again", func() bool { return p.Stats().State == "tripped" })
	p.Close() // and a tripped one is closed
	if s := p.Stats(); s.State != "closed" {
		t.Errorf("%+v", s)
	}
}

func TestACallEndsAtItsDeadline(t *testing.T) {
	p, host := mustLoad(t, "plain", func(_ *processes, s *runtime.Spec) {
		s.Limits.Deadline, s.Limits.Instances = 50*time.Millisecond, 2
	})
	for _, word := range []string{"wait", "deaf"} {
		began := time.Now()
		if _, err := rcpt(t.Context(), p, word); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "limits.deadline") || time.Since(began) > 5*time.Second {
			t.Errorf("%s: %v", word, err)
		}
	}
	// The late answer and the late call of the first do no harm.
	for range 20 {
		if a, err := rcpt(t.Context(), p, "name"); err != nil || a.Reason != "mx.example.org" {
			t.Fatalf("%+v %v", a, err)
		}
	}
	if host.Metric("cancelled") != 0 {
		t.Error("a call of a hook that is over was obeyed")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := rcpt(ctx, p, "wait"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestNoMoreCallsThanAllowedRunAtTheSameTime(t *testing.T) {
	p, _ := mustLoad(t, "plain", func(_ *processes, s *runtime.Spec) { s.Limits.Instances = 1 })
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { rcpt(ctx, p, "wait") })
	until(t, "the first is at work", func() bool { return p.Stats().Busy == 1 })
	short, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	if _, err := rcpt(short, p, "nobody"); err == nil || !strings.Contains(err.Error(), "limits.instances = 1") {
		t.Errorf("%v", err)
	}
	cancel()
	wg.Wait()
	if _, err := rcpt(t.Context(), p, "nobody"); err != nil {
		t.Error(err)
	}
}

func TestAnErrorOfThePluginIsItsOwnWords(t *testing.T) {
	p, _ := mustLoad(t, "plain", nil)
	if _, err := rcpt(t.Context(), p, "error"); err == nil || err.Error() != "the database is gone" {
		t.Errorf("%v", err)
	}
}

func TestAPanicIsAnErrorAndItsTraceIsLogged(t *testing.T) {
	p, host := mustLoad(t, "plain", nil)
	if _, err := rcpt(t.Context(), p, "panic"); err == nil || err.Error() != "panic: no such luck" {
		t.Errorf("%v", err)
	}
	if _, err := rcpt(t.Context(), p, "nobody"); err != nil {
		t.Error(err)
	}
	until(t, "the trace is logged", func() bool {
		return slices.ContainsFunc(host.Logs(), func(l plugintest.Log) bool { return strings.Contains(l.Text, "OnRcpt") })
	})
}

func TestAFloodOfOutputIsReadAndDropped(t *testing.T) {
	p, host := mustLoad(t, "plain", nil)
	began := time.Now()
	if a, err := rcpt(t.Context(), p, "flood"); err != nil || a.Reason != "flooded" {
		t.Errorf("%+v %v", a, err)
	}
	if n, most := len(host.Logs()), MaxLines*(2+int(time.Since(began)/time.Second)); n > most {
		t.Errorf("%d lines were logged, more than %d", n, most)
	}
	until(t, "lines are logged", func() bool { return len(host.Logs()) >= MaxLines })
}

func TestAPluginThatIgnoresItsEndIsKilled(t *testing.T) {
	p, _ := mustLoad(t, "ignore-close", quick)
	a, err := rcpt(t.Context(), p, "pid")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	p.Close()
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("Close took %s", d)
	}
	gone(t, a.Reason)
}

func TestAStoppedPluginIsClosedInTime(t *testing.T) {
	p, _ := mustLoad(t, "plain", func(rt *processes, s *runtime.Spec) {
		quick(rt, s)
		rt.timing.health = time.Hour // nobody finds out
		s.Limits.Deadline = 50 * time.Millisecond
	})
	a, err := rcpt(t.Context(), p, "pid")
	if err != nil {
		t.Fatal(err)
	}
	rcpt(t.Context(), p, "stop")
	// Nobody reads any more: requests pile up, and still every call ends.
	for range 20 {
		big := plugintest.Session()
		big.Notes["x.y"] = strings.Repeat("x", 1<<20)
		if _, err := p.Handlers().Rcpt(t.Context(), &sdk.RcptEvent{Session: big}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	began := time.Now()
	p.Close()
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("Close took %s", d)
	}
	gone(t, a.Reason)
}

func gone(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "process "+pid+" is gone", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n))
		return err != nil || strings.Contains(string(stat), ") Z ") // not ours to reap
	})
}

func TestAGrandchildThatHoldsTheOutputsIsNotWaitedFor(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	p, _ := mustLoad(t, "grandchild "+file, quick)
	first, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rcpt(t.Context(), p, "exit"); err == nil {
		t.Error("no error")
	}
	until(t, "the plugin runs again", func() bool { return p.Stats().Restarts == 1 })
	gone(t, string(first)) // with the group of its parent
	second, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	p.Close()
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("Close took %s", d)
	}
	gone(t, string(second))
}

func TestAPluginDiesWithItsRelay(t *testing.T) {
	dir, err := os.MkdirTemp("", "p")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{"TEST_RELAY=" + dir + "/run"}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid, fault string
	_, err = fmt.Fscanln(out, &pid, &fault)
	cmd.Process.Kill()
	cmd.Wait()
	if err != nil || fault != "<nil>" {
		t.Fatalf("%q %q %v", pid, fault, err)
	}
	gone(t, pid)
	// What it left is removed by the next relay.
	l, err := New(Options{Dir: dir + "/run"}).Load(t.Context(), runtime.Spec{Name: "subject", Source: Prefix + "/proc/self/exe plain"}, plugintest.NewHost())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	left, err := filepath.Glob(dir + "/run/*")
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != strconv.Itoa(os.Getpid()) {
		t.Errorf("%v %v", left, err)
	}
}

func TestAPluginThatGrowsIsKilled(t *testing.T) {
	p, _ := mustLoad(t, "plain", func(rt *processes, s *runtime.Spec) {
		quick(rt, s)
		rt.timing.health = 300 * time.Millisecond
		s.Limits.Memory = 100 << 20
	})
	if _, err := rcpt(t.Context(), p, "grow"); err == nil {
		t.Error("it grew")
	}
	until(t, "it is counted", func() bool { return p.Stats().Discarded == 1 && p.Stats().State == "ready" })
	p.limits.Memory = 1
	if err := p.weigh(p.child.Load().program.Load()); err == nil || !strings.Contains(err.Error(), "limits.memory") || p.Stats().MaxMemory == 0 {
		t.Errorf("%v", err)
	}
}

func TestAFileThatHasChangedIsNotStartedAgain(t *testing.T) {
	exe, _ := os.Executable()
	b, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	mine := filepath.Join(t.TempDir(), "plugin")
	if err := os.WriteFile(mine, b, 0o755); err != nil {
		t.Fatal(err)
	}
	p, _ := mustLoad(t, "plain", func(rt *processes, s *runtime.Spec) {
		quick(rt, s)
		s.Source = Prefix + mine + " plain"
	})
	other := mine + ".new"
	if err := os.WriteFile(other, append(b, 0), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, mine); err != nil {
		t.Fatal(err)
	}
	rcpt(t.Context(), p, "exit")
	until(t, "a start is refused", func() bool {
		_, err := rcpt(t.Context(), p, "nobody")
		return err != nil && strings.Contains(err.Error(), "mta plugin reload subject")
	})
}

func TestACommandLineIsTakenApart(t *testing.T) {
	for in, want := range map[string][]string{
		"/a/b":                  {"/a/b"},
		"  /a/b  -x\ty ":        {"/a/b", "-x", "y"},
		`"/with space/b" "c d"`: {"/with space/b", "c d"},
		`/a ""`:                 {"/a", ""},
		"":                      nil,
		`""`:                    nil,
		`"/a`:                   nil,
	} {
		got, err := split(in)
		if !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
}

func TestFoldersOfKilledRelaysAreRemoved(t *testing.T) {
	base := t.TempDir()
	mine := filepath.Join(base, strconv.Itoa(os.Getpid()))
	for _, d := range []string{"4194999/plugin-dir1", strconv.Itoa(os.Getpid()), "other"} { // pids end at 4194304
		if err := os.MkdirAll(filepath.Join(base, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	(&folder{base: base}).sweep()
	left, err := filepath.Glob(base + "/*")
	if err != nil || !slices.Equal(left, []string{mine, filepath.Join(base, "other")}) {
		t.Errorf("%v %v", left, err)
	}
}

// The path of a socket has at most 107 octets.
func TestPluginsStartWhereTheTemporaryFolderHasALongPath(t *testing.T) {
	deep := filepath.Join(t.TempDir(), strings.Repeat("x", 80))
	if err := os.Mkdir(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", deep)
	for name, source := range map[string]func(t *testing.T) string{
		"go":     func(*testing.T) string { return "/proc/self/exe plain" },
		"python": func(t *testing.T) string { return python(t) + " " + absolute(t, "testdata/subject.py") },
	} {
		t.Run(name, func(t *testing.T) {
			rt := New(Options{}).(*processes)
			l, err := rt.Load(t.Context(), runtime.Spec{Name: "subject", Source: Prefix + source(t), Grants: runtime.Grants{KV: 1 << 20}}, plugintest.NewHost())
			if err != nil {
				t.Fatal(err)
			}
			dir := rt.dir.place()
			info, err := os.Stat(dir)
			if err != nil || info.Mode().Perm() != 0o700 || strings.HasPrefix(dir, deep) {
				t.Errorf("%s: %v %v", dir, info, err)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(dir); !os.IsNotExist(err) {
				t.Errorf("%s is still there: %v", dir, err)
			}
		})
	}
}

func TestALongTemporaryFolderWithoutAnotherIsExplained(t *testing.T) {
	long := "/" + strings.Repeat("x", maxTemp)
	err := new(folder).temporary(long, t.TempDir()+"/none")
	if err == nil || !strings.Contains(err.Error(), "set TMPDIR") || !strings.Contains(err.Error(), long) {
		t.Error(err)
	}
}
