package smtpin

import (
	"strconv"
	"strings"
	"time"
)

func (s *session) doData(string) {
	if !s.recipients() {
		s.say(replyNoRecipients) // RFC 5321 §3.3
		return
	}
	if r, no := s.predata("DATA"); no {
		s.say(r)
		return
	}
	s.say(replyGoAhead)
	s.open(false)
	s.grow()
	s.beginData(s.limits.MessageSize, true)
	_, err := s.in.ReadData(&s.body, s.limits.MessageSize, s.srv.o.Newlines)
	if err != nil {
		s.broken("DATA", err)
		return
	}
	s.endData()
	s.complete()
}

// broken ends the transaction of a message that did not arrive in good order.
// The reader stands behind it, unless the connection is lost.
func (s *session) broken(verb string, err error) {
	r, ok := s.unreadable(verb, err)
	if ok {
		s.endData()
		s.say(r)
	} else {
		s.over = s.lost(err)
	}
	s.leaveTransaction()
}

// complete says what became of the message.
func (s *session) complete() {
	res := s.finish()
	s.leaveTransaction()
	s.say(res.reply)
	if res.reply.Code < 400 {
		s.errors, s.junk = 0, 0
	}
}

// doBdat takes a chunk (RFC 3030 §2). Its octets follow whatever the reply is,
// so they are read in every state.
func (s *session) doBdat(arg string) {
	n, last, ok := parseChunk(arg)
	if !ok {
		// Octets may follow, and nobody knows how many.
		s.refuse(replyBadChunk, "protocol")
		return
	}
	if s.state&(stRcpt|stChunks) == 0 {
		s.skip(n)
		switch {
		case s.over != "":
		case s.state == stMail:
			s.say(replyNoRecipients)
		default:
			s.say(s.outOfOrder())
		}
		return
	}
	first := s.state == stRcpt
	if first {
		if r, no := s.predata("BDAT"); no {
			s.skip(n)
			s.leaveTransaction()
			if s.over == "" || r.Code == 421 {
				s.say(r)
			}
			return
		}
		s.open(true)
		s.state, s.chunked = stChunks, 0
	}
	s.chunk(n, first, last)
}

func (s *session) chunk(n int64, first, last bool) {
	if !first && time.Since(s.dataFirst) > s.limits.DataTotal {
		// Chunks that come with their command need no read of their own, so no
		// deadline saw them.
		s.refuse(replyTooSlow, "timeout")
		return
	}
	s.grow()
	s.beginData(s.limits.MessageSize, first)
	left := int64(-1)
	if s.limits.MessageSize >= 0 {
		left = s.limits.MessageSize - s.chunked
	}
	s.chunked += n
	err := s.in.ReadChunk(&s.body, n, left)
	if err == nil && last {
		err = s.body.finish()
	}
	if err == nil {
		err = s.body.bad
	}
	if err != nil {
		s.broken("BDAT", err)
		return
	}
	s.endData()
	if !last {
		s.say(replyChunk(n))
		return
	}
	s.complete()
}

// skip reads the octets of a chunk that is not wanted.
func (s *session) skip(n int64) {
	s.beginData(s.limits.MessageSize, true)
	if err := s.in.ReadChunk(nowhere{}, n, -1); err != nil {
		s.over = s.lost(err)
	}
	s.endData()
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// parseChunk reads the argument of BDAT: octets [LAST].
func parseChunk(arg string) (n int64, last, ok bool) {
	size, rest, more := strings.Cut(arg, " ")
	if more {
		if rest = strings.TrimLeft(rest, " "); !strings.EqualFold(rest, "LAST") {
			return 0, false, false
		}
		last = true
	}
	if size == "" || size[0] < '0' || size[0] > '9' {
		return 0, false, false // ParseInt takes signs
	}
	n, err := strconv.ParseInt(size, 10, 64)
	return n, last, err == nil
}
