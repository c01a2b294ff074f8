package smtp

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	gosmtp "github.com/emersion/go-smtp"
)

const all = ^Extensions(0)

// reply is "501 5.5.4" of an error, or "" for none.
func reply(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *gosmtp.SMTPError
	if !errors.As(err, &e) || e.Message == "" {
		t.Fatalf("%v (%T) is no reply", err, err)
	}
	return fmt.Sprintf("%d %d.%d.%d", e.Code, e.EnhancedCode[0], e.EnhancedCode[1], e.EnhancedCode[2])
}

func TestCommands(t *testing.T) {
	for in, want := range map[string]Command{
		"QUIT":                   {"QUIT", ""},
		"quit ":                  {"QUIT", ""},
		"ehlo  mx.example.org  ": {"EHLO", "mx.example.org"},
		"Mail FROM:<a@b> SIZE=1": {"MAIL", "FROM:<a@b> SIZE=1"},
		"StartTLS":               {"STARTTLS", ""},
		"xyzzy 1":                {"XYZZY", "1"},
		"MAIL FROM:<jörg@b>":     {"MAIL", "FROM:<jörg@b>"},
		"RCPT":                   {"RCPT", ""},
	} {
		got, err := ParseCommand([]byte(in))
		if got != want || err != nil {
			t.Errorf("%q: got %+v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", " ", " QUIT", "QU\x00IT", "NOOP a\x00", "NOOP a\tb", "NOOP a\rb", "NOOP \x7f", "NOOP \xff", "NOOP \xc0\x80", "NOOP \xed\xa0\x80", "MAIL:", "\x16\x03\x01", "GET/", strings.Repeat("A", 17)} {
		cmd, err := ParseCommand([]byte(in))
		if reply(t, err) != "500 5.5.2" || cmd != (Command{}) {
			t.Errorf("%q: got %+v, %v", in, cmd, err)
		}
	}
}

func TestMail(t *testing.T) {
	for _, c := range []struct {
		arg, addr, want string
		size            int64
	}{
		{"FROM:<a@b>", "a@b", "", -1},
		{"from:<>", "", "", -1},
		{"FROM: <a@b> ", "a@b", "", -1},
		{"FROM:<a@b> SIZE=1000 BODY=8BITMIME", "a@b", "", 1000},
		{"FROM:<a@b> size=0", "a@b", "", 0},
		{"FROM:<jörg@b> SMTPUTF8", "jörg@b", "", -1},
		{"FROM:<a@bü.example> SMTPUTF8", "a@xn--b-eha.example", "", -1},
		{"FROM:<a@bü.example>", "", "553 5.6.7", -1},
		{"FROM:<jörg@b> BODY=8BITMIME", "", "553 5.6.7", -1},
		{"FROM:<@ü.example:a@b>", "", "553 5.6.7", -1},
		{"", "", "501 5.5.4", -1},
		{"FROM", "", "501 5.5.4", -1},
		{"TO:<a@b>", "", "501 5.5.4", -1},
		{"FROM <a@b>", "", "501 5.5.4", -1},
		{"FROM:a@b", "", "501 5.1.7", -1},
		{"FROM:", "", "501 5.1.7", -1},
		{"FROM:<a@b", "", "501 5.1.7", -1},
		{"FROM:<postmaster>", "", "501 5.1.7", -1},
		{"FROM:<a..b@c>", "", "501 5.1.7", -1},
		{"FROM:<a@b>SIZE=1", "", "501 5.5.4", -1},
		{"FROM:<a@b> X=1", "", "555 5.5.4", -1},
	} {
		a, _, size, err := ParseMail(c.arg, all)
		if a.String() != c.addr || reply(t, err) != c.want || size != c.size {
			t.Errorf("%s: got %q, %d, %v", c.arg, a, size, err)
		}
	}
}

func TestRcpt(t *testing.T) {
	for _, c := range []struct {
		arg, addr, want string
		utf8            bool
	}{
		{"TO:<a@b>", "a@b", "", false},
		{"to:  <a@b> NOTIFY=NEVER", "a@b", "", false},
		{"TO:<Postmaster>", "postmaster", "", false},
		{"TO:<@a,@b:u@c>", "u@c", "", false},
		{"TO:<jörg@b>", "jörg@b", "", true},
		{"TO:<jörg@b>", "", "553 5.6.7", false},
		{"TO:<>", "", "501 5.1.3", false},
		{"TO:a@b", "", "501 5.1.3", false},
		{"TO:<a@b@c>", "", "501 5.1.3", false},
		{"TO:<a@b> SIZE=1", "", "555 5.5.4", false},
		{"FROM:<a@b>", "", "501 5.5.4", false},
	} {
		a, _, err := ParseRcpt(c.arg, all, c.utf8)
		if a.String() != c.addr || reply(t, err) != c.want {
			t.Errorf("%s: got %q, %v", c.arg, a, err)
		}
	}
}

func TestMailParameters(t *testing.T) {
	id, none := "user@example.org", ""
	for _, c := range []struct {
		in    string
		want  gosmtp.MailOptions
		size  int64
		reply string
	}{
		{"", gosmtp.MailOptions{}, -1, ""},
		{"  ", gosmtp.MailOptions{}, -1, ""},
		{" SIZE=12  BODY=7bit ", gosmtp.MailOptions{Size: 12, Body: gosmtp.Body7Bit}, 12, ""},
		{" SIZE=99999999999999999999", gosmtp.MailOptions{Size: math.MaxInt64}, math.MaxInt64, ""},
		{" BODY=BINARYMIME SMTPUTF8 REQUIRETLS", gosmtp.MailOptions{Body: gosmtp.BodyBinaryMIME, UTF8: true, RequireTLS: true}, -1, ""},
		{" RET=hdrs ENVID=a+2Bb+20c", gosmtp.MailOptions{Return: gosmtp.DSNReturnHeaders, EnvelopeID: "a+b c"}, -1, ""},
		{" RET=FULL", gosmtp.MailOptions{Return: gosmtp.DSNReturnFull}, -1, ""},
		{" AUTH=<>", gosmtp.MailOptions{Auth: &none}, -1, ""},
		{" AUTH=user@example.org", gosmtp.MailOptions{Auth: &id}, -1, ""},
		{" AUTH=us+65r@example.org", gosmtp.MailOptions{Auth: &id}, -1, ""},
		{" ENVID=" + strings.Repeat("x", 100), gosmtp.MailOptions{EnvelopeID: strings.Repeat("x", 100)}, -1, ""},
		{"x", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" SIZE", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" SIZE=", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" SIZE=-1", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" SIZE=+1", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" SIZE=0x10", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" SIZE=000000000000000000001", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" SIZE=1 SIZE=1", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" BODY=9BIT", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" BODY", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" SMTPUTF8=1", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" SMTPUTF8 smtputf8", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" REQUIRETLS=yes", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" RET=NONE", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" ENVID", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" ENVID=+00", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" ENVID=a+0D+0Ab", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" ENVID=+C3+BC", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" ENVID=a=b", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" ENVID=" + strings.Repeat("x", 101), gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" AUTH", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" AUTH=+", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" AUTH=nobody", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" =1", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" -X=1", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" X\x01=1", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" SIZE=1\x00", gosmtp.MailOptions{}, -1, "501 5.5.4"},
		{" FOO=1", gosmtp.MailOptions{}, -1, "555 5.5.4"},
		{" NOTIFY=NEVER", gosmtp.MailOptions{}, -1, "555 5.5.4"},
	} {
		o, size, err := ParseMailParams(c.in, all)
		if o.Auth != nil && c.want.Auth != nil && *o.Auth == *c.want.Auth {
			o.Auth = c.want.Auth
		}
		if o != c.want || size != c.size || reply(t, err) != c.reply {
			t.Errorf("%q: got %+v, %d, %v", c.in, o, size, err)
		}
	}
}

func TestAParameterOfAnExtensionThatIsOffIsUnknown(t *testing.T) {
	for in, ext := range map[string]Extensions{" SIZE=1": ExtSize, " BODY=8BITMIME": Ext8BitMIME, " SMTPUTF8": ExtSMTPUTF8, " RET=FULL": ExtDSN, " ENVID=x": ExtDSN, " AUTH=<>": ExtAuth, " REQUIRETLS": ExtRequireTLS} {
		if _, _, err := ParseMailParams(in, all&^ext); reply(t, err) != "555 5.5.4" {
			t.Errorf("%s: %v", in, err)
		}
	}
	for _, in := range []string{" NOTIFY=NEVER", " ORCPT=rfc822;a"} {
		if _, err := ParseRcptParams(in, all&^ExtDSN); reply(t, err) != "555 5.5.4" {
			t.Errorf("%s: %v", in, err)
		}
	}
	if _, _, err := ParseMailParams(" BODY=BINARYMIME", all&^ExtBinaryMIME); reply(t, err) != "501 5.5.4" {
		t.Error(err)
	}
}

func TestRcptParameters(t *testing.T) {
	for _, c := range []struct{ in, notify, kind, orcpt, reply string }{
		{"", "", "", "", ""},
		{" NOTIFY=never", "NEVER", "", "", ""},
		{" NOTIFY=SUCCESS,failure,DELAY", "SUCCESS,FAILURE,DELAY", "", "", ""},
		{" ORCPT=rfc822;Bob+2Bx@example.org NOTIFY=DELAY", "DELAY", "RFC822", "Bob+x@example.org", ""},
		{" ORCPT=x400;/c=us", "", "", "", "501 5.5.4"},
		{" ORCPT=x400;/c+3Dus", "", "X400", "/c=us", ""},
		{` ORCPT=utf-8;j\x{F6}rg@example.org`, "", "UTF-8", "jörg@example.org", ""},
		{` ORCPT=utf-8;jörg@example.org`, "", "UTF-8", "jörg@example.org", ""},
		{` ORCPT=utf-8;a+2Bb@example.org`, "", "UTF-8", "a+b@example.org", ""},
		{" ORCPT=rfc822;" + strings.Repeat("x", 493), "", "RFC822", strings.Repeat("x", 493), ""},
		{" ORCPT=rfc822;" + strings.Repeat("x", 494), "", "", "", "501 5.5.4"},
		{" NOTIFY", "", "", "", "501 5.5.4"},
		{" NOTIFY=", "", "", "", "501 5.5.4"},
		{" NOTIFY=NEVER,SUCCESS", "", "", "", "501 5.5.4"},
		{" NOTIFY=SUCCESS,NEVER", "", "", "", "501 5.5.4"},
		{" NOTIFY=SUCCESS,SUCCESS", "", "", "", "501 5.5.4"},
		{" NOTIFY=SUCCESS,", "", "", "", "501 5.5.4"},
		{" NOTIFY=SUCCESS NOTIFY=DELAY", "", "", "", "501 5.5.4"},
		{" ORCPT=rfc822", "", "", "", "501 5.5.4"},
		{" ORCPT=;x", "", "", "", "501 5.5.4"},
		{" ORCPT=rfc822;", "", "", "", "501 5.5.4"},
		{" ORCPT=r@c;x", "", "", "", "501 5.5.4"},
		{" ORCPT=rfc822;a+00", "", "", "", "501 5.5.4"},
		{" ORCPT=rfc822;a+0D+0AX:y", "", "", "", "501 5.5.4"},
		{" ORCPT=rfc822;+C3+BC@b", "", "", "", "501 5.5.4"},
		{" ORCPT=rfc822;jörg@b", "", "", "", "501 5.5.4"},
		{` ORCPT=utf-8;\x{0A}`, "", "", "", "501 5.5.4"},
		{` ORCPT=utf-8;\x{85}`, "", "", "", "501 5.5.4"},
		{` ORCPT=utf-8;\x{D800}`, "", "", "", "501 5.5.4"},
		{` ORCPT=utf-8;\x{110000}`, "", "", "", "501 5.5.4"},
		{` ORCPT=utf-8;\x{}`, "", "", "", "501 5.5.4"},
		{` ORCPT=utf-8;\x{41`, "", "", "", "501 5.5.4"},
		{` ORCPT=utf-8;\y`, "", "", "", "501 5.5.4"},
		{` ORCPT=utf-8;a+0A`, "", "", "", "501 5.5.4"},
		{" ORCPT=utf-8;a\u0085b", "", "", "", "501 5.5.4"},
		{` ORCPT=utf-8;+FF`, "", "", "", "501 5.5.4"},
		{" FOO", "", "", "", "555 5.5.4"},
	} {
		o, err := ParseRcptParams(c.in, all)
		var notify []string
		for _, n := range o.Notify {
			notify = append(notify, string(n))
		}
		if strings.Join(notify, ",") != c.notify || string(o.OriginalRecipientType) != c.kind || o.OriginalRecipient != c.orcpt || reply(t, err) != c.reply {
			t.Errorf("%q: got %+v, %v", c.in, o, err)
		}
	}
}

func FuzzCommand(f *testing.F) {
	for _, s := range []string{"MAIL FROM:<a@b> SIZE=1", "RCPT TO:<@a:b@c> NOTIFY=NEVER", "ehlo x", "\x16\x03", "MAIL FROM:<jörg@ü> SMTPUTF8"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		c, err := ParseCommand(line)
		if err != nil {
			reply(t, err)
			return
		}
		if c.Verb == "" || c.Verb != strings.ToUpper(c.Verb) || strings.TrimSpace(c.Arg) != c.Arg && isASCII(c.Arg) {
			t.Errorf("%q: %+v", line, c)
		}
		if again, err := ParseCommand([]byte(c.Verb + " " + c.Arg)); again != c || err != nil {
			t.Errorf("%q: %+v is read back as %+v, %v", line, c, again, err)
		}
		if a, o, _, err := ParseMail(c.Arg, all); reply(t, err) == "" && !o.UTF8 && !isASCII(a.String()) {
			t.Errorf("%q: %q without SMTPUTF8", line, a)
		}
		if a, _, err := ParseRcpt(c.Arg, all, false); reply(t, err) == "" && (a.IsNull() || !isASCII(a.String())) {
			t.Errorf("%q: %q", line, a)
		}
	})
}

func FuzzParams(f *testing.F) {
	for _, s := range []string{" SIZE=1 BODY=8BITMIME", " RET=FULL ENVID=a+2Bb AUTH=<>", ` ORCPT=utf-8;\x{F6}+2B NOTIFY=SUCCESS,DELAY`, " ORCPT=rfc822;a@b"} {
		f.Add(s)
	}
	hides := func(s string) bool { return strings.ContainsAny(s, "\x00\r\n\x7f\x1b") }
	f.Fuzz(func(t *testing.T, s string) {
		o, size, err := ParseMailParams(s, all)
		if reply(t, err) == "" {
			back, err := DecodeXtext(EncodeXtext(o.EnvelopeID))
			if hides(o.EnvelopeID) || back != o.EnvelopeID || err != nil || size < -1 || o.Auth != nil && hides(*o.Auth) {
				t.Errorf("%q: %+v %d %v", s, o, size, err)
			}
		}
		if r, err := ParseRcptParams(s, all); reply(t, err) == "" && hides(r.OriginalRecipient) {
			t.Errorf("%q: %+v", s, r)
		}
	})
}

func BenchmarkParseMail(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		c, _ := ParseCommand([]byte("MAIL FROM:<sender@example.org> SIZE=4096 BODY=8BITMIME"))
		if _, _, _, err := ParseMail(c.Arg, all); err != nil {
			b.Fatal(err)
		}
	}
}
