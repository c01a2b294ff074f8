package plugintest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// echo answers every hook with what it was asked.
type echo struct {
	host   sdk.Host
	config struct{ Refuse, Path string }
}

func (p *echo) Start(_ context.Context, h sdk.Host, config []byte) error {
	p.host = h
	if err := sdk.DecodeConfig(config, &p.config); err != nil {
		return err
	}
	if p.config.Refuse == "start" {
		return errors.New("refused as told")
	}
	return nil
}
func (p *echo) Close() error { return nil }

func (p *echo) OnConnect(ctx context.Context, e *sdk.ConnectEvent) (sdk.Answer, error) {
	return sdk.Answer{Reason: "from " + e.Session.RemoteIP, Edits: []sdk.Edit{{Op: sdk.OpNote, Name: "ip", Value: e.Session.RemoteIP}}}, nil
}

func (p *echo) OnHelo(ctx context.Context, e *sdk.HeloEvent) (sdk.Answer, error) {
	if e.Session.Helo == "broken" {
		return sdk.Answer{}, errors.New("broken as told")
	}
	return sdk.Answer{Action: sdk.Discard}, nil // which helo may not
}

func (p *echo) OnMail(ctx context.Context, e *sdk.MailEvent) (sdk.Answer, error) {
	return sdk.Deferred("4.7.1", e.Envelope.From+" "+e.Envelope.Notes["plugin.ip"]+" "+p.host.Now(ctx).Format(time.TimeOnly)), nil
}

func (p *echo) OnRcpt(ctx context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
	if len(e.Envelope.Recipients) == 1 {
		return sdk.Rejected("5.5.3", "one is enough"), nil
	}
	txt, err := p.host.Lookup(ctx, sdk.RecordTXT, sdk.Domain(e.Recipient.Addr))
	if err != nil {
		return sdk.Deferred("4.4.3", err.Error()), nil
	}
	p.host.Log(ctx, slog.LevelInfo, "seen", "rcpt", e.Recipient.Addr)
	return sdk.Answer{Action: sdk.Accept, Edits: []sdk.Edit{{Op: sdk.OpReplaceRecipient, Name: e.Recipient.Addr, Value: strings.Join(txt, "+")}}}, nil
}

func (p *echo) OnData(ctx context.Context, e *sdk.DataEvent) (sdk.Answer, error) {
	h, err := e.Message.Header()
	return sdk.Answer{
		Recipients: []sdk.Verdict{{Action: sdk.Reject, Reply: sdk.Reply{Code: 550}}},
		Edits:      []sdk.Edit{{Op: sdk.OpPrependHeader, Name: "X-Subject", Value: h.Get("Subject")}, {Op: sdk.OpRemoveHeader, Name: "Bcc"}},
	}, err
}

func (p *echo) OnRoute(ctx context.Context, e *sdk.RouteEvent) (sdk.RouteAnswer, error) {
	mx, err := p.host.MX(ctx, sdk.Domain(e.Recipient.Addr))
	if err != nil {
		return sdk.RouteAnswer{Action: sdk.RouteDefer, Reply: sdk.Reply{Text: e.Last.Reply.Text}, NotBefore: p.host.Now(ctx)}, nil
	}
	return sdk.RouteAnswer{Action: sdk.RouteUse, Route: sdk.Route{Via: "smtp", Hosts: mx.Hosts, MX: true, TLS: "may", Rule: "mx"}}, nil
}

func (p *echo) OnDeliver(ctx context.Context, e *sdk.DeliverEvent) (sdk.DeliverAnswer, error) {
	out, err := p.host.Send(ctx, e, sdk.SendOptions{LMTP: true})
	return sdk.DeliverAnswer{Outcomes: out}, err
}

func (p *echo) OnOutcome(ctx context.Context, e *sdk.OutcomeEvent) (sdk.OutcomeAnswer, error) {
	return sdk.OutcomeAnswer{Status: e.Outcome.Status, Delay: e.Next.Sub(p.host.Now(ctx)), Reply: e.Outcome.Reply}, nil
}

func (p *echo) OnBounce(_ context.Context, e *sdk.BounceEvent) (sdk.BounceAnswer, error) {
	return sdk.BounceAnswer{Suppress: e.Kind == sdk.DSNDelayed, Reason: e.To}, nil
}

func (p *echo) OnDisconnect(context.Context, *sdk.DisconnectEvent) error { return nil }

func TestStoriesOfEveryHook(t *testing.T) {
	Run(t, func() sdk.Plugin { return &echo{} })
}

// The same stories test every runtime with the same plugin.
func TestStoriesOfTheReferencePlugin(t *testing.T) {
	Run(t, NewReference, "testdata/reference/*.txtar")
}

func play1(t *testing.T, text string) error {
	t.Helper()
	s, err := ParseStory("s.txtar", text)
	if err != nil {
		t.Fatal(err)
	}
	return s.Play(t.Context(), Native(func() sdk.Plugin { return &echo{} }), t.TempDir())
}

func TestAFailureShowsExpectedAndGotSideBySide(t *testing.T) {
	err := play1(t, `-- story --
mail a@example.com
    defer 4.7.1 b@example.com
    edit: set-sender x
`)
	want := `s.txtar:2: mail a@example.com
      expected                  | got
    ! defer 4.7.1 b@example.com | defer 4.7.1 a@example.com  15:04:05
    ! edit: set-sender x        |`
	if err == nil || strings.TrimRight(err.Error(), " ") != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestAllThatWentWrongIsTold(t *testing.T) {
	for _, tt := range []struct{ name, story, want string }{
		{"an event without answer", "connect\n", "! "},
		{"an answer too much", "connect\n continue\n edit: note ip=192.0.2.1\n accept\n", "! accept"},
		{"an action that the hook may not", "helo x\n discard\n", "error: a helo hook cannot answer discard"},
		{"an error", "helo broken\n discard\n", "error: broken as told"},
		{"a hook that is not there", "auth PLAIN u p\n accept\n", "no such hook"},
		{"an unknown event", "greet\n accept\n", `no such event or setting: "greet"`},
		{"an unknown word", "session hello=x\n", "unknown word hello="},
		{"a word too much", "connect now\n continue\n", "too many words"},
		{"a word twice", "session ip=1 ip=2\n", "ip= is there twice"},
		{"a setting with answer", "clock +1m\n accept\n", "clock gets no answer"},
		{"a bad duration", "clock soon\n", "soon"},
		{"a bad number", "session port=x\n", "port=x is no number"},
		{"open quotes", "mail \"x\n", "quotes"},
		{"an open bracket", "mail <x\n", "bracket"},
		{"a bad outcome", "send perhaps\n", `outcome "perhaps"`},
		{"a bad kind", "bounce x\n", `bounce "x"`},
		{"a bad notify", "rcpt a@b notify=maybe\n", "notify=maybe"},
		{"a bad time", "envelope arrived=now\n", `time "now"`},
	} {
		err := play1(t, "-- story --\n"+tt.story)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "s.txtar:2: ") {
			t.Errorf("%s: got %v, want it to name line 2 and %q", tt.name, err, tt.want)
		}
	}
}

func TestStartIsPartOfTheStory(t *testing.T) {
	for _, tt := range []struct{ story, want string }{
		{"-- config --\n{\"refuse\": \"start\"}\n-- start --\nas told\n", ""},
		{"-- config --\n{\"refuse\": \"start\"}\n-- start --\notherwise\n", "failed in another way"},
		{"-- config --\n{\"refuse\": \"start\"}\n-- story --\nconnect\n", "Start failed: refused as told"},
		{"-- start --\nas told\n", "Start succeeded"},
	} {
		err := play1(t, tt.story)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %q", tt.story, err, tt.want)
		}
	}
}

func TestABadStoryIsRefusedWithItsLine(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "want either a section story"},
		{"-- story --\n# nothing\n", "want either a section story"},
		{"-- story --\nconnect\n-- start --\nx\n", "want either"},
		{"-- story --\n    accept\nconnect\n", "s:2: an answer before"},
		{"title\n-- config --\n{x}\n-- story --\nconnect\n", "s:3: config is not JSON"},
		{"-- story --\nconnect\n-- story --\n", `s:3: section "story" is there twice`},
		{"-- events --\nconnect\n", `s:1: section "events"`},
		{"-- file ../x --\n-- story --\nconnect\n", "outside $WORK"},
		{"-- file /etc/x --\n-- story --\nconnect\n", "outside $WORK"},
	} {
		if _, err := ParseStory("s", tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %q", tt.text, err, tt.want)
		}
	}
}

func TestThreeDotsStandForAnyText(t *testing.T) {
	for _, tt := range []struct {
		pattern, line string
		want          bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"...", "", true}, {"a...", "abc", true}, {"...c", "abc", true},
		{"a...c", "abc", true}, {"a...c...e", "abcde", true}, {"a...x...e", "abcde", false}, {"ab...bc", "abc", false},
	} {
		if got := match(tt.pattern, tt.line); got != tt.want {
			t.Errorf("match(%q, %q) = %v", tt.pattern, tt.line, got)
		}
	}
}

func TestTheHostAnswersAsSet(t *testing.T) {
	ctx := context.Background()
	var h sdk.Host = NewHost()
	fake := h.(*Host)
	if a, err := h.Lookup(ctx, sdk.RecordA, "nobody.example"); a != nil || err != nil {
		t.Errorf("an unknown name gave %v, %v; want nil, nil", a, err)
	}
	fake.SetDNS(sdk.RecordA, "Host.Example", "192.0.2.7")
	if a, err := h.Lookup(ctx, sdk.RecordA, "host.example."); len(a) != 1 || err != nil {
		t.Errorf("got %v, %v", a, err)
	}
	fake.FailDNS(sdk.RecordA, "host.example", "SERVFAIL", true)
	var dns *sdk.DNSError
	if _, err := h.Lookup(ctx, sdk.RecordA, "host.example"); !errors.As(err, &dns) || !dns.Temporary {
		t.Errorf("got %v, want a temporary *DNSError", err)
	}
	if mx, err := h.MX(ctx, "nobody.example"); !mx.NoDomain || err != nil {
		t.Errorf("MX of an unknown domain: %+v, %v", mx, err)
	}
	fake.Advance(time.Hour)
	if !h.Now(t.Context()).Equal(Epoch.Add(time.Hour)) {
		t.Errorf("now %v", h.Now(t.Context()))
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	e := &sdk.DeliverEvent{Recipients: Envelope("", "a@x", "b@x").Recipients}
	if out, err := h.Send(done, e, sdk.SendOptions{}); err != nil || len(out) != 2 || out[1].Status != sdk.StatusDeferred {
		t.Errorf("with a done context %v, %v", out, err)
	}
	if _, err := h.MX(done, "x.example"); !errors.As(err, &dns) {
		t.Errorf("MX with a done context: %v, want a *DNSError", err)
	}
	h.Log(t.Context(), slog.LevelWarn, "odd", "key")
	if l := fake.Logs(); len(l) != 1 || l[0].Text != "odd key=!MISSING" {
		t.Errorf("logs %v", l)
	}
}

func TestAMessageHasCRLF(t *testing.T) {
	m := Message("A: b\r\n\nline\n")
	b, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	got, err := io.ReadAll(b)
	if want := "A: b\r\n\r\nline\r\n"; err != nil || string(got) != want || m.Size != int64(len(want)) {
		t.Errorf("got %q of %d, %v", got, m.Size, err)
	}
}

func FuzzParseStory(f *testing.F) {
	f.Add("t\n-- config --\n{}\n-- story --\nconnect\n    accept\n")
	f.Add("-- story --\nrcpt <\"a b\"@x> notify=never\n-- file a --\n--  --\n-- x")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseStory("s", text)
		if err != nil {
			return
		}
		for _, st := range s.steps {
			if lines := strings.Split(text, "\n"); st.line > len(lines) || strings.TrimSpace(lines[st.line-1]) != st.text {
				t.Errorf("line %d of %q is not %q", st.line, text, st.text)
			}
			if w, err := parseWords(st.text); err == nil {
				w.reply()
			}
		}
		_ = s.Play(t.Context(), Native(func() sdk.Plugin { return &echo{} }), t.TempDir())
	})
}
