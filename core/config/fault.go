package config

import (
	"strconv"
	"strings"
)

// Fault is one thing that is wrong with a file.
type Fault struct {
	File string // as it was named to Load
	Line int    // from 1; 0: the file as a whole
	Key  string // "listen[0].address"; empty: the file as a whole
	Text string // "what is wrong; what would be right"
}

// String is the fault as people see it: "file:line: key: wrong; right".
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		b.WriteString(":" + strconv.Itoa(f.Line))
	}
	if f.Key != "" {
		b.WriteString(": " + f.Key)
	}
	return b.String() + ": " + f.Text
}

// Faults are all faults of a file, in the order of its lines.
type Faults []Fault

// Error is one fault a line.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}
