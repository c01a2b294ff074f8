package plugintest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// lines is an answer as a story shows it.
type lines []string

func (l *lines) add(words ...string) {
	var kept []string
	for _, w := range words {
		if w != "" {
			kept = append(kept, w)
		}
	}
	*l = append(*l, strings.ReplaceAll(strings.Join(kept, " "), "\n", `\n`))
}

// opt adds a line for a value unless the value is empty.
func (l *lines) opt(name, value string) {
	if value != "" {
		l.add(name+":", value)
	}
}

func renderAnswer(a sdk.Answer) (l lines) {
	l.add(a.Action.String(), a.Reply.String())
	l.opt("reason", a.Reason)
	l.opt("identity", a.Identity)
	for i, v := range a.Recipients {
		l.add("recipient", strconv.Itoa(i+1)+":", v.Action.String(), v.Reply.String())
		l.opt("reason", v.Reason)
	}
	l.edits(a.Edits)
	return l
}

func (l *lines) edits(edits []sdk.Edit) {
	for _, e := range edits {
		op := e.Op.String()
		switch e.Op {
		case sdk.OpNote:
			l.add("edit:", op, e.Name+"="+e.Value)
		case sdk.OpSetSender, sdk.OpAddRecipient:
			l.add("edit:", op, angle(e.Value))
		case sdk.OpRemoveRecipient:
			l.add("edit:", op, angle(e.Name))
		case sdk.OpReplaceRecipient:
			l.add("edit:", op, angle(e.Name), "->", angle(e.Value))
		case sdk.OpPrependHeader, sdk.OpAppendHeader:
			l.add("edit:", op, e.Name+":", e.Value)
		case sdk.OpReplaceHeader:
			l.add("edit:", fmt.Sprintf("%s[%d]", op, e.Index), e.Name+":", e.Value)
		case sdk.OpRemoveHeader:
			l.add("edit:", fmt.Sprintf("%s[%d]", op, e.Index), e.Name)
		case sdk.OpReplaceBody:
			l.add("edit:", op, strconv.Quote(string(e.Data)))
		default:
			l.add("edit:", op)
		}
	}
}

// angle shows the null reverse-path, which would be nothing otherwise.
func angle(addr string) string {
	if addr == "" {
		return "<>"
	}
	return addr
}

func renderRoute(a sdk.RouteAnswer) (l lines) {
	if a.Action == sdk.RouteUse {
		r := a.Route
		l.add("use", r.Via, strings.Join(r.Hosts, " "))
		if r.MX {
			l.add("mx: yes")
		}
		l.opt("tls", r.TLS)
		l.opt("source", r.Source)
		l.opt("pool", r.Pool)
		l.opt("user", r.User)
		l.opt("password-file", r.PasswordFile)
		l.opt("key", r.Key)
		l.opt("rule", r.Rule)
	} else {
		l.add(a.Action.String(), a.Reply.String())
	}
	if !a.NotBefore.IsZero() {
		l.add("not-before:", a.NotBefore.UTC().Format(time.RFC3339))
	}
	l.opt("reason", a.Reason)
	return l
}

func renderDeliver(a sdk.DeliverAnswer) (l lines) {
	for _, o := range a.Outcomes {
		l.add(o.Status.String(), o.Reply.String())
		l.opt("remote", o.Remote)
		l.opt("tls-in-use", o.TLS)
		var flags []string
		for _, f := range []struct {
			set  bool
			name string
		}{{o.DSNRelayed, "dsn-relayed"}, {o.MaybeDuplicate, "maybe-duplicate"}, {o.Unreachable, "unreachable"}, {o.Hold, "hold"}} {
			if f.set {
				flags = append(flags, f.name)
			}
		}
		l.opt("flags", strings.Join(flags, " "))
	}
	return l
}

func renderOutcome(a sdk.OutcomeAnswer) (l lines) {
	switch {
	case a.Hold:
		l.add("hold")
	case a.Status == sdk.StatusNone:
		l.add("keep")
	default:
		l.add(a.Status.String())
	}
	if a.Delay != 0 {
		l.add("delay:", a.Delay.String())
	}
	l.opt("reply", a.Reply.String())
	l.opt("reason", a.Reason)
	return l
}

func renderBounce(a sdk.BounceAnswer) (l lines) {
	var words []string
	for _, w := range []struct {
		set  bool
		name string
	}{{a.Suppress, "suppress"}, {a.Defer, "defer"}, {a.Hold, "hold"}} {
		if w.set {
			words = append(words, w.name)
		}
	}
	if words == nil {
		words = []string{"send"}
	}
	l.add(words...)
	l.opt("reason", a.Reason)
	l.edits(a.Edits)
	return l
}

func renderNone(sdk.None) lines { return lines{"done"} }

func renderSent(s Sent) (l lines) {
	proto := "smtp"
	if s.Options.LMTP {
		proto = "lmtp"
	}
	words := []string{"send:", proto}
	for _, r := range s.Event.Recipients {
		words = append(words, r.Addr)
	}
	l.add(words...)
	return l
}
