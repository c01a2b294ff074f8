package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/core/record"
)

func (r *relay) PluginRecord(_ context.Context, q Recording) (io.ReadCloser, error) {
	r.arg.Store(asked{q})
	if r.err != nil {
		return nil, r.err
	}
	return io.NopCloser(strings.NewReader(strings.Repeat(`{"hook":"rcpt"}`+"\n", 10_000))), nil
}

func (r *relay) PluginDiff(_ context.Context, plugin string) (*record.Differences, error) {
	r.arg.Store(asked{plugin})
	return &record.Differences{Plugin: plugin, Calls: 3, Same: 2, Hooks: []record.HookPart{{Hook: "rcpt", Calls: 3, Same: 2,
		Pairs: []record.PairPart{{Shadow: "reject", Active: "accept", Count: 1, Examples: []record.Example{{At: when, Shadow: "reject", Active: "accept"}}}}}}}, r.err
}

func TestARecordingThatIsWrongIsRefused(t *testing.T) {
	_, c := serve(t, &relay{})
	for want, q := range map[string]Recording{
		"no plugin":             {},
		"cannot be negative":    {Plugin: "a", Calls: -1},
		"lasts 24h0m0s at most": {Plugin: "a", Seconds: 86401},
		"octets at most":        {Plugin: "a", MaxBytes: record.MaxFile + 1},
		"choose bodies":         {Plugin: "a", Bodies: true, HashAddresses: true},
	} {
		if _, err := c.PluginRecord(t.Context(), q); !errors.Is(err, ErrUsage) || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// live is a relay with a recording that goes on until its caller leaves.
type live struct {
	relay
	feed chan string
	gone chan struct{}
}

func (l *live) PluginRecord(ctx context.Context, _ Recording) (io.ReadCloser, error) {
	r, w := io.Pipe()
	go func() {
		defer close(l.gone)
		for {
			select {
			case text := <-l.feed:
				io.WriteString(w, text)
			case <-ctx.Done():
				w.CloseWithError(ctx.Err())
				return
			}
		}
	}()
	return r, nil
}

func TestALineIsSeenBeforeTheNextOneComes(t *testing.T) {
	b := &live{feed: make(chan string), gone: make(chan struct{})}
	_, c := serve(t, b)
	ctx, leave := context.WithCancel(t.Context())
	go func() { b.feed <- "one\n" }()
	rc, err := c.PluginRecord(ctx, Recording{Plugin: "a"})
	if err != nil {
		t.Fatal(err)
	}
	br := bufio.NewReader(rc)
	for _, want := range []string{"one\n", "two\n"} {
		got, err := br.ReadString('\n')
		if got != want || err != nil {
			t.Fatalf("%q, %v; want %q", got, err, want)
		}
		if want == "one\n" {
			b.feed <- "two\n"
		}
	}
	leave()
	rc.Close()
	<-b.gone // the relay was told
}
