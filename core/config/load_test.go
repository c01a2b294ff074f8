package config

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

const least = "[[listen]]\naddress = \"127.0.0.1:2525\"\n"

func good(t *testing.T, text string) *Config {
	t.Helper()
	c, err := named.Parse("/etc/mta/mta.toml", text)
	if err != nil {
		t.Fatalf("%v\nin\n%s", err, text)
	}
	return c
}

func TestAFileHoldsOnlyWhatDiffersFromTheDefaults(t *testing.T) {
	c := good(t, least)
	want := Default()
	want.Hostname, want.Dir = "mx.test.example", "/etc/mta"
	want.Listen = []Listener{{Address: netip.MustParseAddrPort("127.0.0.1:2525"), Profile: "mx"}}
	c.file, c.places = "", nil
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestEveryKeyOfTheInterfaceArrives(t *testing.T) {
	c := good(t, `
hostname = "MX.Bücher.example."
spool = "/srv/mta"
shutdown_grace = "1m"
resolver.servers = ["192.0.2.53:53", "[2001:db8::53]:5353"]
[[listen]]
address = "[::]:25"
[[listen]]
address = "127.0.0.1:24"
profile = "lmtp"
[tls]
roots = "ca.pem"
certificates = [{cert = "c.pem", key = "/abs/k.pem"}]
[relay]
domains = ["Example.ORG", ".example.net", "*.example.com"]
networks = ["127.0.0.0/8", "::1", "192.0.2.7"]
[limits]
message_size = "50MiB"
min_data_rate = 0
command_line = 4096
[[route]]
to = "*.Internal.example"
hosts = ["10.1.2.3", "[2001:db8::1]:26", "relay.internal.example:25"]
tls = "verify"
auth = {user = "u", password_file = "p"}
[[route]]
to = "box.example"
from = "<>"
via = "lmtp"
hosts = ["unix:/run/lmtp.sock", "10.0.0.1"]
[[route]]
to = "*"
via = "archive"
[delivery]
retry = ["1m", "1h30m"]
lifetime = "2d"
concurrency = 3
delay_warning = "4h"
[[plugin]]
name = "archive"
source = "builtin:archiver"
hooks = ["rcpt", "deliver"]
on_error = {rcpt = "continue", deliver = "hold"}
mode = "active"
allow = {relay = true}
limits = {deadline = "2s"}
config = {any = "table", n = 1, list = [{a = true}, {b = 1.5}]}
[[plugin]]
name = "off-1"
source = "builtin:archiver"
mode = "shadow"
on_error = "reject"
[control]
socket = "/srv/mta/c.sock"
[metrics]
address = "127.0.0.1:9525"
[log]
format = "json"
level = "debug"
`)
	check := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, want %#v", what, got, want)
		}
	}
	check("hostname", c.Hostname, "mx.xn--bcher-kva.example")
	check("spool", c.Spool, "/srv/mta")
	check("grace", c.ShutdownGrace, time.Minute)
	check("servers", c.Resolver.Servers, []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53"), netip.MustParseAddrPort("[2001:db8::53]:5353")})
	check("listen", c.Listen, []Listener{{netip.MustParseAddrPort("[::]:25"), "mx"}, {netip.MustParseAddrPort("127.0.0.1:24"), "lmtp"}})
	check("tls", c.TLS, TLS{"/etc/mta/ca.pem", []Certificate{{"/etc/mta/c.pem", "/abs/k.pem"}}})
	check("domains", c.Relay.Domains, []string{"example.org", ".example.net", ".example.com"})
	check("networks", c.Relay.Networks, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("192.0.2.7/32")})
	check("size", c.Limits.MessageSize, Size(50<<20))
	check("rate", c.Limits.MinDataRate, Size(0))
	check("line", c.Limits.CommandLine, Size(4096))
	check("routes", c.Routes, []Route{
		{To: ".internal.example", From: "*", Via: "smtp", Hosts: []string{"10.1.2.3", "[2001:db8::1]:26", "relay.internal.example:25"}, TLS: "verify", Auth: &Login{"u", "/etc/mta/p"}},
		{To: "box.example", From: "<>", Via: "lmtp", Hosts: []string{"unix:/run/lmtp.sock", "10.0.0.1"}, TLS: "may"},
		{To: "*", From: "*", Via: "archive", TLS: "may"},
	})
	check("delivery", c.Delivery, Delivery{[]time.Duration{time.Minute, 90 * time.Minute}, 48 * time.Hour, 3, 4 * time.Hour})
	check("plugin", c.Plugins[0], Plugin{
		Name: "archive", Source: "builtin:archiver", Hooks: []string{"rcpt", "deliver"},
		OnError: OnError{"rcpt": sdk.Continue, "deliver": sdk.Hold}, Mode: "active", Allow: Allow{Relay: true, Body: "none", Headers: "read"},
		Limits: PluginLimits{2 * time.Second, 64, 0, 100_000_000},
		Config: []byte(`{"any":"table","list":[{"a":true},{"b":1.5}],"n":1}`),
	})
	check("builtin", c.Plugins[0].Builtin(), "archiver")
	check("on_error", c.Plugins[1].OnError, OnError{EveryHook: sdk.Reject})
	check("no config", string(c.Plugins[1].Config), "{}")
	check("limits", c.Plugins[1].Limits, PluginLimits{10 * time.Second, 64, 0, 100_000_000})
	check("control", c.Control.Socket, "/srv/mta/c.sock")
	check("metrics", c.Metrics.Address, netip.MustParseAddrPort("127.0.0.1:9525"))
	check("log", c.Log, Log{"json", "debug"})
}

func TestNoFaultIsFoundWhereThereIsNone(t *testing.T) {
	for _, text := range []string{
		"\ufeff" + least,                                 // with the mark of Windows editors
		strings.ReplaceAll(least, "\n", "\r\n"),          // and their line ends
		least + "[[listen]]\naddress=\"127.0.0.2:2525\"", // one port at two addresses
		least + "[[listen]]\naddress=\"127.0.0.1:0\"\n[[listen]]\naddress=\"127.0.0.1:0\"",
		least + "[relay]\ndomains=[\"localhost\"]\nnetworks=[\"10.0.0.0/8\",\"fc00::/7\",\"fe80::/10\"]",
		least + "[[route]]\nto=\"a.example\"\nhosts=[\"127.0.0.1:25\"]",
		least + "[[route]]\nto=\"*\"\nfrom=\"<>\"\nhosts=[\"h.example\"]\n[[route]]\nto=\"a.example\"\nhosts=[\"h.example\"]",
		least + "[[route]]\nto=\"Joe@Example.org\"\nfrom=\"a@b.example\"\nvia=\"discard\"\n[[route]]\nto=\"jane@example.org\"\nhosts=[\"h.example\"]\n[[route]]\nto=\"example.org\"\nhosts=[\"h.example\"]",
		least + "[delivery]\nretry=[\"1h\"]\nlifetime=\"1h\"",
		"hostname = \"localhost\"\n" + least, // given, so that it is meant
		"limits = {errors = 5, junk_commands = 6}\nlisten = [{address = \"127.0.0.1:1\"}]\nplugin = []",
		least + "[[plugin]]\nname=\"a\"\nsource=\"builtin:a\"\nconfig.x.y = 1\nconfig.x.z = \"\"\"\n[tls]\n\"\"\"",
	} {
		good(t, text)
	}
}

func TestBuiltinsAreOnlyCheckedWhenTheyAreKnown(t *testing.T) {
	text := least + "[[plugin]]\nname = \"a\"\nsource = \"builtin:a\"\n"
	good(t, text)
	o := LoadOptions{Builtins: []string{}, Hostname: named.Hostname}
	if _, err := o.Parse("f", text); err == nil || !strings.Contains(err.Error(), "there are none") {
		t.Errorf("no builtins: %v", err)
	}
	o.Builtins = []string{"a"}
	if _, err := o.Parse("f", text); err != nil {
		t.Error(err)
	}
}

func TestAMissingFileIsNoFaultOfTheFile(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.toml"))
	if !errors.Is(err, os.ErrNotExist) || errors.As(err, new(Faults)) {
		t.Errorf("%v", err)
	}
}

func TestAMachineWithoutANameIsAFault(t *testing.T) {
	o := LoadOptions{Hostname: func() (string, error) { return "a.example", errors.New("no name") }}
	if _, err := o.Parse("f", least); err == nil {
		t.Error("accepted")
	}
}

func TestTheDevelopmentProfileIsComplete(t *testing.T) {
	c := Dev("/tmp/spool", "127.0.0.1:4025")
	if err := c.Validate(LoadOptions{}); err != nil {
		t.Fatal(err)
	}
	if c.Listen[0].Address.String() != "127.0.0.1:2525" || c.Routes[0].Hosts[0] != "127.0.0.1:4025" || c.Control.Socket != "/tmp/spool/control.sock" {
		t.Errorf("%+v", c)
	}
	if fs := c.CheckFiles(now); len(fs) != 0 {
		t.Error(fs)
	}
}

func TestAChangedConfigurationIsCheckedAgainWithItsLines(t *testing.T) {
	c := good(t, least+"\n\n[relay]\ndomains = [\"a.example\"]\n")
	c.Relay.Domains[0] = "*"
	err := c.Validate(LoadOptions{})
	if err == nil || !strings.HasPrefix(err.Error(), "/etc/mta/mta.toml:6: relay.domains[0]: ") {
		t.Error(err)
	}
	c = Default()
	if err := c.Validate(LoadOptions{}); err == nil || !strings.Contains(err.Error(), "config:1: hostname: ") {
		t.Error(err)
	}
}

func TestAFileOfFaultsIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range 20000 {
		b.WriteString("k" + strings.Repeat("x", i%7) + FormatDuration(time.Duration(i+1)*time.Second) + " = 1\n")
	}
	_, err := named.Parse("f", b.String())
	var fs Faults
	if !errors.As(err, &fs) || len(fs) != maxFaults {
		t.Errorf("%d faults", len(fs))
	}
}

func TestAWordThatWasNearlyRightIsFound(t *testing.T) {
	words := []string{"hostname", "spool", "retry", "listen"}
	for word, want := range map[string]string{"hostnam": "hostname", "Hostname": "hostname", "host-name": "hostname", "retries": "retry", "port": "", "": "", "zzz": ""} {
		if got := nearest(word, words); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestSizesAndDurationsAreReadAsTheyAreWritten(t *testing.T) {
	for s, want := range map[string]Size{"0": 0, "500": 500, "500B": 500, "2KiB": 2048, "2 KiB": 2048, "25MiB": 25 << 20, "1GiB": 1 << 30, "1TiB": 1 << 40} {
		got, err := ParseSize(s)
		if err != nil || got != want {
			t.Errorf("%q: %d %v", s, got, err)
		}
		if back, err := ParseSize(got.String()); err != nil || back != got {
			t.Errorf("%q became %q", s, got)
		}
	}
	for _, s := range []string{"", "KiB", "1.5MiB", "-1", "+1", "9223372036854775808", "8388608TiB", "1MiBs", "1MB", "１"} {
		if n, err := ParseSize(s); err == nil {
			t.Errorf("%q is a size of %d", s, n)
		}
	}
	for s, want := range map[string]time.Duration{"0s": 0, "30s": 30 * time.Second, "5d": 120 * time.Hour, "1w": 168 * time.Hour, "1h30m": 90 * time.Minute, "250ms": 250 * time.Millisecond, "90s": 90 * time.Second} {
		got, err := ParseDuration(s)
		if err != nil || got != want {
			t.Errorf("%q: %v %v", s, got, err)
		}
		if back, err := ParseDuration(FormatDuration(got)); err != nil || back != got {
			t.Errorf("%q became %q", s, FormatDuration(got))
		}
	}
	for _, s := range []string{"", "5", "s", "1.5h", "-1s", "1y", "1 h", "300y", "15251w", "15250w15250w", "5S"} {
		if d, err := ParseDuration(s); err == nil {
			t.Errorf("%q is a duration of %v", s, d)
		}
	}
}

func TestEveryKeyHasAMeaning(t *testing.T) {
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for _, f := range fields(typ) {
			if doc := f.tag.Get("doc"); len(doc) < 10 || !strings.HasSuffix(doc, ".") {
				t.Errorf("%s.%s: doc %q is no sentence", typ, f.name, doc)
			}
			for _, b := range []string{"min", "max"} {
				if f.tag.Get(b) != "" && bound(f, b, -1) <= 0 && !slices.Contains([]string{"0"}, f.tag.Get(b)) {
					if f.typ.Kind() != reflect.Slice {
						t.Errorf("%s.%s: %s = %q is not understood", typ, f.name, b, f.tag.Get(b))
					}
				}
			}
			e := f.typ
			for e.Kind() == reflect.Slice || e.Kind() == reflect.Pointer {
				e = e.Elem()
			}
			if e.Kind() == reflect.Struct && e != addrPortType && e != prefixType {
				walk(e)
			}
		}
	}
	walk(reflect.TypeFor[Config]())
}

func TestDefaultsAreInsideTheirOwnBounds(t *testing.T) {
	v := reflect.ValueOf(Default().Limits)
	for _, f := range fields(v.Type()) {
		n := v.Field(f.index).Int()
		if n < bound(f, "min", 0) || n > bound(f, "max", n) {
			t.Errorf("limits.%s = %d", f.name, n)
		}
	}
}

func TestTheEdgesOfWhatIsAllowed(t *testing.T) {
	path := func(n int) string { return "/" + strings.Repeat("a", n-1) }
	listen := func(list ...string) string {
		return "[[listen]]\naddress = \"" + strings.Join(list, "\"\n[[listen]]\naddress = \"") + "\"\n"
	}
	for _, c := range []struct{ text, key string }{
		{least + "[relay]\nnetworks = [\"11.0.0.0/8\", \"fc00::/7\"]", ""},
		{least + "[relay]\nnetworks = [\"10.0.0.0/7\"]", "relay.networks[0]"},
		{least + "[relay]\nnetworks = [\"fc00::/6\"]", "relay.networks[0]"},
		{least + "[delivery]\nlifetime = \"1d\"\ndelay_warning = \"23h\"", ""},
		{least + "[delivery]\nlifetime = \"1d\"\ndelay_warning = \"1d\"", "delivery.delay_warning"},
		{least + "[control]\nsocket = \"" + path(107) + "\"", ""},
		{least + "[control]\nsocket = \"" + path(108) + "\"", "control.socket"},
		{least + "[limits]\nmessage_size = \"100MiB\"\nmin_free = \"100MiB\"", ""},
		{least + "[limits]\nmessage_size = 104857601\nmin_free = \"100MiB\"", "limits.message_size"},
		{least + "[limits]\nsessions = 50", ""},
		{least + "[limits]\nsessions = 49", "limits.sessions_per_ip"},
		{least + "[limits]\nbig_body = \"1MiB\"\nlog_segment = \"1MiB\"", ""},
		{least + "[limits]\ndata_total = \"3m\"", ""},
		{listen("0.0.0.0:25", "[::1]:25"), ""},
		{listen("0.0.0.0:25", "[::]:25"), "listen[1].address"},
		{listen("[::]:25", "0.0.0.0:25"), "listen[1].address"},
		{listen("127.0.0.1:25", "[::ffff:127.0.0.1]:25"), "listen[1].address"},
		{listen("127.0.0.1:25", "0.0.0.0:25"), "listen[1].address"},
		{least + "[[route]]\nto = \"Joe@a.example\"\nhosts = [\"h\"]\n[[route]]\nto = \"joe@a.example\"\nhosts = [\"h\"]", "route[1]"},
		{least + "[[route]]\nto = \"a.example\"\nhosts = [\"127.0.0.1:2525\"]", "route[0].hosts[0]"},
		{least + "[[route]]\nto = \"a.example\"\nhosts = [\"127.0.0.2:2525\", \"[::1]:2525\"]", ""},
		{least + "[[plugin]]\nname = \"" + strings.Repeat("a", 64) + "\"\nsource = \"builtin:x\"", ""},
		{strings.Repeat("# \n", 1<<18) + least, ""},
	} {
		_, err := named.Parse("f", c.text)
		var fs Faults
		errors.As(err, &fs)
		if c.key == "" && err != nil || c.key != "" && (len(fs) != 1 || fs[0].Key != c.key) {
			t.Errorf("%.300s\nwant a fault of %q, got %v", c.text, c.key, err)
		}
	}
}

func TestASecretThatStrangersMayReadOrWriteIsRefused(t *testing.T) {
	dir := t.TempDir()
	p := filepath.Join(dir, "p")
	c := good(t, least+"[[route]]\nto = \"*\"\nhosts = [\"h.example\"]\ntls = \"verify\"\nauth = {user = \"u\", password_file = \""+p+"\"}\n")
	for mode, want := range map[os.FileMode]int{0o600: 0, 0o640: 0, 0o644: 1, 0o602: 1} {
		if err := os.WriteFile(p, []byte("secret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(p, mode); err != nil {
			t.Fatal(err)
		}
		if fs := c.CheckFiles(now); len(fs) != want {
			t.Errorf("%o: %v", mode, fs)
		}
	}
}
