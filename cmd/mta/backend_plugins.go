package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/programmable-mta/mta/core/config"
	"github.com/programmable-mta/mta/core/control"
	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/trace"
)

// Plugins implements control.Backend.
func (b *backend) Plugins(context.Context) ([]control.Plugin, error) {
	gen := b.r.gen.Load()
	chains := gen.chains.Describe()
	var out []control.Plugin
	for _, s := range gen.services {
		p := control.Plugin{Name: s.conf.Name, Source: s.conf.Source, Runtime: s.conf.Runtime(), Mode: s.conf.Mode, Hooks: s.hooks,
			OnError: map[string]string{}, Breaker: "closed", Implicit: s.implicit, Generation: s.number, Since: s.since, Grants: granted(s.conf.Allow)}
		about, st := s.loaded.About(), s.loaded.Stats()
		p.Version, p.Path, p.Digest = about.Description.Version, about.Path, about.Digest
		p.State, p.Instances, p.Busy, p.Memory, p.MaxMemory = st.State, st.Instances, st.Busy, st.Memory, st.MaxMemory
		p.Fuel, p.MaxFuel, p.Discarded, p.Restarts = st.Fuel, st.MaxFuel, st.Discarded, st.Restarts
		for _, c := range chains {
			for _, m := range c.Members {
				if m.Plugin == p.Name {
					addHook(&p, c.Hook, m)
				}
			}
		}
		out = append(out, p)
	}
	b.addStores(out)
	return out, nil
}

func addHook(p *control.Plugin, name string, m hook.Member) {
	us := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	p.Inline, p.Relay = m.Inline, p.Relay || m.MayRelay
	p.Calls += m.Calls
	p.Errors += m.Errors
	p.Last = cmp.Or(m.Last, p.Last)
	if m.OnError != "" {
		p.OnError[name] = m.OnError
	}
	if m.Breaker != "" && m.Breaker != "closed" {
		p.Breaker = m.Breaker
	}
	p.Details = append(p.Details, control.PluginHook{Hook: name, OnError: m.OnError, Breaker: m.Breaker, Calls: m.Calls, Errors: m.Errors,
		P50US: us(m.P50), P99US: us(m.P99), Last: m.Last, Reads: strings.Fields(m.Reads)})
}

// addStores tells how much each plugin keeps, if any keeps anything.
func (b *backend) addStores(ps []control.Plugin) {
	b.r.state.Lock()
	store := b.r.store
	b.r.state.Unlock()
	if store == nil {
		return
	}
	for _, sp := range store.Stats() {
		for i := range ps {
			if ps[i].Name == sp.Name {
				ps[i].KVBytes, ps[i].KVKeys = sp.Bytes, int(sp.Keys)
			}
		}
	}
}

// granted is the allow key as it is written, what is not granted left out.
func granted(a config.Allow) []string {
	var out []string
	add := func(ok bool, format string, args ...any) {
		if ok {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	add(a.Relay, "relay")
	add(a.DNS, "dns")
	add(len(a.HTTP) > 0, "http = %s", strings.Join(a.HTTP, " "))
	add(a.KV > 0, "kv = %s", a.KV)
	add(a.Body == "read" || a.Body == "write", "body = %s", a.Body)
	add(a.Headers == "write", "headers = write")
	add(a.Envelope, "envelope")
	add(a.Clock, "clock")
	add(a.Send, "send")
	return out
}

// figures are those of the runtimes, for the metrics page.
func (r *relay) figures() []trace.PluginFigures {
	var out []trace.PluginFigures
	for _, s := range r.gen.Load().services {
		if s.conf.Runtime() == "builtin" {
			continue
		}
		st := s.loaded.Stats()
		out = append(out, trace.PluginFigures{Plugin: s.conf.Name, Instances: st.Instances, Memory: st.Memory, Fuel: st.Fuel, Discarded: st.Discarded, Restarts: st.Restarts})
	}
	return out
}
