package config

import (
	"errors"
	"net/netip"
	"strings"
	"time"
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
	return nil, errors.New("config: " + path + " cannot be read")
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
	c.Hostname, c.AuthservID = "mta.localhost", "mta.localhost"
	c.Spool = spool
	c.Listen = []Listener{{Address: netip.MustParseAddrPort("127.0.0.1:2525"), Profile: "mx"}}
	c.Relay.Networks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	c.Routes = []Route{{To: "*", From: "*", Via: "smtp", Hosts: []string{sink}, TLS: "none"}}
	c.Control.Socket = spool + "/control.sock"
	return c
}

func trimScheme(source string) string {
	_, name, _ := strings.Cut(source, ":")
	return name
}
