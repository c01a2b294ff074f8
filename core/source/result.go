package source

import (
	"maps"
	"math/bits"
	"sync"
	"time"
)

// Result is what became of the messages so far.
type Result struct {
	Accepted    int64         `json:"accepted"`        // messages that at least one recipient took
	Recipients  int64         `json:"recipients"`      // that took a message
	Refused     map[int]int64 `json:"refused"`         // messages by the reply code that ended them
	Lost        int64         `json:"lost"`            // messages whose connection broke under way
	Connections int64         `json:"connections"`     // that got as far as MAIL
	Failed      int64         `json:"failed"`          // connections that did not
	Elapsed     time.Duration `json:"elapsed"`         // since the start
	Rate        float64       `json:"rate"`            // accepted messages a second
	P50         time.Duration `json:"p50"`             // from the final dot to its 250
	P99         time.Duration `json:"p99"`             //
	Max         time.Duration `json:"max"`             //
	LastError   string        `json:"error,omitempty"` // of the last lost message
}

// tally is the running count of all sessions.
type tally struct {
	mu   sync.Mutex
	r    Result
	hist histogram
}

func (t *tally) connected() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.r.Connections++
}

func (t *tally) connectFailed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.r.Failed++
}

func (t *tally) sent(code, rcpts int, wait time.Duration, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case err != nil:
		t.r.Lost++
		t.r.LastError = err.Error()
	case code/100 == 2:
		t.r.Accepted++
		t.r.Recipients += int64(rcpts)
		t.hist.add(wait)
	default:
		if t.r.Refused == nil {
			t.r.Refused = make(map[int]int64) // at most one entry per reply code
		}
		t.r.Refused[code]++
	}
}

// result is the count with what is derived from it.
func (r *run) result() Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	res := r.r
	res.Refused = maps.Clone(r.r.Refused)
	res.Elapsed = r.Now().Sub(r.start)
	if s := res.Elapsed.Seconds(); s > 0 {
		res.Rate = float64(res.Accepted) / s
	}
	res.P50, res.P99, res.Max = r.hist.quantile(0.50), r.hist.quantile(0.99), r.hist.max
	return res
}

// histogram counts durations in buckets that are a sixteenth of their power of
// two wide, so that a quantile is at most 6 % too high.
type histogram struct {
	counts [64 * 16]int64
	total  int64
	max    time.Duration
}

func bucket(d time.Duration) int {
	n := uint64(max(d, 0))
	if n < 16 {
		return int(n)
	}
	e := bits.Len64(n) - 5 // keeps five bits: the leading one and four more
	return e*16 + int(n>>e)
}

// ceiling is the longest duration of a bucket.
func ceiling(b int) time.Duration {
	if b < 32 {
		return time.Duration(b)
	}
	e := b/16 - 1
	return time.Duration((uint64(b%16+16)+1)<<e - 1)
}

func (h *histogram) add(d time.Duration) {
	h.counts[bucket(d)]++
	h.total++
	h.max = max(h.max, d)
}

func (h *histogram) quantile(q float64) time.Duration {
	left := int64(q * float64(h.total))
	for b, n := range h.counts {
		if left -= n; left < 0 {
			return min(ceiling(b), h.max)
		}
	}
	return h.max
}
