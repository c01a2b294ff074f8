package queue

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// life is a short life of a queue, in which every kind of call to the disk
// happens. It answers what was acknowledged and not delivered since.
func life(t *testing.T, w *world) (acked map[string]string) {
	acked = map[string]string{}
	if err := w.open(); err != nil {
		if w.q != nil {
			t.Fatal("an error and a queue")
		}
		return acked
	}
	for i := range 60 {
		body := strings.Repeat("m", 200*(i%20))
		d := w.q.Draft(w.q.NewID())
		_, err := io.WriteString(d, body)
		e := env(1)
		if err == nil {
			err = w.q.Put(context.Background(), d, e)
		}
		d.Discard()
		switch {
		case err == nil:
			acked[e.ID] = body
		case errors.Is(err, ErrNoSpace), errors.Is(err, ErrStopped), strings.Contains(err.Error(), "body"):
		default:
			t.Fatalf("put: %v", err)
		}
		if i%3 == 0 {
			jobs, _ := w.q.take(2)
			for _, j := range jobs {
				s := Delivered
				if i%2 == 0 {
					s = Pending
				}
				if err := w.q.Settle(j, []Result{{Index: 0, State: s, Outcome: sdk.Outcome{Status: sdk.StatusDelivered}}}); err == nil && s == Delivered {
					delete(acked, j.Envelope.ID)
				}
			}
		}
		if i%20 == 5 {
			signal(w.q.checkpointNow)
			time.Sleep(200 * time.Microsecond)
		}
	}
	if err := w.q.Close(); err != nil && !w.q.stopped.Load() {
		t.Logf("close: %v", err)
	}
	return acked
}

// survivors checks that the spool holds what was acknowledged.
func survivors(t *testing.T, w *world, call string, acked map[string]string) {
	t.Helper()
	w.disk.fail = nil
	if err := w.open(); err != nil {
		t.Fatalf("%s: the spool cannot be opened any more: %v", call, err)
	}
	defer w.q.Close()
	for id, body := range acked {
		e, err := w.q.Get(id)
		if err != nil {
			t.Fatalf("%s: %s was acknowledged and is lost: %v\n%v", call, id, err, w.logs)
		}
		if got := content(t, e.Message); got != body {
			t.Fatalf("%s: %s has another body", call, id)
		}
	}
	putMail(t, w.q, "after", env(1))
}

func TestEveryCallToTheDiskMayFailOnce(t *testing.T) {
	tmp := scratch(t)
	fresh := func(i int) *world {
		w := newWorld(uint64(i), tmp())
		w.o.MinFree, w.o.ActiveLimit = -1, 20
		return w
	}
	w := fresh(1)
	w.disk.logOps = true
	survivors(t, w, "no fault", life(t, w))
	calls := len(w.disk.calls)
	if calls < 150 {
		t.Fatal(calls)
	}
	for name, fault := range map[string]func() error{"ENOSPC": noSpaceError, "EIO": ioError} {
		for n := 1; n < calls; n += 3 {
			w := fresh(n)
			at, call := 0, ""
			w.disk.fail = func(op, file string) error {
				at++
				if at == n && (name == "EIO" || op == "write" || op == "allocate" || op == "create") {
					call = name + " at " + op + " " + file
					return fault()
				}
				return nil
			}
			acked := life(t, w)
			stopped := w.q != nil && w.q.stopped.Load()
			if name == "ENOSPC" && stopped {
				t.Fatalf("%s: the queue stopped\n%v", call, w.logs)
			}
			if stopped && !strings.Contains(strings.Join(w.logs, ""), "stopped, because the disk failed") {
				t.Fatalf("%s: the queue stopped in silence", call)
			}
			survivors(t, w, call, acked)
		}
	}
}

func TestAFullDiskDrainsAndRecovers(t *testing.T) {
	w := newWorld(3, scratch(t)())
	w.o.MinFree, w.o.InlineMax = 1000, 60_000
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	defer w.q.Close()
	full := false
	w.disk.fail = func(op, name string) error {
		if full && op == "allocate" {
			return noSpaceError()
		}
		return nil
	}
	w.disk.mu.Lock()
	full = true
	w.disk.mu.Unlock()
	n := 0
	for ; n < 1000; n++ {
		d := w.q.Draft(w.q.NewID())
		io.WriteString(d, strings.Repeat("x", 3000))
		err := w.q.Put(t.Context(), d, env(1))
		d.Discard()
		if errors.Is(err, ErrNoSpace) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 10 || n == 1000 {
		t.Fatalf("%d messages on a full disk", n)
	}
	for range n { // what was accepted is delivered, though the disk is full
		settleAll(t, w.q, leaseOne(t, w.q), Delivered)
	}
	for range 2000 {
		if w.q.Stats().Messages == 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if s := w.q.Stats(); s.Messages != 0 {
		t.Fatalf("outcomes need room on a full disk: %+v", s)
	}
	w.disk.mu.Lock()
	full = false
	w.disk.mu.Unlock()
	putMail(t, w.q, "again", env(1))
	w.disk.mu.Lock()
	w.disk.free = 10
	w.disk.mu.Unlock()
	w.q.spaceAt.Store(-int64(time.Hour))
	if err := w.q.Space(0); !errors.Is(err, ErrNoSpace) {
		t.Error("the low-water mark is not seen:", err)
	}
	d := w.q.Draft(w.q.NewID())
	if err := w.q.Put(t.Context(), d, env(1)); !errors.Is(err, ErrNoSpace) {
		t.Error(err)
	}
	w.disk.mu.Lock()
	w.disk.free = 10_000
	w.disk.mu.Unlock()
	w.q.spaceAt.Store(-int64(time.Hour))
	if err := w.q.Put(t.Context(), d, env(1)); err != nil {
		t.Error("room does not come back:", err)
	}
	if err := w.q.Space(9_500); !errors.Is(err, ErrNoSpace) {
		t.Error("a message larger than the room is welcome")
	}
}

func TestAStoppedQueuePromisesNothing(t *testing.T) {
	w := newWorld(4, scratch(t)())
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	putMail(t, w.q, "before", env(1))
	j := leaseOne(t, w.q)
	w.disk.mu.Lock()
	w.disk.fail = func(op, name string) error {
		if op == "sync" {
			return ioError()
		}
		return nil
	}
	w.disk.mu.Unlock()
	d := w.q.Draft(w.q.NewID())
	if err := w.q.Put(t.Context(), d, env(1)); !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	d.Discard()
	syncs := w.q.Stats().Syncs
	if err := w.q.Put(t.Context(), w.q.Draft(w.q.NewID()), env(1)); !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
	if err := w.q.Settle(j, []Result{{Index: 0, State: Delivered}}); !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
	if _, err := w.q.Lease(t.Context(), 1); !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
	if _, err := w.q.Hold(Filter{}, "x"); !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
	if s := w.q.Stats(); !s.Stopped || s.Syncs != syncs {
		t.Error("a sync was tried again after it had failed")
	}
	if err := w.q.Close(); !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
	w.disk.fail = nil
	if err := w.open(); err != nil {
		t.Fatal(err)
	}
	defer w.q.Close()
	leaseOne(t, w.q)
}
