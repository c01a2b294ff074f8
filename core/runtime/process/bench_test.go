package process

import (
	"slices"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/runtime"
)

// One call after the other: what a session waits for a plugin.
func BenchmarkProcessCall(b *testing.B) {
	p, _ := mustLoad(b, "plain", nil)
	took := make([]time.Duration, 0, 1<<20)
	b.ReportAllocs()
	for b.Loop() {
		began := time.Now()
		if _, err := rcpt(b.Context(), p, "nobody"); err != nil {
			b.Fatal(err)
		}
		if len(took) < cap(took) {
			took = append(took, time.Since(began))
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
}

// Many sessions at the same time: what a call costs the machine.
func BenchmarkProcessCallParallel(b *testing.B) {
	p, _ := mustLoad(b, "plain", nil)
	b.SetParallelism(16)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := rcpt(b.Context(), p, "nobody"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// A call that asks the host once.
func BenchmarkProcessCallWithKV(b *testing.B) {
	p, _ := mustLoad(b, "plain", nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rcpt(b.Context(), p, "kv"); err != nil {
			b.Fatal(err)
		}
	}
}

// The same call answered by Python.
func BenchmarkProcessCallPython(b *testing.B) {
	source := python(b) + " " + absolute(b, "testdata/subject.py")
	p, _ := mustLoad(b, "", func(_ *processes, s *runtime.Spec) { s.Source = Prefix + source })
	for b.Loop() {
		if _, err := rcpt(b.Context(), p, "nobody"); err != nil {
			b.Fatal(err)
		}
	}
}
