package queue

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// tornSpool is a spool on a disk whose power fails when the test says so. No
// goroutine of the queue runs: the test makes the commits itself, so that each
// run writes the same bytes.
type tornSpool struct {
	t    *testing.T
	tmp  func() string
	disk *memDisk
	o    Options
	q    *Queue
}

func newTornSpool(t *testing.T) *tornSpool {
	tmp := scratch(t)
	s := &tornSpool{t: t, tmp: tmp, disk: newMemDisk(1, tmp())}
	s.o = small(t)
	s.o.defaults()
	s.o.Now = func() time.Time { return time.Unix(1_700_000_000, 0) }
	return s
}

// start opens the spool without goroutines.
func (s *tornSpool) start() error {
	s.t.Helper()
	s.o.Disk = s.disk
	q, err := prepare("/spool", s.o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.q = q
	_, err = q.start(nil)
	return err
}

func (s *tornSpool) mustStart() {
	s.t.Helper()
	if err := s.start(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *tornSpool) draft(body string) *Draft {
	d := s.q.Draft(s.q.NewID())
	if _, err := io.WriteString(d, body); err != nil {
		s.t.Fatal(err)
	}
	return d
}

// put is a transaction of a new message.
func (s *tornSpool) put(body string) (*tx, string) {
	s.t.Helper()
	d := s.draft(body)
	m, err := s.q.prepare(d, env(1))
	if err != nil {
		s.t.Fatal(err)
	}
	t := &tx{puts: 1, done: make(chan error, 1)}
	t.recs = []record{d.record(m, nil, false)}
	return t, d.id.String()
}

// mustPut makes a message ours: after it 250 is said.
func (s *tornSpool) mustPut(body string) string {
	s.t.Helper()
	t, id := s.put(body)
	s.q.commit([]*tx{t}, nil)
	if err := <-t.done; err != nil {
		s.t.Fatal(err)
	}
	return id
}

// head is the file that is written to, as the disk knows it.
func (s *tornSpool) head() *inode { return s.q.log.head.file.(*memFile).ino }

// crash takes the power away. The index is as how says, and of the log there is
// what the disk had been told to sync.
func (s *tornSpool) crash(how string) {
	s.disk.mu.Lock()
	if !s.disk.off {
		s.disk.off, s.disk.image = true, s.disk.readIndex()
	}
	s.disk.mu.Unlock()
	if err := s.q.closeAll(); err != nil {
		s.t.Fatal(err)
	}
	s.disk = s.disk.crash(1, s.tmp(), how)
}

// close ends the queue in order.
func (s *tornSpool) close() {
	s.t.Helper()
	s.q.checkpoint(closing)
	if err := s.q.closeAll(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *tornSpool) picture() map[string]string { return picture(s.t, s.q) }

// A transaction of which a crash leaves a part did not happen, and it must not
// happen at a later start either. The first start makes the torn place a void
// record, and that once stood for the missing part: the next start that read
// the whole log took outcomes of an attempt whose DSN was torn, and the
// message, acknowledged and never delivered, was gone.
func TestATransactionThatWasTornStaysUndoneWhenTheIndexIsMadeAnew(t *testing.T) {
	for torn, what := range []string{"its first DSN", "its second DSN", "the outcome"} {
		t.Run(what, func(t *testing.T) {
			s := newTornSpool(t)
			s.mustStart()
			id := s.mustPut("ours")
			jobs, _ := s.q.take(1)
			if len(jobs) != 1 {
				t.Fatalf("%d jobs", len(jobs))
			}
			var dsns []*New
			for range 2 {
				dsns = append(dsns, &New{s.draft(strings.Repeat("dsn ", 700)), &sdk.Envelope{Recipients: []sdk.Recipient{{Addr: "a@example.org"}}}})
			}
			failed := Result{Index: 0, State: Failed, Outcome: sdk.Outcome{Status: sdk.StatusFailed, Reply: sdk.Reply{Code: 550, Text: strings.Repeat("no", 1000)}}}
			if err := s.q.Settle(jobs[0], []Result{failed}, dsns...); err != nil {
				t.Fatal(err)
			}
			with, other := s.put("in the same group")
			s.dieAt("sync")
			s.q.commit(append(s.q.com.fifo, with), nil)
			if err := <-with.done; err == nil {
				t.Fatal("the power did not fail")
			}
			tear(t, s.head(), torn)
			s.crash("kept")

			s.mustStart()
			want := s.picture()
			if len(want) != 2 || want[id] == "" || want[other] == "" {
				t.Fatalf("the first start finds %v", want)
			}
			s.close()
			for again := range 2 {
				if err := os.Remove(filepath.Join(s.disk.real, "index.bolt")); err != nil {
					t.Fatal(err)
				}
				s.mustStart()
				s.same(fmt.Sprintf("start %d from the log alone", again+1), want)
				s.close()
			}
		})
	}
}

// A rebuild of a large queue makes checkpoints on its way. If the power fails
// after one that stands at the end of the log, the next start goes on from
// there; it once began to count groups anew, and what it acknowledged was taken
// for the rest of an old commit by the next start that read the whole log.
func TestAStartThatDiesWithinARebuildUsesNoGroupNumberAgain(t *testing.T) {
	s := newTornSpool(t)
	s.mustStart()
	for len(s.q.live) <= s.q.dirtyLimit() {
		s.mustPut("mail")
	}
	s.crash("gone")
	s.dieAt("sync")
	if err := s.start(); err == nil || s.q.st.checkpoints.Load() != 1 {
		t.Fatalf("%v, %d checkpoints", err, s.q.st.checkpoints.Load())
	}
	s.crash("kept")

	s.mustStart()
	group := s.q.log.group
	s.mustPut("acknowledged")
	want := s.picture()
	s.crash("gone")
	s.mustStart()
	s.same("a start from the log alone", want)
	if group <= uint64(len(want)) {
		t.Errorf("the commit behind %d others has number %d", len(want), group)
	}
	s.close()
}

// The same checkpoint must not stand behind a torn place that is not a void
// record yet: nobody would look at it again until the index is made anew, and
// by then it looks like damage to something that was acknowledged.
func TestAStartThatDiesWithinARebuildLeavesNoTornPlaceBehind(t *testing.T) {
	s := newTornSpool(t)
	s.mustStart()
	for len(s.q.live) < s.q.dirtyLimit() {
		s.mustPut("mail")
	}
	torn, _ := s.put(strings.Repeat("torn ", 500))
	whole, _ := s.put("whole")
	s.dieAt("sync")
	s.q.commit([]*tx{torn, whole}, nil)
	tear(t, s.head(), 0)
	s.crash("gone")

	s.dieAt("write")
	if err := s.start(); err == nil {
		t.Fatal("the power did not fail")
	}
	s.crash("kept")
	s.mustStart()
	s.mustPut("later")
	want := s.picture()
	s.crash("gone")
	s.mustStart()
	s.same("a start from the log alone", want)
	s.close()
}

// A commit of which a crash leaves no whole record has used its number all the
// same: bytes of it are on the disk.
func TestTheNumberOfACommitThatACrashToreIsNotUsedAgain(t *testing.T) {
	s := newTornSpool(t)
	s.mustStart()
	s.mustPut("ours")
	torn, _ := s.put(strings.Repeat("torn ", 500))
	s.dieAt("sync")
	s.q.commit([]*tx{torn}, nil)
	tear(t, s.head(), 0)
	used := s.q.log.group
	s.crash("kept")
	s.mustStart()
	if s.q.log.group <= used {
		t.Errorf("commit %d was torn, and the first one of the next start is %d", used, s.q.log.group)
	}
	s.close()
}

// dieAt lets the power fail at the next call of that kind to a file of the log.
func (s *tornSpool) dieAt(call string) {
	d := s.disk
	d.fail = func(op, name string) error {
		if op == call && filepath.Base(filepath.Dir(name)) == "log" {
			d.off, d.image = true, d.readIndex()
			return errPower
		}
		return nil
	}
}

// same fails the test unless the queue is the one that was seen before, and
// nothing was called damaged.
func (s *tornSpool) same(who string, want map[string]string) {
	s.t.Helper()
	got := s.picture()
	if !maps.Equal(got, want) {
		s.t.Errorf("%s finds %v, and there were %v", who, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	if n := s.q.st.quarantined.Load(); n != 0 {
		s.t.Errorf("%s takes a torn write for damage", who)
	}
}

// tear makes all of the last write durable but one sector within its record n.
func tear(t *testing.T, ino *inode, n int) {
	t.Helper()
	w := ino.pending[len(ino.pending)-1]
	all := tellRecords(w.data, w.off)
	if n >= len(all) || len(ino.pending) != 1 {
		t.Fatalf("%d records in %d writes", len(all), len(ino.pending))
	}
	const sector = 512
	r := all[n]
	from := (int64(r.offset) + sector - 1) / sector * sector
	if from+sector > int64(r.offset)+r.size() {
		t.Fatalf("no sector lies within %v", r)
	}
	was := slices.Clone(ino.durable[from : from+sector])
	copy(ino.durable[w.off:], w.data)
	copy(ino.durable[from:], was)
	ino.pending = nil
}
