package record

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestLocalPartsAreHashedWhereverTheyStand(t *testing.T) {
	h := newHasher([]byte("key"))
	ann, odd, other := h.local("ann"), h.local(`"a b"`), h.local("other")
	slash := h.local("a/b|c")
	v := h.about(&sdk.RcptEvent{Session: &sdk.Session{Login: "bare"}, Envelope: &sdk.Envelope{From: "a/b|c@example.com"}, Recipient: sdk.Recipient{Addr: "Ann@example.org"}})
	for s, want := range map[string]string{
		"":                                    "",
		"@":                                   "@",
		"no address":                          "no address",
		"@example.org":                        "@example.org",
		"mail @ noon":                         "mail @ noon",
		"ann@example.org":                     ann + "@example.org",
		"<ANN@example.org>":                   "<" + ann + "@example.org>",
		"rfc822;ann@example.org":              "rfc822;" + ann + "@example.org",
		"192.0.2.1|ann@example.org|other@x.y": "192.0.2.1|" + ann + "@example.org|" + other + "@x.y",
		"k:a/b|c@example.com:ann@example.org": "k:" + slash + "@example.com:" + ann + "@example.org",
		`said "a b"@example.org yes`:          "said " + odd + "@example.org yes",
		"postmaster@example.org":              "postmaster@example.org",
		"Postmaster@example.org":              "Postmaster@example.org",
		"other@[192.0.2.1]":                   other + "@[192.0.2.1]",
		"https://x/?to=ANN%40example.org&n=1": "https://x/?to=" + ann + "%40example.org&n=1",
		"/v1/ann+tag%40example.org":           "/v1/" + h.local("ann+tag") + "%40example.org",
		"/v1/ann%2Btag%40example.org":         "/v1/" + h.local("ann+tag") + "%40example.org",
		"joann@example.org":                   h.local("joann") + "@example.org",
		"bare":                                h.local("bare"),
		"bare metal":                          "bare metal",
	} {
		if got := v.text("", s); got != want {
			t.Errorf("%q became %q; want %q", s, got, want)
		}
	}
	if got := v.text("Recipient.Addr", "user"); got != h.local("user") {
		t.Error(got)
	}
	if h.local("Ann") != h.local("ann") || newHasher([]byte("another")).local("ann") == ann || len(ann) != 17 {
		t.Error("case counts, or the key does not")
	}
	if b := v.bytes([]byte("ann@example.org")); string(b) != ann+"@example.org" {
		t.Errorf("%q", b)
	}
	if b := v.bytes([]byte("\xff@example.org")); string(b) != "\xff@example.org" {
		t.Errorf("%q", b)
	}
}

func TestNoLocalPartIsLeftInAHashedRecording(t *testing.T) {
	host := plugintest.NewHost()
	var file bytes.Buffer
	r := New(&file, Options{HashAddresses: true, Bodies: true}, Header{Config: []byte(`{"aliases":{"secret1@example.org":["Someone <secret2@example.org>"]},"n":1.50}`)})
	h := r.Host(host)
	grey := func(h sdk.Host) *sdk.Handlers {
		return &sdk.Handlers{Rcpt: func(ctx context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
			key := e.Session.RemoteIP + "|" + strings.ToLower(e.Envelope.From) + "|" + e.Recipient.Addr
			n, err := h.KV().Add(ctx, key, 1, 0)
			if err != nil {
				return sdk.Answer{}, err
			}
			if err := h.KV().Set(ctx, "last", []byte(e.Recipient.Addr), 0); err != nil {
				return sdk.Answer{}, err
			}
			return sdk.Answer{Action: sdk.Defer, Reason: "seen " + e.Recipient.Addr, Edits: []sdk.Edit{
				{Op: sdk.OpReplaceRecipient, Name: e.Recipient.Addr, Value: e.Recipient.Addr}, {Op: sdk.OpNote, Name: "n", Value: string(rune('0' + n))}}}, nil
		}}
	}
	hs := r.Wrap(grey(h))
	e := event("secret3+tag@example.org")
	e.Session.Login, e.Session.Notes = "secret4", sdk.Notes{"auth.as": "secret5@example.com"}
	e.Envelope.From, e.Envelope.Recipients = "Secret6/x@example.com", []sdk.Recipient{{Addr: "secret7@example.org", ORcpt: "rfc822;secret8@example.net"}}
	before := reflect.ValueOf(*clone(e)).Interface()
	for range 2 {
		if _, err := hs.Rcpt(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if !reflect.DeepEqual(*clone(e), before) {
		t.Error("the event of the relay was changed")
	}
	rec := closed(t, r, &file)
	for i := '1'; i <= '8'; i++ {
		if low := strings.ToLower(file.String()); strings.Contains(low, "secret"+string(i)) {
			t.Errorf("secret%c is in\n%s", i, file.String())
		}
	}
	for _, domain := range []string{"@example.org", "@example.com", "@example.net", `"n":1.50`} {
		if !strings.Contains(file.String(), domain) {
			t.Errorf("%s is not in\n%s", domain, file.String())
		}
	}
	if !rec.Header.Hashed || rec.Header.Bodies {
		t.Errorf("%+v", rec.Header)
	}
	// Who treats addresses as a whole does the same with hashed ones.
	rep, err := rec.Replay(t.Context(), func(_ context.Context, h sdk.Host, _ []byte) (*sdk.Handlers, func() error, error) {
		return grey(h), func() error { return nil }, nil
	}, ReplayOptions{})
	if err != nil || !rep.OK() || rep.Same != 2 {
		t.Errorf("%v\n%s", err, rep.Text())
	}
}

func TestAConfigurationThatCannotBeSearchedStaysOut(t *testing.T) {
	if got := newHasher(nil).config([]byte(`{"a":`)); got != nil {
		t.Errorf("%s", got)
	}
}

func FuzzHashingNeverPanics(f *testing.F) {
	f.Add("a@b", "x@y a@b")
	f.Add(`"@`, `"@"@@[`)
	f.Fuzz(func(t *testing.T, addr, text string) {
		v := newHasher([]byte("k")).about(event(addr))
		_ = v.text("", text)
		if got := v.text("Recipient.Addr", addr); sdk.Domain(addr) != sdk.Domain(got) {
			t.Errorf("%q became %q", addr, got)
		}
	})
}
