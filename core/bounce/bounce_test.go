package bounce

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	arrived = time.Date(2026, 3, 1, 8, 30, 0, 0, time.FixedZone("", 3600))
	now     = time.Date(2026, 3, 6, 8, 30, 5, 0, time.FixedZone("", 3600))
)

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

func message(text string) sdk.Message {
	return sdk.NewMessage("0000000001", int64(len(text)), func() (sdk.Body, error) {
		return readCloser{bytes.NewReader([]byte(text))}, nil
	})
}

const letterText = "Received: from client.example ([192.0.2.7]) by mx.example.net with ESMTP id 0000000001;\r\n\tSun, 01 Mar 2026 08:30:00 +0100\r\n" +
	"From: Ann <ann@example.net>\r\nTo: bob@example.org\r\nSubject: Lunch\r\nMessage-ID: <lunch.1@example.net>\r\n\r\nToday at noon?\r\n"

func envelope(rcpts ...sdk.Recipient) *sdk.Envelope {
	return &sdk.Envelope{ID: "0000000001", From: "ann@example.net", Recipients: rcpts, Arrived: arrived}
}

func report(kind sdk.DSNKind, rs ...Rcpt) *Report {
	return &Report{Kind: kind, Envelope: envelope(), Message: message(letterText), Recipients: rs,
		Hostname: "mx.example.net", ID: "0000000009", Now: now}
}

func refused(addr string) Rcpt {
	return Rcpt{Recipient: sdk.Recipient{Addr: addr},
		Outcome: sdk.Outcome{Status: sdk.StatusFailed, Remote: "mx1.example.org[192.0.2.25]:25", RemoteReply: true,
			Reply: sdk.Reply{Code: 550, Enhanced: "5.1.1", Text: "No such user here"}},
		LastAttempt: now}
}

func write(t testing.TB, rep *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, rep); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// parsed is a notification as an independent parser sees it.
type parsed struct {
	header mail.Header
	kinds  []string
	bodies []string
	groups []textproto.MIMEHeader // of the status part; the first is of the message
}

// parse reads a notification with the parsers of the standard library and checks
// what must hold for every one.
func parse(raw string) (*parsed, error) {
	if len(raw) >= MaxSize {
		return nil, fmt.Errorf("%d octets, want fewer than %d", len(raw), MaxSize)
	}
	for _, line := range strings.SplitAfter(raw, "\n") {
		if line == "" {
			continue
		}
		if !strings.HasSuffix(line, "\r\n") || strings.Count(line, "\r") != 1 || len(line) > 1000 || strings.Contains(line, "\x00") {
			return nil, fmt.Errorf("bad line %.80q of %d octets", line, len(line))
		}
	}
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		return nil, err
	}
	p := &parsed{header: m.Header}
	for _, name := range []string{"Date", "From", "To", "Subject", "Message-Id", "Auto-Submitted", "Mime-Version", "Content-Type"} {
		if len(m.Header[name]) != 1 {
			return nil, fmt.Errorf("%d fields %s", len(m.Header[name]), name)
		}
	}
	for name := range m.Header {
		switch name {
		case "Date", "From", "To", "Subject", "Message-Id", "Auto-Submitted", "Mime-Version", "Content-Type", "In-Reply-To", "References":
		default:
			return nil, fmt.Errorf("a field %q has come in", name)
		}
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["report-type"] != "delivery-status" {
		return nil, fmt.Errorf("content type %s %v: %v", kind, params, err)
	}
	mr := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := mr.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		k, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil {
			return nil, err
		}
		p.kinds = append(p.kinds, k)
		p.bodies = append(p.bodies, string(body))
	}
	if len(p.kinds) < 2 || len(p.kinds) > 3 || p.kinds[0] != "text/plain" || !strings.HasSuffix(p.kinds[1], "delivery-status") {
		return nil, fmt.Errorf("parts %v", p.kinds)
	}
	for _, g := range strings.Split(strings.TrimSuffix(p.bodies[1], "\r\n"), "\r\n\r\n") {
		h, err := mail.ReadMessage(strings.NewReader(g + "\r\n\r\n"))
		if err != nil {
			return nil, fmt.Errorf("group %q: %v", g, err)
		}
		p.groups = append(p.groups, textproto.MIMEHeader(h.Header))
	}
	return p, p.check()
}

func (p *parsed) check() error {
	if len(p.groups) < 2 || p.groups[0].Get("Reporting-Mta") == "" {
		return fmt.Errorf("groups %v", p.groups)
	}
	for _, g := range p.groups[1:] {
		for _, name := range []string{"Final-Recipient", "Action", "Status"} {
			if len(g[name]) != 1 {
				return fmt.Errorf("%d fields %s in %v", len(g[name]), name, g)
			}
		}
		for name, values := range g {
			if len(values) != 1 {
				return fmt.Errorf("%d fields %s", len(values), name)
			}
			switch name {
			case "Original-Recipient", "Final-Recipient", "Action", "Status", "Remote-Mta", "Diagnostic-Code", "Last-Attempt-Date", "Will-Retry-Until":
			default:
				return fmt.Errorf("a field %q has come in", name)
			}
		}
		class := map[string]string{"failed": "5", "delayed": "4", "delivered": "2", "relayed": "2", "expanded": "2"}[g.Get("Action")]
		if s := g.Get("Status"); !validStatus(s) || s[:1] != class && !(class == "5" && s == "4.4.7") {
			return fmt.Errorf("status %s with action %s", s, g.Get("Action"))
		}
	}
	return nil
}

func mustParse(t testing.TB, rep *Report) *parsed {
	t.Helper()
	raw := write(t, rep)
	p, err := parse(raw)
	if err != nil {
		t.Fatalf("%v in\n%.3000s", err, raw)
	}
	return p
}

func golden() map[string]*Report {
	failed := report(sdk.DSNFailed, refused("bob@example.org"))

	several := report(sdk.DSNFailed, refused("bob@example.org"),
		Rcpt{Recipient: sdk.Recipient{Addr: "carol@example.com", Orig: "team@example.net", ORcpt: "rfc822;team@example.net"}, Expired: true,
			Outcome: sdk.Outcome{Status: sdk.StatusDeferred, Reply: sdk.Reply{Code: 451, Enhanced: "4.4.1", Text: "Connection refused by every host of example.com"}}, LastAttempt: now},
		Rcpt{Recipient: sdk.Recipient{Addr: "dave@example.com"}, Expired: true, LastAttempt: now,
			Outcome: sdk.Outcome{Status: sdk.StatusDeferred, RemoteReply: true, Remote: "[2001:db8::1]:25",
				Reply: sdk.Reply{Code: 452, Enhanced: "4.2.2", Text: "The mailbox of this person is full,\nas it has been for weeks. Please try to reach them in some other way."}}})
	several.Envelope.EnvID = "order 4711"
	several.Envelope.Ret = "HDRS"

	delayed := report(sdk.DSNDelayed, Rcpt{Recipient: sdk.Recipient{Addr: "bob@example.org"},
		Outcome: sdk.Outcome{Status: sdk.StatusDeferred, Remote: "mx1.example.org[192.0.2.25]:25", RemoteReply: true,
			Reply: sdk.Reply{Code: 450, Enhanced: "4.7.1", Text: "Greylisted"}}, LastAttempt: now.Add(-time.Minute)})
	delayed.Now = arrived.Add(4 * time.Hour)
	delayed.WillRetryUntil = arrived.Add(5 * 24 * time.Hour)

	sent := sdk.Outcome{Status: sdk.StatusDelivered, Remote: "mx1.example.org[192.0.2.25]:25", RemoteReply: true,
		Reply: sdk.Reply{Code: 250, Enhanced: "2.0.0", Text: "queued as 12345"}}
	success := report(sdk.DSNSuccess,
		Rcpt{Recipient: sdk.Recipient{Addr: "bob@example.org", Notify: sdk.NotifySuccess}, Outcome: sent, Relayed: true},
		Rcpt{Recipient: sdk.Recipient{Addr: "ann@example.net"}, Outcome: sdk.Outcome{Status: sdk.StatusDelivered, Remote: "unix:/run/lmtp", RemoteReply: true, Reply: sdk.Reply{Code: 250, Enhanced: "2.1.5", Text: "Saved"}}},
		Rcpt{Recipient: sdk.Recipient{Addr: "list@example.net"}, Outcome: sdk.Outcome{Status: sdk.StatusDelivered}, Expanded: true})

	utf8 := report(sdk.DSNFailed, refused("jürgen@exämple.org"))
	utf8.Envelope.SMTPUTF8 = true
	utf8.Envelope.From = "änn@exämple.net"
	utf8.Recipients[0].ORcpt = "utf-8;jürgen@exämple.org"
	utf8.Recipients[0].Reply.Text = "Kein Postfach für jürgen"
	utf8.Message = message("From: Änn <änn@exämple.net>\r\nSubject: Grüße\r\n\r\nHallo\r\n")
	return map[string]*Report{"failed": failed, "several": several, "delayed": delayed, "success": success, "smtputf8": utf8}
}

func TestTheGoldenNotificationsHaveNotChanged(t *testing.T) {
	for name, rep := range golden() {
		t.Run(name, func(t *testing.T) {
			mustParse(t, rep)
			got := write(t, rep)
			file := filepath.Join("testdata", name+".eml")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("differs from %s; go test -update writes it anew\n%s", file, got)
			}
		})
	}
}

func TestWhoIsToldOfWhat(t *testing.T) {
	never, success, failure, delay := sdk.NotifyNever, sdk.NotifySuccess, sdk.NotifyFailure, sdk.NotifyDelay
	for _, c := range []struct {
		notify                   sdk.Notify
		failed, delayed, success bool
	}{
		{0, true, true, false},
		{never, false, false, false},
		{never | success | failure | delay, false, false, false},
		{success, false, false, true},
		{failure, true, false, false},
		{delay, false, true, false},
		{success | failure | delay, true, true, true},
	} {
		r := sdk.Recipient{Addr: "bob@example.org", Notify: c.notify}
		got := [3]bool{Wanted(envelope(), r, sdk.DSNFailed), Wanted(envelope(), r, sdk.DSNDelayed), Wanted(envelope(), r, sdk.DSNSuccess)}
		if want := [3]bool{c.failed, c.delayed, c.success}; got != want {
			t.Errorf("NOTIFY=%v: failed, delayed, success = %v, want %v", c.notify, got, want)
		}
		if Wanted(envelope(), r, 0) {
			t.Errorf("NOTIFY=%v: wanted for no kind", c.notify)
		}
	}
}

func TestTheNullReversePathIsNeverNotified(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		env := &sdk.Envelope{From: []string{"", "<>"}[r.IntN(2)], SMTPUTF8: r.IntN(2) == 0, Ret: "FULL", EnvID: "x"}
		rc := Rcpt{Recipient: sdk.Recipient{Addr: "bob@example.org", Notify: sdk.Notify(r.IntN(256))}}
		kind := sdk.DSNKind(r.IntN(256))
		if Wanted(env, rc.Recipient, kind) {
			t.Fatalf("wanted: %v %v", rc.Notify, kind)
		}
		rep := report(kind, rc)
		rep.Envelope = env
		var b bytes.Buffer
		if err := Write(&b, rep); err == nil || b.Len() > 0 {
			t.Fatal("a notification to the null reverse-path was written")
		}
	}
}

func TestAReportOfNothingIsRefused(t *testing.T) {
	if Write(io.Discard, report(sdk.DSNFailed)) == nil {
		t.Error("no recipients: no error")
	}
	if Write(io.Discard, report(0, refused("bob@example.org"))) == nil {
		t.Error("no kind: no error")
	}
	if Write(io.Discard, &Report{Kind: sdk.DSNFailed}) == nil {
		t.Error("no envelope: no error")
	}
}

func TestTheNotificationTravelsFromTheNullReversePath(t *testing.T) {
	rep := report(sdk.DSNFailed, refused("bob@example.org"))
	rep.Envelope.Body = "8BITMIME"
	env := Envelope(rep)
	if env.From != "" || len(env.Recipients) != 1 || env.Recipients[0].Addr != "ann@example.net" || env.Recipients[0].Notify != sdk.NotifyNever ||
		env.Ret != "" || env.EnvID != "" || env.SMTPUTF8 || env.ID != rep.ID || !env.Arrived.Equal(now) || env.Body != "8BITMIME" {
		t.Errorf("envelope %+v", env)
	}
	rep.Envelope.Ret = "HDRS"
	rep.Envelope.From = "änn@example.net"
	if env := Envelope(rep); env.Body != "" || !env.SMTPUTF8 {
		t.Errorf("envelope %+v", env)
	}
	if Wanted(env, env.Recipients[0], sdk.DSNFailed) {
		t.Error("a notification about the notification is wanted")
	}
}

func TestTheClassOfTheStatusFollowsTheAction(t *testing.T) {
	for _, c := range []struct {
		kind     sdk.DSNKind
		enhanced string
		expired  bool
		want     string
	}{
		{sdk.DSNFailed, "5.1.1", false, "5.1.1"},
		{sdk.DSNFailed, "4.2.2", false, "5.2.2"},
		{sdk.DSNFailed, "", false, "5.0.0"},
		{sdk.DSNFailed, "5.1", false, "5.0.0"},
		{sdk.DSNFailed, "5.1.1234", false, "5.0.0"},
		{sdk.DSNFailed, "x.y.z", false, "5.0.0"},
		{sdk.DSNFailed, "4.2.2", true, "4.4.7"},
		{sdk.DSNDelayed, "5.7.1", false, "4.7.1"},
		{sdk.DSNDelayed, "", false, "4.0.0"},
		{sdk.DSNSuccess, "2.1.5", false, "2.1.5"},
		{sdk.DSNSuccess, "5.1.5", false, "2.1.5"},
	} {
		r := Rcpt{Outcome: sdk.Outcome{Reply: sdk.Reply{Enhanced: c.enhanced}}, Expired: c.expired}
		if got := statusCode(c.kind, &r); got != c.want {
			t.Errorf("%v %q expired=%v: %s, want %s", c.kind, c.enhanced, c.expired, got, c.want)
		}
	}
}

func TestOnlyTheWordsOfARemoteServerAreADiagnosis(t *testing.T) {
	r := refused("bob@example.org")
	r.RemoteReply = false
	g := mustParse(t, report(sdk.DSNFailed, r)).groups[1]
	if g.Get("Diagnostic-Code") != "" || g.Get("Remote-Mta") != "dns; mx1.example.org" {
		t.Errorf("%v", g)
	}
	r.Remote = ""
	if g := mustParse(t, report(sdk.DSNFailed, r)).groups[1]; g.Get("Remote-Mta") != "" {
		t.Errorf("%v", g)
	}
	for remote, want := range map[string]string{
		"mx1.example.org[192.0.2.1]:25": "mx1.example.org", "mx1.example.org:25": "mx1.example.org", "mx1.example.org": "mx1.example.org",
		"192.0.2.1:25": "192.0.2.1", "[2001:db8::1]:25": "[2001:db8::1]", "unix:/run/lmtp": "", "/run/lmtp": "", "": "",
	} {
		if got := remoteName(remote); got != want {
			t.Errorf("%s: %q, want %q", remote, got, want)
		}
	}
}

func TestTheSendersParametersComeBack(t *testing.T) {
	rep := report(sdk.DSNFailed, refused("bob@example.org"))
	p := mustParse(t, rep)
	if p.groups[0].Get("Original-Envelope-Id") != "" || p.groups[1].Get("Original-Recipient") != "" {
		t.Error("parameters that nobody gave")
	}
	rep.Envelope.EnvID = "Order+4711 x"
	rep.Recipients[0].ORcpt = "rfc822;Team@Example.NET"
	p = mustParse(t, rep)
	if got := p.groups[0].Get("Original-Envelope-Id"); got != "Order+4711 x" {
		t.Errorf("envelope id %q", got)
	}
	if got := p.groups[1].Get("Original-Recipient"); got != "rfc822; Team@Example.NET" {
		t.Errorf("original recipient %q", got)
	}
	rep.Recipients[0].ORcpt = "utf-8;jürgen+x@example.net"
	if got := mustParse(t, rep).groups[1].Get("Original-Recipient"); got != `utf-8; j\x{FC}rgen\x{2B}x@example.net` {
		t.Errorf("original recipient %q", got)
	}
}

func TestWhatOfTheMessageComesBack(t *testing.T) {
	big := letterText + strings.Repeat("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n", 900)
	for _, c := range []struct {
		name   string
		change func(*Report)
		kind   string
		has    string
	}{
		{"a short message", func(*Report) {}, "message/rfc822", "Today at noon?"},
		{"RET=FULL", func(r *Report) { r.Envelope.Ret = "FULL" }, "message/rfc822", "Today at noon?"},
		{"RET=HDRS", func(r *Report) { r.Envelope.Ret = "HDRS" }, "text/rfc822-headers", "Subject: Lunch"},
		{"a message over 50,000 octets", func(r *Report) { r.Message = message(big) }, "text/rfc822-headers", "Subject: Lunch"},
		{"a message of 49,000 octets", func(r *Report) { r.Message = message(big[:49_000]) }, "message/rfc822", "0123456789"},
		{"a message that lies about its size", func(r *Report) {
			m := message(big)
			r.Message = sdk.NewMessage("1", 10, m.Open)
		}, "text/rfc822-headers", "Subject: Lunch"},
		{"a delayed message", func(r *Report) { r.Kind = sdk.DSNDelayed }, "text/rfc822-headers", "Subject: Lunch"},
		{"REQUIRETLS", func(r *Report) { r.Envelope.RequireTLS = true }, "text/rfc822-headers", "Subject: Lunch"},
		{"BINARYMIME", func(r *Report) { r.Envelope.Body = "BINARYMIME" }, "text/rfc822-headers", "Subject: Lunch"},
		{"8-bit text", func(r *Report) { r.Message = message(letterText + "Grüße\r\n") }, "message/rfc822", "Grüße"},
		{"bare LF", func(r *Report) { r.Message = message(letterText + "a\nb\r\n") }, "text/rfc822-headers", "Subject: Lunch"},
		{"only bare LF", func(r *Report) { r.Message = message(strings.ReplaceAll(letterText, "\r\n", "\n")) }, "text/rfc822-headers", "Subject: Lunch"},
		{"a long line", func(r *Report) { r.Message = message(letterText + strings.Repeat("x", 999) + "\r\n") }, "text/rfc822-headers", "Subject: Lunch"},
		{"8-bit header", func(r *Report) { r.Envelope.Ret = "HDRS"; r.Message = message("Subject: Grüße\r\n\r\n") }, "text/rfc822-headers", "Subject: Grüße\r\n"},
		{"8-bit header of SMTPUTF8", func(r *Report) {
			r.Envelope.Ret, r.Envelope.SMTPUTF8 = "HDRS", true
			r.Message = message("Subject: Grüße\r\n\r\n")
		}, "message/global-headers", "Subject: Grüße\r\n"},
		{"SMTPUTF8", func(r *Report) {
			r.Envelope.SMTPUTF8 = true
			r.Message = message("Subject: Grüße\r\n\r\nHallo\r\n")
		}, "message/global", "Subject: Grüße\r\n\r\nHallo\r\n"},
		{"no last line end", func(r *Report) { r.Message = message("Subject: x\r\n\r\ny") }, "message/rfc822", "y"},
		{"a header without body", func(r *Report) { r.Message = message("Subject: x\r\n") }, "message/rfc822", "Subject: x"},
		{"a huge header", func(r *Report) {
			r.Message = message("X-A: " + strings.Repeat("y\r\n ", 30_000) + "\r\nSubject: x\r\n\r\n")
		}, "", ""},
		{"a huge field before others", func(r *Report) {
			r.Message = message("X-A: " + strings.Repeat("yyyyyyyyyyyyyyyyyyyyyyyyyy\r\n ", 2050) + "z\r\nSubject: x\r\n\r\n")
		}, "text/rfc822-headers", "Subject: x"},
		{"a field of one long line", func(r *Report) {
			r.Message = message("Subject: x\r\nX-A: " + strings.Repeat("y", 2000) + "\r\n\r\n")
		}, "text/rfc822-headers", "Subject: x"},
		{"lines that are no fields", func(r *Report) { r.Envelope.Ret = "HDRS"; r.Message = message("garbage\r\nSubject: x\r\n\r\n") }, "text/rfc822-headers", "Subject: x"},
		{"no header", func(r *Report) { r.Envelope.Ret = "HDRS"; r.Message = message("\r\nbody\r\n") }, "", ""},
		{"an empty message", func(r *Report) { r.Message = message("") }, "", ""},
		{"no message", func(r *Report) { r.Message = sdk.Message{} }, "", ""},
		{"a message that breaks off", func(r *Report) {
			r.Message = sdk.NewMessage("1", 5, func() (sdk.Body, error) { return broken{}, nil })
		}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			rep := report(sdk.DSNFailed, refused("bob@example.org"))
			c.change(rep)
			p := mustParse(t, rep)
			if c.kind == "" {
				if len(p.kinds) != 2 || !strings.Contains(p.bodies[0], "not attached") {
					t.Fatalf("parts %v\n%s", p.kinds, p.bodies[0])
				}
				return
			}
			if len(p.kinds) != 3 || p.kinds[2] != c.kind || !strings.Contains(p.bodies[2], c.has) {
				t.Fatalf("parts %v, want %s with %q\n%.500s", p.kinds, c.kind, c.has, p.bodies[len(p.bodies)-1])
			}
			if strings.HasSuffix(c.kind, "headers") && strings.Contains(p.bodies[2], "Today at noon") {
				t.Error("the body came back")
			}
		})
	}
}

type broken struct{ readCloser }

func (broken) Read([]byte) (int, error) { return 0, errors.New("disk") }
func (broken) Close() error             { return nil }

func TestAThousandRecipientsFitIntoOneNotification(t *testing.T) {
	for _, domain := range []string{"example.org", strings.Repeat("long-label.", 20) + "example", "exämple.org"} {
		rep := report(sdk.DSNFailed)
		rep.Envelope.SMTPUTF8 = true
		for i := range 1000 {
			r := refused(fmt.Sprintf("user%04d@%s", i, domain))
			r.Reply.Text = strings.Repeat("no such user, and the words are long ", 20)
			if i%10 == 0 {
				r.Expired = true
			}
			r.Reply.Enhanced = fmt.Sprintf("5.1.%d", i%6)
			rep.Recipients = append(rep.Recipients, r)
		}
		rep.Message = message(letterText + strings.Repeat("0123456789\r\n", 4000))
		p := mustParse(t, rep)
		omitted := 0
		fmt.Sscan(p.groups[0].Get("X-Recipients-Omitted"), &omitted)
		if omitted == 0 || len(p.groups)-1+omitted != 1000 {
			t.Errorf("%s: %d groups and %d omitted", domain, len(p.groups)-1, omitted)
		}
		if len(p.kinds) != 3 || !strings.Contains(p.bodies[2], "Subject: Lunch") {
			t.Errorf("%s: the header has no room: %v", domain, p.kinds)
		}
		text := strings.Join(strings.Fields(p.bodies[0]), " ")
		if !strings.Contains(text, "the following 1000 recipients") || !strings.Contains(text, "more: ") || !strings.Contains(text, "with status 4.4.7") {
			t.Errorf("%s: the rest is not summed up:\n%s", domain, p.bodies[0])
		}
	}
}

func TestThreeHundredRecipientsAreAllNamed(t *testing.T) {
	rep := report(sdk.DSNFailed)
	for i := range 300 {
		rep.Recipients = append(rep.Recipients, refused(fmt.Sprintf("user%04d@example.org", i)))
	}
	p := mustParse(t, rep)
	for i := range 300 {
		if a := fmt.Sprintf("<user%04d@example.org>", i); !strings.Contains(p.bodies[0], a) {
			t.Fatalf("%s is not named", a)
		}
	}
}

func TestNoWordOfOthersBecomesAFieldOrAPart(t *testing.T) {
	evil := "x\r\nBcc: victim@example.com\r\n\r\n--=_0000000009\nAction: delivered\r\x00\u202eStatus: 2.0.0\xff"
	rep := report(sdk.DSNFailed, Rcpt{
		Recipient: sdk.Recipient{Addr: evil, Orig: evil, ORcpt: "rfc822\r\nX: y;" + evil},
		Outcome:   sdk.Outcome{Remote: "mx" + evil, RemoteReply: true, Reply: sdk.Reply{Code: 550, Enhanced: evil, Text: evil}}})
	rep.Envelope.From, rep.Envelope.EnvID, rep.Envelope.ID = evil, evil, evil
	rep.Hostname, rep.ID, rep.Postmaster = "mx"+evil, evil, evil
	rep.Message = message("Message-ID: <" + evil + ">\r\nSubject: x\r\n\r\n")
	mustParse(t, rep)
}

func TestTheBoundaryIsInNoPart(t *testing.T) {
	rep := report(sdk.DSNFailed, refused("bob@example.org"))
	first := freeBoundary(rep, nil)
	rep.Message = message(letterText + "--" + first + "\r\n--" + first + "--\r\n--" + first + ".1\r\n")
	p := mustParse(t, rep)
	if len(p.kinds) != 3 || !strings.Contains(p.bodies[2], first+".1") {
		t.Errorf("parts %v", p.kinds)
	}
	if !strings.Contains(p.header.Get("Content-Type"), first+".2") {
		t.Errorf("boundary %s", p.header.Get("Content-Type"))
	}
}

func TestTheAnswerNamesTheMessage(t *testing.T) {
	for id, want := range map[string]string{
		"<lunch.1@example.net>": "<lunch.1@example.net>",
		"lunch":                 "", "<a b@c>": "", "<a@b@c>": "", "<ab>": "", "<<a@b>": "", "<äb@c>": "",
		"<" + strings.Repeat("x", 300) + "@y>": "",
	} {
		rep := report(sdk.DSNFailed, refused("bob@example.org"))
		rep.Message = message("Message-ID: " + id + "\r\n\r\n")
		if got := mustParse(t, rep).header.Get("In-Reply-To"); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}

func TestWhatNoPersonWroteIsAutomatic(t *testing.T) {
	for text, want := range map[string]bool{
		"Subject: x\r\n": false, "Auto-Submitted: no\r\n": false, "Auto-Submitted: NO (really)\r\n": false,
		"Auto-Submitted: auto-replied; x=y\r\n": true, "Auto-submitted: auto-generated\r\n": true,
		"Precedence: Bulk\r\n": true, "Precedence: first-class\r\n": false, "List-Id: <l.example>\r\n": true,
	} {
		h, err := sdk.ReadHeader(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := Automatic(h); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestSpansOfTimeAreSaidInOneUnit(t *testing.T) {
	for d, want := range map[time.Duration]string{
		5 * 24 * time.Hour: "5 days", 30 * time.Hour: "1 day", 3 * time.Hour: "3 hours", 61 * time.Minute: "1 hour",
		90 * time.Second: "1 minute", time.Second: "less than a minute",
	} {
		if got := timespan(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func FuzzEveryNotificationCanBeRead(f *testing.F) {
	f.Add(uint8(1), "ann@example.net", "bob@example.org", "rfc822;bob@example.org", "no such user", "5.1.1", "mx[192.0.2.1]:25", letterText, uint8(3), uint16(1))
	f.Add(uint8(2), "a\r\nb@x", "\"a b\"@x", "utf-8;ü", "a\nb\r\n--x", "9.9.9", "unix:/x", "X: y\r\n z\r\n\r\nü\r\n", uint8(255), uint16(2000))
	f.Add(uint8(3), "ü@x", "ü@x", ";", strings.Repeat("y", 3000), "", "[::1]:25", "a\nb\rc\x00", uint8(0), uint16(3))
	f.Add(uint8(1), "x@y", "+\\=@z", "utf-8;\\", " ", "5.5.5", "[", "\xff: \xff\r\n", uint8(1), uint16(40))
	f.Fuzz(func(t *testing.T, kind uint8, from, addr, orcpt, text, enhanced, remote, msg string, flags uint8, n uint16) {
		rep := &Report{Kind: 1 + sdk.DSNKind(kind%3), Hostname: remote, Postmaster: addr, ID: text, Now: now, Message: message(msg),
			Envelope: &sdk.Envelope{ID: addr, From: from, EnvID: orcpt, SMTPUTF8: flags&1 != 0, Arrived: arrived}}
		if flags&2 != 0 {
			rep.Envelope.Ret = "HDRS"
		}
		if flags&4 != 0 {
			rep.WillRetryUntil = now
		}
		for range 1 + n%1500 {
			rep.Recipients = append(rep.Recipients, Rcpt{
				Recipient: sdk.Recipient{Addr: addr, Orig: orcpt, ORcpt: orcpt},
				Outcome:   sdk.Outcome{Remote: remote, RemoteReply: flags&8 != 0, Reply: sdk.Reply{Code: int(n), Enhanced: enhanced, Text: text}},
				Expired:   flags&16 != 0, Relayed: flags&32 != 0, LastAttempt: now})
		}
		var b bytes.Buffer
		if err := Write(&b, rep); err != nil {
			if from == "" || from == "<>" {
				return
			}
			t.Fatal(err)
		}
		if _, err := parse(b.String()); err != nil {
			t.Fatalf("%v in\n%s", err, b.String())
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	rep := report(sdk.DSNFailed, refused("bob@example.org"))
	b.ReportAllocs()
	for b.Loop() {
		if err := Write(io.Discard, rep); err != nil {
			b.Fatal(err)
		}
	}
}
