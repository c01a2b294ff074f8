package maildir

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

const levelError = slog.LevelError

// disk is what of the file system is used, so that tests can fill it up.
type disk interface {
	Mkdir(path string) error
	Exists(path string) (bool, error)
	Create(path string) (file, error) // fails if it exists
	Rename(from, to string) error
	Remove(path string) error
	SyncDir(path string) error
}

type file interface {
	io.WriteCloser
	Sync() error
}

type system struct{}

func (system) Mkdir(path string) error      { return os.Mkdir(path, 0o700) }
func (system) Rename(from, to string) error { return os.Rename(from, to) }
func (system) Remove(path string) error     { return os.Remove(path) }

func (system) Exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (system) Create(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

func (system) SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}

// mkdir makes a folder and those above it, each durable before the next.
func mkdir(d disk, path string) error {
	if ok, err := d.Exists(path); ok || err != nil {
		return err
	}
	parent := filepath.Dir(path)
	if parent == path {
		return fs.ErrNotExist
	}
	if err := mkdir(d, parent); err != nil {
		return err
	}
	if err := d.Mkdir(path); err != nil && !errors.Is(err, fs.ErrExist) { // another delivery was faster
		return err
	}
	return d.SyncDir(parent)
}

// copyLF copies with LF for CRLF, as maildirs have it. Other CRs stay.
func copyLF(ctx context.Context, w io.Writer, r io.Reader) (n int64, err error) {
	var in [32 << 10]byte
	out := make([]byte, 0, len(in)+1)
	held := false // a CR at the end of the last piece, not written yet
	for {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		got, rerr := r.Read(in[:])
		piece := in[:got]
		out = out[:0]
		if held && got > 0 {
			if piece[0] != '\n' {
				out = append(out, '\r')
			}
			held = false
		}
		for {
			i := bytes.IndexByte(piece, '\r')
			if i < 0 {
				out = append(out, piece...)
				break
			}
			out = append(out, piece[:i]...)
			switch {
			case i+1 == len(piece):
				held = true
			case piece[i+1] != '\n':
				out = append(out, '\r')
			}
			piece = piece[i+1:]
		}
		if rerr == io.EOF && held {
			out = append(out, '\r')
		}
		m, werr := w.Write(out)
		n += int64(m)
		switch {
		case werr != nil:
			return n, werr
		case rerr == io.EOF:
			return n, nil
		case rerr != nil:
			return n, rerr
		}
	}
}
