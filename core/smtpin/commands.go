package smtpin

import (
	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

// verb is the index of a command in the table.
type verb uint8

const (
	vMail verb = iota
	vRcpt
	vData
	vBdat
	vEhlo
	vHelo
	vRset
	vQuit
	vNoop
	vStartTLS
	vAuth
	vVrfy
	vExpn
	vHelp
	vObsolete
	vHTTP
	vUnknown
	verbs
)

// command is one row of the table.
type command struct {
	verb  string // as it is spoken
	log   string // as the log counts it
	do    func(s *session, arg string)
	takes state // the states that allow it; in others it is 503
	junk  bool  // counts towards Limits.JunkCommands
	last  bool  // nothing may be sent behind it before its reply (RFC 2920 §3.1)
	bare  bool  // takes no argument
}

// table is every command, one row each. What comes with submission, AUTH and
// XCLIENT, has its row here.
var table = [verbs]command{
	vMail:     {verb: "MAIL", log: "mail", do: (*session).doMail, takes: stReady},
	vRcpt:     {verb: "RCPT", log: "rcpt", do: (*session).doRcpt, takes: stMail | stRcpt},
	vData:     {verb: "DATA", log: "data", do: (*session).doData, takes: stMail | stRcpt, last: true, bare: true},
	vBdat:     {verb: "BDAT", log: "bdat", do: (*session).doBdat, takes: anyState}, // its octets follow in every state
	vEhlo:     {verb: "EHLO", log: "ehlo", do: (*session).doEhlo, takes: anyState &^ stTurnedAway, last: true, junk: true},
	vHelo:     {verb: "HELO", log: "helo", do: (*session).doHelo, takes: anyState &^ stTurnedAway, last: true, junk: true},
	vRset:     {verb: "RSET", log: "rset", do: (*session).doRset, takes: anyState &^ stTurnedAway, junk: true, bare: true},
	vQuit:     {verb: "QUIT", log: "quit", do: (*session).doQuit, takes: anyState, bare: true},
	vNoop:     {verb: "NOOP", log: "noop", do: (*session).doNoop, takes: anyState &^ stTurnedAway, junk: true},
	vStartTLS: {verb: "STARTTLS", log: "starttls", do: (*session).doStartTLS, takes: stReady, last: true, bare: true},
	vAuth:     {verb: "AUTH", log: "auth", do: (*session).doNotOffered, takes: stReady, last: true},
	vVrfy:     {verb: "VRFY", log: "vrfy", do: (*session).doVrfy, takes: anyState &^ stTurnedAway, junk: true},
	vExpn:     {verb: "EXPN", log: "expn", do: (*session).doNotOffered, takes: anyState &^ stTurnedAway, junk: true},
	vHelp:     {verb: "HELP", log: "help", do: (*session).doHelp, takes: anyState &^ stTurnedAway, junk: true},
	vObsolete: {log: "unknown", do: (*session).doNotOffered, takes: anyState &^ stTurnedAway},
	vHTTP:     {log: "unknown", do: (*session).doHTTP, takes: anyState},
	vUnknown:  {log: "unknown", do: (*session).doUnknown, takes: anyState &^ stTurnedAway},
}

// lookup finds the row of a verb in upper case; the frequent ones come first.
func lookup(name string) verb {
	switch name {
	case "RCPT":
		return vRcpt
	case "MAIL":
		return vMail
	case "DATA":
		return vData
	case "BDAT":
		return vBdat
	case "EHLO":
		return vEhlo
	case "HELO":
		return vHelo
	case "RSET":
		return vRset
	case "QUIT":
		return vQuit
	case "NOOP":
		return vNoop
	case "STARTTLS":
		return vStartTLS
	case "AUTH":
		return vAuth
	case "VRFY":
		return vVrfy
	case "EXPN":
		return vExpn
	case "HELP":
		return vHelp
	case "LHLO", "ETRN", "SEND", "SOML", "SAML", "TURN":
		return vObsolete
	case "GET", "POST", "PUT", "HEAD", "CONNECT", "OPTIONS", "DELETE", "TRACE", "PATCH":
		return vHTTP
	}
	return vUnknown
}

func (s *session) doUnknown(string)    { s.say(replyUnknown) }
func (s *session) doNotOffered(string) { s.say(replyNotOffered) }
func (s *session) doHelp(string)       { s.say(replyHelp) }
func (s *session) doNoop(string)       { s.say(replyReset) }

// doHTTP ends the session: somebody's browser was made to talk to us, and the
// lines that follow are what a stranger wants us to read.
func (s *session) doHTTP(string) { s.refuse(replyNotSMTP, "protocol") }

func (s *session) doQuit(string) { s.refuse(replyBye, "quit") }

func (s *session) doVrfy(arg string) {
	if arg == "" {
		s.say(replyArgument)
		return
	}
	s.say(replyVerify)
}

func (s *session) doRset(string) {
	s.leaveTransaction()
	s.say(replyReset)
}

func (s *session) doEhlo(arg string) { s.hello(arg, true) }
func (s *session) doHelo(arg string) { s.hello(arg, false) }

func (s *session) hello(name string, extended bool) {
	if !validHelo(name) {
		s.say(replyBadHelo)
		return
	}
	s.leaveTransaction()
	s.state = stConnected
	if r, no := s.helo(name, extended); no {
		s.say(r)
		return
	}
	s.state, s.extended = stReady, extended
	switch {
	case !extended:
		s.say(sdk.Reply{Code: 250, Text: s.srv.o.Hostname})
	case s.offersTLS():
		s.say(s.srv.ehlo[1])
	default:
		s.say(s.srv.ehlo[0])
	}
}

// validHelo takes every single word of printable ASCII: whether it is a name
// that somebody has is a question of policy (RFC 5321 §4.1.4).
func validHelo(name string) bool {
	for i := 0; i < len(name); i++ {
		if name[i] <= ' ' || name[i] >= 0x7f {
			return false
		}
	}
	return name != "" && len(name) <= 255
}

// allowed are the extensions whose parameters the client may use: none after
// HELO (RFC 5321 §4.1.1.1).
func (s *session) allowed() smtp.Extensions {
	if s.extended {
		return offered
	}
	return 0
}

func (s *session) doMail(arg string) {
	a, o, size, err := smtp.ParseMail(arg, s.allowed())
	if err != nil {
		r := replyOf(err)
		s.rejected("MAIL", "", r, "", "")
		s.say(r)
		return
	}
	r, no := s.mail(a, &o, size, s.extended)
	if !no {
		s.busy.Store(true)
		s.state = stMail
	}
	s.say(r)
}

func (s *session) doRcpt(arg string) {
	a, o, err := smtp.ParseRcpt(arg, s.allowed(), s.env.SMTPUTF8)
	if err != nil {
		r := replyOf(err)
		s.rejected("RCPT", "", r, "", "")
		s.say(r)
		return
	}
	r, no := s.rcpt(a, &o)
	if !no {
		s.state = stRcpt
	}
	s.say(r)
	s.pardoned = r == replyTooMany // it has a limit of its own; those before it shall be sent
}
