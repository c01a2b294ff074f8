package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/bits"
	"os"
)

// Before bbolt maps the file it is read here, page by page. Bbolt believes what
// stands in a page: a damaged page number leads it out of the mapping or in
// circles, partly on a goroutine of its own, where nobody can recover. The same
// walk counts what each space holds. The layout, with all numbers in the order
// of the machine, which is little endian on all that we build for:
//
//	page    id u64, flags u16, count u16, overflow u32, then the elements
//	branch  pos u32, ksize u32, child u64
//	leaf    flags u32, pos u32, ksize u32, vsize u32
//	bucket  root u64, sequence u64; with root 0 its only page follows
//	meta    magic, version, page size, flags u32, root u64, sequence u64,
//	        freelist u64, pages u64, transaction u64, FNV-1a of all that u64
const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2
	headerSize  = 16
	elementSize = 16
	branchPage  = 1
	leafPage    = 2
	maxDepth    = 24
)

// usage is what the file holds of one space.
type usage struct {
	keys, bytes int64
	due         int64 // the earliest
}

// surveyor walks the file of one store.
type surveyor struct {
	f        *os.File
	pageSize int64
	pages    uint64
	reached  []uint64 // one bit a page: a page belongs to one parent
	spaces   map[string]*usage
	dues     [2]dueSum // those that records ask for, and those that are there
}

// dueSum compares two sets without keeping them.
type dueSum struct {
	n   int
	sum uint64
}

func (d *dueSum) add(k []byte) {
	h := fnv.New64a()
	h.Write(k)
	d.n++
	d.sum += h.Sum64()
}

// survey checks the whole file and counts. An empty file is new, and well.
func survey(f *os.File) (map[string]*usage, error) {
	s := &surveyor{f: f, spaces: map[string]*usage{}}
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() == 0 {
		return s.spaces, nil
	}
	root, err := s.meta(st.Size())
	if err != nil {
		return nil, err
	}
	visit := map[string]func(k, v []byte) error{
		string(bucketMeta): s.checkMeta, string(bucketKV): s.checkKV, string(bucketDue): s.checkDue,
	}
	empty := true
	err = s.walk(root, 0, nil, nil, func(flags uint32, k, v []byte) error {
		fn := visit[string(k)]
		if flags != 1 || fn == nil {
			return damaged("unknown bucket", uint64(flags))
		}
		delete(visit, string(k))
		empty = false
		return s.bucket(v, fn)
	})
	if err != nil {
		return nil, err
	}
	// A store that died before its first transaction has no buckets at all.
	if !empty && len(visit) != 0 {
		return nil, damaged("buckets missing", uint64(len(visit)))
	}
	if s.dues[0] != s.dues[1] {
		return nil, damaged("expiry keys", uint64(s.dues[1].n))
	}
	return s.spaces, nil
}

func damaged(what string, at uint64) error {
	return fmt.Errorf("%w: %s %d", errDamaged, what, at)
}

func (s *surveyor) checkMeta(k, v []byte) error {
	if !bytes.Equal(k, keyVersion) || !bytes.Equal(v, version1) {
		return damaged("version of length", uint64(len(v)))
	}
	return nil
}

func (s *surveyor) checkKV(k, v []byte) error {
	name, key, ok := splitKV(k)
	if !ok {
		return damaged("key of length", uint64(len(k)))
	}
	r, err := decodeRecord(k, v)
	if err != nil {
		return err
	}
	u := s.spaces[string(name)]
	if u == nil {
		u = &usage{due: never}
		s.spaces[string(name)] = u
	}
	u.keys++
	u.bytes += r.charge(string(key))
	u.due = min(u.due, r.expires)
	if r.expires != never {
		s.dues[0].add(dueKey(k[:1+len(name)], r.expires, string(key)))
	}
	return nil
}

func (s *surveyor) checkDue(k, v []byte) error {
	if _, _, _, ok := splitDue(k); !ok || len(v) != 0 {
		return damaged("expiry key of length", uint64(len(k)))
	}
	s.dues[1].add(k)
	return nil
}

// meta finds the newest meta page that is whole, and is the root of the tree.
// The second lies behind the first at the size of a page, which is known from
// either.
func (s *surveyor) meta(size int64) (root uint64, err error) {
	le := binary.LittleEndian
	var newest uint64
	var b [64]byte
	for at := int64(0); at <= 1<<16; at = max(2*at, 1<<10) {
		if _, err := s.f.ReadAt(b[:], at+headerSize); err != nil {
			continue
		}
		sum := fnv.New64a()
		sum.Write(b[:56])
		page := int64(le.Uint32(b[8:]))
		if le.Uint32(b[:]) != boltMagic || le.Uint32(b[4:]) != boltVersion || le.Uint64(b[56:]) != sum.Sum64() ||
			bits.OnesCount64(uint64(page)) != 1 || page < 1<<10 || page > 1<<16 || at != 0 && at != page {
			continue
		}
		if tx := le.Uint64(b[48:]); s.pageSize == 0 || tx > newest {
			newest, s.pageSize = tx, page
			root, s.pages = le.Uint64(b[16:]), le.Uint64(b[40:])
		}
	}
	if s.pageSize == 0 || s.pages > uint64(size/s.pageSize) {
		return 0, damaged("meta page of transaction", newest)
	}
	s.reached = make([]uint64, s.pages/64+1)
	return root, nil
}

// page reads a page with what overflows from it.
func (s *surveyor) page(id uint64, depth int) ([]byte, error) {
	if id < 2 || id >= s.pages || depth > maxDepth {
		return nil, damaged("page", id)
	}
	var head [headerSize]byte
	if _, err := s.f.ReadAt(head[:], int64(id)*s.pageSize); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	more := uint64(binary.LittleEndian.Uint32(head[12:]))
	if binary.LittleEndian.Uint64(head[:]) != id || more >= s.pages-id || more > 1<<12 {
		return nil, damaged("page", id)
	}
	for i := id; i <= id+more; i++ {
		if s.reached[i/64]&(1<<(i%64)) != 0 {
			return nil, damaged("page", i)
		}
		s.reached[i/64] |= 1 << (i % 64)
	}
	b := make([]byte, int64(more+1)*s.pageSize)
	if _, err := s.f.ReadAt(b, int64(id)*s.pageSize); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return b, nil
}

type visitor func(flags uint32, k, v []byte) error

// walk visits the leaves below a page. All keys are from low on and, unless
// high is nil, below high; a search would not find others.
func (s *surveyor) walk(id uint64, depth int, low, high []byte, visit visitor) error {
	b, err := s.page(id, depth)
	if err != nil {
		return err
	}
	return s.elements(b, id, depth, low, high, visit)
}

// element is one line of a page: k and v lie in it.
type element struct {
	flags uint32
	child uint64
	k, v  []byte
}

func elementOf(b []byte, leaf bool, i int) (e element, ok bool) {
	le := binary.LittleEndian
	at := headerSize + i*elementSize
	var pos, ksize, vsize int
	if leaf {
		e.flags = le.Uint32(b[at:])
		pos, ksize, vsize = int(le.Uint32(b[at+4:])), int(le.Uint32(b[at+8:])), int(le.Uint32(b[at+12:]))
	} else {
		pos, ksize, e.child = int(le.Uint32(b[at:])), int(le.Uint32(b[at+4:])), le.Uint64(b[at+8:])
	}
	if pos > len(b)-at || ksize > len(b)-at-pos || vsize > len(b)-at-pos-ksize {
		return e, false
	}
	e.k, e.v = b[at+pos:at+pos+ksize], b[at+pos+ksize:at+pos+ksize+vsize]
	return e, true
}

func (s *surveyor) elements(b []byte, id uint64, depth int, low, high []byte, visit visitor) error {
	flags, count := binary.LittleEndian.Uint16(b[8:]), int(binary.LittleEndian.Uint16(b[10:]))
	leaf := flags == leafPage
	if headerSize+count*elementSize > len(b) || !leaf && (flags != branchPage || count == 0) {
		return damaged("elements of page", id)
	}
	last := low
	for i := range count {
		e, ok := elementOf(b, leaf, i)
		if order := bytes.Compare(e.k, last); !ok || order < 0 || i > 0 && order == 0 || high != nil && bytes.Compare(e.k, high) >= 0 {
			return damaged("key in page", id)
		}
		last = e.k
		if leaf {
			if err := visit(e.flags, e.k, e.v); err != nil {
				return err
			}
			continue
		}
		end := high
		if i+1 < count {
			next, ok := elementOf(b, leaf, i+1)
			if !ok {
				return damaged("key in page", id)
			}
			end = next.k
		}
		if err := s.walk(e.child, depth+1, e.k, end, visit); err != nil {
			return err
		}
	}
	return nil
}

// bucket visits the pairs of a bucket, given its value in the tree of buckets.
func (s *surveyor) bucket(v []byte, pair func(k, v []byte) error) error {
	if len(v) < headerSize {
		return damaged("bucket of length", uint64(len(v)))
	}
	visit := func(flags uint32, k, v []byte) error {
		if flags != 0 {
			return damaged("pair with flags", uint64(flags))
		}
		return pair(k, v)
	}
	if root := binary.LittleEndian.Uint64(v); root != 0 {
		return s.walk(root, 1, nil, nil, visit)
	}
	b := v[headerSize:]
	if len(b) < headerSize || binary.LittleEndian.Uint16(b[8:]) != leafPage {
		return damaged("inline bucket of length", uint64(len(v)))
	}
	return s.elements(b, 0, 1, nil, nil, visit)
}
