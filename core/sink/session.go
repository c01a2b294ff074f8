package sink

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"

	gosmtp "github.com/emersion/go-smtp"
)

// session is one conversation as go-smtp presents it. Only its connection's
// goroutine uses it, and never two at once.
type session struct {
	sink *Sink
	conn *conn
	helo string
	tls  string
	m    *Message // the transaction; nil between two
}

var errDropped = errors.New("dropped by request")

func (s *Sink) session(c *gosmtp.Conn) (gosmtp.Session, error) {
	x := &session{sink: s, helo: c.Hostname()}
	raw := c.Conn()
	if t, ok := raw.(*tls.Conn); ok {
		st := t.ConnectionState()
		x.tls = tls.VersionName(st.Version) + " " + tls.CipherSuiteName(st.CipherSuite)
		raw = t.NetConn()
	}
	var ok bool
	if x.conn, ok = raw.(*conn); !ok {
		return nil, errors.New("connection did not come through the sink's listener")
	}
	return x, nil
}

func (x *session) Reset()        { x.m = nil }
func (x *session) Logout() error { return nil }

func (x *session) Mail(from string, opts *gosmtp.MailOptions) error {
	x.m = nil // a second MAIL without RSET begins a new transaction
	if err := x.fault(Mail); err != nil {
		return err
	}
	x.m = &Message{From: from, Helo: x.helo, Remote: x.conn.RemoteAddr().String(), TLS: x.tls, Mail: opts}
	return nil
}

func (x *session) Rcpt(to string, opts *gosmtp.RcptOptions) error {
	if x.m == nil { // go-smtp keeps an earlier MAIL when the next one is refused
		return &gosmtp.SMTPError{Code: 503, EnhancedCode: gosmtp.EnhancedCode{5, 5, 1}, Message: "MAIL first"}
	}
	if err := x.fault(Rcpt); err != nil {
		return err
	}
	x.m.To = append(x.m.To, to)
	x.m.Rcpt = append(x.m.Rcpt, opts)
	return nil
}

// Data takes a message over SMTP: one reply for all recipients.
func (x *session) Data(r io.Reader) error {
	m := x.m
	if err := x.read(m, r); err != nil {
		return err
	}
	err := x.late()
	if err == nil {
		err = x.fault(Dot)
	}
	if errors.Is(err, errDropped) {
		m.Dropped = true
		x.sink.keep(m)
		x.conn.abort() // not before it is kept: its sender may already look
		return err
	}
	if err != nil {
		return err
	}
	return x.finish(m)
}

// LMTPData takes a message over LMTP: the dice are thrown for each recipient.
func (x *session) LMTPData(r io.Reader, status gosmtp.StatusCollector) error {
	m := x.m
	if err := x.read(m, r); err != nil {
		return err
	}
	if err := x.late(); err != nil {
		return err
	}
	all := m.To
	rcpts := m.Rcpt
	m.To, m.Rcpt = nil, nil
	var verdicts []error
	for i, to := range all {
		err := x.fault(Dot)
		verdicts = append(verdicts, err)
		if err == nil || errors.Is(err, errDropped) {
			m.To = append(m.To, to)
			m.Rcpt = append(m.Rcpt, rcpts[i])
		}
		m.Dropped = m.Dropped || errors.Is(err, errDropped)
	}
	var failed error
	if len(m.To) > 0 {
		failed = x.finish(m)
	}
	if m.Dropped {
		x.conn.abort()
	}
	for i, to := range all {
		err := verdicts[i]
		if err == nil {
			err = failed
		}
		status.SetStatus(to, err)
	}
	return nil
}

// finish keeps a message, or says why not.
func (x *session) finish(m *Message) error {
	if x.sink.keep(m) != nil {
		return &gosmtp.SMTPError{Code: 451, EnhancedCode: gosmtp.EnhancedCode{4, 3, 0}, Message: "cannot write the message"}
	}
	return nil
}

// read takes the content in, or only counts it when nobody wants it.
func (x *session) read(m *Message, r io.Reader) error {
	if m == nil {
		return &gosmtp.SMTPError{Code: 503, EnhancedCode: gosmtp.EnhancedCode{5, 5, 1}, Message: "MAIL first"}
	}
	o := &x.sink.opt
	keep := o.KeepMessages > 0 || o.Dir != "" || o.Received != nil
	var buf bytes.Buffer
	var w io.Writer = &buf
	if !keep {
		w = io.Discard
	}
	n, err := io.Copy(w, r)
	if err != nil {
		return err
	}
	m.Size = n
	m.Data = buf.Bytes()
	m.Received = x.sink.opt.Now()
	return nil
}

// late rolls for the Data stage inside TLS, where the command itself could not
// be answered.
func (x *session) late() error {
	if x.tls == "" {
		return nil
	}
	return x.fault(Data)
}

// fault rolls for a stage and turns the verdict into what go-smtp answers.
func (x *session) fault(st Stage) error {
	if x.sink.opt.Faults[st].Delay > 0 {
		x.conn.flush() // the earlier replies of a pipelined group are not late
	}
	switch x.sink.roll(st) {
	case deferIt:
		return &gosmtp.SMTPError{Code: 451, EnhancedCode: gosmtp.EnhancedCode{4, 3, 0}, Message: "deferred by request at " + st.String()}
	case rejectIt:
		return &gosmtp.SMTPError{Code: 554, EnhancedCode: gosmtp.EnhancedCode{5, 3, 0}, Message: "rejected by request at " + st.String()}
	case dropIt:
		if st != Dot { // there the caller keeps the message first
			x.conn.abort()
		}
		return errDropped
	}
	return nil
}
