// Package aliases rewrites recipients at RCPT: one address to another, one to
// many, a whole domain to one mailbox or to another domain.
//
// An address is looked up as it is, then without its detail ("user+tag"), then
// by its domain ("@example.org", the catch-all). What it becomes is looked up
// again, without the catch-all, until nothing changes.
//
// It decides nothing about who may send: it answers "continue" with edits, and
// the relay policy judges the address that the client gave. It refuses an
// address whose aliases form a loop or go deeper than ten steps (550 5.4.6),
// and defers one that becomes more than a thousand addresses (451 4.3.5), which
// only a change of the configuration can mend.
//
// Invariants: time and memory of an expansion are bounded, whatever the tables
// say; a file that cannot be read any more leaves its last good content in use.
package aliases

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

const (
	maxDepth  = 10
	maxVisits = 1000 // addresses looked at for one recipient
)

// New makes the plugin.
func New() sdk.Plugin { return &plugin{} }

type plugin struct {
	host    sdk.Host
	detail  string
	domains map[string]bool
	primary string // qualifies names when the recipient has no domain
	static  table
	table   atomic.Pointer[table]

	path    string
	reading sync.Mutex
	version version
	checked time.Time
}

// table is lower-case key to addresses. A key is "local@domain", "local" for
// all domains of the configuration, or "@domain".
type table map[string][]string

// Start implements [sdk.Plugin].
func (p *plugin) Start(ctx context.Context, host sdk.Host, config []byte) error {
	c := struct {
		Aliases map[string][]string `json:"aliases"`
		Domains []string            `json:"domains"`
		Detail  string              `json:"detail"`
		File    string              `json:"file"`
	}{Detail: "+"}
	if err := sdk.DecodeConfig(config, &c); err != nil {
		return err
	}
	p.host, p.detail, p.path = host, c.Detail, c.File
	p.primary = strings.ToLower(host.Hostname())
	p.domains = make(map[string]bool)
	for i, d := range c.Domains {
		if d == "" || strings.ContainsAny(d, "@* \t") {
			return fmt.Errorf("aliases: domain %q: write the domain alone", d)
		}
		p.domains[strings.ToLower(d)] = true
		if i == 0 {
			p.primary = strings.ToLower(d)
		}
	}
	p.static = make(table)
	for _, key := range slices.Sorted(maps.Keys(c.Aliases)) {
		if err := p.static.add(key, c.Aliases[key]); err != nil {
			return fmt.Errorf("aliases: %w", err)
		}
	}
	p.table.Store(&p.static)
	if p.path != "" {
		if err := p.read(); err != nil {
			return fmt.Errorf("aliases: %w", err)
		}
		p.checked = host.Now(ctx)
	}
	return nil
}

// Close implements [sdk.Plugin].
func (p *plugin) Close() error { return nil }

// add checks one alias and takes it in.
func (t table) add(key string, values []string) error {
	folded := strings.ToLower(key)
	if folded == "" || folded == "@" || strings.ContainsAny(folded, "\r\n\x00") {
		return fmt.Errorf(`alias %q: write "user@example.org", "user", or "@example.org"`, key)
	}
	if _, twice := t[folded]; twice {
		return fmt.Errorf("alias %q: it is there twice", key)
	}
	if len(values) == 0 {
		return fmt.Errorf("alias %q: it has no address", key)
	}
	for _, v := range values {
		switch {
		case v == "" || v == "@" || strings.HasSuffix(v, "@") || strings.ContainsAny(v, "\r\n\x00<>"):
			return fmt.Errorf("alias %q: %q is no address", key, v)
		case v[0] == '|' || v[0] == '/' || strings.HasPrefix(v, `"|`) || strings.HasPrefix(v, ":include:"):
			return fmt.Errorf("alias %q: %q: commands, files and lists are not supported; use a route to a transport", key, v)
		case !strings.HasPrefix(v, `"`) && strings.ContainsAny(v, " \t"):
			return fmt.Errorf("alias %q: %q has a space; separate addresses with commas", key, v)
		}
	}
	t[folded] = values
	return nil
}

// OnRcpt implements [sdk.RcptHook].
func (p *plugin) OnRcpt(ctx context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
	p.refresh(ctx)
	addr := e.Recipient.Addr
	x := expansion{p: p, table: *p.table.Load()}
	err := x.expand(addr, 0)
	switch {
	case errors.Is(err, errLoop):
		a := sdk.Rejected("5.4.6", "the aliases of this address form a loop")
		a.Reply.Code, a.Reason = 550, err.Error()
		return a, nil
	case err != nil:
		a := sdk.Deferred("4.3.5", "the aliases of this address are too many")
		a.Reply.Code, a.Reason = 451, err.Error()
		return a, nil
	case len(x.out) == 1 && x.out[0] == addr:
		return sdk.Answer{}, nil
	}
	a := sdk.Answer{Edits: make([]sdk.Edit, len(x.out)), Reason: "an alias"}
	for i, to := range x.out {
		a.Edits[i] = sdk.Edit{Op: sdk.OpReplaceRecipient, Name: addr, Value: to}
	}
	return a, nil
}

var (
	errLoop = errors.New("loop")
	errMany = errors.New("more than 1000 addresses")
)

// expansion is what one recipient becomes.
type expansion struct {
	p     *plugin
	table table
	path  []string // folded addresses from the recipient to here
	done  map[string]bool
	out   []string
}

// expand follows one address to its end.
func (x *expansion) expand(addr string, depth int) error {
	values := x.p.find(x.table, addr, depth == 0)
	if values == nil && depth == 0 { // the usual case costs no map
		x.out = append(x.out, addr)
		return nil
	}
	folded := strings.ToLower(addr)
	if slices.Contains(x.path, folded) || depth > maxDepth {
		return fmt.Errorf("%w: %s", errLoop, strings.Join(append(x.path, folded), " -> "))
	}
	if x.done[folded] {
		return nil
	}
	if len(x.done) >= maxVisits {
		return errMany
	}
	if x.done == nil {
		x.done = make(map[string]bool)
	}
	x.path = append(x.path, folded)
	for _, v := range values {
		to := x.p.complete(v, addr)
		// An alias that names itself keeps a copy there.
		if strings.EqualFold(to, addr) {
			if !slices.Contains(x.out, to) {
				x.out = append(x.out, to)
			}
			continue
		}
		if err := x.expand(to, depth+1); err != nil {
			return err
		}
	}
	x.path = x.path[:len(x.path)-1]
	x.done[folded] = true
	if values == nil {
		x.out = append(x.out, addr)
	}
	return nil
}

// complete makes a whole address of what stands in a table.
func (p *plugin) complete(v, addr string) string {
	if strings.HasPrefix(v, "@") { // the same name in another domain
		return sdk.LocalPart(addr) + strings.ToLower(v)
	}
	if domain := sdk.Domain(v); domain != "" && !strings.HasSuffix(v, `"`) {
		return sdk.LocalPart(v) + "@" + strings.ToLower(domain)
	}
	domain := sdk.Domain(addr)
	if domain == "" {
		domain = p.primary
	}
	return v + "@" + domain
}

// find looks an address up: as it is, without detail, and by its domain.
func (p *plugin) find(t table, addr string, catchAll bool) []string {
	folded := strings.ToLower(addr)
	domain := sdk.Domain(folded)
	names := [2]string{sdk.LocalPart(folded)}
	n := 1
	if p.detail != "" && !strings.HasPrefix(folded, `"`) {
		if i := strings.Index(names[0], p.detail); i > 0 {
			names[1], n = names[0][:i], 2
		}
	}
	for _, name := range names[:n] {
		if domain != "" {
			if v := t[name+"@"+domain]; v != nil {
				return v
			}
		}
		if domain == "" || p.domains[domain] {
			if v := t[name]; v != nil {
				return v
			}
		}
	}
	if catchAll && domain != "" {
		return t["@"+domain]
	}
	return nil
}

// refresh reads the file again when it has changed, and looks at most once a
// second. While one call reads, the others go on with what there is.
func (p *plugin) refresh(ctx context.Context) {
	if p.path == "" || !p.reading.TryLock() {
		return
	}
	defer p.reading.Unlock()
	now := p.host.Now(ctx)
	if d := now.Sub(p.checked); d >= 0 && d < time.Second {
		return
	}
	p.checked = now
	if !p.changed() {
		return
	}
	if err := p.read(); err != nil {
		p.host.Log(ctx, slog.LevelError, "aliases file not taken, its last good content stays in use", "err", err)
		return
	}
	p.host.Log(ctx, slog.LevelInfo, "aliases file read again", "file", p.path)
}
