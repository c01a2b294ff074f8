package queue

import (
	"errors"
)

// ID is a queue ID: sequential, never used twice in the life of a spool. Its
// text form sorts like the number.
type ID uint64

// idAlphabet has no vowels, so that no ID spells a word, and none of the
// letters that are mistaken for digits on the phone. It is in the order of
// ASCII, so that text sorts like numbers.
const idAlphabet = "0123456789BCDFGHJKLMNPQRSTVWXYZ"

// idBase is not a power of two: 10 digits and 21 consonants.
const idBase = uint64(len(idAlphabet))

// idLen digits hold 8·10^14 IDs: a thousand a second for 25,000 years.
const idLen = 10

var errBadID = errors.New("queue: not a queue ID")

// String is the text form: ten characters of [0-9A-Z].
func (id ID) String() string {
	var b [idLen]byte
	v := uint64(id)
	for i := idLen - 1; i >= 0; i-- {
		b[i] = idAlphabet[v%idBase]
		v /= idBase
	}
	return string(b[:])
}

// ParseID is the inverse of [ID.String]. Lower case letters are taken as upper
// case ones, because people type them.
func ParseID(s string) (ID, error) {
	if len(s) != idLen {
		return 0, errBadID
	}
	var v uint64
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		d := idDigit[c]
		if d == 0 {
			return 0, errBadID
		}
		v = v*idBase + uint64(d-1)
	}
	return ID(v), nil
}

// idDigit is the value of a character plus one; zero for strangers.
var idDigit = func() (t [256]byte) {
	for i := range len(idAlphabet) {
		t[idAlphabet[i]] = byte(i + 1)
	}
	return t
}()
