package queue

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// picture is all that the queue says about its messages.
func picture(t testing.TB, q *Queue) map[string]string {
	t.Helper()
	all := map[string]string{}
	if err := q.List(Filter{}, func(e *Entry) bool {
		body, err := readBody(e.Message)
		if err != nil {
			body = []byte(err.Error())
		}
		all[e.ID] = fmt.Sprintf("%s %v %+v %q", e.Envelope.From, e.Envelope.Recipients, e.Rcpts, body)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// spool makes one with messages in several states over several segments.
func spool(t testing.TB, o Options, n int) (dir string, want map[string]string) {
	dir = t.TempDir()
	q := openQueue(t, dir, o)
	rnd := rand.New(rand.NewPCG(5, 5))
	for i := range n {
		size := 10 + rnd.IntN(2000)
		if i%10 == 3 {
			size = 10_000
		}
		putMail(t, q, strings.Repeat("b", size), env(1+i%3))
		if i%2 == 0 {
			j := leaseOne(t, q)
			rs := []Result{{Index: 0, State: Delivered, Outcome: sdk.Outcome{Status: sdk.StatusDelivered}}}
			for _, r := range j.Rcpts[1:] {
				rs = append(rs, Result{Index: r.Index, Next: time.Now().Add(time.Hour), Outcome: sdk.Outcome{Status: sdk.StatusDeferred}})
			}
			if err := q.Settle(j, rs); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := q.barrier(); err != nil {
		t.Fatal(err)
	}
	want = picture(t, q)
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, want
}

func TestTheIndexIsMadeAnewWhateverHappenedToIt(t *testing.T) {
	o := small(t)
	dir, want := spool(t, o, 120)
	good, err := os.ReadFile(indexPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	used := len(bytes.TrimRight(good, "\x00"))
	rnd := rand.New(rand.NewPCG(8, 8))
	try := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(indexPath(dir), b, 0o600); err != nil {
			t.Fatal(err)
		}
		q, err := Open(dir, o)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer q.Close()
		if got := picture(t, q); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: the queue is another: %d messages, want %d", name, len(got), len(want))
		}
		if q.st.quarantined.Load() != 0 {
			t.Fatalf("%s: the log was taken for damaged", name)
		}
	}
	try("whole", good)
	try("empty", nil)
	try("text", []byte("this is not an index"))
	for range 25 {
		b := bytes.Clone(good)
		for range 1 + rnd.IntN(3) {
			b[rnd.IntN(used)] ^= 1 << rnd.IntN(8)
		}
		try("flipped", b)
	}
	for range 10 {
		try("cut", good[:rnd.IntN(used)])
	}
	page := os.Getpagesize()
	for range 10 {
		b := bytes.Clone(good)
		clear(b[rnd.IntN(used/page)*page:][:page])
		try("page of zeros", b)
	}
}

func TestDamageInTheLogIsPutAsideAndTheRestFlows(t *testing.T) {
	o := small(t)
	dir, want := spool(t, o, 120)
	rnd := rand.New(rand.NewPCG(9, 9))
	segs, err := filepath.Glob(filepath.Join(dir, "log", "seg-*"))
	if err != nil || len(segs) < 3 {
		t.Fatal(segs, err)
	}
	for round := range 30 {
		name := segs[rnd.IntN(len(segs)-1)]
		good, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b := bytes.Clone(good)
		at := rnd.IntN(len(b))
		b[at] ^= 1 << rnd.IntN(8)
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if round%2 == 0 {
			if err := os.Remove(indexPath(copied)); err != nil {
				t.Fatal(err)
			}
		}
		rep, err := check(copied, o)
		if err != nil {
			t.Fatal(err)
		}
		q := openQueue(t, copied, o)
		got := picture(t, q)
		odd := 0
		for id, w := range want {
			if g, ok := got[id]; !ok || g != w {
				odd++
			}
		}
		hit := at >= segData && len(rep.Faults) > 0
		if odd > 1 || odd == 1 && !hit {
			t.Fatalf("bit in %s at %d: %d messages are not as they were; %v", filepath.Base(name), at, odd, rep.Faults)
		}
		names, err := os.ReadDir(filepath.Join(copied, "quarantine"))
		if err != nil {
			t.Fatal(err)
		}
		if round%2 == 0 && hit && len(names) == 0 {
			t.Fatalf("bit in %s at %d: nothing was put aside; %v", filepath.Base(name), at, rep.Faults)
		}
		q.Close()
		if err := os.WriteFile(name, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADamagedBodyIsNeverDeliveredAndNeverDeleted(t *testing.T) {
	for _, size := range []int{100, 20_000} {
		o := small(t)
		q := openQueue(t, t.TempDir(), o)
		id := putMail(t, q, strings.Repeat("Z", size), env(1))
		dir := q.dir
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, "log", segName(1))
		if size > 10_000 {
			name = filepath.Join(dir, "big", id)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b[bytes.Index(b, []byte("ZZZZ"))+50] = 'Y'
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if rep, err := check(dir, o); err != nil || len(rep.Faults) == 0 {
			t.Error(rep, err)
		}
		q = openQueue(t, dir, o)
		j := leaseOne(t, q)
		if _, err := readBody(j.Message); !errors.Is(err, errDamaged) {
			t.Fatal(err)
		}
		q.Return(j)
		if err := q.barrier(); err != nil {
			t.Fatal(err)
		}
		if e, err := q.Get(id); err != nil || e.Rcpts[0].State != Held || e.Rcpts[0].By != damagedBy {
			t.Fatal(e, err)
		}
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		if err := rebuild(dir, o, nil); err != nil {
			t.Fatal(err)
		}
		q = openQueue(t, dir, o)
		if e, err := q.Get(id); err != nil && size > 10_000 || err == nil && e.Rcpts[0].State != Held {
			t.Fatal(e, err)
		}
	}
}

func TestAMailInTheShapeOfRecordsIsOnlyAMail(t *testing.T) {
	o := small(t)
	q := openQueue(t, t.TempDir(), o)
	// The forger knows everything but the nonce.
	victim := putMail(t, q, "x", env(1))
	vid, _ := ParseID(victim)
	meta := appendChanges(nil, []change{{kind: chDiscard}})
	forged := make([]byte, headerLen, 200)
	forged = append(forged, meta...)
	forged = append(forged, make([]byte, 8)...)
	var body []byte
	for off := int64(segData); off < segData+2000; off += 8 {
		h := header{nonce: 0, id: uint64(vid), group: q.log.group + 1, start: uint32(off), offset: uint32(off), metaLen: uint32(len(meta)), typ: recChange, flags: flagFirst | flagLast | flagEnd}
		h.put(forged[:headerLen+len(meta)])
		body = append(body, forged[:padded(int64(headerLen+len(meta)))]...)
	}
	fid, _ := ParseID(putMail(t, q, string(body), env(1)))
	q.mu.Lock()
	at := q.find(fid).loc.off
	q.mu.Unlock()
	putMail(t, q, "y", env(1))
	dir := q.dir
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "log", segName(1))
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[at+20] ^= 1 // the header of the forger's own record
	if err := errors.Join(os.WriteFile(name, b, 0o600), os.Remove(indexPath(dir))); err != nil {
		t.Fatal(err)
	}
	q = openQueue(t, dir, o)
	if e, err := q.Get(victim); err != nil || e.Rcpts[0].State != Pending {
		t.Fatal("a forged record was believed:", e, err)
	}
}

func TestALostHeaderOfASegmentIsMended(t *testing.T) {
	o := small(t)
	dir, want := spool(t, o, 120)
	name := filepath.Join(dir, "log", segName(2))
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	clear(b[:segData])
	if err := errors.Join(os.WriteFile(name, b, 0o600), os.Remove(indexPath(dir))); err != nil {
		t.Fatal(err)
	}
	q := openQueue(t, dir, o)
	if got := picture(t, q); !reflect.DeepEqual(got, want) {
		t.Fatalf("%d messages, want %d", len(got), len(want))
	}
}

func TestALogThatIsGoneIsNotTakenForAnEmptyQueue(t *testing.T) {
	o := small(t)
	dir, _ := spool(t, o, 10)
	if err := os.RemoveAll(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	if q, err := Open(dir, o); err == nil || !strings.Contains(err.Error(), "is gone") {
		t.Fatal(q, err)
	}
}

// The power may fail in the very first start, behind the index's first bytes
// and before there is a log. The next start must not need a hand.
func TestAFirstStartThatLeftHalfAnIndexIsBegunAgain(t *testing.T) {
	o := small(t)
	dir, _ := spool(t, o, 10)
	good, err := os.ReadFile(indexPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	flipped := bytes.Clone(good)
	for i := 2 * page; i < len(flipped); i += page {
		flipped[i] ^= 1 // no page says its own number: the metas are whole
	}
	for name, b := range map[string][]byte{
		"no bytes": nil, "some bytes": good[:100], "one page": good[:page], "three pages": good[:3*page],
		"zeros": make([]byte, 4*page), "flipped": flipped,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(indexPath(dir), b, 0o600); err != nil {
				t.Fatal(err)
			}
			q := openQueue(t, dir, o)
			id := putMail(t, q, "the first", env(1))
			q = reopen(t, q, o)
			if got := picture(t, q); len(got) != 1 || got[id] == "" {
				t.Errorf("%d messages", len(got))
			}
			if left, err := os.ReadFile(indexPath(dir) + ".damaged"); err != nil || !bytes.Equal(left, b) {
				t.Errorf("the index was not put aside as it was: %v", err)
			}
		})
	}
}

func FuzzRecord(f *testing.F) {
	h := header{nonce: 7, id: 1, group: 2, offset: 64, start: 8, metaLen: 3, typ: recMessage}
	b := make([]byte, headerLen+3)
	h.put(b)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, ok := parseHeader(b, 7, 64)
		if !ok || int64(len(b)) < headerLen+int64(h.metaLen) || !sumOK(b, h) {
			return
		}
		again := bytes.Clone(b[:headerLen+int(h.metaLen)])
		h.put(again)
		if again[50] == b[50] && again[51] == b[51] && !bytes.Equal(again, b[:len(again)]) {
			t.Errorf("%x\n%x", again, b)
		}
	})
}

func FuzzMessage(f *testing.F) {
	m := &message{id: 5, env: env(3), arrived: 9, size: 100}
	m.env.Notes, m.env.Origin.IP, m.env.Recipients[1].ORcpt = sdk.Notes{"a": "b"}, "192.0.2.1", "rfc822;x"
	m.fresh()
	m.rcpts[1] = rcpt{state: Held, by: "x", last: &sdk.Outcome{Status: sdk.StatusDeferred, TLS: "y"}, attempts: 3}
	f.Add(appendMessage(nil, m, m.rcpts, true))
	f.Add(appendMessage(nil, m, m.rcpts, false))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeMessage(5, b)
		if err != nil {
			return
		}
		again, err := decodeMessage(5, appendMessage(nil, m, m.rcpts, true))
		if err != nil {
			t.Fatal(err)
		}
		if !sameEnvelope(m.env, again.env) || !reflect.DeepEqual(m.rcpts, again.rcpts) || m.due != again.due {
			t.Errorf("%+v\n%+v", m, again)
		}
	})
}

func FuzzChanges(f *testing.F) {
	f.Add(appendChanges(nil, []change{{index: 3, kind: chResult, to: rcpt{state: Failed, hop: "mx", last: &sdk.Outcome{Hold: true}}}, {kind: chReroute, to: rcpt{route: "r"}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		cs, err := decodeChanges(b)
		if err != nil {
			return
		}
		again, err := decodeChanges(appendChanges(nil, cs))
		if err != nil || !reflect.DeepEqual(cs, again) {
			t.Errorf("%+v\n%+v %v", cs, again, err)
		}
		m := &message{env: env(2), heapAt: -1}
		m.fresh()
		for i := range cs {
			if int(cs[i].index) < len(m.rcpts) {
				m.rcpts[cs[i].index].apply(&cs[i])
			}
		}
	})
}
