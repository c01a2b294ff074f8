package delivery

import (
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// Jitter spreads what failed together over a tenth of the time on both sides.
const jitter = 0.1

// minRetry keeps a peer from being hammered by jitter alone. A shorter time
// is used where the configuration asks for one.
const minRetry = 30 * time.Second

// clockSlack is how far the wall clock may run away from the monotonic one
// before it counts as having been set.
const clockSlack = 10 * time.Minute

// backoff says when a recipient is tried again, and when it is given up.
type backoff struct {
	retry          []time.Duration
	lifetime       time.Duration
	bounceLifetime time.Duration
	rand           func() float64
	started        time.Time
	steady         func(now time.Time) time.Duration // since started, on the monotonic clock
}

func newBackoff(o *Options) backoff {
	started := o.Now()
	return backoff{retry: o.Retry, lifetime: o.Lifetime, bounceLifetime: o.BounceLifetime, rand: o.Rand,
		started: started, steady: func(now time.Time) time.Duration { return now.Sub(started) }}
}

// wait is the time between an attempt and the next; attempts is how many were made.
func (b *backoff) wait(attempts int) time.Duration {
	i := min(max(attempts, 1), len(b.retry)) - 1
	d := b.retry[i]
	w := time.Duration(float64(d) * (1 - jitter + 2*jitter*b.rand()))
	if w < minRetry {
		w = min(d, minRetry)
	}
	return w
}

// park is how long a destination is left alone that could not be reached.
func (b *backoff) park() time.Duration { return b.retry[0] }

// next is the time of the next attempt: after the usual wait, or at the end of
// the lifetime if that is sooner, for the last one.
func (b *backoff) next(now time.Time, env *sdk.Envelope, attempts int) time.Time {
	return b.within(now, env, now.Add(b.wait(attempts)))
}

// within moves a time that somebody asked for into the lifetime.
func (b *backoff) within(now time.Time, env *sdk.Envelope, t time.Time) time.Time {
	if left := b.of(env) - b.age(now, env); left > 0 {
		if end := now.Add(left); t.After(end) {
			return end
		}
	}
	return t
}

// expired tells whether the lifetime has ended: a recipient that an attempt
// now leaves deferred is given up.
func (b *backoff) expired(now time.Time, env *sdk.Envelope) bool {
	return b.age(now, env) >= b.of(env)
}

// end is when the lifetime ends, for people.
func (b *backoff) end(env *sdk.Envelope) time.Time { return env.Arrived.Add(b.of(env)) }

func (b *backoff) of(env *sdk.Envelope) time.Duration {
	if env.From == "" {
		return b.bounceLifetime
	}
	return b.lifetime
}

// age is how long ago a message arrived. When the wall clock is set forward
// while the relay runs, the jump is taken off: one bad step must not give up
// all mail there is. A message that would not have been there yet arrived when
// the clock was right, so for it the new time is taken as it is.
func (b *backoff) age(now time.Time, env *sdk.Envelope) time.Duration {
	wall := now.Round(0)
	age := wall.Sub(env.Arrived.Round(0))
	jump := wall.Sub(b.started.Round(0)) - b.steady(now)
	if jump > clockSlack && age > jump {
		age -= jump
	}
	return age
}
