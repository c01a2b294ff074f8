// Package config turns the relay's one configuration file into a struct.
//
// Defaults are filled in first, so the file holds only what differs from them.
// The package refuses what it does not know: unknown keys, wrong types, values
// out of range, contradictions between keys, and keys for things that this
// release does not do. It reports all faults of a file at once, each with file
// and line, what is wrong, and what would be right ([Faults]). A configuration
// that would make an open relay is refused always.
//
// Invariants: a *Config that comes without an error is complete and consistent;
// file names in it are absolute; domains are in lower case and in A-labels. No
// fault ever shows the value of a key that is not known to be harmless, because
// plugins have secrets in their tables.
package config

import (
	"net/netip"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// Config is the whole configuration.
type Config struct {
	Hostname      string        `toml:"hostname" example:"\"mx.example.org\"" without:"the machine's name" doc:"The name by which the relay calls itself: banner, EHLO, Received, Message-ID. It should resolve to the address that the relay sends from."`
	Spool         string        `toml:"spool" doc:"The folder of queue and trace. An absolute path; one relay has it to itself."`
	ShutdownGrace time.Duration `toml:"shutdown_grace" max:"1h" doc:"How long a drain lets sessions and deliveries finish."`

	Resolver Resolver   `toml:"resolver" doc:"How names are looked up."`
	Listen   []Listener `toml:"listen" doc:"Where the relay accepts mail; one table a socket."`
	TLS      TLS        `toml:"tls" doc:"Certificates for STARTTLS. They are read again when the files change."`
	Relay    Relay      `toml:"relay" doc:"Whose mail is accepted. Closed by default: without this nobody may send anything to anybody."`
	Limits   Limits     `toml:"limits" doc:"What one client, one message and one spool may take."`
	Routes   []Route    `toml:"route" doc:"Where mail goes. The first match wins; without a match it goes to the MX of the recipient's domain."`
	Delivery Delivery   `toml:"delivery" doc:"When delivery is tried, and for how long."`
	Plugins  []Plugin   `toml:"plugin" doc:"The plugins, in the order in which every chain asks them."`
	Control  Control    `toml:"control" doc:"The socket at which the command line talks to the relay."`
	Metrics  Metrics    `toml:"metrics" doc:"Prometheus metrics at /metrics, with /healthz and /readyz beside them."`
	Log      Log        `toml:"log" doc:"Log lines on standard error."`

	// Dir is the folder of the file; relative names in the file begin there.
	Dir string `toml:"-"`

	file   string // as it was named to Load
	places *node  // of the keys, for faults that are found later
}

// Resolver is [resolver].
type Resolver struct {
	Servers []netip.AddrPort `toml:"servers" example:"[\"127.0.0.1:53\"]" without:"those of /etc/resolv.conf" doc:"Name servers, address:port, asked in this order."`
}

// Listener is one [[listen]].
type Listener struct {
	Address netip.AddrPort `toml:"address" need:"yes" example:"\"0.0.0.0:25\"" doc:"Where to listen, address:port. \"[::]:25\" takes IPv4 and IPv6 where the system allows it."`
	Profile string         `toml:"profile" oneof:"mx lmtp" default:"mx" doc:"What is spoken there: mx is SMTP for other mail servers and trusted networks, lmtp is RFC 2033 with a reply per recipient."`
}

// TLS is [tls].
type TLS struct {
	Roots        string        `toml:"roots" file:"yes" example:"\"ca.pem\"" without:"those of the system" doc:"PEM file with the authorities that next hops are verified against."`
	Certificates []Certificate `toml:"certificates" example:"[{cert = \"fullchain.pem\", key = \"key.pem\"}]" without:"none: STARTTLS is not offered" doc:"Our certificates, PEM; several are chosen by the name that the client asks for (SNI)."`
}

// Certificate is one of tls.certificates.
type Certificate struct {
	Cert string `toml:"cert" file:"yes" need:"yes" doc:"The certificate and its chain."`
	Key  string `toml:"key" file:"yes" need:"yes" doc:"Its private key."`
}

// Relay is [relay].
type Relay struct {
	Domains  []string       `toml:"domains" example:"[\"example.org\", \".example.net\"]" without:"none" doc:"Mail for these is accepted from everybody. \".example.net\" is every name below example.net, not itself."`
	Networks []netip.Prefix `toml:"networks" example:"[\"127.0.0.0/8\", \"::1/128\"]" without:"none" doc:"Clients in these networks may send anywhere."`
}

// Limits is [limits]: every limit that the server enforces has a name here.
type Limits struct {
	MessageSize    Size          `toml:"message_size" min:"64KiB" max:"2GiB" doc:"The largest message, announced with SIZE (RFC 1870). Larger ones get 552."`
	Recipients     int           `toml:"recipients" min:"100" max:"100000" doc:"Recipients of one message; RFC 5321 §4.5.3.1.8 wants at least 100. More get 452."`
	Sessions       int           `toml:"sessions" min:"1" max:"1000000" doc:"Connections at the same time. More get 421."`
	SessionsPerIP  int           `toml:"sessions_per_ip" min:"1" max:"1000000" doc:"Connections at the same time from one IPv4 address or one IPv6 /64."`
	Errors         int           `toml:"errors" min:"1" max:"10000" doc:"Refused commands in one session, since its last message, before it is ended with 421."`
	JunkCommands   int           `toml:"junk_commands" min:"1" max:"100000" doc:"NOOP, RSET, VRFY and the like in one session, since its last message, before it is ended with 421."`
	Hops           int           `toml:"hops" min:"10" max:"1000" doc:"Received fields in a message before it is taken for a loop (RFC 5321 §6.3)."`
	CommandLine    Size          `toml:"command_line" min:"1036" max:"64KiB" doc:"Octets of one command line with its CRLF; RFC 3461 §4.2 and §4.3 want at least 1036."`
	CommandTimeout time.Duration `toml:"command_timeout" min:"1s" max:"1h" doc:"Silence between commands before 421 (RFC 5321 §4.5.3.2.7)."`
	DataTimeout    time.Duration `toml:"data_timeout" min:"1s" max:"1h" doc:"Silence inside a message before 421."`
	DataTotal      time.Duration `toml:"data_total" min:"1m" max:"1d" doc:"The time that one message may take to arrive."`
	MinDataRate    Size          `toml:"min_data_rate" max:"1GiB" doc:"Octets a second below which a client that sends a message is cut off; 0 switches it off."`
	TLSHandshake   time.Duration `toml:"tls_handshake" min:"1s" max:"10m" doc:"The time that a TLS handshake may take."`
	MinFree        Size          `toml:"min_free" doc:"Free space on the spool's disk below which new mail gets 452. The queue keeps draining."`
	Active         int           `toml:"active" min:"100" max:"10000000" doc:"Messages held in memory because they are due; the rest wait on disk."`
	BigBody        Size          `toml:"big_body" min:"4KiB" max:"64MiB" doc:"Messages larger than this get a file of their own; smaller ones live in the queue's log."`
	LogSegment     Size          `toml:"log_segment" min:"1MiB" max:"4GiB" doc:"The size of one file of the queue's log."`
	QueueCache     Size          `toml:"queue_cache" max:"64GiB" doc:"Memory for messages that arrived a moment ago, so that delivery need not read the disk."`
	TraceAge       time.Duration `toml:"trace_age" min:"1h" max:"3650d" doc:"How long the trace of a message is kept for mta explain."`
	TraceSize      Size          `toml:"trace_size" min:"1MiB" doc:"How much disk all traces may take; the oldest go first."`
}

// Route is one [[route]].
type Route struct {
	To    string   `toml:"to" need:"yes" example:"\"*.internal.example\"" doc:"The recipient: \"example.org\"; \".example.org\" or \"*.example.org\" for every name below it; \"user@example.org\"; \"*\" for all."`
	From  string   `toml:"from" example:"\"*\"" without:"\"*\"" doc:"The sender in the same forms; \"<>\" for the null reverse-path."`
	Via   string   `toml:"via" default:"smtp" doc:"How: smtp, lmtp, discard, or the name of a plugin with a deliver hook."`
	Hosts []string `toml:"hosts" example:"[\"10.1.2.3:25\", \"relay.internal.example:25\"]" without:"none; smtp and lmtp need one" doc:"Next hops in the order in which to try them: host, host:port, address:port, for lmtp also \"unix:/path\". The port is 25, for lmtp 24."`
	TLS   string   `toml:"tls" oneof:"none may encrypt verify" default:"may" example:"\"encrypt\"" doc:"none: never; may: if offered; encrypt: or not at all; verify: with a certificate that fits the host."`
	Auth  *Login   `toml:"auth" example:"{user = \"u\", password_file = \"p\"}" without:"none" doc:"Log in at the next hop; needs tls encrypt or verify."`
}

// Login is the auth key of a route.
type Login struct {
	User         string `toml:"user" need:"yes" doc:"The name to log in with."`
	PasswordFile string `toml:"password_file" file:"yes" need:"yes" doc:"File with the password on its first line."`
}

// Delivery is [delivery].
type Delivery struct {
	Retry        []time.Duration `toml:"retry" min:"1s" max:"7d" doc:"Waits between attempts; the last one repeats."`
	Lifetime     time.Duration   `toml:"lifetime" min:"1m" max:"30d" doc:"How long a message is tried before its sender is told that it failed."`
	Concurrency  int             `toml:"concurrency" min:"1" max:"10000" doc:"Connections to one next hop at the same time."`
	DelayWarning time.Duration   `toml:"delay_warning" max:"30d" doc:"After how long the sender is told that a message waits; \"0s\" for never."`
}

// Plugin is one [[plugin]].
type Plugin struct {
	Name    string       `toml:"name" need:"yes" example:"\"tenant-router\"" doc:"The name in logs, traces, notes and routes: lower-case letters, digits and hyphens. Unique."`
	Source  string       `toml:"source" need:"yes" example:"\"file:tenant-router.wasm\"" doc:"What to load: \"builtin:NAME\" is compiled in, \"file:PATH.wasm\" a WebAssembly module, \"process:PATH\" a program of its own. Relative paths begin at this file."`
	SHA256  string       `toml:"sha256" example:"\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"" without:"not checked" doc:"The digest of the file, 64 hexadecimal digits; checked before it runs."`
	Hooks   []string     `toml:"hooks" example:"[\"rcpt\", \"route\"]" without:"all that it implements" doc:"The hooks that it is asked for."`
	OnError OnError      `toml:"on_error" example:"\"defer\"" without:"\"defer\"" doc:"What happens when it fails: defer, continue, reject, hold or disconnect; or by hook: {rcpt = \"continue\", route = \"defer\"}. Hooks about accepted mail can only defer or hold."`
	Mode    string       `toml:"mode" oneof:"active shadow off" default:"active" doc:"shadow: it is asked and its answers are recorded, but they decide nothing. off: it is not loaded."`
	Allow   Allow        `toml:"allow" example:"{dns = true, kv = \"8MiB\"}" doc:"What it may do beyond narrowing. All but relay, http and kv is for wasm and process plugins: what is compiled in may it anyway."`
	Limits  PluginLimits `toml:"limits" example:"{deadline = \"10s\", instances = 64}" doc:"What one call may take."`
	// Config is the table as JSON, as sdk.Plugin.Start takes it.
	Config []byte `toml:"config" example:"{any = \"table\", the = \"plugin understands\"}" without:"{}" doc:"The plugin's own configuration."`
}

// Runtime is the way to load it: builtin, wasm, process; empty: Source is wrong.
func (p *Plugin) Runtime() string {
	scheme, rest, _ := strings.Cut(p.Source, ":")
	if rest == "" {
		return ""
	}
	switch scheme {
	case "builtin":
		return scheme
	case "file":
		return "wasm"
	case "process":
		return scheme
	}
	return ""
}

// Builtin is the name of the compiled-in plugin that Source names.
func (p *Plugin) Builtin() string { return strings.TrimPrefix(p.Source, "builtin:") }

// OnError says what happens when the plugin fails: by the name of the hook, or
// under [EveryHook] for all hooks that can do it. What it has no entry for
// defers.
type OnError map[string]sdk.Action

// EveryHook is the key of [OnError] for a word that the file says of the whole
// plugin. Hooks that cannot do what it says defer: hooks about accepted mail
// only ever defer or hold.
const EveryHook = "*"

// Allow is the allow key of a plugin.
type Allow struct {
	Relay    bool     `toml:"relay" doc:"Its accept at rcpt may let mail through that relay.domains and relay.networks would refuse."`
	DNS      bool     `toml:"dns" doc:"It may ask the DNS."`
	HTTP     []string `toml:"http" example:"[\"api.example.net:443\"]" without:"none" doc:"The hosts it may make HTTP requests to: \"host:port\", \"host\" (443), \"*.example.net:443\", \"10.0.0.5:8080\". Private and loopback addresses only when they are named themselves. Redirects stay within."`
	KV       Size     `toml:"kv" max:"64GiB" example:"\"8MiB\"" without:"none; of a builtin 64MiB" doc:"How much it may keep in its own durable key/value store."`
	Body     string   `toml:"body" oneof:"none read write" default:"none" doc:"read: it may read whole messages; write: and replace their bodies."`
	Headers  string   `toml:"headers" oneof:"none read write" default:"read" doc:"read: it may read the header of messages; write: and change it."`
	Envelope bool     `toml:"envelope" doc:"It may change the sender and add, replace and remove recipients, and so have mail sent to whomever it likes."`
	Clock    bool     `toml:"clock" doc:"It sees the clock go on during a call, instead of the time of the event."`
	Send     bool     `toml:"send" doc:"It may connect to next hops of its own choice with the relay's SMTP client."`
}

// PluginLimits is the limits key of a plugin.
type PluginLimits struct {
	Deadline  time.Duration `toml:"deadline" min:"1ms" max:"10m" default:"10s" doc:"The longest time of one call of any hook but deliver."`
	Instances int           `toml:"instances" min:"1" max:"100000" default:"64" doc:"Calls at the same time; more wait for a free place, within their deadline. Each is a guest of its own in wasm."`
	Memory    Size          `toml:"memory" min:"64KiB" max:"64GiB" example:"\"32MiB\"" without:"32MiB for wasm, 512MiB for a process" doc:"Of one wasm instance, or of a process in all."`
	Fuel      int           `toml:"fuel" min:"10000" max:"1000000000000" default:"100000000" doc:"Units that one call of a wasm plugin may burn, about one an instruction; 100,000,000 is some 5 to 20 ms. A deliver call may burn 50 times as much."`
}

// Control is [control].
type Control struct {
	Socket string `toml:"socket" doc:"Path of the unix socket, made with mode 0660."`
}

// Metrics is [metrics].
type Metrics struct {
	Address netip.AddrPort `toml:"address" example:"\"127.0.0.1:9525\"" without:"off" doc:"Where to serve them, address:port."`
}

// Log is [log].
type Log struct {
	Format string `toml:"format" oneof:"text json" doc:"text has the fields that Postfix users know; json is one object a line."`
	Level  string `toml:"level" oneof:"debug info warn error" doc:"The least important line that is written."`
}
