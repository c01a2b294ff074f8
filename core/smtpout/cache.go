package smtpout

import (
	"sync"
	"time"
)

// key is what two attempts have in common if one may use the connection of the
// other.
type key struct {
	host           string
	port           uint16
	mx, lmtp       bool
	tls, source    string
	user, password string // the file, not what is in it
}

// cache keeps connections for a moment: last in, first out, so that under little
// load few of them stay busy and the others end.
type cache struct {
	limits CacheLimits
	mu     sync.Mutex
	idle   map[key][]*conn // oldest first
	n      int
	armed  bool
	closed bool
	quits  sync.WaitGroup
}

// get takes a connection out, or returns nil.
func (k *cache) get(key key) *conn {
	k.mu.Lock()
	defer k.mu.Unlock()
	stack := k.idle[key]
	if len(stack) == 0 {
		return nil
	}
	c := stack[len(stack)-1]
	stack[len(stack)-1] = nil
	k.idle[key] = stack[:len(stack)-1]
	k.n--
	return c
}

// put keeps a connection whose transaction ended cleanly, or ends it.
func (k *cache) put(c *conn) {
	now := time.Now()
	if c.messages >= k.limits.Messages || now.Sub(c.born) >= k.limits.MaxAge {
		k.quit(c)
		return
	}
	c.idleSince = now
	k.mu.Lock()
	if k.closed || len(k.idle[c.key]) >= k.limits.PerHost || k.n >= k.limits.Total {
		k.mu.Unlock()
		k.quit(c)
		return
	}
	if k.idle == nil {
		k.idle = make(map[key][]*conn)
	}
	k.idle[c.key] = append(k.idle[c.key], c)
	k.n++
	if !k.armed {
		k.armed = true
		time.AfterFunc(k.limits.Idle, k.sweep)
	}
	k.mu.Unlock()
}

// sweep ends what was idle for too long. It runs while there is anything to end.
func (k *cache) sweep() {
	var old []*conn
	limit := time.Now().Add(-k.limits.Idle)
	next := k.limits.Idle
	k.mu.Lock()
	for key, stack := range k.idle {
		n := 0
		for n < len(stack) && !stack[n].idleSince.After(limit) {
			n++
		}
		old = append(old, stack[:n]...)
		k.n -= n
		if n == len(stack) {
			delete(k.idle, key)
			continue
		}
		if n > 0 {
			k.idle[key] = append([]*conn(nil), stack[n:]...)
		}
		next = min(next, stack[n].idleSince.Sub(limit))
	}
	k.armed = k.n > 0
	if k.armed {
		time.AfterFunc(next, k.sweep)
	}
	k.mu.Unlock()
	for _, c := range old {
		k.quit(c)
	}
}

// quit ends a connection without waiting.
func (k *cache) quit(c *conn) {
	k.mu.Lock()
	if k.closed {
		k.mu.Unlock()
		c.quit()
		return
	}
	k.quits.Add(1)
	k.mu.Unlock()
	go func() {
		defer k.quits.Done()
		c.quit()
	}()
}

func (k *cache) close() {
	k.mu.Lock()
	if k.closed {
		k.mu.Unlock()
		return
	}
	k.closed = true
	all := k.idle
	k.idle, k.n = nil, 0
	k.mu.Unlock()
	for _, stack := range all {
		for _, c := range stack {
			k.quits.Go(c.quit)
		}
	}
	k.quits.Wait()
}
