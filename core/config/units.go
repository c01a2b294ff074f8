package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Size is a number of octets, written "25MiB", "512KiB", "1GiB" or as a plain
// number.
type Size int64

var sizeUnits = []struct {
	name string
	n    int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// String is the size in the largest unit in which it is a whole number.
func (s Size) String() string {
	for _, u := range sizeUnits {
		if s != 0 && u.n > 1 && int64(s)%u.n == 0 {
			return strconv.FormatInt(int64(s)/u.n, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// ParseSize reads a size.
func ParseSize(s string) (Size, error) {
	digits, unit := number(s)
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("config: %s is not a size", show(s))
	}
	unit = strings.TrimSpace(unit)
	if unit == "" {
		return Size(n), nil
	}
	for _, u := range sizeUnits {
		if u.name == unit {
			if n > math.MaxInt64/u.n {
				return 0, fmt.Errorf("config: %s is too large", show(s))
			}
			return Size(n * u.n), nil
		}
	}
	return 0, fmt.Errorf("config: %s is not a size", show(s))
}

var durationUnits = []struct {
	name string
	n    time.Duration
}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}}

// ParseDuration reads a duration: whole numbers with the units w, d, h, m, s
// and ms, as in "30s", "5d" or "1h30m".
func ParseDuration(s string) (time.Duration, error) {
	bad := fmt.Errorf("config: %s is not a duration", show(s))
	if s == "" {
		return 0, bad
	}
	var sum time.Duration
	for rest := s; rest != ""; {
		digits, after := number(rest)
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return 0, bad
		}
		letters := strings.IndexFunc(after, func(r rune) bool { return r < 'a' || r > 'z' })
		if letters < 0 {
			letters = len(after)
		}
		unit := time.Duration(0)
		for _, u := range durationUnits {
			if u.name == after[:letters] {
				unit = u.n
			}
		}
		if unit == 0 || n > int64((math.MaxInt64-sum)/unit) {
			return 0, bad
		}
		sum += time.Duration(n) * unit
		rest = after[letters:]
	}
	return sum, nil
}

// FormatDuration is the inverse of [ParseDuration].
func FormatDuration(d time.Duration) string {
	if d <= 0 {
		return "0s"
	}
	var b strings.Builder
	for _, u := range durationUnits {
		if u.name == "w" {
			continue // days are what people count in
		}
		if n := d / u.n; n > 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10) + u.name)
			d -= n * u.n
		}
	}
	return b.String()
}

// number splits the digits from the front of a text.
func number(s string) (digits, rest string) {
	n := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if n < 0 {
		return s, ""
	}
	return s[:n], s[n:]
}
