package queue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A segment begins with its header, twice, in blocks of their own, so that one
// bad sector does not take the whole segment. Then come the records.
//
//	 0 magic    8 bytes
//	 8 crc      u32   crc32c of bytes 12 to 72
//	12 version  u32
//	16 seq      u64   the number in the file name
//	24 nonce    u64   random; in every record, so that neither stale bytes nor a
//	                  mail that somebody shaped like a record is taken for one
//	32 prevNonce, 40 prevEnd u64   of the segment before: where its records end
//	48 reserved u64   IDs below may be in use
//	56 group    u64   the last commit before this segment
//	64          u64   zero
const (
	segMagic     = "mta-seg\x01"
	segVersion   = 1
	segBlock     = 4096
	segData      = 2 * segBlock // where records begin
	segHeaderLen = 72
)

type segHeader struct {
	seq, nonce, prevNonce, prevEnd, reserved, group uint64
}

func (h *segHeader) append(b []byte) []byte {
	le := binary.LittleEndian
	at := len(b)
	b = append(b, segMagic...)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint32(b, segVersion)
	for _, v := range [...]uint64{h.seq, h.nonce, h.prevNonce, h.prevEnd, h.reserved, h.group, 0} {
		b = le.AppendUint64(b, v)
	}
	le.PutUint32(b[at+8:], crcOf(b[at+12:]))
	return b
}

func parseSegHeader(b []byte) (segHeader, bool) {
	le := binary.LittleEndian
	if len(b) < segHeaderLen || string(b[:8]) != segMagic || le.Uint32(b[8:]) != crcOf(b[12:segHeaderLen]) || le.Uint32(b[12:]) != segVersion {
		return segHeader{}, false
	}
	return segHeader{le.Uint64(b[16:]), le.Uint64(b[24:]), le.Uint64(b[32:]), le.Uint64(b[40:]), le.Uint64(b[48:]), le.Uint64(b[56:])}, true
}

// readSegHeader takes the first of the two copies that is whole. What is not a
// header is (false, nil); an error is that of the disk.
func readSegHeader(f File) (segHeader, bool, error) {
	var b [segHeaderLen]byte
	var first error
	for _, off := range [...]int64{0, segBlock} {
		n, err := f.ReadAt(b[:], off)
		if err != nil && err != io.EOF && first == nil {
			first = err
		}
		if h, ok := parseSegHeader(b[:n]); ok {
			return h, true, nil
		}
	}
	return segHeader{}, false, first
}

// segment is one file of the log. live, count and pins are guarded by Queue.mu.
type segment struct {
	segHeader
	file  File
	size  int64 // capacity
	end   int64 // behind the last record
	live  int64 // bytes of records of messages that are in the queue
	count int   // such messages
	pins  int   // readers
}

// wal is the log: a row of segments without gap in their numbers. Mail is
// written at its head. Space comes back at its tail only: a segment is given
// up when all before it are, so that what is there always tells the whole
// story of every message in it, with no index at all.
type wal struct {
	disk    Disk
	dir     string // DIR/log
	segSize int64
	rand    io.Reader

	segs  map[uint64]*segment // by number
	tail  uint64              // lowest number
	head  *segment            // written to
	group uint64              // last number given to a commit

	spares []string // names of prepared files, without folder
}

func segName(seq uint64) string { return fmt.Sprintf("seg-%010d", seq) }

func parseSegName(name string) (uint64, bool) {
	d, ok := strings.CutPrefix(name, "seg-")
	if !ok || len(d) < 10 {
		return 0, false
	}
	n, err := strconv.ParseUint(d, 10, 64)
	return n, err == nil && n > 0
}

func (l *wal) path(name string) string { return filepath.Join(l.dir, name) }

// newSpare makes a file ready to become a segment. Its name is durable before
// anybody writes to it.
func (l *wal) newSpare(n uint64, size int64) (string, error) {
	name := "spare-" + strconv.FormatUint(n, 10)
	f, err := l.disk.Open(l.path(name), true)
	if err != nil {
		return "", err
	}
	err = f.Allocate(size)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = l.disk.SyncDir(l.dir)
	}
	if err != nil {
		_ = l.disk.Remove(l.path(name)) // else Open removes it
		return "", err
	}
	return name, nil
}

// install makes a spare file the next segment, durable with its header and
// name before it is used.
func (l *wal) install(spare string, reserved uint64) (*segment, error) {
	f, err := l.disk.Open(l.path(spare), false)
	if err != nil {
		return nil, err
	}
	s := &segment{file: f, end: segData}
	if s.size, err = f.Size(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	var nonce [8]byte
	if _, err := io.ReadFull(l.rand, nonce[:]); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	s.segHeader = segHeader{seq: 1, nonce: binary.LittleEndian.Uint64(nonce[:]), reserved: reserved, group: l.group}
	if l.head != nil {
		s.seq, s.prevNonce, s.prevEnd = l.head.seq+1, l.head.nonce, uint64(l.head.end)
	}
	block := make([]byte, segData)
	s.segHeader.append(block[:0])
	s.segHeader.append(block[segBlock:segBlock])
	_, err = f.WriteAt(block, 0)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = l.disk.Rename(l.path(spare), l.path(segName(s.seq)))
	}
	if err == nil {
		err = l.disk.SyncDir(l.dir)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

// numbers are the segments that there are, in order.
func (l *wal) numbers() []uint64 {
	ns := make([]uint64, 0, len(l.segs))
	for n := range l.segs {
		ns = append(ns, n)
	}
	slices.Sort(ns)
	return ns
}

func (l *wal) bytes() int64 {
	var n int64
	for _, s := range l.segs {
		n += s.size
	}
	return n
}

func (l *wal) closeFiles() error {
	var errs []error
	for _, s := range l.segs {
		errs = append(errs, s.file.Close())
	}
	return errors.Join(errs...)
}
