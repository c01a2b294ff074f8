// Package state is the durable key/value store of plugins, with counters,
// expiry and quotas, in one bbolt file.
//
// A plugin has a [Space] of its own, found by its name and shared by all its
// instances and generations. Every operation is atomic for its key and seen by
// everybody at once. What changed is written behind: one transaction for all
// spaces, [Options.Flush] after the first change. Keys that were used lately
// are answered from memory, without a transaction.
//
// Invariants:
//   - The quota counts exactly what lives: the octets of key and value (8 for a
//     counter) and [Overhead] for each key. It is counted anew from the file at
//     every start. A key that has expired never causes a refusal.
//   - A crash loses at most the changes of the last interval, all of one
//     transaction or none, never the file. When the disk refuses writes, changes
//     collect in memory up to the bound; after that they are refused, and what
//     was read and written before lives on.
//   - The file is a cache of policy, and mail must not wait for it: a damaged
//     one is set aside as PATH.damaged-N, and a new one begun, at the start and
//     at any time later.
//   - Memory is bounded by [Options.Cache] for each space; goroutines are one.
//
// It refuses keys and values beyond their limits, a second process on the same
// file, and Add on what is no number.
package state

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Limits of an entry, and what it is charged beside its octets.
const (
	MaxKey   = 512
	MaxValue = 64 << 10
	Overhead = 64
)

// What callers tell apart.
var (
	ErrQuota      = errors.New("state: quota is used up")
	ErrKey        = errors.New("state: a key has 1 to 512 octets")
	ErrValue      = errors.New("state: a value has at most 65536 octets, and a lifetime that is not negative")
	ErrNotCounter = errors.New("state: the value is no counter")
	ErrClosed     = errors.New("state: store is closed")
)

// Options are what a store works with. The zero value is usable.
type Options struct {
	Now   func() time.Time              // nil: time.Now
	Logf  func(format string, v ...any) // nil: nobody listens
	Flush time.Duration                 // how long a change may be in memory only; 0: 200 ms
	Cache int64                         // octets that one space keeps in memory; 0: 4 MiB, at least 256 KiB
}

// SpaceStats is how full a space is.
type SpaceStats struct {
	Name    string
	Keys    int64 // with those that have expired and were not yet swept
	Bytes   int64 // as the quota counts them
	Quota   int64 // 0 for a space in the file that no plugin has asked for
	Refused int64 // operations that failed with ErrQuota since the start
}

// Store is one open file.
type Store struct {
	o    Options
	path string
	db   atomic.Pointer[bolt.DB]

	kick    chan struct{} // there are changes
	hurry   chan struct{} // somebody waits for the flush
	stop    chan struct{}
	stopped chan struct{}
	closing sync.Once
	closed  error // what the last flush came to; behind stopped

	broken atomic.Pointer[bolt.DB] // the file in which damage was found

	mu      sync.Mutex
	spaces  map[string]*Space
	shut    bool          // spaces begin closed
	failure error         // of the last flush
	flushed chan struct{} // closed by the next flush, whatever it comes to

	commit func([]change) error // write, but for tests of full disks
}

// Open opens the file at path, or begins it. The folder must be there.
func Open(path string, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logf == nil {
		o.Logf = func(string, ...any) {}
	}
	if o.Flush <= 0 {
		o.Flush = 200 * time.Millisecond
	}
	if o.Cache <= 0 {
		o.Cache = 4 << 20
	}
	o.Cache = max(o.Cache, 256<<10)
	s := &Store{
		o: o, path: path, spaces: map[string]*Space{},
		kick: make(chan struct{}, 1), hurry: make(chan struct{}, 1),
		stop: make(chan struct{}), stopped: make(chan struct{}), flushed: make(chan struct{}),
	}
	s.commit = s.write
	db, used, err := s.openFile()
	if err != nil {
		return nil, err
	}
	s.db.Store(db)
	for name, u := range used {
		sp := s.newSpace(name)
		sp.keys, sp.bytes, sp.diskDue = u.keys, u.bytes, u.due
	}
	go s.run()
	return s, nil
}

// Plugin is the space of a plugin, with a quota from now on. A name has 1 to
// 255 octets; all operations on another one fail with ErrKey.
func (s *Store) Plugin(name string, quota int64) *Space {
	s.mu.Lock()
	sp := s.spaces[name]
	if sp == nil {
		sp = s.newSpace(name)
	}
	s.mu.Unlock()
	sp.mu.Lock()
	sp.quota = max(quota, 0)
	sp.mu.Unlock()
	return sp
}

// newSpace is called under mu, or while nobody else knows the store.
func (s *Store) newSpace(name string) *Space {
	sp := &Space{
		store: s, name: name, named: len(name) >= 1 && len(name) <= maxName,
		closed: s.shut, live: map[string]*entry{}, diskDue: never, dirtyDue: never,
	}
	if sp.named {
		sp.prefix = spacePrefix(name)
	}
	sp.clean.init()
	sp.dirty.init()
	s.spaces[name] = sp
	return sp
}

// Stats are the spaces by name, with those that are only in the file.
func (s *Store) Stats() []SpaceStats {
	var all []SpaceStats
	for _, sp := range s.list() {
		sp.mu.Lock()
		all = append(all, SpaceStats{sp.name, sp.keys, sp.bytes, sp.quota, sp.refused})
		sp.mu.Unlock()
	}
	return all
}

// list is all spaces by name.
func (s *Store) list() []*Space {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.spaces), func(a, b *Space) int { return strings.Compare(a.name, b.name) })
}

// Close writes what is not yet written and closes the file. Operations fail
// from then on. The error is that of the writing: its changes are lost.
func (s *Store) Close() error {
	s.closing.Do(func() { close(s.stop) })
	<-s.stopped
	return s.closed
}
