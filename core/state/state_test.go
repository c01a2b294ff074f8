package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// begin opens a new store in a bubble or out of one.
func begin(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "state.bolt"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func reopen(t testing.TB, s *Store, o Options) *Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(s.path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func set(t testing.TB, sp *Space, key, val string, ttl time.Duration) {
	t.Helper()
	if err := sp.Set(t.Context(), key, []byte(val), ttl); err != nil {
		t.Fatalf("Set %q: %v", key, err)
	}
}

// want fails unless the key has the value; "-" is none.
func want(t testing.TB, sp *Space, key, val string) {
	t.Helper()
	got, found, err := sp.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("Get %q: %v", key, err)
	}
	if !found {
		got = []byte("-")
	}
	if string(got) != val {
		t.Errorf("%q is %q, want %q", key, got, val)
	}
}

func TestWhatIsRefusedIsSaidByName(t *testing.T) {
	s := begin(t, Options{})
	sp := s.Plugin("p", 1<<20)
	set(t, sp, "word", "hello", 0)
	long := strings.Repeat("k", MaxKey+1)
	tests := map[string]struct {
		err  error
		call func(ctx context.Context) error
	}{
		"an empty key": {ErrKey, func(ctx context.Context) error { return sp.Set(ctx, "", nil, 0) }},
		"a long key":   {ErrKey, func(ctx context.Context) error { _, _, err := sp.Get(ctx, long); return err }},
		"a long value": {ErrValue, func(ctx context.Context) error { return sp.Set(ctx, "k", make([]byte, MaxValue+1), 0) }},
		"a long value in a swap": {ErrValue, func(ctx context.Context) error {
			_, err := sp.Swap(ctx, "k", nil, make([]byte, MaxValue+1), 0)
			return err
		}},
		"a negative ttl":        {ErrValue, func(ctx context.Context) error { _, err := sp.Add(ctx, "k", 1, -1); return err }},
		"Add on a word":         {ErrNotCounter, func(ctx context.Context) error { _, err := sp.Add(ctx, "word", 1, 0); return err }},
		"a plugin without name": {ErrKey, func(ctx context.Context) error { return s.Plugin("", 99).Set(ctx, "k", nil, 0) }},
		"a name of 256 octets":  {ErrKey, func(ctx context.Context) error { return s.Plugin(long[:256], 99).Delete(ctx, "k") }},
		"more than the quota":   {ErrQuota, func(ctx context.Context) error { return s.Plugin("q", Overhead+1).Set(ctx, "k", []byte("v"), 0) }},
		"a context that is over": {context.Canceled, func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return sp.Set(ctx, "word", nil, 0)
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := tt.call(t.Context()); !errors.Is(err, tt.err) {
				t.Errorf("got %v, want %v", err, tt.err)
			}
		})
	}
	want(t, sp, "word", "hello")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sp.Set(t.Context(), "word", nil, 0); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if _, _, err := s.Plugin("late", 1).Get(t.Context(), "k"); !errors.Is(err, ErrClosed) {
		t.Errorf("a space asked for after Close: %v", err)
	}
}

func TestAValueBelongsToItsHolder(t *testing.T) {
	sp := begin(t, Options{}).Plugin("p", 1<<20)
	mine := []byte("one")
	if err := sp.Set(t.Context(), "k", mine, 0); err != nil {
		t.Fatal(err)
	}
	mine[0] = 'X'
	got, _, _ := sp.Get(t.Context(), "k")
	got[1] = 'X'
	want(t, sp, "k", "one")
	if v, found, _ := sp.Get(t.Context(), "none"); v != nil || found {
		t.Errorf("an absent key gave %q", v)
	}
	set(t, sp, "empty", "", 0)
	if v, found, _ := sp.Get(t.Context(), "empty"); v == nil || !found {
		t.Error("an empty value was not told from none")
	}
}

func TestCompareAndSwap(t *testing.T) {
	sp := begin(t, Options{}).Plugin("p", 1<<20)
	b := func(s string) []byte {
		if s == "-" {
			return nil
		}
		return []byte(s)
	}
	for i, tt := range []struct {
		old, new string
		swapped  bool
		after    string
	}{
		{"x", "y", false, "-"}, {"", "y", false, "-"}, {"-", "-", true, "-"},
		{"-", "", true, ""}, {"-", "z", false, ""}, {"", "a", true, "a"},
		{"b", "c", false, "a"}, {"a", "7", true, "7"}, {"7", "-", true, "-"},
	} {
		swapped, err := sp.Swap(t.Context(), "k", b(tt.old), b(tt.new), 0)
		if err != nil || swapped != tt.swapped {
			t.Errorf("%d: swap of %q for %q: %v, %v", i, tt.old, tt.new, swapped, err)
		}
		want(t, sp, "k", tt.after)
	}
	if _, err := sp.Add(t.Context(), "n", 41, 0); err != nil {
		t.Fatal(err)
	}
	if ok, err := sp.Swap(t.Context(), "n", []byte("41"), []byte("5"), 0); !ok || err != nil {
		t.Errorf("a counter compares as its digits: %v, %v", ok, err)
	}
	if n, err := sp.Add(t.Context(), "n", 1, 0); n != 6 || err != nil {
		t.Errorf("digits count on: %d, %v", n, err)
	}
}

func TestACounterKeepsItsWindowAndStaysInItsRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, Options{})
		defer s.Close()
		sp := s.Plugin("p", 1<<20)
		add := func(key string, delta, want int64) {
			t.Helper()
			if n, err := sp.Add(t.Context(), key, delta, time.Minute); n != want || err != nil {
				t.Errorf("%s%+d is %d, %v; want %d", key, delta, n, err, want)
			}
		}
		add("k", 1, 1)
		time.Sleep(59 * time.Second)
		add("k", 2, 3)
		time.Sleep(time.Second - 1)
		add("k", 1, 4)
		time.Sleep(time.Nanosecond)
		add("k", 1, 1)
		add("max", math.MaxInt64, math.MaxInt64)
		add("max", 1, math.MaxInt64)
		add("max", -1, math.MaxInt64-1)
		add("min", math.MinInt64, math.MinInt64)
		add("min", -1, math.MinInt64)
		for _, word := range []string{"", "+1", "01", "1 ", "9223372036854775808", "-0"} {
			set(t, sp, "word", word, 0)
			if _, err := sp.Add(t.Context(), "word", 1, 0); !errors.Is(err, ErrNotCounter) {
				t.Errorf("%q passed for a counter: %v", word, err)
			}
		}
	})
}

func TestAKeyLivesExactlyAsLongAsItWasTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, Options{})
		sp := s.Plugin("p", 1<<20)
		set(t, sp, "minute", "v", time.Minute)
		set(t, sp, "ever", "v", 0)
		set(t, sp, "longest", "v", math.MaxInt64)
		time.Sleep(time.Minute - 1)
		want(t, sp, "minute", "v")
		s = reopen(t, s, Options{})
		defer s.Close()
		sp = s.Plugin("p", 1<<20)
		want(t, sp, "minute", "v")
		time.Sleep(time.Nanosecond)
		want(t, sp, "minute", "-")
		time.Sleep(10 * 365 * 24 * time.Hour)
		want(t, sp, "ever", "v")
		want(t, sp, "longest", "v")
		if st := s.Stats()[0]; st.Keys != 2 {
			t.Errorf("the sweep left %+v", st)
		}
	})
}

func TestTheQuotaIsExactAndExpiredKeysNeverCauseARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 3000
		quota := int64(n * (Overhead + 8 + 100))
		s := begin(t, Options{Cache: 1})
		sp := s.Plugin("p", quota)
		val := strings.Repeat("v", 100)
		fill := func(round int) {
			t.Helper()
			for i := range n {
				set(t, sp, fmt.Sprintf("%02d-%05d", round, i), val, time.Hour)
			}
			if err := sp.Set(t.Context(), "x", nil, 0); !errors.Is(err, ErrQuota) {
				t.Fatalf("round %d: one octet too many: %v", round, err)
			}
			if st := s.Stats()[0]; st.Bytes != quota || st.Keys != n {
				t.Fatalf("round %d: %+v", round, st)
			}
		}
		fill(0)
		s = reopen(t, s, Options{Cache: 1})
		sp = s.Plugin("p", quota)
		if err := sp.Set(t.Context(), "x", nil, 0); !errors.Is(err, ErrQuota) {
			t.Fatalf("after a restart: %v", err)
		}
		// Shrinking and replacing is allowed in a full space, and makes room.
		set(t, sp, "00-00000", "", time.Hour)
		set(t, sp, "y", val[:100-Overhead-1], time.Hour)
		if err := sp.Set(t.Context(), "y", []byte(val[:100-Overhead]), 0); !errors.Is(err, ErrQuota) {
			t.Fatalf("one octet too many: %v", err)
		}
		if st := s.Stats()[0]; st.Bytes != quota || st.Refused != 2 {
			t.Fatalf("%+v", st)
		}
		time.Sleep(time.Hour) // all expire at one instant; no sweeper has run
		fill(1)
		time.Sleep(2 * time.Hour)
		if st := s.Stats()[0]; st.Bytes != 0 || st.Keys != 0 {
			t.Errorf("after everything expired: %+v", st)
		}
		sp = s.Plugin("p", 10)
		if err := sp.Set(t.Context(), "k", nil, 0); !errors.Is(err, ErrQuota) {
			t.Errorf("the smaller quota does not hold: %v", err)
		}
		s.Close()
	})
}

func TestSpacesDoNotSeeEachOther(t *testing.T) {
	s := begin(t, Options{})
	a, b, ab := s.Plugin("a", 1<<20), s.Plugin("b", 1<<20), s.Plugin("ab", 1<<20)
	set(t, a, "bk", "of a", 0)
	set(t, b, "bk", "of b", time.Hour)
	want(t, ab, "k", "-")
	if again := s.Plugin("a", 1<<20); again != a {
		t.Error("two generations of a plugin got two spaces")
	}
	s = reopen(t, s, Options{})
	if st := s.Stats(); len(st) != 2 || st[0].Name != "a" || st[0].Quota != 0 || st[1].Keys != 1 {
		t.Errorf("before plugins ask: %+v", st)
	}
	want(t, s.Plugin("a", 1<<20), "bk", "of a")
	want(t, s.Plugin("b", 1<<20), "bk", "of b")
	want(t, s.Plugin("ab", 1<<20), "k", "-")
}

func TestAddsOfManyAddUp(t *testing.T) {
	s := begin(t, Options{Flush: time.Millisecond})
	const workers, each = 8, 500
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			sp := s.Plugin("p", 1<<20)
			for i := range each {
				if _, err := sp.Add(t.Context(), fmt.Sprint("n", i%3), 1, time.Hour); err != nil {
					t.Error(err)
				}
				if _, err := sp.Swap(t.Context(), "turn", nil, []byte{byte(w)}, 0); err != nil {
					t.Error(err)
				}
				sp.Delete(t.Context(), "turn")
				s.Stats()
			}
		})
	}
	wg.Wait()
	s = reopen(t, s, Options{})
	sum := int64(0)
	for i := range 3 {
		n, err := s.Plugin("p", 1<<20).Add(t.Context(), fmt.Sprint("n", i), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	if sum != workers*each {
		t.Errorf("%d adds came to %d", workers*each, sum)
	}
}

func TestOneOfManySwapsWins(t *testing.T) {
	sp := begin(t, Options{}).Plugin("p", 1<<20)
	var mu sync.Mutex
	won := 0
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				ok, err := sp.Swap(t.Context(), fmt.Sprint(i), nil, []byte("mine"), 0)
				if err != nil {
					t.Error(err)
				}
				if ok {
					mu.Lock()
					won++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if won != 200 {
		t.Errorf("200 keys were won %d times", won)
	}
}

func TestReadersOfKeysThatAreNotInMemorySeeWhatWasWritten(t *testing.T) {
	s := begin(t, Options{Cache: 1, Flush: time.Millisecond})
	sp := s.Plugin("p", 64<<20)
	pad := bytes.Repeat([]byte("p"), 8<<10)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 2))
			for i := range 400 {
				key := fmt.Sprint(w, "-", rnd.IntN(40)) // of this worker alone, but the cache is for all
				val := append(fmt.Appendf(nil, "%d.", i), pad...)
				if err := sp.Set(t.Context(), key, val, 0); err != nil {
					t.Error(err)
				}
				if got, _, err := sp.Get(t.Context(), key); err != nil || !bytes.Equal(got, val) {
					t.Errorf("%s: got %.10q, want %.10q, %v", key, got, val, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestAWriterThatWaitsForTheDiskCanBeCalledOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, Options{Cache: 1})
		defer s.Close()
		entered, free := make(chan struct{}), make(chan struct{})
		s.commit = func(b []change) error {
			select {
			case entered <- struct{}{}:
			case <-free:
			}
			<-free
			return s.write(b)
		}
		defer close(free)
		sp := s.Plugin("p", 64<<20)
		set(t, sp, "k", "v", 0)
		<-entered
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var err error
		for i := 0; err == nil; i++ {
			err = sp.Set(ctx, fmt.Sprint(i), make([]byte, MaxValue), 0)
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		want(t, sp, "k", "v")
	})
}

func TestNothingIsWrittenWithoutChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, Options{})
		defer s.Close()
		var commits atomic.Int32
		s.commit = func(b []change) error { commits.Add(1); return s.write(b) }
		sp := s.Plugin("p", 1<<20)
		for range 10 {
			for i := range 50 {
				set(t, sp, fmt.Sprint(i), "v", 0)
			}
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := commits.Load(); n != 1 {
			t.Errorf("changes of 200 ms took %d transactions", n)
		}
	})
}

func BenchmarkGetHot(b *testing.B) {
	sp := begin(b, Options{}).Plugin("p", 1<<20)
	set(b, sp, "192.0.2.1/user@example.org", "1234567890", time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, _ := sp.Get(b.Context(), "192.0.2.1/user@example.org"); !ok {
			b.Fatal("gone")
		}
	}
}

func BenchmarkAddHot(b *testing.B) {
	sp := begin(b, Options{}).Plugin("p", 1<<20)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sp.Add(b.Context(), "192.0.2.1", 1, time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSetHot(b *testing.B) {
	sp := begin(b, Options{}).Plugin("p", 1<<20)
	v := []byte("1234567890")
	b.ReportAllocs()
	for b.Loop() {
		if err := sp.Set(b.Context(), "192.0.2.1", v, time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetFromFile(b *testing.B) {
	s := begin(b, Options{Cache: 1})
	sp := s.Plugin("p", 64<<20)
	keys := make([]string, 5000)
	for i := range keys {
		keys[i] = fmt.Sprint("key-", i)
		set(b, sp, keys[i], "1234567890", 0)
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := sp.Get(b.Context(), keys[i%len(keys)]); !ok {
			b.Fatal(err)
		}
		i += 7
	}
}
