package queue

import (
	"sync/atomic"
	"time"
)

// Stats are figures of a running queue; those that count only grow.
type Stats struct {
	Messages    int                  // in the queue
	ByState     [len(stateNames)]int // recipients of those messages, indexed by State
	Oldest      time.Time            // arrival of the oldest message; zero: the queue is empty
	Active      int                  // messages in memory
	Leased      int                  // messages with an attempt under way
	Segments    int                  // of the log
	LogBytes    int64                // of all segments
	LiveBytes   int64                // of them needed
	Cached      int64                // octets of bodies in memory
	Puts        uint64               // messages accepted since Open
	Groups      uint64               // committed
	Syncs       uint64               // of the log
	Bytes       uint64               // written to the log
	Batch       [BatchBuckets]uint64 // groups by number of messages put: 0, 1, 2-3, 4-7, 8-15, ...
	Syncing     time.Duration        // spent in writes and syncs of the log
	Waiting     time.Duration        // spent by all Puts together in waiting for theirs
	Checkpoints uint64               // of the index
	Quarantined uint64               // damaged records and bodies found since Open
	Stopped     bool                 // the disk failed
}

// BatchBuckets is the number of buckets of [Stats.Batch].
const BatchBuckets = 12

// counters are what Stats reads without a lock.
type counters struct {
	puts, groups, syncs, bytes, checkpoints, quarantined atomic.Uint64
	syncing, waiting                                     atomic.Int64
	batch                                                [BatchBuckets]atomic.Uint64
}

// Stats are the figures of now.
func (q *Queue) Stats() Stats {
	s := Stats{
		Puts: q.st.puts.Load(), Groups: q.st.groups.Load(), Syncs: q.st.syncs.Load(), Bytes: q.st.bytes.Load(),
		Syncing: time.Duration(q.st.syncing.Load()), Waiting: time.Duration(q.st.waiting.Load()),
		Checkpoints: q.st.checkpoints.Load(), Quarantined: q.st.quarantined.Load(), Stopped: q.stopped.Load(),
	}
	for i := range s.Batch {
		s.Batch[i] = q.st.batch[i].Load()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	s.Messages, s.ByState, s.Active, s.Leased = q.messages, q.byState, len(q.live), q.leased
	s.Segments, s.LogBytes, s.LiveBytes, s.Cached = len(q.log.segs), q.log.bytes(), q.liveBytes, q.cached
	s.Oldest = q.oldest()
	return s
}
