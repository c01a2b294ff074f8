package trace

import (
	"fmt"
	"strings"
	"time"
)

// The kinds of record.
const (
	KindHook         = "hook"
	KindAccepted     = "accepted"
	KindRejected     = "rejected"
	KindAttempt      = "attempt"
	KindSettled      = "settled"
	KindBounced      = "bounced"
	KindRemoved      = "removed"
	KindNote         = "note"
	KindConnected    = "connected"    // in logs only
	KindDisconnected = "disconnected" // in logs only
)

// Record is one thing that happened, as readers see it. Its JSON names are
// those of the trace files, of --json and of the json log format.
type Record struct {
	ID      string    `json:"id,omitempty"`
	Session string    `json:"session,omitempty"`
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`

	Hook      string `json:"hook,omitempty"`
	Plugin    string `json:"plugin,omitempty"`
	Recipient string `json:"recipient,omitempty"`
	Action    string `json:"action,omitempty"`
	Reply     Reply  `json:"reply,omitzero"`
	Reason    string `json:"reason,omitempty"`
	Detail    string `json:"detail,omitempty"`
	Edits     []Edit `json:"edits,omitempty"`
	CostUS    int64  `json:"cost_us,omitempty"`
	Error     string `json:"error,omitempty"`
	Shadow    bool   `json:"shadow,omitempty"`
	Version   string `json:"version,omitempty"` // of the plugin, and its digest
	Reads     string `json:"reads,omitempty"`   // the fields of the event that it was sent; empty: all
	Fuel      int64  `json:"fuel,omitempty"`

	From       string   `json:"from,omitempty"`
	Recipients []string `json:"recipients,omitempty"`
	Size       int64    `json:"size,omitempty"`
	MessageID  string   `json:"message_id,omitempty"`
	Client     string   `json:"client,omitempty"`
	ClientIP   string   `json:"client_ip,omitempty"`
	Helo       string   `json:"helo,omitempty"`
	Protocol   string   `json:"protocol,omitempty"`
	Login      string   `json:"login,omitempty"`
	Profile    string   `json:"profile,omitempty"`
	WaitUS     int64    `json:"wait_us,omitempty"`
	Verb       string   `json:"verb,omitempty"`

	Attempt         int      `json:"attempt,omitempty"`
	Route           Route    `json:"route,omitzero"`
	Results         []Result `json:"results,omitempty"`
	Conversation    string   `json:"conversation,omitempty"`
	ConversationCut bool     `json:"conversation_cut,omitempty"`

	State string `json:"state,omitempty"`
	By    string `json:"by,omitempty"`
	DSN   string `json:"dsn,omitempty"`
	DSNID string `json:"dsn_id,omitempty"`
	To    string `json:"to,omitempty"`
	Note  string `json:"text,omitempty"`
}

// Reply is what was said.
type Reply struct {
	Code     int    `json:"code,omitempty"`
	Enhanced string `json:"enhanced,omitempty"`
	Text     string `json:"text,omitempty"`
}

// Edit is one operation that a plugin asked for.
type Edit struct {
	Op     string `json:"op"`
	Name   string `json:"name,omitempty"`
	Value  string `json:"value,omitempty"`
	Index  int    `json:"index,omitempty"`
	Octets int    `json:"octets,omitempty"`
}

// Route is how the recipients of an attempt were reached.
type Route struct {
	Via    string   `json:"via,omitempty"`
	Hosts  []string `json:"hosts,omitempty"`
	TLS    string   `json:"tls,omitempty"`
	Source string   `json:"source,omitempty"`
	Pool   string   `json:"pool,omitempty"`
	User   string   `json:"user,omitempty"`
	Rule   string   `json:"rule,omitempty"`
}

// Result is how one recipient of an attempt came out.
type Result struct {
	Recipient      string    `json:"recipient"`
	Status         string    `json:"status"`
	Reply          Reply     `json:"reply,omitzero"`
	Remote         string    `json:"remote,omitempty"`
	RemoteReply    bool      `json:"remote_reply,omitempty"`
	TLS            string    `json:"tls,omitempty"`
	Next           time.Time `json:"next,omitzero"`
	MaybeDuplicate bool      `json:"maybe_duplicate,omitempty"`
	Unreachable    bool      `json:"unreachable,omitempty"`
	SetupUS        int64     `json:"setup_us,omitempty"`
	TransferUS     int64     `json:"transfer_us,omitempty"`
}

// order is where a record stands among others: an attempt behind the hooks that
// were asked during it.
func (r *Record) order() time.Time {
	if r.Kind == KindAttempt {
		return r.At.Add(time.Duration(r.CostUS) * time.Microsecond)
	}
	return r.At
}

// String is the reply on one line.
func (r Reply) String() string {
	var words []string
	if r.Code != 0 {
		words = append(words, fmt.Sprintf("%03d", r.Code))
	}
	if r.Enhanced != "" {
		words = append(words, r.Enhanced)
	}
	if r.Text != "" {
		words = append(words, r.Text)
	}
	return strings.Join(words, " ")
}

const clock = "2006-01-02 15:04:05.000"

// Text is the record for people: a line, and indented ones below it. It
// holds no control characters, whatever peers and plugins said.
func (r Record) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  ", r.At.Format(clock))
	switch r.Kind {
	case KindHook:
		r.explainHook(&b)
	case KindAccepted:
		fmt.Fprintf(&b, "accepted  from <%s> to %s, %d octets", clean(r.From), recipients(len(r.Recipients)), r.Size)
		also(&b, ", message-id ", r.MessageID)
		if r.ClientIP != "" {
			name := r.Client
			if name == "" {
				name = "unknown"
			}
			fmt.Fprintf(&b, ", client %s[%s], helo %s", clean(name), clean(r.ClientIP), clean(r.Helo))
		}
		also(&b, ", login ", r.Login)
		fmt.Fprintf(&b, ", 250 after %s", cost(r.WaitUS))
	case KindRejected:
		fmt.Fprintf(&b, "rejected  %s", clean(r.Verb))
		also(&b, " from <", r.From, ">")
		also(&b, " to <", r.Recipient, ">")
		also(&b, ": ", r.Reply.String())
		also(&b, ", by ", r.Plugin)
		also(&b, ", because ", r.Reason)
	case KindAttempt:
		r.explainAttempt(&b)
	case KindSettled:
		fmt.Fprintf(&b, "%-9s %s", clean(r.State), clean(r.Recipient))
		also(&b, ": ", r.Reply.String())
		also(&b, ", by ", r.By)
	case KindBounced:
		fmt.Fprintf(&b, "notified  %s notification %s to <%s>", clean(r.DSN), clean(r.DSNID), clean(r.To))
	case KindRemoved:
		b.WriteString("removed   every recipient has ended")
	case KindNote:
		b.WriteString("note      " + clean(r.Note))
	default:
		b.WriteString(clean(r.Kind))
	}
	return b.String()
}

func (r Record) explainHook(b *strings.Builder) {
	fmt.Fprintf(b, "%-9s %-20s %-10s %9s", clean(r.Hook), clean(r.Plugin), clean(r.Action), cost(r.CostUS))
	also(b, "  ", r.Recipient)
	also(b, "  ", r.Reply.String())
	also(b, "  ", r.Detail)
	also(b, "  because ", r.Reason)
	also(b, "  broken: ", r.Error)
	if r.Fuel > 0 {
		fmt.Fprintf(b, "  fuel %d", r.Fuel)
	}
	also(b, "  version ", r.Version)
	also(b, "  reads ", r.Reads)
	if r.Shadow {
		b.WriteString("  (shadow: not applied)")
	}
	for _, e := range r.Edits {
		fmt.Fprintf(b, "\n    edit %s", clean(e.Op))
		also(b, " ", e.Name)
		also(b, ": ", e.Value)
		if e.Octets > 0 {
			fmt.Fprintf(b, " (%d octets)", e.Octets)
		}
	}
}

func (r Record) explainAttempt(b *strings.Builder) {
	fmt.Fprintf(b, "attempt %d via %s", r.Attempt, clean(r.Route.Via))
	also(b, " to ", strings.Join(r.Route.Hosts, ", "))
	also(b, ", tls ", r.Route.TLS)
	also(b, ", source ", r.Route.Source)
	also(b, ", pool ", r.Route.Pool)
	also(b, ", by ", r.Route.Rule)
	fmt.Fprintf(b, ", %s", cost(r.CostUS))
	for _, o := range r.Results {
		fmt.Fprintf(b, "\n    %s %s", clean(o.Recipient), clean(o.Status))
		also(b, ": ", o.Reply.String())
		if o.RemoteReply {
			also(b, ", said by ", o.Remote)
		} else {
			also(b, ", of ours about ", o.Remote)
		}
		also(b, ", ", o.TLS)
		if o.MaybeDuplicate {
			b.WriteString(", the connection was lost before the reply: it may arrive twice")
		}
		if !o.Next.IsZero() {
			fmt.Fprintf(b, ", next attempt %s", o.Next.Format(clock))
		}
	}
	for line := range strings.Lines(r.Conversation) {
		b.WriteString("\n      | " + clean(strings.TrimRight(line, "\r\n")))
	}
	if r.ConversationCut {
		b.WriteString("\n      | (cut)")
	}
}

// Timeline explains a message whole: what happened, in order, and for each
// recipient that still waits, why and until when.
func Timeline(rs []Record) string {
	var b strings.Builder
	for _, r := range rs {
		b.WriteString(r.Text())
		b.WriteByte('\n')
	}
	var order []string
	waits := map[string]string{}
	note := func(rcpt, why string) {
		if _, known := waits[rcpt]; !known {
			order = append(order, rcpt)
		}
		waits[rcpt] = why
	}
	for _, r := range rs {
		switch r.Kind {
		case KindRemoved:
			clear(waits)
		case KindSettled:
			why := ""
			if r.State == "held" {
				why = "waits until an operator releases it: held by " + r.By + " " + r.Reply.String()
			}
			note(r.Recipient, why)
		case KindAttempt:
			for _, o := range r.Results {
				why := ""
				if o.Status == "deferred" {
					why = "waits because of: " + o.Reply.String()
					if !o.Next.IsZero() {
						why += "; it goes on at " + o.Next.Format(clock)
					}
				}
				note(o.Recipient, why)
			}
		}
	}
	for _, rcpt := range order {
		if why := waits[rcpt]; why != "" {
			b.WriteString(clean(rcpt + " " + why))
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// also writes a value with what stands before and behind it, unless it is empty.
func also(b *strings.Builder, before, value string, behind ...string) {
	if value == "" {
		return
	}
	b.WriteString(before)
	b.WriteString(clean(value))
	for _, s := range behind {
		b.WriteString(s)
	}
}

func recipients(n int) string {
	if n == 1 {
		return "1 recipient"
	}
	return fmt.Sprintf("%d recipients", n)
}

// cost is a number of microseconds in the unit that people read best.
func cost(us int64) string {
	switch {
	case us >= 1_000_000:
		return fmt.Sprintf("%.2f s", float64(us)/1e6)
	case us >= 1000:
		return fmt.Sprintf("%.1f ms", float64(us)/1e3)
	}
	return fmt.Sprintf("%d µs", us)
}

// clean makes one harmless line of what peers and plugins said.
func clean(s string) string { return string(appendLine(nil, s)) }
