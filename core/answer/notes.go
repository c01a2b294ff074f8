package answer

import (
	"errors"
	"fmt"
	"maps"

	"github.com/programmable-mta/mta/sdk"
)

// Split separates notes, which are this package's business, from the edits
// that are the caller's.
func Split(edits []sdk.Edit) (notes, others []sdk.Edit) {
	n := 0
	for i := range edits {
		if edits[i].Op == sdk.OpNote {
			n++
		}
	}
	switch n {
	case 0:
		return nil, edits
	case len(edits):
		return edits, nil
	}
	notes, others = make([]sdk.Edit, 0, n), make([]sdk.Edit, 0, len(edits)-n)
	for _, e := range edits {
		if e.Op == sdk.OpNote {
			notes = append(notes, e)
		} else {
			others = append(others, e)
		}
	}
	return notes, others
}

// Noted is the notes with those of one plugin changed. It never writes to the
// map that it is given: copies of the session or message may hold it.
func Noted(at *sdk.Notes, plugin string, edits []sdk.Edit) (sdk.Notes, error) {
	if len(edits) == 0 {
		return nil, nil
	}
	if at == nil {
		return nil, errors.New("answer: there is nothing to leave a note on")
	}
	next := maps.Clone(*at)
	if next == nil {
		next = make(sdk.Notes, len(edits))
	}
	for i := range edits {
		key := plugin + "." + edits[i].Name
		if edits[i].Value == "" {
			delete(next, key)
		} else {
			next[key] = edits[i].Value
		}
	}
	size := 0
	for k, v := range next {
		size += len(k) + len(v)
	}
	if len(next) > maxNotes || size > maxNoteBytes {
		return nil, fmt.Errorf("answer: more than %d notes or %d octets of them", maxNotes, maxNoteBytes)
	}
	return next, nil
}
