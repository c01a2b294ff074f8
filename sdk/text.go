package sdk

import (
	"fmt"
	"strconv"
	"strings"
)

// The enumerations stand in JSON, stories and recordings by their names. A
// number that has no name is written as it is, so that nothing is lost.

// MarshalText implements [encoding.TextMarshaler].
func (a Action) MarshalText() ([]byte, error) { return named(actionNames[:], uint8(a)), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (a *Action) UnmarshalText(b []byte) error { return number(actionNames[:], b, (*uint8)(a)) }

// MarshalText implements [encoding.TextMarshaler].
func (a RouteAction) MarshalText() ([]byte, error) { return named(routeActionNames[:], uint8(a)), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (a *RouteAction) UnmarshalText(b []byte) error {
	return number(routeActionNames[:], b, (*uint8)(a))
}

// MarshalText implements [encoding.TextMarshaler].
func (s Status) MarshalText() ([]byte, error) { return named(statusNames[:], uint8(s)), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Status) UnmarshalText(b []byte) error { return number(statusNames[:], b, (*uint8)(s)) }

// MarshalText implements [encoding.TextMarshaler].
func (o Op) MarshalText() ([]byte, error) { return named(opNames[:], uint8(o)), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (o *Op) UnmarshalText(b []byte) error { return number(opNames[:], b, (*uint8)(o)) }

// MarshalText implements [encoding.TextMarshaler].
func (k DSNKind) MarshalText() ([]byte, error) { return named(dsnKindNames[:], uint8(k)), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *DSNKind) UnmarshalText(b []byte) error { return number(dsnKindNames[:], b, (*uint8)(k)) }

// MarshalText implements [encoding.TextMarshaler].
func (n Notify) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (n *Notify) UnmarshalText(b []byte) error {
	*n = 0
	for word := range strings.SplitSeq(string(b), ",") {
		switch word {
		case "":
		case "NEVER":
			*n |= NotifyNever
		case "SUCCESS":
			*n |= NotifySuccess
		case "FAILURE":
			*n |= NotifyFailure
		case "DELAY":
			*n |= NotifyDelay
		default:
			return fmt.Errorf("sdk: there is no notify condition %q", word)
		}
	}
	return nil
}

func named(names []string, n uint8) []byte {
	if int(n) < len(names) && names[n] != "" {
		return []byte(names[n])
	}
	return strconv.AppendUint(nil, uint64(n), 10)
}

func number(names []string, b []byte, dst *uint8) error {
	for i, n := range names {
		if n == string(b) && n != "" {
			*dst = uint8(i)
			return nil
		}
	}
	n, err := strconv.ParseUint(string(b), 10, 8)
	if err != nil {
		return fmt.Errorf("sdk: there is no %q among: %s", b, strings.TrimSpace(strings.Join(names, " ")))
	}
	*dst = uint8(n)
	return nil
}
