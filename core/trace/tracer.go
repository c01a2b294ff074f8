package trace

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
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

const (
	logWaiting   = 1 << 20   // bytes of log lines that may wait for a slow reader
	logReserve   = 256 << 10 // more for warnings and errors
	traceWaiting = 4 << 20   // bytes of records that may wait for a slow disk
)

// Tracer takes what happens and writes it down, later and elsewhere. Its
// methods never wait for a disk or for whoever reads the log, except Explain,
// ExplainSession and Close.
type Tracer struct {
	o       Options
	now     func() time.Time
	m       *Metrics
	threads sync.Pool // of *Thread
	scratch sync.Pool // of *[]byte

	log   *pump // nil: no log
	json  bool
	level slog.Level
	pid   []byte

	trace *pump // nil: no records
	store *store

	lastRejected atomic.Pointer[string] // session

	closing sync.Once
}

// New opens the trace.
func New(o Options) (*Tracer, error) {
	t := &Tracer{o: o, now: o.Now, m: newMetrics(), pid: strconv.AppendInt(nil, int64(os.Getpid()), 10)}
	if t.now == nil {
		t.now = time.Now
	}
	t.threads.New = func() any { return &Thread{t: t} }
	t.scratch.New = func() any { b := make([]byte, 0, 4<<10); return &b }
	switch o.Format {
	case "", "text":
	case "json":
		t.json = true
	default:
		return nil, fmt.Errorf("trace: log format %q: text and json are known", o.Format)
	}
	if o.Level != "" {
		if err := t.level.UnmarshalText([]byte(o.Level)); err != nil {
			return nil, fmt.Errorf("trace: log level %q: debug, info, warn and error are known", o.Level)
		}
	}
	if o.Dir != "" {
		if err := t.openStore(); err != nil {
			return nil, err
		}
	}
	if o.Log != nil {
		t.log = &pump{limit: logWaiting, reserve: logReserve, early: 32 << 10, every: 100 * time.Millisecond, write: t.writeLog}
		t.log.start()
	}
	if t.trace != nil {
		t.trace.start()
	}
	t.m.dropped(t.trace, t.log)
	return t, nil
}

func (t *Tracer) openStore() error {
	age, size := t.o.MaxAge, t.o.MaxBytes
	if age <= 0 {
		age = 7 * 24 * time.Hour
	}
	if size <= 0 {
		size = 1 << 30
	}
	p := &pump{limit: traceWaiting, early: 256 << 10, every: time.Second, tick: time.Hour}
	var warned time.Time
	s, err := openStore(t.o.Dir, age, size, t.now, func(lines uint64, err error) {
		p.addLost(lines)
		// A full disk must not fill the log as well.
		if now := t.now(); now.Sub(warned) >= time.Minute {
			warned = now
			t.Log(slog.LevelWarn, "trace", "records are lost", "error", err)
		}
	})
	if err != nil {
		return err
	}
	p.write = s.write
	t.trace, t.store = p, s
	return nil
}

// Thread is an empty thread from the pool.
func (t *Tracer) Thread() *Thread { return t.threads.Get().(*Thread) }

// Connected says that a session has begun.
func (t *Tracer) Connected(s *sdk.Session) {
	t.m.sessions.Inc()
	t.m.sessionsTotal.Inc()
	if !t.logs(slog.LevelInfo) {
		return
	}
	p := t.buffer()
	b := *p
	if t.json {
		b = append(appendClient(t.jsonLine(b, "smtpd", "", s.ID, KindConnected), s), "}\n"...)
	} else {
		b = append(peer(append(t.textLine(b, "smtpd", ""), "connect from "...), s.RemoteName, s.RemoteIP), '\n')
	}
	t.emit(p, b, 1)
}

// Disconnected says that a session is over; counts are the accepted and all
// commands of each verb.
func (t *Tracer) Disconnected(s *sdk.Session, reason string, counts map[string][2]int) {
	t.m.sessions.Dec()
	if !t.logs(slog.LevelInfo) {
		return
	}
	p := t.buffer()
	b := *p
	if t.json {
		b = appendClient(t.jsonLine(b, "smtpd", "", s.ID, KindDisconnected), s)
		b = append(str(b, "reason", reason), "}\n"...)
	} else {
		b = peer(append(t.textLine(b, "smtpd", ""), "disconnect from "...), s.RemoteName, s.RemoteIP)
		b = appendCounts(b, counts)
		if reason != "" && reason != "quit" {
			b = appendSafe(append(b, " reason="...), reason, inName)
		}
		b = append(b, '\n')
	}
	t.emit(p, b, 1)
}

// Rejected says that a command was refused. The verb is CONNECT, HELO, EHLO,
// AUTH, MAIL, RCPT, DATA or END-OF-MESSAGE; for AUTH, from is the mechanism and
// rcpt the user name. What th gathered since the last call is kept under the
// session.
func (t *Tracer) Rejected(s *sdk.Session, verb string, from, rcpt string, r sdk.Reply, plugin, reason string, th *Thread) {
	id := s.ID // not the session itself, which would stay in memory
	t.lastRejected.Store(&id)
	t.m.reject(verb, r.Code, plugin)
	p := t.buffer()
	now := t.now()
	if t.trace != nil {
		b, n := *p, 0
		if th != nil {
			b, n = th.appendLines(b, th.kept, "", s.ID, now)
			th.kept = len(th.buf)
		}
		b = appendRejected(began(head(b, "", s.ID), KindRejected, now), s, verb, from, rcpt, r, plugin, reason)
		t.trace.add(append(b, "}\n"...), n+1, false)
		*p = b[:0]
	}
	if !t.logs(slog.LevelInfo) {
		t.scratch.Put(p)
		return
	}
	b := *p
	if t.json {
		b = appendRejected(t.jsonLine(b, "smtpd", "", s.ID, KindRejected), s, verb, from, rcpt, r, plugin, reason)
		b = append(b, "}\n"...)
	} else {
		b = append(t.rejectLine(b, s, verb, from, rcpt, r), '\n')
	}
	t.emit(p, b, 1)
}

// Arriving says who sends a message that is whole and about to be made durable.
// In the text format it is this that puts the line with the client before those
// of a delivery that begins at once, as readers of Postfix logs expect.
func (t *Tracer) Arriving(s *sdk.Session, env *sdk.Envelope, messageID string) {
	if t.json || !t.logs(slog.LevelInfo) {
		return
	}
	p := t.buffer()
	b, n := t.arrivalLines(*p, s, env, messageID)
	t.emit(p, b, n)
}

// Active says that delivery takes a message in hand: before its first attempt,
// and again before each later one.
func (t *Tracer) Active(env *sdk.Envelope) {
	if t.json || !t.logs(slog.LevelInfo) {
		return
	}
	p := t.buffer()
	t.emit(p, t.activeLine(*p, env), 1)
}

// Accepted says that a message is ours, and keeps what th gathered under its
// queue ID; th is as after Reset then. s is nil for what the relay made itself.
func (t *Tracer) Accepted(s *sdk.Session, env *sdk.Envelope, messageID string, wait time.Duration, th *Thread) {
	t.m.accept(s != nil, env.Size, wait)
	session := ""
	if s != nil {
		session = s.ID
	}
	p := t.buffer()
	now := t.now()
	if t.trace != nil {
		b, n := th.appendLines(*p, 0, env.ID, session, now)
		// It was accepted when the wait began: no attempt is older.
		b = appendAccepted(began(head(b, env.ID, session), KindAccepted, now.Add(-wait)), s, env, messageID, wait, true)
		t.trace.add(append(b, "}\n"...), n+1, false)
		*p = b[:0]
	}
	th.Reset()
	if !t.logs(slog.LevelInfo) {
		t.scratch.Put(p)
		return
	}
	b := *p
	if t.json {
		b = appendAccepted(t.jsonLine(b, "smtpd", env.ID, session, KindAccepted), s, env, messageID, wait, false)
		t.emit(p, append(b, "}\n"...), 1)
		return
	}
	if s != nil || messageID == "" {
		t.scratch.Put(p) // Arriving has said it
		return
	}
	t.emit(p, t.messageIDLine(b, env, messageID), 1)
}

// Attempted says how a delivery attempt came out: one line a recipient. What
// th gathered is kept with it; th is empty then.
func (t *Tracer) Attempted(env *sdk.Envelope, a *Attempt, th *Thread) {
	t.m.attempted(a, env.Size)
	p := t.buffer()
	if t.trace != nil {
		b, n := th.appendLines(*p, 0, env.ID, "", a.At)
		b = append(appendAttempt(head(b, env.ID, ""), a), '\n')
		t.trace.add(b, n+1, false)
		*p = b[:0]
	}
	if th != nil {
		th.session = 0
		th.Reset()
	}
	if !t.logs(slog.LevelInfo) {
		t.scratch.Put(p)
		return
	}
	b, n := t.attemptLines(*p, env, a)
	t.emit(p, b, n)
}

// Settled says that a recipient ended, or was held, otherwise than by an
// attempt: the state is expired, failed, discarded, held, suppressed, ...
func (t *Tracer) Settled(id, rcpt string, state string, r sdk.Reply, by string) {
	t.m.settle(state)
	fields := func(b []byte) []byte {
		b = str(str(b, "recipient", rcpt), "state", state)
		return str(reply(b, r), "by", by)
	}
	t.event(id, KindSettled, "qmgr", fields, func(b []byte) []byte { return t.settledLine(b, id, rcpt, state, r, by) })
}

// Removed says that every recipient has ended.
func (t *Tracer) Removed(id string) {
	t.m.removed.Inc()
	t.event(id, KindRemoved, "qmgr", func(b []byte) []byte { return b },
		func(b []byte) []byte { return append(t.textLine(b, "qmgr", id), "removed"...) })
}

// Bounced says that a DSN about id was queued: kind is failed, delayed, success.
func (t *Tracer) Bounced(id, dsnID, kind, to string) {
	t.m.bounce(kind)
	fields := func(b []byte) []byte { return str(str(str(b, "dsn", kind), "dsn_id", dsnID), "to", to) }
	t.event(id, KindBounced, "bounce", fields, func(b []byte) []byte {
		word := "sender non-delivery notification: "
		switch kind {
		case "delayed":
			word = "sender delay notification: "
		case "success":
			word = "sender delivery status notification: "
		}
		return appendSafe(append(t.textLine(b, "bounce", id), word...), dsnID, inName)
	})
}

// event keeps and logs one fact about one message.
func (t *Tracer) event(id, kind, component string, fields, text func([]byte) []byte) {
	p := t.buffer()
	if t.trace != nil {
		b := append(fields(began(head(*p, id, ""), kind, t.now())), "}\n"...)
		t.trace.add(b, 1, false)
		*p = b[:0]
	}
	if !t.logs(slog.LevelInfo) {
		t.scratch.Put(p)
		return
	}
	b := *p
	if t.json {
		b = append(fields(t.jsonLine(b, component, id, "", kind)), "}\n"...)
	} else {
		b = append(text(b), '\n')
	}
	t.emit(p, b, 1)
}

// Log writes one line; args are key/value pairs as in log/slog, of which "id"
// is the queue ID. Warnings and errors outlive a slow reader of the log longer.
func (t *Tracer) Log(level slog.Level, component, msg string, args ...any) {
	if !t.logs(level) {
		return
	}
	p := t.buffer()
	var b []byte
	if t.json {
		b = t.jsonMessage(*p, level, component, msg, args)
	} else {
		b = t.textMessage(*p, level, component, msg, args)
	}
	t.log.add(b, 1, level >= slog.LevelWarn)
	t.give(p, b)
}

// Explain finds the records of a queue ID, oldest first; none is no error.
func (t *Tracer) Explain(id string) ([]Record, error) { return t.search(id, false) }

// ExplainSession finds the records of a session and of its messages.
func (t *Tracer) ExplainSession(id string) ([]Record, error) { return t.search(id, true) }

func (t *Tracer) search(id string, session bool) ([]Record, error) {
	if t.trace == nil {
		return nil, ErrNoTrace
	}
	t.trace.drain()
	return Search(t.o.Dir, id, session)
}

// LastRejected is the session whose command was refused last; empty: none was.
func (t *Tracer) LastRejected() string {
	if id := t.lastRejected.Load(); id != nil {
		return *id
	}
	return ""
}

// Metrics are the numbers.
func (t *Tracer) Metrics() *Metrics { return t.m }

// Registry is where the metrics are registered.
func (t *Tracer) Registry() *prometheus.Registry { return t.m.registry }

// Close writes what is in memory and closes the files. Nothing else is called
// after it.
func (t *Tracer) Close() error {
	var stuck []string
	t.closing.Do(func() {
		if t.trace != nil {
			if t.trace.close(5 * time.Second) {
				t.store.close()
			} else {
				stuck = append(stuck, "the trace folder")
			}
		}
		if t.log != nil && !t.log.close(5*time.Second) {
			stuck = append(stuck, "the log")
		}
	})
	if len(stuck) > 0 {
		return fmt.Errorf("trace: %s did not take the last lines within 5 s", strings.Join(stuck, " and "))
	}
	return nil
}

// logs tells whether lines of a level are written at all.
func (t *Tracer) logs(level slog.Level) bool { return t.log != nil && level >= t.level }

func (t *Tracer) buffer() *[]byte { return t.scratch.Get().(*[]byte) }

// give returns a buffer that was appended to; a huge one is left to die.
func (t *Tracer) give(p *[]byte, b []byte) {
	if cap(b) > 256<<10 {
		b = make([]byte, 0, 4<<10)
	}
	*p = b[:0]
	t.scratch.Put(p)
}

// emit hands finished event lines to the log, and the buffer back.
func (t *Tracer) emit(p *[]byte, b []byte, n int) {
	if t.logs(slog.LevelInfo) {
		t.log.add(b, n, false)
	}
	t.give(p, b)
}
