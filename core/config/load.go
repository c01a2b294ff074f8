package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// LoadOptions are what [LoadOptions.Load] needs to know besides the file.
type LoadOptions struct {
	// Builtins are the names of the compiled-in plugins. Nil: not checked here.
	Builtins []string
	// Hostname tells the machine's name; nil is os.Hostname.
	Hostname func() (string, error)
}

// Load reads a file with the default options. A faulty file gives [Faults].
func Load(path string) (*Config, error) { return LoadOptions{}.Load(path) }

// Load reads a file. A faulty file gives [Faults].
func (o LoadOptions) Load(path string) (*Config, error) {
	text, err := readText(path)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return o.Parse(path, text)
}

// readText reads one octet more than a file may have.
func readText(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	return string(text), err
}

// Parse is [LoadOptions.Load] of a text that was read already; path is its name
// in faults, and relative names begin in its folder.
func (o LoadOptions) Parse(path, text string) (*Config, error) {
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	if len(text) > maxFile {
		ch := newChecker(path, nil)
		ch.fault(ruleTooBig, ch.root, Size(maxFile))
		return nil, ch.result()
	}
	root, sc := scan(text)
	ch := newChecker(path, root)
	m := ch.decodeTOML(text, sc)
	if m == nil {
		return nil, ch.result()
	}
	c := Default()
	c.file, c.Dir, c.places = path, dir, root
	d := &decoder{checker: ch, dir: dir}
	d.table(ch.root, m, reflect.ValueOf(c).Elem())
	o.complete(c, ch)
	(&validator{checker: ch, c: c, o: o}).all()
	if err := ch.result(); err != nil {
		return nil, err
	}
	return c, nil
}

// NamedSocket is the control.socket that a file with faults names: who has made a
// mistake in it must still reach the relay that runs. A default is none, because a
// file whose [control] is misspelt would lead to another relay.
func NamedSocket(path string) (socket string, ok bool) {
	text, err := readText(path)
	if _, sc := scan(text); err != nil || len(text) > maxFile || sc.tooBig > 0 {
		return "", false
	}
	m, err := parseTOML(text)
	if err != nil {
		return "", false
	}
	table, _ := m["control"].(map[string]any)
	socket, _ = table["socket"].(string)
	if !filepath.IsAbs(socket) { // which the configuration would refuse as well
		return "", false
	}
	return socket, true
}

// parseTOML is a guard around the library, which panics at what it takes for a
// bug of its own: a file must not end a relay that reads it again.
func parseTOML(text string) (m map[string]any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("it cannot be understood")
		}
	}()
	m = map[string]any{}
	_, err = toml.Decode(text, &m)
	return m, err
}

// decodeTOML returns nil after a fault. The decoder stops at its first.
func (ch *checker) decodeTOML(text string, sc *scanner) (m map[string]any) {
	if sc.tooBig > 0 {
		ch.fault(ruleTooDeep, place{line: sc.tooBig})
		return nil
	}
	m, err := parseTOML(text)
	if err == nil {
		return m
	}
	for _, t := range sc.twice {
		ch.fault(ruleTwice, place{key: t.key, line: t.line}, t.first)
	}
	if len(sc.twice) == 0 {
		line, what := 1, err.Error()
		if pe := (toml.ParseError{}); errors.As(err, &pe) {
			line, what = max(1, pe.Position.Line), pe.Message
		}
		ch.fault(ruleSyntax, place{line: line}, harmless(what))
	}
	return nil
}

var quoted = regexp.MustCompile(`'[^']*'|"[^"]*"`)

// harmless takes what the TOML decoder quotes from the file out of its message:
// it may be the beginning of a password.
func harmless(message string) string {
	switch {
	case strings.HasPrefix(message, "expected value but found"):
		return "a value is missing, or a string has no quotes"
	case strings.Contains(message, "already been defined"):
		return "a table or key is defined twice"
	}
	message, _, _ = strings.Cut(message, ", but got")
	message, _, _ = strings.Cut(message, " but got")
	message = quoted.ReplaceAllStringFunc(message, func(q string) string {
		if len(q) > 4 {
			return "this"
		}
		return q
	})
	return strings.TrimSuffix(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, message), ".")
}

// complete fills in the defaults that depend on the machine or on other keys.
func (o LoadOptions) complete(c *Config, ch *checker) {
	if c.Hostname == "" && ch.ok(ch.root.child("hostname")) {
		ask := o.Hostname
		if ask == nil {
			ask = os.Hostname
		}
		name, err := ask()
		if err != nil {
			name = ""
		}
		if name = strings.ToLower(strings.TrimSuffix(name, ".")); !isHostname(name) || !strings.Contains(name, ".") {
			ch.fault(ruleMachine, ch.root.child("hostname"), show(name))
		}
		c.Hostname = name
	}
	for i := range c.Routes {
		if c.Routes[i].From == "" {
			c.Routes[i].From = "*"
		}
	}
	for i := range c.Plugins {
		if c.Plugins[i].Config == nil {
			c.Plugins[i].Config = []byte("{}")
		}
	}
}

// Default is the configuration of an empty file, without a hostname.
func Default() *Config {
	return &Config{
		Spool:         "/var/spool/mta",
		ShutdownGrace: 30 * time.Second,
		Limits: Limits{
			MessageSize:    25 << 20,
			Recipients:     1000,
			Sessions:       5000,
			SessionsPerIP:  50,
			Errors:         20,
			JunkCommands:   100,
			Hops:           100,
			CommandLine:    2048,
			CommandTimeout: 5 * time.Minute,
			DataTimeout:    3 * time.Minute,
			DataTotal:      time.Hour,
			MinDataRate:    500,
			TLSHandshake:   30 * time.Second,
			MinFree:        100 << 20,
			Active:         20000,
			BigBody:        256 << 10,
			LogSegment:     64 << 20,
			QueueCache:     32 << 20,
			TraceAge:       7 * 24 * time.Hour,
			TraceSize:      1 << 30,
		},
		Delivery: Delivery{
			Retry:       []time.Duration{5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute, time.Hour},
			Lifetime:    5 * 24 * time.Hour,
			Concurrency: 20,
		},
		Control: Control{Socket: "/run/mta/control.sock"},
		Log:     Log{Format: "text", Level: "info"},
	}
}

// Dev is the configuration of mta serve --dev: it listens on 127.0.0.1:2525,
// lets every client on this machine send anywhere, and delivers everything to
// the sink at host:port.
func Dev(spool, sink string) *Config {
	c := Default()
	c.Hostname = "mta.localhost"
	c.Spool, c.Dir = spool, spool
	c.Listen = []Listener{{Address: netip.MustParseAddrPort("127.0.0.1:2525"), Profile: "mx"}}
	c.Relay.Networks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	c.Routes = []Route{{To: "*", From: "*", Via: "smtp", Hosts: []string{sink}, TLS: "none"}}
	c.Control.Socket = filepath.Join(spool, "control.sock")
	return c
}

// Validate checks a configuration that was made or changed by a program as
// [Load] checks a file.
func (c *Config) Validate(o LoadOptions) error {
	ch := newChecker(cmp.Or(c.file, "config"), c.places)
	(&validator{checker: ch, c: c, o: o}).all()
	return ch.result()
}
