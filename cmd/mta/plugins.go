package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"github.com/programmable-mta/mta/core/config"
	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/host"
	"github.com/programmable-mta/mta/core/record"
	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk"
)

// generation is one set of loaded plugins with its chains. A reload makes a new
// one; sessions and deliveries finish on theirs.
type generation struct {
	chains   *hook.Chains
	services []*service
}

// service is one loaded plugin. Generations share those that a reload does not
// change; the last one that retires closes it.
type service struct {
	conf     config.Plugin
	implicit bool
	loaded   runtime.Loaded
	host     *host.Host
	tap      *record.Tap
	number   int // of its name: 1 for the first, one more at each load
	since    time.Time
	hooks    []string
	refs     atomic.Int32
}

func (s *service) release() {
	if s.refs.Add(-1) == 0 {
		s.loaded.Close()
		s.host.Close()
	}
}

// loading is one making of a generation.
type loading struct {
	w        *world
	runtimes *runtimes
	relay    *host.Relay
	diffs    *diffs
	old      *generation            // nil: the first
	fresh    func(name string) bool // load it anew whether or not it has changed
}

// load loads what the configuration names, and behind it the plugins that every
// relay has. On any error nothing of it stays.
func (l *loading) load(ctx context.Context, cfg *config.Config) (*generation, error) {
	g := &generation{}
	var members []hook.Plugin
	explicit := len(cfg.Plugins)
	for i, p := range append(append([]config.Plugin(nil), cfg.Plugins...), implied(cfg)...) {
		if p.Mode == "off" {
			continue
		}
		s, err := l.service(ctx, p)
		if err != nil {
			g.close()
			return nil, fmt.Errorf("plugin %s: %w", p.Name, err)
		}
		s.implicit = i >= explicit
		g.services = append(g.services, s)
		members = append(members, member(p, s))
	}
	chains, err := hook.New(members, hook.Options{Now: l.w.now, Transports: transports(g.services), Lifetime: max(cfg.Delivery.Lifetime, time.Minute), Compare: l.diffs.add, Failed: l.failed})
	if err == nil {
		err = deliverable(cfg, chains)
	}
	if err != nil {
		g.close()
		return nil, err
	}
	g.chains = chains
	return g, nil
}

// failed logs why a plugin failed: what it refused is in no trace.
func (l *loading) failed(f hook.Failure) {
	args := []any{"hook", f.Hook, "error", f.Err}
	if f.Untold > 0 {
		args = append(args, "others", f.Untold)
	}
	if f.Opened {
		args = append(args, "breaker", "open")
	}
	l.relay.Tracer.Log(slog.LevelWarn, "plugin/"+f.Plugin, "failed", args...)
}

// deliverable refuses routes to plugins that do not deliver, which only those
// who have loaded them can know: their mail would wait for ever.
func deliverable(cfg *config.Config, chains *hook.Chains) error {
	for i, r := range cfg.Routes {
		if via := cmp.Or(r.Via, "smtp"); !chains.Delivers(via) {
			return fmt.Errorf("route[%d].via: the plugin %s has no deliver hook; choose another transport", i, via)
		}
	}
	return nil
}

// service loads a plugin, or takes the one that is in service when neither its
// block nor its file has changed. What is compiled in is always made anew: it
// may have read files of its own.
func (l *loading) service(ctx context.Context, p config.Plugin) (*service, error) {
	before := l.old.find(p.Name)
	if before != nil && !l.fresh(p.Name) && p.Runtime() != "builtin" && reflect.DeepEqual(before.conf, p) {
		if sum, err := digest(before.loaded.About().Path); err == nil && sum == before.loaded.About().Digest {
			before.refs.Add(1)
			return before, nil
		}
	}
	s := &service{conf: p, number: 1, since: l.w.now(), tap: &record.Tap{}}
	if before != nil {
		s.number = before.number + 1
	}
	g := grants(p.Allow)
	h, err := l.relay.Plugin(p.Name, g, p.Runtime() == "builtin")
	if err != nil {
		return nil, err
	}
	s.host = h
	rt, err := l.runtimes.of(ctx, p.Runtime())
	if err == nil {
		s.loaded, err = rt.Load(ctx, runtime.Spec{Name: p.Name, Source: p.Source, SHA256: p.SHA256, Config: p.Config, Hooks: p.Hooks, Grants: g,
			Limits: runtime.Limits{Memory: int64(p.Limits.Memory), Fuel: int64(p.Limits.Fuel), Deadline: p.Limits.Deadline, Instances: p.Limits.Instances}}, s.tap.Host(h))
	}
	if err != nil {
		h.Close()
		return nil, err
	}
	s.refs.Store(1)
	for _, x := range sdk.Hooks() {
		if x.Implemented(s.loaded.Handlers()) {
			s.hooks = append(s.hooks, x.Name)
		}
	}
	return s, nil
}

func (g *generation) find(name string) *service {
	if g == nil {
		return nil
	}
	for _, s := range g.services {
		if s.conf.Name == name {
			return s
		}
	}
	return nil
}

// grants are the allow key as the runtimes take it.
func grants(a config.Allow) runtime.Grants {
	degree := map[string]runtime.Access{"read": runtime.Read, "write": runtime.Write}
	return runtime.Grants{Relay: a.Relay, DNS: a.DNS, HTTP: a.HTTP, KV: int64(a.KV), Body: degree[a.Body], Headers: degree[a.Headers], Clock: a.Clock, Send: a.Send, Envelope: a.Envelope}
}

func member(p config.Plugin, s *service) hook.Plugin {
	onError := map[string]hook.OnError{}
	for name, action := range p.OnError {
		if o, ok := hook.ParseOnError(action.String()); ok {
			onError[name] = o
		}
	}
	about := s.loaded.About()
	m := hook.Plugin{
		Name: p.Name, Runtime: p.Runtime(), Handlers: *s.tap.Handlers(s.loaded.Handlers()), Inline: s.loaded.Inline(), OnError: onError,
		Deadline: p.Limits.Deadline, Slots: p.Limits.Instances, MayRelay: p.Allow.Relay, Shadow: p.Mode == "shadow",
		Version: versionOf(about), Reads: about.Description.Hooks, Metered: about.Runtime == "wasm",
	}
	if p.Runtime() == "builtin" {
		return m
	}
	if p.Runtime() == "process" {
		m.Revivals = func() int64 { return s.loaded.Stats().Restarts }
	}
	if p.Allow.Headers != "write" {
		m.Denied = append(m.Denied, sdk.OpPrependHeader, sdk.OpAppendHeader, sdk.OpReplaceHeader, sdk.OpRemoveHeader)
	}
	if !p.Allow.Envelope {
		m.Denied = append(m.Denied, sdk.OpSetSender, sdk.OpAddRecipient, sdk.OpRemoveRecipient, sdk.OpReplaceRecipient)
	}
	if p.Allow.Body != "write" {
		m.Denied = append(m.Denied, sdk.OpReplaceBody)
	}
	return m
}

// versionOf is what records call a plugin beside its name: "1.2.0 sha256:9f86d081884c".
func versionOf(a runtime.About) string {
	v := a.Description.Version
	if a.Digest != "" {
		v = strings.TrimSpace(v + " sha256:" + a.Digest[:min(12, len(a.Digest))])
	}
	return v
}

// transports names the two transports that routes call smtp and lmtp.
func transports(list []*service) map[string]string {
	via := map[string]string{}
	for _, s := range list {
		p := s.conf
		switch p.Source {
		case "builtin:smtpdeliver":
			if via["smtp"] == "" {
				via["smtp"] = p.Name
			}
		case "builtin:lmtpdeliver":
			if via["lmtp"] == "" {
				via["lmtp"] = p.Name
			}
		}
	}
	return via
}

// implied are the plugins that a relay has without naming them: its policy and
// routes come from [relay] and [[route]]. One that the configuration names
// itself (by source) is not added again.
func implied(cfg *config.Config) []config.Plugin {
	var out []config.Plugin
	add := func(name string, cfgJSON any, mayRelay bool) {
		for _, p := range cfg.Plugins {
			if p.Source == "builtin:"+name && p.Mode != "off" {
				return
			}
		}
		raw, err := json.Marshal(cfgJSON)
		if err != nil {
			raw = []byte("{}")
		}
		pname := name
		for _, p := range cfg.Plugins {
			if p.Name == pname {
				pname = "builtin-" + name
			}
		}
		out = append(out, config.Plugin{
			Name: pname, Source: "builtin:" + name, Mode: "active", Config: raw, Allow: config.Allow{Relay: mayRelay},
			Limits: config.PluginLimits{Deadline: 30 * time.Second, Instances: 1000},
		})
	}
	add("relay", relayConfig(cfg), true)
	add("routes", routesConfig(cfg), false)
	add("mx", struct{}{}, false)
	add("smtpdeliver", struct{}{}, false)
	add("lmtpdeliver", struct{}{}, false)
	add("discard", struct{}{}, false)
	return out
}

func relayConfig(cfg *config.Config) any {
	networks := []string{}
	for _, n := range cfg.Relay.Networks {
		networks = append(networks, n.String())
	}
	return map[string]any{"domains": append([]string{}, cfg.Relay.Domains...), "networks": networks}
}

func routesConfig(cfg *config.Config) any {
	routes := []map[string]any{}
	for _, r := range cfg.Routes {
		m := map[string]any{"to": r.To, "via": r.Via}
		if r.From != "" && r.From != "*" {
			m["from"] = r.From
		}
		if len(r.Hosts) > 0 {
			m["hosts"] = r.Hosts
		}
		if r.TLS != "" {
			m["tls"] = r.TLS
		}
		if r.Auth != nil {
			m["auth"] = map[string]any{"user": r.Auth.User, "password_file": r.Auth.PasswordFile}
		}
		routes = append(routes, m)
	}
	return map[string]any{"routes": routes}
}

// retire closes the plugins once no call uses them any more.
func (g *generation) retire(ctx context.Context) error {
	err := g.chains.Drain(ctx)
	g.close()
	return err
}

func (g *generation) close() {
	for _, s := range g.services {
		s.release()
	}
}

// describe prints the chains as `mta check` shows them.
func describe(chains *hook.Chains) string {
	var b strings.Builder
	for _, c := range chains.Describe() {
		if len(c.Members) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%-11s", c.Hook)
		for i, m := range c.Members {
			if i > 0 {
				b.WriteString(" -> ")
			}
			b.WriteString(m.Plugin)
			var extra []string
			if m.Mode == "shadow" {
				extra = append(extra, "shadow")
			}
			if m.MayRelay && c.Hook == "rcpt" {
				extra = append(extra, "may relay")
			}
			if m.OnError != "" && m.OnError != "defer" {
				extra = append(extra, "on error: "+m.OnError)
			}
			if len(extra) > 0 {
				b.WriteString(" (" + strings.Join(extra, ", ") + ")")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}
