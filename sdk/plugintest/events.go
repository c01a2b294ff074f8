package plugintest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// settings are the lines that get no answer.
var settings = map[string]func(*play, *words) error{
	"session":  setSession,
	"envelope": setEnvelope,
	"clock": func(p *play, w *words) error {
		d, err := time.ParseDuration(strings.TrimPrefix(w.next(), "+"))
		p.host.Advance(d)
		return err
	},
	"dns": func(p *play, w *words) error {
		kind, name, values := sdk.RecordKind(strings.ToUpper(w.next())), w.next(), w.all()
		if len(values) == 1 && strings.HasPrefix(values[0], "!") {
			p.host.FailDNS(kind, name, values[0][1:], true)
		} else {
			p.host.SetDNS(kind, name, values...)
		}
		return nil
	},
	"mx": func(p *play, w *words) error {
		domain, hosts := w.next(), w.all()
		if len(hosts) == 1 && strings.HasPrefix(hosts[0], "!") {
			p.host.FailDNS("MX", domain, hosts[0][1:], true)
			return nil
		}
		mx := sdk.MX{Hosts: hosts}
		if len(hosts) == 1 {
			switch hosts[0] {
			case "null":
				mx = sdk.MX{Null: true}
			case "loops":
				mx = sdk.MX{Loops: true}
			case "nodomain":
				mx = sdk.MX{NoDomain: true}
			}
		}
		p.host.SetMX(domain, mx)
		return nil
	},
	"send": func(p *play, w *words) error {
		o, err := w.outcome()
		if err == nil {
			p.host.Script(o)
		}
		return err
	},
	"http":   setHTTP,
	"kv":     setKV,
	"metric": checkMetric,
	"fuel": func(p *play, w *words) error {
		n, err := strconv.ParseInt(w.next(), 10, 64)
		if err != nil || n < 0 {
			return errors.New("want fuel UNITS; 0 is no ceiling")
		}
		p.ceiling = n
		return nil
	},
}

func setHTTP(p *play, w *words) error {
	method, url, what := w.next(), w.next(), w.next()
	if url == "" || what == "" {
		return errors.New(`want http GET https://api.example.net/x 200 [body] [header.NAME=value], or "!text" for the status`)
	}
	key := method + " " + url
	if text, ok := strings.CutPrefix(what, "!"); ok {
		p.host.SetHTTP(key, HTTPAnswer{Err: &sdk.CallError{Call: "http", Code: sdk.CallTemporary, Text: text}})
		return nil
	}
	n, err := strconv.Atoi(what)
	if err != nil || n < 100 || n > 599 {
		return fmt.Errorf("status %q: want 100 to 599, or \"!text\" for a temporary error", what)
	}
	resp := sdk.HTTPResponse{Status: n, Body: []byte(strings.Join(w.all(), " "))}
	header := sdk.Notes{}
	w.prefixed("header.", header)
	for _, name := range slices.Sorted(maps.Keys(header)) {
		resp.Header = append(resp.Header, sdk.HTTPField{Name: name, Value: header[name]})
	}
	p.host.SetHTTP(key, HTTPAnswer{Response: resp})
	return nil
}

func setKV(p *play, w *words) error {
	key, value := w.next(), strings.Join(w.all(), " ")
	var ttl time.Duration
	var v string
	if w.text("ttl", &v); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil {
			return err
		}
		ttl = d
	}
	return p.host.KV().Set(context.Background(), key, []byte(value), ttl)
}

func checkMetric(p *play, w *words) error {
	name, text := w.next(), w.next()
	want, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("metric %q: want metric NAME NUMBER", name)
	}
	if got := p.host.Metric(name); got != want {
		return fmt.Errorf("metric %s is %v, expected %v", name, got, want)
	}
	return nil
}

func setSession(p *play, w *words) error {
	s := *p.session // an event that a plugin kept must not change
	s.Notes = maps.Clone(s.Notes)
	for name, dst := range map[string]*string{"ip": &s.RemoteIP, "name": &s.RemoteName, "helo": &s.Helo, "protocol": &s.Protocol,
		"tls": &s.TLS, "login": &s.Login, "profile": &s.Profile, "local": &s.LocalAddr, "id": &s.ID} {
		w.text(name, dst)
	}
	port := int64(s.RemotePort)
	if err := w.number("port", &port); err != nil {
		return err
	}
	s.RemotePort = int(port)
	w.prefixed("note.", s.Notes)
	p.session = &s
	return nil
}

func setEnvelope(p *play, w *words) error {
	e := *p.envelope
	e.Notes = maps.Clone(e.Notes)
	for name, dst := range map[string]*string{"from": &e.From, "id": &e.ID, "body": &e.Body, "ret": &e.Ret, "envid": &e.EnvID,
		"origin.ip": &e.Origin.IP, "origin.name": &e.Origin.Name, "origin.helo": &e.Origin.Helo, "origin.protocol": &e.Origin.Protocol,
		"origin.login": &e.Origin.Login, "origin.profile": &e.Origin.Profile} {
		w.text(name, dst)
	}
	if err := w.number("size", &e.Size); err != nil {
		return err
	}
	if v := w.named["arrived"]; v != "" {
		t, err := parseTime(v)
		if err != nil {
			return err
		}
		e.Arrived = t
		delete(w.named, "arrived")
	}
	if _, ok := w.named["to"]; ok {
		e.Recipients = nil
		for _, a := range w.list("to") {
			e.Recipients = append(e.Recipients, sdk.Recipient{Addr: a})
		}
	}
	for _, flag := range w.all() {
		switch flag {
		case "smtputf8":
			e.SMTPUTF8 = true
		case "requiretls":
			e.RequireTLS = true
		default:
			return fmt.Errorf("unknown word %q", flag)
		}
	}
	w.prefixed("note.", e.Notes)
	p.envelope = &e
	return nil
}

// events are the lines that get an answer.
var events = map[string]func(context.Context, *play, *words) (lines, error){
	"connect": func(ctx context.Context, p *play, w *words) (lines, error) {
		return ask(ctx, p, "connect", p.hooks.Connect, &sdk.ConnectEvent{Session: p.session})
	},
	"helo": func(ctx context.Context, p *play, w *words) (lines, error) {
		if err := setSession(p, &words{named: map[string]string{"helo": w.next()}}); err != nil {
			return nil, err
		}
		return ask(ctx, p, "helo", p.hooks.Helo, &sdk.HeloEvent{Session: p.session, Extended: true})
	},
	"auth": func(ctx context.Context, p *play, w *words) (lines, error) {
		e := &sdk.AuthEvent{Session: p.session, Mechanism: w.next(), Username: w.next(), Password: w.next()}
		return ask(ctx, p, "auth", p.hooks.Auth, e)
	},
	"mail": func(ctx context.Context, p *play, w *words) (lines, error) {
		env := *p.envelope
		env.From, env.Recipients, env.Notes = w.next(), nil, maps.Clone(p.session.Notes)
		p.envelope = &env
		return ask(ctx, p, "mail", p.hooks.Mail, &sdk.MailEvent{Session: p.session, Envelope: p.envelope})
	},
	"rcpt": tellRcpt,
	"predata": func(ctx context.Context, p *play, w *words) (lines, error) {
		return ask(ctx, p, "predata", p.hooks.Predata, &sdk.PredataEvent{Session: p.session, Envelope: p.envelope})
	},
	"data": func(ctx context.Context, p *play, w *words) (lines, error) {
		return ask(ctx, p, "data", p.hooks.Data, &sdk.DataEvent{Session: p.session, Envelope: p.envelope, Message: p.message})
	},
	"route":   tellRoute,
	"deliver": tellDeliver,
	"outcome": tellOutcome,
	"bounce":  tellBounce,
	"disconnect": func(ctx context.Context, p *play, w *words) (lines, error) {
		return call(ctx, p.hooks.Disconnect, &sdk.DisconnectEvent{Session: p.session, Reason: w.next()}, renderNone)
	},
	"requests": func(ctx context.Context, p *play, w *words) (got lines, err error) {
		for _, r := range p.host.Requests() {
			method := r.Method
			if method == "" {
				method = "GET"
			}
			got.add(method, r.URL, string(r.Body))
		}
		return got, nil
	},
	"files": func(ctx context.Context, p *play, w *words) (got lines, err error) {
		return got, filepath.WalkDir(p.work, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				rel, _ := filepath.Rel(p.work, path)
				got.add(filepath.ToSlash(rel))
			}
			return err
		})
	},
	"cat": func(ctx context.Context, p *play, w *words) (got lines, err error) {
		paths, err := filepath.Glob(filepath.Join(p.work, w.next()))
		for _, path := range paths {
			b, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			for line := range strings.Lines(string(b)) {
				line = strings.TrimSuffix(line, "\n")
				// An answer has no empty lines, and a CR has to be seen.
				if line = strings.ReplaceAll(line, "\r", `\r`); strings.TrimSpace(line) != "" {
					got = append(got, strings.TrimSpace(line))
				}
			}
		}
		return got, err
	},
}

var errNoHook = errors.New("the plugin has no such hook")

// call asks one hook. A panic is an error, as it is in the relay.
func call[E, A any](ctx context.Context, h sdk.Handler[E, A], e *E, render func(A) lines) (got lines, _ error) {
	if h == nil {
		return nil, errNoHook
	}
	defer func() {
		if r := recover(); r != nil {
			got = lines{fmt.Sprintf("error: panic: %v", r)}
		}
	}()
	a, err := h(ctx, e)
	if err != nil {
		return lines{"error: " + err.Error()}, nil
	}
	return render(a), nil
}

// ask asks a session hook and keeps the notes of its answer.
func ask[E any](ctx context.Context, p *play, hook string, h sdk.Handler[E, sdk.Answer], e *E) (lines, error) {
	return call(ctx, h, e, func(a sdk.Answer) lines {
		if wrong := allowed(hook, a.Action, a.Reply, a.Edits); wrong != nil {
			return wrong
		}
		if n := len(p.envelope.Recipients); len(a.Recipients) != 0 && len(a.Recipients) != n {
			return lines{fmt.Sprintf("error: %d verdicts for %d recipients", len(a.Recipients), n)}
		}
		notes := &p.session.Notes
		switch hook {
		case "mail", "rcpt", "predata", "data":
			notes = &p.envelope.Notes
		}
		for _, ed := range a.Edits {
			if ed.Op == sdk.OpNote {
				next := maps.Clone(*notes)
				if next == nil {
					next = sdk.Notes{}
				}
				if next["plugin."+ed.Name] = ed.Value; ed.Value == "" {
					delete(next, "plugin."+ed.Name)
				}
				*notes = next
			}
		}
		return renderAnswer(a)
	})
}

func tellRcpt(ctx context.Context, p *play, w *words) (lines, error) {
	r, err := w.recipient(w.next())
	if err != nil {
		return nil, err
	}
	got, err := ask(ctx, p, "rcpt", p.hooks.Rcpt, &sdk.RcptEvent{Session: p.session, Envelope: p.envelope, Recipient: r})
	if len(got) > 0 && (got[0] == sdk.Accept.String() || got[0] == sdk.Continue.String()) {
		env := *p.envelope
		env.Recipients = append(env.Recipients[:len(env.Recipients):len(env.Recipients)], r)
		p.envelope = &env
	}
	return got, err
}

func tellRoute(ctx context.Context, p *play, w *words) (lines, error) {
	r, err := w.recipient(w.next())
	if err != nil {
		return nil, err
	}
	e := &sdk.RouteEvent{Envelope: p.envelope, Recipient: r}
	if e.Attempt, err = w.attempt(); err != nil {
		return nil, err
	}
	var last string
	if w.text("last", &last); last != "" {
		if e.Last, err = (&words{plain: strings.Fields(last)}).outcome(); err != nil {
			return nil, err
		}
	}
	return call(ctx, p.hooks.Route, e, renderRoute)
}

func (w *words) attempt() (int, error) {
	n := int64(1)
	err := w.number("attempt", &n)
	return int(n), err
}

func (w *words) route() (r sdk.Route) {
	r.Via = "plugin"
	w.text("via", &r.Via)
	w.text("tls", &r.TLS)
	r.Hosts = w.list("hosts")
	return r
}

func tellDeliver(ctx context.Context, p *play, w *words) (lines, error) {
	attempt, err := w.attempt()
	if err != nil {
		return nil, err
	}
	e := &sdk.DeliverEvent{Envelope: p.envelope, Message: p.message, Route: w.route(), Attempt: attempt}
	for _, a := range w.all() {
		e.Recipients = append(e.Recipients, sdk.Recipient{Addr: a})
	}
	return call(ctx, p.hooks.Deliver, e, func(a sdk.DeliverAnswer) lines {
		if len(a.Outcomes) != len(e.Recipients) {
			return lines{fmt.Sprintf("error: %d outcomes for %d recipients", len(a.Outcomes), len(e.Recipients))}
		}
		return renderDeliver(a)
	})
}

func tellOutcome(ctx context.Context, p *play, w *words) (lines, error) {
	attempt, err := w.attempt()
	if err != nil {
		return nil, err
	}
	e := &sdk.OutcomeEvent{Envelope: p.envelope, Route: w.route(), Attempt: attempt,
		Recipient: sdk.Recipient{Addr: w.next()}, Next: p.host.Now(ctx).Add(5 * time.Minute)}
	if e.Outcome, err = w.outcome(); err != nil {
		return nil, err
	}
	return call(ctx, p.hooks.Outcome, e, renderOutcome)
}

func tellBounce(ctx context.Context, p *play, w *words) (lines, error) {
	e := &sdk.BounceEvent{Envelope: p.envelope, Message: p.message, To: p.envelope.From}
	kind := w.next()
	for k := sdk.DSNFailed; k <= sdk.DSNSuccess; k++ {
		if k.String() == kind {
			e.Kind = k
		}
	}
	status := map[sdk.DSNKind]sdk.Status{sdk.DSNFailed: sdk.StatusFailed, sdk.DSNDelayed: sdk.StatusDeferred, sdk.DSNSuccess: sdk.StatusDelivered}[e.Kind]
	if status == sdk.StatusNone {
		return nil, fmt.Errorf("bounce %q: want failed, delayed or success", kind)
	}
	e.Recipients = []sdk.Recipient{{Addr: w.next()}}
	e.Outcomes = []sdk.Outcome{{Status: status, Reply: w.reply()}}
	return call(ctx, p.hooks.Bounce, e, func(a sdk.BounceAnswer) lines {
		if wrong := allowed("bounce", sdk.Continue, sdk.Reply{}, a.Edits); wrong != nil {
			return wrong
		}
		return renderBounce(a)
	})
}
