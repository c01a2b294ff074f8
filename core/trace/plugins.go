package trace

import (
	"fmt"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Bounds of what plugins may count.
const (
	maxPluginMetrics = 64 // names of one plugin
	maxMetricName    = 64
)

// own are the counters and gauges that plugins keep for themselves.
type own struct {
	mu      sync.Mutex
	plugins map[string]map[string]*ownMetric
	kinds   map[string]prometheus.ValueType // of a name, in all plugins: Prometheus knows one of each
	full    map[string]bool                 // plugins that were told that they have too many
	figures func() []PluginFigures
}

type ownMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value float64
}

// PluginFigures are what a runtime knows of a loaded plugin.
type PluginFigures struct {
	Plugin    string
	Instances int
	Memory    int64
	Fuel      int64
	Discarded int64
	Restarts  int64
}

var ownDescs = struct{ instances, memory, fuel, discarded, restarts *prometheus.Desc }{
	prometheus.NewDesc("mta_plugin_instances", "Instances or processes of a plugin that are alive.", []string{"plugin"}, nil),
	prometheus.NewDesc("mta_plugin_memory_bytes", "Memory of all instances of a plugin.", []string{"plugin"}, nil),
	prometheus.NewDesc("mta_plugin_fuel_total", "Units of fuel that a WebAssembly plugin has burnt.", []string{"plugin"}, nil),
	prometheus.NewDesc("mta_plugin_discarded_total", "Instances of a plugin that were thrown away after a failure or for their size.", []string{"plugin"}, nil),
	prometheus.NewDesc("mta_plugin_restarts_total", "Restarts of a plugin's process.", []string{"plugin"}, nil),
}

// PluginCount adds to a counter of a plugin; the error is for the plugin's
// author, once for the first that is too many.
func (m *Metrics) PluginCount(plugin, name string, delta float64) error {
	if delta < 0 {
		return fmt.Errorf("trace: the counter %q cannot go back: use a gauge", clean(name[:min(len(name), maxMetricName)]))
	}
	return m.own.change(plugin, name, prometheus.CounterValue, func(v *float64) { *v += delta })
}

// PluginGauge sets a gauge of a plugin.
func (m *Metrics) PluginGauge(plugin, name string, value float64) error {
	return m.own.change(plugin, name, prometheus.GaugeValue, func(v *float64) { *v = value })
}

// PluginFigures sets where the figures of the runtimes come from, at each scrape.
func (m *Metrics) PluginFigures(figures func() []PluginFigures) {
	m.own.mu.Lock()
	defer m.own.mu.Unlock()
	m.own.figures = figures
}

func (o *own) change(plugin, name string, kind prometheus.ValueType, change func(*float64)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	mine := o.plugins[plugin]
	x := mine[name]
	known, taken := o.kinds[name]
	switch {
	case taken && known != kind:
		return fmt.Errorf("trace: the metric %q is a counter and a gauge, here or in another plugin: give each a name of its own", clean(name))
	case x != nil:
	case !metricName(name):
		return fmt.Errorf("trace: %q is no name of a metric: 1 to %d of a-z 0-9 _", clean(name[:min(len(name), maxMetricName)]), maxMetricName)
	case len(mine) >= maxPluginMetrics || mine == nil && len(o.plugins) >= maxPlugins:
		if o.full[plugin] {
			return nil
		}
		o.full[plugin] = true
		return fmt.Errorf("trace: more than %d metrics: %q and others are not kept", maxPluginMetrics, name)
	default:
		if mine == nil {
			mine = map[string]*ownMetric{}
			o.plugins[plugin] = mine
		}
		x = &ownMetric{kind: kind, desc: prometheus.NewDesc("mta_plugin_own_"+name, "Kept by a plugin itself.", []string{"plugin"}, nil)}
		mine[name], o.kinds[name] = x, kind
	}
	change(&x.value)
	return nil
}

func metricName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_') {
			return false
		}
	}
	return 0 < len(s) && len(s) <= maxMetricName
}

// Describe implements prometheus.Collector: names come and go with plugins, so
// none is promised.
func (o *own) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (o *own) Collect(ch chan<- prometheus.Metric) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for plugin, mine := range o.plugins {
		for _, x := range mine {
			ch <- prometheus.MustNewConstMetric(x.desc, x.kind, x.value, plugin)
		}
	}
	if o.figures == nil {
		return
	}
	for _, f := range o.figures() {
		gauge := func(d *prometheus.Desc, kind prometheus.ValueType, v float64) {
			ch <- prometheus.MustNewConstMetric(d, kind, v, f.Plugin)
		}
		gauge(ownDescs.instances, prometheus.GaugeValue, float64(f.Instances))
		gauge(ownDescs.memory, prometheus.GaugeValue, float64(f.Memory))
		gauge(ownDescs.fuel, prometheus.CounterValue, float64(f.Fuel))
		gauge(ownDescs.discarded, prometheus.CounterValue, float64(f.Discarded))
		gauge(ownDescs.restarts, prometheus.CounterValue, float64(f.Restarts))
	}
}
