package control

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// piped is a listener without a socket, so that a test's clock rules it.
type piped struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *piped) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *piped) Close() error   { close(p.closed); return nil }
func (p *piped) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (p *piped) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	p.conns <- there
	return here, nil
}

// inBubble serves a backend inside a synctest bubble.
func inBubble(t *testing.T, b Backend, test func(t *testing.T, l *piped, c *Client)) {
	synctest.Test(t, func(t *testing.T) {
		l := &piped{conns: make(chan net.Conn), closed: make(chan struct{})}
		s := New(b)
		served := make(chan error)
		go func() { served <- s.Serve(l) }()
		c := &Client{path: "pipe", http: http.Client{Transport: &http.Transport{DialContext: l.dial}}}
		test(t, l, c)
		c.Close()
		s.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// slow is a relay whose actions take ten minutes.
type slow struct{ relay }

func (s *slow) QueueAct(ctx context.Context, _ Act, progress func(int) error) (Acted, error) {
	for n := range 10 {
		select {
		case <-time.After(time.Minute):
		case <-ctx.Done():
			return Acted{}, ctx.Err()
		}
		if err := progress(n); err != nil {
			return Acted{}, err
		}
	}
	return Acted{Messages: 10}, nil
}

func TestALongActionIsNotCutOff(t *testing.T) {
	inBubble(t, &slow{}, func(t *testing.T, _ *piped, c *Client) {
		seen := 0
		got, err := c.QueueAct(t.Context(), Act{Action: "flush", All: true, By: "root"}, func(int) error { seen++; return nil })
		if err != nil || got.Messages != 10 || seen != 10 {
			t.Errorf("%v, %v, progress told %d times", got, err, seen)
		}
	})
}

func TestWhoReadsNothingIsGivenUp(t *testing.T) {
	b := &relay{}
	inBubble(t, b, func(t *testing.T, l *piped, _ *Client) {
		ended := make(chan error, 1)
		b.list = func(_ context.Context, yield func(*Message) error) error {
			for n := 0; ; n++ {
				if err := yield(message(n)); err != nil {
					ended <- err
					return err
				}
			}
		}
		conn, _ := l.dial(t.Context(), "", "")
		defer conn.Close()
		if _, err := io.WriteString(conn, "POST /v1/queue/list HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		<-ended
		if took := time.Since(begun); took > patience {
			t.Errorf("it took %v", took)
		}
	})
}

func TestWhoAsksTooSlowlyIsGivenUp(t *testing.T) {
	for name, start := range map[string]string{
		"header": "GET /v1/status HT", "body": "POST /v1/queue/count HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
	} {
		inBubble(t, &relay{}, func(t *testing.T, l *piped, _ *Client) {
			conn, _ := l.dial(t.Context(), "", "")
			defer conn.Close()
			begun := time.Now()
			if _, err := io.WriteString(conn, start); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("%s: %v", name, err)
			}
			if took := time.Since(begun); took > patience+10*time.Second {
				t.Errorf("%s: it took %v", name, took)
			}
		})
	}
}
