package main

import (
	"errors"
	"net/http"
	"sort"
	"sync"
	"time"

	"github.com/programmable-mta/mta/core/queue"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// metricsHandler serves /metrics, /healthz and /readyz.
func (r *relay) metricsHandler() http.Handler {
	d := &destinations{queue: r.queue, now: r.w.now}
	r.tracer.Metrics().Queue(func() trace.QueueSnapshot {
		st := r.queue.Stats()
		return trace.QueueSnapshot{Messages: byState(st.ByState[:]), Oldest: st.Oldest, Destinations: d.list(),
			Syncs: st.Syncs, Syncing: st.Syncing, Puts: st.Puts, Batch: st.Batch[:]}
	}, r.w.now)
	r.tracer.Metrics().Breakers(r.openBreakers)
	r.tracer.Metrics().PluginFigures(r.figures)
	return r.tracer.Metrics().Mux(r.healthy, r.ready)
}

func (r *relay) healthy() error {
	if r.queue.Stats().Stopped {
		return errors.New("the queue is stopped: its disk failed")
	}
	return nil
}

func (r *relay) ready() error {
	if r.draining.Load() {
		return errors.New("draining")
	}
	return r.queue.Space(0)
}

// openBreakers tells for each plugin whether one of its breakers is open.
func (r *relay) openBreakers() map[string]bool {
	open := map[string]bool{}
	for _, c := range r.gen.Load().chains.Describe() {
		for _, m := range c.Members {
			open[m.Plugin] = open[m.Plugin] || m.Breaker == "open"
		}
	}
	return open
}

// destinations counts what waits by recipient domain. Counting reads the whole
// index, so it is done beside the scrapes and at most once in a while.
type destinations struct {
	queue *queue.Queue
	now   func() time.Time

	mu      sync.Mutex
	last    []trace.Destination
	at      time.Time
	running bool
}

const destinationsAge = 30 * time.Second

func (d *destinations) list() []trace.Destination {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.running && d.now().Sub(d.at) >= destinationsAge {
		d.running = true
		go d.count()
	}
	return d.last
}

func (d *destinations) count() {
	rows := map[string]*trace.Destination{}
	d.queue.List(queue.Filter{State: []queue.State{queue.Pending, queue.Held}}, func(e *queue.Entry) bool {
		for i, st := range e.Rcpts {
			if st.State.Ended() {
				continue
			}
			name := sdk.Domain(e.Envelope.Recipients[i].Addr)
			row := rows[name]
			if row == nil {
				row = &trace.Destination{Name: name, Oldest: e.Arrived}
				rows[name] = row
			}
			row.Recipients++
			if e.Arrived.Before(row.Oldest) {
				row.Oldest = e.Arrived
			}
		}
		return true
	})
	var out []trace.Destination
	for _, row := range rows {
		out = append(out, *row)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Recipients > out[j].Recipients })
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last, d.at, d.running = out, d.now(), false
}
