package sdk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Plugin is what every plugin implements, beside the hooks that it wants.
//
// Start is called once, before any hook, with the plugin's own configuration
// block as JSON (never empty; "{}" when the operator gave none). Decode it with
// [DecodeConfig], which refuses unknown keys. An error from Start keeps the
// relay from starting, or an earlier generation of the plugin in service.
//
// Close is called once, after the last hook call has returned.
type Plugin interface {
	Start(ctx context.Context, host Host, config []byte) error
	Close() error
}

// Inline is implemented by a plugin whose hooks only compute: they never block,
// sleep, or touch network or disk. The core then calls them on the session's
// own goroutine, without a guard that could abandon them, which saves some
// microseconds a call. Claiming it wrongly lets the plugin stall a session.
type Inline interface {
	HooksNeverBlock()
}

// DecodeConfig decodes a plugin's configuration block into dst, which holds the
// defaults. Unknown keys and wrong types are errors that name the key.
func DecodeConfig(config []byte, dst any) error {
	dec := json.NewDecoder(bytes.NewReader(config))
	dec.DisallowUnknownFields()
	if err := dec.Decode(dst); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("config: more than one value")
	}
	return nil
}

// Describer is implemented by a plugin that says more of itself than its hooks
// do. Operators see it in `mta plugin list`, `verify` and `explain`; a plugin
// whose needs are not granted in the configuration is not loaded.
type Describer interface {
	Describe() Description
}

// SelfTester is implemented by a plugin that can tell whether it is fit for
// work. It is asked after Start, before the first hook; an error keeps a new
// generation out of service, and the old one in.
type SelfTester interface {
	SelfTest(ctx context.Context) error
}

// Description is what a plugin says of itself. All of it may be empty.
type Description struct {
	Name    string `json:"name,omitzero"`    // of the plugin as its author calls it
	Version string `json:"version,omitzero"` // semantic version
	// ABI is the minor version of the contract that the plugin was made for; the
	// SDKs set it. An older one is served for ever, a newer one is refused.
	ABI int `json:"abi,omitzero"`
	// Hooks are those that it wants to be asked, each with the fields of the
	// event that it reads, "session.remote_ip"; ["*"] is all of them. Only named
	// fields are sent. Nil: all hooks that it exports or implements, all fields.
	Hooks map[string][]string `json:"hooks,omitzero"`
	// Needs are the grants without which it cannot work: names of [Grants], and
	// "body=write" or "headers=write" where reading is not enough.
	Needs []string `json:"needs,omitzero"`
	// Wants are the grants without which it can do less: calls that need one
	// that is not given answer [NotGranted].
	Wants []string `json:"wants,omitzero"`
}

// Host is all that a plugin may ask of the relay; it is the same in every
// runtime. Every call takes the context that Start or the hook was given: the
// relay knows from it what the call is for, and ends it when that is over.
//
// Calls that need a grant (see [Calls]) fail with a *[CallError] with the code
// [NotGranted] when the configuration does not give it. A plugin that is
// compiled in has every grant.
type Host interface {
	// Name is the name that the configuration gives the plugin. Its notes have it
	// before their own, "NAME.key", in every event: a plugin that reads them again
	// finds them by it.
	Name() string
	// Hostname is the name by which the relay calls itself.
	Hostname() string
	// Now is the relay's clock. Plugins use it instead of time.Now, so that
	// tests and replays can set the time. Without the grant "clock" it stands
	// still for the length of a hook call.
	Now(ctx context.Context) time.Time
	// Log writes one line to the relay's log, marked with the plugin's name and
	// the message. Args are key/value pairs as in log/slog.
	Log(ctx context.Context, level slog.Level, msg string, args ...any)
	// Random fills p with random octets, at most 4 KiB.
	Random(ctx context.Context, p []byte)
	// Count adds to a counter, Gauge sets a value, that operators see among the
	// metrics as mta_plugin_own_NAME{plugin="..."}. A name is 1 to 64 of a-z 0-9 _;
	// a plugin has at most 64 of them, more are dropped and logged once.
	Count(ctx context.Context, name string, delta float64)
	Gauge(ctx context.Context, name string, value float64)
	// KV is the plugin's own durable store. Needs "kv".
	KV() KV
	// Lookup asks the DNS for the records of one kind. No such name and no
	// such record are (nil, nil); any error is a *DNSError. Needs "dns".
	Lookup(ctx context.Context, kind RecordKind, name string) ([]string, error)
	// MX finds where mail for a domain goes (RFC 5321 §5.1): equal preferences
	// shuffled, this relay and worse removed. Any error is a *DNSError. Needs
	// "dns".
	MX(ctx context.Context, domain string) (MX, error)
	// HTTP makes one request to a host that the grant "http" names. Redirects
	// are followed within the grant. Needs "http".
	HTTP(ctx context.Context, r *HTTPRequest) (*HTTPResponse, error)
	// Send carries out one delivery attempt with the relay's own SMTP client:
	// it resolves and tries the hosts of the event's route in order and answers
	// one outcome per recipient of the event. An error means that the request
	// itself is wrong; what peers and networks do is in the outcomes. Needs
	// "send".
	Send(ctx context.Context, e *DeliverEvent, opt SendOptions) ([]Outcome, error)
}

// KV is a plugin's durable key/value store: its own, shared by all instances
// and generations of it. Keys have 1 to 512 octets, values at most 64 KiB; the
// configuration sets how much it may hold in all. What is written is seen by
// everybody at once and is on disk within a second; a crash may lose the last
// moments.
//
// A ttl of 0 keeps an entry for ever.
type KV interface {
	// Get is the value of a key; found is false when there is none.
	Get(ctx context.Context, key string) (value []byte, found bool, err error)
	// Set gives a key a value.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error
	// Swap is compare-and-swap: it replaces old by new, and tells whether it
	// did. Nil as old: the key must be absent; nil as new: it goes.
	Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) (bool, error)
	// Add adds to a counter and is its new value. Absent counts as 0; the ttl
	// counts from the Add that made it, so a rate limit is one call.
	Add(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error)
	// Delete removes a key, if it is there.
	Delete(ctx context.Context, key string) error
}

// HTTPRequest is one request of [Host.HTTP].
type HTTPRequest struct {
	Method string      `json:"method,omitzero"` // empty: GET
	URL    string      `json:"url,omitzero"`    // http or https
	Header []HTTPField `json:"header,omitzero"`
	Body   []byte      `json:"body,omitzero"` // at most 1 MiB
}

// HTTPResponse is what came back, whatever its status.
type HTTPResponse struct {
	Status int         `json:"status,omitzero"`
	Header []HTTPField `json:"header,omitzero"`
	Body   []byte      `json:"body,omitzero"` // at most 1 MiB; more is an error
}

// HTTPField is one header field of a request or response.
type HTTPField struct {
	Name  string `json:"name,omitzero"`
	Value string `json:"value,omitzero"`
}

// SendOptions are the choices of [Host.Send].
type SendOptions struct {
	// LMTP speaks RFC 2033 instead of SMTP: LHLO, and one reply per recipient
	// after the message.
	LMTP bool
}

// RecordKind is a kind of DNS record that [Host.Lookup] can ask for.
type RecordKind string

// The kinds of record that a plugin can look up.
const (
	RecordA    RecordKind = "A"
	RecordAAAA RecordKind = "AAAA"
	RecordTXT  RecordKind = "TXT"
	RecordPTR  RecordKind = "PTR" // name is an IP address
)

// DNSError says that a DNS question has no usable answer.
type DNSError struct {
	Name      string
	Temporary bool // asking again later may help: SERVFAIL, timeout
	Text      string
}

// Error implements error.
func (e *DNSError) Error() string { return "dns: " + e.Name + ": " + e.Text }

// MX is where mail for a domain goes.
type MX struct {
	// Hosts are the exchangers in the order in which to try them. Empty means
	// that there is none: see the other fields for the reason.
	Hosts []string `json:"hosts,omitzero"`
	// Null: the domain says that it takes no mail (RFC 7505).
	Null bool `json:"null,omitzero"`
	// Implicit: there is no MX record, and Hosts is the domain itself.
	Implicit bool `json:"implicit,omitzero"`
	// Loops: this relay is itself the best exchanger, so nothing is left.
	Loops bool `json:"loops,omitzero"`
	// NoDomain: the name does not exist, or exists without any address.
	NoDomain bool `json:"no_domain,omitzero"`
}
