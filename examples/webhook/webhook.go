// Package webhook delivers mail to an HTTP service: one POST for a message with
// all its recipients, signed, with a key by which the service can tell a
// repetition from a new message.
//
// A 2xx means that the service is responsible now; its answer may say otherwise
// for single recipients. 408, 425, 429 and 5xx put off, by as long as
// Retry-After says; other 4xx fail, and the sender gets a notification.
//
// Invariants: a message is delivered only when the service has said so. What
// cannot be understood, and what got no answer, is put off, never bounced. The
// request of a repetition has the same key as long as its recipients are the same.
package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/programmable-mta/mta/sdk"
)

// maxBody is the most that the relay sends for a plugin.
const maxBody = 1 << 20

// New makes the plugin.
func New() sdk.Plugin { return &plugin{Format: "json"} }

type plugin struct {
	URL    string            `json:"url"`
	Secret string            `json:"secret"` // of the signature; "whsec_..." is base64
	Format string            `json:"format"` // json or raw
	Header map[string]string `json:"header"` // more fields of the request
	Defer  []int             `json:"defer"`  // more statuses that put off

	host   sdk.Host
	key    []byte
	remote string // "host:port"
}

// Start implements [sdk.Plugin].
func (p *plugin) Start(_ context.Context, host sdk.Host, config []byte) error {
	if err := sdk.DecodeConfig(config, p); err != nil {
		return err
	}
	p.host = host
	u, err := url.Parse(p.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" {
		return fmt.Errorf(`webhook: url %q: write "https://api.example.net/mail"`, p.URL)
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	p.remote = strings.ToLower(u.Hostname()) + ":" + port
	if p.Format != "json" && p.Format != "raw" {
		return fmt.Errorf("webhook: format is json or raw, not %q", p.Format)
	}
	p.key = []byte(p.Secret)
	if code, ok := strings.CutPrefix(p.Secret, "whsec_"); ok {
		if p.key, err = base64.StdEncoding.DecodeString(code); err != nil {
			return errors.New("webhook: what is behind whsec_ in secret is not base64")
		}
	}
	if n := len(p.key); n > 0 && n < 16 {
		return errors.New("webhook: secret is shorter than 16 octets; generate a longer one, or leave it out for requests that are not signed")
	}
	for _, status := range p.Defer {
		if status < 400 || status > 499 {
			return fmt.Errorf("webhook: defer has statuses from 400 to 499, not %d", status)
		}
	}
	return nil
}

// Close implements [sdk.Plugin].
func (p *plugin) Close() error { return nil }

// Describe implements [sdk.Describer].
func (p *plugin) Describe() sdk.Description {
	return sdk.Description{
		Name: "webhook", Version: "1.0.0",
		Hooks: map[string][]string{
			"deliver": {"envelope.id", "envelope.from", "envelope.arrived", "envelope.origin", "recipients", "message", "attempt"},
			"outcome": {"outcome.status", "outcome.remote", "outcome.reply"},
		},
		Needs: []string{"http", "body"},
	}
}

// inField is how many recipients go into one request of the format raw, which
// has them in a field of the header.
const inField = 100

// OnDeliver implements [sdk.DeliverHook].
func (p *plugin) OnDeliver(ctx context.Context, e *sdk.DeliverEvent) (sdk.DeliverAnswer, error) {
	if p.Format != "raw" || len(e.Recipients) <= inField {
		return p.deliver(ctx, e)
	}
	var all sdk.DeliverAnswer
	for some := range slices.Chunk(e.Recipients, inField) {
		one := *e
		one.Recipients = some
		a, err := p.deliver(ctx, &one)
		if err != nil {
			return sdk.DeliverAnswer{}, err
		}
		all.Outcomes = append(all.Outcomes, a.Outcomes...)
	}
	return all, nil
}

func (p *plugin) deliver(ctx context.Context, e *sdk.DeliverEvent) (sdk.DeliverAnswer, error) {
	req, err := p.request(ctx, e)
	if err == errTooBig {
		return p.all(e, outcome(sdk.StatusFailed, 552, "5.3.4", "the message is too big for the webhook")), nil
	}
	if err != nil {
		return sdk.DeliverAnswer{}, err
	}
	resp, err := p.host.HTTP(ctx, req)
	if err != nil {
		return p.unanswered(ctx, e, err)
	}
	a := p.answered(e, resp)
	for _, o := range a.Outcomes {
		p.host.Count(ctx, o.Status.String(), 1)
	}
	return a, nil
}

// unanswered puts off what got no answer. A request that is not allowed or is
// wrong is a fault of this plugin or its configuration, not of the network.
func (p *plugin) unanswered(ctx context.Context, e *sdk.DeliverEvent, err error) (sdk.DeliverAnswer, error) {
	var call *sdk.CallError
	if !errors.As(err, &call) || call.Code == sdk.NotGranted || call.Code == sdk.CallInvalid || call.Code == sdk.CallNotAllowed {
		return sdk.DeliverAnswer{}, err
	}
	p.host.Count(ctx, "unanswered", 1)
	o := outcome(sdk.StatusDeferred, 451, "4.4.2", "the webhook gave no answer")
	// It may have the message: the key tells the service when it comes again.
	o.MaybeDuplicate = call.Code == sdk.CallTimeout || call.Code == sdk.CallLimit
	return p.all(e, o), nil
}

func (p *plugin) all(e *sdk.DeliverEvent, o sdk.Outcome) sdk.DeliverAnswer {
	o.Remote = p.remote
	return sdk.DeliverAnswer{Outcomes: slices.Repeat([]sdk.Outcome{o}, len(e.Recipients))}
}

func outcome(status sdk.Status, code int, enhanced, text string) sdk.Outcome {
	return sdk.Outcome{Status: status, Reply: sdk.Reply{Code: code, Enhanced: enhanced, Text: text}}
}

var errTooBig = errors.New("webhook: the request would be larger than 1 MiB")

func read(m sdk.Message) ([]byte, error) {
	if m.Size > maxBody {
		return nil, errTooBig
	}
	body, err := m.Open()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, maxBody+1))
	if len(b) > maxBody {
		return nil, errTooBig
	}
	return b, err
}

// request makes the POST. Its signature is that of Standard Webhooks: HMAC-SHA256
// over the key, the time and the body.
func (p *plugin) request(ctx context.Context, e *sdk.DeliverEvent) (*sdk.HTTPRequest, error) {
	message, err := read(e.Message)
	if err != nil {
		return nil, err
	}
	body, contentType, fields, err := p.body(e, message)
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, errTooBig
	}
	id := key(e.Envelope.ID, e.Recipients)
	seconds := strconv.FormatInt(p.host.Now(ctx).Unix(), 10)
	r := &sdk.HTTPRequest{Method: "POST", URL: p.URL, Body: body, Header: append([]sdk.HTTPField{
		{Name: "Content-Type", Value: contentType},
		{Name: "Idempotency-Key", Value: id},
		{Name: "Webhook-Id", Value: id},
		{Name: "Webhook-Timestamp", Value: seconds},
	}, fields...)}
	if len(p.key) > 0 {
		mac := hmac.New(sha256.New, p.key)
		io.WriteString(mac, id+"."+seconds+".")
		mac.Write(body)
		r.Header = append(r.Header, sdk.HTTPField{Name: "Webhook-Signature", Value: "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))})
	}
	for name, value := range p.Header {
		r.Header = append(r.Header, sdk.HTTPField{Name: name, Value: value})
	}
	slices.SortStableFunc(r.Header, func(a, b sdk.HTTPField) int { return strings.Compare(a.Name, b.Name) })
	return r, nil
}

// key is the same for the same message and recipients, in any order.
func key(id string, recipients []sdk.Recipient) string {
	addrs := make([]string, len(recipients))
	for i, r := range recipients {
		addrs[i] = r.Addr
	}
	slices.Sort(addrs)
	sum := sha256.Sum256([]byte(strings.Join(addrs, "\x00")))
	return id + "-" + hex.EncodeToString(sum[:8])
}
