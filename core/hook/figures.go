package hook

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// figures count the calls of one hook of one plugin since its chains were made.
// Times are kept in classes that grow by a quarter of a power of two, which is
// near enough for a median and a 99th percentile.
type figures struct {
	calls, errors atomic.Int64
	last          atomic.Pointer[string] // error
	times         [4 * 40]atomic.Int64
}

// took adds the time of a call.
func (f *figures) took(d time.Duration) {
	f.times[class(d)].Add(1)
}

func class(d time.Duration) int {
	n := uint64(max(d, 1))
	e := bits.Len64(n) - 1
	quarter := 0
	if e >= 2 {
		quarter = int(n>>(e-2)) & 3
	}
	return min(4*e+quarter, 4*40-1)
}

// quantile is an upper bound of the time of the q-th part of the calls; 0: no
// call was timed.
func (f *figures) quantile(q float64) time.Duration {
	var counts [4 * 40]int64
	total := int64(0)
	for i := range f.times {
		counts[i] = f.times[i].Load()
		total += counts[i]
	}
	rank := int64(q * float64(total))
	for i, n := range counts {
		if rank -= n; rank < 0 && n > 0 {
			return bound(i)
		}
	}
	return 0
}

// bound is the upper end of a class.
func bound(i int) time.Duration {
	e, quarter := i/4, i%4
	if e < 2 {
		return time.Duration(1) << (e + 1)
	}
	return time.Duration(uint64(5+quarter) << (e - 2))
}
