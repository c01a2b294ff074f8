package resolver

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// maxSystemFile bounds what is read of a file in /etc.
const maxSystemFile = 1 << 20

// lookEvery is how often a file is looked at for a change.
const lookEvery = 5 * time.Second

// watched is a file that is read again when it has changed. A file that cannot
// be read is an empty one.
type watched[T any] struct {
	path  string
	parse func([]byte) T

	mu     sync.Mutex
	looked time.Time
	stamp  time.Time
	size   int64
	value  T
}

func (w *watched[T]) get(now time.Time) T {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.path == "-" || !w.looked.IsZero() && now.Sub(w.looked).Abs() < lookEvery {
		return w.value
	}
	first := w.looked.IsZero()
	w.looked = now
	info, err := os.Stat(w.path)
	if err == nil && !first && info.ModTime().Equal(w.stamp) && info.Size() == w.size {
		return w.value
	}
	var text []byte
	if err == nil {
		w.stamp, w.size = info.ModTime(), info.Size()
		if f, err := os.Open(w.path); err == nil {
			text, _ = io.ReadAll(io.LimitReader(f, maxSystemFile))
			f.Close()
		}
	}
	w.value = w.parse(text)
	return w.value
}

// servers are never none: without any, that of this machine is asked, as the C
// library does.
func (r *Resolver) servers() []string {
	if len(r.o.Servers) > 0 {
		return r.o.Servers[:min(len(r.o.Servers), maxServers)]
	}
	if found := r.conf.get(r.o.Now()); len(found) > 0 {
		return found
	}
	return []string{"127.0.0.1:53"}
}

func parseResolvConf(text []byte) []string {
	c, err := dns.ClientConfigFromReader(bytes.NewReader(text))
	if err != nil {
		return nil
	}
	var servers []string
	for _, s := range c.Servers[:min(len(c.Servers), maxServers)] {
		if _, err := netip.ParseAddr(s); err == nil {
			servers = append(servers, net.JoinHostPort(s, "53"))
		}
	}
	return servers
}

// hostsFile is /etc/hosts in both directions.
type hostsFile struct {
	addrs map[string][]netip.Addr
	names map[netip.Addr]string // the first name of each address
}

func parseHosts(text []byte) hostsFile {
	h := hostsFile{map[string][]netip.Addr{}, map[netip.Addr]string{}}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		ip, err := netip.ParseAddr(words[0])
		if err != nil {
			continue
		}
		ip = ip.Unmap().WithZone("")
		for _, word := range words[1:] {
			name, ok := canonical(word)
			if !ok || !isHost(name) {
				continue
			}
			h.addrs[name] = append(h.addrs[name], ip)
			if h.names[ip] == "" {
				h.names[ip] = name
			}
		}
	}
	return h
}
