package answer

import (
	"errors"
	"fmt"
	"strings"

	"github.com/programmable-mta/mta/core/smtp"
	"github.com/programmable-mta/mta/sdk"
)

// checkEdits judges a list of operations as a whole.
func (r *Rules) checkEdits(edits []sdk.Edit, smtputf8 bool) error {
	if len(edits) > maxEdits {
		return fmt.Errorf("answer: %d edits in one answer, more than %d", len(edits), maxEdits)
	}
	text, data := 0, 0
	for i := range edits {
		e := &edits[i]
		if e.Op == 0 || e.Op > sdk.OpReplaceBody || r.edits&(1<<e.Op) == 0 {
			return fmt.Errorf("answer: edit %d: %s is not possible at %s", i+1, e.Op, r.Name)
		}
		if err := checkEdit(e, smtputf8); err != nil {
			return fmt.Errorf("answer: edit %d: %s: %w", i+1, e.Op, err)
		}
		text += len(e.Name) + len(e.Value)
		data += len(e.Data)
	}
	if text > maxEditText || data > maxEditData {
		return fmt.Errorf("answer: the edits of one answer are larger than %d octets of text or %d of new bodies", maxEditText, maxEditData)
	}
	return nil
}

func checkEdit(e *sdk.Edit, smtputf8 bool) error {
	if e.Op != sdk.OpReplaceBody && len(e.Data) > 0 {
		return errors.New("data goes with replace-body only")
	}
	switch e.Op {
	case sdk.OpNote:
		return checkNote(e)
	case sdk.OpSetSender:
		if e.Value == "" { // RFC 5321 §4.5.5: the null reverse-path
			return nil
		}
		return checkAddress(e.Value, smtputf8)
	case sdk.OpAddRecipient:
		return checkAddress(e.Value, smtputf8)
	case sdk.OpRemoveRecipient:
		return checkPresent(e.Name, smtputf8)
	case sdk.OpReplaceRecipient:
		if err := checkPresent(e.Name, smtputf8); err != nil {
			return err
		}
		return checkAddress(e.Value, smtputf8)
	case sdk.OpPrependHeader, sdk.OpAppendHeader, sdk.OpReplaceHeader, sdk.OpRemoveHeader:
		return checkField(e)
	}
	return nil
}

func checkNote(e *sdk.Edit) error {
	if len(e.Name) == 0 || len(e.Name) > maxNoteKey {
		return fmt.Errorf("the key has %d octets: it is 1 to %d of a-z 0-9 _ . -", len(e.Name), maxNoteKey)
	}
	for i := range len(e.Name) {
		b := e.Name[i]
		if !('a' <= b && b <= 'z' || '0' <= b && b <= '9' || b == '_' || b == '.' || b == '-') {
			return fmt.Errorf("the key %q: it is 1 to %d of a-z 0-9 _ . -", e.Name, maxNoteKey)
		}
	}
	if len(e.Value) > maxNoteValue {
		return fmt.Errorf("the value has %d octets, more than %d", len(e.Value), maxNoteValue)
	}
	return nil
}

func checkAddress(s string, smtputf8 bool) error {
	if _, err := smtp.ParseAddress(s, smtputf8); err != nil {
		return fmt.Errorf("address %.100q: %w", s, err)
	}
	return nil
}

// checkPresent judges the name of a recipient that is there already: that may be
// the postmaster of this host, who has no domain (RFC 5321 §4.1.1.3).
func checkPresent(s string, smtputf8 bool) error {
	if strings.EqualFold(s, "postmaster") {
		return nil
	}
	return checkAddress(s, smtputf8)
}

// checkField: RFC 5322 §2.2 and §3.6.8.
func checkField(e *sdk.Edit) error {
	if !validFieldName(e.Name) {
		return fmt.Errorf("%.60q is no name of a header field (RFC 5322 §3.6.8)", e.Name)
	}
	if e.Index < 0 {
		return fmt.Errorf("index %d: the first field is 1, all of them are 0", e.Index)
	}
	if len(e.Value) > maxFieldValue {
		return fmt.Errorf("the value has %d octets, more than %d", len(e.Value), maxFieldValue)
	}
	v := e.Value
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case 0:
			return errors.New("the value has a NUL")
		case '\n':
			return errors.New("the value has a line feed without carriage return: fold with CRLF and white space")
		case '\r':
			// RFC 5322 §3.2.2: a folded line begins with white space, and one of
			// white space alone could be taken for the end of the header.
			if !folds(v[i:]) {
				return errors.New("the value has a line end that is no folding: CRLF, white space, text")
			}
			i++
		}
	}
	return nil
}

func folds(s string) bool {
	if len(s) < 4 || s[1] != '\n' || s[2] != ' ' && s[2] != '\t' {
		return false
	}
	rest := strings.TrimLeft(s[2:], " \t")
	return rest != "" && rest[0] != '\r'
}

func validFieldName(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == ':' {
			return false
		}
	}
	return 0 < len(s) && len(s) <= maxFieldName
}
