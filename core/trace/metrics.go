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
	timeTo250                         prometheus.Histogram
	rejected, settled, bounces        *prometheus.CounterVec
	attempts, hookErrors              *prometheus.CounterVec
	hookSeconds                       *prometheus.HistogramVec
	pulled                            pulled
	own                               own

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

	Syncs   uint64        // since the start
	Syncing time.Duration // that all of them took
	Puts    uint64        // messages made durable
	Batch   []uint64      // groups by number of messages: 0, 1, 2-3, 4-7, ...; the last is open
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
	m.accepted = counter("mta_accepted_total", "Messages accepted from clients.")
	m.acceptedBytes = counter("mta_accepted_bytes_total", "Octets of the messages accepted from clients.")
	m.dsns = counter("mta_generated_total", "Messages that the relay made itself: delivery status notifications.")
	m.delivered = counter("mta_delivered_bytes_total", "Octets delivered: the size of a message for each delivered recipient.")
	m.removed = counter("mta_removed_total", "Messages whose every recipient has ended.")
	m.sessionsTotal = counter("mta_sessions_total", "Sessions begun.")
	m.sessions = prometheus.NewGauge(prometheus.GaugeOpts{Name: "mta_sessions", Help: "Sessions open now."})
	m.timeTo250 = prometheus.NewHistogram(prometheus.HistogramOpts{Name: "mta_time_to_250_seconds", Help: "Time from the end of a message to its 250.", Buckets: slow})
	m.rejected = counters("mta_rejected_total", "Commands refused, by verb, reply code and the plugin that decided.", "verb", "code", "plugin")
	m.settled = counters("mta_settled_total", "Recipients that ended or were held otherwise than by an attempt.", "state")
	m.bounces = counters("mta_bounces_total", "Delivery status notifications queued, by kind.", "kind")
	m.attempts = counters("mta_attempts_total", "Recipients of delivery attempts, by outcome and transport.", "outcome", "via")
	m.hookErrors = counters("mta_hook_errors_total", "Hook calls that broke, so that on_error decided.", "plugin", "hook")
	m.hookSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "mta_hook_seconds", Help: "Time of a hook call.", Buckets: fast}, []string{"plugin", "hook"})
	m.pulled.m = m
	m.pulled.describe()
	m.own.plugins, m.own.kinds, m.own.full = map[string]map[string]*ownMetric{}, map[string]prometheus.ValueType{}, map[string]bool{}
	m.registry.MustRegister(&m.own)
	m.registry.MustRegister(m.sessions, m.timeTo250, m.hookSeconds, &m.pulled,
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

// Queue sets where the numbers about the queue come from: snapshot is called
// at each scrape.
func (m *Metrics) Queue(snapshot func() QueueSnapshot, now func() time.Time) {
	m.pulled.mu.Lock()
	defer m.pulled.mu.Unlock()
	m.pulled.snapshot, m.pulled.now = snapshot, now
}

// Breakers sets where the state of the breakers comes from: for each plugin,
// whether one of its breakers is open. It is called at each scrape.
func (m *Metrics) Breakers(open func() map[string]bool) {
	m.pulled.mu.Lock()
	defer m.pulled.mu.Unlock()
	m.pulled.open = open
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

// pulled collects what other rooms count by themselves.
type pulled struct {
	m        *Metrics
	mu       sync.Mutex
	snapshot func() QueueSnapshot
	now      func() time.Time
	open     func() map[string]bool

	messages, oldest, recipients, destination *prometheus.Desc
	syncs, syncing, group, breaker            *prometheus.Desc
}

func (c *pulled) describe() {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	c.messages = desc("mta_queue_messages", "Messages in the queue, by state.", "state")
	c.oldest = desc("mta_queue_oldest_age_seconds", "Age of the oldest message in the queue.")
	c.recipients = desc("mta_queue_destination_recipients", "Recipients that wait, for the 20 largest destinations and all others.", "destination")
	c.destination = desc("mta_queue_destination_oldest_age_seconds", "Age of the oldest message for a destination.", "destination")
	c.syncs = desc("mta_queue_syncs_total", "Syncs of the queue to disk.")
	c.syncing = desc("mta_queue_sync_seconds", "Time of the syncs of the queue to disk: sum and count.")
	c.group = desc("mta_queue_group_size", "Messages made durable together, by one sync.")
	c.breaker = desc("mta_breaker_open", "1 while the breaker of a plugin is open.", "plugin")
}

// Describe implements prometheus.Collector.
func (c *pulled) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.messages, c.oldest, c.recipients, c.destination, c.syncs, c.syncing, c.group, c.breaker} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *pulled) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open != nil {
		c.collectBreakers(ch)
	}
	if c.snapshot == nil {
		return
	}
	s, now := c.snapshot(), c.now()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
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
		gauge(c.messages, float64(n), state)
	}
	gauge(c.oldest, age(s.Oldest))
	for _, d := range largest(s.Destinations) {
		gauge(c.recipients, float64(d.Recipients), d.Name)
		gauge(c.destination, age(d.Oldest), d.Name)
	}
	ch <- prometheus.MustNewConstMetric(c.syncs, prometheus.CounterValue, float64(s.Syncs))
	ch <- prometheus.MustNewConstSummary(c.syncing, s.Syncs, s.Syncing.Seconds(), nil)
	groups, buckets := uint64(0), map[float64]uint64{}
	for i, n := range s.Batch {
		groups += n
		if i < len(s.Batch)-1 {
			buckets[float64(uint64(1)<<min(i, 62)-1)] = groups
		}
	}
	ch <- prometheus.MustNewConstHistogram(c.group, groups, float64(s.Puts), buckets)
}

func (c *pulled) collectBreakers(ch chan<- prometheus.Metric) {
	values := map[string]float64{} // late plugins share a label
	for name, open := range c.open() {
		label := c.m.plugin(name).name
		v := 0.0
		if open {
			v = 1
		}
		values[label] = max(values[label], v)
	}
	for label, v := range values {
		ch <- prometheus.MustNewConstMetric(c.breaker, prometheus.GaugeValue, v, label)
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
