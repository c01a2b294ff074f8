// Command life does in a hook what Go programs do: it sleeps, starts goroutines,
// makes garbage, and asks the system for what a plugin does not get. It answers
// with what came of it as the reason.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/serve"
)

type plugin struct {
	host  sdk.Host
	calls int
	keep  [][]byte
}

func (p *plugin) Start(_ context.Context, host sdk.Host, _ []byte) error {
	p.host = host
	return nil
}

func (p *plugin) Close() error { return nil }

func (p *plugin) OnRcpt(ctx context.Context, e *sdk.RcptEvent) (sdk.Answer, error) {
	p.calls++
	what, ok := tricks[sdk.LocalPart(e.Recipient.Addr)]
	if !ok {
		return sdk.Answer{}, errors.New("there is no such trick")
	}
	return sdk.Answer{Reason: what(ctx, p)}, nil
}

func (p *plugin) OnData(_ context.Context, e *sdk.DataEvent) (sdk.Answer, error) {
	b, err := e.Message.Open()
	if err != nil {
		return sdk.Answer{}, err
	}
	defer b.Close()
	n, err := io.Copy(io.Discard, b)
	if err != nil {
		return sdk.Answer{}, err
	}
	tail := make([]byte, 4)
	_, err = b.ReadAt(tail, n-4)
	return sdk.Answer{Reason: fmt.Sprintf("%d %q %v", n, tail, err)}, nil
}

var tricks = map[string]func(context.Context, *plugin) string{
	"sleep": func(context.Context, *plugin) string {
		begin := time.Now()
		time.Sleep(3 * time.Millisecond)
		return fmt.Sprint(time.Since(begin) >= 3*time.Millisecond)
	},
	"timeout": func(context.Context, *plugin) string {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		<-ctx.Done()
		return ctx.Err().Error()
	},
	"goroutines": func(context.Context, *plugin) string {
		var wg sync.WaitGroup
		results := make(chan int, 10)
		for i := range 10 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 100 * time.Microsecond)
				results <- i
			})
		}
		wg.Wait()
		close(results)
		sum := 0
		for i := range results {
			sum += i
		}
		return fmt.Sprint(sum)
	},
	"garbage": func(context.Context, *plugin) string {
		var keep []byte
		for i := range 200 {
			keep = make([]byte, 256<<10)
			keep[i] = 1
		}
		return fmt.Sprint(len(keep))
	},
	"hoard": func(_ context.Context, p *plugin) string {
		p.keep = append(p.keep, make([]byte, 6<<20))
		return fmt.Sprint(len(p.keep))
	},
	"panic": func(context.Context, *plugin) string { panic("lost my way") },
	"deadlock": func(context.Context, *plugin) string {
		select {}
	},
	"exit": func(context.Context, *plugin) string {
		os.Exit(7)
		return ""
	},
	"print": func(context.Context, *plugin) string {
		fmt.Println("hello")
		fmt.Fprintln(os.Stderr, "world")
		return ""
	},
	"files": func(context.Context, *plugin) string {
		_, err := os.ReadFile("/etc/passwd")
		_, err2 := os.ReadDir(".")
		return fmt.Sprint(err != nil, err2 != nil, os.WriteFile("/tmp/x", nil, 0o600) != nil)
	},
	"sockets": func(context.Context, *plugin) string {
		_, err := net.DialTimeout("tcp", "127.0.0.1:1", time.Second)
		return fmt.Sprint(err != nil)
	},
	"system": func(context.Context, *plugin) string {
		return fmt.Sprint(len(os.Args), len(os.Environ()))
	},
	"clock": func(ctx context.Context, p *plugin) string {
		return time.Now().UTC().Format(time.RFC3339) + " " + p.host.Now(ctx).Format(time.RFC3339)
	},
	"denied": func(ctx context.Context, p *plugin) string {
		_, _, err := p.host.KV().Get(ctx, "k")
		_, err2 := p.host.Lookup(ctx, sdk.RecordTXT, "example.org")
		_, err3 := p.host.HTTP(ctx, &sdk.HTTPRequest{URL: "http://example.org"})
		return fmt.Sprint(err, "; ", err2, "; ", err3)
	},
	"random": func(ctx context.Context, p *plugin) string {
		a, b := make([]byte, 16), make([]byte, 16)
		p.host.Random(ctx, a)
		p.host.Random(ctx, b)
		return fmt.Sprint(string(a) != string(b), rand.Uint64() != rand.Uint64())
	},
	"big": func(ctx context.Context, p *plugin) string {
		v := strings.Repeat("x", 60<<10)
		if err := p.host.KV().Set(ctx, "big", []byte(v), 0); err != nil {
			return err.Error()
		}
		got, found, err := p.host.KV().Get(ctx, "big")
		return fmt.Sprint(string(got) == v, found, err)
	},
	"calls": func(_ context.Context, p *plugin) string { return fmt.Sprint(p.calls) },
}

func init() { serve.Register(func() sdk.Plugin { return &plugin{} }) }

func main() { serve.Run() }
