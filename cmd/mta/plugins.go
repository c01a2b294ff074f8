package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/programmable-mta/mta/core/config"
	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/native"
	"github.com/programmable-mta/mta/sdk"
)

// generation is one set of loaded plugins with its chains. A reload makes a new
// one; sessions and deliveries finish on theirs.
type generation struct {
	chains *hook.Chains
	loaded []runtime.Loaded
	list   []pluginInfo
}

// pluginInfo is what `mta plugin list` shows of a plugin.
type pluginInfo struct {
	Name     string   `json:"name"`
	Source   string   `json:"source"`
	Mode     string   `json:"mode"`
	Implicit bool     `json:"implicit"`
	Hooks    []string `json:"hooks"`
}

// loadPlugins loads what the configuration names, and behind it the plugins
// that every relay has.
func loadPlugins(ctx context.Context, w *world, cfg *config.Config, makeHost func(plugin string) sdk.Host) (*generation, error) {
	g := &generation{}
	var members []hook.Plugin
	rt := native.New(w.compiledIn())
	explicit := len(cfg.Plugins)
	for i, p := range append(append([]config.Plugin(nil), cfg.Plugins...), implied(cfg)...) {
		if p.Mode == "off" {
			continue
		}
		l, err := rt.Load(ctx, runtime.Spec{Name: p.Name, Source: p.Source, Config: p.Config, Hooks: p.Hooks}, makeHost(p.Name))
		if err != nil {
			g.close()
			return nil, fmt.Errorf("plugin %s: %w", p.Name, err)
		}
		g.loaded = append(g.loaded, l)
		members = append(members, member(p, l))
		g.list = append(g.list, info(p, l, i >= explicit))
	}
	chains, err := hook.New(members, hook.Options{Transports: transports(g.list), Lifetime: max(cfg.Delivery.Lifetime, time.Minute)})
	if err != nil {
		g.close()
		return nil, err
	}
	g.chains = chains
	return g, nil
}

func member(p config.Plugin, l runtime.Loaded) hook.Plugin {
	onError := map[string]hook.OnError{}
	for name, action := range p.OnError {
		if o, ok := hook.ParseOnError(action.String()); ok {
			onError[name] = o
		}
	}
	return hook.Plugin{
		Name: p.Name, Runtime: "builtin", Handlers: *l.Handlers(), Inline: l.Inline(), OnError: onError,
		Deadline: p.Limits.Deadline, Slots: p.Limits.Instances, MayRelay: p.Allow.Relay, Shadow: p.Mode == "shadow",
	}
}

func info(p config.Plugin, l runtime.Loaded, implicit bool) pluginInfo {
	in := pluginInfo{Name: p.Name, Source: p.Source, Mode: p.Mode, Implicit: implicit}
	for _, h := range sdk.Hooks() {
		if h.Implemented(l.Handlers()) {
			in.Hooks = append(in.Hooks, h.Name)
		}
	}
	return in
}

// transports names the two transports that routes call smtp and lmtp.
func transports(list []pluginInfo) map[string]string {
	via := map[string]string{}
	for _, p := range list {
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
	for _, l := range g.loaded {
		l.Close()
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
