package state

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// model is what a space should be: a map and a clock.
type model struct {
	quota int64
	keys  map[string]modelEntry
}

type modelEntry struct {
	val     []byte
	counter bool
	expires time.Time // zero: never
}

func (m modelEntry) size(key string) int64 {
	if m.counter {
		return int64(Overhead + len(key) + 8)
	}
	return int64(Overhead + len(key) + len(m.val))
}

func (m *model) expire(now time.Time) {
	for k, e := range m.keys {
		if !e.expires.IsZero() && !now.Before(e.expires) {
			delete(m.keys, k)
		}
	}
}

func (m *model) size() (n int64) {
	for k, e := range m.keys {
		n += e.size(k)
	}
	return n
}

// put is Set with the rule of the quota.
func (m *model) put(key string, e modelEntry) error {
	old, was := m.keys[key]
	m.keys[key] = e
	if m.size() <= m.quota || was && e.size(key) <= old.size(key) {
		return nil
	}
	delete(m.keys, key)
	if was {
		m.keys[key] = old
	}
	return ErrQuota
}

func TestRandomOperationsAgreeWithAMapAlsoOverRestarts(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(strconv.Itoa(int(seed)), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { agreesWithModel(t, seed) })
		})
	}
}

func agreesWithModel(t *testing.T, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	path := filepath.Join(t.TempDir(), "state.bolt")
	const quota = 350 << 10
	m := &model{quota: quota, keys: map[string]modelEntry{}}
	s, sp := open(t, path, quota)
	defer func() { s.Close() }()
	refused := 0
	for step := range 2500 {
		key := fmt.Sprintf("key-%0*d", 1+rnd.IntN(40), rnd.IntN(200))
		now := time.Now()
		m.expire(now)
		ttl := time.Duration(0)
		var expires time.Time
		if rnd.IntN(2) == 0 {
			ttl = time.Duration(1+rnd.IntN(20000)) * time.Millisecond
			expires = now.Add(ttl)
		}
		val := bytes.Repeat([]byte{byte(step)}, rnd.IntN(1<<rnd.IntN(15)))
		old, was := m.keys[key]
		var got, want any
		switch rnd.IntN(10) {
		case 0, 1:
			v, ok, err := sp.Get(t.Context(), key)
			got, want = fmt.Sprintf("%x %v %v", v, ok, err), fmt.Sprintf("%x %v %v", old.val, was, nil)
		case 2, 3, 4:
			got, want = sp.Set(t.Context(), key, val, ttl), m.put(key, modelEntry{val, false, expires})
		case 5, 6:
			n, err := sp.Add(t.Context(), key, int64(step), ttl)
			got = fmt.Sprint(n, err)
			sum, perr := strconv.ParseInt(string(old.val), 10, 64)
			switch e := (modelEntry{strconv.AppendInt(nil, sum+int64(step), 10), true, expires}); {
			case was && perr != nil:
				want = fmt.Sprint(0, ErrNotCounter)
			default:
				if was {
					e.expires = old.expires
				}
				if err := m.put(key, e); err != nil {
					want = fmt.Sprint(0, err)
				} else {
					want = fmt.Sprint(sum+int64(step), nil)
				}
			}
		case 7:
			prev := old.val
			if was && prev == nil {
				prev = []byte{}
			}
			if rnd.IntN(3) == 0 {
				prev = []byte("guess")
			}
			if rnd.IntN(4) == 0 {
				val = nil
			}
			ok, err := sp.Swap(t.Context(), key, prev, val, ttl)
			got = fmt.Sprint(ok, err)
			same := was && prev != nil && bytes.Equal(prev, old.val) || !was && prev == nil
			var merr error
			if same && val == nil {
				delete(m.keys, key)
			} else if same {
				merr = m.put(key, modelEntry{val, false, expires})
			}
			want = fmt.Sprint(same && merr == nil, merr)
		case 8:
			delete(m.keys, key)
			got, want = sp.Delete(t.Context(), key), error(nil)
		case 9:
			time.Sleep(time.Duration(rnd.IntN(500)) * time.Millisecond)
			if rnd.IntN(150) == 0 {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s, sp = open(t, path, quota)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("step %d, key %s: got %v, the model says %v", step, key, got, want)
		}
		if errors.Is(asError(want), ErrQuota) {
			refused++
		}
		if step%16 == 0 {
			check(t, s, step)
		}
	}
	time.Sleep(time.Minute) // everything that expires does, and is swept
	m.expire(time.Now())
	if st := s.Stats()[0]; st.Bytes != m.size() || st.Keys != int64(len(m.keys)) {
		t.Errorf("after the sweep %+v, the model has %d keys of %d octets", st, len(m.keys), m.size())
	}
	if refused == 0 {
		t.Error("the quota was never reached: the test is too kind")
	}
}

func asError(v any) error { err, _ := v.(error); return err }

// check holds what the space counts against what it has in memory.
func check(t *testing.T, s *Store, step int) {
	t.Helper()
	for _, sp := range s.list() {
		sp.mu.Lock()
		var mem, dirty int64
		for _, e := range sp.live {
			mem += e.cost()
			if e.dirty {
				dirty += e.cost()
			}
		}
		if mem != sp.mem || dirty != sp.dirtyMem || mem > s.o.Cache+MaxValue+entryCost+MaxKey || sp.bytes > sp.quota {
			t.Fatalf("step %d: memory %d counted as %d, dirty %d as %d, %d of quota %d", step, mem, sp.mem, dirty, sp.dirtyMem, sp.bytes, sp.quota)
		}
		sp.mu.Unlock()
	}
}

func open(t testing.TB, path string, quota int64) (*Store, *Space) {
	t.Helper()
	s, err := Open(path, Options{Cache: 1, Logf: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	return s, s.Plugin("p", quota)
}
