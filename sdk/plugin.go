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

// Host is all that a plugin may ask of the relay; it is the same in every
// runtime. Calls that take a context return when it is done.
type Host interface {
	// Hostname is the name by which the relay calls itself.
	Hostname() string
	// Now is the relay's clock. Plugins use it instead of time.Now, so that
	// tests and replays can set the time.
	Now() time.Time
	// Log writes one line to the relay's log, marked with the plugin's name.
	// Args are key/value pairs as in log/slog.
	Log(level slog.Level, msg string, args ...any)
	// Lookup asks the DNS for the records of one kind. No such name and no
	// such record are (nil, nil); any error is a *DNSError.
	Lookup(ctx context.Context, kind RecordKind, name string) ([]string, error)
	// MX finds where mail for a domain goes (RFC 5321 §5.1): equal preferences
	// shuffled, this relay and worse removed. Any error is a *DNSError.
	MX(ctx context.Context, domain string) (MX, error)
	// Send carries out one delivery attempt with the relay's own SMTP client:
	// it resolves and tries the hosts of the event's route in order and answers
	// one outcome per recipient of the event. An error means that the request
	// itself is wrong; what peers and networks do is in the outcomes.
	Send(ctx context.Context, e *DeliverEvent, opt SendOptions) ([]Outcome, error)
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
	Hosts []string
	// Null: the domain says that it takes no mail (RFC 7505).
	Null bool
	// Implicit: there is no MX record, and Hosts is the domain itself.
	Implicit bool
	// Loops: this relay is itself the best exchanger, so nothing is left.
	Loops bool
	// NoDomain: the name does not exist, or exists without any address.
	NoDomain bool
}
