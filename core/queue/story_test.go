package queue

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// journal is what happened to the disk of a world through all its lives, so
// that a failure can be told as a story and need not be met again: the order
// of commits depends on the scheduler, and a seed alone does not bring it back.
type journal struct{ events []event }

// event is one call that changed the disk, or one record within a write.
type event struct {
	op   int
	what string
	name string
	rec  *told // of a write to the log
}

// told is a record as it was written or found.
type told struct {
	header
	whole bool
	ends  bool // a change or move by which a recipient ended
}

func (t *told) String() string {
	kind := [...]string{"?", "message", "change", "move", "reserve", "void"}[min(int(t.typ), 5)]
	s := fmt.Sprintf("%s of %s, group %d from %d, at %d to %d", kind, ID(t.id), t.group, t.start, t.offset, int64(t.offset)+t.size())
	for i, w := range [...]string{"first", "last", "end"} {
		if t.flags&(1<<i) != 0 {
			s += " " + w
		}
	}
	if t.ends {
		s += ", some recipient ended"
	}
	if !t.whole {
		s += ", NOT WHOLE"
	}
	return s
}

// tellRecords finds everything that begins like a record, of whatever segment.
func tellRecords(b []byte, base int64) (all []*told) {
	le := binary.LittleEndian
	for off := int64(0); off+headerLen <= int64(len(b)); off += recordAlign {
		if le.Uint32(b[off:]) != recordMagic {
			continue
		}
		h, ok := parseHeader(b[off:], le.Uint64(b[off+8:]), base+off)
		if !ok {
			continue
		}
		t := &told{header: h}
		if end := off + headerLen + int64(h.metaLen); end <= int64(len(b)) && sumOK(b[off:], h) {
			meta := b[off+headerLen : end]
			body := end + int64(h.bodyLen)
			t.whole = body <= int64(len(b)) && (h.bodyLen == 0 || crcOf(b[end:body]) == h.bodyCRC)
			if cs, err := decodeChanges(meta); h.typ == recChange && err == nil {
				t.ends = slices.ContainsFunc(cs, func(c change) bool { return c.to.state.Ended() || c.kind == chDiscard })
			}
		}
		all = append(all, t)
	}
	return all
}

// note writes down a call. The caller holds the disk's mu.
func (j *journal) note(op int, what, name string) {
	if j != nil {
		j.events = append(j.events, event{op: op, what: what, name: filepath.Base(name)})
	}
}

// noteWrite writes down the records of a write to a segment.
func (j *journal) noteWrite(op int, name string, b []byte, off int64) {
	if j == nil || filepath.Base(filepath.Dir(name)) != "log" {
		return
	}
	for _, t := range tellRecords(b, off) {
		j.events = append(j.events, event{op, "write", filepath.Base(name), t})
	}
}

var idInText = regexp.MustCompile(`\b[0-9B-DF-HJ-NP-TV-Z]{10}\b`)

// story is what happened to the message that an error names: each of its
// records, what was done to the files of the log, the starts and the crashes,
// and what the log holds now.
func (w *world) story(err error) string {
	id := ID(0)
	for _, s := range idInText.FindAllString(err.Error(), -1) {
		if n, perr := ParseID(s); perr == nil {
			id = n
			break
		}
	}
	w.disk.mu.Lock()
	defer w.disk.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "the story of %s:\n", id)
	synced := true
	for _, e := range w.disk.story.events {
		switch {
		case e.rec != nil && (e.rec.id == uint64(id) || e.rec.typ == recReserve || e.rec.typ == recVoid):
			fmt.Fprintf(&b, "%5d %s: %v\n", e.op, e.name, e.rec)
			synced = false
		case e.what == "sync" && synced, e.rec != nil:
		default:
			fmt.Fprintf(&b, "%5d %s %s\n", e.op, e.what, e.name)
			synced = synced || e.what == "sync"
		}
	}
	dir := w.disk.dir("/spool/log")
	if dir == nil {
		return b.String()
	}
	var names []string
	for name := range dir.cur {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		data := dir.cur[name].cur
		h, ok := parseSegHeader(data)
		fmt.Fprintf(&b, "%s: header %t %+v\n", name, ok, h)
		for _, t := range tellRecords(data, 0) {
			stale := ""
			if t.nonce != h.nonce {
				stale = " (of an earlier use)"
			}
			if stale == "" || t.id == uint64(id) {
				fmt.Fprintf(&b, "      %v%s\n", t, stale)
			}
		}
	}
	return b.String()
}
