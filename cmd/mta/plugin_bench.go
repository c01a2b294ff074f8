package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	mruntime "github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// benched are the figures of one hook.
type benched struct {
	Hook   string  `json:"hook"`
	Calls  int     `json:"calls"`
	P50    float64 `json:"p50_ns"`
	Mean   float64 `json:"mean_ns"`
	Fuel   int64   `json:"fuel"`
	Asked  int     `json:"host_calls"` // of one call
	Allocs float64 `json:"host_allocs"`
	Bytes  float64 `json:"host_bytes"`
	Memory int64   `json:"memory"` // the most that one instance ever held
	Fault  string  `json:"fault,omitempty"`
}

func pluginBenchCommand(w *world) *cobra.Command {
	var hook, event, config string
	var budget time.Duration
	c := &cobra.Command{
		Use:   "bench [PLUGIN]",
		Short: "Measure what a call of each hook costs: time, fuel, memory",
		Long: `bench loads a plugin beside a made-up relay, as mta plugin test does, and calls
each of its hooks for a while, one call after the other. The events are those of
a story, the last of each hook, or with "sample" an ordinary stranger with a
short message. Allocations are those of the relay; memory is that of the plugin.`,
		Example: `  mta plugin bench
  mta plugin bench greylist.wasm --hook rcpt --event stories/first.txtar
  mta plugin bench builtin:relay --config '{"domains": ["example.org"]}'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := findSubject(w, cmp.Or(strings.Join(args, ""), "."))
			if err != nil {
				return err
			}
			if budget <= 0 {
				return status(exitUsage, "--time is the time for each hook, as in 1s")
			}
			b := &bench{w: w, subject: s, hook: hook, event: event, config: config, budget: budget}
			results, err := b.run(c.Context())
			if err != nil {
				return err
			}
			if asJSON, _ := c.Flags().GetBool("json"); asJSON {
				return printJSON(w, results)
			}
			printBench(w, results)
			return nil
		},
	}
	c.Flags().StringVar(&hook, "hook", "", "only this hook")
	c.Flags().StringVar(&event, "event", "", "a story, or sample (default: the first story of the plugin, else sample)")
	c.Flags().StringVar(&config, "config", "{}", "the plugin's configuration as JSON; a story brings its own")
	c.Flags().DurationVar(&budget, "time", time.Second, "how long to call each hook")
	c.Flags().Bool("json", false, "as JSON")
	return c
}

func printBench(w *world, results []benched) {
	fmt.Fprintf(w.stdout, "%-11s %9s %10s %10s %9s %6s %8s %9s %9s\n", "HOOK", "CALLS", "P50", "MEAN", "FUEL", "ASKED", "ALLOCS", "OCTETS", "MEMORY")
	for _, r := range results {
		if r.Fault != "" {
			fmt.Fprintf(w.stdout, "%-11s %s\n", r.Hook, r.Fault)
			continue
		}
		fuel, memory := "-", "-"
		if r.Fuel > 0 {
			fuel = fmt.Sprint(r.Fuel)
		}
		if r.Memory > 0 {
			memory = fmt.Sprintf("%dKiB", r.Memory>>10)
		}
		fmt.Fprintf(w.stdout, "%-11s %9d %10s %10s %9s %6d %8.1f %9.0f %9s\n",
			r.Hook, r.Calls, nanos(r.P50), nanos(r.Mean), fuel, r.Asked, r.Allocs, r.Bytes, memory)
	}
}

func nanos(ns float64) string {
	d := time.Duration(ns)
	switch {
	case d < 10*time.Microsecond:
		return fmt.Sprintf("%.0fns", ns)
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1fµs", ns/1e3)
	}
	return fmt.Sprintf("%.1fms", ns/1e6)
}

// bench is one run of the command.
type bench struct {
	w       *world
	subject subject
	hook    string
	event   string
	config  string
	budget  time.Duration
}

// probe is one hook, ready to be called with an event.
type probe struct {
	hook string
	call func(context.Context) error
}

func (b *bench) run(ctx context.Context) ([]benched, error) {
	shop := newWorkshop(b.w)
	defer shop.close()
	event := b.event
	if event == "" {
		event = "sample"
		for _, s := range b.subject.stories() {
			if strings.HasSuffix(s, ".txtar") {
				event = s
				break
			}
		}
	}
	if event != "sample" {
		return b.story(ctx, shop, event)
	}
	l, err := shop.load(ctx, b.subject.source, nil, plugintest.NewHost(), []byte(b.config))
	if err != nil {
		return nil, err
	}
	defer l.Close()
	return b.measure(ctx, l, probes(l.Handlers(), &asked{}))
}

// story plays a story for its configuration and its events, and measures before
// the plugin is closed again.
func (b *bench) story(ctx context.Context, shop *workshop, path string) (results []benched, err error) {
	s, err := plugintest.ReadStory(path)
	if err != nil {
		return nil, err
	}
	var measured error
	load := func(ctx context.Context, host sdk.Host, config []byte) (*sdk.Handlers, func() error, error) {
		l, err := shop.load(ctx, b.subject.source, s.Allow, host, config)
		if err != nil {
			return nil, nil, err
		}
		var last asked
		return last.listen(l.Handlers()), func() error {
			results, measured = b.measure(ctx, l, probes(l.Handlers(), &last))
			return l.Close()
		}, nil
	}
	err = inWorkFolder(func(work string) error { return s.Play(ctx, load, work) })
	if err != nil && results == nil && measured == nil {
		return nil, err // it did not even start
	}
	if err != nil {
		fmt.Fprintf(b.w.stderr, "%s does not pass; mta plugin test shows where\n", path)
	}
	return results, measured
}

// measure calls each hook for the time that it has.
func (b *bench) measure(ctx context.Context, l mruntime.Loaded, all []probe) ([]benched, error) {
	var results []benched
	var names []string
	for _, p := range all {
		if names = append(names, p.hook); b.hook != "" && p.hook != b.hook {
			continue
		}
		results = append(results, b.one(ctx, l, p))
	}
	if len(results) == 0 {
		return nil, fmt.Errorf("it does not have the hook %q; it has %s", b.hook, strings.Join(names, ", "))
	}
	return results, nil
}

// batchTime is how long calls are measured in one piece: the clock itself would
// weigh too much on a single one.
const batchTime = 50 * time.Microsecond

func (b *bench) one(ctx context.Context, l mruntime.Loaded, p probe) benched {
	r := benched{Hook: p.hook}
	cost := &mruntime.Cost{}
	start := b.w.now()
	if err := p.call(mruntime.WithCost(ctx, cost)); err != nil {
		r.Fault = err.Error()
		return r
	}
	once := b.w.now().Sub(start)
	r.Fuel, r.Asked = cost.Fuel, cost.Calls
	end := b.w.now().Add(b.budget)
	warm := b.w.now().Add(b.budget / 10)
	for n := 1; b.w.now().Before(warm) && ctx.Err() == nil; n++ {
		start := b.w.now()
		if err := p.call(ctx); err != nil {
			r.Fault = fmt.Sprintf("call %d: %v", n+1, err)
			return r
		}
		once = min(once, b.w.now().Sub(start))
	}
	batch := max(1, int(batchTime/max(once, 1)))
	// One call behind the others, so that first-time work does not count.
	cost = &mruntime.Cost{}
	if p.call(mruntime.WithCost(ctx, cost)) == nil {
		r.Fuel, r.Asked = cost.Fuel, cost.Calls
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	times := make([]float64, 0, 1<<16)
	var total time.Duration
	for len(times) < cap(times) && b.w.now().Before(end) && ctx.Err() == nil {
		start := b.w.now()
		for range batch {
			if err := p.call(ctx); err != nil {
				r.Fault = fmt.Sprintf("after %d calls: %v", r.Calls, err)
				return r
			}
		}
		took := b.w.now().Sub(start)
		times = append(times, float64(took)/float64(batch))
		total += took
		r.Calls += batch
	}
	runtime.ReadMemStats(&after)
	if r.Calls == 0 {
		r.Fault = "not measured: the time was over"
		return r
	}
	slices.Sort(times)
	r.P50 = times[len(times)/2]
	r.Mean = float64(total) / float64(r.Calls)
	r.Allocs = float64(after.Mallocs-before.Mallocs) / float64(r.Calls)
	r.Bytes = float64(after.TotalAlloc-before.TotalAlloc) / float64(r.Calls)
	r.Memory = l.Stats().MaxMemory
	return r
}
