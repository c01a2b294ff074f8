package queue

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// The file of the index is read here page by page, before bbolt maps it: bbolt
// checks no sums, follows a damaged page number out of the file, and does part
// of that on a goroutine of its own, where neither a panic nor a fault can be
// caught. The format is that of bbolt's version 2 and has been the same since
// 2014:
//
//	page    id u64, flags u16, count u16, overflow u32, elements
//	branch  pos u32, ksize u32, page u64
//	leaf    flags u32, pos u32, ksize u32, vsize u32
//	bucket  root page u64, sequence u64, and the page itself when root is 0
//	meta    magic, version, pageSize, flags u32; root bucket; freelist, pages,
//	        txid u64; FNV-1a of all before
const (
	boltMagic    = 0xED0CDAED
	boltVersion  = 2
	pageHeader   = 16
	pageElement  = 16
	pageBranch   = 0x01
	pageLeaf     = 0x02
	leafIsBucket = 0x01
	bucketHead   = 16
	maxDepth     = 32
)

// pages reads the file.
type pages struct {
	f    *os.File
	size int64 // of a page
	high uint64
	seen []uint64 // a bit a page: none is reached twice
	buf  [maxDepth][]byte
}

func damagedIndex(what string, at uint64) error {
	return fmt.Errorf("%w: %s %d", errIndex, what, at)
}

// meta reads the newer of the two meta pages and answers the root of the tree
// of buckets.
func (p *pages) meta() (root uint64, err error) {
	st, err := p.f.Stat()
	if err != nil {
		return 0, err
	}
	p.size = int64(os.Getpagesize())
	le := binary.LittleEndian
	var best uint64
	found := false
	var b [64]byte
	for _, at := range [...]int64{0, p.size} {
		if _, err := p.f.ReadAt(b[:], at+pageHeader); err != nil {
			continue
		}
		sum := fnv.New64a()
		sum.Write(b[:56])
		if le.Uint32(b[0:]) != boltMagic || le.Uint32(b[4:]) != boltVersion || int64(le.Uint32(b[8:])) != p.size || le.Uint64(b[56:]) != sum.Sum64() {
			continue
		}
		if tx := le.Uint64(b[48:]); !found || tx > best {
			best, found = tx, true
			root, p.high = le.Uint64(b[16:]), le.Uint64(b[40:])
		}
	}
	if !found || p.high > uint64(st.Size()/p.size) {
		return 0, damagedIndex("meta page of", best)
	}
	p.seen = make([]uint64, p.high/64+1)
	return root, nil
}

// page reads one page with its overflow.
func (p *pages) page(id uint64, depth int) ([]byte, error) {
	if id < 2 || id >= p.high || depth >= maxDepth || p.seen[id/64]&(1<<(id%64)) != 0 {
		return nil, damagedIndex("page", id)
	}
	p.seen[id/64] |= 1 << (id % 64)
	le := binary.LittleEndian
	if p.buf[depth] == nil {
		p.buf[depth] = make([]byte, p.size)
	}
	b := p.buf[depth][:p.size]
	if _, err := p.f.ReadAt(b, int64(id)*p.size); err != nil {
		return nil, fmt.Errorf("%w: %w", errIndex, err)
	}
	more := uint64(le.Uint32(b[12:]))
	if le.Uint64(b) != id || id+more >= p.high {
		return nil, damagedIndex("page", id)
	}
	if more == 0 {
		return b, nil
	}
	for i := id + 1; i <= id+more; i++ {
		if p.seen[i/64]&(1<<(i%64)) != 0 {
			return nil, damagedIndex("page", i)
		}
		p.seen[i/64] |= 1 << (i % 64)
	}
	b = make([]byte, int64(more+1)*p.size)
	if _, err := p.f.ReadAt(b, int64(id)*p.size); err != nil {
		return nil, fmt.Errorf("%w: %w", errIndex, err)
	}
	return b, nil
}

// tree passes the leaves below a page in order. Their keys must be from low on,
// and below high unless that is nil: else a search would not find them.
func (p *pages) tree(id uint64, depth int, low, high []byte, leaf func(flags uint32, k, v []byte) error) error {
	b, err := p.page(id, depth)
	if err != nil {
		return err
	}
	return p.elements(b, id, depth, low, high, leaf)
}

func (p *pages) elements(b []byte, id uint64, depth int, low, high []byte, leaf func(flags uint32, k, v []byte) error) error {
	le := binary.LittleEndian
	flags, count := le.Uint16(b[8:]), int(le.Uint16(b[10:]))
	if pageHeader+count*pageElement > len(b) || flags != pageBranch && flags != pageLeaf || flags == pageBranch && count == 0 {
		return damagedIndex("page", id)
	}
	key := func(i int) (k, rest []byte, ok bool) {
		e := pageHeader + i*pageElement
		pos, n := e+int(le.Uint32(b[e:])), int(le.Uint32(b[e+4:]))
		if flags == pageLeaf {
			pos, n = e+int(le.Uint32(b[e+4:])), int(le.Uint32(b[e+8:]))
		}
		if pos < pageHeader || pos > len(b) || n > len(b)-pos {
			return nil, nil, false
		}
		return b[pos : pos+n], b[pos+n:], true
	}
	last := low
	for i := range count {
		e := pageHeader + i*pageElement
		k, rest, ok := key(i)
		if !ok || bytes.Compare(k, last) < 0 || i > 0 && bytes.Equal(k, last) || high != nil && bytes.Compare(k, high) >= 0 {
			return damagedIndex("key in page", id)
		}
		last = k
		if flags == pageLeaf {
			n := int(le.Uint32(b[e+12:]))
			if n > len(rest) {
				return damagedIndex("value in page", id)
			}
			if err := leaf(le.Uint32(b[e:]), k, rest[:n]); err != nil {
				return err
			}
			continue
		}
		end := high
		if i+1 < count {
			if end, _, ok = key(i + 1); !ok {
				return damagedIndex("key in page", id)
			}
		}
		if err := p.tree(le.Uint64(b[e+8:]), depth+1, k, end, leaf); err != nil {
			return err
		}
	}
	return nil
}

// bucket passes the pairs of a bucket, given its value in the tree of buckets.
func (p *pages) bucket(v []byte, pair func(k, v []byte) error) error {
	if len(v) < bucketHead {
		return damagedIndex("bucket of length", uint64(len(v)))
	}
	leaf := func(flags uint32, k, v []byte) error {
		if flags != 0 {
			return damagedIndex("leaf flags", uint64(flags))
		}
		return pair(k, v)
	}
	if root := binary.LittleEndian.Uint64(v); root != 0 {
		return p.tree(root, maxDepth/2, nil, nil, leaf)
	}
	b := v[bucketHead:]
	if len(b) < pageHeader || binary.LittleEndian.Uint16(b[8:]) != pageLeaf {
		return damagedIndex("inline bucket of length", uint64(len(b)))
	}
	return p.elements(b, 0, maxDepth/2, nil, nil, leaf)
}

// survey reads the whole index and checks every page and value: structure, sums, order, and
// that each due key belongs to a message and the other way round. It is how a
// flipped bit is found before it hides a message; each counts on the way.
func survey(disk Disk, path string, each func(ID, location) error) (c checkpoint, err error) {
	f, err := disk.IndexFile(path, os.O_RDONLY, 0)
	if err != nil {
		return c, fmt.Errorf("%w: %w", errIndex, err)
	}
	defer f.Close()
	p := &pages{f: f}
	root, err := p.meta()
	if err == io.EOF || err != nil {
		return c, err
	}
	var n uint64
	var sum [2]uint32 // of the due keys: wanted and there
	pairs := map[string]func(k, v []byte) error{
		string(bucketMeta): func(k, v []byte) error {
			var ok bool
			if c, ok = decodeCheckpoint(v); !ok || string(k) != string(keyCheck) {
				return damagedIndex("checkpoint of length", uint64(len(v)))
			}
			return nil
		},
		string(bucketMsg): func(k, v []byte) error {
			id, at, loc, ok := valuePlace(k, v)
			if !ok {
				return damagedIndex("message", n)
			}
			n++
			if at != never {
				sum[0] += crcOf(dueKey{at, id}.bytes())
			}
			return each(id, loc)
		},
		string(bucketDue): func(k, v []byte) error {
			if len(k) != 16 || len(v) != 0 {
				return damagedIndex("due key of length", uint64(len(k)))
			}
			sum[1] += crcOf(k)
			return nil
		},
	}
	err = p.tree(root, 0, nil, nil, func(flags uint32, k, v []byte) error {
		pair := pairs[string(k)]
		if flags != leafIsBucket || pair == nil {
			return damagedIndex("bucket with flags", uint64(flags))
		}
		delete(pairs, string(k))
		return p.bucket(v, pair)
	})
	if err == nil && (len(pairs) > 0 || c.seg == 0 || n != c.messages || sum[0] != sum[1]) {
		err = damagedIndex("sums of messages", n)
	}
	return c, err
}
