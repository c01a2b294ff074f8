package smtpin

import (
	"io"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// endless is a client that repeats its turns n times, without allocating.
type endless struct {
	script
	hello  []byte
	turns  [][]byte
	i, n   int
	began  bool
	writes int
}

func (c *endless) Read(p []byte) (int, error) {
	if !c.began {
		c.began = true
		return copy(p, c.hello), nil
	}
	if c.n == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.turns[c.i])
	if c.i++; c.i == len(c.turns) {
		c.i = 0
		c.n--
	}
	return n, nil
}

func (c *endless) Write(p []byte) (int, error) { c.writes++; return len(p), nil }

func benchmark(b *testing.B, turns ...string) {
	d := newDoor(b, withPlugins(b, yes()), limits(func(l *Limits) { l.Recipients = -1 }))
	d.q.light = true
	c := &endless{hello: []byte(ehlo), n: b.N}
	for _, t := range turns {
		c.turns = append(c.turns, []byte(t))
	}
	ip := netip.MustParseAddr("192.0.2.7")
	d.gate.enter(ip)
	b.ReportAllocs()
	b.ResetTimer()
	d.serveConn(c, ip, "mx")
	b.StopTimer()
	if c.n != 0 {
		b.Fatalf("%d transactions are left", c.n)
	}
	b.ReportMetric(float64(c.writes)/float64(b.N), "writes/op")
}

var body4K = "Subject: x\r\nMessage-ID: <a@b>\r\n\r\n" + strings.Repeat(strings.Repeat("x", 62)+"\r\n", 64)

func BenchmarkTransaction(b *testing.B) {
	benchmark(b, mail, rcpt, data, body4K+".\r\n")
}

func BenchmarkPipelinedTransaction(b *testing.B) {
	benchmark(b, mail+rcpt+data, body4K+".\r\n")
}

func BenchmarkChunkedTransaction(b *testing.B) {
	benchmark(b, mail+rcpt+"BDAT "+strconv.Itoa(len(body4K))+" LAST\r\n", body4K)
}

func BenchmarkTwentyRecipients(b *testing.B) {
	benchmark(b, mail+strings.Repeat(rcpt, 20)+data, body4K+".\r\n")
}

func BenchmarkReceived(b *testing.B) {
	d := newDoor(b)
	v := &visit{srv: d.Server}
	v.ses.Helo, v.ses.RemoteIP = "client.example", "192.0.2.7"
	e := &envelope{}
	now := time.Now()
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = appendReceived(buf[:0], host, &v.ses, &e.Envelope, now)
	}
}

func TestATransactionAllocatesLittle(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates")
	}
	const n = 500
	d := newDoor(t, withPlugins(t, yes()))
	d.q.light = true
	ip := netip.MustParseAddr("192.0.2.7")
	each := testing.AllocsPerRun(3, func() {
		c := &endless{hello: []byte(ehlo), n: n, turns: [][]byte{[]byte(mail), []byte(rcpt), []byte(data), []byte(body4K + ".\r\n")}}
		d.gate.enter(ip)
		d.serveConn(c, ip, "mx")
	}) / n
	if each > 14 {
		t.Errorf("%.1f allocations for a transaction of one recipient; look at go test -bench Transaction -memprofile", each)
	}
}

func TestAThousandIdleSessionsAreCheap(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector has a memory of its own")
	}
	const n = 1000
	d := newDoor(t, limits(func(l *Limits) { l.SessionsPerIP = -1 }))
	l := newPipeListener()
	go d.Serve(l, Listener{Profile: "mx"})
	before := resident()
	clients := make([]net.Conn, n)
	reply := make([]byte, 512)
	for i := range clients {
		c, s := net.Pipe()
		l.conns <- addressed{s}
		clients[i] = c
		clients[i].Read(reply)
		io.WriteString(clients[i], ehlo)
		clients[i].Read(reply)
	}
	settle(t, func() bool { return d.Sessions() == n })
	used := resident() - before
	if used > 20<<20 {
		t.Errorf("%d idle sessions cost %d KiB", n, used>>10)
	}
	t.Logf("%d octets a session", used/n)
	for _, c := range clients {
		c.Close()
	}
	settle(t, func() bool { return d.Sessions() == 0 })
	l.Close()
}

// resident is what the process holds in heap and stacks.
func resident() int64 {
	for range 3 { // pools keep what they have through two
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
