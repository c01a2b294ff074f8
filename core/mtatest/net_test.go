package mtatest

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestAConnectionCarriesBytesBothWaysAndEndsInEOF(t *testing.T) {
	var n Net
	l, err := n.Listen("tcp", "192.0.2.1:25")
	if err != nil {
		t.Fatal(err)
	}
	c, err := n.DialFrom(context.Background(), "198.51.100.7", "tcp", "192.0.2.1:25")
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if got := s.RemoteAddr().String()[:13]; got != "198.51.100.7:" {
		t.Errorf("the server sees the client at %s", got)
	}
	go func() { s.Write([]byte("hello")); s.Close() }()
	b, err := io.ReadAll(c)
	if err != nil || string(b) != "hello" {
		t.Errorf("got %q, %v", b, err)
	}
	if _, err := n.Dial(context.Background(), "tcp", "192.0.2.9:25"); err == nil {
		t.Error("dialled an address at which nobody listens")
	}
}

func TestADeadlinePassesOnTheFakeClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := Pipe(address{"tcp", "a"}, address{"tcp", "b"})
		defer c.Close()
		defer s.Close()
		start := time.Now()
		c.SetReadDeadline(start.Add(5 * time.Minute))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(start); d != 5*time.Minute {
			t.Errorf("waited %v", d)
		}
	})
}
