package state

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"
)

func TestACrashLosesAtMostTheLastInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begin(t, Options{})
		defer s.Close()
		sp := s.Plugin("p", 1<<20)
		set(t, sp, "early", "v", 0)
		set(t, sp, "gone", "v", time.Hour)
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if err := sp.Delete(t.Context(), "gone"); err != nil {
			t.Fatal(err)
		}
		set(t, sp, "late", "v", 0)
		crashed := after(t, s.path)
		defer crashed.Close()
		sp = crashed.Plugin("p", 1<<20)
		want(t, sp, "early", "v")
		want(t, sp, "gone", "v")
		want(t, sp, "late", "-")
		if st := crashed.Stats()[0]; st.Keys != 2 || st.Bytes != 2*Overhead+11 {
			t.Errorf("counted %+v", st)
		}
	})
}

func TestAFileThatIsCopiedWhileItIsWrittenAlwaysOpens(t *testing.T) {
	s := begin(t, Options{Flush: time.Millisecond})
	sp := s.Plugin("p", 1<<20)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				set(t, sp, fmt.Sprint(i%500), strings.Repeat("v", i%700), time.Hour)
			}
		}
	})
	for range 15 {
		crashed := after(t, s.path)
		set(t, crashed.Plugin("p", 2<<20), "new", "v", 0)
		if err := crashed.Close(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
}

// after opens a copy of the file as a crash would leave it now.
func after(t *testing.T, path string) *Store {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	crashed := filepath.Join(t.TempDir(), "state.bolt")
	if err := os.WriteFile(crashed, b, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(crashed, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// filled is the content of a file with a tree of some depth.
func filled(t testing.TB) []byte {
	t.Helper()
	s := begin(t, Options{})
	sp := s.Plugin("p", 1<<20)
	for i := range 300 {
		set(t, sp, fmt.Sprintf("key-%04d", i), strings.Repeat("v", i), time.Duration(i%2)*time.Hour)
	}
	set(t, sp, "big", strings.Repeat("v", 20000), 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestADamagedFileIsSetAside(t *testing.T) {
	good := filled(t)
	rnd := rand.New(rand.NewPCG(3, 3))
	flip := func(b []byte) []byte {
		for range 20 {
			b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
		}
		return b
	}
	tests := map[string]func(b []byte) []byte{
		"noise":              func(b []byte) []byte { return bytes.Repeat([]byte("noise"), 9999) },
		"one octet":          func(b []byte) []byte { return b[:1] },
		"the first page":     func(b []byte) []byte { return b[:4096] },
		"a few pages":        func(b []byte) []byte { return b[:5*4096] },
		"both meta pages":    func(b []byte) []byte { clear(b[:8192]); return b },
		"all but meta pages": func(b []byte) []byte { clear(b[8192:]); return b },
		"a value":            func(b []byte) []byte { b[bytes.LastIndex(b, []byte("vvvvvvvv"))] = 'w'; return b },
	}
	for i := range 60 {
		tests[fmt.Sprint("flipped bits ", i)] = flip
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.bolt")
			bad := damage(bytes.Clone(good))
			var said []string
			for round := 1; round <= 2; round++ {
				if err := os.WriteFile(path, bad, 0o600); err != nil {
					t.Fatal(err)
				}
				s, err := Open(path, Options{Logf: func(f string, v ...any) { said = append(said, fmt.Sprintf(f, v...)) }})
				if err != nil {
					t.Fatal(err)
				}
				sp := s.Plugin("p", 1<<20)
				set(t, sp, "new", "v", 0)
				want(t, sp, "new", "v")
				// Flipped bits in free space are no damage; then nothing is lost.
				if len(said) == 0 && strings.HasPrefix(name, "flipped") {
					want(t, sp, "key-0200", strings.Repeat("v", 200))
				} else if len(said) != round {
					t.Errorf("said: %q", said)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				aside, err := os.ReadFile(fmt.Sprint(path, ".damaged-", round))
				if len(said) > 0 && !bytes.Equal(aside, bad) {
					t.Errorf("round %d: the damaged file was not kept: %v", round, err)
				}
			}
		})
	}
}

func TestDamageFoundWhileRunningCostsTheFileAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said atomic.Int32
		s := begin(t, Options{Cache: 1, Logf: func(string, ...any) { said.Add(1) }})
		defer s.Close()
		sp := s.Plugin("p", 8<<20)
		pad := strings.Repeat("v", 4000)
		for i := range 500 {
			set(t, sp, fmt.Sprint("cold", i), pad, 0)
		}
		set(t, sp, "hot", "v", time.Hour)
		time.Sleep(time.Second)
		synctest.Wait()
		// One record in the file loses its sum.
		err := s.db.Load().Update(func(tx *bolt.Tx) error {
			return tx.Bucket(bucketKV).Put(kvKey(sp.prefix, "cold0"), []byte("not a record at all"))
		})
		if err != nil {
			t.Fatal(err)
		}
		want(t, sp, "hot", "v")
		if _, _, err := sp.Get(t.Context(), "cold0"); !errors.Is(err, errDamaged) {
			t.Fatalf("damage read as %v", err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		want(t, sp, "cold0", "-")
		want(t, sp, "cold1", "-")
		want(t, sp, "hot", "v")
		set(t, sp, "cold0", "new", 0)
		check(t, s, 0)
		if n := said.Load(); n != 1 {
			t.Errorf("%d lines were logged", n)
		}
		s = reopen(t, s, Options{})
		defer s.Close()
		sp = s.Plugin("p", 8<<20)
		want(t, sp, "hot", "v")
		want(t, sp, "cold0", "new")
		if st := s.Stats()[0]; st.Keys < 2 || st.Keys > 100 {
			t.Errorf("counted %+v", st)
		}
	})
}

func TestWithoutAPlaceForANewFileWhatIsInMemoryLivesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said atomic.Int32
		s := begin(t, Options{Cache: 1, Logf: func(string, ...any) { said.Add(1) }})
		defer s.Close()
		sp := s.Plugin("p", 8<<20)
		set(t, sp, "hot", "v", 0)
		for i := 1; i <= maxDamaged; i++ { // folders that a file cannot replace
			if err := os.Mkdir(fmt.Sprint(s.path, ".damaged-", i), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		s.reportDamage(s.db.Load())
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := said.Load(); n < 5 || n > 15 {
			t.Errorf("ten minutes are %d lines", n)
		}
		want(t, sp, "hot", "v")
		set(t, sp, "warm", "v", 0)
		if err := os.Remove(s.path + ".damaged-5"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(maxBackoff)
		synctest.Wait()
		s = reopen(t, s, Options{})
		defer s.Close()
		want(t, s.Plugin("p", 8<<20), "hot", "v")
		want(t, s.Plugin("p", 8<<20), "warm", "v")
	})
}

func TestAFullDiskIsToldToCallersInTheEndAndForgottenAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var said []string
		var full atomic.Bool
		s := begin(t, Options{Cache: 1, Logf: func(f string, v ...any) {
			mu.Lock()
			defer mu.Unlock()
			said = append(said, fmt.Sprintf(f, v...))
		}})
		defer s.Close()
		s.commit = func(b []change) error {
			if full.Load() {
				return &os.PathError{Op: "write", Path: s.path, Err: syscall.ENOSPC}
			}
			return s.write(b)
		}
		sp := s.Plugin("p", 64<<20)
		set(t, sp, "before", "v", 0)
		time.Sleep(time.Second)
		synctest.Wait()
		full.Store(true)
		val := make([]byte, 10000)
		var err error
		written := 0
		for ; err == nil && written < 1000; written++ {
			err = sp.Set(t.Context(), fmt.Sprint("k", written), val, 0)
		}
		if !errors.Is(err, syscall.ENOSPC) || written < 20 || written > 30 {
			t.Fatalf("after %d values of 10 kB: %v", written, err)
		}
		want(t, sp, "before", "v")
		want(t, sp, "k0", string(val))
		set(t, sp, "k0", "smaller", 0) // what needs no memory is still done
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if len(said) < 5 || len(said) > 15 {
			t.Errorf("ten minutes of a full disk are %d lines", len(said))
		}
		full.Store(false)
		time.Sleep(maxBackoff)
		synctest.Wait()
		set(t, sp, "after", string(val), 0)
		if last := said[len(said)-1]; !strings.Contains(last, "written again") {
			t.Errorf("the last line is %q", last)
		}
		s = reopen(t, s, Options{})
		defer s.Close()
		sp = s.Plugin("p", 64<<20)
		want(t, sp, "k0", "smaller")
		want(t, sp, "k1", string(val))
		want(t, sp, "after", string(val))
	})
}

func TestCloseSaysThatChangesAreLost(t *testing.T) {
	s := begin(t, Options{Flush: time.Hour})
	s.commit = func([]change) error { return syscall.EIO }
	set(t, s.Plugin("p", 99), "k", "v", 0)
	if err := s.Close(); !errors.Is(err, syscall.EIO) {
		t.Errorf("Close: %v", err)
	}
	if err := s.Close(); !errors.Is(err, syscall.EIO) {
		t.Errorf("Close again: %v", err)
	}
}

func TestASecondProcessIsRefusedAndTheFileIsLeftAlone(t *testing.T) {
	s := begin(t, Options{})
	if s2, err := Open(s.path, Options{}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("opened twice: %v, %v", s2, err)
	}
	if _, err := os.Stat(s.path + ".damaged-1"); err == nil {
		t.Error("a file in use was set aside")
	}
	if _, err := Open(filepath.Join(t.TempDir(), "no", "folder"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a folder: %v", err)
	}
	if _, err := Open(t.TempDir(), Options{}); err == nil {
		t.Error("a folder was opened")
	}
}

func TestDamagedFilesDoNotPileUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.bolt")
	for i := range maxDamaged + 3 {
		if err := os.WriteFile(path, []byte{byte(i)}, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	if all, _ := filepath.Glob(path + "*"); len(all) != maxDamaged+1 {
		t.Errorf("there are %q", all)
	}
}

func FuzzRecordsAreReadWholeOrNotAtAll(f *testing.F) {
	k := kvKey(spacePrefix("p"), "key")
	for _, r := range []record{{kind: value, data: []byte("v"), expires: never}, {kind: counter, num: -7, expires: 99}} {
		f.Add(k, r.encode(k))
	}
	f.Add([]byte{1}, []byte{})
	f.Fuzz(func(t *testing.T, k, v []byte) {
		if name, key, ok := splitKV(k); ok && (len(name) == 0 || len(key) == 0 || 1+len(name)+len(key) != len(k)) {
			t.Errorf("key %q splits into %q and %q", k, name, key)
		}
		if name, expires, key, ok := splitDue(k); ok && !bytes.Equal(dueKey(spacePrefix(string(name)), expires, string(key)), k) {
			t.Errorf("expiry key %q splits into %q, %d and %q", k, name, expires, key)
		}
		r, err := decodeRecord(k, v)
		if err == nil && !bytes.Equal(r.encode(k), v) {
			t.Errorf("record %q reads as %+v", v, r)
		}
		// A sum that fits lets the fuzzer see behind it.
		if len(v) >= recordHead {
			v = bytes.Clone(v)
			sum := recordSum(k, v)
			v[0], v[1], v[2], v[3] = byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24)
			if r, err := decodeRecord(k, v); err == nil && !bytes.Equal(r.encode(k), v) {
				t.Errorf("record %q reads as %+v", v, r)
			}
		}
	})
}

func FuzzAnyFileOpens(f *testing.F) {
	good := filled(f)
	f.Add(uint32(0), []byte{})
	f.Add(uint32(4096+16), []byte{1, 2, 3})
	f.Add(uint32(8192), []byte{0xff, 0xff})
	f.Fuzz(func(t *testing.T, at uint32, patch []byte) {
		b := bytes.Clone(good)
		copy(b[int(at)%len(b):], patch)
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		set(t, s.Plugin("q", 1<<20), "k", "v", 0)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestTheSurveySeesWhatNoSumCovers(t *testing.T) {
	good := filled(t)
	written := func(t *testing.T, b []byte) *os.File {
		t.Helper()
		f, err := os.Create(filepath.Join(t.TempDir(), "state.bolt"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		if _, err := f.Write(b); err != nil {
			t.Fatal(err)
		}
		return f
	}
	buckets := map[string]func(kv, due *bolt.Bucket) error{
		"a key that never expires": func(_, due *bolt.Bucket) error { k, _ := due.Cursor().First(); return due.Delete(k) },
		"an expiry of nothing":     func(_, due *bolt.Bucket) error { return due.Put(dueKey(spacePrefix("p"), 5, "none"), nil) },
		"a record moved": func(kv, _ *bolt.Bucket) error {
			_, v := kv.Cursor().First()
			return kv.Put(kvKey(spacePrefix("p"), "other"), v)
		},
		"a key without name": func(kv, _ *bolt.Bucket) error { return kv.Put([]byte{0, 'k'}, []byte("v")) },
	}
	for name, change := range buckets {
		t.Run(name, func(t *testing.T) {
			f := written(t, good)
			db, err := bolt.Open(f.Name(), 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Update(func(tx *bolt.Tx) error { return change(tx.Bucket(bucketKV), tx.Bucket(bucketDue)) })
			if err := errors.Join(err, db.Close()); err != nil {
				t.Fatal(err)
			}
			if _, err := survey(f); !errors.Is(err, errDamaged) {
				t.Errorf("survey: %v", err)
			}
		})
	}
	t.Run("a page of two parents", func(t *testing.T) {
		refused, page := 0, os.Getpagesize()
		for at := 2 * page; at+page < len(good); at += page {
			b := bytes.Clone(good)
			if b[at+8] == leafPage && b[at+12] == 0 {
				b[at+12] = 1 // it says that it runs over into the next page
				if _, err := survey(written(t, b)); errors.Is(err, errDamaged) {
					refused++
				}
			}
		}
		if refused < 3 {
			t.Errorf("%d of the overlaps were seen", refused)
		}
	})
}
