package hook

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/programmable-mta/mta/core/answer"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// permits tells whether on_error of this hook may have the value.
func permits(r *answer.Rules, o OnError) bool {
	switch {
	case r.Reports:
		return false
	case r.Queue:
		return o == OnErrorDefer || o == OnErrorHold
	}
	return int(o) < len(onErrorActions) && r.Allows(onErrorActions[o])
}

// onErrorActions are the decisions that stand in for an answer.
var onErrorActions = [...]sdk.Action{
	OnErrorDefer: sdk.Defer, OnErrorContinue: sdk.Continue, OnErrorReject: sdk.Reject,
	OnErrorHold: sdk.Hold, OnErrorDisconnect: sdk.Disconnect,
}

// permitted is the values of on_error that the hook may have, for people.
func permitted(r *answer.Rules) string {
	var words []string
	for o := OnErrorDefer; o <= OnErrorDisconnect; o++ {
		if permits(r, o) {
			words = append(words, o.String())
		}
	}
	return strings.Join(words, ", ")
}

// owner is a plugin, as far as its hooks have it in common.
type owner struct {
	name, runtime string
	inline        bool
	shadow        bool
	mayRelay      bool
	compiledIn    bool
	deadline      time.Duration
	slots         chan struct{}
	denied        [16]bool // by operation
	version       string
	metered       bool
	failed        func(Failure)
	revivals      func() int64
}

// chain is the plugins of one hook, in order.
type chain[E, A any] struct {
	rules   *answer.Rules
	members []*member[E, A]
	// copy makes the event that a guarded call gets: nothing in it changes or
	// is used again when the call is abandoned.
	copy func(*E) (*E, *lease)
}

// Chains are the plugins of every hook. They never change; a new configuration
// makes new ones. All methods may be called at once from many goroutines.
type Chains struct {
	now      func() time.Time
	lifetime time.Duration
	compare  func(Comparison)
	failed   func(Failure)
	owners   []*owner
	members  map[string][]describer

	connect    chain[sdk.ConnectEvent, sdk.Answer]
	helo       chain[sdk.HeloEvent, sdk.Answer]
	auth       chain[sdk.AuthEvent, sdk.Answer]
	mail       chain[sdk.MailEvent, sdk.Answer]
	rcpt       chain[sdk.RcptEvent, sdk.Answer]
	predata    chain[sdk.PredataEvent, sdk.Answer]
	data       chain[sdk.DataEvent, sdk.Answer]
	route      chain[sdk.RouteEvent, sdk.RouteAnswer]
	deliver    chain[sdk.DeliverEvent, sdk.DeliverAnswer]
	outcome    chain[sdk.OutcomeEvent, sdk.OutcomeAnswer]
	bounce     chain[sdk.BounceEvent, sdk.BounceAnswer]
	disconnect chain[sdk.DisconnectEvent, sdk.None]

	transports map[string]*member[sdk.DeliverEvent, sdk.DeliverAnswer]
}

// New checks the plugins against the hook table and puts them in chains, in
// the order given. All faults are reported at once.
func New(plugins []Plugin, o Options) (*Chains, error) {
	c := &Chains{now: o.Now, lifetime: o.Lifetime, compare: o.Compare, failed: o.Failed, members: map[string][]describer{}}
	if c.now == nil {
		c.now = time.Now
	}
	if c.lifetime <= 0 {
		c.lifetime = 5 * 24 * time.Hour
	}
	table := map[string]*answer.Rules{}
	for _, h := range sdk.Hooks() {
		table[h.Name] = answer.RulesOf(h)
	}
	c.equip(table)
	var faults []error
	seen := map[string]bool{}
	for i := range plugins {
		p := &plugins[i]
		if seen[p.Name] {
			faults = append(faults, fmt.Errorf("hook: two plugins are named %q: give each a name of its own", p.Name))
			continue
		}
		seen[p.Name] = true
		if err := check(p, table); err != nil {
			faults = append(faults, err)
			continue
		}
		c.add(p)
	}
	faults = append(faults, c.register(o.Transports)...)
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return c, nil
}

// equip gives each chain its row of the table and its way to copy events.
func (c *Chains) equip(table map[string]*answer.Rules) {
	c.connect.rules, c.connect.copy = table["connect"], copyConnect
	c.helo.rules, c.helo.copy = table["helo"], copyHelo
	c.auth.rules, c.auth.copy = table["auth"], copyAuth
	c.mail.rules, c.mail.copy = table["mail"], copyMail
	c.rcpt.rules, c.rcpt.copy = table["rcpt"], copyRcpt
	c.predata.rules, c.predata.copy = table["predata"], copyPredata
	c.data.rules, c.data.copy = table["data"], copyData
	c.route.rules, c.route.copy = table["route"], copyRoute
	c.deliver.rules = table["deliver"] // never abandoned, so never copied
	c.outcome.rules, c.outcome.copy = table["outcome"], copyOutcome
	c.bounce.rules, c.bounce.copy = table["bounce"], copyBounce
	c.disconnect.rules, c.disconnect.copy = table["disconnect"], copyDisconnect
}

// check finds what is wrong with one plugin's configuration.
func check(p *Plugin, table map[string]*answer.Rules) error {
	fault := func(format string, args ...any) error {
		return fmt.Errorf("hook: plugin %q: "+format, append([]any{p.Name}, args...)...)
	}
	// The name is the prefix of the plugin's notes; a dot in it would let one
	// plugin write below the name of another.
	if !validPluginName(p.Name) {
		return fault("a name is 1 to 64 of A-Z a-z 0-9 _ -")
	}
	if p.Deadline < 0 || p.Slots < 0 {
		return fault("deadline and slots cannot be negative")
	}
	var has []string
	for _, h := range sdk.Hooks() {
		if h.Implemented(&p.Handlers) {
			has = append(has, h.Name)
		}
	}
	var faults []error
	for _, hook := range slices.Sorted(maps.Keys(p.OnError)) {
		value := p.OnError[hook]
		switch r := table[hook]; {
		case value > OnErrorDisconnect:
			faults = append(faults, fault("on_error of %s: there is no %s", hook, value))
		case hook == EveryHook:
		case !slices.Contains(has, hook):
			faults = append(faults, fault("on_error names the hook %q, which it does not have; it has: %s", hook, strings.Join(has, ", ")))
		case r.Reports:
			faults = append(faults, fault("on_error of %s: this hook decides nothing; leave it out", hook))
		case !permits(r, value) && r.Queue:
			faults = append(faults, fault("on_error of %s cannot be %s: a broken plugin never bounces and never deletes mail; it may be: %s", hook, value, permitted(r)))
		case !permits(r, value):
			faults = append(faults, fault("on_error of %s cannot be %s; it may be: %s", hook, value, permitted(r)))
		}
	}
	return errors.Join(faults...)
}

func validPluginName(s string) bool {
	for i := range len(s) {
		b := s[i]
		if !('a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '_' || b == '-') {
			return false
		}
	}
	return 0 < len(s) && len(s) <= 64
}

func (c *Chains) add(p *Plugin) {
	o := &owner{name: p.Name, runtime: p.Runtime, inline: p.Inline, shadow: p.Shadow,
		mayRelay: p.MayRelay, deadline: p.Deadline,
		compiledIn: p.Runtime == "" || p.Runtime == "builtin" || p.Runtime == "native"}
	o.version, o.metered, o.failed = p.Version, p.Metered, c.failed
	o.revivals = p.Revivals
	for _, op := range p.Denied {
		o.denied[op] = true
	}
	if o.deadline == 0 {
		o.deadline = DefaultDeadline
	}
	slots := p.Slots
	if slots == 0 {
		slots = DefaultSlots
	}
	o.slots = make(chan struct{}, slots)
	c.owners = append(c.owners, o)
	join(c, &c.connect, p.Handlers.Connect, o, p)
	join(c, &c.helo, p.Handlers.Helo, o, p)
	join(c, &c.auth, p.Handlers.Auth, o, p)
	join(c, &c.mail, p.Handlers.Mail, o, p)
	join(c, &c.rcpt, p.Handlers.Rcpt, o, p)
	join(c, &c.predata, p.Handlers.Predata, o, p)
	join(c, &c.data, p.Handlers.Data, o, p)
	join(c, &c.route, p.Handlers.Route, o, p)
	join(c, &c.deliver, p.Handlers.Deliver, o, p)
	join(c, &c.outcome, p.Handlers.Outcome, o, p)
	join(c, &c.bounce, p.Handlers.Bounce, o, p)
	join(c, &c.disconnect, p.Handlers.Disconnect, o, p)
}

// join appends a plugin's hook, if it has it, to a chain.
func join[E, A any](c *Chains, ch *chain[E, A], f sdk.Handler[E, A], o *owner, p *Plugin) {
	if f == nil {
		return
	}
	m := &member[E, A]{owner: o, rules: ch.rules, fn: f, copy: ch.copy, reads: fieldsRead(p.Reads, ch.rules.Name)}
	m.fixed = trace.NewFixed(o.version, m.reads)
	if own, ok := p.OnError[ch.rules.Name]; ok {
		m.onError = own
	} else if all := p.OnError[EveryHook]; permits(ch.rules, all) {
		m.onError = all
	}
	ch.members = append(ch.members, m)
	c.members[ch.rules.Name] = append(c.members[ch.rules.Name], m)
}

// fieldsRead is what records say of the fields of an event that a plugin is
// sent; empty: all.
func fieldsRead(reads map[string][]string, hook string) string {
	fields, said := reads[hook]
	switch {
	case said && len(fields) == 0:
		return "nothing"
	case slices.Contains(fields, "*"):
		return ""
	}
	return strings.Join(fields, " ")
}

// register finds the plugin behind each name that a route may use. Shadow
// plugins are not among them: to deliver for the record only is to deliver
// twice.
func (c *Chains) register(names map[string]string) []error {
	c.transports = map[string]*member[sdk.DeliverEvent, sdk.DeliverAnswer]{}
	for _, m := range c.deliver.members {
		if !m.shadow {
			c.transports[m.name] = m
		}
	}
	own := maps.Clone(c.transports)
	var faults []error
	for _, via := range slices.Sorted(maps.Keys(names)) {
		plugin := names[via]
		m := own[plugin]
		switch other := own[via]; {
		case m == nil:
			faults = append(faults, fmt.Errorf("hook: transport %q: there is no active plugin %q with a deliver hook; there are: %s",
				via, plugin, strings.Join(slices.Sorted(maps.Keys(own)), ", ")))
		case other != nil && other != m:
			faults = append(faults, fmt.Errorf("hook: transport %q is the plugin of that name and cannot be %q too: rename the plugin", via, plugin))
		default:
			c.transports[via] = m
		}
	}
	return faults
}

// Delivers tells whether a route can name via.
func (c *Chains) Delivers(via string) bool { return c.transports[via] != nil }
