package record

import (
	"context"
	"sync/atomic"

	"github.com/programmable-mta/mta/sdk"
)

// Tap is a place in front of a plugin where a recorder can be attached while
// mail flows. Handlers and Host are called once when the plugin is loaded;
// without a recorder they cost one atomic load a call. The zero value is ready.
type Tap struct{ rec atomic.Pointer[Recorder] }

// Attach begins to record; false: somebody records already.
func (t *Tap) Attach(r *Recorder) bool { return t.rec.CompareAndSwap(nil, r) }

// Detach ends it; r is still to be closed. Calls that are under way are not
// recorded: what they ask of the host from now on would be missing.
func (t *Tap) Detach(r *Recorder) {
	r.over.Store(true)
	t.rec.CompareAndSwap(r, nil)
}

// Handlers are the hooks of a plugin with the tap in front.
func (t *Tap) Handlers(hs *sdk.Handlers) *sdk.Handlers {
	out := &sdk.Handlers{}
	for _, r := range rows() {
		r.tap(t, hs, out)
	}
	return out
}

// Host is the host to be given to the plugin, so that its calls are recorded
// with the hook call whose context they carry.
func (t *Tap) Host(h sdk.Host) sdk.Host { return newTapHost(t, h) }

// Wrap is for who records from the beginning: [Tap.Handlers] of a tap that has
// this recorder attached for good.
func (r *Recorder) Wrap(hs *sdk.Handlers) *sdk.Handlers { return r.tap().Handlers(hs) }

// Host goes with Wrap.
func (r *Recorder) Host(h sdk.Host) sdk.Host { return r.tap().Host(h) }

func (r *Recorder) tap() *Tap {
	t := &Tap{}
	t.Attach(r)
	return t
}

// tapped puts the tap in front of one hook.
func tapped[E, A any](t *Tap, hook string, f sdk.Handler[E, A]) sdk.Handler[E, A] {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, e *E) (A, error) {
		r := t.rec.Load()
		if r == nil {
			return f(ctx, e)
		}
		return recorded(ctx, r, hook, f, e)
	}
}

func recorded[E, A any](ctx context.Context, r *Recorder, hook string, f sdk.Handler[E, A], e *E) (a A, err error) {
	c := r.begin(hook, e)
	if c == nil {
		return f(ctx, e)
	}
	c.event = clone(e)
	returned := false
	defer func() {
		if returned && err == nil {
			r.end(c, clone(&a), "")
			return
		}
		text := "panic"
		if returned {
			text = err.Error()
		}
		r.end(c, nil, text)
	}()
	a, err = f(context.WithValue(ctx, callKey{}, c), e)
	returned = true
	return a, err
}

type callKey struct{}

// callOf is the recorded call that a context belongs to; nil: none.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}
