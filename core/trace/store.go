package trace

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	fileSize   = 16 << 20 // a file is closed at this size, or at a quarter of all
	maxRecords = 20_000   // what one search returns at most
	idsMagic   = "mta-ids1"
	idsBits    = 1 << 19 // 13 bits for each of 40,000 identifiers
	idsSuffix  = ".ids"
)

// ErrNoTrace says that no records are kept.
var ErrNoTrace = errors.New("trace: no records are kept: the trace has no folder")

// store keeps records as lines of JSON in DIR/trace-NNNN. Nothing is ever
// synced: the last moments before a crash may be missing, and a reader passes
// over what is cut or damaged. Beside a full file stands trace-NNNN.ids, a
// Bloom filter over its queue and session IDs; without it the file is searched.
type store struct {
	dir      string
	maxAge   time.Duration
	maxBytes int64
	fileSize int64 // at which a file is closed
	now      func() time.Time
	lost     func(lines uint64, err error) // a write failed

	mu     sync.Mutex // guards all below; one writer, few readers
	file   *os.File
	number int
	size   int64
	since  time.Time // of the first record in file
	ids    bloom
}

func openStore(dir string, maxAge time.Duration, maxBytes int64, now func() time.Time, lost func(uint64, error)) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	s := &store{dir: dir, maxAge: maxAge, maxBytes: maxBytes, fileSize: min(fileSize, maxBytes/4), now: now, lost: lost}
	files, err := traceFiles(dir)
	if err != nil {
		return nil, err
	}
	if n := len(files); n > 0 {
		s.number = files[n-1].number
		s.adopt(files[n-1])
	}
	s.expire()
	return s, nil
}

// adopt goes on with the last file of the process before, if there is room.
func (s *store) adopt(last traceFile) {
	if last.indexed || last.size >= s.fileSize/2 {
		return
	}
	b, err := os.ReadFile(last.path)
	if err != nil {
		return
	}
	f, err := os.OpenFile(last.path, os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return
	}
	if len(b) > 0 && b[len(b)-1] != '\n' { // cut by a crash: end the line
		if _, err := f.Write([]byte{'\n'}); err != nil {
			f.Close()
			return
		}
		b = append(b, '\n')
	}
	s.file, s.size, s.since = f, int64(len(b)), last.modified
	s.ids.addLines(b)
	var first Record
	if line, _, _ := bytes.Cut(b, []byte{'\n'}); json.Unmarshal(line, &first) == nil && !first.At.IsZero() {
		s.since = first.At
	}
}

// write is called by the pump: with lines, or with none when time has passed.
func (s *store) write(b []byte, _ uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Old records go in the end even when little comes: a file never spans
	// more than a part of the age at which it is removed.
	if s.file != nil && (s.size+int64(len(b)) > s.fileSize || s.now().Sub(s.since) > s.maxAge/7) {
		s.rotate()
	}
	if len(b) == 0 {
		s.expire()
		return
	}
	if err := s.append(b); err != nil {
		if s.file != nil {
			s.file.Close()
			s.file = nil // the next file has no half a line in it
		}
		s.lost(uint64(bytes.Count(b, []byte{'\n'})), err)
	}
}

func (s *store) append(b []byte) error {
	if s.file == nil {
		f, err := os.OpenFile(s.path(s.number+1), os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
		if err != nil {
			if errors.Is(err, fs.ErrExist) {
				s.number++
			}
			return err
		}
		s.number++
		s.file, s.size, s.since = f, 0, s.now()
		s.ids = bloom{}
	}
	n, err := s.file.Write(b)
	s.size += int64(n)
	s.ids.addLines(b[:n])
	return err
}

// rotate ends the file and writes its filter.
func (s *store) rotate() {
	s.file.Close()
	s.file = nil
	// A filter that cannot be written costs time in a search, nothing else.
	_ = os.WriteFile(s.path(s.number)+idsSuffix, s.ids.encode(), 0o600)
	s.expire()
}

// expire removes files that are too old, and the oldest while all of them and
// one more would be too large.
func (s *store) expire() {
	files, err := traceFiles(s.dir)
	if err != nil {
		return
	}
	var total int64
	for _, f := range files {
		total += f.size
	}
	for _, f := range files {
		current := s.file != nil && f.number == s.number
		if current || total <= s.maxBytes-s.fileSize && s.now().Sub(f.modified) <= s.maxAge {
			continue
		}
		os.Remove(f.path)
		os.Remove(f.path + idsSuffix)
		total -= f.size
	}
}

func (s *store) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		s.file.Close()
		s.file = nil
	}
}

func (s *store) path(n int) string { return filepath.Join(s.dir, fmt.Sprintf("trace-%04d", n)) }

type traceFile struct {
	path     string
	number   int
	size     int64
	modified time.Time
	indexed  bool
}

// traceFiles are the files of a folder, oldest first.
func traceFiles(dir string) ([]traceFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	var files []traceFile
	indexed := map[int]bool{}
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), "trace-")
		rest, side := strings.CutSuffix(rest, idsSuffix)
		n, err := strconv.Atoi(rest)
		if !ok || err != nil || n < 0 {
			continue
		}
		if side {
			indexed[n] = true
			continue
		}
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue // gone since, or not ours
		}
		files = append(files, traceFile{path: filepath.Join(dir, e.Name()), number: n, size: info.Size(), modified: info.ModTime()})
	}
	for i := range files {
		files[i].indexed = indexed[files[i].number]
	}
	slices.SortFunc(files, func(a, b traceFile) int { return a.number - b.number })
	return files, nil
}

// Search finds the records of a queue ID, or of a session and its messages, in
// the trace files of a folder: also without a running relay.
func Search(dir, id string, session bool) ([]Record, error) {
	if !validID(id) {
		return nil, fmt.Errorf("trace: %q is not an ID: it consists of letters, digits, dots and dashes", id)
	}
	files, err := traceFiles(dir)
	if err != nil {
		return nil, err
	}
	var found []Record
	var buf []byte
	for _, f := range files {
		if f.indexed && !mayHold(f.path+idsSuffix, id) {
			continue
		}
		if buf, err = readInto(buf, f.path); err != nil {
			continue // removed since the list was made, or unreadable: the rest still tells something
		}
		found = searchLines(found, buf, id, session)
	}
	slices.SortStableFunc(found, func(a, b Record) int { return a.order().Compare(b.order()) })
	return found, nil
}

func searchLines(found []Record, b []byte, id string, session bool) []Record {
	needle := []byte(`{"id":"` + id + `"`)
	if session {
		needle = []byte(`","session":"` + id + `"`)
	}
	for len(b) > 0 && len(found) < maxRecords {
		i := bytes.Index(b, needle)
		if i < 0 {
			break
		}
		start := bytes.LastIndexByte(b[:i], '\n') + 1
		end := len(b)
		if n := bytes.IndexByte(b[i:], '\n'); n >= 0 {
			end = i + n
		}
		var r Record
		// A quote inside a value is always escaped, so the needle can only
		// stand where the field stands; what is cut or damaged does not parse.
		if json.Unmarshal(b[start:end], &r) == nil && (!session && r.ID == id || session && r.Session == id) {
			found = append(found, r)
		}
		b = b[min(end+1, len(b)):]
	}
	return found
}

// readInto reads a file into a buffer that is used again. Ours are never much
// larger than fileSize; of anything larger the beginning is read.
func readInto(buf []byte, path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return buf, err
	}
	defer f.Close()
	if buf == nil {
		buf = make([]byte, 0, fileSize+fileSize/4)
	}
	n, err := io.ReadFull(f, buf[:cap(buf)])
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		err = nil
	}
	return buf[:n], err
}

func validID(id string) bool {
	for _, c := range []byte(id) {
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '.' || c == '_') {
			return false
		}
	}
	return id != "" && len(id) <= 64
}

// bloom tells which IDs are certainly not in a file.
type bloom [idsBits / 8]byte

// addLines adds the identifiers with which lines begin.
func (f *bloom) addLines(b []byte) {
	for line := range bytes.Lines(b) {
		rest, ok := bytes.CutPrefix(line, []byte(`{"id":"`))
		if !ok {
			continue
		}
		id, rest, _ := bytes.Cut(rest, []byte{'"'})
		f.add(id)
		if rest, ok = bytes.CutPrefix(rest, []byte(`,"session":"`)); ok {
			session, _, _ := bytes.Cut(rest, []byte{'"'})
			f.add(session)
		}
	}
}

func (f *bloom) add(id []byte) {
	a, b := hash(id)
	for range 4 {
		f[a%idsBits/8] |= 1 << (a % 8)
		a += b
	}
}

func (f *bloom) has(id string) bool {
	a, b := hash([]byte(id))
	for range 4 {
		if f[a%idsBits/8]&(1<<(a%8)) == 0 {
			return false
		}
		a += b
	}
	return true
}

// hash is FNV-1a in two halves, for double hashing.
func hash(id []byte) (uint32, uint32) {
	h := uint64(14695981039346656037)
	for _, c := range id {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return uint32(h), uint32(h>>32) | 1
}

func (f *bloom) encode() []byte {
	b := append([]byte(idsMagic), f[:]...)
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// mayHold is false only when an intact filter says so.
func mayHold(path, id string) bool {
	b, err := os.ReadFile(path)
	n := len(idsMagic)
	if err != nil || len(b) != n+idsBits/8+4 || string(b[:n]) != idsMagic ||
		crc32.ChecksumIEEE(b[:len(b)-4]) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return true
	}
	return (*bloom)(b[n : n+idsBits/8]).has(id)
}
