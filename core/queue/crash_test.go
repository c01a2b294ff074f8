package queue

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

var (
	crashRounds = flag.Int("crash.rounds", 60, "rounds of the crash test")
	crashFrom   = flag.Uint64("crash.from", 1, "the seed of the first round")
	crashSeed   = flag.Uint64("crash.seed", 0, "run this round only")
)

// fate is what may have become of a recipient.
type fate struct {
	state    State
	attempts int
	next     int64
}

// modelRcpt knows the last state that is surely durable, then those that came
// after it, in order.
type modelRcpt struct{ may []fate }

func (r *modelRcpt) last() fate { return r.may[len(r.may)-1] }

type modelMsg struct {
	env   *sdk.Envelope
	body  []byte
	rcpts []modelRcpt
	acked bool
}

func (m *modelMsg) lastEnded() bool {
	for i := range m.rcpts {
		if !m.rcpts[i].last().state.Ended() {
			return false
		}
	}
	return true
}

// world drives a queue and knows what it must remember.
type world struct {
	rnd   *rand.Rand
	disk  *memDisk
	o     Options
	q     *Queue
	clock atomic.Int64
	msgs  map[string]*modelMsg
	ids   map[string]bool
	jobs  []*Job
	logs  []string
	mu    sync.Mutex
}

func newWorld(seed uint64, dir string) *world {
	w := &world{rnd: rand.New(rand.NewPCG(seed, 7)), disk: newMemDisk(seed, dir), msgs: map[string]*modelMsg{}, ids: map[string]bool{}}
	w.clock.Store(time.Unix(1_700_000_000, 0).UnixNano())
	w.o = Options{
		Now:         func() time.Time { return time.Unix(0, w.clock.Load()) },
		SegmentSize: 64 << 10, InlineMax: 3 << 10, CacheBytes: 64 << 10, ActiveLimit: 6 + w.rnd.IntN(30), MinFree: 1,
		Logf: func(f string, a ...any) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if len(w.logs) < 1000 {
				w.logs = append(w.logs, fmt.Sprintf(f, a...))
			}
		},
	}
	return w
}

func (w *world) open() (err error) {
	w.o.Disk = w.disk
	w.q, err = Open("/spool", w.o)
	w.jobs = nil
	return err
}

func (w *world) envelope() *sdk.Envelope {
	e := &sdk.Envelope{From: fmt.Sprintf("s%d@example.org", w.rnd.IntN(5)), Arrived: time.Unix(0, w.clock.Load()),
		Notes: sdk.Notes{"p.k": fmt.Sprint(w.rnd.IntN(3))}, Origin: sdk.Origin{IP: "192.0.2.1", Helo: "c.example"}, EnvID: "x", SMTPUTF8: w.rnd.IntN(2) == 0}
	n := 1 + w.rnd.IntN(3)
	if w.rnd.IntN(20) == 0 {
		n = 100 + w.rnd.IntN(200)
	}
	for i := range n {
		e.Recipients = append(e.Recipients, sdk.Recipient{Addr: fmt.Sprintf("r%d@d%d.example", i, w.rnd.IntN(4)), Notify: sdk.Notify(w.rnd.IntN(16)), ORcpt: "rfc822;a"})
	}
	return e
}

func (w *world) body() []byte {
	n := w.rnd.IntN(3000)
	if w.rnd.IntN(6) == 0 {
		n = w.rnd.IntN(40_000)
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(w.rnd.Uint32())
	}
	return b
}

func (w *world) newID() (string, error) {
	id := w.q.NewID()
	if w.ids[id] {
		return "", fmt.Errorf("the ID %s was given out twice", id)
	}
	w.ids[id] = true
	return id, nil
}

// draft writes a body in pieces.
func (w *world) draft(id string, body []byte) (*Draft, error) {
	d := w.q.Draft(id)
	for len(body) > 0 {
		n := min(1+w.rnd.IntN(2000), len(body))
		if _, err := d.Write(body[:n]); err != nil {
			return d, err
		}
		body = body[n:]
	}
	return d, nil
}

// put puts some messages at once.
func (w *world) put() error {
	type try struct {
		d   *Draft
		m   *modelMsg
		env *sdk.Envelope
		err error
	}
	var tries []*try
	for range 1 + w.rnd.IntN(4) {
		id, err := w.newID()
		if err != nil {
			return err
		}
		env, body := w.envelope(), w.body()
		d, err := w.draft(id, body)
		if err != nil || w.rnd.IntN(12) == 0 {
			d.Discard()
			continue
		}
		m := &modelMsg{env: env, body: body}
		for range env.Recipients {
			m.rcpts = append(m.rcpts, modelRcpt{[]fate{{next: w.clock.Load()}}})
		}
		w.msgs[id] = m
		c := *env
		tries = append(tries, &try{d: d, m: m, env: &c})
	}
	var wg sync.WaitGroup
	for _, t := range tries {
		wg.Add(1)
		go func() {
			defer wg.Done()
			t.err = w.q.Put(context.Background(), t.d, t.env)
			t.d.Discard()
		}()
	}
	wg.Wait()
	for _, t := range tries {
		switch {
		case t.err == nil:
			t.m.acked = true
			t.m.env.ID, t.m.env.Size = t.env.ID, t.env.Size
			w.settleDurable()
		case errors.Is(t.err, ErrNoSpace):
			delete(w.msgs, t.d.id.String()) // 452: it must not be there
		default:
			t.m.env.ID, t.m.env.Size = t.d.id.String(), int64(len(t.m.body))
		}
	}
	return nil
}

// settleDurable: all that was settled before something that was acknowledged is
// durable with it.
func (w *world) settleDurable() {
	for id, m := range w.msgs {
		for i := range m.rcpts {
			m.rcpts[i].may = m.rcpts[i].may[len(m.rcpts[i].may)-1:]
		}
		if m.acked && m.lastEnded() {
			delete(w.msgs, id)
		}
	}
}

func readBody(m sdk.Message) ([]byte, error) {
	b, err := m.Open()
	if err != nil {
		return nil, err
	}
	defer b.Close()
	return io.ReadAll(b)
}

func (w *world) lease() error {
	jobs, _ := w.q.take(1 + w.rnd.IntN(4))
	for _, j := range jobs {
		m := w.msgs[j.Envelope.ID]
		if m == nil {
			return fmt.Errorf("%s was leased and is not in the queue", j.Envelope.ID)
		}
		for _, o := range w.jobs {
			if o.Envelope.ID == j.Envelope.ID {
				return fmt.Errorf("%s was leased twice", j.Envelope.ID)
			}
		}
		for _, r := range j.Rcpts {
			f := m.rcpts[r.Index].last()
			if f.state != Pending || f.next > w.clock.Load() || f.attempts != r.Attempts {
				return fmt.Errorf("%s, recipient %d: leased as %+v, is %+v", j.Envelope.ID, r.Index, r, f)
			}
		}
		w.jobs = append(w.jobs, j)
		body, err := readBody(j.Message)
		if err != nil && !w.dead() {
			return fmt.Errorf("%s: %v", j.Envelope.ID, err)
		}
		if err == nil && !bytes.Equal(body, m.body) {
			return fmt.Errorf("%s was leased with another body", j.Envelope.ID)
		}
	}
	return nil
}

func (w *world) dead() bool {
	w.disk.mu.Lock()
	defer w.disk.mu.Unlock()
	return w.disk.off || w.q.stopped.Load()
}

func (w *world) settle() error {
	if len(w.jobs) == 0 {
		return nil
	}
	i := w.rnd.IntN(len(w.jobs))
	j := w.jobs[i]
	if w.rnd.IntN(15) == 0 {
		w.q.Return(j)
		w.jobs = slices.Delete(w.jobs, i, i+1)
		return nil
	}
	var rs []Result
	m := w.msgs[j.Envelope.ID]
	left := 0
	for k := range j.Rcpts {
		r := &j.Rcpts[k]
		if r.settled {
			continue
		}
		if w.rnd.IntN(8) == 0 {
			left++
			continue
		}
		res := Result{Index: r.Index, State: Delivered, Outcome: sdk.Outcome{Status: sdk.StatusDelivered, Reply: sdk.Reply{Code: 250, Text: "ok"}}}
		f := fate{Delivered, r.Attempts + 1, 0}
		switch w.rnd.IntN(5) {
		case 0:
			next := w.clock.Load() + int64(w.rnd.IntN(20))*int64(time.Second)
			res = Result{Index: r.Index, Next: time.Unix(0, next), Outcome: sdk.Outcome{Status: sdk.StatusDeferred}}
			f = fate{Pending, r.Attempts + 1, next}
		case 1:
			res = Result{Index: r.Index, State: Failed, Outcome: sdk.Outcome{Status: sdk.StatusFailed}}
			f = fate{Failed, r.Attempts + 1, 0}
		}
		rs = append(rs, res)
		m.rcpts[r.Index].may = append(m.rcpts[r.Index].may, f)
	}
	var dsns []*New
	if w.rnd.IntN(4) == 0 && len(rs) > 0 {
		id, err := w.newID()
		if err != nil {
			return err
		}
		body := w.body()
		env := &sdk.Envelope{Recipients: []sdk.Recipient{{Addr: "s@example.org"}}}
		if d, err := w.draft(id, body); err == nil {
			c := *env
			dsns = append(dsns, &New{d, &c})
			env.ID, env.Size = id, int64(len(body))
			w.msgs[id] = &modelMsg{env: env, body: body, rcpts: []modelRcpt{{[]fate{{next: w.clock.Load()}}}}}
		} else {
			d.Discard()
		}
	}
	if err := w.q.Settle(j, rs, dsns...); err != nil && !w.dead() {
		return err
	}
	if left == 0 {
		w.jobs = slices.Delete(w.jobs, i, i+1)
	}
	return nil
}

// operate runs a command of an operator on what is not leased.
func (w *world) operate() error {
	var f Filter
	leased := map[string]bool{}
	for _, j := range w.jobs {
		leased[j.Envelope.ID] = true
	}
	for id, m := range w.msgs {
		if !leased[id] && m.acked && !m.lastEnded() && len(f.IDs) < 3 {
			f.IDs = append(f.IDs, id)
		}
	}
	if len(f.IDs) == 0 {
		return nil
	}
	kind := w.rnd.IntN(4)
	var err error
	var n int
	switch kind {
	case 0:
		n, err = w.q.Hold(f, "op")
	case 1:
		n, err = w.q.Release(f, "op")
	case 2:
		n, err = w.q.Delete(f, "op")
	case 3:
		n, err = w.q.Flush(f, "op")
	}
	if err != nil && !w.dead() {
		return err
	}
	for _, id := range f.IDs {
		for i := range w.msgs[id].rcpts {
			r := &w.msgs[id].rcpts[i]
			to := r.last()
			switch {
			case to.state.Ended():
			case kind == 0 && to.state == Pending:
				to.state = Held
			case kind == 1 && to.state == Held:
				to.state, to.next = Pending, w.clock.Load()
			case kind == 2:
				to.state = Discarded
			case kind == 3 && to.state == Pending:
				to.next = min(to.next, w.clock.Load())
			}
			r.may = append(r.may, to)
		}
	}
	if err == nil && n > 0 {
		w.settleDurable()
	}
	return nil
}

func (w *world) step() error {
	switch n := w.rnd.IntN(100); {
	case n < 30:
		return w.put()
	case n < 50:
		return w.lease()
	case n < 75:
		return w.settle()
	case n < 80:
		return w.operate()
	case n < 88:
		w.clock.Add(int64(w.rnd.IntN(10)) * int64(time.Second))
	case n < 97:
		signal(w.q.checkpointNow)
		time.Sleep(time.Duration(w.rnd.IntN(300)) * time.Microsecond)
	default:
		return w.verify(false)
	}
	return nil
}

// verify compares the queue with the model. After a crash the model learns
// which of the possible fates came true.
func (w *world) verify(crashed bool) error {
	got := map[string]*Entry{}
	err := w.q.List(Filter{}, func(e *Entry) bool {
		if got[e.ID] != nil {
			err := fmt.Errorf("%s is listed twice", e.ID)
			panic(err)
		}
		got[e.ID] = e
		return true
	})
	if err != nil {
		if w.dead() {
			return nil
		}
		return err
	}
	for id, e := range got {
		m := w.msgs[id]
		if m == nil {
			return fmt.Errorf("%s is a ghost: it was never put, or had ended", id)
		}
		if !sameEnvelope(e.Envelope, m.env) {
			return fmt.Errorf("%s has another envelope:\n%+v\n%+v", id, e.Envelope, m.env)
		}
		for i := range e.Rcpts {
			r := &m.rcpts[i]
			have := e.Rcpts[i]
			at := slices.IndexFunc(r.may, func(f fate) bool {
				return f.state == have.State && f.attempts == have.Attempts && (f.state != Pending || f.next == have.Next.UnixNano())
			})
			if at < 0 {
				return fmt.Errorf("%s, recipient %d is %+v, may be %+v", id, i, have, r.may)
			}
			if crashed {
				r.may = []fate{r.may[at]}
			}
		}
		if crashed {
			m.acked = true
		}
		body, err := readBody(e.Message)
		if err != nil && !w.dead() && !errors.Is(err, ErrNotFound) {
			return fmt.Errorf("%s: %v", id, err)
		}
		if err == nil && !bytes.Equal(body, m.body) {
			return fmt.Errorf("%s has another body", id)
		}
	}
	for id, m := range w.msgs {
		if got[id] != nil {
			continue
		}
		ended := true
		for i := range m.rcpts {
			ended = ended && slices.ContainsFunc(m.rcpts[i].may, func(f fate) bool { return f.state.Ended() })
		}
		if m.acked && !ended {
			return fmt.Errorf("%s was acknowledged and is LOST", id)
		}
		if crashed {
			delete(w.msgs, id)
		}
	}
	if s := w.q.Stats(); crashed && s.Messages != len(w.msgs) {
		return fmt.Errorf("%d messages are counted and %d are there", s.Messages, len(w.msgs))
	}
	return nil
}

func sameEnvelope(a, b *sdk.Envelope) bool {
	x, y := *a, *b
	same := x.Arrived.Equal(y.Arrived)
	x.Arrived, y.Arrived = time.Time{}, time.Time{}
	return same && maps.Equal(x.Notes, y.Notes) && (x.Notes == nil) == (y.Notes == nil) && reflect.DeepEqual(x, y)
}

// drain delivers everything and checks that nothing is left out.
func (w *world) drain() error {
	for n := range 2_000 {
		w.clock.Add(int64(time.Minute))
		release := n%10 == 0
		if release {
			if _, err := w.q.Release(Filter{}, "end"); err != nil {
				return err
			}
		}
		for _, m := range w.msgs {
			for i := range m.rcpts {
				if release && m.rcpts[i].last().state == Held {
					m.rcpts[i].may = []fate{{Pending, m.rcpts[i].last().attempts, w.clock.Load()}}
				}
			}
		}
		if err := w.lease(); err != nil {
			return err
		}
		if len(w.jobs) == 0 {
			time.Sleep(time.Millisecond)
		}
		for len(w.jobs) > 0 {
			if err := w.settle(); err != nil {
				return err
			}
		}
		if err := w.put0(); err != nil {
			return err
		}
		if w.q.Stats().Messages == 0 {
			if len(w.msgs) != 0 {
				return fmt.Errorf("the queue is empty and %d messages were never delivered", len(w.msgs))
			}
			return nil
		}
	}
	return fmt.Errorf("the queue does not drain: %+v, model %d", w.q.Stats(), len(w.msgs))
}

// put0 makes what was settled durable.
func (w *world) put0() error {
	if err := w.q.barrier(); err != nil {
		return err
	}
	for _, m := range w.msgs {
		m.acked = true
	}
	w.settleDurable()
	return nil
}

// round is one life of a spool with some power cuts in it.
func round(seed uint64, tmp func() string, lie func(*memDisk)) (err error) {
	w := newWorld(seed, tmp())
	lie(w.disk)
	defer func() {
		if err != nil {
			err = fmt.Errorf("seed %d: %w\n%v\n%s", seed, err, w.logs, w.story(err))
		}
	}()
	for range 1 + w.rnd.IntN(4) {
		w.disk.cutAt = 1 + w.rnd.IntN(300)
		err := w.open()
		for n := 0; err == nil && n < 120 && !w.dead(); n++ {
			err = w.step()
		}
		if err != nil && !w.disk.off && !errors.Is(err, errPower) {
			return err
		}
		if w.q != nil && w.rnd.IntN(8) == 0 && !w.dead() {
			if err := w.q.Close(); err == nil {
				w.settleDurable()
			}
		}
		w.disk.mu.Lock()
		if !w.disk.off {
			w.disk.off, w.disk.image = true, w.disk.readIndex()
		}
		w.disk.mu.Unlock()
		if w.q != nil {
			_ = w.q.Close()
		}
		how := []string{"kept", "kept", "kept", "old", "gone", "flipped", "short"}[w.rnd.IntN(7)]
		w.disk = w.disk.crash(w.rnd.Uint64(), tmp(), how)
		w.logs = append(w.logs, "--- crash, index "+how)
		if err := w.open(); err != nil {
			return fmt.Errorf("open after a crash, index %s: %w", how, err)
		}
		if err := w.verify(true); err != nil {
			return fmt.Errorf("after a crash, index %s: %w", how, err)
		}
		if w.q.st.quarantined.Load() > 0 {
			return errors.New("a power cut was taken for damage")
		}
		if err := w.q.Close(); err != nil {
			return err
		}
		if w.rnd.IntN(2) == 0 {
			if err := w.rebuild(); err != nil {
				return fmt.Errorf("after a crash, index %s, and a second start without it: %w", how, err)
			}
		}
	}
	w.disk.cutAt = 0
	if err := w.open(); err != nil {
		return err
	}
	if err := w.drain(); err != nil {
		return err
	}
	return w.q.Close()
}

// rebuild starts from the log alone. What the start before it found, with
// whatever index there was, must be found again: the log is the truth, and it
// does not change its mind about what a crash has left.
func (w *world) rebuild() error {
	if err := os.Remove(indexPath(w.disk.real)); err != nil {
		return err
	}
	w.disk.story.note(w.disk.ops, "NO INDEX for the next start", "")
	if err := w.open(); err != nil {
		return err
	}
	if err := w.verify(true); err != nil {
		return err
	}
	if w.q.st.quarantined.Load() > 0 {
		return errors.New("what an earlier power cut left was taken for damage")
	}
	return w.q.Close()
}

func scratch(t testing.TB) func() string {
	base := t.TempDir()
	if st, err := os.Stat("/dev/shm"); err == nil && st.IsDir() {
		if dir, err := os.MkdirTemp("/dev/shm", "queue"); err == nil {
			base = dir
			t.Cleanup(func() { os.RemoveAll(dir) })
		}
	}
	return func() string {
		dir, err := os.MkdirTemp(base, "index")
		if err != nil {
			t.Fatal(err)
		}
		return dir
	}
}

func TestNothingAcknowledgedIsLostByPowerCutsAtEveryWrite(t *testing.T) {
	tmp := scratch(t)
	if *crashSeed != 0 {
		if err := round(*crashSeed, tmp, func(*memDisk) {}); err != nil {
			t.Fatal(err)
		}
		return
	}
	n := *crashRounds
	if testing.Short() {
		n = 20
	}
	for seed := range uint64(n) {
		if err := round(*crashFrom+seed, tmp, func(*memDisk) {}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheCrashTestCatchesADiskThatDoesNotSync(t *testing.T) {
	tmp := scratch(t)
	for name, lie := range map[string]func(*memDisk){
		"files":   func(d *memDisk) { d.noSync = true },
		"folders": func(d *memDisk) { d.noDirs = true },
	} {
		caught := false
		for seed := uint64(1); seed <= 40 && !caught; seed++ {
			caught = round(seed, tmp, lie) != nil
		}
		if !caught {
			t.Errorf("a disk that does not sync %s goes unnoticed", name)
		}
	}
}
