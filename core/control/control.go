// Package control is the admin API of a running relay: HTTP with JSON on a unix
// socket, spoken by the command line and the console. [Server] serves whatever
// implements [Backend], and [Client] is a Backend that asks a server, so that
// both ends of every call have one signature.
//
// It decides nothing itself, knows no queue and no plugin, and refuses what
// could be meant for more than was said: an action on an empty filter needs All.
// Invariants: whoever connects, reads slowly, sends garbage or goes away costs a
// bounded amount of memory and time and disturbs nobody else; every error is a
// sentence that names the remedy; a list that arrived whole is told from one
// that was cut.
package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/programmable-mta/mta/core/trace"
)

// Errors that callers tell apart. Everything else failed for the reason it says.
var (
	// ErrUnreachable: no relay answers at the socket.
	ErrUnreachable = errors.New("control: the relay is unreachable")
	// ErrNotFound: there is no such message, plugin, session.
	ErrNotFound = errors.New("not found")
	// ErrUsage: the request itself is wrong.
	ErrUsage = errors.New("wrong request")
	// ErrConfig: the configuration is wrong; nothing has changed.
	ErrConfig = errors.New("configuration refused")
	// ErrBusy: not now; the same request may succeed later.
	ErrBusy = errors.New("try again later")
)

// Backend is what a relay lets its operator do. A reader that is returned is
// closed by the caller; an error from yield or progress ends the call.
type Backend interface {
	Status(ctx context.Context) (*Status, error)

	QueueList(ctx context.Context, f Filter, yield func(*Message) error) error
	QueueCount(ctx context.Context, f Filter) (Counts, error)
	QueueShow(ctx context.Context, id string) (*Message, error)
	QueueBody(ctx context.Context, id string) (io.ReadCloser, error)
	QueueShape(ctx context.Context) (*Shape, error)
	QueueAct(ctx context.Context, a Act, progress func(done int) error) (Acted, error)

	Explain(ctx context.Context, id string) ([]trace.Record, error)
	ExplainSession(ctx context.Context, id string) ([]trace.Record, error)
	ExplainDry(ctx context.Context, d Dry) (*DryResult, error)
	Route(ctx context.Context, address string) (*Route, error)

	Plugins(ctx context.Context) ([]Plugin, error)
	// Reload reads the configuration again; with the name of a plugin, that
	// plugin alone is loaded anew.
	Reload(ctx context.Context, plugin string) (string, error)
	Drain(ctx context.Context) error
	recordings

	SinkList(ctx context.Context) ([]SinkMessage, error)
	SinkShow(ctx context.Context, id string) (io.ReadCloser, error)
	SinkClear(ctx context.Context) (int, error)
}

// Status is one page of facts.
type Status struct {
	Version      string         `json:"version"`
	Hostname     string         `json:"hostname"`
	Config       string         `json:"config,omitempty"` // empty with --dev
	Spool        string         `json:"spool"`
	PID          int            `json:"pid"`
	Started      time.Time      `json:"started"`
	State        string         `json:"state"` // running, draining, stopped: why
	Listeners    []Listener     `json:"listeners"`
	Sessions     int            `json:"sessions"`
	Plugins      int            `json:"plugins"`
	Messages     int            `json:"messages"`
	Recipients   map[string]int `json:"recipients"` // by state
	Active       int            `json:"active"`     // messages with an attempt under way
	Oldest       time.Time      `json:"oldest,omitzero"`
	Memory       uint64         `json:"memory"` // octets from the system
	Disk         int64          `json:"disk"`   // octets of the queue on disk
	Counters     map[string]int `json:"counters,omitempty"`
	Destinations []Destination  `json:"destinations,omitempty"`
	Warnings     []string       `json:"warnings,omitempty"`
}

// Listener is a socket that takes mail.
type Listener struct {
	Address string `json:"address"`
	Profile string `json:"profile"`
}

// Destination is a next hop with something to tell.
type Destination struct {
	Name    string    `json:"name"`
	Active  int       `json:"active"`
	Waiting int       `json:"waiting"`
	Limit   int       `json:"limit,omitempty"`
	Paused  time.Time `json:"paused_until,omitzero"`
	Reason  string    `json:"reason,omitempty"`
}

// Filter chooses recipients of the queue; every field that is set must match.
type Filter struct {
	IDs          []string `json:"ids,omitempty"`
	From         string   `json:"from,omitempty"`
	To           string   `json:"to,omitempty"`
	NextHop      string   `json:"next_hop,omitempty"`
	States       []string `json:"states,omitempty"`
	OlderSeconds int64    `json:"older_seconds,omitempty"`
	Note         string   `json:"note,omitempty"`
	Limit        int      `json:"limit,omitempty"`
}

// Empty tells whether the filter matches everything.
func (f Filter) Empty() bool {
	return len(f.IDs) == 0 && f.From == "" && f.To == "" && f.NextHop == "" && len(f.States) == 0 && f.OlderSeconds == 0 && f.Note == ""
}

// Message is a message of the queue.
type Message struct {
	ID         string            `json:"id"`
	From       string            `json:"from"`
	Size       int64             `json:"size"`
	Arrived    time.Time         `json:"arrived"`
	Active     bool              `json:"active,omitempty"` // an attempt is under way
	Recipients []Recipient       `json:"recipients"`
	ClientIP   string            `json:"client_ip,omitempty"`
	Client     string            `json:"client,omitempty"`
	Helo       string            `json:"helo,omitempty"`
	Protocol   string            `json:"protocol,omitempty"`
	Login      string            `json:"login,omitempty"`
	EnvID      string            `json:"envid,omitempty"`
	SMTPUTF8   bool              `json:"smtputf8,omitempty"`
	RequireTLS bool              `json:"requiretls,omitempty"`
	Notes      map[string]string `json:"notes,omitempty"`
}

// Recipient is one recipient of a message of the queue.
type Recipient struct {
	Address  string      `json:"address"`
	Original string      `json:"original,omitempty"`
	State    string      `json:"state"`
	Attempts int         `json:"attempts"`
	Next     time.Time   `json:"next,omitzero"`
	Reply    trace.Reply `json:"reply,omitzero"`
	Remote   string      `json:"remote,omitempty"`
	// RemoteReply tells that Remote said Reply; else it is ours, about Remote.
	RemoteReply bool   `json:"remote_reply,omitempty"`
	NextHop     string `json:"next_hop,omitempty"`
	Route       string `json:"route,omitempty"`
	By          string `json:"by,omitempty"`
}

// Counts are the totals of a filter.
type Counts struct {
	Messages   int            `json:"messages"`
	Recipients int            `json:"recipients"`
	Bytes      int64          `json:"bytes"`
	States     map[string]int `json:"states,omitempty"` // recipients
}

// Shape is the age of what waits, by destination.
type Shape struct {
	Bounds []int64    `json:"bounds_seconds"` // upper ends of the columns; one more is open
	Rows   []ShapeRow `json:"rows"`
}

// ShapeRow is one destination.
type ShapeRow struct {
	Destination string `json:"destination"`
	Total       int    `json:"total"`
	Recipients  []int  `json:"recipients"` // one for each bound, and the open one
}

// Act is something done to the queue.
type Act struct {
	Action string `json:"action"` // flush, hold, release, delete, expire, reroute
	Filter Filter `json:"filter"`
	All    bool   `json:"all,omitempty"` // must be set when the filter is empty
	Route  string `json:"route,omitempty"`
	By     string `json:"by"` // who asks; it is recorded
}

// actions are what Act may ask for.
var actions = [...]string{"flush", "hold", "release", "delete", "expire", "reroute"}

// check finds what is wrong with an action, before anything is done.
func (a *Act) check() error {
	known := false
	for _, name := range actions {
		known = known || a.Action == name
	}
	switch {
	case !known:
		return fmt.Errorf("%w: %q is no action; use one of flush, hold, release, delete, expire, reroute", ErrUsage, a.Action)
	case a.Filter.Empty() && !a.All:
		return fmt.Errorf("%w: no filter: name queue IDs or a filter, or say that all messages are meant", ErrUsage)
	case a.Action == "reroute" && a.Route == "":
		return fmt.Errorf("%w: reroute needs a route: name the next hop", ErrUsage)
	case a.By == "":
		return fmt.Errorf("%w: an action needs a name: say who asks for it", ErrUsage)
	}
	return nil
}

// Acted is what came of an Act.
type Acted struct {
	Messages int `json:"messages"` // of which at least one recipient was changed
}

// Dry is a message that is not sent.
type Dry struct {
	From    string   `json:"from"`
	To      []string `json:"to"`
	IP      string   `json:"ip,omitempty"`
	Name    string   `json:"name,omitempty"`
	Helo    string   `json:"helo,omitempty"`
	Login   string   `json:"login,omitempty"`
	Profile string   `json:"profile,omitempty"`
	Message []byte   `json:"message,omitempty"` // at most [MaxDry] octets; empty: a small one is made up
}

// MaxDry is the largest message of a dry run.
const MaxDry = 32 << 20

// DryResult is what would have happened.
type DryResult struct {
	Accepted bool           `json:"accepted"`
	Reply    trace.Reply    `json:"reply"` // what the client would have been told last
	Records  []trace.Record `json:"records"`
	Routes   []Route        `json:"routes,omitempty"`
}

// Route is how a recipient would be reached.
type Route struct {
	Address string   `json:"address"`
	Action  string   `json:"action"` // use, defer, fail, hold
	Via     string   `json:"via,omitempty"`
	TLS     string   `json:"tls,omitempty"`
	Rule    string   `json:"rule,omitempty"`
	Plugin  string   `json:"plugin,omitempty"`
	Hosts   []Host   `json:"hosts,omitempty"`
	Reason  string   `json:"reason,omitempty"`
	Notes   []string `json:"notes,omitempty"`
}

// Host is one next hop of a route.
type Host struct {
	Name      string   `json:"name"`
	Addresses []string `json:"addresses,omitempty"`
	Error     string   `json:"error,omitempty"`
}

// Plugin is a loaded plugin.
type Plugin struct {
	Name    string            `json:"name"`
	Source  string            `json:"source"`
	Runtime string            `json:"runtime"`
	Mode    string            `json:"mode"`
	Hooks   []string          `json:"hooks"`
	OnError map[string]string `json:"on_error,omitempty"`
	Inline  bool              `json:"inline,omitempty"`
	Relay   bool              `json:"may_relay,omitempty"`
	Breaker string            `json:"breaker,omitempty"` // closed, open, half-open
	Calls   int64             `json:"calls"`             // of all hooks, since the chains were made
	Errors  int64             `json:"errors"`
	Last    string            `json:"last_error,omitempty"`

	Implicit   bool         `json:"implicit,omitempty"` // every relay has it
	Version    string       `json:"version,omitempty"`
	Path       string       `json:"path,omitempty"`
	Digest     string       `json:"digest,omitempty"` // SHA-256 of the file
	Generation int          `json:"generation"`       // 1 for the first, one more at each load
	Since      time.Time    `json:"since,omitzero"`   // when it was loaded
	State      string       `json:"state,omitempty"`  // ready; of a process also starting, backoff, tripped
	Instances  int          `json:"instances"`
	Busy       int          `json:"busy"`
	Memory     int64        `json:"memory,omitempty"`     // octets of all instances
	MaxMemory  int64        `json:"max_memory,omitempty"` // the most that one instance ever had
	Fuel       int64        `json:"fuel,omitempty"`       // units of all calls
	MaxFuel    int64        `json:"max_fuel,omitempty"`   // of the most expensive call
	Discarded  int64        `json:"discarded,omitempty"`  // instances thrown away
	Restarts   int64        `json:"restarts,omitempty"`   // of a process
	Grants     []string     `json:"grants,omitempty"`     // as in the configuration: "kv = 8MiB"
	KVBytes    int64        `json:"kv_bytes,omitempty"`   // in its store
	KVKeys     int          `json:"kv_keys,omitempty"`
	Details    []PluginHook `json:"details,omitempty"`
}

// PluginHook is one hook of a loaded plugin.
type PluginHook struct {
	Hook    string   `json:"hook"`
	OnError string   `json:"on_error,omitempty"`
	Breaker string   `json:"breaker"`
	Calls   int64    `json:"calls"`
	Errors  int64    `json:"errors"`
	P50US   float64  `json:"p50_us"` // upper bounds, a quarter of a power of two apart
	P99US   float64  `json:"p99_us"`
	Last    string   `json:"last_error,omitempty"`
	Reads   []string `json:"reads,omitempty"` // fields of the event; none: all
}

// SinkMessage is a message that the built-in sink of --dev keeps.
type SinkMessage struct {
	ID       string    `json:"id"`
	From     string    `json:"from"`
	To       []string  `json:"to"`
	Size     int64     `json:"size"`
	Subject  string    `json:"subject,omitempty"`
	Received time.Time `json:"received"`
}
