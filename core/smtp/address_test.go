package smtp

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
)

func load(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + "/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

func TestAddressesHaveOneSpelling(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`user@example.org`, `user@example.org`},
		{`User@EXAMPLE.org`, `User@example.org`},
		{`"user"@example.org`, `user@example.org`},
		{`"us\er"@example.org`, `user@example.org`},
		{`"a.b"@example.org`, `a.b@example.org`},
		{`"a..b"@example.org`, `"a..b"@example.org`},
		{`".a"@example.org`, `".a"@example.org`},
		{`"a\ b"@example.org`, `"a b"@example.org`},
		{`"a@b"@example.org`, `"a@b"@example.org`},
		{`"a\@b"@example.org`, `"a@b"@example.org`},
		{`"a\"b\\c"@example.org`, `"a\"b\\c"@example.org`},
		{`"x> SIZE=9 "@example.org`, `"x> SIZE=9 "@example.org`},
		{`""@example.org`, `""@example.org`},
		{`a@[192.0.2.1]`, `a@[192.0.2.1]`},
		{`a@[ipv6:2001:DB8:0:0::1]`, `a@[IPv6:2001:db8::1]`},
		{`a@[IPv6:::ffff:192.0.2.1]`, `a@[IPv6:::ffff:192.0.2.1]`},
		{`a@XN--MNCHEN-3YA.example`, `a@xn--mnchen-3ya.example`},
		{`a@münchen.example`, `a@xn--mnchen-3ya.example`},
		{`a@MÜNCHEN.example`, `a@xn--mnchen-3ya.example`},
		{`jörg@example.org`, `jörg@example.org`},
		{`"jörg"@example.org`, `jörg@example.org`},
		{`a@under_score.example`, `a@under_score.example`},
		{`a@192.0.2.example`, `a@192.0.2.example`},
		{`user%other.example@example.org`, `user%other.example@example.org`},
		{`other!user@example.org`, `other!user@example.org`},
		{strings.Repeat("a", 64) + `@example.org`, strings.Repeat("a", 64) + `@example.org`},
		{`a@` + strings.Repeat("b", 63) + `.org`, `a@` + strings.Repeat("b", 63) + `.org`},
	} {
		a, err := ParseAddress(c.in, true)
		if err != nil || a.String() != c.want {
			t.Errorf("%s: got %q, %v; want %q", c.in, a, err, c.want)
		}
		again, err := ParseAddress(a.String(), true)
		if err != nil || again != a {
			t.Errorf("%s: does not survive a second reading: %q, %v", c.in, again, err)
		}
	}
}

func TestBadAddressesAreRefused(t *testing.T) {
	for _, in := range []string{
		``, `a`, `@`, `@b`, `a@`, `.a@b`, `a.@b`, `a..b@b`, `a b@c`, `a@b c`, `a@b.`, `a@.b`, `a@b..c`, `a@-b`, `a@b-.c`,
		`a@b@c`, `"a"b@c`, `"a@c`, `a"@c`, `"a"."b"@c`, `"a\"@c`, "a\x00@b", "a@b\x00", "\"a\x00\"@b", "\"a\\\x00\"@b", "a\r@b", "a@b\r\n", "\"a\nb\"@c", "\"a\x7f\"@b", "a\x1b@b",
		`a@[1.2.3]`, `a@[1.2.3.4`, `a@[1.2.3.04]`, `a@[1.2.3.256]`, `a@[]`, `a@[`, `a@[IPv6:]`, `a@[::1]`, `a@[IPv6:1.2.3.4]`, `a@[IPv6:fe80::1%eth0]`, `a@[IPv6:::ffff:1.2.3.04]`, `a@[x:y]`, `a@[1.2.3.4]x`,
		`a@1.2.3.4`, `a@127.1`, `a@2130706433`, `a@b<c`, `<a@b>`, `a@b>`, `a@b:c`, `a@b/c`, `(c)a@b`, `a@b(c)`,
		"a\xff@b", "a@\xff", "a\u0085@b", "a\u2028@b", `a@xn--` + "\u00fc", `a@ex` + "\u200b" + `ample..org`, `"jör\ö"@b`,
		strings.Repeat("a", 65) + `@b`, `"` + strings.Repeat("a", 62) + ` "@b`, `a@` + strings.Repeat("b", 64) + `.org`,
		`a@` + strings.Repeat("b.", 127) + `bb`, strings.Repeat("a", 64) + `@` + strings.Repeat("b.", 94) + `bb`, `a@` + strings.Repeat("ü", 4000),
	} {
		if a, err := ParseAddress(in, true); err == nil {
			t.Errorf("%q was taken as %q", in, a)
		} else if a != (Address{}) {
			t.Errorf("%q: an address came with the error", in)
		}
	}
}

func TestUTF8NeedsSMTPUTF8(t *testing.T) {
	for _, in := range []string{`jörg@example.org`, `a@münchen.example`, `"jörg x"@example.org`} {
		if _, err := ParseAddress(in, false); !errors.Is(err, ErrNeedUTF8) {
			t.Errorf("%s: %v", in, err)
		}
	}
	if _, err := ParseAddress("a\xff@b", false); err == nil || errors.Is(err, ErrNeedUTF8) {
		t.Errorf("octets that are no UTF-8 would be refused with SMTPUTF8 as well, got %v", err)
	}
}

func TestPathsEndAtTheirBracket(t *testing.T) {
	long := strings.Repeat("b.", 93) + "bb"
	for _, c := range []struct{ in, want, rest string }{
		{`<>`, ``, ``},
		{`<> SIZE=1`, ``, ` SIZE=1`},
		{`<a@b>`, `a@b`, ``},
		{`<a@b> SIZE=1`, `a@b`, ` SIZE=1`},
		{`<a@b>x`, `a@b`, `x`},
		{`<">"@b> X`, `">"@b`, ` X`},
		{`<"\">"@b> X`, `"\">"@b`, ` X`},
		{`<postmaster>`, `postmaster`, ``},
		{`<POSTmaster> X`, `postmaster`, ` X`},
		{`<@a:u@c>`, `u@c`, ``},
		{`<@a,@b.example:u@c>`, `u@c`, ``},
		{`<@a,@b:"x:y"@c>`, `"x:y"@c`, ``},
		{`<@a:postmaster>`, `postmaster`, ``},
		{`<` + strings.Repeat("a", 64) + `@` + long + `a>`, strings.Repeat("a", 64) + `@` + long + `a`, ``},
	} {
		a, rest, err := ParsePath(c.in, false)
		if err != nil || a.String() != c.want || rest != c.rest {
			t.Errorf("%s: got %q, rest %q, %v", c.in, a, rest, err)
		}
		if a.IsNull() != (c.want == "") {
			t.Errorf("%s: IsNull is %v", c.in, a.IsNull())
		}
	}
	for _, in := range []string{
		``, `<`, `a@b`, `a@b>`, ` <a@b>`, `<a@b`, `<"a@b>`, `<"a\">`, `<a>`, `<@>`, `<@a>`, `<@a:>`, `<@:u@c>`, `<a,@b:u@c>`, `<@a,b:u@c>`, `<@a,:u@c>`, `<@a b:u@c>`, `<@a::u@c>`,
		`<<a@b>>`, `<postmaster@>`, `<u@local@remote>`, `<` + strings.Repeat("a", 64) + `@` + long + `ab>`,
	} {
		if a, _, err := ParsePath(in, true); err == nil {
			t.Errorf("%q was taken as %q", in, a)
		}
	}
}

func TestValidDomainAndToASCII(t *testing.T) {
	for in, want := range map[string]bool{"example.org": true, "[192.0.2.1]": true, "[IPv6:::1]": true, "a_b": true, "": false, "192.0.2.1": false, "a..b": false, "ä": false, "a b": false} {
		if ValidDomain(in) != want {
			t.Errorf("%q: not %v", in, want)
		}
	}
	if got, err := ToASCII("Bücher.Example"); err != nil || got != "xn--bcher-kva.example" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := ToASCII("a.\xff"); err == nil {
		t.Errorf("got %q", got)
	}
}

// Where this parser and the is_email suite differ, and why.
var isemailDeviations = map[string]string{
	"test@[IPv6:1111:2222:3333:4444:5555:6666::8888]": "RFC 4291 lets :: stand for one group; the suite itself accepts others of that shape",
	"foobar@192.168.0.1":                              "RFC 5321 §2.3.5: an IP address is written as a literal; without brackets it would be looked up as a name",
}

func TestIsEmailSuite(t *testing.T) {
	var cases []struct{ ID, Address, Diagnosis, Envelope string }
	load(t, "address-isemail", &cases)
	if len(cases) != 217 {
		t.Fatalf("%d cases", len(cases))
	}
	deviated := 0
	for _, c := range cases {
		want := c.Envelope == "accept"
		if _, ok := isemailDeviations[c.Address]; ok {
			want = !want
			deviated++
		}
		a, err := ParseAddress(c.Address, false)
		if (err == nil) != want {
			t.Errorf("%s %q (%s): got %q, %v", c.ID, c.Address, c.Diagnosis, a, err)
		}
	}
	if deviated != len(isemailDeviations) {
		t.Errorf("%d deviations listed, %d met", len(isemailDeviations), deviated)
	}
}

var flankerDeviations = map[string]string{
	`Bill Gates <"billy"@retired.Micr!osoft99.com>`:              "display name: only a header parser applies (ORIGIN.md)",
	`Matt "The Matt" Mickiewicz <matt.Mickiewicz@99designs.com>`: "display name: only a header parser applies (ORIGIN.md)",
	`(this is a comment) test@example.com`:                       "RFC 5322 comment: not in an envelope",
	`test@example.com(this is a comment)`:                        "RFC 5322 comment: not in an envelope",
	`foobar@192.168.0.1`:                                         "RFC 5321 §2.3.5: an IP address is written as a literal",
}

func TestFlankerSuite(t *testing.T) {
	var lists map[string][]string
	load(t, "address-flanker", &lists)
	n, deviated := 0, 0
	for name, list := range lists {
		for _, in := range list {
			n++
			want := strings.HasSuffix(name, "_valid")
			if _, ok := flankerDeviations[in]; ok {
				want = !want
				deviated++
			}
			address := in
			if strings.HasPrefix(name, "abridged_localpart") {
				address = in + "@example.org"
			}
			if a, err := ParseAddress(address, true); (err == nil) != want {
				t.Errorf("%s %q: got %q, %v", name, in, a, err)
			}
		}
	}
	if n != 189 || deviated != len(flankerDeviations) {
		t.Errorf("%d cases, %d deviations met", n, deviated)
	}
}

func TestHarakaSuite(t *testing.T) {
	var cases []struct {
		Address, User, Host string
		Valid               bool
	}
	load(t, "address-haraka", &cases)
	if len(cases) != 20 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, c := range cases {
		var a Address
		var err error
		if strings.HasPrefix(c.Address, "<") {
			a, _, err = ParsePath(c.Address, true)
		} else {
			a, err = ParseAddress(c.Address, true)
		}
		want := Address{c.User, c.Host}
		if (err == nil) != c.Valid || c.Valid && a != want {
			t.Errorf("%s: got %q, %v; want %q", c.Address, a, err, want)
		}
	}
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{`a@b`, `"a b"@c`, `"a\"b"@[IPv6:::1]`, `@a,@b:u@c`, `jörg@münchen.example`, `a@[1.2.3.4]`, `"x> SIZE=9 "@d`, `postmaster`} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, utf8 bool) {
		a, err := ParseAddress(s, utf8)
		if err == nil {
			checkSpelling(t, a, utf8)
		}
		p, rest, err := ParsePath("<"+s+"> X", utf8)
		if err != nil || p.IsNull() {
			return
		}
		if p.Domain != "" {
			checkSpelling(t, p, utf8)
		}
		if !strings.HasSuffix(rest, " X") {
			t.Errorf("%q: rest is %q", s, rest)
		}
	})
}

// checkSpelling checks what everybody behind the parser relies on.
func checkSpelling(t *testing.T, a Address, utf8 bool) {
	s := a.String()
	again, err := ParseAddress(s, utf8)
	if err != nil || again != a {
		t.Errorf("%q is read back as %q, %v", s, again, err)
	}
	back, rest, err := ParsePath("<"+s+"> SIZE=1", utf8)
	if err != nil || back != a || rest != " SIZE=1" {
		t.Errorf("%q in a command is read back as %q, rest %q, %v", s, back, rest, err)
	}
	if len(s) > 254 || len(a.Local) > 64 || len(a.Domain) > 255 {
		t.Errorf("%q is too long", s)
	}
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) >= 0 || strings.Contains(a.Domain, "@") {
		t.Errorf("%q holds what it must not", s)
	}
	if a.Domain != strings.ToLower(a.Domain) && a.Domain[0] != '[' || !isASCII(a.Domain) || !utf8 && !isASCII(s) {
		t.Errorf("%q is not in its one spelling", s)
	}
}

var sinkAddress Address

func BenchmarkParsePath(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		sinkAddress, _, _ = ParsePath("<first.last@mail.example.org> SIZE=1000", false)
	}
}
