package queue

import "time"

// Stats are figures of a running queue; the counters only grow.
type Stats struct {
	Messages    int                  // in the queue
	ByState     [len(stateNames)]int // recipients of those messages, indexed by State
	Oldest      time.Time            // arrival of the oldest message; zero: queue empty
	Active      int                  // messages in memory
	Leased      int                  // messages with an attempt under way
	LogBytes    int64                // of all segments
	LiveBytes   int64                // of them needed
	Cached      int64                // octets of bodies in memory
	Puts        uint64               // messages accepted since Open
	Groups      uint64               // committed
	Syncs       uint64               // of the log
	Bytes       uint64               // written to the log
	Batch       [BatchBuckets]uint64 // groups by number of messages: 0, 1, 2-3, 4-7, 8-15, ...
	Syncing     time.Duration        // time spent in writes and syncs of the log
	Waiting     time.Duration        // time all Puts together waited for theirs
	Checkpoints uint64               // of the index
	Quarantined uint64               // damaged records found since Open
	Stopped     bool                 // after a disk fault
}

// BatchBuckets is the number of buckets of [Stats.Batch].
const BatchBuckets = 12
