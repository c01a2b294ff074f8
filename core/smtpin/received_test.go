package smtpin

import (
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

func TestTheTraceFieldSaysWhatHappened(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", -3600))
	one := []sdk.Recipient{{Addr: "b@example.org"}}
	for _, c := range []struct {
		name string
		s    sdk.Session
		env  sdk.Envelope
		want string
	}{
		{"plain", sdk.Session{Helo: "h.example", RemoteIP: "192.0.2.7", RemoteName: "r.example"},
			sdk.Envelope{ID: "1", Recipients: one, Origin: sdk.Origin{Protocol: "ESMTP"}},
			"Received: from h.example (r.example [192.0.2.7])\r\n\tby mx.example.org with ESMTP id 1\r\n\tfor <b@example.org>; Wed, 4 Mar 2026 05:06:07 -0100\r\n"},
		{"IPv6, no name, two recipients", sdk.Session{Helo: "[IPv6:2001:db8::1]", RemoteIP: "2001:db8::1"},
			sdk.Envelope{ID: "2", Recipients: append(one, one...), Origin: sdk.Origin{Protocol: "SMTP"}},
			"Received: from [IPv6:2001:db8::1] (unknown [IPv6:2001:db8::1])\r\n\tby mx.example.org with SMTP id 2; Wed, 4 Mar 2026 05:06:07 -0100\r\n"},
		{"TLS", sdk.Session{Helo: "h", RemoteIP: "192.0.2.7", TLS: "TLSv1.3 TLS_AES_128_GCM_SHA256"},
			sdk.Envelope{ID: "3", Recipients: one, Origin: sdk.Origin{Protocol: "ESMTPS"}},
			"Received: from h (unknown [192.0.2.7])\r\n\tby mx.example.org with ESMTPS id 3\r\n\tfor <b@example.org>\r\n\ttls TLS_AES_128_GCM_SHA256 (TLSv1.3); Wed, 4 Mar 2026 05:06:07 -0100\r\n"},
		{"a hostile HELO", sdk.Session{Helo: "x)\r\nX-Evil: (yes;", RemoteIP: "192.0.2.7"},
			sdk.Envelope{ID: "4", Origin: sdk.Origin{Protocol: "SMTP"}},
			"Received: from x???X-Evil:??yes? (unknown [192.0.2.7])\r\n\tby mx.example.org with SMTP id 4; Wed, 4 Mar 2026 05:06:07 -0100\r\n"},
	} {
		got := string(appendReceived(nil, host, &c.s, &c.env, now))
		if got != c.want {
			t.Errorf("%s:\n%q, want\n%q", c.name, got, c.want)
		}
		m, err := netmail.ReadMessage(strings.NewReader(got + "\r\n"))
		if err != nil || len(m.Header) != 1 {
			t.Errorf("%s: it is not one field: %v %v", c.name, m, err)
		}
		_, date, _ := strings.Cut(m.Header.Get("Received"), "; ")
		if when, err := netmail.ParseDate(date); err != nil || !when.Equal(now) {
			t.Errorf("%s: date %q: %v", c.name, date, err)
		}
	}
	long := sdk.Session{Helo: strings.Repeat("x", 10_000)}
	if n := len(appendReceived(nil, host, &long, &sdk.Envelope{}, now)); n > 500 {
		t.Errorf("a field of %d octets", n)
	}
}

func TestProtocolsAreNamedByWhatHappened(t *testing.T) {
	for _, c := range []struct {
		lmtp, extended, tls, auth, utf8 bool
		want                            string
	}{
		{false, false, false, false, false, "SMTP"},
		{false, true, false, false, false, "ESMTP"},
		{false, true, true, false, false, "ESMTPS"},
		{false, false, true, false, false, "ESMTPS"}, // HELO after STARTTLS: RFC 3848 knows no SMTPS
		{false, true, false, true, false, "ESMTPA"},
		{false, true, true, true, false, "ESMTPSA"},
		{false, true, false, false, true, "UTF8SMTP"},
		{false, true, true, true, true, "UTF8SMTPSA"},
		{true, true, false, false, false, "LMTP"},
		{true, true, true, true, false, "LMTPSA"},
		{true, true, true, false, true, "UTF8LMTPS"},
	} {
		if got := protocol(c.lmtp, c.extended, c.tls, c.auth, c.utf8); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestTheHeaderIsReadInPassing(t *testing.T) {
	for _, c := range []struct {
		text string
		id   string
		hops int
	}{
		{"Message-ID: <a@b>\r\n\r\n", "<a@b>", 0},
		{"message-id:<a@b>\r\n\r\n", "<a@b>", 0},
		{"Message-ID:\r\n <a@b>\r\n\r\n", "<a@b>", 0},
		{"Message-ID:\r\n\r\n <a@b>\r\n", "", 0},
		{"Message-ID:\r\nX: y\r\n <a@b>\r\n\r\n", "", 0},
		{"Message-ID: <a@b>\r\nMessage-ID: <c@d>\r\n\r\n", "<a@b>", 0},
		{"X-Message-ID: <a@b>\r\nReceived-SPF: x\r\nReceived: y\r\n\tReceived: z\r\nRECEIVED:\r\n\r\nReceived: b\r\n", "", 2},
		{"\r\nMessage-ID: <a@b>\r\n", "", 0},
		{"no header\r\nReceived: x\r\nMessage-ID: <a@b>\r\n", "", 0},
		{"X: " + strings.Repeat("x", 5000) + "\r\nReceived: x\r\n\r\n", "", 1},
		{"Message-ID: " + strings.Repeat("x", 5000) + "\r\n\r\n", strings.Repeat("x", 400), 0},
	} {
		for _, step := range []int{1, 2, 7, 1 << 20} {
			var w inbound
			w.reset(nil, false, 0)
			for rest := c.text; rest != ""; {
				n := min(step, len(rest))
				w.scan([]byte(rest[:n]))
				rest = rest[n:]
			}
			if !strings.HasPrefix(w.id, c.id) || (w.id == "") != (c.id == "") || w.hops != c.hops {
				t.Errorf("%.40q in steps of %d: id %.40q, %d hops", c.text, step, w.id, w.hops)
			}
			if cap(w.line) > 2*maxHeaderLine || len(w.id) > maxHeaderLine {
				t.Errorf("%.40q: %d octets were kept", c.text, cap(w.line))
			}
		}
	}
}
