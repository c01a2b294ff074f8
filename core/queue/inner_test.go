package queue

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/sdk"
)

// byHand opens a queue whose checkpoints come only when the test makes them.
func byHand(t *testing.T, o Options) *Queue {
	t.Helper()
	o.defaults()
	q, err := prepare(t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.start(nil); err != nil {
		t.Fatal(err)
	}
	q.run(false)
	t.Cleanup(func() { q.Close() })
	return q
}

func TestCompactionSavesWhatDamageLeft(t *testing.T) {
	q := byHand(t, small(t))
	hold := func(body string) *message {
		d := q.Draft(q.NewID())
		io.WriteString(d, body)
		e := env(1)
		if err := q.PutHeld(t.Context(), d, e, "op"); err != nil {
			t.Fatal(err)
		}
		q.mu.Lock()
		defer q.mu.Unlock()
		return q.find(d.id)
	}
	whole, body, head := hold("whole"), hold("damaged body"), hold("damaged header")
	for q.log.head.seq < 3 {
		putMail(t, q, strings.Repeat("f", 5000), env(1))
		settleAll(t, q, leaseOne(t, q), Delivered)
	}
	f, err := os.OpenFile(filepath.Join(q.log.dir, segName(1)), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	flip := func(off int64) {
		var b [1]byte
		if _, err := f.ReadAt(b[:], off); err != nil {
			t.Fatal(err)
		}
		b[0] ^= 4
		if _, err := f.WriteAt(b[:], off); err != nil {
			t.Fatal(err)
		}
	}
	flip(int64(body.loc.off + body.loc.body + 3))
	flip(int64(head.loc.off + 9))
	for range 20 {
		q.checkpoint(opening)
		q.freeTail()
		q.compactSome()
	}
	if err := q.barrier(); err != nil {
		t.Fatal(err)
	}
	if q.log.tail == 1 {
		t.Fatalf("the segment was not emptied: %d messages in it", q.log.segs[1].count)
	}
	check := func(when string) {
		t.Helper()
		for m, want := range map[*message]string{whole: "whole", head: "damaged header"} {
			e, err := q.Get(m.id.String())
			if err != nil || content(t, e.Message) != want {
				t.Fatal(when, want, err)
			}
		}
		e, err := q.Get(body.id.String())
		if err != nil || !e.Damaged || e.Rcpts[0].State != Held {
			t.Fatal(when, e, err)
		}
		if _, err := e.Message.Open(); !errors.Is(err, errDamaged) {
			t.Fatal(when, err)
		}
	}
	check("running")
	if names, _ := os.ReadDir(filepath.Join(q.dir, "quarantine")); len(names) == 0 {
		t.Error("the damaged body is in no place any more")
	}
	dir, o := q.dir, q.o
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if err := rebuild(dir, o, nil); err != nil {
		t.Fatal(err)
	}
	q = openQueue(t, dir, o)
	check("rebuilt")
}

func TestAFaultOfTheIndexCostsNoMail(t *testing.T) {
	q := byHand(t, small(t))
	id := putMail(t, q, "x", env(1))
	if err := q.index.db.Close(); err != nil {
		t.Fatal(err)
	}
	q.checkpoint(routine)
	if q.stopped.Load() || !q.indexFault || len(q.dirty) != 1 {
		t.Fatal("stopped", q.stopped.Load(), len(q.dirty))
	}
	putMail(t, q, "y", env(1))
	q.checkpoint(routine)
	if q.indexFault || len(q.dirty) != 0 {
		t.Fatal("the index was not opened again")
	}
	if c, err := survey(q.disk, indexPath(q.dir), q.count); err != nil || c.messages != 2 {
		t.Fatal(c, err)
	}
	if e, err := q.Get(id); err != nil || content(t, e.Message) != "x" {
		t.Fatal(err)
	}
}

func TestDamageFoundInTheIndexStopsTheQueueUntilItIsMadeAnew(t *testing.T) {
	o := small(t)
	q := byHand(t, o)
	id := putMail(t, q, "x", env(1))
	q.mu.Lock()
	q.indexBroken(errIndex)
	q.mu.Unlock()
	if err := q.Put(t.Context(), q.Draft(q.NewID()), env(1)); !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	if err := q.Close(); !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	q = openQueue(t, q.dir, o)
	if e, err := q.Get(id); err != nil || content(t, e.Message) != "x" {
		t.Fatal(err)
	}
}

func TestATruncatedRecordIsRefused(t *testing.T) {
	m := &message{id: 5, env: env(3), arrived: 9, size: 100}
	m.env.Notes, m.env.Origin.IP, m.env.Recipients[1].ORcpt = sdk.Notes{"a": "b"}, "192.0.2.1", "rfc822;x"
	m.fresh()
	m.rcpts[1] = rcpt{state: Held, by: "x", last: &sdk.Outcome{Status: sdk.StatusDeferred, TLS: "y"}, attempts: 3}
	b := appendMessage(nil, m, m.rcpts, true)
	for i := range b {
		if _, err := decodeMessage(5, b[:i]); err == nil {
			t.Fatalf("%d of %d bytes are taken for a message", i, len(b))
		}
	}
	c := appendChanges(nil, []change{{kind: chResult, to: m.rcpts[1]}, {index: 1, kind: chHold}})
	for i := range c {
		if _, err := decodeChanges(c[:i]); err == nil {
			t.Fatalf("%d of %d bytes are taken for changes", i, len(c))
		}
	}
	if _, err := decodeMessage(5, append(b, 0)); err == nil {
		t.Error("bytes behind a message are overlooked")
	}
}

func TestVectoredWritesOfAnySize(t *testing.T) {
	f, err := OS().Open(filepath.Join(t.TempDir(), "f"), true)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var bufs [][]byte
	for i := range 3000 {
		bufs = append(bufs, bytes.Repeat([]byte{byte(i)}, i%7))
	}
	want := bytes.Join(bufs, nil)
	n, err := f.WriteVec(bufs, 5)
	if err != nil || n != int64(len(want)) {
		t.Fatal(n, err)
	}
	got := make([]byte, len(want))
	if _, err := f.ReadAt(got, 5); err != nil || !bytes.Equal(got, want) {
		t.Fatal(err)
	}
	if free, err := OS().Free(t.TempDir()); err != nil || free <= 0 {
		t.Error(free, err)
	}
}

func TestABodyInMemoryReadsLikeAFile(t *testing.T) {
	var p pools
	b := newBuffer(&p)
	want := strings.Repeat("0123456789abcdef", 10_000)
	for i := 0; i < len(want); i += 999 {
		b.Write([]byte(want[i:min(i+999, len(want))]))
	}
	r := &memBody{buf: b.retain()}
	for _, c := range []struct{ off, n int }{{0, 10}, {smallChunk - 3, 10}, {smallChunk + largeChunk - 1, 70_000}, {len(want) - 5, 5}} {
		got := make([]byte, c.n)
		if n, err := r.ReadAt(got, int64(c.off)); n != c.n || err != nil || string(got) != want[c.off:c.off+c.n] {
			t.Errorf("%+v: %d %v", c, n, err)
		}
	}
	if n, err := r.ReadAt(make([]byte, 9), int64(len(want))-4); n != 4 || err != io.EOF {
		t.Error(n, err)
	}
	if n, err := r.ReadAt(make([]byte, 9), int64(len(want))); n != 0 || err != io.EOF {
		t.Error(n, err)
	}
	io.CopyN(io.Discard, struct{ io.Reader }{r}, 10_000)
	var rest bytes.Buffer
	if n, err := r.WriteTo(&rest); err != nil || rest.String() != want[10_000:] || n != int64(rest.Len()) {
		t.Error(n, err)
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Error(err)
	}
}
