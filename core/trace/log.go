package trace

import (
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// The text lines are in the forms that Postfix users' tools read: what stands
// between "=<" and ">" never holds a bracket, and no value ends its line.

// textLine begins a line of text, with a queue ID if there is one.
func (t *Tracer) textLine(b []byte, component, id string) []byte {
	b = append(appendTime(b, t.now()), ' ')
	if t.o.Hostname == "" {
		b = append(b, "localhost"...)
	}
	b = append(appendSafe(b, t.o.Hostname, inName), " mta/"...)
	b = append(appendSafe(b, component, inName), '[')
	b = append(append(b, t.pid...), "]: "...)
	if id != "" {
		b = append(appendSafe(b, id, inName), ": "...)
	}
	return b
}

// jsonLine begins a line of JSON with the same facts.
func (t *Tracer) jsonLine(b []byte, component, id, session, kind string) []byte {
	return t.jsonHead(b, slog.LevelInfo, component, id, session, kind)
}

func (t *Tracer) jsonHead(b []byte, level slog.Level, component, id, session, kind string) []byte {
	b = append(b, '{')
	at := len(b)
	b = uncomma(str(str(b, "id", id), "session", session), at)
	if len(b) > at {
		b = append(b, ',')
	}
	b = began(b, kind, t.now())
	b = str(b, "level", levelName(level))
	b = str(b, "component", component)
	b = str(b, "host", t.o.Hostname)
	return append(append(b, `,"pid":`...), t.pid...)
}

func levelName(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "error"
	case l >= slog.LevelWarn:
		return "warning"
	case l >= slog.LevelInfo:
		return "info"
	}
	return "debug"
}

// appendClient appends who the client is, in JSON.
func appendClient(b []byte, s *sdk.Session) []byte {
	b = str(b, "client", s.RemoteName)
	b = str(b, "client_ip", s.RemoteIP)
	b = str(b, "helo", s.Helo)
	b = str(b, "protocol", s.Protocol)
	b = str(b, "login", s.Login)
	return str(b, "profile", s.Profile)
}

// verbs are in the order in which a disconnect line shows them.
var verbs = [...]string{"helo", "ehlo", "lhlo", "starttls", "auth", "mail", "rcpt", "data", "bdat", "rset", "noop", "vrfy", "quit", "xclient", "unknown"}

func appendCounts(b []byte, counts map[string][2]int) []byte {
	var sum [2]int
	shown := 0
	show := func(name string, c [2]int) {
		b = append(append(append(b, ' '), name...), '=')
		b = strconv.AppendInt(b, int64(c[0]), 10)
		if c[0] != c[1] {
			b = strconv.AppendInt(append(b, '/'), int64(c[1]), 10)
		}
	}
	for _, v := range verbs {
		c, ok := counts[v]
		if !ok {
			c, ok = counts[strings.ToUpper(v)]
		}
		if ok {
			show(v, c)
			sum[0], sum[1] = sum[0]+c[0], sum[1]+c[1]
			shown++
		}
	}
	if shown < len(counts) { // verbs that this list does not know
		var rest [2]int
		for v, c := range counts {
			if !known(v) {
				rest[0], rest[1] = rest[0]+c[0], rest[1]+c[1]
			}
		}
		show("other", rest)
		sum[0], sum[1] = sum[0]+rest[0], sum[1]+rest[1]
	}
	show("commands", sum)
	return b
}

func known(verb string) bool {
	for _, v := range verbs {
		if strings.EqualFold(v, verb) {
			return true
		}
	}
	return false
}

func (t *Tracer) rejectLine(b []byte, s *sdk.Session, verb, from, rcpt string, r sdk.Reply) []byte {
	if verb == "AUTH" {
		b = peer(append(t.textLine(b, "smtpd", ""), "warning: "...), s.RemoteName, s.RemoteIP)
		b = appendSafe(append(b, ": SASL "...), from, inName)
		b = appendLine(append(b, " authentication failed: "...), r.Text)
		if rcpt != "" {
			b = appendSafe(append(b, ", sasl_username="...), rcpt, inName)
		}
		return b
	}
	b = appendSafe(append(t.textLine(b, "smtpd", ""), "NOQUEUE: reject: "...), verb, inName)
	b = peer(append(b, " from "...), s.RemoteName, s.RemoteIP)
	b = strconv.AppendInt(append(b, ": "...), int64(r.Code), 10)
	if r.Enhanced != "" {
		b = appendSafe(append(b, ' '), r.Enhanced, inName)
	}
	b = append(b, " <"...)
	switch verb {
	case "CONNECT":
		b = peer(b, s.RemoteName, s.RemoteIP)
	case "HELO", "EHLO", "LHLO":
		b = appendSafe(b, s.Helo, inAngle)
	case "MAIL":
		b = appendSafe(b, from, inAngle)
	case "RCPT":
		b = appendSafe(b, rcpt, inAngle)
	default:
		b = appendSafe(b, verb, inAngle)
	}
	b = append(appendLine(append(b, ">: "...), r.Text), ';')
	switch verb {
	case "CONNECT", "HELO", "EHLO", "LHLO":
	default:
		b = angle(append(b, ' '), "from", from)
		if rcpt != "" {
			b = angle(append(b, ' '), "to", rcpt)
		}
	}
	proto := s.Protocol
	if proto == "" {
		proto = "SMTP"
	}
	b = appendSafe(append(b, " proto="...), proto, inName)
	if s.Helo != "" {
		b = angle(append(b, ' '), "helo", s.Helo)
	}
	// Postfix has no such field: mta explain takes it.
	if s.ID != "" {
		b = appendSafe(append(b, " session="...), s.ID, inName)
	}
	return b
}

func appendRejected(b []byte, s *sdk.Session, verb, from, rcpt string, r sdk.Reply, plugin, reason string) []byte {
	b = str(b, "verb", verb)
	b = str(str(b, "from", from), "recipient", rcpt)
	b = str(reply(b, r), "plugin", plugin)
	return appendClient(str(b, "reason", reason), s)
}

func appendAccepted(b []byte, s *sdk.Session, env *sdk.Envelope, messageID string, wait time.Duration, rcpts bool) []byte {
	b = str(b, "from", env.From)
	if rcpts {
		b = append(b, `,"recipients":[`...)
		for i := range env.Recipients {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, env.Recipients[i].Addr)
		}
		b = append(b, ']')
	} else {
		b = num(b, "nrcpt", int64(len(env.Recipients)))
	}
	b = str(num(b, "size", env.Size), "message_id", messageID)
	if s != nil {
		b = appendClient(b, s)
	}
	return micros(b, "wait_us", wait)
}

// arrivalLines tell who sends a message, while it is not ours yet.
func (t *Tracer) arrivalLines(b []byte, s *sdk.Session, env *sdk.Envelope, messageID string) ([]byte, int) {
	b = peer(append(t.textLine(b, "smtpd", env.ID), "client="...), s.RemoteName, s.RemoteIP)
	if s.Login != "" {
		b = appendSafe(append(b, ", sasl_username="...), s.Login, inName)
	}
	b = append(b, '\n')
	if messageID == "" {
		return b, 1
	}
	return t.messageIDLine(b, env, messageID), 2
}

func (t *Tracer) messageIDLine(b []byte, env *sdk.Envelope, messageID string) []byte {
	b = angle(t.textLine(b, "cleanup", env.ID), "message-id", strings.TrimSuffix(strings.TrimPrefix(messageID, "<"), ">"))
	return append(b, '\n')
}

func (t *Tracer) activeLine(b []byte, env *sdk.Envelope) []byte {
	b = angle(t.textLine(b, "qmgr", env.ID), "from", env.From)
	b = strconv.AppendInt(append(b, ", size="...), env.Size, 10)
	b = strconv.AppendInt(append(b, ", nrcpt="...), int64(len(env.Recipients)), 10)
	return append(b, " (queue active)\n"...)
}

func (t *Tracer) attemptLines(b []byte, env *sdk.Envelope, a *Attempt) ([]byte, int) {
	n := min(len(a.Outcomes), len(a.Recipients))
	at := 0
	for i := range n {
		if t.json {
			b = t.jsonLine(b, a.Route.Via, env.ID, "", KindAttempt)
			b = append(attemptFields(b, a, i, i+1, false), "}\n"...)
			continue
		}
		orig := ""
		// Recipients are in the order of the envelope as a rule: go on from
		// where the last one was found.
		for range env.Recipients {
			r := &env.Recipients[at%len(env.Recipients)]
			at++
			if r.Addr == a.Recipients[i] {
				orig = r.Orig
				break
			}
		}
		b = append(t.attemptLine(b, env, a, i, orig), '\n')
	}
	return b, n
}

func (t *Tracer) attemptLine(b []byte, env *sdk.Envelope, a *Attempt, i int, orig string) []byte {
	o := &a.Outcomes[i]
	b = angle(t.textLine(b, a.Route.Via, env.ID), "to", a.Recipients[i])
	if orig != "" && orig != a.Recipients[i] {
		b = angle(append(b, ", "...), "orig_to", orig)
	}
	b = append(b, ", relay="...)
	switch {
	case o.Remote != "":
		b = appendRelay(b, o.Remote)
	case o.Status == sdk.StatusDelivered:
		b = appendSafe(b, a.Route.Via, inName)
	default:
		b = append(b, "none"...)
	}
	// delays=a/b/c/d: before this attempt, waiting in it, connection set-up,
	// transmission.
	before := max(a.At.Sub(env.Arrived), 0)
	if env.Arrived.IsZero() {
		before = 0
	}
	within := max(a.Elapsed-o.Setup-o.Transfer, 0)
	b = appendSeconds(append(b, ", delay="...), before+max(a.Elapsed, o.Setup+o.Transfer))
	b = append(b, ", delays="...)
	for k, d := range [...]time.Duration{before, within, o.Setup, o.Transfer} {
		if k > 0 {
			b = append(b, '/')
		}
		b = appendSeconds(b, d)
	}
	status, dsn := "deferred", "4.0.0"
	switch o.Status {
	case sdk.StatusDelivered:
		status, dsn = "sent", "2.0.0"
	case sdk.StatusFailed:
		status, dsn = "bounced", "5.0.0"
	}
	if o.Reply.Enhanced != "" {
		dsn = o.Reply.Enhanced
	}
	b = appendSafe(append(b, ", dsn="...), dsn, inName)
	b = append(append(append(b, ", status="...), status...), " ("...)
	if o.RemoteReply && o.Status != sdk.StatusDelivered {
		b = append(appendRelay(append(b, "host "...), o.Remote), " said: "...)
	}
	return append(replyText(b, o.Reply), ')')
}

// appendRelay appends "host[ip]:port": the form that plugins and peers give
// must not break the line.
func appendRelay(b []byte, remote string) []byte {
	host, rest, ok := strings.Cut(remote, "[")
	b = appendSafe(b, host, inName)
	if !ok {
		return b
	}
	ip, port, _ := strings.Cut(rest, "]")
	b = append(appendSafe(append(b, '['), ip, inName), ']')
	return appendSafe(b, port, inName)
}

// appendSeconds is a duration with two significant digits below ten seconds,
// and whole seconds above a hundred.
func appendSeconds(b []byte, d time.Duration) []byte {
	s := d.Seconds()
	places := 0
	switch {
	case s <= 0 || s >= 100:
		s = math.Round(s)
	case s >= 10:
		places = 1
	default:
		places = 2
		if s < 0.005 {
			places = 4
		}
	}
	b = strconv.AppendFloat(b, s, 'f', places, 64)
	if places > 0 {
		for b[len(b)-1] == '0' {
			b = b[:len(b)-1]
		}
		if b[len(b)-1] == '.' {
			b = b[:len(b)-1]
		}
	}
	return b
}

// words appends what was said with a decision, if anything was.
func words(b []byte, r sdk.Reply) []byte {
	if r == (sdk.Reply{}) {
		return b
	}
	return replyText(append(b, "; "...), r)
}

func (t *Tracer) settledLine(b []byte, id, rcpt, state string, r sdk.Reply, by string) []byte {
	switch state {
	case "discarded":
		b = angle(append(t.textLine(b, "cleanup", id), "discard: END-OF-MESSAGE "...), "to", rcpt)
		b = words(b, r)
	case "held":
		b = angle(append(t.textLine(b, "cleanup", id), "hold: END-OF-MESSAGE "...), "to", rcpt)
		b = words(b, r)
	case "failed":
		b = angle(t.textLine(b, "qmgr", id), "to", rcpt)
		b = append(b, ", relay=none, delay=0, delays=0/0/0/0, dsn="...)
		dsn := r.Enhanced
		if dsn == "" {
			dsn = "5.0.0"
		}
		b = append(appendSafe(b, dsn, inName), ", status=bounced ("...)
		b = append(replyText(b, r), ')')
	case "expired":
		b = angle(t.textLine(b, "qmgr", id), "to", rcpt)
		b = append(replyText(append(b, ", status=expired, returned to sender ("...), r), ')')
	default:
		b = angle(t.textLine(b, "qmgr", id), "to", rcpt)
		b = appendSafe(append(b, ", status="...), state, inName)
		b = append(replyText(append(b, " ("...), r), ')')
	}
	if by != "" {
		b = appendLine(append(b, ", by "...), by)
	}
	return b
}

func (t *Tracer) textMessage(b []byte, level slog.Level, component, msg string, args []any) []byte {
	id, rest := takeID(args)
	b = t.textLine(b, component, id)
	if level != slog.LevelInfo {
		b = append(append(b, levelName(level)...), ": "...)
	}
	b = appendLine(b, msg)
	for _, a := range rest {
		b = appendSafe(append(b, ' '), a.Key, inName)
		v := a.Value.Resolve().String()
		if v == "" || strings.ContainsAny(v, " \"=\n") {
			b = appendSafe(append(b, '='), strconv.Quote(v), inText)
		} else {
			b = appendSafe(append(b, '='), v, inText)
		}
	}
	return append(b, '\n')
}

func (t *Tracer) jsonMessage(b []byte, level slog.Level, component, msg string, args []any) []byte {
	id, rest := takeID(args)
	b = str(t.jsonHead(b, level, component, id, "", "log"), "msg", msg)
	if len(rest) > 0 {
		b = append(b, `,"attrs":{`...)
		for i, a := range rest {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendJSON(b, a.Key), ':')
			b = appendJSON(b, a.Value.Resolve().String())
		}
		b = append(b, '}')
	}
	return append(b, "}\n"...)
}

// takeID makes attributes of key/value pairs, and takes the queue ID out.
func takeID(args []any) (id string, attrs []slog.Attr) {
	r := slog.NewRecord(time.Time{}, 0, "", 0)
	r.Add(args...)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "id" && id == "" {
			id = a.Value.Resolve().String()
		} else {
			attrs = append(attrs, a)
		}
		return true
	})
	return id, attrs
}

// writeLog is where waiting lines go out in one piece.
func (t *Tracer) writeLog(b []byte, lost uint64) {
	if len(b) > 0 {
		if _, err := t.o.Log.Write(b); err != nil {
			// Whoever reads the log is gone, and there is nobody else to tell.
			t.log.addLost(1)
		}
	}
	if lost == 0 {
		return
	}
	msg := fmt.Sprintf("%d lines lost: the log is read too slowly", lost)
	var line []byte
	if t.json {
		line = t.jsonMessage(nil, slog.LevelWarn, "log", msg, nil)
	} else {
		line = t.textMessage(nil, slog.LevelWarn, "log", msg, nil)
	}
	_, _ = t.o.Log.Write(line)
}
