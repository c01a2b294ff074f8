package trace

import (
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/programmable-mta/mta/sdk"
)

// Options say where a Tracer writes and how much it keeps.
type Options struct {
	Dir      string           // of the trace files; empty keeps no records
	MaxAge   time.Duration    // records older than this go; 0: 7 days
	MaxBytes int64            // of all trace files together; 0: 1 GiB
	Log      io.Writer        // for log lines; nil writes none
	Format   string           // text or json; empty: text
	Level    string           // debug, info, warn, error; empty: info
	Hostname string           // the name in log lines
	Now      func() time.Time // nil: time.Now
}

// Tracer takes what happens and writes it down, later and elsewhere.
type Tracer struct{ m *Metrics }

// New opens the trace.
func New(o Options) (*Tracer, error) { return &Tracer{m: &Metrics{}}, nil }

// Thread is an empty thread from the pool.
func (t *Tracer) Thread() *Thread { return &Thread{} }

// Connected says that a session has begun.
func (t *Tracer) Connected(s *sdk.Session) {}

// Disconnected says that a session is over; counts are accepted and total calls by verb.
func (t *Tracer) Disconnected(s *sdk.Session, reason string, counts map[string][2]int) {}

// Rejected says that a command was refused.
func (t *Tracer) Rejected(s *sdk.Session, verb string, from, rcpt string, r sdk.Reply, plugin, reason string, th *Thread) {
}

// Accepted says that a message is ours; s is nil for DSNs.
func (t *Tracer) Accepted(s *sdk.Session, env *sdk.Envelope, messageID string, wait time.Duration, th *Thread) {
}

// Attempted says how a delivery attempt came out.
func (t *Tracer) Attempted(env *sdk.Envelope, a *Attempt, th *Thread) {}

// Settled says that a recipient ended, or was held, otherwise than by an attempt.
func (t *Tracer) Settled(id, rcpt string, state string, r sdk.Reply, by string) {}

// Removed says that every recipient has ended.
func (t *Tracer) Removed(id string) {}

// Bounced says that a DSN about id was queued.
func (t *Tracer) Bounced(id, dsnID, kind, to string) {}

// Log writes one line; args are key/value pairs as in log/slog.
func (t *Tracer) Log(level slog.Level, component, msg string, args ...any) {}

// Explain finds the records of a queue ID.
func (t *Tracer) Explain(id string) ([]Record, error) { return nil, nil }

// ExplainSession finds the records of a session and of its messages.
func (t *Tracer) ExplainSession(id string) ([]Record, error) { return nil, nil }

// Metrics are the numbers.
func (t *Tracer) Metrics() *Metrics { return t.m }

// Registry is where the metrics are registered.
func (t *Tracer) Registry() *prometheus.Registry { return prometheus.NewRegistry() }

// Close writes what is in memory and closes the files.
func (t *Tracer) Close() error { return nil }

// Thread gathers the records of one session or transaction. A nil Thread
// gathers nothing. It is not for use by several goroutines at once.
type Thread struct{}

// Hook keeps a hook call, and counts it.
func (t *Thread) Hook(c HookCall) {}

// Attempt keeps a delivery attempt.
func (t *Thread) Attempt(a *Attempt) {}

// Note keeps a sentence for people.
func (t *Thread) Note(text string) {}

// Reset drops what belongs to the transaction; the session's records stay.
func (t *Thread) Reset() {}

// Release gives the thread back to the pool; the caller forgets it.
func (t *Thread) Release() {}

// Records are what the thread holds, for a dry run.
func (t *Thread) Records() []Record { return nil }

// Record is one thing that happened, as readers see it.
type Record struct{}

// Metrics are the numbers that the relay shows.
type Metrics struct{}

// Breaker says that the breaker of a plugin opened or closed.
func (m *Metrics) Breaker(plugin string, open bool) {}

// Sync says that the queue made n messages durable with one sync.
func (m *Metrics) Sync(elapsed time.Duration, n int) {}
