package plugintest

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// store is an [sdk.KV] in memory, by the clock of its host. A counter is kept as
// the relay keeps it: apart from values, so that one is not taken for the other.
type store struct {
	now func() time.Time

	mu      sync.Mutex
	entries map[string]entry
}

type entry struct {
	value   []byte
	counter bool
	expires time.Time // zero: never
}

func (s *store) live(key string) (entry, bool) {
	e, ok := s.entries[key]
	if ok && !e.expires.IsZero() && !s.now().Before(e.expires) {
		delete(s.entries, key)
		return entry{}, false
	}
	return e, ok
}

func (s *store) put(key string, value []byte, ttl time.Duration) {
	e := entry{value: bytes.Clone(value)}
	if ttl > 0 {
		e.expires = s.now().Add(ttl)
	}
	s.entries[key] = e
}

func checkKey(call, key string) error {
	if len(key) == 0 || len(key) > 512 {
		return &sdk.CallError{Call: call, Code: sdk.CallInvalid, Text: "a key has 1 to 512 octets"}
	}
	return nil
}

func checkValue(call string, value []byte) error {
	if len(value) > 64<<10 {
		return &sdk.CallError{Call: call, Code: sdk.CallLimit, Text: "a value has at most 64 KiB"}
	}
	return nil
}

// Get implements [sdk.KV].
func (s *store) Get(_ context.Context, key string) ([]byte, bool, error) {
	if err := checkKey("kv_get", key); err != nil {
		return nil, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.live(key)
	return bytes.Clone(e.value), ok, nil
}

// Set implements [sdk.KV].
func (s *store) Set(_ context.Context, key string, value []byte, ttl time.Duration) error {
	if err := checkKey("kv_set", key); err != nil {
		return err
	}
	if err := checkValue("kv_set", value); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(key, value, ttl)
	return nil
}

// Swap implements [sdk.KV].
func (s *store) Swap(_ context.Context, key string, old, value []byte, ttl time.Duration) (bool, error) {
	if err := checkKey("kv_swap", key); err != nil {
		return false, err
	}
	if err := checkValue("kv_swap", value); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.live(key)
	if ok != (old != nil) || ok && !bytes.Equal(e.value, old) {
		return false, nil
	}
	if value == nil {
		delete(s.entries, key)
	} else {
		s.put(key, value, ttl)
	}
	return true, nil
}

// Add implements [sdk.KV].
func (s *store) Add(_ context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	if err := checkKey("kv_add", key); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.live(key)
	switch {
	case !ok:
		s.put(key, make([]byte, 8), ttl)
		e = s.entries[key]
		e.counter = true
	case !e.counter:
		return 0, &sdk.CallError{Call: "kv_add", Code: sdk.CallInvalid, Text: "the value of this key is no counter"}
	}
	n := int64(binary.LittleEndian.Uint64(e.value)) + delta
	binary.LittleEndian.PutUint64(e.value, uint64(n))
	s.entries[key] = e
	return n, nil
}

// Delete implements [sdk.KV].
func (s *store) Delete(_ context.Context, key string) error {
	if err := checkKey("kv_delete", key); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entries, key)
	return nil
}
