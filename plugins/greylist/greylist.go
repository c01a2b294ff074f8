// Package greylist puts off the first attempt of a sender that was not seen
// before (RFC 6647): an honest relay comes again, most senders of spam do not.
//
// What is remembered is the triplet of the client's network, the reverse-path
// and the recipient, in the plugin's own store, so that all relays' sessions and
// a later start of the relay know of it. Clients that have logged in and those
// on the lists of exceptions are never put off.
//
// Invariants: it never refuses for good, and never accepts: what it lets through
// is left to the plugins behind it. A key in the store has a fixed length,
// whatever the addresses are.
package greylist

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// New makes the plugin.
func New() sdk.Plugin {
	return &plugin{
		Delay: duration(5 * time.Minute), Window: duration(2 * 24 * time.Hour), Lifetime: duration(35 * 24 * time.Hour),
		IPv4Prefix: 24, IPv6Prefix: 64,
	}
}

type plugin struct {
	Delay      duration `json:"delay"`    // before which a new triplet is put off
	Window     duration `json:"window"`   // in which it has to come again
	Lifetime   duration `json:"lifetime"` // of what has passed, from its last message
	IPv4Prefix int      `json:"ipv4_prefix"`
	IPv6Prefix int      `json:"ipv6_prefix"`
	Networks   []string `json:"networks"`   // never put off
	Senders    []string `json:"senders"`    // domains or addresses
	Recipients []string `json:"recipients"` // domains or addresses

	host       sdk.Host
	networks   []netip.Prefix
	senders    map[string]bool
	recipients map[string]bool
}

// duration is written "5m", "36h", "35d" or "5w".
type duration time.Duration

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *duration) UnmarshalText(text []byte) error {
	s := string(text)
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, ok := strings.CutSuffix(s, unit); ok {
			n, err := strconv.ParseUint(number, 10, 12)
			if err != nil {
				return fmt.Errorf(`%q is no duration: write "5m", "36h" or "35d"`, s)
			}
			*d = duration(time.Duration(n) * length)
			return nil
		}
	}
	t, err := time.ParseDuration(s)
	if err != nil || t < 0 {
		return fmt.Errorf(`%q is no duration: write "5m", "36h" or "35d"`, s)
	}
	*d = duration(t)
	return nil
}

// Start implements [sdk.Plugin].
func (p *plugin) Start(_ context.Context, host sdk.Host, config []byte) error {
	if err := sdk.DecodeConfig(config, p); err != nil {
		return err
	}
	p.host = host
	switch {
	case p.Delay <= 0:
		return errors.New("greylist: delay has to be longer than 0")
	case p.Window <= p.Delay:
		return errors.New("greylist: window has to be longer than delay, or nobody ever passes")
	case p.Lifetime < p.Window:
		return errors.New("greylist: lifetime has to be at least as long as window")
	case p.IPv4Prefix < 1 || p.IPv4Prefix > 32:
		return errors.New("greylist: ipv4_prefix is 1 to 32")
	case p.IPv6Prefix < 1 || p.IPv6Prefix > 128:
		return errors.New("greylist: ipv6_prefix is 1 to 128")
	}
	for _, s := range p.Networks {
		n, err := netip.ParsePrefix(s)
		if err != nil || n != n.Masked() {
			return fmt.Errorf(`greylist: network %q: write an address and the length of its prefix, "10.0.0.0/8"`, s)
		}
		p.networks = append(p.networks, n)
	}
	p.senders, p.recipients = set(p.Senders), set(p.Recipients)
	return nil
}

func set(names []string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[strings.ToLower(n)] = true
	}
	return m
}

// Close implements [sdk.Plugin].
func (p *plugin) Close() error { return nil }

// Describe implements [sdk.Describer].
func (p *plugin) Describe() sdk.Description {
	return sdk.Description{
		Name: "greylist", Version: "1.0.0",
		Hooks: map[string][]string{"rcpt": {"session.remote_ip", "session.login", "envelope.from", "recipient.addr"}},
		Needs: []string{"kv"},
	}
}

// OnRcpt implements [sdk.RcptHook].
func (p *plugin) OnRcpt(ctx context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
	if e.Session.Login != "" {
		return sdk.Answer{Reason: "the client has logged in"}, nil
	}
	from, to := strings.ToLower(e.Envelope.From), strings.ToLower(e.Recipient.Addr)
	if listed(p.senders, from) || listed(p.recipients, to) {
		return sdk.Answer{Reason: "sender or recipient is excepted"}, nil
	}
	client, excepted := p.network(e.Session.RemoteIP)
	if excepted {
		return sdk.Answer{Reason: "the client is excepted"}, nil
	}
	return p.judge(ctx, key(client, from, to))
}

func listed(names map[string]bool, addr string) bool {
	return len(names) > 0 && addr != "" && (names[addr] || names[sdk.Domain(addr)])
}

// network is the part of a client's address that is remembered: big senders
// come again from another machine of the same network.
func (p *plugin) network(ip string) (name string, excepted bool) {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip, false
	}
	a = a.Unmap().WithZone("")
	for _, n := range p.networks {
		if n.Contains(a) {
			return "", true
		}
	}
	bits := p.IPv4Prefix
	if a.Is6() {
		bits = p.IPv6Prefix
	}
	n, _ := a.Prefix(bits)
	return n.String(), false
}

func key(client, from, to string) string {
	sum := sha256.Sum256([]byte(client + "\x00" + from + "\x00" + to))
	return "t." + hex.EncodeToString(sum[:16])
}

// judge asks the store about a triplet. A value holds when it was first seen,
// and when it was last written, both in seconds since 1970.
func (p *plugin) judge(ctx context.Context, key string) (sdk.Answer, error) {
	now := p.host.Now(ctx)
	value, found, err := p.host.KV().Get(ctx, key)
	if err != nil {
		return sdk.Answer{}, err
	}
	if !found || len(value) != 16 {
		return p.remember(ctx, key, now, found, value)
	}
	first := time.Unix(int64(binary.LittleEndian.Uint64(value)), 0)
	written := time.Unix(int64(binary.LittleEndian.Uint64(value[8:])), 0)
	if wait := first.Add(time.Duration(p.Delay)).Sub(now); wait > 0 {
		return putOff(wait), nil
	}
	// Once a day is enough to keep it alive, and at once when it has passed for
	// the first time and is still to be forgotten with the window.
	if written.Equal(first) || now.Sub(written) > 24*time.Hour {
		if err := p.host.KV().Set(ctx, key, record(first, now), time.Duration(p.Lifetime)); err != nil && !full(err) {
			return sdk.Answer{}, err
		}
	}
	return sdk.Answer{Reason: "known since " + first.UTC().Format(time.DateTime)}, nil
}

// remember notes the first attempt. Of two at once one is the first.
func (p *plugin) remember(ctx context.Context, key string, now time.Time, found bool, old []byte) (sdk.Answer, error) {
	if !found {
		old = nil
	}
	_, err := p.host.KV().Swap(ctx, key, old, record(now, now), time.Duration(p.Window))
	if full(err) {
		// Whoever fills the store must not keep everybody else's mail away.
		return sdk.Answer{Reason: "the store is full, so nobody new is put off"}, nil
	}
	if err != nil {
		return sdk.Answer{}, err
	}
	return putOff(time.Duration(p.Delay)), nil
}

func record(first, written time.Time) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(first.Unix()))
	return binary.LittleEndian.AppendUint64(b, uint64(written.Unix()))
}

func full(err error) bool {
	var call *sdk.CallError
	return errors.As(err, &call) && call.Code == sdk.CallLimit
}

func putOff(wait time.Duration) sdk.Answer {
	wait = (wait + time.Second - 1).Truncate(time.Second)
	a := sdk.Deferred("4.7.1", "greylisted, please try again in "+wait.String())
	a.Reply.Code = 451
	a.Reason = "not seen before, or too early"
	return a
}
