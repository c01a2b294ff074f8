package relay_test

import (
	"context"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/plugins/relay"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestStories(t *testing.T) { plugintest.Run(t, relay.New) }

const config = `{"domains": ["ours.example", ".sub.example"], "networks": ["10.0.0.0/8", "2001:db8:1::/48"]}`

func start(t testing.TB, config string) sdk.RcptHook {
	t.Helper()
	p := relay.New()
	if err := p.Start(context.Background(), plugintest.NewHost(), []byte(config)); err != nil {
		t.Fatal(err)
	}
	return p.(sdk.RcptHook)
}

func ask(t testing.TB, p sdk.RcptHook, ip, login, rcpt string) sdk.Answer {
	t.Helper()
	s := plugintest.Session()
	s.RemoteIP, s.Login = ip, login
	a, err := p.OnRcpt(context.Background(), &sdk.RcptEvent{Session: s, Envelope: plugintest.Envelope("a@b.example"), Recipient: sdk.Recipient{Addr: rcpt}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestARewrittenAddressIsJudgedAsTheClientGaveIt(t *testing.T) {
	p := start(t, config)
	for _, tt := range []struct {
		orig, now string
		want      sdk.Action
	}{
		{"sales@ours.example", "bob@remote.example", sdk.Accept},
		{"postmaster", "bob@remote.example", sdk.Accept},
		{"bob@remote.example", "sales@ours.example", sdk.Continue},
		{"bob%remote.example@ours.example", "bob@ours.example", sdk.Reject},
	} {
		e := &sdk.RcptEvent{Session: plugintest.Session(), Envelope: plugintest.Envelope("a@b.example"), Recipient: sdk.Recipient{Addr: tt.now, Orig: tt.orig}}
		if a, err := p.OnRcpt(context.Background(), e); err != nil || a.Action != tt.want {
			t.Errorf("%s, rewritten to %s: %v (%v), want %v", tt.orig, tt.now, a.Action, err, tt.want)
		}
	}
}

// The forms with which open relays were looked for and found, from a stranger.
// Some never get past the parser of the core; the policy does not rely on that.
func TestNoFormOfAddressMakesAnOpenRelay(t *testing.T) {
	const (
		yes     = sdk.Accept
		nobody  = sdk.Continue // nobody accepts: the core says 550 5.7.1
		refused = sdk.Reject
	)
	p := start(t, config)
	for _, tt := range []struct {
		rcpt string
		want sdk.Action
	}{
		{`u@ours.example`, yes},
		{`U@OURS.Example`, yes},
		{`u+detail@ours.example`, yes},
		{`"a b"@ours.example`, yes},
		{`postmaster`, yes},
		{`Postmaster`, yes},
		{`postmaster@ours.example`, yes},
		{`u@a.sub.example`, yes},
		{`u@b.a.SUB.example`, yes},

		{`u@remote.example`, nobody},
		{`u@sub.example`, nobody}, // ".sub.example" is not sub.example itself
		{`u@xours.example`, nobody},
		{`u@xsub.example`, nobody},
		{`u@a.ours.example`, nobody},
		{`u@ours.example.remote.example`, nobody},
		{`u@remote.example.`, nobody},
		{`u@ours.example.`, nobody}, // not the form of an address here, so not ours
		{`u@.sub.example`, nobody},
		{`u@sub.example.`, nobody},
		{`u@`, nobody},
		{`@`, nobody},
		{``, nobody},
		{`u`, nobody},
		{`root`, nobody},
		{`postmaster@remote.example`, nobody},
		{`"postmaster"`, nobody},
		{`remote.example!u`, nobody}, // a bare bang path has no domain at all
		{`a!b!u@remote.example`, nobody},
		{`u%ours.example@remote.example`, nobody},
		{`u@ours.example@remote.example`, nobody},
		{`"u@ours.example"@remote.example`, nobody},
		{`@ours.example:u@remote.example`, nobody}, // a source route that reached us unparsed
		{`@a.example,@ours.example:u@remote.example`, nobody},
		{`u@[127.0.0.1]`, nobody},
		{`u@[10.0.0.1]`, nobody},
		{`u@[IPv6:::1]`, nobody},
		{`u@[ours.example]`, nobody},
		{`u@127.0.0.1`, nobody},
		{`u@localhost`, nobody},
		{`u@ours.example>`, nobody},
		{"u@ours.example\x00", nobody},
		{"u@ours.example ", nobody},
		{`u@ＯＵＲＳ.example`, nobody}, // full-width letters are other letters

		{`u%remote.example@ours.example`, refused},
		{`u%[192.0.2.1]@ours.example`, refused},
		{`u%a%b@ours.example`, refused},
		{`%@ours.example`, refused},
		{`remote.example!u@ours.example`, refused},
		{`a!b!u@a.sub.example`, refused},
		{`u@remote.example@ours.example`, refused},
		{`"u@remote.example"@ours.example`, refused},
		{`"u%remote.example"@ours.example`, refused},
		{`"remote.example!u"@ours.example`, refused},
		{`"u\@remote.example"@ours.example`, refused},
		{`@remote.example:u@ours.example@ours.example`, refused},
		{`"@remote.example:u"@ours.example`, refused},
	} {
		a := ask(t, p, "192.0.2.1", "", tt.rcpt)
		if a.Action != tt.want {
			t.Errorf("RCPT TO:<%s> from a stranger: %v (%s), want %v", tt.rcpt, a.Action, a.Reason, tt.want)
		}
		if tt.want == refused && (a.Reply.Code != 550 || a.Reply.Enhanced != "5.7.1") {
			t.Errorf("RCPT TO:<%s> is refused with %q, want 550 5.7.1", tt.rcpt, a.Reply)
		}
	}
}

func TestTrustedClientsMaySendAnywhere(t *testing.T) {
	p := start(t, config)
	for _, tt := range []struct {
		ip, login string
		want      sdk.Action
	}{
		{"10.255.0.1", "", sdk.Accept},
		{"::ffff:10.0.0.1", "", sdk.Accept}, // the same client on a socket for both families
		{"2001:db8:1::5", "", sdk.Accept},
		{"2001:db8:1::5%eth0", "", sdk.Accept},
		{"192.0.2.1", "alice", sdk.Accept},
		{"11.0.0.1", "", sdk.Continue},
		{"2001:db8:2::5", "", sdk.Continue},
		{"", "", sdk.Continue},
		{"nonsense", "", sdk.Continue},
		{"10.0.0.1:25", "", sdk.Continue},
	} {
		for _, rcpt := range []string{"u@remote.example", "u%x@remote.example", "u@[192.0.2.9]"} {
			if a := ask(t, p, tt.ip, tt.login, rcpt); a.Action != tt.want {
				t.Errorf("client %q login %q to %s: %v, want %v", tt.ip, tt.login, rcpt, a.Action, tt.want)
			}
		}
	}
	if a := ask(t, p, "10.0.0.1", "", "u%remote.example@ours.example"); a.Action != sdk.Accept {
		t.Errorf("a trusted client may route through us, got %v", a.Action)
	}
}

func TestWithoutConfigurationNothingButPostmasterIsAccepted(t *testing.T) {
	p := start(t, "{}")
	for _, rcpt := range []string{"u@ours.example", "u@localhost", "u", ""} {
		if a := ask(t, p, "127.0.0.1", "", rcpt); a.Action != sdk.Continue {
			t.Errorf("%q: %v", rcpt, a.Action)
		}
	}
	if a := ask(t, p, "192.0.2.1", "", "postmaster"); a.Action != sdk.Accept {
		t.Errorf("postmaster: %v", a.Action)
	}
}

func TestAMistakeInTheConfigurationIsNamed(t *testing.T) {
	for _, tt := range []struct{ config, want string }{
		{`{"domains": ["*"]}`, "open relay"},
		{`{"domains": ["*.example.org"]}`, `".example.org"`},
		{`{"domains": [""]}`, `domain ""`},
		{`{"domains": ["."]}`, `domain "."`},
		{`{"domains": ["..a"]}`, `domain "..a"`},
		{`{"domains": ["a."]}`, `domain "a."`},
		{`{"domains": ["u@a"]}`, `domain "u@a"`},
		{`{"domains": ["[127.0.0.1]"]}`, "literals"},
		{`{"domains": ["bücher.example"]}`, "xn--"},
		{`{"networks": ["0.0.0.0/0"]}`, "open relay"},
		{`{"networks": ["::/0"]}`, "open relay"},
		{`{"networks": ["10.1.2.3/8"]}`, `10.0.0.0/8`},
		{`{"networks": ["::ffff:10.0.0.0/104"]}`, "IPv4"},
		{`{"networks": ["localhost"]}`, `network "localhost"`},
		{`{"domain": ["a"]}`, `"domain"`},
	} {
		err := relay.New().Start(context.Background(), plugintest.NewHost(), []byte(tt.config))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want it to name %s", tt.config, err, tt.want)
		}
	}
}

func FuzzAStrangerReachesOurDomainsOnly(f *testing.F) {
	f.Add("u@ours.example")
	f.Add(`"@"@ours.example`)
	p := start(f, config)
	f.Fuzz(func(t *testing.T, rcpt string) {
		if ask(t, p, "192.0.2.1", "", rcpt).Action != sdk.Accept || strings.EqualFold(rcpt, "postmaster") {
			return
		}
		local, domain, _ := strings.Cut(strings.ToLower(rcpt), "@")
		if strings.ContainsAny(local, "%!") || domain != "ours.example" && !strings.HasSuffix(domain, ".sub.example") {
			t.Errorf("accepted %q", rcpt)
		}
	})
}

func BenchmarkRcpt(b *testing.B) {
	p := start(b, config)
	s := plugintest.Session()
	e := &sdk.RcptEvent{Session: s, Envelope: plugintest.Envelope("a@b.example"), Recipient: sdk.Recipient{Addr: "user@host.sub.example"}}
	b.ReportAllocs()
	for b.Loop() {
		if a, _ := p.OnRcpt(context.Background(), e); a.Action != sdk.Accept {
			b.Fatal(a)
		}
	}
}
