package hook

import (
	"testing"
	"time"
)

func TestQuantilesAreNeverBelowAndAtMostAQuarterAboveTheTruth(t *testing.T) {
	for _, d := range []time.Duration{1, 3, 4, 7, 100, 999, time.Microsecond, 1500 * time.Microsecond, time.Second, 10 * time.Minute} {
		var f figures
		for range 100 {
			f.took(d)
		}
		for _, q := range []float64{0.5, 0.99} {
			if got := f.quantile(q); got < d || float64(got) > 1.25*float64(d)+2 {
				t.Errorf("%v: the %v quantile is %v", d, q, got)
			}
		}
	}
	var none figures
	if none.quantile(0.5) != 0 {
		t.Error("a quantile of nothing")
	}
	var f figures
	for range 98 {
		f.took(time.Microsecond)
	}
	f.took(time.Second)
	f.took(time.Second)
	if p50, p99 := f.quantile(0.5), f.quantile(0.99); p50 > 2*time.Microsecond || p99 < time.Second {
		t.Errorf("p50 %v, p99 %v", p50, p99)
	}
}
