package queue

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Disk is everything that the queue asks of a file system. It is an argument,
// so that tests can cut the power between any two calls.
//
// What the queue relies on, and no more: bytes are durable once Sync returned
// without error; a name is durable once SyncDir of its folder did; a rename is
// seen whole or not at all. Bytes that were written and not synced may be there
// afterwards, or not, or in part, and in any order.
type Disk interface {
	// Open opens a file for reading and writing; create makes it, empty, if
	// there is none.
	Open(name string, create bool) (File, error)
	Rename(oldname, newname string) error
	Remove(name string) error
	// ReadDir lists the names in a folder, in order.
	ReadDir(dir string) ([]string, error)
	// MkdirAll makes a folder that only the owner can enter.
	MkdirAll(dir string) error
	SyncDir(dir string) error
	// Free is how many bytes an unprivileged process can still write.
	Free(dir string) (int64, error)
	// Lock takes name for this process until the closer is called, or
	// answers ErrLocked with the holder.
	Lock(name string) (io.Closer, error)
	// IndexFile opens the file of the index. The index is mapped into memory,
	// so it must be a file of the system even where the rest is simulated.
	IndexFile(name string, flag int, perm os.FileMode) (*os.File, error)
}

// File is an open file of a [Disk].
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// WriteVec writes the buffers one behind the other at off.
	WriteVec(bufs [][]byte, off int64) (int64, error)
	// Sync makes the content durable (fdatasync).
	Sync() error
	// Allocate reserves space from the beginning to size and makes the file at
	// least that long.
	Allocate(size int64) error
	Truncate(size int64) error
	Size() (int64, error)
}

// OS is the disk of the operating system.
func OS() Disk { return osDisk{} }

type osDisk struct{}

func (osDisk) Open(name string, create bool) (File, error) {
	flag := os.O_RDWR
	if create {
		flag |= os.O_CREATE
	}
	f, err := os.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osDisk) Rename(o, n string) error  { return os.Rename(o, n) }
func (osDisk) Remove(name string) error  { return os.Remove(name) }
func (osDisk) MkdirAll(dir string) error { return os.MkdirAll(dir, 0o700) }

func (osDisk) ReadDir(dir string) ([]string, error) {
	es, err := os.ReadDir(dir)
	names := make([]string, len(es))
	for i, e := range es {
		names[i] = e.Name()
	}
	return names, err
}

func (osDisk) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (osDisk) Free(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * st.Bsize, nil
}

func (osDisk) Lock(name string) (io.Closer, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		var b [32]byte
		n, _ := f.ReadAt(b[:], 0)
		f.Close()
		holder := strings.TrimSpace(string(b[:n]))
		if _, err := strconv.Atoi(holder); err != nil {
			holder = "unknown"
		}
		return nil, fmt.Errorf("%w: %s, by process %s", ErrLocked, filepath.Dir(name), holder)
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (osDisk) IndexFile(name string, flag int, perm os.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, perm)
}

type osFile struct{ *os.File }

// maxVec is the limit of the kernel on buffers in one call (IOV_MAX).
const maxVec = 1024

func (f osFile) WriteVec(bufs [][]byte, off int64) (int64, error) {
	var total int64
	for len(bufs) > 0 {
		n, err := unix.Pwritev(int(f.Fd()), bufs[:min(len(bufs), maxVec)], off)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return total, &os.PathError{Op: "pwritev", Path: f.Name(), Err: err}
		}
		if n == 0 {
			return total, io.ErrShortWrite
		}
		total += int64(n)
		off += int64(n)
		for len(bufs) > 0 && n >= len(bufs[0]) {
			n -= len(bufs[0])
			bufs = bufs[1:]
		}
		if n > 0 {
			// A short write ended inside a buffer; the slice of the caller must
			// not change, so the rest of that buffer goes alone.
			m, err := f.WriteAt(bufs[0][n:], off)
			total += int64(m)
			off += int64(m)
			if err != nil {
				return total, err
			}
			bufs = bufs[1:]
		}
	}
	return total, nil
}

func (f osFile) Sync() error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
		return nil
	}
}

func (f osFile) Allocate(size int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), 0, 0, size)
		switch err {
		case unix.EINTR:
			continue
		case unix.EOPNOTSUPP, unix.ENOSYS:
			// Such a file system gives no promise of space, so ENOSPC will
			// come from a write, where it is handled too.
			return f.Truncate(size)
		case nil:
			return nil
		}
		return &os.PathError{Op: "fallocate", Path: f.Name(), Err: err}
	}
}

func (f osFile) Size() (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

// isNoSpace tells errors that pass when somebody makes room from those that say
// that the disk is broken.
func isNoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, ErrNoSpace)
}
