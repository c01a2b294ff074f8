package smtpout

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

// memory is a connection whose other end is a slice.
type memory struct {
	net.Conn
	in *bytes.Reader
}

func (m memory) Read(b []byte) (int, error)    { return m.in.Read(b) }
func (memory) SetReadDeadline(time.Time) error { return nil }
func replyConn(in []byte) *conn {
	m := memory{in: bytes.NewReader(in)}
	return &conn{net: m, rd: smtp.NewReader(m, make([]byte, readBuffer)), ctx: context.Background(), deadline: time.Now().Add(time.Hour), remote: "mx"}
}

// pump is a peer in the same goroutine: it answers each write at once.
type pump struct {
	net.Conn
	out  []byte
	body bool
}

func (p *pump) Write(b []byte) (int, error) {
	switch {
	case p.body || bytes.HasPrefix(b, []byte("EHLO")):
		if p.body {
			if !bytes.HasSuffix(b, []byte("\r\n.\r\n")) {
				return len(b), nil
			}
			p.out, p.body = append(p.out, "250 2.0.0 queued as 0123456789\r\n"...), false
			break
		}
		p.out = append(p.out, "250-sink\r\n250-PIPELINING\r\n250-SIZE\r\n250 8BITMIME\r\n"...)
	case bytes.HasPrefix(b, []byte("MAIL")):
		p.out = append(p.out, "250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go\r\n"...)
		p.body = true
	}
	return len(b), nil
}

func (p *pump) Read(b []byte) (int, error) {
	n := copy(b, p.out)
	p.out = append(p.out[:0], p.out[n:]...)
	return n, nil
}
func (*pump) Close() error                     { return nil }
func (*pump) SetDeadline(time.Time) error      { return nil }
func (*pump) SetReadDeadline(time.Time) error  { return nil }
func (*pump) SetWriteDeadline(time.Time) error { return nil }

func benchmarkSend(b *testing.B, ctx context.Context, size int) {
	c := New(Options{Hostname: "relay.example", Dial: func(context.Context, string, string) (net.Conn, error) {
		return &pump{out: []byte("220 sink\r\n")}, nil
	}, Cache: CacheLimits{Messages: 1 << 30, MaxAge: time.Hour}})
	defer c.Close()
	e := event(strings.Repeat("The quick brown fox jumps over the lazy dog.\r\n", size/46))
	e.Route.Hosts = []string{"192.0.2.1"}
	body, _ := e.Message.Open()
	e.Message = sdk.NewMessage("M1", e.Message.Size, func() (sdk.Body, error) { return body, nil })
	b.SetBytes(e.Message.Size)
	b.ReportAllocs()
	for b.Loop() {
		out, err := c.Send(ctx, e, sdk.SendOptions{})
		if err != nil || out[0].Status != sdk.StatusDelivered {
			b.Fatal(out, err)
		}
	}
}

func BenchmarkSend4K(b *testing.B) { benchmarkSend(b, context.Background(), 4<<10) }
func BenchmarkSend1M(b *testing.B) { benchmarkSend(b, context.Background(), 1<<20) }
func BenchmarkSend4KCancellable(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	benchmarkSend(b, ctx, 4<<10)
}
func BenchmarkSend4KConversation(b *testing.B) {
	c := New(Options{Hostname: "relay.example", Dial: func(context.Context, string, string) (net.Conn, error) {
		return &pump{out: []byte("220 sink\r\n")}, nil
	}, Cache: CacheLimits{Messages: 1 << 30, MaxAge: time.Hour}})
	defer c.Close()
	e := event(strings.Repeat("The quick brown fox jumps over the lazy dog.\r\n", 90))
	e.Route.Hosts = []string{"192.0.2.1"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Send(WithConversation(context.Background(), &Conversation{}), e, sdk.SendOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSendLoopback is 50 senders to a server on loopback.
func BenchmarkSendLoopback(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go sinkConn(nc)
		}
	}()
	c := New(Options{Hostname: "relay.example"})
	defer c.Close()
	b.SetParallelism(25)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		e := event(strings.Repeat("The quick brown fox jumps over the lazy dog.\r\n", 90))
		e.Route.Hosts = []string{l.Addr().String()}
		for pb.Next() {
			out, err := c.Send(context.Background(), e, sdk.SendOptions{})
			if err != nil || out[0].Status != sdk.StatusDelivered {
				b.Error(out, err)
				return
			}
		}
	})
}

func sinkConn(nc net.Conn) {
	defer nc.Close()
	p := &pump{out: []byte("220 sink\r\n")}
	buf := make([]byte, 64<<10)
	for {
		if _, err := nc.Write(p.out); err != nil {
			return
		}
		p.out = p.out[:0]
		n, err := nc.Read(buf)
		if err != nil {
			return
		}
		p.Write(buf[:n])
		for len(p.out) == 0 {
			if n, err = nc.Read(buf); err != nil {
				return
			}
			p.Write(buf[:n])
		}
	}
}
