package resolver

import (
	"net/netip"
	"time"

	"github.com/maypok86/otter/v2"
)

// How long the cache keeps what it was told.
const (
	minTTL     = 5 * time.Second
	maxTTL     = time.Hour
	maxNoneTTL = 15 * time.Minute // RFC 2308 §5 allows 3 h; a new domain should not wait for it
	noSOATTL   = 30 * time.Second // nobody said how long there is none
	brokenTTL  = 15 * time.Second // SERVFAIL and the like (RFC 9520 §3.2: 1 s to 5 min)
	silentTTL  = 5 * time.Second  // no server answered
)

// maxCache bounds the memory of the cache, in octets, roughly.
const maxCache = 32 << 20

type question struct {
	name  string
	qtype uint16
}

type status uint8

const (
	found   status = iota
	noData         // the name exists, without such a record
	noName         // NXDOMAIN
	unknown        // nobody could tell; fault says why
)

// answer is what one question came to. It is shared and never changed.
type answer struct {
	status status
	fault  string
	ttl    time.Duration

	addrs []netip.Addr // A, AAAA
	text  []string     // TXT, PTR
	mx    []exchanger
}

// exchanger is one MX record.
type exchanger struct {
	host       string // absolute; "." is the null MX
	preference uint16
}

func newCache(now func() time.Time) *otter.Cache[question, *answer] {
	return otter.Must(&otter.Options[question, *answer]{
		MaximumWeight: maxCache,
		Weigher: func(q question, a *answer) uint32 {
			n := 256 + len(q.name) + len(a.fault) + 32*len(a.addrs)
			for _, s := range a.text {
				n += 16 + len(s)
			}
			for _, x := range a.mx {
				n += 32 + len(x.host)
			}
			return uint32(n)
		},
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[question, *answer]) time.Duration { return e.Value.ttl }),
		// Without ticks and with its upkeep on the caller's goroutine the cache has
		// no goroutine that would outlive a test or a reload.
		Clock:    clock(now),
		Executor: func(f func()) { f() },
		Logger:   &otter.NoopLogger{},
	})
}

type clock func() time.Time

func (c clock) NowNano() int64                      { return c().UnixNano() }
func (c clock) Tick(time.Duration) <-chan time.Time { return nil }

func clamp(ttl, least, most time.Duration) time.Duration { return max(least, min(ttl, most)) }
