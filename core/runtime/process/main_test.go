package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
	"github.com/programmable-mta/mta/sdk/serve"
)

// The test program is also the plugin: with the cookie in its environment it
// serves, in the way that its first argument names.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_RELAY") != "" {
		relay()
	}
	if os.Getenv("MTA_PLUGIN") == "" {
		os.Exit(m.Run())
	}
	mode := os.Args[1]
	switch mode {
	case "exit-at-start":
		fmt.Fprintln(os.Stderr, "no library, no service")
		os.Exit(3)
	case "silent":
		select {}
	case "gossip":
		fmt.Println("hello, is this the relay?")
		select {}
	case "elsewhere":
		fmt.Println("1|1|tcp|127.0.0.1:1|grpc")
		select {}
	case "grandchild":
		// It holds our outputs, and stays when we die.
		child := exec.Command("/proc/self/exe", "silent")
		child.Env, child.Stdout, child.Stderr = os.Environ(), os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			panic(err)
		}
		os.WriteFile(os.Args[2], fmt.Append(nil, child.Process.Pid), 0o600)
	}
	if mode == "liar" || mode == "talker" {
		lie(mode)
		return
	}
	serve.Register(func() sdk.Plugin { return &subject{mode: mode} })
	serve.Run()
}

// relay loads this program as a plugin, says its process ID, and waits for its
// violent end.
func relay() {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	l, err := New(Options{Dir: os.Getenv("TEST_RELAY")}).Load(context.Background(), runtime.Spec{Name: "subject", Source: Prefix + exe + " plain"}, plugintest.NewHost())
	if err != nil {
		panic(err)
	}
	a, err := rcpt(context.Background(), l.(*plugin), "pid")
	fmt.Println(a.Reason, err)
	select {}
}

// subject is a plugin with all faults.
type subject struct {
	mode string
	host sdk.Host
}

func (p *subject) Describe() sdk.Description {
	d := sdk.Description{Name: "subject", Version: "1.2.3"}
	switch p.mode {
	case "few-fields":
		d.Hooks = map[string][]string{"rcpt": {"session.remote_ip"}}
	case "needs-kv":
		d.Needs = []string{"kv"}
	case "unknown-field":
		d.Hooks = map[string][]string{"rcpt": {"session.colour"}}
	}
	return d
}

func (p *subject) Start(ctx context.Context, host sdk.Host, config []byte) error {
	p.host = host
	switch p.mode {
	case "bad-config":
		return sdk.DecodeConfig(config, &struct {
			Limit int `json:"limit"`
		}{})
	case "hang-in-start":
		select {}
	case "ignore-close":
		for range 3 {
			fmt.Fprintln(os.Stderr, "started")
		}
	}
	return nil
}

func (p *subject) SelfTest(context.Context) error {
	if p.mode == "unfit" {
		return errors.New("the database is not there")
	}
	return nil
}

func (p *subject) Close() error {
	if p.mode == "ignore-close" {
		select {}
	}
	return nil
}

func (p *subject) OnRcpt(ctx context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
	word := sdk.LocalPart(e.Recipient.Addr)
	switch {
	case word == "pid":
		return sdk.Answer{Reason: fmt.Sprint(os.Getpid())}, nil
	case word == "crash":
		fmt.Fprintln(os.Stderr, "about to crash")
		go panic("crash")
		select {}
	case word == "panic":
		panic("no such luck")
	case word == "exit":
		os.Exit(7)
	case word == "stop":
		syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		select {}
	case word == "error":
		return sdk.Answer{}, errors.New("the database is gone")
	case word == "wait":
		<-ctx.Done()
		p.host.Count(context.WithoutCancel(ctx), "cancelled", 1)
		return sdk.Answer{}, ctx.Err()
	case word == "deaf":
		select {}
	case word == "flood":
		for i := range 20_000 {
			fmt.Fprintln(os.Stderr, "line", i)
			fmt.Fprintln(os.Stdout, "line", i)
		}
		return sdk.Answer{Reason: "flooded"}, nil
	case word == "env":
		return sdk.Answer{Reason: strings.Join(os.Environ(), " ")}, nil
	case word == "grow":
		b := make([]byte, 200<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		<-ctx.Done()
		return sdk.Answer{Reason: fmt.Sprint(b[4096])}, nil
	case word == "kv":
		n, err := p.host.KV().Add(ctx, "count", 2, time.Minute)
		return sdk.Answer{Reason: fmt.Sprint(n)}, err
	case word == "storm":
		for range 5000 {
			p.host.Count(ctx, "storm", 1)
		}
		_, _, err := p.host.KV().Get(ctx, "x")
		return sdk.Answer{Reason: "calm"}, err
	case word == "now":
		return sdk.Answer{Reason: p.host.Now(ctx).Format(time.RFC3339)}, nil
	case word == "name":
		return sdk.Answer{Reason: p.host.Hostname()}, nil
	case word == "seen":
		return sdk.Answer{Reason: fmt.Sprintf("%s %s %s", e.Session.RemoteIP, e.Session.Helo, e.Envelope.From)}, nil
	}
	return sdk.Rejected("5.1.1", "no such user"), nil
}

func (p *subject) OnData(ctx context.Context, e *sdk.DataEvent) (sdk.Answer, error) {
	h, err := e.Message.Header()
	if err != nil {
		return sdk.Answer{}, err
	}
	return sdk.Answer{Reason: h.Get("Subject")}, nil
}

func (p *subject) OnDeliver(ctx context.Context, e *sdk.DeliverEvent) (sdk.DeliverAnswer, error) {
	out, err := p.host.Send(ctx, e, sdk.SendOptions{})
	return sdk.DeliverAnswer{Outcomes: out}, err
}

func (p *subject) OnDisconnect(ctx context.Context, e *sdk.DisconnectEvent) error {
	p.host.Log(ctx, 0, "gone", "reason", e.Reason)
	return nil
}

// load starts the test program as a plugin.
func load(t testing.TB, mode string, change func(*processes, *runtime.Spec)) (*plugin, *plugintest.Host, error) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The path of a socket is short, that of a test's folder is not.
	dir, err := os.MkdirTemp("", "p")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	rt := New(Options{Dir: dir + "/run", Logf: func(plugin, format string, args ...any) { t.Logf(plugin+": "+format, args...) }}).(*processes)
	host := plugintest.NewHost()
	spec := runtime.Spec{Name: "subject", Source: Prefix + exe + " " + mode, Grants: runtime.Grants{KV: 1 << 20, Headers: runtime.Write, Body: runtime.Write, Send: true, DNS: true, HTTP: []string{"*"}}}
	if change != nil {
		change(rt, &spec)
	}
	l, err := rt.Load(t.Context(), spec, host)
	if err != nil {
		if l != nil {
			t.Error("both a plugin and an error")
		}
		return nil, host, err
	}
	t.Cleanup(func() { l.Close() })
	return l.(*plugin), host, nil
}

func mustLoad(t testing.TB, mode string, change func(*processes, *runtime.Spec)) (*plugin, *plugintest.Host) {
	t.Helper()
	p, host, err := load(t, mode, change)
	if err != nil {
		t.Fatal(err)
	}
	return p, host
}

// rcpt asks the rcpt hook about a local part.
func rcpt(ctx context.Context, p *plugin, word string) (sdk.Answer, error) {
	return p.Handlers().Rcpt(ctx, &sdk.RcptEvent{Session: plugintest.Session(), Envelope: plugintest.Envelope("a@example.com"), Recipient: sdk.Recipient{Addr: word + "@example.org"}})
}

// until polls for something that happens elsewhere.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	end := time.Now().Add(15 * time.Second)
	for !cond() {
		if time.Now().After(end) {
			t.Fatalf("it never happened: %s", what)
		}
		time.Sleep(5 * time.Millisecond) // a poll of another process
	}
}
