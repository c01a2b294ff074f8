package trace

import (
	"sync"
	"time"
)

// pump carries bytes from many goroutines to one slow place. Adding never
// waits for that place: what does not fit is counted and lost. Everything that
// waits goes out in one piece.
type pump struct {
	limit   int           // bytes that may wait; one piece may be larger
	reserve int           // more, for what should not be lost
	early   int           // so many waiting bytes are written at once
	every   time.Duration // the longest wait of a byte, while the place keeps up
	tick    time.Duration // calls write with nothing when nothing came; 0: never
	write   func(b []byte, lost uint64)

	mu    sync.Mutex
	buf   []byte // what waits
	spare []byte
	lost  uint64 // since the last write
	total uint64 // ever lost

	draining sync.Mutex // one write at a time; held without mu
	wake     chan struct{}
	full     chan struct{}
	stop     chan struct{}
	done     chan struct{}
}

func (p *pump) start() {
	p.wake = make(chan struct{}, 1)
	p.full = make(chan struct{}, 1)
	p.stop = make(chan struct{})
	p.done = make(chan struct{})
	go p.run()
}

// add appends b, which holds n lines, or loses it.
func (p *pump) add(b []byte, n int, keep bool) {
	limit := p.limit
	if keep {
		limit += p.reserve
	}
	p.mu.Lock()
	before := len(p.buf)
	// A piece that alone is above the limit, an attempt of ten thousand recipients,
	// has a bound of its own, and a place that keeps up takes it.
	if before+len(b) > limit && before >= p.early {
		p.lost += uint64(n)
		p.total += uint64(n)
		p.mu.Unlock()
		return
	}
	p.buf = append(p.buf, b...)
	after := len(p.buf)
	p.mu.Unlock()
	if before == 0 {
		signal(p.wake)
	}
	if before < p.early && after >= p.early {
		signal(p.full)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// drain writes what waits, and returns when it is written.
func (p *pump) drain() {
	p.draining.Lock()
	defer p.draining.Unlock()
	p.mu.Lock()
	b, lost := p.buf, p.lost
	p.buf, p.spare, p.lost = p.spare[:0], nil, 0
	p.mu.Unlock()
	p.write(b, lost)
	// A burst must not hold its memory for ever.
	if cap(b) > 256<<10 && len(b) < cap(b)/4 {
		b = nil
	}
	p.mu.Lock()
	p.spare = b[:0]
	p.mu.Unlock()
}

func (p *pump) run() {
	defer close(p.done)
	wait := time.NewTimer(p.every)
	defer wait.Stop()
	var idle <-chan time.Time
	if p.tick > 0 {
		t := time.NewTicker(p.tick)
		defer t.Stop()
		idle = t.C
	}
	for {
		select {
		case <-p.stop:
			p.drain()
			return
		case <-p.wake:
			wait.Reset(p.every)
			select {
			case <-wait.C:
			case <-p.full:
			case <-p.stop:
			}
		case <-idle:
		}
		p.drain()
	}
}

// addLost counts lines that were lost behind the pump.
func (p *pump) addLost(n uint64) {
	p.mu.Lock()
	p.total += n
	p.mu.Unlock()
}

func (p *pump) dropped() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total
}

// close writes what waits, but waits for a place that is stuck only so long.
func (p *pump) close(patience time.Duration) bool {
	close(p.stop)
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-p.done:
		return true
	case <-t.C:
		return false
	}
}
