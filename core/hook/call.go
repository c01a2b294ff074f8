package hook

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/programmable-mta/mta/core/answer"
	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// member is one hook of one plugin.
type member[E, A any] struct {
	*owner
	rules   *answer.Rules
	fn      sdk.Handler[E, A]
	copy    func(*E) (*E, *lease)
	onError OnError
	breaker breaker
	reads   string
	fixed   trace.Fixed
	figures figures

	told   atomic.Int64 // when a failure was last told
	untold atomic.Int64 // failures since then
}

var (
	errOpen     = errors.New("hook: not asked: it failed too often, the breaker is open")
	errBusy     = errors.New("hook: not asked: all its slots are taken by calls that have not returned")
	errDeadline = errors.New("hook: no answer within the deadline")
)

// call asks the plugin. Whoever calls judges the answer and then reports to the
// breaker, unless the error is errOpen.
func (m *member[E, A]) call(ctx context.Context, now func() time.Time, e *E) (A, error) {
	if !m.breaker.allow(now, m.revivals) {
		var none A
		return none, errOpen
	}
	if m.inline || m.copy == nil {
		return m.direct(ctx, e)
	}
	return m.guarded(ctx, e)
}

// asked is call for a record: it also tells the fuel that the call took, if
// somebody counts it.
func (m *member[E, A]) asked(ctx context.Context, now func() time.Time, th *trace.Thread, e *E) (a A, fuel int64, err error) {
	if th == nil || !m.metered {
		a, err = m.call(ctx, now, e)
		return a, 0, err
	}
	costed := &runtime.Costed{Context: ctx}
	a, err = m.call(costed, now, e)
	return a, costed.Cost.Fuel, err
}

// direct calls on this goroutine. A panic becomes an error.
func (m *member[E, A]) direct(ctx context.Context, e *E) (a A, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("hook: panic: %v", r)
		}
	}()
	return m.fn(ctx, e)
}

// guarded calls on a goroutine of its own and leaves it behind at the deadline.
// The goroutine keeps its slot until the plugin returns, so that a plugin that
// never does costs at most as many goroutines as it has slots.
func (m *member[E, A]) guarded(ctx context.Context, e *E) (A, error) {
	type result struct {
		a   A
		err error
	}
	var none A
	limited, cancel := context.WithTimeout(ctx, m.deadline)
	defer cancel()
	if err := m.slot(limited); err != nil {
		return none, abandoned(ctx, err)
	}
	own, held := m.copy(e)
	defer held.end()
	done := make(chan result, 1)
	go func() {
		defer func() { <-m.slots }()
		a, err := m.direct(limited, own)
		done <- result{a, err}
	}()
	select {
	case r := <-done:
		return r.a, r.err
	case <-limited.Done():
	}
	select { // an answer that came at the last moment is an answer
	case r := <-done:
		return r.a, r.err
	default:
		return none, abandoned(ctx, errDeadline)
	}
}

func (m *member[E, A]) slot(ctx context.Context) error {
	select {
	case m.slots <- struct{}{}:
		return nil
	default:
	}
	select {
	case m.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return errBusy
	}
}

// abandoned tells a session that ended from a plugin that was slow.
func abandoned(ctx context.Context, slow error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("hook: given up, the caller has gone: %w", err)
	}
	return slow
}

// report tells the breaker how a call went. When the caller has gone, an error
// says nothing about the plugin.
func (m *member[E, A]) report(ctx context.Context, now func() time.Time, err error) {
	m.figures.calls.Add(1)
	if err != nil {
		m.figures.errors.Add(1)
		// That it is not asked any more is not why.
		if why := answer.Why(err); ctx.Err() == nil && err != errOpen {
			m.figures.last.Store(&why)
		}
	}
	switch {
	case err == nil:
		m.breaker.succeeded()
	case err == errOpen:
	case ctx.Err() != nil:
		m.breaker.unknown()
	default:
		m.tell(now, err, m.breaker.failed(now))
	}
}

// tell says why a call failed to whoever keeps the log: once a second for each
// hook of a plugin, so that no client can fill the disk by what it sends.
func (m *member[E, A]) tell(now func() time.Time, err error, opened bool) {
	if m.failed == nil {
		return
	}
	at := now().UnixNano()
	last := m.told.Load()
	if since := time.Duration(at - last); !opened && (last != 0 && 0 <= since && since < time.Second || !m.told.CompareAndSwap(last, at)) {
		m.untold.Add(1)
		return
	}
	m.failed(Failure{Plugin: m.name, Hook: m.rules.Name, Err: answer.Why(err), Opened: opened, Untold: m.untold.Swap(0)})
}

// When a breaker opens, and for how long.
const (
	breakerFailures = 5
	breakerOpen     = 30 * time.Second
)

// breaker keeps a plugin that fails all the time from delaying everybody. It is
// closed below breakerFailures failures in a row, then open for breakerOpen,
// then half-open: one call goes through as a probe and decides.
type breaker struct {
	failures atomic.Int32 // in a row; alone decides whether it is closed

	mu      sync.Mutex
	until   time.Time // open until then
	probing bool
	life    int64 // revivals of the plugin when it was last tried
}

// allow reads one word while the plugin is well.
func (b *breaker) allow(now func() time.Time, revivals func() int64) bool {
	if b.failures.Load() < breakerFailures {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures.Load() < breakerFailures {
		return true
	}
	if b.probing {
		return false
	}
	if now().Before(b.until) {
		// What has been brought back to life since need not wait for its turn.
		if revivals == nil || revivals() == b.life {
			return false
		}
	}
	if revivals != nil {
		b.life = revivals()
	}
	b.probing = true
	return true
}

func (b *breaker) succeeded() {
	if b.failures.Load() == 0 {
		return
	}
	b.mu.Lock()
	b.failures.Store(0)
	b.probing = false
	b.mu.Unlock()
}

// failed tells whether the breaker has opened with this failure.
func (b *breaker) failed(now func() time.Time) (opened bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(b.failures.Load()+1, 1<<20)
	b.failures.Store(n)
	// Calls that were under way when it opened and fail late do not keep it
	// open for longer.
	if n == breakerFailures || b.probing {
		b.until = now().Add(breakerOpen)
		b.probing = false
		return true
	}
	return false
}

// unknown ends a probe without a result; the next call is the next probe.
func (b *breaker) unknown() {
	b.mu.Lock()
	b.probing = false
	b.mu.Unlock()
}

func (b *breaker) state(now func() time.Time) (state string, failures int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.failures.Load()
	switch {
	case n < breakerFailures:
		return "closed", int(n)
	case now().Before(b.until):
		return "open", int(n)
	}
	return "half-open", int(n)
}

// Drain waits until no guarded call runs any more, also none that was
// abandoned, so that the plugins can be closed. Who calls it has made sure that
// no new calls begin; it is called once, and the chains are of no use after it.
func (c *Chains) Drain(ctx context.Context) error {
	for _, o := range c.owners {
		for range cap(o.slots) {
			select {
			case o.slots <- struct{}{}:
			case <-ctx.Done():
				return fmt.Errorf("hook: plugin %q still has calls that have not returned: %w", o.name, ctx.Err())
			}
		}
	}
	return nil
}
