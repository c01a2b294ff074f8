package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/programmable-mta/mta/core/record"
	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// played is what became of one story.
type played struct {
	Story   string  `json:"story"`
	OK      bool    `json:"ok"`
	MaxFuel int64   `json:"max_fuel,omitempty"` // of its most expensive event
	Millis  float64 `json:"ms"`
	Wrong   string  `json:"wrong,omitempty"`
}

func pluginTestCommand(w *world) *cobra.Command {
	var ceiling int64
	c := &cobra.Command{
		Use:   "test [PLUGIN] [STORY...]",
		Short: "Play stories with a plugin: what it is asked, and what it must answer",
		Long: `test plays stories with a plugin, each with a plugin, a store, a clock, a DNS and
a web of its own, and shows where an answer is another than the story says.

PLUGIN is a folder of mta plugin new (default: this one), a .wasm file,
process:PROGRAM or builtin:NAME. Without STORY, those in its folder stories or
testdata are played: *.txtar, and *.jsonl recordings of mta plugin record. Every
grant is given, unless a story has a section allow. The format of stories: go doc ` + "github.com/programmable-mta/mta/sdk/plugintest" + `.`,
		Example: `  mta plugin test
  mta plugin test greylist.wasm testdata/*.txtar --fuel-ceiling 50000
  mta plugin test builtin:relay plugins/relay/testdata/*.txtar`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			arg := "."
			if len(args) > 0 && !strings.HasSuffix(args[0], ".txtar") && !strings.HasSuffix(args[0], ".jsonl") {
				arg, args = args[0], args[1:]
			}
			s, err := findSubject(w, arg)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				args = s.stories()
			}
			if len(args) == 0 {
				return status(exitUsage, "no story was found for %s; name one, or write stories/first.txtar", arg)
			}
			results, err := playAll(c.Context(), w, s, args, ceiling)
			if err != nil {
				return err
			}
			asJSON, _ := c.Flags().GetBool("json")
			return reportPlayed(w, results, asJSON)
		},
	}
	c.Flags().Int64Var(&ceiling, "fuel-ceiling", 0, "the most fuel that an event may burn where its story does not say; 0: any")
	c.Flags().Bool("json", false, "as JSON")
	return c
}

func reportPlayed(w *world, results []played, asJSON bool) error {
	failed := 0
	for _, r := range results {
		if !r.OK {
			failed++
		}
	}
	if asJSON {
		if err := printJSON(w, results); err != nil {
			return err
		}
	} else {
		for _, r := range results {
			word, fuel := "ok  ", ""
			if !r.OK {
				word = "FAIL"
			}
			if r.MaxFuel > 0 {
				fuel = fmt.Sprintf(", at most %d fuel", r.MaxFuel)
			}
			fmt.Fprintf(w.stdout, "%s  %s (%.0f ms%s)\n", word, r.Story, r.Millis, fuel)
			if r.Wrong != "" {
				fmt.Fprintln(w.stdout, r.Wrong)
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d stories failed", failed, len(results))
	}
	return nil
}

func playAll(ctx context.Context, w *world, s subject, paths []string, ceiling int64) ([]played, error) {
	shop := newWorkshop(w)
	defer shop.close()
	var results []played
	for _, path := range paths {
		start := w.now()
		r := played{Story: path}
		var wrong error
		if strings.HasSuffix(path, ".jsonl") {
			wrong = playRecording(ctx, shop, s, path)
		} else {
			r.MaxFuel, wrong = playStory(ctx, shop, s, path, ceiling)
		}
		r.Millis = float64(w.now().Sub(start)) / float64(time.Millisecond)
		if r.OK = wrong == nil; !r.OK {
			r.Wrong = wrong.Error()
		}
		results = append(results, r)
	}
	return results, nil
}

// playStory plays one story in a folder that goes afterwards.
func playStory(ctx context.Context, shop *workshop, s subject, path string, ceiling int64) (fuel int64, err error) {
	story, err := plugintest.ReadStory(path)
	if err != nil {
		return 0, err
	}
	meter := func(ctx context.Context) (context.Context, func() int64) {
		cost := &runtime.Cost{}
		return runtime.WithCost(ctx, cost), func() int64 {
			fuel = max(fuel, cost.Fuel)
			return cost.Fuel
		}
	}
	err = inWorkFolder(func(work string) error {
		return story.PlayWith(ctx, shop.granting(s.source, story.Allow), plugintest.Telling{Work: work, Meter: meter, Ceiling: ceiling})
	})
	return fuel, err
}

// playRecording asks what a recording asked, and wants its answers.
func playRecording(ctx context.Context, shop *workshop, s subject, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	report, err := record.Replay(ctx, f, record.Load(shop.loader(s.source)), record.ReplayOptions{Host: plugintest.NewHost(), Keep: 5, Runtime: runtimeOf(s.source)})
	switch {
	case err != nil:
		return err
	case !report.OK():
		return errors.New(strings.TrimRight(report.Text(), "\n"))
	}
	return nil
}
