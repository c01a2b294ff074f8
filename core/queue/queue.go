package queue

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// Errors that callers branch on.
var (
	// ErrNoSpace: the disk is full or nearly so: 452. It passes by itself.
	ErrNoSpace = errors.New("queue: no space left for mail")
	// ErrStopped: the queue was closed, or the disk failed and nothing can be
	// promised any more: 451 until the program is started again.
	ErrStopped = errors.New("queue: stopped")
	// ErrLocked: another process has the spool.
	ErrLocked = errors.New("queue: spool is in use")
	// ErrNotFound: no such message (any more).
	ErrNotFound = errors.New("queue: no such message")
)

// Options of a queue. The zero value is a working one.
type Options struct {
	Now         func() time.Time // default time.Now
	Logf        func(format string, args ...any)
	SegmentSize int64 // of the log; default 64 MiB
	InlineMax   int64 // bodies above it get a file of their own; default 256 KiB
	CacheBytes  int64 // bodies kept in memory until they are delivered; default 64 MiB
	ActiveLimit int   // messages in memory because they are due; default 20,000
	MinFree     int64 // free bytes of the disk below which no mail is taken; default 64 MiB
	Rand        io.Reader
}

// Queue is an open spool.
type Queue struct{}

// Open opens the spool in dir and brings it into order.
func Open(dir string, o Options) (*Queue, error) { return nil, ErrStopped }

// NewID is the next queue ID. It costs no disk access.
func (q *Queue) NewID() string { return "" }

// Draft begins a message; id is from NewID.
func (q *Queue) Draft(id string) *Draft { return &Draft{} }

// Space tells with ErrNoSpace when a message of that size (0: unknown) would
// not be taken now: for the answer to MAIL.
func (q *Queue) Space(size int64) error { return nil }

// Put makes the draft durable; env is the queue's afterwards and must not be changed any more.
func (q *Queue) Put(ctx context.Context, d *Draft, env *sdk.Envelope) error { return ErrStopped }

// PutHeld is Put for a message that waits for an operator; by is who said so.
func (q *Queue) PutHeld(ctx context.Context, d *Draft, env *sdk.Envelope, by string) error {
	return ErrStopped
}

// Lease waits until recipients are due and gives out up to max messages.
func (q *Queue) Lease(ctx context.Context, max int) ([]*Job, error) { return nil, ErrStopped }

// Settle writes down results. It may be called several times for a job, with
// results for some of its recipients each time; the job ends when all have one.
func (q *Queue) Settle(j *Job, rs []Result, dsns ...*New) error { return ErrStopped }

// Return gives back what is not settled of a job, unchanged and due.
func (q *Queue) Return(j *Job) {}

// Get is one message.
func (q *Queue) Get(id string) (*Entry, error) { return nil, ErrNotFound }

// List passes all messages that have a matching recipient, in the order of their IDs.
func (q *Queue) List(f Filter, yield func(*Entry) bool) error { return ErrStopped }

// Count counts.
func (q *Queue) Count(f Filter) (Counts, error) { return Counts{}, ErrStopped }

// Hold keeps pending recipients until they are released.
func (q *Queue) Hold(f Filter, by string) (int, error) { return 0, ErrStopped }

// Release makes held recipients pending and due.
func (q *Queue) Release(f Filter, by string) (int, error) { return 0, ErrStopped }

// Delete discards recipients.
func (q *Queue) Delete(f Filter, by string) (int, error) { return 0, ErrStopped }

// Expire gives pending and held recipients up: they come due with JobRcpt.Expire.
func (q *Queue) Expire(f Filter, by string) (int, error) { return 0, ErrStopped }

// Flush makes pending recipients due now.
func (q *Queue) Flush(f Filter, by string) (int, error) { return 0, ErrStopped }

// Reroute sets JobRcpt.Route; "" takes it away.
func (q *Queue) Reroute(f Filter, route string) (int, error) { return 0, ErrStopped }

// Stats are the figures of now.
func (q *Queue) Stats() Stats { return Stats{} }

// Close writes down everything and closes the spool.
func (q *Queue) Close() error { return nil }

type message struct{}

// Draft is a message that is arriving; not ours yet.
type Draft struct{}

func (d *Draft) Write(p []byte) (int, error) { return 0, ErrStopped }
func (d *Draft) Size() int64                 { return 0 }
func (d *Draft) Open() (sdk.Body, error)     { return nil, ErrStopped }
func (d *Draft) Message() sdk.Message        { return sdk.Message{} }
func (d *Draft) Discard()                    {}

// Report is what Check, Rebuild and Compact found.
type Report struct {
	Messages   int
	Recipients int
	Segments   int
	LogBytes   int64
	LiveBytes  int64
	BigFiles   int
	Faults     []string
}

// Check verifies log and index; the daemon must not run (ErrLocked).
func Check(dir string) (Report, error) { return Report{}, ErrStopped }

// Rebuild makes the index anew from the log.
func Rebuild(dir string, progress func(done, total int64)) error { return ErrStopped }

// Compact frees what is free.
func Compact(dir string) (Report, error) { return Report{}, ErrStopped }
