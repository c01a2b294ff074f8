package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"syscall"

	bolt "go.etcd.io/bbolt"
)

// maxDamaged is how many damaged files are kept; a later one replaces the last.
const maxDamaged = 9

// openFile opens the file or begins it, and counts what it holds. A damaged one
// is set aside, and so nothing of it can disturb again.
func (s *Store) openFile() (*bolt.DB, map[string]*usage, error) {
	db, spaces, err := tryOpen(s.path)
	if errors.Is(err, errDamaged) {
		if err := s.setAside(err); err != nil {
			return nil, nil, err
		}
		db, spaces, err = tryOpen(s.path)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("state: %s: %w", s.path, err)
	}
	return db, spaces, nil
}

// setAside renames a damaged file. That there is none is as good.
func (s *Store) setAside(cause error) error {
	var name string
	for i := 1; i <= maxDamaged; i++ {
		name = s.path + ".damaged-" + strconv.Itoa(i)
		if _, err := os.Lstat(name); errors.Is(err, os.ErrNotExist) {
			break
		}
	}
	if err := os.Rename(s.path, name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("state: set a damaged file aside: %w", err)
	}
	s.o.Logf("%v; the file is now %s, and plugins begin with an empty one", cause, name)
	return nil
}

// tryOpen locks the file first, by the very descriptor that bbolt will use: a
// survey of a file at which another process writes would find damage.
func tryOpen(path string) (*bolt.DB, map[string]*usage, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("in use by another process: %w", err)
	}
	spaces, err := survey(f)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	db, err := openBolt(f)
	return db, spaces, err
}

func openBolt(f *os.File) (db *bolt.DB, err error) {
	defer guard(&err)()
	db, err = bolt.Open(f.Name(), 0o600, &bolt.Options{
		NoFreelistSync:  true,
		FreelistType:    bolt.FreelistMapType,
		InitialMmapSize: 1 << 28, // address space only: growing waits for readers
		NoStatistics:    true,
		OpenFile:        func(string, int, os.FileMode) (*os.File, error) { return f, nil },
	})
	if err != nil {
		return nil, err // bbolt has closed f
	}
	db.AllocSize = 1 << 20
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{bucketMeta, bucketKV, bucketDue} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		if bytes.Equal(tx.Bucket(bucketMeta).Get(keyVersion), version1) {
			return nil
		}
		return tx.Bucket(bucketMeta).Put(keyVersion, version1)
	})
	if err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// guard turns a panic of bbolt, and a fault in the mapped file, into an error:
// that is how damage shows which came after the survey.
func guard(err *error) func() {
	old := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			*err = fmt.Errorf("%w: %v", errDamaged, r)
		}
	}
}

// view reads the file. Damage is reported to the flusher, which begins a new one.
func (s *Store) view(fn func(kv, due *bolt.Bucket) error) error {
	db := s.db.Load()
	err := func() (err error) {
		defer guard(&err)()
		return db.View(func(tx *bolt.Tx) error {
			kv, due := tx.Bucket(bucketKV), tx.Bucket(bucketDue)
			if kv == nil || due == nil {
				return errDamaged
			}
			return fn(kv, due)
		})
	}()
	if errors.Is(err, errDamaged) {
		s.reportDamage(db)
	}
	return err
}

// read is the record of a key in the file.
func (s *Store) read(kvKey []byte) (r record, err error) {
	err = s.view(func(kv, _ *bolt.Bucket) error {
		v := kv.Get(kvKey)
		if v == nil {
			return nil
		}
		if r, err = decodeRecord(kvKey, v); err != nil {
			return err
		}
		r.data = slices.Clone(r.data)
		return nil
	})
	if err != nil {
		return record{}, err
	}
	if r.kind == absent {
		r.expires = never
	}
	return r, nil
}

// write makes a batch durable, all of it or nothing.
func (s *Store) write(batch []change) (err error) {
	db := s.db.Load()
	defer func() {
		if errors.Is(err, errDamaged) {
			s.reportDamage(db)
		}
	}()
	defer guard(&err)()
	return db.Update(func(tx *bolt.Tx) error {
		kv, due := tx.Bucket(bucketKV), tx.Bucket(bucketDue)
		if kv == nil || due == nil {
			return errDamaged
		}
		for i := range batch {
			if err := batch[i].apply(kv, due); err != nil {
				return err
			}
		}
		return nil
	})
}

// apply writes one record and keeps the bucket due in step with it.
func (c *change) apply(kv, due *bolt.Bucket) error {
	expired := int64(never) // of what stands there now
	if v := kv.Get(c.kvKey); v != nil {
		old, err := decodeRecord(c.kvKey, v)
		if err != nil {
			return err
		}
		expired = old.expires
	} else if c.kind == absent {
		return nil
	}
	expires := c.expires
	if c.kind == absent {
		expires = never
	}
	if expired != expires && expired != never {
		if err := due.Delete(dueKey(c.space.prefix, expired, c.entry.key)); err != nil {
			return err
		}
	}
	if expired != expires && expires != never {
		if err := due.Put(dueKey(c.space.prefix, expires, c.entry.key), nil); err != nil {
			return err
		}
	}
	if c.kind == absent {
		return kv.Delete(c.kvKey)
	}
	return kv.Put(c.kvKey, c.encode(c.kvKey))
}

// closeFile may find that bbolt panics once more; the file is given up then.
func closeFile(db *bolt.DB) (err error) {
	defer guard(&err)()
	return db.Close()
}
