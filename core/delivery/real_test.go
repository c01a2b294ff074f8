package delivery

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/queue"
	"github.com/programmable-mta/mta/core/trace"
	"github.com/programmable-mta/mta/sdk"
)

// The rooms next door as they are: queue, chains and tracer.
func TestAMessageGoesThroughTheRealQueueChainsAndTracer(t *testing.T) {
	q, err := queue.Open(t.TempDir(), queue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	var log safeBuffer
	tr, err := trace.New(trace.Options{Dir: t.TempDir(), Log: &log})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var notices []string
	chains, err := hook.New([]hook.Plugin{{Name: "world", Inline: true, Handlers: sdk.Handlers{
		Route: func(_ context.Context, e *sdk.RouteEvent) (sdk.RouteAnswer, error) {
			return sdk.RouteAnswer{Action: sdk.RouteUse, Route: sdk.Route{Via: "world", Key: sdk.Domain(e.Recipient.Addr)}}, nil
		},
		Deliver: func(_ context.Context, e *sdk.DeliverEvent) (sdk.DeliverAnswer, error) {
			if e.Envelope.From == "" {
				b, err := e.Message.Open()
				if err != nil {
					return sdk.DeliverAnswer{}, err
				}
				defer b.Close()
				var text bytes.Buffer
				if _, err := text.ReadFrom(b); err != nil {
					return sdk.DeliverAnswer{}, err
				}
				mu.Lock()
				notices = append(notices, text.String())
				mu.Unlock()
			}
			out := all(e, ok)
			for i, r := range e.Recipients {
				switch {
				case strings.HasPrefix(r.Addr, "gone"):
					out[i] = never
				case strings.HasPrefix(r.Addr, "late") && e.Attempt == 1:
					out[i] = later
				}
			}
			return sdk.DeliverAnswer{Outcomes: out}, nil
		},
	}}}, hook.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const n = 50
	for i := range n {
		d := q.Draft(q.NewID())
		if _, err := d.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		env := &sdk.Envelope{From: "ann@example.net", Arrived: time.Now(), Recipients: []sdk.Recipient{
			{Addr: fmt.Sprintf("bob%d@a.example", i)}, {Addr: fmt.Sprintf("late%d@b.example", i)}, {Addr: fmt.Sprintf("gone%d@c.example", i)}}}
		if err := q.Put(context.Background(), d, env); err != nil {
			t.Fatal(err)
		}
	}
	d := New(Options{Hostname: "mx.example.net", Queue: q, Chains: chains, Tracer: tr,
		Retry: []time.Duration{10 * time.Millisecond}, Lifetime: time.Hour, BounceLifetime: time.Hour})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	deadline := time.After(30 * time.Second)
	for q.Stats().Messages > 0 {
		select {
		case <-deadline:
			t.Fatalf("%+v", q.Stats())
		case <-time.After(5 * time.Millisecond):
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := tr.Close(); err != nil {
		t.Error(err)
	}
	if len(notices) != n {
		t.Errorf("%d notifications, want %d", len(notices), n)
	}
	for line, want := range map[string]int{"status=sent": 3 * n, "status=deferred": n, "status=bounced": n, "removed": 2 * n, "non-delivery notification": n} {
		if got := strings.Count(log.String(), line); got != want {
			t.Errorf("%d lines with %q, want %d", got, line, want)
		}
	}
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
