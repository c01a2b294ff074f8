package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

func env(n int) *sdk.Envelope {
	e := &sdk.Envelope{From: "a@example.org", Arrived: time.Unix(1700000000, 0)}
	for i := range n {
		e.Recipients = append(e.Recipients, sdk.Recipient{Addr: fmt.Sprintf("r%d@example.net", i)})
	}
	return e
}

// small are options that make everything happen with little mail.
func small(t testing.TB) Options {
	return Options{SegmentSize: 64 << 10, InlineMax: 8 << 10, ActiveLimit: 50, MinFree: -1, Logf: t.Logf}
}

func openQueue(t testing.TB, dir string, o Options) *Queue {
	t.Helper()
	q, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

func putMail(t testing.TB, q *Queue, body string, e *sdk.Envelope) string {
	t.Helper()
	d := q.Draft(q.NewID())
	defer d.Discard()
	if _, err := io.WriteString(d, body); err != nil {
		t.Fatal(err)
	}
	if err := q.Put(t.Context(), d, e); err != nil {
		t.Fatal(err)
	}
	return e.ID
}

func leaseOne(t testing.TB, q *Queue) *Job {
	t.Helper()
	js, err := q.Lease(t.Context(), 1)
	if err != nil || len(js) != 1 {
		t.Fatalf("%d jobs, %v", len(js), err)
	}
	return js[0]
}

func settleAll(t testing.TB, q *Queue, j *Job, s State) {
	t.Helper()
	var rs []Result
	for _, r := range j.Rcpts {
		rs = append(rs, Result{Index: r.Index, State: s, Outcome: sdk.Outcome{Status: sdk.StatusDelivered}})
	}
	if err := q.Settle(j, rs); err != nil {
		t.Fatal(err)
	}
}

func content(t testing.TB, m sdk.Message) string {
	t.Helper()
	b, err := readBody(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func reopen(t testing.TB, q *Queue, o Options) *Queue {
	t.Helper()
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	return openQueue(t, q.dir, o)
}

func TestAMessageLivesThroughAttemptsAndRestarts(t *testing.T) {
	o := small(t)
	q := openQueue(t, t.TempDir(), o)
	id := putMail(t, q, "hello\r\n", env(2))
	j := leaseOne(t, q)
	if got := content(t, j.Message); got != "hello\r\n" || j.Envelope.ID != id || len(j.Rcpts) != 2 {
		t.Fatalf("%q %+v", got, j)
	}
	last := sdk.Outcome{Status: sdk.StatusDeferred, Reply: sdk.Reply{Code: 451, Enhanced: "4.3.0", Text: "later"}, Remote: "mx[192.0.2.1]:25", Hold: true, MaybeDuplicate: true, Setup: time.Second}
	if err := q.Settle(j, []Result{{Index: 0, State: Delivered}, {Index: 1, NextHop: "mx", DelayWarned: true, Outcome: last}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		q = reopen(t, q, o)
		j = leaseOne(t, q)
		want := JobRcpt{Index: 1, Attempts: 1, Last: last, NextHop: "mx", DelayWarned: true}
		if len(j.Rcpts) != 1 || j.Rcpts[0] != want || content(t, j.Message) != "hello\r\n" {
			t.Fatalf("%+v", j.Rcpts)
		}
		if e, err := q.Get(id); err != nil || !e.Leased || e.Rcpts[0].State != Delivered {
			t.Fatal(e, err)
		}
	}
	settleAll(t, q, j, Failed)
	q = reopen(t, q, o)
	if _, err := q.Get(id); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	if s := q.Stats(); s.Messages != 0 || s.LiveBytes != 0 || s.ByState != [6]int{} {
		t.Fatalf("%+v", s)
	}
}

func TestIDsAreSequentialAndNeverUsedAgain(t *testing.T) {
	dir := t.TempDir()
	last := ID(0)
	for range 4 {
		q := openQueue(t, dir, small(t))
		for range 3 {
			id, err := ParseID(q.NewID())
			if err != nil || id <= last {
				t.Fatal(id, last, err)
			}
			last = id
		}
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if last != 12 {
		t.Errorf("an orderly restart skips IDs: %d", last)
	}
	if err := os.Remove(indexPath(dir)); err != nil {
		t.Fatal(err)
	}
	q := openQueue(t, dir, small(t))
	if id, _ := ParseID(q.NewID()); id <= last {
		t.Errorf("%d was given out before", id)
	}
	q.nextID.Store(q.idsUntil.Load() - 1)
	var wg sync.WaitGroup
	var seen sync.Map
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if _, twice := seen.LoadOrStore(q.NewID(), true); twice {
				t.Error("an ID was given out twice at the end of a block")
			}
		}()
	}
	wg.Wait()
}

func TestIDTextSortsLikeTheNumber(t *testing.T) {
	prev := ""
	for _, id := range []ID{0, 1, 30, 31, 32, 960, 961, 1 << 20, 1 << 40, 1 << 49} {
		s := id.String()
		if s <= prev || len(s) != 10 {
			t.Errorf("%s after %s", s, prev)
		}
		prev = s
		for _, form := range []string{s, strings.ToLower(s)} {
			if got, err := ParseID(form); err != nil || got != id {
				t.Errorf("%s is %d, %v", form, got, err)
			}
		}
	}
	for _, s := range []string{"", "A", "000000000A", "00000000001", "000000000 ", "00000000\x000"} {
		if _, err := ParseID(s); err == nil {
			t.Errorf("%q is taken for an ID", s)
		}
	}
}

func TestASecondProcessIsToldWhoHasTheSpool(t *testing.T) {
	if dir := os.Getenv("QUEUE_TEST_SPOOL"); dir != "" {
		_, err := Open(dir, Options{})
		fmt.Println(err)
		os.Exit(0)
	}
	dir := t.TempDir()
	openQueue(t, dir, small(t))
	cmd := exec.Command(os.Args[0], "-test.run=^TestASecondProcessIsToldWhoHasTheSpool$")
	cmd.Env = append(os.Environ(), "QUEUE_TEST_SPOOL="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), fmt.Sprintf("in use: %s, by process %d", dir, os.Getpid())) {
		t.Fatalf("%s %v", out, err)
	}
	for name, fn := range map[string]func() error{
		"check":   func() error { _, err := Check(dir); return err },
		"rebuild": func() error { return Rebuild(dir, nil) },
		"compact": func() error { _, err := Compact(dir); return err },
	} {
		if err := fn(); !errors.Is(err, ErrLocked) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLargeBodiesHaveFilesOfTheirOwn(t *testing.T) {
	o := small(t)
	q := openQueue(t, t.TempDir(), o)
	body := strings.Repeat("0123456789abcde\n", 40_000)
	d := q.Draft(q.NewID())
	for i := 0; i < len(body); i += 1000 {
		if _, err := d.Write([]byte(body[i:min(i+1000, len(body))])); err != nil {
			t.Fatal(err)
		}
	}
	if got := content(t, d.Message()); got != body || d.Size() != int64(len(body)) {
		t.Fatal("the draft reads otherwise")
	}
	e := env(1)
	if err := q.Put(t.Context(), d, e); err != nil {
		t.Fatal(err)
	}
	d.Discard()
	gone := q.Draft(q.NewID())
	io.WriteString(gone, body)
	gone.Discard()
	left := q.Draft(q.NewID())
	io.WriteString(left, body)
	files := func() []string { n, _ := q.disk.ReadDir(q.bigDir()); return n }
	if got := files(); len(got) != 2 || !slices.Contains(got, e.ID) {
		t.Fatal(got)
	}
	if err := os.WriteFile(q.bigPath("00000000ZZ"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	q = reopen(t, q, o)
	if got := files(); !slices.Equal(got, []string{e.ID}) {
		t.Fatal("bodies without message were left:", got)
	}
	j := leaseOne(t, q)
	b, err := j.Message.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	p := make([]byte, 10)
	if n, err := b.ReadAt(p, 16); n != 10 || err != nil || string(p) != body[16:26] {
		t.Fatal(n, err)
	}
	if n, err := b.ReadAt(p, int64(len(body))-4); n != 4 || err != io.EOF {
		t.Fatal(n, err)
	}
	if got, err := io.ReadAll(b); string(got) != body || err != nil {
		t.Fatal(err)
	}
	settleAll(t, q, j, Delivered)
	q = reopen(t, q, o)
	if got := files(); len(got) != 0 {
		t.Fatal("the body outlives its message:", got)
	}
}

func TestDraftsThatAreNotPutCostNothing(t *testing.T) {
	q := openQueue(t, t.TempDir(), small(t))
	d := q.Draft("nonsense")
	if _, err := d.Write([]byte("x")); err == nil {
		t.Error("a draft without ID takes a body")
	}
	d.Discard()
	d = q.Draft(q.NewID())
	if got := content(t, d.Message()); got != "" {
		t.Error(got)
	}
	if err := q.Put(t.Context(), d, &sdk.Envelope{}); err == nil {
		t.Error("an envelope without recipients was taken")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Put(ctx, d, env(1)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := q.Put(t.Context(), d, env(1)); err != nil {
		t.Fatal(err)
	}
	if err := q.Put(t.Context(), d, env(1)); err == nil {
		t.Error("a draft was put twice")
	}
	if err := q.Put(t.Context(), q.Draft(d.id.String()), env(1)); err == nil {
		t.Error("an ID was put twice")
	}
	if err := q.Put(t.Context(), q.Draft("0ZZZZZZZZZ"), env(1)); err == nil {
		t.Error("an ID from nowhere was taken")
	}
	if _, err := d.Open(); err == nil {
		t.Error("a draft can be read after it was put")
	}
	if got := q.Stats().Messages; got != 1 {
		t.Error(got)
	}
}

func TestBodiesStayReadableWhileTheyAreOpen(t *testing.T) {
	q := openQueue(t, t.TempDir(), small(t))
	putMail(t, q, "one", env(1))
	j := leaseOne(t, q)
	b, err := j.Message.Open()
	if err != nil {
		t.Fatal(err)
	}
	settleAll(t, q, j, Delivered)
	if err := q.barrier(); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		putMail(t, q, "another body", env(1)) // would take the chunk
	}
	if got, err := io.ReadAll(b); string(got) != "one" || err != nil {
		t.Fatalf("%q %v", got, err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Read(make([]byte, 1)); err == nil {
		t.Error("a closed body can be read")
	}
	if _, err := j.Message.Open(); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func TestSettleRefusesWhatWasNotLeased(t *testing.T) {
	q := openQueue(t, t.TempDir(), small(t))
	putMail(t, q, "x", env(3))
	j := leaseOne(t, q)
	for name, rs := range map[string][]Result{
		"another recipient": {{Index: 7}},
		"one twice":         {{Index: 1}, {Index: 1}},
		"no state":          {{Index: 1, State: 99}},
		"too many":          make([]Result, 9),
	} {
		if err := q.Settle(j, rs); err == nil {
			t.Errorf("%s was settled", name)
		}
	}
	if err := q.Settle(j, []Result{{Index: 2, State: Delivered}}); err != nil {
		t.Fatal(err)
	}
	if err := q.Settle(j, []Result{{Index: 2, State: Delivered}}); err == nil {
		t.Error("a recipient was settled twice")
	}
	q.Return(j)
	if err := q.barrier(); err != nil {
		t.Fatal(err)
	}
	if j = leaseOne(t, q); len(j.Rcpts) != 2 || j.Rcpts[0].Attempts != 0 {
		t.Fatalf("%+v", j.Rcpts)
	}
}

func TestAMessageIsGivenOutOnceAndInOrder(t *testing.T) {
	o := small(t)
	q := openQueue(t, t.TempDir(), o)
	const n = 300 // beyond ActiveLimit
	var ids []string
	for range n {
		ids = append(ids, putMail(t, q, "x", env(1)))
	}
	q = reopen(t, q, o)
	var got []string
	for len(got) < n {
		js, err := q.Lease(t.Context(), 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range js {
			got = append(got, j.Envelope.ID)
			settleAll(t, q, j, Delivered)
		}
		if a := q.Stats().Active; a > 3*o.ActiveLimit {
			t.Fatalf("%d messages in memory", a)
		}
	}
	if !slices.Equal(got, ids) {
		t.Errorf("out of order: %v", got)
	}
}

func TestAListOf50000RecipientsIsOneMessage(t *testing.T) {
	o := small(t)
	q := openQueue(t, t.TempDir(), o)
	const n = 50_000
	putMail(t, q, "x", env(n))
	j := leaseOne(t, q)
	if len(j.Rcpts) != n {
		t.Fatal(len(j.Rcpts))
	}
	for i := 0; i < n; i += 1000 {
		var rs []Result
		for k := i; k < i+1000; k++ {
			s := Delivered
			if k%1000 == 0 {
				s = Pending
			}
			rs = append(rs, Result{Index: k, State: s, Outcome: sdk.Outcome{Status: sdk.StatusDelivered}})
		}
		if err := q.Settle(j, rs); err != nil {
			t.Fatal(err)
		}
	}
	q = reopen(t, q, o)
	if j = leaseOne(t, q); len(j.Rcpts) != n/1000 || j.Rcpts[1].Index != 1000 {
		t.Fatal(len(j.Rcpts))
	}
	if q.Stats().ByState[Delivered] != n-n/1000 {
		t.Error(q.Stats().ByState)
	}
}

func TestAttemptsComeWhenTheyAreDue(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		q, err := Open(dir, Options{SegmentSize: 64 << 10, MinFree: -1})
		if err != nil {
			t.Fatal(err)
		}
		putMail(t, q, "x", env(2))
		j := leaseOne(t, q)
		start := time.Now()
		err = q.Settle(j, []Result{{Index: 0, Next: start.Add(time.Hour)}, {Index: 1, Next: start.Add(7 * 24 * time.Hour)}})
		if err != nil {
			t.Fatal(err)
		}
		if j = leaseOne(t, q); j.Rcpts[0].Index != 0 || time.Since(start) != time.Hour {
			t.Fatal(j.Rcpts, time.Since(start))
		}
		if q.Stats().Cached != 0 {
			t.Error("a body is kept in memory while its message waits")
		}
		settleAll(t, q, j, Delivered)
		if j = leaseOne(t, q); j.Rcpts[0].Index != 1 || time.Since(start) != 7*24*time.Hour {
			t.Fatal(j.Rcpts, time.Since(start))
		}
		settleAll(t, q, j, Delivered)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := q.Lease(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := q.Lease(t.Context(), 1); !errors.Is(err, ErrStopped) {
			t.Error(err)
		}
	})
}

func TestOutcomesRideAlongOrAreWrittenSoon(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		q, err := Open(dir, Options{SegmentSize: 1 << 20, MinFree: -1})
		if err != nil {
			t.Fatal(err)
		}
		syncs := q.Stats().Syncs
		for range 50 {
			putMail(t, q, "x", env(1))
			settleAll(t, q, leaseOne(t, q), Delivered)
		}
		if got := q.Stats().Syncs - syncs; got != 50 {
			t.Errorf("%d syncs for 50 messages of a lone relay", got)
		}
		if got := q.Stats().Messages; got != 1 {
			t.Errorf("%d messages before the last outcome is durable", got)
		}
		time.Sleep(lazyDelay + time.Millisecond)
		synctest.Wait()
		if s := q.Stats(); s.Messages != 0 || s.Syncs-syncs != 51 {
			t.Errorf("%d messages, %d syncs", s.Messages, s.Syncs-syncs)
		}
		if s := q.Stats(); s.Checkpoints > 2 {
			t.Errorf("the index was written %d times for mail that it never needed", s.Checkpoints)
		}
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestADSNAndItsCauseAreOneTransaction(t *testing.T) {
	o := small(t)
	q := openQueue(t, t.TempDir(), o)
	putMail(t, q, "x", env(1))
	j := leaseOne(t, q)
	d := q.Draft(q.NewID())
	io.WriteString(d, strings.Repeat("dsn", 9000))
	e := &sdk.Envelope{Recipients: []sdk.Recipient{{Addr: "a@example.org"}}}
	if err := q.Settle(j, []Result{{Index: 0, State: Failed, By: "rule", Outcome: sdk.Outcome{Status: sdk.StatusFailed}}}, &New{d, e}); err != nil {
		t.Fatal(err)
	}
	q = reopen(t, q, o)
	j = leaseOne(t, q)
	if j.Envelope.From != "" || content(t, j.Message) != strings.Repeat("dsn", 9000) || q.Stats().Messages != 1 {
		t.Fatalf("%+v", j.Envelope)
	}
}

func TestManyProducersAndLeasersAtOnce(t *testing.T) {
	o := small(t)
	q := openQueue(t, t.TempDir(), o)
	const producers, each = 8, 60
	var wg sync.WaitGroup
	var delivered sync.Map
	var count, attempts atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for w := range 6 {
		wg.Add(1)
		rnd := rand.New(rand.NewPCG(uint64(w), 3))
		go func() {
			defer wg.Done()
			for {
				js, err := q.Lease(ctx, 1+rnd.IntN(5))
				if err != nil {
					return
				}
				for _, j := range js {
					attempts.Add(1)
					body, err := readBody(j.Message)
					if err != nil || !bytes.HasPrefix(body, []byte(j.Envelope.EnvID)) {
						t.Errorf("%s: %q %v", j.Envelope.ID, body[:min(len(body), 10)], err)
					}
					var rs []Result
					for _, r := range j.Rcpts {
						if rnd.IntN(4) == 0 {
							rs = append(rs, Result{Index: r.Index, Outcome: sdk.Outcome{Status: sdk.StatusDeferred}})
							continue
						}
						if _, twice := delivered.LoadOrStore(fmt.Sprint(j.Envelope.ID, r.Index), true); twice {
							t.Errorf("%s was delivered twice", j.Envelope.ID)
						}
						rs = append(rs, Result{Index: r.Index, State: Delivered})
						if count.Add(1) == producers*each*2 {
							cancel()
						}
					}
					if err := q.Settle(j, rs); err != nil {
						t.Error(err)
					}
				}
			}
		}()
	}
	for w := range producers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range each {
				e := env(2)
				e.EnvID = fmt.Sprintf("<%d.%d>", w, i)
				d := q.Draft(q.NewID())
				io.WriteString(d, e.EnvID+strings.Repeat("x", 100*i))
				if err := q.Put(ctx, d, e); err != nil {
					t.Error(err)
				}
				if i%20 == 0 {
					q.Stats()
					if err := q.List(Filter{}, func(*Entry) bool { return true }); err != nil {
						t.Error(err)
					}
					if _, err := q.Flush(Filter{}, "x"); err != nil {
						t.Error(err)
					}
				}
			}
		}()
	}
	wg.Wait()
	q = reopen(t, q, o)
	if n := q.Stats().Messages; n != 0 {
		t.Errorf("%d messages left after %d attempts", n, attempts.Load())
	}
}

func TestCommandsActOnWhatTheFilterMatches(t *testing.T) {
	o := small(t)
	q := openQueue(t, t.TempDir(), o)
	var ids []string
	for i := range 200 {
		e := &sdk.Envelope{From: fmt.Sprintf("s@from%d.example", i%2), Notes: sdk.Notes{"p.tenant": fmt.Sprint(i % 4)},
			Recipients: []sdk.Recipient{{Addr: "a@x.example.net"}, {Addr: fmt.Sprintf("B%d@Example.org", i)}}}
		ids = append(ids, putMail(t, q, "x", e))
	}
	q = reopen(t, q, o)
	count := func(f Filter) Counts {
		t.Helper()
		c, err := q.Count(f)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for name, c := range map[string]struct {
		f           Filter
		msgs, rcpts int
	}{
		"all":            {Filter{}, 200, 400},
		"limit":          {Filter{Limit: 7}, 7, 14},
		"domain":         {Filter{To: "example.org"}, 200, 200},
		"below":          {Filter{To: ".example.net"}, 200, 200},
		"not below":      {Filter{To: ".example.org"}, 0, 0},
		"address":        {Filter{To: "b17@example.ORG"}, 1, 1},
		"pattern":        {Filter{To: "b1?@*"}, 10, 10},
		"sender":         {Filter{From: "from1.example"}, 100, 200},
		"null sender":    {Filter{From: "<>"}, 0, 0},
		"note":           {Filter{Note: "p.tenant=3"}, 50, 100},
		"note key":       {Filter{Note: "p.tenant"}, 200, 400},
		"no note":        {Filter{Note: "p.other"}, 0, 0},
		"ids":            {Filter{IDs: []string{ids[3], ids[1], ids[3], "0000ZZZZZZ"}}, 2, 4},
		"held":           {Filter{State: []State{Held}}, 0, 0},
		"older":          {Filter{OlderThan: time.Hour}, 0, 0},
		"hop":            {Filter{NextHop: "*"}, 200, 400},
		"another hop":    {Filter{NextHop: "mx?"}, 0, 0},
		"several fields": {Filter{From: "*@from0.example", To: "example.org", Note: "p.tenant=2"}, 50, 50},
	} {
		if got := count(c.f); got.Messages != c.msgs || got.Recipients != c.rcpts {
			t.Errorf("%s: %d messages, %d recipients", name, got.Messages, got.Recipients)
		}
	}
	if _, err := q.Count(Filter{IDs: []string{"bad"}}); err == nil {
		t.Error("a bad ID is taken")
	}
	do := func(name string, want int, n int, err error) {
		t.Helper()
		if n != want || err != nil {
			t.Errorf("%s: %d, %v; want %d", name, n, err, want)
		}
	}
	n, err := q.Hold(Filter{To: "example.org", Limit: 150}, "me")
	do("hold", 150, n, err)
	n, err = q.Hold(Filter{To: "example.org"}, "me")
	do("hold the rest", 50, n, err)
	n, err = q.Release(Filter{To: "b1@example.org"}, "me")
	do("release", 1, n, err)
	n, err = q.Delete(Filter{IDs: ids[100:]}, "spam rule")
	do("delete", 100, n, err)
	n, err = q.Expire(Filter{To: "b2@example.org"}, "me")
	do("expire", 1, n, err)
	n, err = q.Reroute(Filter{IDs: ids[:2], To: ".example.net"}, "backup")
	do("reroute", 2, n, err)
	q = reopen(t, q, o)
	if c := count(Filter{}); c.Messages != 100 || c.ByState[Held] != 98 || c.ByState[Pending] != 102 || c.Bytes != 100 {
		t.Fatalf("%+v", c)
	}
	j := leaseOne(t, q)
	if j.Envelope.ID != ids[0] || len(j.Rcpts) != 1 || j.Rcpts[0].Route != "backup" {
		t.Fatalf("%+v", j.Rcpts)
	}
	j2 := leaseOne(t, q)
	if len(j2.Rcpts) != 2 || j2.Rcpts[1].Route != "" {
		t.Fatalf("%+v", j2.Rcpts)
	}
	if e, err := q.Get(ids[2]); err != nil || !e.Rcpts[1].Expire || e.Rcpts[1].By != "me" {
		t.Fatal(e, err)
	}
	// A hold during an attempt outlives its temporary failure; an end counts.
	if n, err := q.Hold(Filter{IDs: []string{ids[0], ids[1]}}, "later"); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	settleAll(t, q, j, Pending)
	settleAll(t, q, j2, Delivered)
	if n, err := q.Delete(Filter{IDs: []string{ids[0]}, State: []State{Pending}}, "x"); n != 0 || err != nil {
		t.Error(n, err)
	}
	if _, err := q.Get(ids[1]); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if e, err := q.Get(ids[0]); err != nil || e.Rcpts[0].State != Held || e.Rcpts[0].By != "later" || content(t, e.Message) != "x" {
		t.Error(e, err)
	}
	if q.Stats().Oldest.IsZero() {
		t.Error("the queue has no oldest message")
	}
}

func TestExpireEndsAWaitThatIsUnderWay(t *testing.T) {
	q := openQueue(t, t.TempDir(), small(t))
	id := putMail(t, q, "x", env(1))
	j := leaseOne(t, q)
	if n, err := q.Expire(Filter{IDs: []string{id}}, "me"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if err := q.Settle(j, []Result{{Index: 0, Next: time.Now().Add(time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	if j = leaseOne(t, q); !j.Rcpts[0].Expire {
		t.Fatalf("%+v", j.Rcpts)
	}
}

func TestAHeldMessageWaitsForAnOperator(t *testing.T) {
	q := openQueue(t, t.TempDir(), small(t))
	d := q.Draft(q.NewID())
	e := env(1)
	if err := q.PutHeld(t.Context(), d, e, "greylist"); err != nil {
		t.Fatal(err)
	}
	if js, _ := q.take(9); len(js) != 0 {
		t.Fatal("a held message was leased")
	}
	if n, err := q.Release(Filter{}, "me"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	leaseOne(t, q)
}

func TestSpaceComesBackAndWhatIsHeldIsMoved(t *testing.T) {
	o := small(t)
	q := openQueue(t, t.TempDir(), o)
	rnd := rand.New(rand.NewPCG(1, 2))
	kept := map[string]string{}
	for i := range 1500 {
		body := strings.Repeat(fmt.Sprint(i, " "), 1+rnd.IntN(600))
		if i%40 == 0 {
			d := q.Draft(q.NewID())
			io.WriteString(d, body)
			e := env(2)
			if err := q.PutHeld(t.Context(), d, e, "op"); err != nil {
				t.Fatal(err)
			}
			kept[e.ID] = body
			continue
		}
		putMail(t, q, body, env(1))
		settleAll(t, q, leaseOne(t, q), Delivered)
		if i%50 == 0 {
			signal(q.checkpointNow)
		}
	}
	if err := q.barrier(); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if s := q.Stats(); s.LogBytes <= logShare*s.LiveBytes+(logSlack+2)*o.SegmentSize {
			break
		}
		signal(q.checkpointNow)
		time.Sleep(5 * time.Millisecond)
	}
	s := q.Stats()
	if q.log.head.seq < 20 || s.LogBytes > logShare*s.LiveBytes+(logSlack+2)*o.SegmentSize {
		t.Errorf("%d segments for %d octets of mail, head %d", s.Segments, s.LiveBytes, q.log.head.seq)
	}
	same := func() {
		t.Helper()
		n := 0
		if err := q.List(Filter{}, func(e *Entry) bool {
			n++
			if got := content(t, e.Message); got != kept[e.ID] || e.Rcpts[1].State != Held {
				t.Errorf("%s was changed by moving", e.ID)
			}
			return true
		}); err != nil || n != len(kept) {
			t.Fatal(n, err)
		}
	}
	same()
	dir := q.dir
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	rep, err := check(dir, o)
	if err != nil || len(rep.Faults) > 0 || rep.Messages != len(kept) || rep.Behind != 0 {
		t.Fatalf("%+v %v", rep, err)
	}
	before := rep.LogBytes
	if rep, err = compact(dir, o); err != nil || rep.LogBytes > before || rep.LogBytes > rep.LiveBytes+4*o.SegmentSize {
		t.Fatalf("%+v %v", rep, err)
	}
	steps := 0
	if err := rebuild(dir, o, func(done, total int64) { steps++ }); err != nil || steps == 0 {
		t.Fatal(err)
	}
	if rep, err = check(dir, o); err != nil || len(rep.Faults) > 0 || rep.Messages != len(kept) {
		t.Fatalf("%+v %v", rep, err)
	}
	q = openQueue(t, dir, o)
	same()
	if n, err := q.Delete(Filter{}, "me"); n != len(kept) || err != nil {
		t.Fatal(n, err)
	}
	if q.Stats().LiveBytes != 0 {
		t.Error(q.Stats().LiveBytes)
	}
}

func TestADirectoryThatIsNoSpoolIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	if _, err := Check(dir); err == nil {
		t.Error("an empty folder was checked")
	}
	if _, err := Check(filepath.Join(dir, "none")); err == nil {
		t.Error("a missing folder was checked")
	}
	if es, _ := os.ReadDir(dir); len(es) != 0 {
		t.Error("the folder was changed")
	}
	f := filepath.Join(dir, "file")
	if err := os.WriteFile(f, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(f, Options{}); err == nil {
		t.Error("a file was opened as a spool")
	}
}

func TestMemoryDoesNotGrowWithTheQueue(t *testing.T) {
	o := small(t)
	q := openQueue(t, t.TempDir(), o)
	for range 1000 {
		putMail(t, q, "x", env(1))
		q.mu.Lock()
		live := len(q.live)
		q.mu.Unlock()
		if live > 4*o.ActiveLimit {
			// The checkpoint runs beside; give it the processor.
			signal(q.checkpointNow)
			time.Sleep(time.Millisecond)
		}
	}
	for range 500 {
		q.mu.Lock()
		live := len(q.live)
		q.mu.Unlock()
		if live <= 2*o.ActiveLimit {
			return
		}
		signal(q.checkpointNow)
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%+v", q.Stats())
}

func TestStatesAndFateHaveNames(t *testing.T) {
	for s := Pending; s <= Held; s++ {
		if got, ok := ParseState(s.String()); !ok || got != s {
			t.Error(s)
		}
	}
	if _, ok := ParseState("x"); ok || State(99).String() != "unknown" {
		t.Error("a state from nowhere")
	}
	if !reflect.DeepEqual([]bool{Pending.Ended(), Held.Ended(), Delivered.Ended()}, []bool{false, false, true}) {
		t.Error("ends")
	}
}
