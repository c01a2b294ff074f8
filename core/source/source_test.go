package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/programmable-mta/mta/core/sink"
)

func serve(t testing.TB, o sink.Options) (*sink.Sink, string) {
	t.Helper()
	s, err := sink.New(o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return s, l.Addr().String()
}

func TestEveryMessageArrivesOnceInEveryMode(t *testing.T) {
	for _, tt := range []struct {
		name string
		sink sink.Options
		opt  Options
	}{
		{"plain", sink.Options{}, Options{}},
		{"pipelined", sink.Options{}, Options{Pipeline: true}},
		{"sessions", sink.Options{}, Options{Pipeline: true, Sessions: 5}},
		{"one per connection", sink.Options{}, Options{PerConnection: 1, Sessions: 2}},
		{"starttls", sink.Options{StartTLS: true}, Options{TLS: StartTLS, Pipeline: true}},
		{"lmtp", sink.Options{LMTP: true}, Options{LMTP: true, Pipeline: true}},
		{"lmtp plain", sink.Options{LMTP: true}, Options{LMTP: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, addr := serve(t, tt.sink)
			o := tt.opt
			o.Addr, o.Messages, o.Recipients, o.Size = addr, 20, 3, 700
			o.From, o.To = "s{n}@example.com", "u{r}.{n}@example.org"
			res, err := Run(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			if res.Accepted != 20 || res.Recipients != 60 || res.Lost != 0 || len(res.Refused) != 0 {
				t.Errorf("result %+v", res)
			}
			if o.PerConnection == 1 && res.Connections != 20 {
				t.Errorf("%d connections for 20 messages of one each", res.Connections)
			}
			if res.P50 <= 0 || res.P99 < res.P50 || res.Max < res.P99 || res.Rate <= 0 {
				t.Errorf("latencies %v %v %v, rate %v", res.P50, res.P99, res.Max, res.Rate)
			}
			var from []string
			for _, m := range s.Messages() {
				from = append(from, m.From)
				n := strings.TrimSuffix(strings.TrimPrefix(m.From, "s"), "@example.com")
				want := fmt.Sprintf("[u1.%s@example.org u2.%s@example.org u3.%s@example.org]", n, n, n)
				if fmt.Sprint(m.To) != want || m.Size != 700 || m.Subject != "message "+n {
					t.Errorf("%+v, want recipients %s and 700 octets", m, want)
				}
				if (m.TLS != "") != (o.TLS != Clear) {
					t.Errorf("TLS %q", m.TLS)
				}
			}
			slices.Sort(from)
			if len(slices.Compact(from)) != 20 {
				t.Errorf("senders %v, want 20 different", from)
			}
		})
	}
}

func TestABodyIsSentWithCRLFAndDotsDoubled(t *testing.T) {
	s, addr := serve(t, sink.Options{})
	_, err := Run(context.Background(), Options{Addr: addr, Messages: 1, Body: []byte("Subject: x\n\n.\n..two\r\nend")})
	if err != nil {
		t.Fatal(err)
	}
	m, ok := s.Get(1)
	if want := "Subject: x\r\n\r\n.\r\n..two\r\nend\r\n"; !ok || string(m.Data) != want {
		t.Errorf("got %q, want %q", m.Data, want)
	}
}

func TestRefusalsAreCountedByCodeAndNothingIsLostFromTheCount(t *testing.T) {
	for _, stage := range []sink.Stage{sink.Mail, sink.Rcpt, sink.Data, sink.Dot} {
		for _, pipeline := range []bool{false, true} {
			t.Run(fmt.Sprint(stage, pipeline), func(t *testing.T) {
				var fs sink.Faults
				fs[stage] = sink.Fault{Defer: 0.2, Reject: 0.2, Drop: 0.2}
				s, addr := serve(t, sink.Options{Faults: fs, Seed: 4})
				res, err := Run(context.Background(), Options{Addr: addr, Messages: 50, Pipeline: pipeline})
				if err != nil {
					t.Fatal(err)
				}
				st := s.Stats()
				if got := res.Accepted + res.Refused[451] + res.Refused[554] + res.Lost; got != 50 {
					t.Errorf("%d of 50 messages accounted for: %+v", got, res)
				}
				if res.Refused[451] != st.Deferred || res.Refused[554] != st.Rejected || res.Lost != st.Dropped {
					t.Errorf("result %+v\nsink   %+v", res, st)
				}
				if res.Lost == 0 || res.LastError == "" {
					t.Errorf("no lost message in %+v", res)
				}
			})
		}
	}
}

func TestSomeRefusedRecipientsDoNotRefuseTheMessage(t *testing.T) {
	for _, pipeline := range []bool{false, true} {
		var fs sink.Faults
		fs[sink.Rcpt].Reject = 0.5
		s, addr := serve(t, sink.Options{Faults: fs, Seed: 2})
		res, err := Run(context.Background(), Options{Addr: addr, Messages: 10, Recipients: 10, Pipeline: pipeline})
		if err != nil {
			t.Fatal(err)
		}
		if st := s.Stats(); res.Accepted != 10 || res.Recipients != st.Recipients || res.Recipients+st.Rejected != 100 {
			t.Errorf("pipeline %v: result %+v\nsink %+v", pipeline, res, st)
		}
	}
}

func TestTheRateIsKept(t *testing.T) {
	_, addr := serve(t, sink.Options{})
	begin := time.Now()
	if _, err := Run(context.Background(), Options{Addr: addr, Messages: 11, Rate: 100, Sessions: 4}); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(begin); d < 100*time.Millisecond { // a lower bound cannot fail on a slow machine
		t.Errorf("11 messages at 100 a second took %v, want at least 100ms", d)
	}
}

func TestTheContextEndsARunAtOnce(t *testing.T) {
	var fs sink.Faults
	fs[sink.Dot].Delay = time.Hour
	_, addr := serve(t, sink.Options{Faults: fs})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	res, err := Run(ctx, Options{Addr: addr, Sessions: 3})
	if !errors.Is(err, context.DeadlineExceeded) || res.Accepted != 0 || res.Lost != 0 {
		t.Errorf("result %+v, %v; want nothing counted", res, err)
	}
}

func TestAServerThatCannotBeReachedEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("refused")
		dial := func(context.Context, string, string) (net.Conn, error) { return nil, refused }
		reports := 0
		res, err := Run(context.Background(), Options{Addr: "x:1", Messages: 1, Dial: dial, Progress: func(Result) { reports++ }})
		if !errors.Is(err, refused) || res.Failed != maxFailures {
			t.Errorf("result %+v, %v", res, err)
		}
		if reports != int(res.Elapsed/time.Second) {
			t.Errorf("%d reports of progress in %v", reports, res.Elapsed)
		}
	})
}

func TestNonsenseOptionsAreRefused(t *testing.T) {
	for _, o := range []Options{{}, {Addr: "a", Sessions: -1}, {Addr: "a", TLS: "yes"}, {Addr: "a", From: "a>\r\nRSET"}, {Addr: "a", Rate: -1}} {
		if _, err := Run(context.Background(), o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

// hostile answers every connection with the same octets.
func hostile(t *testing.T, text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				io.WriteString(c, text)
				io.Copy(io.Discard, c)
				c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

func TestHostileRepliesNeitherHangNorGrow(t *testing.T) {
	for _, text := range []string{
		"\r\n", "22\r\n", "abc\r\n", "999 x\r\n", "220" + strings.Repeat("x", 10_000) + "\r\n",
		strings.Repeat("220-x\r\n", 1000), "554 no\r\n", "-20 x\r\n",
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		res, err := Run(ctx, Options{Addr: hostile(t, text), Messages: 1})
		cancel()
		if err == nil || res.Failed == 0 || res.Accepted != 0 {
			t.Errorf("%.20q: %+v, %v", text, res, err)
		}
	}
}

func TestA421AmongPipelinedRepliesIsARefusal(t *testing.T) {
	addr := hostile(t, "220 x\r\n250 x\r\n421 4.3.2 going\r\n")
	res, err := Run(context.Background(), Options{Addr: addr, Messages: 1, Pipeline: true, Timeout: time.Second})
	if err != nil || res.Refused[421] != 1 || res.Lost != 0 {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestQuantilesAreAtMostASixteenthTooHigh(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var h histogram
	var all []time.Duration
	for range 10_000 {
		d := time.Duration(r.Int64N(1 << (1 + r.IntN(40))))
		all = append(all, d)
		h.add(d)
	}
	slices.Sort(all)
	for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 0.999} {
		want := all[int(q*10_000)]
		if got := h.quantile(q); got < want || got > want+want/16 {
			t.Errorf("quantile %v is %v, want %v to %v", q, got, want, want+want/16)
		}
	}
	h.add(1<<63 - 1)
	h.add(-1)
	if got := h.quantile(1); got != 1<<63-1 {
		t.Errorf("the longest is %v", got)
	}
}

func BenchmarkIntoTheSink(b *testing.B) {
	_, addr := serve(b, sink.Options{KeepMessages: -1})
	b.ReportAllocs()
	res, err := Run(context.Background(), Options{Addr: addr, Messages: int64(b.N), Sessions: 10, Size: 4096, Pipeline: true})
	if err != nil || res.Accepted != int64(b.N) {
		b.Fatal(res, err)
	}
	b.ReportMetric(res.Rate, "messages/s")
}
