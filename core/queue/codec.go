package queue

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

var errCodec = errors.New("queue: undecodable record")

// codecVersion is the first byte of every meta part. A reader refuses versions
// that it does not know, rather than guess.
const codecVersion = 1

func putString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func putTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.AppendVarint(b, 0)
	}
	return binary.AppendVarint(b, t.UnixNano())
}

// reader takes values from the front of b. After the first value that is not
// there every further one is zero and bad is set, so callers check once.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() { r.b, r.bad = nil, true }

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) string() string {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.fail()
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

// count is the length of a list whose items have at least min bytes each, so
// that a damaged count cannot make us allocate more than the record's size.
func (r *reader) count(min int) int {
	n := r.uint()
	if n > uint64(len(r.b)/min) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) time() time.Time {
	if v := r.int(); v != 0 {
		return time.Unix(0, v)
	}
	return time.Time{}
}

const (
	envUTF8 = 1 << iota
	envTLS
	envOrig   // some recipient has Orig
	envDSN    // some recipient has Notify or ORcpt
	envOrigin // Origin is not empty
)

// appendEnvelope leaves the ID out: it is in the header of the record.
func appendEnvelope(b []byte, e *sdk.Envelope) []byte {
	var flags byte
	if e.SMTPUTF8 {
		flags |= envUTF8
	}
	if e.RequireTLS {
		flags |= envTLS
	}
	for i := range e.Recipients {
		r := &e.Recipients[i]
		if r.Orig != "" {
			flags |= envOrig
		}
		if r.Notify != 0 || r.ORcpt != "" {
			flags |= envDSN
		}
	}
	if e.Origin != (sdk.Origin{}) {
		flags |= envOrigin
	}
	b = append(b, flags)
	b = putString(b, e.From)
	b = binary.AppendVarint(b, e.Size)
	b = putString(b, e.Body)
	b = putString(b, e.Ret)
	b = putString(b, e.EnvID)
	b = putTime(b, e.Arrived)
	if flags&envOrigin != 0 {
		for _, s := range [...]string{e.Origin.IP, e.Origin.Name, e.Origin.Helo, e.Origin.Protocol, e.Origin.Login, e.Origin.Profile} {
			b = putString(b, s)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(e.Notes)))
	for k, v := range e.Notes {
		b = putString(b, k)
		b = putString(b, v)
	}
	b = binary.AppendUvarint(b, uint64(len(e.Recipients)))
	for i := range e.Recipients {
		r := &e.Recipients[i]
		b = putString(b, r.Addr)
		if flags&envOrig != 0 {
			b = putString(b, r.Orig)
		}
		if flags&envDSN != 0 {
			b = append(b, byte(r.Notify))
			b = putString(b, r.ORcpt)
		}
	}
	return b
}

func (r *reader) envelope(id ID) *sdk.Envelope {
	flags := r.byte()
	e := &sdk.Envelope{ID: id.String(), SMTPUTF8: flags&envUTF8 != 0, RequireTLS: flags&envTLS != 0}
	e.From = r.string()
	e.Size = r.int()
	e.Body = r.string()
	e.Ret = r.string()
	e.EnvID = r.string()
	e.Arrived = r.time()
	if flags&envOrigin != 0 {
		for _, s := range [...]*string{&e.Origin.IP, &e.Origin.Name, &e.Origin.Helo, &e.Origin.Protocol, &e.Origin.Login, &e.Origin.Profile} {
			*s = r.string()
		}
	}
	if n := r.count(2); n > 0 {
		e.Notes = make(sdk.Notes, n)
		for range n {
			k := r.string()
			e.Notes[k] = r.string()
		}
	}
	e.Recipients = make([]sdk.Recipient, r.count(1))
	for i := range e.Recipients {
		c := &e.Recipients[i]
		c.Addr = r.string()
		if flags&envOrig != 0 {
			c.Orig = r.string()
		}
		if flags&envDSN != 0 {
			c.Notify = sdk.Notify(r.byte())
			c.ORcpt = r.string()
		}
	}
	return e
}

const (
	outRemoteReply = 1 << iota
	outDSNRelayed
	outMaybeDuplicate
	outUnreachable
	outHold
)

func appendOutcome(b []byte, o *sdk.Outcome) []byte {
	var flags byte
	for i, f := range [...]bool{o.RemoteReply, o.DSNRelayed, o.MaybeDuplicate, o.Unreachable, o.Hold} {
		if f {
			flags |= 1 << i
		}
	}
	b = append(b, byte(o.Status), flags)
	b = binary.AppendUvarint(b, uint64(max(o.Reply.Code, 0)))
	b = putString(b, o.Reply.Enhanced)
	b = putString(b, o.Reply.Text)
	b = putString(b, o.Remote)
	b = putString(b, o.TLS)
	b = binary.AppendVarint(b, int64(o.Setup))
	return binary.AppendVarint(b, int64(o.Transfer))
}

func (r *reader) outcome() *sdk.Outcome {
	o := &sdk.Outcome{Status: sdk.Status(r.byte())}
	flags := r.byte()
	o.RemoteReply = flags&outRemoteReply != 0
	o.DSNRelayed = flags&outDSNRelayed != 0
	o.MaybeDuplicate = flags&outMaybeDuplicate != 0
	o.Unreachable = flags&outUnreachable != 0
	o.Hold = flags&outHold != 0
	code := r.uint()
	if code > math.MaxInt32 {
		r.fail()
	}
	o.Reply.Code = int(code)
	o.Reply.Enhanced = r.string()
	o.Reply.Text = r.string()
	o.Remote = r.string()
	o.TLS = r.string()
	o.Setup = time.Duration(r.int())
	o.Transfer = time.Duration(r.int())
	return o
}

const (
	rcptWarned = 1 << iota
	rcptExpire
	rcptLast
	rcptWords // by, route or hop is not empty
)

func appendRcpt(b []byte, c *rcpt) []byte {
	var flags byte
	if c.warned {
		flags |= rcptWarned
	}
	if c.expire {
		flags |= rcptExpire
	}
	if c.last != nil {
		flags |= rcptLast
	}
	if c.by != "" || c.route != "" || c.hop != "" {
		flags |= rcptWords
	}
	b = append(b, byte(c.state), flags)
	b = binary.AppendUvarint(b, uint64(c.attempts))
	b = binary.AppendVarint(b, c.next)
	if flags&rcptWords != 0 {
		b = putString(b, c.by)
		b = putString(b, c.route)
		b = putString(b, c.hop)
	}
	if c.last != nil {
		b = appendOutcome(b, c.last)
	}
	return b
}

func (r *reader) rcpt() rcpt {
	c := rcpt{state: State(r.byte())}
	if int(c.state) >= len(stateNames) {
		r.fail()
	}
	flags := r.byte()
	c.warned = flags&rcptWarned != 0
	c.expire = flags&rcptExpire != 0
	c.attempts = uint32(r.uint())
	c.next = r.int()
	if flags&rcptWords != 0 {
		c.by, c.route, c.hop = r.string(), r.string(), r.string()
	}
	if flags&rcptLast != 0 {
		c.last = r.outcome()
	}
	return c
}

const (
	metaBig     = 1 << iota // the body is in a file of its own
	metaStates              // the recipients' states follow
	metaDamaged             // the body is lost; what was left of it is in quarantine
)

// appendMessage is the meta part of recMessage and recMove, and the value in
// the index. A new message has no states: all its recipients are pending and
// due since it arrived.
func appendMessage(b []byte, m *message, rcpts []rcpt, states bool) []byte {
	var flags byte
	if m.big {
		flags |= metaBig
	}
	if states {
		flags |= metaStates
	}
	if m.damaged {
		flags |= metaDamaged
	}
	b = append(b, codecVersion, flags)
	b = binary.AppendVarint(b, m.arrived)
	b = binary.AppendUvarint(b, uint64(m.size))
	b = binary.AppendUvarint(b, uint64(m.bodyCRC))
	b = appendEnvelope(b, m.env)
	if states {
		for i := range rcpts {
			b = appendRcpt(b, &rcpts[i])
		}
	}
	return b
}

// decodeMessage is the inverse; the location is the caller's to fill in.
func decodeMessage(id ID, meta []byte) (*message, error) {
	r := reader{b: meta}
	if r.byte() != codecVersion {
		return nil, errCodec
	}
	flags := r.byte()
	m := &message{id: id, heapAt: -1, big: flags&metaBig != 0, damaged: flags&metaDamaged != 0}
	m.arrived = r.int()
	m.size = int64(r.uint())
	m.bodyCRC = uint32(r.uint())
	m.env = r.envelope(id)
	if r.bad || m.size < 0 || len(m.env.Recipients) == 0 {
		return nil, errCodec
	}
	m.fresh()
	if flags&metaStates != 0 {
		for i := range m.rcpts {
			m.rcpts[i] = r.rcpt()
		}
	}
	if r.bad || len(r.b) != 0 {
		return nil, errCodec
	}
	m.due = m.nextDue()
	return m, nil
}

type changeKind uint8

const (
	chResult changeKind = 1 + iota
	chHold
	chRelease
	chDiscard
	chExpire
	chFlush
	chReroute
)

// change is what happens to one recipient; to is the recipient's new state with
// those fields that the kind uses.
type change struct {
	index uint32
	kind  changeKind
	to    rcpt
}

func appendChanges(b []byte, cs []change) []byte {
	b = append(b, codecVersion)
	b = binary.AppendUvarint(b, uint64(len(cs)))
	for i := range cs {
		b = binary.AppendUvarint(b, uint64(cs[i].index))
		b = append(b, byte(cs[i].kind))
		b = appendRcpt(b, &cs[i].to)
	}
	return b
}

func decodeChanges(meta []byte) ([]change, error) {
	r := reader{b: meta}
	if r.byte() != codecVersion {
		return nil, errCodec
	}
	cs := make([]change, r.count(6))
	for i := range cs {
		n := r.uint()
		if n > math.MaxUint32 {
			r.fail()
		}
		cs[i].index = uint32(n)
		cs[i].kind = changeKind(r.byte())
		if cs[i].kind < chResult || cs[i].kind > chReroute {
			r.fail()
		}
		cs[i].to = r.rcpt()
	}
	if r.bad || len(r.b) != 0 {
		return nil, errCodec
	}
	return cs, nil
}
