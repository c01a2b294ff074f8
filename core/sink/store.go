package sink

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
)

// Messages lists what is kept, oldest first.
func (s *Sink) Messages() []Summary {
	s.mu.Lock()
	kept := slices.Clone(s.kept)
	s.mu.Unlock()
	list := make([]Summary, len(kept))
	for i, m := range kept {
		list[i] = m.Summary()
	}
	return list
}

// Get is the message with that number, if it is still kept. Nobody changes a
// kept message; the caller does not either.
func (s *Sink) Get(n int) (*Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Numbers ascend without gaps from the oldest kept message on.
	if len(s.kept) == 0 || n < s.kept[0].N || n > s.last {
		return nil, false
	}
	return s.kept[n-s.kept[0].N], true
}

// Clear forgets the kept messages and tells how many they were. Files in Dir
// and the counters stay.
func (s *Sink) Clear() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.kept)
	s.kept, s.bytes = nil, 0
	return n
}

// Wait returns when at least n messages were received since the start, or with
// the context's error.
func (s *Sink) Wait(ctx context.Context, n int64) error {
	for {
		s.mu.Lock()
		have, changed := s.stats.Messages, s.changed
		s.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("sink: %d of %d messages: %w", have, n, ctx.Err())
		}
	}
}

// Summary is the message without its content.
func (m *Message) Summary() Summary {
	sum := Summary{N: m.N, From: m.From, To: m.To, Helo: m.Helo, Remote: m.Remote, TLS: m.TLS,
		Received: m.Received, Size: m.Size, Dropped: m.Dropped}
	// What a broken header has before its fault is good enough for a list.
	head := io.LimitReader(bytes.NewReader(m.Data), 64<<10)
	h, _ := textproto.NewReader(bufio.NewReader(head)).ReadMIMEHeader()
	sum.Subject = h.Get("Subject")
	return sum
}

// keep takes a message over. Its file is written before it gets its number, so
// that a full disk can still become a 451 and leaves no gap.
func (s *Sink) keep(m *Message) error {
	tmp, err := s.write(m)
	if err != nil {
		s.opt.Logf("sink: %v", err)
		return err
	}
	s.mu.Lock()
	s.last++
	m.N = s.last
	s.stats.Messages++
	s.stats.Recipients += int64(len(m.To))
	s.stats.Bytes += m.Size
	s.hold(m)
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
	if tmp != "" {
		if err := os.Rename(tmp, filepath.Join(s.opt.Dir, fmt.Sprintf("%06d.eml", m.N))); err != nil {
			s.opt.Logf("sink: %v", err)
		}
	}
	if s.opt.Received != nil {
		s.opt.Received(m)
	}
	return nil
}

// hold puts a message into memory and lets the oldest go. The caller has mu.
func (s *Sink) hold(m *Message) {
	if s.opt.KeepMessages < 0 {
		return
	}
	if int64(len(m.Data)) > s.opt.KeepBytes {
		light := *m
		light.Data = nil
		m = &light
	}
	s.kept = append(s.kept, m)
	s.bytes += int64(len(m.Data))
	for len(s.kept) > s.opt.KeepMessages || s.bytes > s.opt.KeepBytes {
		s.bytes -= int64(len(s.kept[0].Data))
		s.kept[0] = nil // the array behind the slice must not hold it
		s.kept = s.kept[1:]
	}
}

// write puts a message into a temporary file in Dir, with its envelope on top,
// and tells the file's name.
func (s *Sink) write(m *Message) (name string, err error) {
	if s.opt.Dir == "" {
		return "", nil
	}
	f, err := os.CreateTemp(s.opt.Dir, ".sink-*")
	if err != nil {
		return "", err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	head := "Return-Path: <" + m.From + ">\r\n"
	for _, to := range m.To {
		head += "Delivered-To: " + to + "\r\n"
	}
	if _, err := f.WriteString(head); err != nil {
		return "", err
	}
	_, err = f.Write(m.Data)
	return f.Name(), err
}
