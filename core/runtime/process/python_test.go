package process

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// python finds one that has gRPC, and skips without; CI has Debian's.
func python(t testing.TB) string {
	t.Helper()
	for _, path := range []string{"/usr/bin/python3", "python3"} {
		found, err := exec.LookPath(path)
		if err == nil && exec.Command(found, "-c", "import grpc, google.protobuf").Run() == nil {
			return found
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("there is no Python with gRPC: apt-get install python3-grpcio python3-protobuf")
	}
	t.Skip("there is no Python with gRPC: apt-get install python3-grpcio python3-protobuf")
	return ""
}

// loader plays stories with a program.
func loader(t testing.TB, source string) plugintest.Loader {
	return func(ctx context.Context, host sdk.Host, config []byte) (*sdk.Handlers, func() error, error) {
		dir, err := os.MkdirTemp("", "p")
		if err != nil {
			return nil, nil, err
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		rt := New(Options{Dir: dir + "/run", Logf: func(plugin, format string, args ...any) { t.Logf(plugin+": "+format, args...) }})
		all := runtime.Grants{Relay: true, DNS: true, HTTP: []string{"*"}, KV: 1 << 20, Body: runtime.Write, Headers: runtime.Write, Clock: true, Send: true}
		l, err := rt.Load(ctx, runtime.Spec{Name: "plugin", Source: Prefix + source, Config: config, Grants: all}, host)
		if err != nil {
			return nil, nil, err
		}
		return l.Handlers(), l.Close, nil
	}
}

func absolute(t testing.TB, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

func TestTheGreylistInPythonHasTheSameStories(t *testing.T) {
	source := python(t) + " " + absolute(t, "../../../sdk/python/examples/greylist/greylist.py")
	plugintest.RunWith(t, loader(t, source), "../../../plugins/greylist/testdata/*.txtar")
}

// What Python makes of the fixtures is what Go makes of them, and what protoc
// makes of the .proto is what the SDK carries with it.
func TestPythonAgreesWithTheFixtures(t *testing.T) {
	args := []string{"../../../sdk/python/tests/fixtures.py", "../../../sdk/testdata/wire"}
	if protoc, err := exec.LookPath("protoc"); err == nil {
		set := filepath.Join(t.TempDir(), "mta.ds")
		if out, err := exec.Command(protoc, "--proto_path=../../../sdk/proto", "--descriptor_set_out="+set, "mta.proto").CombinedOutput(); err != nil {
			t.Fatalf("protoc: %v\n%s", err, out)
		}
		args = append(args, set)
	} else if os.Getenv("CI") == "true" {
		t.Fatal("there is no protoc: apt-get install protobuf-compiler")
	}
	if out, err := exec.Command(python(t), args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestAPluginInPythonHasAllOfTheContract(t *testing.T) {
	source := python(t) + " " + absolute(t, "testdata/subject.py")
	p, host := mustLoad(t, "", func(rt *processes, s *runtime.Spec) {
		quick(rt, s)
		s.Source = Prefix + source
	})
	if d := p.About().Description; d.Name != "python-subject" || d.Version != "0.1.0" {
		t.Errorf("%+v", d)
	}
	for word, want := range map[string]string{
		"kv": "1 [b'v'] None True", "nothing": "", "now": "2026-01-02 15:04:05", "name": "mx.example.org",
		"dns": "['v=spf1 -all'] ['mx1']", "http": "404", "random": "16", "storm": "5000",
	} {
		host.SetDNS(sdk.RecordTXT, "example.org", "v=spf1 -all")
		host.SetMX("example.org", sdk.MX{Hosts: []string{"mx1"}})
		if a, err := rcpt(t.Context(), p, word); err != nil || a.Reason != want || a.Action != sdk.Continue {
			t.Errorf("%s: %+v %v", word, a, err)
		}
	}
	session := plugintest.Session()
	session.Notes = sdk.Notes{"plugin.seen": "mine", "other.seen": "not mine"}
	own := &sdk.RcptEvent{Session: session, Envelope: plugintest.Envelope("a@example.com"), Recipient: sdk.Recipient{Addr: "own@example.org"}}
	if a, err := p.Handlers().Rcpt(t.Context(), own); err != nil || a.Reason != "mine" {
		t.Errorf("%+v %v", a, err)
	}
	if n := host.Metric("storm"); n != 5000 {
		t.Errorf("%v of 5000 metrics came", n)
	}
	if _, err := rcpt(t.Context(), p, "error"); err == nil || err.Error() != "the database is gone" {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := rcpt(ctx, p, "wait"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	until(t, "the hook saw its end", func() bool {
		a, err := rcpt(t.Context(), p, "waited")
		return err == nil && a.Reason == "1"
	})
	a, err := p.Handlers().Data(t.Context(), &sdk.DataEvent{Session: plugintest.Session(), Envelope: plugintest.Envelope("a@x", "b@x"), Message: plugintest.Message("Subject: hi\n\nbody\n")})
	if err != nil || a.Action != sdk.Accept || a.Reason != "hi 21 body" || len(a.Recipients) != 1 || a.Recipients[0].Action != sdk.Discard {
		t.Errorf("%+v %v", a, err)
	}
	r, err := p.Handlers().Route(t.Context(), &sdk.RouteEvent{Envelope: plugintest.Envelope("a@x", "b@x"), Recipient: sdk.Recipient{Addr: "b@x"}, Attempt: 1})
	if err != nil || r.Action != sdk.RouteUse || len(r.Route.Hosts) != 2 || r.Route.TLS != "verify" {
		t.Errorf("%+v %v", r, err)
	}
	d, err := p.Handlers().Deliver(t.Context(), &sdk.DeliverEvent{Envelope: plugintest.Envelope("a@x", "b@x"), Message: plugintest.Message("A: b\n\nc\n"), Recipients: []sdk.Recipient{{Addr: "b@x"}}, Route: sdk.Route{Via: "subject", Hosts: []string{"mx1"}}})
	if err != nil || len(d.Outcomes) != 1 || d.Outcomes[0].Status != sdk.StatusDelivered || len(host.Sent()) != 1 {
		t.Errorf("%+v %v", d, err)
	}
	if _, err := p.Handlers().Disconnect(t.Context(), &sdk.DisconnectEvent{Reason: "quit"}); err != nil {
		t.Error(err)
	}
	if _, err := rcpt(t.Context(), p, "exit"); err == nil || !strings.Contains(err.Error(), "went away") {
		t.Errorf("%v", err)
	}
	until(t, "it runs again", func() bool { return p.Stats().Restarts == 1 })
	p.Close()
	until(t, "its last word is logged", func() bool {
		return slices.ContainsFunc(host.Logs(), func(l plugintest.Log) bool { return strings.HasPrefix(l.Text, "stopped") })
	})
}

func TestAPluginInPythonSaysWhyItDoesNotStart(t *testing.T) {
	source := python(t) + " " + absolute(t, "testdata/subject.py")
	for config, want := range map[string]string{`{"colour": "red"}`: "start: no colours here", `{"unfit": true}`: "self-test failed: unfit", `{"syntax": true}`: ""} {
		_, _, err := load(t, "", func(_ *processes, s *runtime.Spec) {
			s.Source, s.Config = Prefix+source, []byte(config)
		})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", config, err)
		}
	}
	broken := filepath.Join(t.TempDir(), "broken.py")
	if err := os.WriteFile(broken, []byte("import no_such_module\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, _, err := load(t, "", func(_ *processes, s *runtime.Spec) { s.Source = Prefix + python(t) + " " + broken })
	if err == nil || !strings.Contains(err.Error(), "No module named 'no_such_module'") {
		t.Errorf("%v", err)
	}
}

func TestThePluginOfTheReadmeWorks(t *testing.T) {
	exe := python(t)
	text, err := os.ReadFile("../../../sdk/python/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, ok := strings.Cut(string(text), "```python\n")
	code, _, _ = strings.Cut(code, "```")
	dir := t.TempDir()
	if err := os.CopyFS(dir+"/mta_plugin", os.DirFS("../../../sdk/python/mta_plugin")); err != nil || !ok {
		t.Fatal(err, ok)
	}
	if err := os.WriteFile(dir+"/plugin.py", []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	p, _ := mustLoad(t, "", func(_ *processes, s *runtime.Spec) {
		s.Source, s.Config = Prefix+exe+" "+dir+"/plugin.py", []byte(`{"limit": 1}`)
	})
	for i, want := range []sdk.Action{sdk.Continue, sdk.Reject} {
		if a, err := rcpt(t.Context(), p, "b"); err != nil || a.Action != want {
			t.Errorf("%d: %+v %v", i, a, err)
		}
	}
}
