package sdk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// The plugins of README.md, the first half of a message's life. TestTheHooksOfTheReadme
// plays testdata/readme/HOOK.txtar with each.

// snippet base
// base is what all plugins of this page begin with.
type base struct{ host sdk.Host }

// Start keeps the host. A plugin with a configuration calls sdk.DecodeConfig here.
func (b *base) Start(_ context.Context, host sdk.Host, _ []byte) error {
	b.host = host
	return nil
}

func (b *base) Close() error { return nil }

// end snippet

// snippet connect
// Blocklist refuses clients that a DNS blocklist names.
type Blocklist struct{ base }

func (p *Blocklist) OnConnect(ctx context.Context, e *sdk.ConnectEvent) (sdk.Answer, error) {
	ip, err := netip.ParseAddr(e.Session.RemoteIP)
	if err != nil || !ip.Unmap().Is4() {
		return sdk.Answer{}, nil
	}
	b := ip.Unmap().As4()
	listed, err := p.host.Lookup(ctx, sdk.RecordA, fmt.Sprintf("%d.%d.%d.%d.list.example", b[3], b[2], b[1], b[0]))
	if err != nil { // the DNS is slow today: that is no reason to stop mail
		return sdk.Answer{Reason: err.Error()}, nil
	}
	if len(listed) > 0 {
		return sdk.Rejected("5.7.1", "your address is on list.example"), nil
	}
	return sdk.Noted("looked", "clean"), nil
}

// end snippet

// snippet helo
// OwnName refuses clients that greet us with our own name.
type OwnName struct{ base }

func (p *OwnName) OnHelo(_ context.Context, e *sdk.HeloEvent) (sdk.Answer, error) {
	if strings.EqualFold(e.Session.Helo, p.host.Hostname()) {
		return sdk.Rejected("5.7.1", "that is my name"), nil
	}
	return sdk.Answer{}, nil
}

// end snippet

// snippet auth
// Accounts asks an HTTP service who may log in.
type Accounts struct{ base }

func (p *Accounts) OnAuth(ctx context.Context, e *sdk.AuthEvent) (sdk.Answer, error) {
	body, err := json.Marshal(map[string]string{"user": e.Username, "password": e.Password})
	if err != nil {
		return sdk.Answer{}, err
	}
	r, err := p.host.HTTP(ctx, &sdk.HTTPRequest{Method: "POST", URL: "https://accounts.example.net/login", Body: body})
	switch {
	case err != nil:
		return sdk.Answer{}, err // on_error decides; by default: 454, come again
	case r.Status == 200:
		return sdk.Answer{Action: sdk.Accept, Identity: e.Username}, nil
	case r.Status == 401:
		return sdk.Rejected("5.7.8", "wrong user or password"), nil
	}
	return sdk.Deferred("4.7.0", "try again later"), nil
}

// end snippet

// snippet mail
// NotUs refuses our own domain as a sender from people who have not logged in.
type NotUs struct{ base }

func (p *NotUs) OnMail(_ context.Context, e *sdk.MailEvent) (sdk.Answer, error) {
	if sdk.Domain(e.Envelope.From) == "example.org" && e.Session.Login == "" {
		return sdk.Rejected("5.7.1", "log in to send as example.org"), nil
	}
	return sdk.Answer{}, nil
}

// end snippet

// snippet rcpt
// Rate allows three recipients a minute to each client.
type Rate struct{ base }

func (p *Rate) OnRcpt(ctx context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
	n, err := p.host.KV().Add(ctx, "client."+e.Session.RemoteIP, 1, time.Minute)
	if err != nil {
		return sdk.Answer{}, err
	}
	if n > 3 {
		return sdk.Deferred("4.7.1", "too many recipients, try again in a minute"), nil
	}
	return sdk.Answer{}, nil
}

// end snippet

// snippet predata
// OneBounce refuses bounces to more than one recipient: nobody sends two
// messages at a time, and so no honest bounce has two.
type OneBounce struct{ base }

func (p *OneBounce) OnPredata(_ context.Context, e *sdk.PredataEvent) (sdk.Answer, error) {
	if e.Envelope.From == "" && len(e.Envelope.Recipients) > 1 {
		return sdk.Rejected("5.5.3", "a bounce goes to one recipient"), nil
	}
	return sdk.Answer{}, nil
}

// end snippet

// snippet data
// Header holds mail without From, and makes sure that X-Inside comes from us.
type Header struct{ base }

func (p *Header) OnData(_ context.Context, e *sdk.DataEvent) (sdk.Answer, error) {
	h, err := e.Message.Header()
	if err != nil {
		return sdk.Answer{}, err
	}
	a := sdk.Answer{Edits: []sdk.Edit{
		{Op: sdk.OpRemoveHeader, Name: "X-Inside"}, // whoever wrote it
		{Op: sdk.OpPrependHeader, Name: "X-Inside", Value: "no"},
	}}
	if h.Get("From") == "" {
		a.Action, a.Reason = sdk.Hold, "there is no From"
	}
	return a, nil
}

// end snippet

// snippet footer
// Footer shows how a body is read and replaced. It leaves MIME alone: what has
// parts cannot be added to so simply; examples/footer does it.
type Footer struct{ base }

func (p *Footer) OnData(_ context.Context, e *sdk.DataEvent) (sdk.Answer, error) {
	content, err := e.Message.Open()
	if err != nil {
		return sdk.Answer{}, err
	}
	defer content.Close()
	var all bytes.Buffer
	if _, err := all.ReadFrom(content); err != nil {
		return sdk.Answer{}, err
	}
	header, body, _ := bytes.Cut(all.Bytes(), []byte("\r\n\r\n"))
	if bytes.Contains(bytes.ToLower(header), []byte("content-type:")) {
		return sdk.Answer{Reason: "not plain"}, nil
	}
	body = append(body, "--\r\nSent through example.org\r\n"...)
	return sdk.Answer{Edits: []sdk.Edit{{Op: sdk.OpReplaceBody, Data: body}}}, nil
}

// end snippet
