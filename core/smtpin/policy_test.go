package smtpin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/queue"
	"github.com/programmable-mta/mta/sdk"
)

func from(local string) string { return "MAIL FROM:<" + local + "@example.com>\r\n" }
func to(local string) string   { return "RCPT TO:<" + local + "@example.org>\r\n" }

func TestAnswersOfHooksBecomeReplies(t *testing.T) {
	queued := "250 2.0.0 queued as "
	for _, c := range []struct {
		name  string
		turns []string
		want  []string
		kept  int
	}{
		{"HELO refused is HELO forgotten", []string{"EHLO reject\r\n", mail, ehlo, mail}, []string{"550 5.7.1", "503 5.5.1", "250", "250"}, 0},
		{"HELO deferred", []string{"EHLO defer\r\n"}, []string{"4"}, 0},
		{"HELO and out", []string{"EHLO disconnect\r\n", ehlo}, []string{"421 4."}, 0},
		{"MAIL refused", []string{ehlo, from("reject"), rcpt}, []string{"250", "550 5.7.1", "503 5.5.1"}, 0},
		{"MAIL deferred", []string{ehlo, from("defer"), mail}, []string{"250", "451 4.7.1", "250"}, 0},
		{"MAIL and out", []string{ehlo, from("disconnect"), rcpt}, []string{"250", "421 4."}, 0},
		{"a message thrown away at MAIL", []string{ehlo, from("discard"), rcpt, data, text, quit}, []string{"250", "250", "250", "354", queued, "221"}, 0},
		{"a message held at MAIL", []string{ehlo, from("hold"), rcpt, data, text}, []string{"250", "250", "250", "354", queued}, 1},
		{"nobody accepts the recipient", []string{ehlo, mail, to("nobody"), data}, []string{"250", "250", "550 5.7.1", "554 5.5.1"}, 0},
		{"a broken plugin defers", []string{ehlo, mail, to("fail")}, []string{"250", "250", "451 4.3.5"}, 0},
		{"RCPT refused, others stand", []string{ehlo, mail, to("reject"), to("defer"), rcpt, data, text}, []string{"250", "250", "550 5.7.1", "45", "250", "354", queued}, 1},
		{"RCPT and out", []string{ehlo, mail, to("disconnect"), rcpt}, []string{"250", "250", "421 4."}, 0},
		{"a recipient thrown away", []string{ehlo, mail, to("discard"), data, text}, []string{"250", "250", "250", "354", queued}, 0},
		{"predata refused", []string{ehlo, from("predata-reject"), rcpt, data, "RSET\r\n"}, []string{"250", "250", "250", "550 5.7.1", "250"}, 0},
		{"predata refused at BDAT", []string{ehlo, from("predata-reject"), rcpt, "BDAT 6\r\nQUIT\r\n", "BDAT 1 LAST\r\nx", quit}, []string{"250", "250", "250", "550 5.7.1", "503 5.5.1", "221"}, 0},
		{"data refused", []string{ehlo, from("data-reject"), rcpt, data, text, mail}, []string{"250", "250", "250", "354", "550 5.7.1", "250"}, 0},
		{"data deferred", []string{ehlo, from("data-defer"), rcpt, data, text}, []string{"250", "250", "250", "354", "451 4.7.1"}, 0},
		{"data and out", []string{ehlo, from("data-disconnect"), rcpt, data, text, quit}, []string{"250", "250", "250", "354", "421 4."}, 0},
		{"data thrown away", []string{ehlo, from("data-discard"), rcpt, data, text}, []string{"250", "250", "250", "354", queued}, 0},
		{"data held", []string{ehlo, from("data-hold"), rcpt, data, text}, []string{"250", "250", "250", "354", queued}, 1},
		{"every recipient refused at data", []string{ehlo, mail, to("data-reject"), data, text}, []string{"250", "250", "250", "354", "550 5.7.1"}, 0},
		{"one deferred, one refused: later", []string{ehlo, mail, to("data-reject"), to("data-defer"), data, text}, []string{"250", "250", "250", "250", "354", "451 4.7.1"}, 0},
		{"one thrown away at data", []string{ehlo, mail, to("data-discard"), data, text}, []string{"250", "250", "250", "354", queued}, 0},
		{"refused in part without DSNs", []string{ehlo, mail, to("data-reject"), rcpt, data, text}, []string{"250", "250", "250", "250", "354", "451 4.3.0"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDoor(t)
			expect(t, d.run(t, c.turns...), append([]string{"220"}, c.want...)...)
			if n := len(d.q.messages()); n != c.kept {
				t.Errorf("%d messages in the queue, want %d", n, c.kept)
			}
		})
	}
}

func TestRefusedRecipientsOfAnAcceptedMessageHaveADSNFirst(t *testing.T) {
	var got []Refused
	var before int
	d := newDoor(t)
	fail := false
	d.o.Bounce = func(_ context.Context, env *sdk.Envelope, m sdk.Message, refused []Refused) error {
		got = refused
		before = len(d.q.messages())
		if m.Size == 0 || env.ID == "" {
			t.Error("the DSN has no message to speak of")
		}
		if fail {
			return errors.New("no")
		}
		return nil
	}
	expect(t, d.run(t, ehlo, mail, to("data-reject"), rcpt, to("data-defer"), data, text), "220", "250", "250", "250", "250", "250", "354", "250 2.0.0")
	if len(got) != 2 || before != 0 || got[0].Recipient.Addr != "data-reject@example.org" || got[1].Reply.Code != 451 {
		t.Errorf("refused %+v with %d messages queued", got, before)
	}
	msgs := d.q.messages()
	if len(msgs) != 1 || len(msgs[0].env.Recipients) != 1 || msgs[0].env.Recipients[0].Addr != "b@example.org" {
		t.Errorf("queued %+v", msgs)
	}
	fail = true
	expect(t, d.run(t, ehlo, mail, to("data-reject"), rcpt, data, text), "220", "250", "250", "250", "250", "354", "451 4.3.0")
	if len(d.q.messages()) != 1 {
		t.Error("a message was queued whose DSN was not")
	}
}

func TestWhoThrowsAwayOrHoldsIsNamed(t *testing.T) {
	d := newDoor(t)
	d.run(t, ehlo, mail, to("discard"), rcpt, data, text, from("data-hold"), rcpt, data, text, from("discard"), rcpt, data, text)
	msgs := d.q.messages()
	if len(msgs) != 2 || msgs[1].held != "puppet" || msgs[0].held != "" {
		t.Fatalf("queued %+v", msgs)
	}
	log := d.logged(t)
	for _, want := range []string{"discard: ", "hold: ", "by puppet", "discard@example.org"} {
		if !strings.Contains(log, want) {
			t.Errorf("log lacks %q:\n%s", want, log)
		}
	}
}

func TestEditsChangeTheTransaction(t *testing.T) {
	d := newDoor(t)
	expect(t, d.run(t, ehlo, from("rewrite"), to("alias"), data, text), "220", "250", "250", "250", "354", "250")
	expect(t, d.run(t, ehlo, from("data-edit"), rcpt, data, text), "220", "250", "250", "250", "354", "250")
	msgs := d.q.messages()
	if len(msgs) != 2 {
		t.Fatalf("%d messages", len(msgs))
	}
	first, second := msgs[0], msgs[1]
	if first.env.From != "rewritten@example.net" {
		t.Errorf("sender %q", first.env.From)
	}
	var rcpts []string
	for _, r := range first.env.Recipients {
		rcpts = append(rcpts, r.Addr+"<"+r.Orig)
	}
	if got := strings.Join(rcpts, " "); got != "one@example.net<alias@example.org two@example.net<alias@example.org copy@example.net<" {
		t.Errorf("recipients %s", got)
	}
	if second.env.From != "" || len(second.env.Recipients) != 2 {
		t.Errorf("envelope %+v", second.env)
	}
	if !strings.HasPrefix(second.body, "Received: ") || !strings.HasPrefix(second.text(), "X-Seen: yes\r\nSubject: x\r\n") {
		t.Errorf("message %q", second.body)
	}
	if second.env.Size != int64(len(second.body)) {
		t.Errorf("size %d, want %d", second.env.Size, len(second.body))
	}
}

func TestEditsAreAllOrNothing(t *testing.T) {
	bad := func(edits ...sdk.Edit) hook.Plugin {
		return hook.Plugin{Name: "bad", Inline: true, Handlers: sdk.Handlers{
			Data: func(context.Context, *sdk.DataEvent) (sdk.Answer, error) { return sdk.Answer{Edits: edits}, nil },
		}, OnError: map[string]hook.OnError{"data": hook.OnErrorContinue}}
	}
	prepend := sdk.Edit{Op: sdk.OpPrependHeader, Name: "X-Half", Value: "done"}
	for _, c := range []struct {
		name string
		edit sdk.Edit
	}{
		{"remove a stranger", sdk.Edit{Op: sdk.OpRemoveRecipient, Name: "stranger@example.org"}},
		{"replace a stranger", sdk.Edit{Op: sdk.OpReplaceRecipient, Name: "stranger@example.org", Value: "x@example.org"}},
		{"add what is no address", sdk.Edit{Op: sdk.OpAddRecipient, Value: "nonsense"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDoor(t, withPlugins(t, puppet(), bad(prepend, sdk.Edit{Op: sdk.OpSetSender, Value: "half@example.com"}, c.edit)))
			expect(t, d.run(t, ehlo, mail, rcpt, data, text), "220", "250", "250", "250", "354", "250")
			m := d.q.messages()[0]
			if m.env.From != "a@example.com" || len(m.env.Recipients) != 1 || strings.Contains(m.body, "X-Half") {
				t.Errorf("half of the edits were done: %+v", m)
			}
		})
	}
}

func TestEditsCannotFanOutWithoutEnd(t *testing.T) {
	many := make([]sdk.Edit, 0, 100)
	for i := range 100 {
		many = append(many, sdk.Edit{Op: sdk.OpAddRecipient, Value: fmt.Sprintf("r%d@example.org", i)})
	}
	plugin := hook.Plugin{Name: "many", Inline: true, MayRelay: true, Handlers: sdk.Handlers{
		Rcpt: func(context.Context, *sdk.RcptEvent) (sdk.Answer, error) {
			return sdk.Answer{Action: sdk.Accept, Edits: many}, nil
		},
	}}
	d := newDoor(t, withPlugins(t, plugin), limits(func(l *Limits) { l.Recipients = 5 }))
	expect(t, d.run(t, ehlo, mail, rcpt), "220", "250", "250", "45")
}

func TestWithoutPluginsNothingIsRelayed(t *testing.T) {
	d := newDoor(t, withPlugins(t))
	narrow := puppet()
	narrow.MayRelay = false
	e := newDoor(t, withPlugins(t, narrow))
	for _, addr := range []string{"b@example.org", "postmaster", "\"a@b\"@example.org", "u%c@example.org", "a!u@example.org", "u@[127.0.0.1]", "@a.example,@b.example:u@example.org"} {
		for _, x := range []*door{d, e} {
			expect(t, x.run(t, ehlo, mail, "RCPT TO:<"+addr+">\r\n", data), "220", "250", "250", "550 5.7.1", "554")
		}
	}
}

func TestHooksSeeWhatHappened(t *testing.T) {
	var seen []string
	note := func(s string, a ...any) { seen = append(seen, fmt.Sprintf(s, a...)) }
	spy := hook.Plugin{Name: "spy", Inline: true, MayRelay: true, Handlers: sdk.Handlers{
		Connect: func(_ context.Context, e *sdk.ConnectEvent) (sdk.Answer, error) {
			note("connect %s", e.Session.RemoteIP)
			return sdk.Noted("hello", "there"), nil
		},
		Helo: func(_ context.Context, e *sdk.HeloEvent) (sdk.Answer, error) {
			note("helo %s %v", e.Session.Helo, e.Extended)
			return sdk.Answer{}, nil
		},
		Mail: func(_ context.Context, e *sdk.MailEvent) (sdk.Answer, error) {
			note("mail <%s> %s", e.Envelope.From, e.Envelope.Notes["spy.hello"])
			return sdk.Answer{}, nil
		},
		Rcpt: func(_ context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
			note("rcpt %s after %d notify=%v orcpt=%s", e.Recipient.Addr, len(e.Envelope.Recipients), e.Recipient.Notify, e.Recipient.ORcpt)
			return sdk.Accepted(), nil
		},
		Predata: func(_ context.Context, e *sdk.PredataEvent) (sdk.Answer, error) {
			note("predata %d", len(e.Envelope.Recipients))
			return sdk.Answer{}, nil
		},
		Data: func(_ context.Context, e *sdk.DataEvent) (sdk.Answer, error) {
			h, err := e.Message.Header()
			note("data %s %v", h.Get("Subject"), err)
			return sdk.Answer{}, nil
		},
		Disconnect: func(_ context.Context, e *sdk.DisconnectEvent) (sdk.None, error) {
			note("disconnect %d %s", e.Messages, e.Reason)
			return sdk.None{}, nil
		},
	}}
	d := newDoor(t, withPlugins(t, spy))
	d.run(t, "HELO old.example\r\n", ehlo, "MAIL FROM:<> RET=HDRS ENVID=q+2B1 BODY=8BITMIME SIZE=99\r\n",
		"RCPT TO:<POSTMASTER>\r\n", "RCPT TO:<b@EXAMPLE.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;B@example.org\r\n", data, text, quit)
	want := []string{
		"connect 192.0.2.7", "helo old.example false", "helo client.example true", "mail <> there",
		"rcpt postmaster after 0 notify= orcpt=",
		"rcpt b@example.org after 1 notify=SUCCESS,DELAY orcpt=rfc822;B@example.org",
		"predata 2", "data x <nil>", "disconnect 1 quit",
	}
	if got := strings.Join(seen, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("hooks saw\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	env := d.q.messages()[0].env
	if env.Recipients[0].Addr != "postmaster@"+host {
		t.Errorf("the postmaster of this host is %+v", env.Recipients[0])
	}
	if env.Ret != "HDRS" || env.EnvID != "q+1" || env.Body != "8BITMIME" || env.Notes["spy.hello"] != "there" {
		t.Errorf("envelope %+v", env)
	}
}

func TestAConnectHookDecidesAboutTheGreeting(t *testing.T) {
	for _, c := range []struct {
		answer sdk.Answer
		want   []string
	}{
		{sdk.Rejected("", "not you"), []string{"554 5.7.1 not you", "503", "503", "503", "221"}},
		{sdk.Answer{Action: sdk.Reject, Reply: sdk.Reply{Code: 521, Text: "no mail here"}}, []string{"521", "503", "503", "503", "221"}},
		{sdk.Deferred("", ""), []string{"421"}},
		{sdk.Answer{Action: sdk.Disconnect}, []string{"421 4."}},
	} {
		p := puppet()
		p.Handlers.Connect = func(context.Context, *sdk.ConnectEvent) (sdk.Answer, error) { return c.answer, nil }
		d := newDoor(t, withPlugins(t, p))
		expect(t, d.run(t, ehlo, "BDAT 6 LAST\r\nQUIT\r\n", "WHAT\r\n", quit), c.want...)
		if log := d.logged(t); !strings.Contains(log, "NOQUEUE: reject: CONNECT") {
			t.Errorf("log %q", log)
		}
	}
}

func TestWhatTheQueueRefusesIsNotAcknowledged(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{queue.ErrNoSpace, "452 4.3.1"},
		{fmt.Errorf("wrapped: %w", queue.ErrNoSpace), "452 4.3.1"},
		{queue.ErrStopped, "451 4.3.0"},
		{errors.New("anything"), "451 4.3.0"},
	} {
		d := newDoor(t)
		d.q.fail = c.err
		expect(t, d.run(t, ehlo, mail, rcpt, data, text, mail, rcpt, "BDAT 3 LAST\r\nx\r\n", from("hold"), rcpt, data, text),
			"220", "250", "250", "250", "354", c.want, "250", "250", c.want, "250", "250", "354", c.want)
	}
}

func TestWithoutSpaceMailIsDeferredAtMAIL(t *testing.T) {
	var asked []int64
	d := newDoor(t, func(o *Options) { o.HasSpace = func(n int64) bool { asked = append(asked, n); return n < 1000 } })
	expect(t, d.run(t, ehlo, "MAIL FROM:<a@b> SIZE=1000\r\n", "MAIL FROM:<a@b> SIZE=999\r\n", "RSET\r\n", mail), "220", "250", "452 4.3.1", "250", "250", "250")
	if fmt.Sprint(asked) != "[1000 999 0]" {
		t.Errorf("asked about %v", asked)
	}
}

func TestAFullDiskIsNoErrorOfTheClient(t *testing.T) {
	d := newDoor(t, func(o *Options) { o.Limits.Errors = 3; o.HasSpace = func(int64) bool { return false } })
	turns, want := []string{ehlo}, []string{"220", "250"}
	for range 10 {
		turns, want = append(turns, mail), append(want, "452 4.3.1")
	}
	expect(t, d.run(t, append(turns, quit)...), append(want, "221")...)
}

func TestAPanicEndsOneSessionAndNothingElse(t *testing.T) {
	d := newDoor(t)
	d.q.block = func() { panic("queue on fire") }
	expect(t, d.run(t, ehlo, mail, rcpt, data, text, quit), "220", "250", "250", "250", "354", "421 4.3.0")
	d.q.block = nil
	expect(t, d.run(t, ehlo, from("panic"), mail, rcpt, data, text), "220", "250", "451 4.3.5", "250", "250", "354", "250")
	if d.Sessions() != 0 || d.gate.all != 0 {
		t.Error("a session that panicked is still counted")
	}
	if log := d.logged(t); !strings.Contains(log, "queue on fire") {
		t.Errorf("log %q", log)
	}
}

func TestASessionFinishesOnTheChainsItBeganWith(t *testing.T) {
	d := newDoor(t)
	turnedOff := chains(t)
	c := &script{turns: []string{ehlo, mail, rcpt, data, text, quit}}
	var unused <-chan struct{}
	c.onWrite = func(s string) {
		if strings.Contains(s, "DSN") { // the reply to EHLO
			unused = d.Swap(turnedOff)
		}
		select {
		case <-unused:
			t.Error("the old chains were given up under a session")
		default:
		}
	}
	d.talk(c)
	expect(t, codes(t, strings.Join(c.writes, "")), "220", "250", "250", "250", "354", "250", "221")
	<-unused
	expect(t, d.run(t, ehlo, mail, rcpt), "220", "250", "250", "550 5.7.1")
}
