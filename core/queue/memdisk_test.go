package queue

import (
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

var errPower = errors.New("the power is off")

// memDisk is a file system in memory that can lose its power at any call.
// What was not synced is lost then, or kept, or torn into sectors.
type memDisk struct {
	mu     sync.Mutex
	rnd    *rand.Rand
	real   string // folder of the index, which must be a real file
	dirs   map[string]*memDir
	ops    int
	cutAt  int // the power goes off at this call; 0 never
	off    bool
	locked map[string]bool
	image  []byte   // of the index when the power went off
	images [][]byte // of the index at earlier moments
	noSync bool     // a disk that lies: the harness must notice
	noDirs bool     // one that lies about folders
	fail   func(op, name string) error
	free   int64
	calls  []string // for fault injection at each call
	logOps bool
	story  *journal // through all lives
}

type memDir struct {
	cur, durable map[string]*inode
	log          []map[string]*inode // states since the last sync
}

type inode struct {
	cur, durable []byte
	pending      []pendingWrite
}

type pendingWrite struct {
	off  int64
	data []byte
	size int64 // of the file, for Allocate and Truncate
}

func newMemDisk(seed uint64, real string) *memDisk {
	return &memDisk{rnd: rand.New(rand.NewPCG(seed, 1)), real: real, dirs: map[string]*memDir{}, locked: map[string]bool{}, free: 1 << 40, story: &journal{}}
}

// op counts a call and says whether it still happens. The caller holds mu.
func (d *memDisk) op(what, name string) error {
	if d.off {
		return errPower
	}
	d.ops++
	if d.logOps {
		d.calls = append(d.calls, what+" "+filepath.Base(name))
	}
	if d.fail != nil {
		if err := d.fail(what, name); err != nil {
			return err
		}
	}
	if d.rnd.IntN(400) == 0 {
		if b := d.readIndex(); b != nil && len(d.images) < 8 {
			d.images = append(d.images, b)
		}
	}
	d.story.note(d.ops, what, name)
	if d.cutAt > 0 && d.ops >= d.cutAt {
		d.off = true
		d.story.note(d.ops, "THE POWER FAILS at", name)
		d.image = d.readIndex()
		return errPower
	}
	return nil
}

const indexImage = 1 << 20 // more than any test's index uses

func (d *memDisk) readIndex() []byte {
	f, err := os.Open(filepath.Join(d.real, "index.bolt"))
	if err != nil {
		return nil
	}
	defer f.Close()
	b := make([]byte, indexImage)
	n, _ := f.ReadAt(b, 0)
	return b[:n]
}

// crash answers the disk as it is after the power came back. The index is as
// how says: kept, old, gone, or with some bits flipped.
func (d *memDisk) crash(seed uint64, real, how string) *memDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.off {
		d.image = d.readIndex()
	}
	d.off = true
	n := newMemDisk(seed, real)
	n.noSync, n.noDirs, n.story = d.noSync, d.noDirs, d.story
	n.story.note(d.ops, "CRASH, index", how)
	done := map[*inode]*inode{}
	for path, dir := range d.dirs {
		states := append([]map[string]*inode{dir.durable}, dir.log...)
		if d.noDirs {
			states = states[:1]
		}
		nd := &memDir{cur: map[string]*inode{}}
		for name, ino := range states[n.rnd.IntN(len(states))] {
			if done[ino] == nil {
				b := ino.settle(n.rnd)
				done[ino] = &inode{cur: b, durable: slices.Clone(b)}
			}
			nd.cur[name] = done[ino]
		}
		nd.durable = maps.Clone(nd.cur)
		n.dirs[path] = nd
	}
	image := d.image
	switch how {
	case "old":
		if len(d.images) > 0 {
			image = d.images[n.rnd.IntN(len(d.images))]
		}
	case "gone":
		image = nil
	case "flipped":
		image = slices.Clone(image)
		for range 1 + n.rnd.IntN(4) {
			if len(image) > 0 {
				image[n.rnd.IntN(len(image))] ^= 1 << n.rnd.IntN(8)
			}
		}
	case "short":
		image = image[:n.rnd.IntN(len(image)+1)]
	}
	if image != nil {
		if err := os.WriteFile(filepath.Join(real, "index.bolt"), image, 0o600); err != nil {
			panic(err)
		}
	}
	return n
}

// settle decides what of the unsynced writes is there afterwards.
func (i *inode) settle(rnd *rand.Rand) []byte {
	b := slices.Clone(i.durable)
	mode := rnd.IntN(4) // all kept, all lost, or each its own fate
	for _, w := range i.pending {
		if mode == 1 {
			continue
		}
		if w.data == nil {
			if mode == 0 || rnd.IntN(2) == 0 {
				b = resize(b, w.size)
			}
			continue
		}
		const sector = 512
		for at := int64(0); at < int64(len(w.data)); {
			end := min((w.off+at)/sector*sector+sector-w.off, int64(len(w.data)))
			if mode == 0 || rnd.IntN(2) == 0 {
				b = resize(b, max(int64(len(b)), w.off+end))
				copy(b[w.off+at:], w.data[at:end])
			}
			at = end
		}
	}
	return b
}

func resize(b []byte, n int64) []byte {
	if int64(len(b)) >= n {
		return b[:n]
	}
	return append(b, make([]byte, n-int64(len(b)))...)
}

func (d *memDisk) isReal(name string) (string, bool) {
	base := filepath.Base(name)
	return filepath.Join(d.real, base), strings.HasPrefix(base, "index.bolt")
}

func (d *memDisk) dir(path string) *memDir { return d.dirs[filepath.Clean(path)] }

// changed notes a new state of a folder that is not durable yet.
func (m *memDir) changed() { m.log = append(m.log, maps.Clone(m.cur)) }

func (d *memDisk) Open(name string, create bool) (File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir := d.dir(filepath.Dir(name))
	if dir == nil {
		return nil, os.ErrNotExist
	}
	ino := dir.cur[filepath.Base(name)]
	if ino == nil {
		if !create {
			return nil, os.ErrNotExist
		}
		if err := d.op("create", name); err != nil {
			return nil, err
		}
		ino = &inode{}
		dir.cur[filepath.Base(name)] = ino
		dir.changed()
	} else if d.off {
		return nil, errPower
	}
	return &memFile{d: d, ino: ino, name: name}, nil
}

func (d *memDisk) Rename(o, n string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.op("rename", n); err != nil {
		return err
	}
	if ro, ok := d.isReal(o); ok {
		rn, _ := d.isReal(n)
		return os.Rename(ro, rn)
	}
	from, to := d.dir(filepath.Dir(o)), d.dir(filepath.Dir(n))
	ino := from.cur[filepath.Base(o)]
	if ino == nil {
		return os.ErrNotExist
	}
	delete(from.cur, filepath.Base(o))
	to.cur[filepath.Base(n)] = ino
	from.changed()
	if from != to {
		to.changed()
	}
	return nil
}

func (d *memDisk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.op("remove", name); err != nil {
		return err
	}
	if r, ok := d.isReal(name); ok {
		return os.Remove(r)
	}
	dir := d.dir(filepath.Dir(name))
	if dir.cur[filepath.Base(name)] == nil {
		return os.ErrNotExist
	}
	delete(dir.cur, filepath.Base(name))
	dir.changed()
	return nil
}

func (d *memDisk) ReadDir(path string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir := d.dir(path)
	if dir == nil {
		return nil, os.ErrNotExist
	}
	names := slices.Collect(maps.Keys(dir.cur))
	for p := range d.dirs {
		if filepath.Dir(p) == filepath.Clean(path) {
			names = append(names, filepath.Base(p))
		}
	}
	if dir == d.dir("/spool") {
		es, err := os.ReadDir(d.real)
		if err != nil {
			return nil, err
		}
		for _, e := range es {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

func (d *memDisk) MkdirAll(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dir(path) == nil {
		d.dirs[filepath.Clean(path)] = &memDir{cur: map[string]*inode{}, durable: map[string]*inode{}}
	}
	return nil
}

func (d *memDisk) SyncDir(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.op("syncdir", path); err != nil {
		return err
	}
	if dir := d.dir(path); !d.noDirs {
		dir.durable, dir.log = maps.Clone(dir.cur), nil
	}
	return nil
}

func (d *memDisk) Free(string) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.free, nil
}

type memLock struct {
	d    *memDisk
	name string
}

func (l *memLock) Close() error {
	l.d.mu.Lock()
	defer l.d.mu.Unlock()
	delete(l.d.locked, l.name)
	return nil
}

func (d *memDisk) Lock(name string) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locked[name] {
		return nil, ErrLocked
	}
	d.locked[name] = true
	return &memLock{d, name}, nil
}

func (d *memDisk) IndexFile(name string, flag int, perm os.FileMode) (*os.File, error) {
	r, _ := d.isReal(name)
	return os.OpenFile(r, flag, perm)
}

type memFile struct {
	d    *memDisk
	ino  *inode
	name string
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.off {
		return 0, errPower
	}
	if off >= int64(len(f.ino.cur)) {
		return 0, io.EOF
	}
	n := copy(p, f.ino.cur[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) write(p []byte, off int64) {
	f.ino.cur = resize(f.ino.cur, max(int64(len(f.ino.cur)), off+int64(len(p))))
	copy(f.ino.cur[off:], p)
	f.d.story.noteWrite(f.d.ops, f.name, p, off)
	f.ino.pending = append(f.ino.pending, pendingWrite{off: off, data: slices.Clone(p)})
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.WriteVec([][]byte{p}, off)
	return int(n), err
}

func (f *memFile) WriteVec(bufs [][]byte, off int64) (int64, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	was := f.d.off
	all := slices.Concat(bufs...)
	if err := f.d.op("write", f.name); err != nil {
		n := 0
		if !was && len(all) > 0 {
			n = f.d.rnd.IntN(len(all) + 1) // a part was written before the fault
			f.write(all[:n], off)
		}
		return int64(n), err
	}
	f.write(all, off)
	return int64(len(all)), nil
}

func (f *memFile) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.op("sync", f.name); err != nil {
		return err
	}
	if f.d.noSync {
		return nil
	}
	for _, w := range f.ino.pending {
		if w.data == nil {
			f.ino.durable = resize(f.ino.durable, w.size)
			continue
		}
		f.ino.durable = resize(f.ino.durable, max(int64(len(f.ino.durable)), w.off+int64(len(w.data))))
		copy(f.ino.durable[w.off:], w.data)
	}
	f.ino.pending = nil
	return nil
}

func (f *memFile) Allocate(size int64) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.op("allocate", f.name); err != nil {
		return err
	}
	if int64(len(f.ino.cur)) < size {
		f.ino.cur = resize(f.ino.cur, size)
		f.ino.pending = append(f.ino.pending, pendingWrite{size: size})
	}
	return nil
}

func (f *memFile) Truncate(size int64) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.op("truncate", f.name); err != nil {
		return err
	}
	f.ino.cur = resize(f.ino.cur, size)
	f.ino.pending = append(f.ino.pending, pendingWrite{size: size})
	return nil
}

func (f *memFile) Size() (int64, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return int64(len(f.ino.cur)), nil
}

func (f *memFile) Close() error { return nil }

func noSpaceError() error { return &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC} }
func ioError() error      { return &os.PathError{Op: "write", Path: "x", Err: syscall.EIO} }
