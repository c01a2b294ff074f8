package hook

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/programmable-mta/mta/core/answer"
	"github.com/programmable-mta/mta/sdk"
)

// granted refuses edits that the configuration does not allow.
func (o *owner) granted(edits []sdk.Edit) error {
	for i := range edits {
		op := edits[i].Op
		if int(op) >= len(o.denied) || !o.denied[op] {
			continue
		}
		key := `headers = "write"`
		switch op {
		case sdk.OpReplaceBody:
			key = `body = "write"`
		case sdk.OpSetSender, sdk.OpAddRecipient, sdk.OpRemoveRecipient, sdk.OpReplaceRecipient:
			key = "envelope = true"
		}
		return fmt.Errorf("hook: %s needs allow.%s in the configuration of the plugin", op, key)
	}
	return nil
}

// said is an answer in one line, without what differs from message to message.
func said(action string, r sdk.Reply, edits int) string {
	if r.Code != 0 || r.Enhanced != "" || r.Text != "" {
		action += " " + r.String()
	}
	if edits > 0 {
		action += " with " + strconv.Itoa(edits) + " edits"
	}
	return action
}

func shadowed(o *owner, hook, said string, err error) Comparison {
	c := Comparison{Plugin: o.name, Hook: hook, Shadow: said}
	if err != nil {
		c.Err = answer.Why(err)
	}
	return c
}

// compared tells what the shadows would have said beside what was decided. A
// shadow that goes on where somebody else said yes agrees with what was done.
func (c *Chains) compared(shadows []Comparison, active, id, about string) {
	for _, s := range shadows {
		s.Active, s.ID, s.About, s.At = active, id, about, c.now()
		if s.Shadow == "continue" && s.Err == "" && (active == "accept" || strings.HasPrefix(active, "use ")) {
			s.Active = s.Shadow
		}
		c.compare(s)
	}
}

// id is what the turn is filed under.
func (t *turn) id() string {
	switch {
	case t.env != nil:
		return t.env.ID
	case t.session != nil:
		return t.session.ID
	}
	return ""
}

// about is what the turn asks about, for people.
func (t *turn) about() string {
	switch {
	case t.rcpt != "":
		return t.rcpt
	case t.env != nil:
		return "<" + t.env.From + ">"
	case t.session != nil && t.session.Helo != "":
		return t.session.Helo
	case t.session != nil:
		return t.session.RemoteIP
	}
	return ""
}
