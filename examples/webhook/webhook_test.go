package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/examples/webhook"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestStories(t *testing.T) { plugintest.Run(t, webhook.New) }

const service = "https://hooks.example.net/mail"

func start(t testing.TB, host sdk.Host, config string) sdk.DeliverHook {
	t.Helper()
	p := webhook.New()
	if err := p.Start(context.Background(), host, []byte(config)); err != nil {
		t.Fatal(err)
	}
	return p.(sdk.DeliverHook)
}

func event(message string, to ...string) *sdk.DeliverEvent {
	e := &sdk.DeliverEvent{Envelope: plugintest.Envelope("a@example.com", to...), Message: plugintest.Message(message), Attempt: 1}
	e.Recipients = e.Envelope.Recipients
	return e
}

func deliver(t testing.TB, p sdk.DeliverHook, e *sdk.DeliverEvent) []sdk.Outcome {
	t.Helper()
	a, err := p.OnDeliver(context.Background(), e)
	if err != nil || len(a.Outcomes) != len(e.Recipients) {
		t.Fatalf("%d outcomes for %d recipients, %v", len(a.Outcomes), len(e.Recipients), err)
	}
	return a.Outcomes
}

func accepting() *plugintest.Host {
	host := plugintest.NewHost()
	host.SetHTTP("POST "+service, plugintest.HTTPAnswer{Response: sdk.HTTPResponse{Status: 204}})
	return host
}

func field(r sdk.HTTPRequest, name string) string {
	for _, f := range r.Header {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func TestARequestIsSignedOverKeyTimeAndBody(t *testing.T) {
	secret := []byte("0123456789abcdef0123456789abcdef")
	for _, configured := range []string{string(secret), "whsec_" + base64.StdEncoding.EncodeToString(secret)} {
		host := accepting()
		p := start(t, host, fmt.Sprintf(`{"url": %q, "secret": %q}`, service, configured))
		deliver(t, p, event("Subject: x\n\ny\n", "b@example.org"))
		r := host.Requests()[0]
		mac := hmac.New(sha256.New, secret)
		fmt.Fprintf(mac, "%s.%d.%s", field(r, "Webhook-Id"), plugintest.Epoch.Unix(), r.Body)
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); field(r, "Webhook-Signature") != want {
			t.Errorf("signature %s, want %s", field(r, "Webhook-Signature"), want)
		}
		if field(r, "Webhook-Timestamp") != fmt.Sprint(plugintest.Epoch.Unix()) || field(r, "Idempotency-Key") != field(r, "Webhook-Id") {
			t.Errorf("fields %v", r.Header)
		}
	}
}

func TestAKeyStandsForAMessageAndItsRecipients(t *testing.T) {
	host := accepting()
	p := start(t, host, `{"url": "`+service+`"}`)
	again := event("x: y\n\n", "c@example.org", "b@example.org")
	again.Attempt = 2
	for _, e := range []*sdk.DeliverEvent{event("x: y\n\n", "b@example.org", "c@example.org"), again, event("x: y\n\n", "b@example.org")} {
		deliver(t, p, e)
	}
	keys := []string{}
	for _, r := range host.Requests() {
		keys = append(keys, field(r, "Idempotency-Key"))
		if field(r, "Webhook-Signature") != "" {
			t.Error("signed without a secret")
		}
	}
	if keys[0] != keys[1] || keys[0] == keys[2] || !strings.HasPrefix(keys[0], "Q1-") {
		t.Errorf("keys %v", keys)
	}
}

func TestTheMessageArrivesWhole(t *testing.T) {
	const text = "Subject: two\n lines\nX-A: 1\nX-A: 2\n\nbody\x00 \xff\n"
	want := strings.ReplaceAll(text, "\n", "\r\n")
	host := accepting()
	deliver(t, start(t, host, `{"url": "`+service+`"}`), event(text, "b@example.org"))
	deliver(t, start(t, host, `{"url": "`+service+`", "format": "raw", "header": {"Authorization": "Bearer x"}}`), event(text, "b@example.org"))
	var got struct {
		From       string
		Recipients []struct{ Address, Key string }
		Headers    [][2]string
		Body       []byte
	}
	if err := json.Unmarshal(host.Requests()[0].Body, &got); err != nil {
		t.Fatal(err)
	}
	if string(got.Body) != "body\x00 \xff\r\n" || fmt.Sprint(got.Headers) != "[[Subject two lines] [X-A 1] [X-A 2]]" || got.From != "a@example.com" || got.Recipients[0].Address != "b@example.org" {
		t.Errorf("got %+v", got)
	}
	raw := host.Requests()[1]
	if string(raw.Body) != want || field(raw, "Content-Type") != "message/rfc822" || field(raw, "Authorization") != "Bearer x" {
		t.Errorf("raw: %v %q", raw.Header, raw.Body)
	}
	envelope, err := base64.StdEncoding.DecodeString(field(raw, "Mta-Envelope"))
	if err != nil || json.Unmarshal(envelope, &got) != nil || got.Recipients[0].Key == "" {
		t.Errorf("envelope %s, %v", envelope, err)
	}
}

func TestAMessageThatIsTooBigFails(t *testing.T) {
	host := accepting()
	p := start(t, host, `{"url": "`+service+`"}`)
	for _, size := range []int{900 << 10, 2 << 20} { // too big in base64, and at all
		o := deliver(t, p, event("x: y\n\n"+strings.Repeat("x", size), "b@example.org"))
		if o[0].Status != sdk.StatusFailed || o[0].Reply.Enhanced != "5.3.4" {
			t.Errorf("%d octets: %+v", size, o[0])
		}
	}
	if len(host.Requests()) != 0 {
		t.Error("it was sent")
	}
}

func TestManyRecipientsOfARawMessageNeedSeveralRequests(t *testing.T) {
	host := accepting()
	p := start(t, host, `{"url": "`+service+`", "format": "raw"}`)
	var to []string
	for i := range 250 {
		to = append(to, fmt.Sprintf("user%d@example.org", i))
	}
	deliver(t, p, event("x: y\n\n", to...))
	if n := len(host.Requests()); n != 3 {
		t.Errorf("%d requests", n)
	}
}

func TestWhatIsNotGrantedIsAnErrorAndSilenceIsNot(t *testing.T) {
	for code, broken := range map[sdk.CallCode]bool{sdk.NotGranted: true, sdk.CallInvalid: true, sdk.CallTimeout: false, sdk.CallTemporary: false, sdk.CallLimit: false, sdk.CallFailed: false} {
		host := plugintest.NewHost()
		host.SetHTTP("POST "+service, plugintest.HTTPAnswer{Err: &sdk.CallError{Call: "http", Code: code}})
		e := event("x: y\n\n", "b@example.org")
		a, err := start(t, host, `{"url": "`+service+`"}`).OnDeliver(t.Context(), e)
		var call *sdk.CallError
		if broken != errors.As(err, &call) {
			t.Errorf("%s: %v", code, err)
		}
		if !broken && (a.Outcomes[0].Status != sdk.StatusDeferred || a.Outcomes[0].MaybeDuplicate != (code == sdk.CallTimeout || code == sdk.CallLimit)) {
			t.Errorf("%s: %+v", code, a.Outcomes[0])
		}
	}
}

func TestRetryAfterBecomesTheDelay(t *testing.T) {
	host := plugintest.NewHost()
	host.SetHTTP("POST "+service, plugintest.HTTPAnswer{Response: sdk.HTTPResponse{Status: 503, Header: []sdk.HTTPField{{Name: "Retry-After", Value: "90"}}}})
	p := start(t, host, `{"url": "`+service+`"}`)
	o := deliver(t, p, event("x: y\n\n", "b@example.org"))[0]
	a, err := p.(sdk.OutcomeHook).OnOutcome(t.Context(), &sdk.OutcomeEvent{Outcome: o})
	if err != nil || a.Delay != 90*time.Second || a.Status != sdk.StatusNone {
		t.Errorf("%+v, %v", a, err)
	}
}
