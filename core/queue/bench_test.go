package queue

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

var letter = bytes.Repeat([]byte("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abc\r\n"), 64) // 4 KiB

func benchQueue(b *testing.B, o Options) *Queue {
	q, err := Open(b.TempDir(), o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { q.Close() })
	return q
}

func benchPut(b *testing.B, q *Queue) {
	d := q.Draft(q.NewID())
	if _, err := d.Write(letter); err != nil {
		b.Error(err)
	}
	env := &sdk.Envelope{From: "sender@example.org", Recipients: []sdk.Recipient{{Addr: "someone@example.net"}}, Arrived: time.Now(), Origin: sdk.Origin{IP: "192.0.2.1", Helo: "client.example.org", Protocol: "ESMTP"}}
	if err := q.Put(context.Background(), d, env); err != nil {
		b.Fatal(err)
	}
}

// drainAll delivers whatever is due at once, as many as are given at a time.
func drainAll(b testing.TB, q *Queue, n int64) *sync.WaitGroup {
	var wg sync.WaitGroup
	var done atomic.Int64
	ctx, cancel := context.WithCancel(b.Context())
	b.Cleanup(cancel)
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				js, err := q.Lease(ctx, 16)
				if err != nil {
					return
				}
				for _, j := range js {
					rs := make([]Result, 0, 1)
					for _, r := range j.Rcpts {
						rs = append(rs, Result{Index: r.Index, State: Delivered, Outcome: sdk.Outcome{Status: sdk.StatusDelivered, Reply: sdk.Reply{Code: 250, Text: "ok"}}})
					}
					if err := q.Settle(j, rs); err != nil {
						b.Error(err)
					}
				}
				if done.Add(int64(len(js))) >= n {
					cancel()
				}
			}
		}()
	}
	return &wg
}

func BenchmarkPut(b *testing.B) {
	for _, sessions := range []int{1, 50} {
		b.Run(fmt.Sprintf("sessions=%d", sessions), func(b *testing.B) {
			q := benchQueue(b, Options{})
			b.ReportAllocs()
			b.SetBytes(int64(len(letter)))
			var left atomic.Int64
			left.Store(int64(b.N))
			before := q.Stats()
			b.ResetTimer()
			var wg sync.WaitGroup
			for range sessions {
				wg.Add(1)
				go func() {
					defer wg.Done()
					for left.Add(-1) >= 0 {
						benchPut(b, q)
					}
				}()
			}
			wg.Wait()
			b.StopTimer()
			s := q.Stats()
			b.ReportMetric(float64(s.Syncs-before.Syncs)/float64(b.N), "syncs/msg")
			b.ReportMetric(float64(s.Waiting.Microseconds())/float64(b.N), "µs-wait/msg")
		})
	}
}

func BenchmarkRelay(b *testing.B) {
	q := benchQueue(b, Options{})
	b.ReportAllocs()
	b.SetBytes(int64(len(letter)))
	before := q.Stats()
	b.ResetTimer()
	done := drainAll(b, q, int64(b.N))
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	for range 50 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for left.Add(-1) >= 0 {
				benchPut(b, q)
			}
		}()
	}
	wg.Wait()
	done.Wait()
	b.StopTimer()
	s := q.Stats()
	b.ReportMetric(float64(s.Syncs-before.Syncs)/float64(b.N), "syncs/msg")
	b.ReportMetric(float64(s.Segments), "segments")
}

func fillQueue(b testing.TB, dir string, n int) {
	q, err := Open(dir, Options{CacheBytes: 1})
	if err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 100 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := w; i < n; i += 100 {
				d := q.Draft(q.NewID())
				d.Write(letter[:512])
				env := &sdk.Envelope{From: "sender@example.org", Recipients: []sdk.Recipient{{Addr: fmt.Sprintf("someone%d@example.net", i)}}, Arrived: time.Now(), Origin: sdk.Origin{IP: "192.0.2.1", Helo: "client.example.org", Protocol: "ESMTP"}}
				if err := q.Put(context.Background(), d, env); err != nil {
					b.Error(err)
				}
			}
		}()
	}
	wg.Wait()
	if err := q.Close(); err != nil {
		b.Fatal(err)
	}
}

func benchOpen(b *testing.B, n int, prepare func(dir string)) {
	dir := b.TempDir()
	fillQueue(b, dir, n)
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		prepare(dir)
		b.StartTimer()
		q, err := Open(dir, Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if m := q.Stats().Messages; m != n {
			b.Fatalf("%d messages, want %d", m, n)
		}
		runtime.GC()
		var ms runtime.MemStats
		runtime.ReadMemStats(&ms)
		b.ReportMetric(float64(ms.HeapAlloc)/(1<<20), "MiB-heap")
		q.Close()
		b.StartTimer()
	}
}

func BenchmarkOpen100k(b *testing.B) { benchOpen(b, 100_000, func(string) {}) }
func BenchmarkOpen1M(b *testing.B)   { benchOpen(b, 1_000_000, func(string) {}) }
func BenchmarkRebuild100k(b *testing.B) {
	benchOpen(b, 100_000, func(dir string) {
		if err := os.Remove(indexPath(dir)); err != nil {
			b.Fatal(err)
		}
	})
}
