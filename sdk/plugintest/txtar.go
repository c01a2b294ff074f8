package plugintest

import "strings"

// section is one file of an archive in the txtar format: a line "-- name --"
// and the lines up to the next of its kind.
type section struct {
	name string
	line int // of its first line of content
	text string
}

// splitSections splits an archive into the comment before its first section,
// and the sections.
func splitSections(text string) (comment string, sections []section) {
	var body strings.Builder // of the section that is being read
	done := func() {
		if len(sections) == 0 {
			comment = body.String()
		} else {
			sections[len(sections)-1].text = body.String()
		}
		body.Reset()
	}
	defer done()
	n := 0
	for line := range strings.Lines(text) {
		n++
		if name, ok := sectionName(line); ok {
			done()
			sections = append(sections, section{name: name, line: n + 1})
			continue
		}
		body.WriteString(line)
	}
	return comment, sections
}

func sectionName(line string) (string, bool) {
	line = strings.TrimRight(line, "\r\n")
	name, ok := strings.CutPrefix(line, "-- ")
	if !ok {
		return "", false
	}
	name, ok = strings.CutSuffix(name, " --")
	name = strings.TrimSpace(name)
	return name, ok && name != ""
}
