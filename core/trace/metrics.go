package trace

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/programmable-mta/mta/sdk"
)

const (
	maxPlugins      = 64 // names of plugins that become labels
	maxDestinations = 20
	other           = "other"
)

// Metrics are the numbers that the relay shows. No label takes its value from
// a peer: verbs, codes, outcomes and states come from fixed lists, plugins from
// the configuration, and only the largest destinations are named.
type Metrics struct {
	registry *prometheus.Registry

	accepted, acceptedBytes, dsns     prometheus.Counter
	delivered, removed, sessionsTotal prometheus.Counter
	sessions                          prometheus.Gauge
	timeTo250, syncSeconds, groupSize prometheus.Histogram
	syncs                             prometheus.Counter
	rejected, settled, bounces        *prometheus.CounterVec
	attempts, hookErrors              *prometheus.CounterVec
	hookSeconds                       *prometheus.HistogramVec
	breaker                           *prometheus.GaugeVec
	queue                             queueCollector

	mu      sync.Mutex // writers of plugins
	plugins atomic.Pointer[map[string]*pluginMetrics]
	via     map[string][4]prometheus.Counter // smtp, lmtp, other
}

// pluginMetrics are the children of one plugin, made when first needed.
type pluginMetrics struct {
	name     string
	hooks    map[string]*hookMetrics
	attempts [4]prometheus.Counter // as a transport
}

type hookMetrics struct {
	once    sync.Once
	seconds prometheus.Observer
	errors  prometheus.Counter
}

// QueueSnapshot is what the queue looks like now.
type QueueSnapshot struct {
	Messages     map[string]int // by state: pending, held, ...
	Oldest       time.Time      // arrival of the oldest message; zero: none
	Destinations []Destination
}

// Destination is what waits for one next hop or domain.
type Destination struct {
	Name       string
	Recipients int
	Oldest     time.Time
}

func newMetrics() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	fast := []float64{1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, .1, .3, 1, 3, 10}
	slow := []float64{1e-4, 3e-4, 1e-3, 2e-3, 5e-3, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 30}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		m.registry.MustRegister(c)
		return c
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
		m.registry.MustRegister(h)
		return h
	}
	m.accepted = counter("mta_accepted_total", "Messages accepted from clients.")
	m.acceptedBytes = counter("mta_accepted_bytes_total", "Octets of the messages accepted from clients.")
	m.dsns = counter("mta_generated_total", "Messages that the relay made itself: delivery status notifications.")
	m.delivered = counter("mta_delivered_bytes_total", "Octets delivered: the size of a message for each delivered recipient.")
	m.removed = counter("mta_removed_total", "Messages whose every recipient has ended.")
	m.sessionsTotal = counter("mta_sessions_total", "Sessions begun.")
	m.syncs = counter("mta_queue_syncs_total", "Syncs of the queue to disk.")
	m.sessions = prometheus.NewGauge(prometheus.GaugeOpts{Name: "mta_sessions", Help: "Sessions open now."})
	m.timeTo250 = histogram("mta_time_to_250_seconds", "Time from the end of a message to its 250.", slow)
	m.syncSeconds = histogram("mta_queue_sync_seconds", "Time of one sync of the queue to disk.", slow)
	m.groupSize = histogram("mta_queue_group_size", "Transactions made durable by one sync.", []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024})
	m.rejected = counters("mta_rejected_total", "Commands refused, by verb, reply code and the plugin that decided.", "verb", "code", "plugin")
	m.settled = counters("mta_settled_total", "Recipients that ended or were held otherwise than by an attempt.", "state")
	m.bounces = counters("mta_bounces_total", "Delivery status notifications queued, by kind.", "kind")
	m.attempts = counters("mta_attempts_total", "Recipients of delivery attempts, by outcome and transport.", "outcome", "via")
	m.hookErrors = counters("mta_hook_errors_total", "Hook calls that broke, so that on_error decided.", "plugin", "hook")
	m.hookSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "mta_hook_seconds", Help: "Time of a hook call.", Buckets: fast}, []string{"plugin", "hook"})
	m.breaker = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "mta_breaker_open", Help: "1 while the breaker of a plugin is open."}, []string{"plugin"})
	m.queue.describe()
	m.registry.MustRegister(m.sessions, m.hookSeconds, m.breaker, &m.queue,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.via = map[string][4]prometheus.Counter{}
	for _, via := range []string{"smtp", "lmtp", other} {
		m.via[via] = m.outcomes(via)
	}
	m.plugins.Store(&map[string]*pluginMetrics{})
	return m
}

// dropped shows what the pumps lost; either may be nil.
func (m *Metrics) dropped(trace, log *pump) {
	show := func(name, help string, p *pump) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 {
			if p == nil {
				return 0
			}
			return float64(p.dropped())
		}))
	}
	show("mta_trace_dropped_total", "Trace records lost because the disk was too slow or full.", trace)
	show("mta_log_dropped_total", "Log lines lost because they were read too slowly.", log)
}

func (m *Metrics) outcomes(via string) (cs [4]prometheus.Counter) {
	for s := sdk.StatusNone; s <= sdk.StatusFailed; s++ {
		name := s.String()
		if s == sdk.StatusNone {
			name = sdk.StatusDeferred.String() // that is what the core makes of it
		}
		cs[s] = m.attempts.WithLabelValues(name, via)
	}
	return cs
}

// plugin finds the children of a plugin. Names come from the configuration;
// should there be very many, the late ones share a label.
func (m *Metrics) plugin(name string) *pluginMetrics {
	if p := (*m.plugins.Load())[name]; p != nil {
		return p
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	all := *m.plugins.Load()
	if p := all[name]; p != nil {
		return p
	}
	if len(all) >= maxPlugins {
		name = other
		if p := all[name]; p != nil {
			return p
		}
	}
	// The library panics at a label that is not UTF-8.
	p := &pluginMetrics{name: strings.ToValidUTF8(name, "?"), hooks: map[string]*hookMetrics{other: {}}}
	for _, h := range sdk.Hooks() {
		p.hooks[h.Name] = &hookMetrics{}
	}
	grown := maps.Clone(all)
	grown[name] = p
	m.plugins.Store(&grown)
	return p
}

func (m *Metrics) hook(plugin, hook string, elapsed time.Duration, broke bool) {
	p := m.plugin(plugin)
	h := p.hooks[hook]
	if h == nil {
		h, hook = p.hooks[other], other
	}
	h.once.Do(func() {
		h.seconds = m.hookSeconds.WithLabelValues(p.name, hook)
		h.errors = m.hookErrors.WithLabelValues(p.name, hook)
	})
	h.seconds.Observe(elapsed.Seconds())
	if broke {
		h.errors.Inc()
	}
}

// among is v if it is in the list, else "other".
func among(v string, list ...string) string {
	if slices.Contains(list, v) {
		return v
	}
	return other
}

// codes are the replies of RFC 5321 §4.2.3 and of its extensions that refuse.
func code(n int) string {
	codes := [...]int{421, 450, 451, 452, 454, 455, 500, 501, 502, 503, 504, 521, 523, 524, 530, 534, 535, 538, 550, 551, 552, 553, 554, 555, 556}
	names := [...]string{"421", "450", "451", "452", "454", "455", "500", "501", "502", "503", "504", "521", "523", "524", "530", "534", "535", "538", "550", "551", "552", "553", "554", "555", "556"}
	if i, ok := slices.BinarySearch(codes[:], n); ok {
		return names[i]
	}
	return other
}

func (m *Metrics) reject(verb string, reply int, plugin string) {
	if plugin == "" {
		plugin = "core"
	} else {
		plugin = m.plugin(plugin).name
	}
	verb = among(verb, "CONNECT", "HELO", "EHLO", "LHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "BDAT", "END-OF-MESSAGE", "VRFY")
	m.rejected.WithLabelValues(verb, code(reply), plugin).Inc()
}

func (m *Metrics) accept(client bool, size int64, wait time.Duration) {
	if !client {
		m.dsns.Inc()
		return
	}
	m.accepted.Inc()
	m.acceptedBytes.Add(float64(max(size, 0)))
	m.timeTo250.Observe(wait.Seconds())
}

func (m *Metrics) attempted(a *Attempt, size int64) {
	cs, ok := m.via[a.Route.Via]
	if !ok {
		p := m.plugin(a.Route.Via)
		m.mu.Lock()
		if p.attempts[0] == nil {
			p.attempts = m.outcomes(p.name)
		}
		cs = p.attempts
		m.mu.Unlock()
	}
	for i := range min(len(a.Outcomes), len(a.Recipients)) {
		s := a.Outcomes[i].Status
		cs[min(s, sdk.StatusFailed)].Inc()
		if s == sdk.StatusDelivered {
			m.delivered.Add(float64(max(size, 0)))
		}
	}
}

func (m *Metrics) settle(state string) {
	m.settled.WithLabelValues(among(state, "delivered", "deferred", "expired", "failed", "discarded", "held", "released", "deleted", "suppressed")).Inc()
}

func (m *Metrics) bounce(kind string) {
	m.bounces.WithLabelValues(among(kind, "failed", "delayed", "success")).Inc()
}

// Breaker says that the breaker of a plugin opened or closed.
func (m *Metrics) Breaker(plugin string, open bool) {
	v := 0.0
	if open {
		v = 1
	}
	m.breaker.WithLabelValues(m.plugin(plugin).name).Set(v)
}

// Sync says that the queue made n transactions durable with one sync.
func (m *Metrics) Sync(elapsed time.Duration, n int) {
	m.syncs.Inc()
	m.syncSeconds.Observe(elapsed.Seconds())
	m.groupSize.Observe(float64(n))
}

// Queue sets where the numbers about the queue come from: snapshot is called
// at each scrape.
func (m *Metrics) Queue(snapshot func() QueueSnapshot, now func() time.Time) {
	m.queue.mu.Lock()
	defer m.queue.mu.Unlock()
	m.queue.snapshot, m.queue.now = snapshot, now
}

// Handler serves /metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// Mux serves /metrics, /healthz and /readyz. Healthy means that the process
// works, ready that it takes mail: ready returns nil, or why it does not.
func (m *Metrics) Mux(healthy, ready func() error) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	mux.Handle("GET /healthz", Probe(healthy))
	mux.Handle("GET /readyz", Probe(ready))
	return mux
}

// Probe answers 200 "ok", or 503 with the sentence of the error.
func Probe(f func() error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if err := f(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(err.Error() + "\n"))
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
}

type queueCollector struct {
	mu                                        sync.Mutex
	snapshot                                  func() QueueSnapshot
	now                                       func() time.Time
	messages, oldest, recipients, destination *prometheus.Desc
}

func (c *queueCollector) describe() {
	c.messages = prometheus.NewDesc("mta_queue_messages", "Messages in the queue, by state.", []string{"state"}, nil)
	c.oldest = prometheus.NewDesc("mta_queue_oldest_age_seconds", "Age of the oldest message in the queue.", nil, nil)
	c.recipients = prometheus.NewDesc("mta_queue_destination_recipients", "Recipients that wait, for the 20 largest destinations and all others.", []string{"destination"}, nil)
	c.destination = prometheus.NewDesc("mta_queue_destination_oldest_age_seconds", "Age of the oldest message for a destination.", []string{"destination"}, nil)
}

// Describe implements prometheus.Collector.
func (c *queueCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.messages, c.oldest, c.recipients, c.destination} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *queueCollector) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.snapshot == nil {
		return
	}
	s, now := c.snapshot(), c.now()
	age := func(t time.Time) float64 {
		if t.IsZero() {
			return 0
		}
		return max(now.Sub(t).Seconds(), 0)
	}
	states := map[string]int{"pending": 0, "held": 0}
	for state, n := range s.Messages {
		states[among(state, "pending", "active", "deferred", "held")] += n
	}
	for state, n := range states {
		ch <- prometheus.MustNewConstMetric(c.messages, prometheus.GaugeValue, float64(n), state)
	}
	ch <- prometheus.MustNewConstMetric(c.oldest, prometheus.GaugeValue, age(s.Oldest))
	for _, d := range largest(s.Destinations) {
		ch <- prometheus.MustNewConstMetric(c.recipients, prometheus.GaugeValue, float64(d.Recipients), d.Name)
		ch <- prometheus.MustNewConstMetric(c.destination, prometheus.GaugeValue, age(d.Oldest), d.Name)
	}
}

// largest keeps the destinations with most recipients, and folds the others.
func largest(ds []Destination) []Destination {
	merged := map[string]Destination{}
	fold := func(name string, d Destination) {
		m, ok := merged[name]
		if !ok || !d.Oldest.IsZero() && (m.Oldest.IsZero() || d.Oldest.Before(m.Oldest)) {
			m.Oldest = d.Oldest
		}
		m.Name, m.Recipients = name, m.Recipients+d.Recipients
		merged[name] = m
	}
	ds = slices.Clone(ds)
	slices.SortFunc(ds, func(a, b Destination) int {
		return cmp.Or(cmp.Compare(b.Recipients, a.Recipients), cmp.Compare(a.Name, b.Name))
	})
	for i, d := range ds {
		// Names are domains that senders chose: what is no UTF-8 would spoil
		// the whole page of metrics.
		name := string(appendSafe(nil, d.Name, inText))
		if i >= maxDestinations {
			name = other
		}
		fold(name, d)
	}
	return slices.SortedFunc(maps.Values(merged), func(a, b Destination) int { return cmp.Compare(a.Name, b.Name) })
}
