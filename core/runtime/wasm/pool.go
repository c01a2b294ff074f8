package wasm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// pool has the instances of one plugin. The one that was used last is the next
// to be used: it is the one in the caches of the processor.
type pool struct {
	mu      sync.Mutex
	idle    []*instance
	alive   int // idle, at work, and being made
	waiting []chan *instance
	closed  bool
}

var errClosed = errors.New("the plugin is closed")

// take is an idle instance; nil: the caller makes one, for which room is kept.
// When there are as many as there may be, it waits, and left is what the wait
// has left of the time.
func (p *plugin) take(ctx context.Context, limit time.Duration) (in *instance, left time.Duration, err error) {
	q := &p.pool
	q.mu.Lock()
	if n := len(q.idle); n > 0 {
		in := q.idle[n-1]
		q.idle = q.idle[:n-1]
		q.mu.Unlock()
		return in, limit, nil
	}
	if q.closed {
		q.mu.Unlock()
		return nil, 0, errClosed
	}
	if q.alive < p.limits.Instances {
		q.alive++
		q.mu.Unlock()
		return nil, limit, nil
	}
	turn := make(chan *instance, 1)
	q.waiting = append(q.waiting, turn)
	q.mu.Unlock()
	begin := p.r.opt.Now()
	in, err = p.wait(ctx, limit, turn)
	return in, limit - p.r.opt.Now().Sub(begin), err
}

func (p *plugin) wait(ctx context.Context, limit time.Duration, turn chan *instance) (*instance, error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var err error
	select {
	case in, ok := <-turn:
		return served(in, ok)
	case <-timer.C:
		err = fmt.Errorf("all %d instances were busy for %v: raise limits.instances, or let it do less", p.limits.Instances, limit)
	case <-ctx.Done():
		err = fmt.Errorf("all %d instances were busy: %w", p.limits.Instances, context.Cause(ctx))
	}
	q := &p.pool
	q.mu.Lock()
	for i, c := range q.waiting {
		if c == turn {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			q.mu.Unlock()
			return nil, err
		}
	}
	q.mu.Unlock()
	// Its turn came in the same moment.
	in, ok := <-turn
	return served(in, ok)
}

func served(in *instance, ok bool) (*instance, error) {
	if !ok {
		return nil, errClosed
	}
	return in, nil
}

// put gives an instance back.
func (p *plugin) put(in *instance) {
	q := &p.pool
	q.mu.Lock()
	switch {
	case q.closed:
		q.alive--
		q.mu.Unlock()
		in.stop()
		return
	case len(q.waiting) > 0:
		turn := q.waiting[0]
		q.waiting = q.waiting[1:]
		turn <- in
	default:
		q.idle = append(q.idle, in)
	}
	q.mu.Unlock()
}

// gone makes room for another instance in the place of one that is no more.
func (p *plugin) gone() {
	q := &p.pool
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 || q.closed {
		q.alive--
		return
	}
	turn := q.waiting[0]
	q.waiting = q.waiting[1:]
	turn <- nil // whoever waits makes one
}

// discard throws away an instance that is not to be trusted any more.
func (p *plugin) discard(in *instance) {
	p.discarded.Add(1)
	in.close()
	p.gone()
}

// retire ends an instance that has grown too large.
func (p *plugin) retire(in *instance) {
	p.discarded.Add(1)
	in.stop()
	p.gone()
}
