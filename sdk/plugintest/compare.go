package plugintest

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// optional are the kinds of line that are compared only when a story asks for
// them: words for people, which change more often than decisions.
var optional = []string{"reason:", "rule:", "key:", "remote:", "tls-in-use:", "log:"}

// compare returns "" when an answer is as expected, else both side by side.
func compare(want, got lines) string {
	got = slices.DeleteFunc(slices.Clone(got), func(g string) bool {
		for _, kind := range optional {
			if strings.HasPrefix(g, kind) {
				return !slices.ContainsFunc(want, func(w string) bool { return strings.HasPrefix(w, kind) })
			}
		}
		return false
	})
	same := len(want) == len(got)
	for i := 0; same && i < len(want); i++ {
		same = match(want[i], got[i])
	}
	if same {
		return ""
	}
	return sideBySide(want, got)
}

// match tells whether a line is as expected; "..." stands for any text.
func match(pattern, line string) bool {
	parts := strings.Split(pattern, "...")
	line, ok := strings.CutPrefix(line, parts[0])
	if !ok {
		return false
	}
	if len(parts) == 1 {
		return line == ""
	}
	last := parts[len(parts)-1]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(line, p)
		if i < 0 {
			return false
		}
		line = line[i+len(p):]
	}
	return strings.HasSuffix(line, last)
}

func sideBySide(want, got lines) string {
	width := len("expected")
	for _, w := range want {
		width = max(width, utf8.RuneCountInString(w))
	}
	width = min(width, 70)
	var b strings.Builder
	fmt.Fprintf(&b, "      %-*s | %s\n", width, "expected", "got")
	for i := range max(len(want), len(got)) {
		var w, g string
		if i < len(want) {
			w = want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		mark := " "
		if i >= len(want) || i >= len(got) || !match(w, g) {
			mark = "!"
		}
		fmt.Fprintf(&b, "    %s %-*s | %s\n", mark, width, w, g)
	}
	return b.String()
}
