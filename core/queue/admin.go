package queue

import "time"

func (q *Queue) oldest() time.Time                            { return time.Time{} }
func (q *Queue) Get(id string) (*Entry, error)                { return nil, ErrNotFound }
func (q *Queue) List(f Filter, yield func(*Entry) bool) error { return ErrStopped }
func (q *Queue) Count(f Filter) (Counts, error)               { return Counts{}, ErrStopped }
func (q *Queue) Hold(f Filter, by string) (int, error)        { return 0, ErrStopped }
func (q *Queue) Release(f Filter, by string) (int, error)     { return 0, ErrStopped }
func (q *Queue) Delete(f Filter, by string) (int, error)      { return 0, ErrStopped }
func (q *Queue) Expire(f Filter, by string) (int, error)      { return 0, ErrStopped }
func (q *Queue) Flush(f Filter, by string) (int, error)       { return 0, ErrStopped }
func (q *Queue) Reroute(f Filter, route string) (int, error)  { return 0, ErrStopped }
