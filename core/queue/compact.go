package queue

type move struct{}

func (m *move) finish() {}

func (q *Queue) buildMoves(ms []*move) []*tx { return nil }
func (q *Queue) freeTail()                   {}
func (q *Queue) compactSome()                {}

// Report is what Check, Rebuild and Compact found.
type Report struct {
	Messages   int
	Recipients int
	Segments   int
	LogBytes   int64
	LiveBytes  int64
	BigFiles   int
	Faults     []string
}

// Check verifies log and index; the daemon must not run (ErrLocked).
func Check(dir string) (Report, error) { return Report{}, ErrStopped }

// Rebuild makes the index anew from the log.
func Rebuild(dir string, progress func(done, total int64)) error { return ErrStopped }

// Compact frees what is free.
func Compact(dir string) (Report, error) { return Report{}, ErrStopped }
