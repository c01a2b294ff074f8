package trace

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
)

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestPluginsKeepMetricsOfTheirOwn(t *testing.T) {
	m := newMetrics()
	for _, err := range []error{
		m.PluginCount("greylist", "passed", 1), m.PluginCount("greylist", "passed", 2), m.PluginCount("other", "passed", 5),
		m.PluginGauge("greylist", "known", 7),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	m.PluginFigures(func() []PluginFigures { return []PluginFigures{{Plugin: "greylist", Instances: 2, Fuel: 99}} })
	page := scrape(t, m)
	for _, want := range []string{
		`mta_plugin_own_passed{plugin="greylist"} 3`, `mta_plugin_own_passed{plugin="other"} 5`,
		`mta_plugin_own_known{plugin="greylist"} 7`, `mta_plugin_fuel_total{plugin="greylist"} 99`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}

func TestAPluginCannotBreakTheMetricsPage(t *testing.T) {
	m := newMetrics()
	_ = m.PluginCount("a", "x", 1)
	for what, err := range map[string]error{
		"another kind in another plugin": m.PluginGauge("b", "x", 1),
		"a name that is none":            m.PluginCount("a", "X\n{}", 1),
		"an empty name":                  m.PluginCount("a", "", 1),
		"a counter that goes back":       m.PluginCount("a", "x", -1),
	} {
		if err == nil {
			t.Errorf("%s is taken", what)
		}
	}
	complaints := 0
	for i := range 1000 {
		if m.PluginCount("a", fmt.Sprint("n", i), 1) != nil {
			complaints++
		}
	}
	if complaints != 1 {
		t.Errorf("%d complaints about too many names, want one", complaints)
	}
	if n := strings.Count(scrape(t, m), `{plugin="a"}`); n != maxPluginMetrics {
		t.Errorf("%d metrics are kept, want %d", n, maxPluginMetrics)
	}
}
