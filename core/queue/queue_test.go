package queue

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

func env(n int) *sdk.Envelope {
	e := &sdk.Envelope{From: "a@example.org", Arrived: time.Unix(1700000000, 0)}
	for i := range n {
		e.Recipients = append(e.Recipients, sdk.Recipient{Addr: fmt.Sprintf("r%d@example.net", i)})
	}
	return e
}

func TestFirst(t *testing.T) {
	dir := t.TempDir()
	q, err := Open(dir, Options{Logf: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	id := q.NewID()
	d := q.Draft(id)
	io.WriteString(d, "hello\r\n")
	if err := q.Put(context.Background(), d, env(2)); err != nil {
		t.Fatal(err)
	}
	js, err := q.Lease(context.Background(), 10)
	if err != nil || len(js) != 1 {
		t.Fatal(js, err)
	}
	b, err := js[0].Message.Open()
	if err != nil {
		t.Fatal(err)
	}
	x, _ := io.ReadAll(b)
	b.Close()
	if string(x) != "hello\r\n" {
		t.Fatalf("%q", x)
	}
	if err := q.Settle(js[0], []Result{{Index: 0, State: Delivered}, {Index: 1, State: Pending, Next: time.Now().Add(time.Second), Outcome: sdk.Outcome{Status: sdk.StatusDeferred}}}); err != nil {
		t.Fatal(err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		q, err = Open(dir, Options{Logf: t.Logf})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v %s", q.Stats(), q.NewID())
		js, err = q.Lease(context.Background(), 10)
		if err != nil || len(js) != 1 || len(js[0].Rcpts) != 1 || js[0].Rcpts[0].Attempts != 1 {
			t.Fatal(js, err)
		}
		b, err = js[0].Message.Open()
		if err != nil {
			t.Fatal(err)
		}
		x, _ = io.ReadAll(b)
		b.Close()
		if string(x) != "hello\r\n" {
			t.Fatalf("%q", x)
		}
		q.Close()
	}
}
