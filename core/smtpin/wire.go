package smtpin

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

const (
	smallBuffer = 4 << 10  // what an idle session reads into, and what replies wait in
	largeBuffer = 64 << 10 // what a session reads into while a message arrives
)

// Buffers are pooled as arrays, because a pointer to one goes into a pool
// without being allocated again.
var (
	smallPool = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	largePool = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
)

// recycle gives a buffer back to the pool of its size; a slice that grew out of
// one is left to the collector.
func recycle(b []byte) {
	b = b[:cap(b)]
	switch len(b) {
	case smallBuffer:
		smallPool.Put((*[smallBuffer]byte)(b))
	case largeBuffer:
		largePool.Put((*[largeBuffer]byte)(b))
	}
}

var (
	errDraining = errors.New("smtpin: shutting down")
	errMute     = errors.New("smtpin: the client takes no replies")
	errTooMuch  = errors.New("smtpin: message far beyond the limit")
)

// wire is the connection of a session: it gathers replies and sends them in one
// write when the session would wait for the client (RFC 2920 §3.2), and it
// keeps the deadlines.
//
// Deadlines go by time.Now and not by Options.Now: the runtime compares them
// with its own clock.
type wire struct {
	raw      net.Conn // the socket
	conn     net.Conn // the socket, or TLS over it
	limits   *Limits
	draining *atomic.Bool
	// busy is set inside a transaction: a shutdown lets it finish.
	busy atomic.Bool

	out []byte
	// oldest is when a reply was first seen to wait for those behind it.
	oldest time.Time

	mute              bool      // a write failed: nothing can be said any more
	armed, armedWrite time.Time // the deadlines as they are set
	waiting           bool      // the deadline for the next command is set

	inData    bool
	dataFirst time.Time // when the message began
	dataStart time.Time // when this part of it began: the message or a chunk
	dataGot   int64     // octets of this message or chunk
	allGot    int64     // octets of the whole message
	dataMax   int64     // where reading on is pointless; -1: nowhere
}

// slack is how much later than due a deadline may fall, so that it is not set
// again for every command: a sixteenth.
func slack(d time.Duration) time.Duration { return d / 16 }

// Read is called by the reader when its buffer holds no whole line or message:
// the client's turn begins, so it gets its replies first.
func (w *wire) Read(p []byte) (int, error) {
	now := time.Now()
	if err := w.flushAt(now); err != nil {
		return 0, err
	}
	for ; ; now = time.Now() {
		if w.inData && w.dataMax >= 0 && w.allGot > w.dataMax {
			return 0, errTooMuch
		}
		if err := w.arm(now); err != nil {
			return 0, err
		}
		// Behind arm, so that one of both sees the other: Shutdown first says
		// that it drains and then moves the deadline.
		if w.draining.Load() && !w.busy.Load() {
			return 0, errDraining
		}
		n, err := w.conn.Read(p)
		if w.inData {
			w.dataGot += int64(n)
			w.allGot += int64(n)
		}
		if n == 0 && err != nil && w.nudged(err) {
			w.armed, w.waiting = time.Time{}, false
			continue
		}
		return n, err
	}
}

// nudged tells whether a timeout is the work of drain on a session that has
// begun a transaction meanwhile.
func (w *wire) nudged(err error) bool {
	return w.draining.Load() && w.busy.Load() && errors.Is(err, os.ErrDeadlineExceeded) && time.Now().Before(w.armed)
}

// awaitCommand begins the wait for a command line. Its deadline does not move
// while the line arrives.
func (w *wire) awaitCommand() { w.waiting = false }

// beginData begins a message, or a chunk that continues one. limit is the
// largest message.
func (w *wire) beginData(limit int64, first bool) {
	now := time.Now()
	w.inData, w.dataStart, w.dataGot = true, now, 0
	if first {
		w.dataFirst = now
		w.allGot = 0
		w.dataMax = -1
		if limit >= 0 {
			// A client that was not told the limit hears 552 when it has sent
			// all; one that sends without end is cut off.
			w.dataMax = 4*limit + 1<<20
		}
	}
}

func (w *wire) endData() { w.inData = false }

// arm sets the read deadline, unless the one that is set will do.
func (w *wire) arm(now time.Time) error {
	var earliest, latest time.Time
	switch {
	case w.inData:
		t := w.limits.DataTimeout
		if w.dataGot == 0 && w.armed.After(now.Add(t)) {
			return nil // nothing came yet: the deadline of the command stands
		}
		end := w.limits.dataEnd(w.dataFirst, w.dataStart, w.dataGot)
		earliest = sooner(now.Add(t), end)
		latest = sooner(now.Add(t+slack(t)), end)
	case w.waiting:
		return nil
	default:
		w.waiting = true
		t := w.limits.CommandTimeout
		earliest, latest = now.Add(t), now.Add(t+slack(t))
	}
	if !w.armed.Before(earliest) && !w.armed.After(latest) {
		return nil
	}
	w.armed = latest
	return w.conn.SetReadDeadline(latest)
}

func sooner(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// put gathers a reply.
func (w *wire) put(r sdk.Reply) {
	if w.out == nil {
		w.out = smallPool.Get().(*[smallBuffer]byte)[:0]
		w.oldest = time.Time{}
	}
	w.out = smtp.AppendReply(w.out, r)
}

// patience is how long a reply waits for those behind it.
const patience = 5 * time.Second

// full is asked between the commands of a group. It tells that replies should
// go out although the client's turn has not come: there are many, or the first
// of them has waited while hooks were slow, and the client has its own timer for
// it (RFC 5321 §4.5.3.2).
func (w *wire) full() bool {
	switch {
	case len(w.out) > smallBuffer*3/4:
		return true
	case len(w.out) == 0:
		return false
	}
	now := time.Now()
	if w.oldest.IsZero() {
		w.oldest = now
	}
	return now.Sub(w.oldest) > patience
}

// flush sends what was gathered in one write.
func (w *wire) flush() error { return w.flushAt(time.Now()) }

func (w *wire) flushAt(now time.Time) error {
	if w.mute {
		return errMute
	}
	if len(w.out) == 0 {
		return nil
	}
	if t := w.limits.WriteTimeout; w.armedWrite.Before(now.Add(t)) {
		w.armedWrite = now.Add(2 * t)
		if err := w.conn.SetWriteDeadline(w.armedWrite); err != nil {
			return err
		}
	}
	_, err := w.conn.Write(w.out)
	recycle(w.out)
	w.out = nil
	w.mute = err != nil
	return err
}

// drain ends the wait of an idle session; Shutdown calls it.
func (w *wire) drain() {
	if !w.busy.Load() {
		w.raw.SetReadDeadline(time.Unix(1, 0))
	}
}

// kill ends the session wherever it is.
func (w *wire) kill() { w.raw.Close() }
