package smtpin

import (
	"errors"
	"fmt"
	"slices"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

// stage is the hook whose edits are being applied.
type stage uint8

const (
	inMail stage = iota
	inRcpt
	inData
)

// fanOut is how many times the limit of recipients a message can have when
// plugins have added theirs.
const fanOut = 10

var errFanOut = errors.New("smtpin: edits make too many recipients")

func (v *visit) applier() hook.Apply {
	if v.apply == nil {
		v.apply = v.applyEdits
	}
	return v.apply
}

// applyEdits carries out the edits of one answer, all or none: everything is
// worked out beside the transaction first. The event shows the transaction
// itself, so the next plugin sees what has changed.
func (v *visit) applyEdits(plugin string, edits []sdk.Edit) error {
	w := work{utf8: v.env.SMTPUTF8, from: v.env.From, by: plugin}
	switch v.stage {
	case inRcpt:
		w.rcpts = slices.Clone(v.pending)
	case inData:
		w.rcpts = slices.Clone(v.env.Recipients)
	}
	for i := range edits {
		if err := w.edit(edits, i); err != nil {
			return err
		}
	}
	if limit := v.srv.o.Limits.Recipients; limit >= 0 && len(w.rcpts) > fanOut*limit {
		return errFanOut
	}
	if len(w.content) > 0 {
		if err := v.rewrite(w.content); err != nil {
			return err
		}
	}
	v.env.From = w.from
	switch v.stage {
	case inRcpt:
		v.pending = w.rcpts
		if len(w.rcpts) > 0 {
			v.rcptEvent.Recipient = w.rcpts[0]
		}
	case inData:
		v.env.Recipients = w.rcpts
		v.dropped = append(v.dropped, w.removed...)
		v.dataEvent.Message = v.draft.Message()
		v.env.Size = v.draft.Size()
	}
	return nil
}

// rewrite replaces the draft by one with other fields or another body. Our own
// Received stays on top.
func (v *visit) rewrite(edits []sdk.Edit) error {
	src, err := v.draft.Open()
	if err != nil {
		return fmt.Errorf("smtpin: reading the message for edits: %w", err)
	}
	defer src.Close()
	d := v.srv.o.Queue.Draft(v.env.ID)
	if err := hook.EditMessage(d, src, edits, 1); err != nil {
		d.Discard()
		return err
	}
	old := v.draft
	v.draft = d
	old.Discard()
	return nil
}

// work is a transaction as the edits of one answer make it.
type work struct {
	utf8    bool
	from    string
	by      string
	rcpts   []sdk.Recipient
	removed []dropped
	content []sdk.Edit
}

func (w *work) edit(edits []sdk.Edit, i int) error {
	e := &edits[i]
	switch e.Op {
	case sdk.OpSetSender:
		if e.Value == "" {
			w.from = ""
			return nil
		}
		a, err := smtp.ParseAddress(e.Value, w.utf8)
		if err != nil {
			return fmt.Errorf("smtpin: edit of the sender: %w", err)
		}
		w.from = a.String()
	case sdk.OpAddRecipient:
		return w.add(sdk.Recipient{}, e.Value)
	case sdk.OpRemoveRecipient:
		return w.remove(e.Name)
	case sdk.OpReplaceRecipient:
		for _, before := range edits[:i] {
			if before.Op == e.Op && before.Name == e.Name {
				return nil // done with the first of that name
			}
		}
		return w.replace(edits[i:], e.Name)
	case sdk.OpPrependHeader, sdk.OpAppendHeader, sdk.OpReplaceHeader, sdk.OpRemoveHeader, sdk.OpReplaceBody:
		w.content = append(w.content, *e)
	default:
		return fmt.Errorf("smtpin: no edit %v here", e.Op)
	}
	return nil
}

// add appends a recipient that takes everything but its address from r.
func (w *work) add(r sdk.Recipient, addr string) error {
	a, err := smtp.ParseAddress(addr, w.utf8)
	if err != nil {
		return fmt.Errorf("smtpin: edit of a recipient: %w", err)
	}
	r.Addr = a.String()
	w.rcpts = append(w.rcpts, r)
	return nil
}

// index is where a recipient of that address stands. Plugins may write it in
// another spelling.
func (w *work) index(addr string) (int, error) {
	if a, err := smtp.ParseAddress(addr, w.utf8); err == nil {
		addr = a.String()
	}
	i := slices.IndexFunc(w.rcpts, func(r sdk.Recipient) bool { return r.Addr == addr })
	if i < 0 {
		return 0, fmt.Errorf("smtpin: edit of %q, which is no recipient", addr)
	}
	return i, nil
}

func (w *work) remove(addr string) error {
	i, err := w.index(addr)
	if err != nil {
		return err
	}
	w.removed = append(w.removed, dropped{addr: w.rcpts[i].Addr, by: w.by})
	w.rcpts = slices.Delete(w.rcpts, i, i+1)
	return nil
}

// replace puts the values of all replacements of that name in the place of the
// recipient.
func (w *work) replace(edits []sdk.Edit, name string) error {
	i, err := w.index(name)
	if err != nil {
		return err
	}
	old := w.rcpts[i]
	rest := slices.Clone(w.rcpts[i+1:])
	w.rcpts = w.rcpts[:i]
	for _, e := range edits {
		if e.Op != sdk.OpReplaceRecipient || e.Name != name {
			continue
		}
		r := old
		if r.Orig == "" {
			r.Orig = old.Addr
		}
		if err := w.add(r, e.Value); err != nil {
			return err
		}
	}
	w.rcpts = append(w.rcpts, rest...)
	return nil
}
