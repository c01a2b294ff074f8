// Package ratelimit bounds how many messages or recipients a login, a client or
// a sender's domain may send in a window of time. What is over the limit is put
// off with 450 4.7.1, so that an honest sender's mail arrives later, and not never.
//
// A window begins with the first message in it and lasts as long as the rule
// says; then counting begins anew. Counters live in the plugin's store, so they
// are shared by all sessions and survive a restart of the relay.
//
// Invariants: it never accepts, and never refuses for good. A key in the store
// has a fixed length, whatever a client says. A store that is full lets mail
// pass: who fills it must not keep everybody else's mail away.
package ratelimit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// New makes the plugin.
func New() sdk.Plugin { return &plugin{} }

type plugin struct {
	Limits []*rule `json:"limits"`

	host sdk.Host
}

// rule is one row of the limits table.
type rule struct {
	By     string   `json:"by"`     // login, ip, domain
	Count  string   `json:"count"`  // messages, recipients
	Only   []string `json:"only"`   // logins, networks or domains; empty: all
	Limit  int64    `json:"limit"`  // in one window; 0: no limit
	Window string   `json:"window"` // "1h"

	window   time.Duration
	names    map[string]bool
	networks []netip.Prefix
	words    string // of the reply
}

// Start implements [sdk.Plugin].
func (p *plugin) Start(_ context.Context, host sdk.Host, config []byte) error {
	if err := sdk.DecodeConfig(config, p); err != nil {
		return err
	}
	p.host = host
	if len(p.Limits) == 0 {
		return errors.New(`ratelimit: there are no limits; write limits = [{by = "ip", count = "recipients", limit = 100, window = "1h"}]`)
	}
	for i, r := range p.Limits {
		if r == nil {
			return fmt.Errorf("ratelimit: limit %d is empty", i+1)
		}
		if err := r.prepare(); err != nil {
			return fmt.Errorf("ratelimit: limit %d: %w", i+1, err)
		}
	}
	return nil
}

// prepare checks a rule and makes it quick to apply.
func (r *rule) prepare() (err error) {
	if r.Count != "messages" && r.Count != "recipients" {
		return fmt.Errorf("count is messages or recipients, not %q", r.Count)
	}
	if r.Limit < 0 {
		return errors.New("limit is a number of messages or recipients; 0 is no limit")
	}
	if r.Limit > 0 {
		if r.window, err = time.ParseDuration(r.Window); err != nil || r.window < time.Second || r.window > 31*24*time.Hour {
			return fmt.Errorf(`window %q: write a time from "1s" to "744h"`, r.Window)
		}
	}
	r.words = fmt.Sprintf("too much mail for now: at most %d %s in %s; please try again later", r.Limit, r.Count, r.window)
	switch r.By {
	case "login", "domain":
		r.names = make(map[string]bool, len(r.Only))
		for _, name := range r.Only {
			r.names[strings.ToLower(name)] = true
		}
	case "ip":
		for _, s := range r.Only {
			n, err := netip.ParsePrefix(s)
			if err != nil || n != n.Masked() {
				return fmt.Errorf(`network %q: write an address and the length of its prefix, "10.0.0.0/8"`, s)
			}
			r.networks = append(r.networks, n)
		}
	default:
		return fmt.Errorf("by is login, ip or domain, not %q", r.By)
	}
	return nil
}

// Close implements [sdk.Plugin].
func (p *plugin) Close() error { return nil }

// Describe implements [sdk.Describer].
func (p *plugin) Describe() sdk.Description {
	fields := []string{"session.remote_ip", "session.login", "envelope.from"}
	return sdk.Description{
		Name: "ratelimit", Version: "1.0.0",
		Hooks: map[string][]string{"mail": fields, "rcpt": fields},
		Needs: []string{"kv"},
	}
}

// OnMail implements [sdk.MailHook].
func (p *plugin) OnMail(ctx context.Context, e *sdk.MailEvent) (sdk.Answer, error) {
	return p.count(ctx, "messages", e.Session, e.Envelope)
}

// OnRcpt implements [sdk.RcptHook].
func (p *plugin) OnRcpt(ctx context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
	return p.count(ctx, "recipients", e.Session, e.Envelope)
}

// count adds one to every counter that is about this event. Of the rules for
// one kind of counter only the first that fits is asked, so that an exception
// stands above the rule for everybody.
func (p *plugin) count(ctx context.Context, what string, s *sdk.Session, e *sdk.Envelope) (sdk.Answer, error) {
	var done [3]bool
	for _, r := range p.Limits {
		kind := strings.Index("lid", r.By[:1])
		if r.Count != what || done[kind] {
			continue
		}
		name, ok := r.subject(s, e)
		if !ok {
			continue
		}
		if done[kind] = true; r.Limit == 0 {
			continue
		}
		n, err := p.host.KV().Add(ctx, r.key(name), 1, r.window)
		if full(err) {
			p.host.Count(ctx, "uncounted", 1)
			continue
		}
		if err != nil {
			return sdk.Answer{}, err
		}
		p.host.Count(ctx, "counted", 1)
		if n > r.Limit {
			p.host.Count(ctx, "refused", 1)
			a := sdk.Deferred("4.7.1", r.words)
			a.Reply.Code = 450
			a.Reason = fmt.Sprintf("%s %s: number %d, of %d in %s", r.By, name, n, r.Limit, r.window)
			return a, nil
		}
	}
	return sdk.Answer{}, nil
}

// subject is whom a rule counts at an event; false: the rule is not about it.
// A client that has logged in is counted by its login, wherever it comes from.
func (r *rule) subject(s *sdk.Session, e *sdk.Envelope) (string, bool) {
	switch r.By {
	case "login":
		login := strings.ToLower(s.Login)
		return login, login != "" && (len(r.names) == 0 || r.names[login])
	case "domain":
		domain := strings.ToLower(sdk.Domain(e.From))
		return domain, domain != "" && (len(r.names) == 0 || r.names[domain])
	}
	addr, err := netip.ParseAddr(s.RemoteIP)
	if err != nil || s.Login != "" {
		return "", false
	}
	addr = addr.Unmap().WithZone("")
	fits := len(r.networks) == 0
	for _, n := range r.networks {
		fits = fits || n.Contains(addr)
	}
	if addr.Is6() {
		// A customer has a network of this length to choose addresses from.
		n, _ := addr.Prefix(64)
		return n.String(), fits
	}
	return addr.String(), fits
}

// key is the name of a counter; a rule with another window counts anew.
func (r *rule) key(name string) string {
	sum := sha256.Sum256([]byte(r.By + "\x00" + r.Count + "\x00" + r.window.String() + "\x00" + name))
	return "n." + hex.EncodeToString(sum[:16])
}

func full(err error) bool {
	var call *sdk.CallError
	return errors.As(err, &call) && call.Code == sdk.CallLimit
}
