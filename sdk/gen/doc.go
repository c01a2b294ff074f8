package gen

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/programmable-mta/mta/sdk"
)

// The pages for authors are written by hand. What stands in them between two
// comments is made: tables from the schema, and snippets from the files in
// which they are compiled and run by tests.
//
//	<!-- generated: hooks -->             all hooks in a table
//	<!-- generated: hook rcpt -->         the event and the answers of one
//	<!-- generated: record Session -->    the fields of one record
//	<!-- generated: enum Op -->           the values of an enumeration
//	<!-- generated: grants -->            what a plugin can be allowed
//	<!-- generated: calls -->             what a plugin can ask
//	<!-- generated: file sdk/x.go -->     a file, or with #NAME a snippet of it
//	<!-- end -->                          closes each of them
//
// A snippet of a file stands between the lines "snippet NAME" and "end snippet",
// which are comments of its language.
var pages = []string{"sdk/README.md", "sdk/coming-from.md"}

// reference is the page that has to tell of every hook and record.
const reference = "sdk/README.md"

var partOfPage = regexp.MustCompile(`(?ms)^<!-- generated: ([^\n]*?) -->\n(.*?)^<!-- end -->$`)

// emitDocs brings the pages up to date.
func emitDocs(s *Schema) (map[string][]byte, error) {
	root := filepath.Dir(s.dir)
	out := map[string][]byte{}
	for _, page := range pages {
		b, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			return nil, fmt.Errorf("gen: %w", err)
		}
		d := &docs{s: s, root: root, page: page, told: map[string]bool{}}
		made := partOfPage.ReplaceAllFunc(b, d.section)
		if n, want := len(partOfPage.FindAll(b, -1)), bytes.Count(b, []byte("<!-- generated:")); n != want {
			d.fail("%d of its %d generated parts have no end: close each with <!-- end --> on a line of its own", want-n, want)
		}
		if page == reference {
			d.complete()
		}
		if err := errors.Join(d.faults...); err != nil {
			return nil, err
		}
		out[page] = made
	}
	return out, nil
}

// docs makes the parts of one page.
type docs struct {
	s      *Schema
	root   string
	page   string
	told   map[string]bool // the parts that the page has
	faults []error
	b      strings.Builder
}

func (d *docs) fail(format string, args ...any) {
	d.faults = append(d.faults, fmt.Errorf("gen: "+d.page+": "+format, args...))
}

func (d *docs) printf(format string, args ...any) { fmt.Fprintf(&d.b, format, args...) }

func (d *docs) section(old []byte) []byte {
	what := string(partOfPage.FindSubmatch(old)[1])
	d.told[what] = true
	d.b.Reset()
	kind, name, _ := strings.Cut(what, " ")
	switch kind {
	case "hooks":
		d.hooks()
	case "hook":
		d.hook(name)
	case "record":
		d.record(name)
	case "enum":
		d.enum(name)
	case "grants":
		d.grants()
	case "calls":
		d.calls()
	case "file":
		d.file(name)
	default:
		d.fail("there is no generated part %q; see sdk/gen/doc.go", what)
	}
	return []byte("<!-- generated: " + what + " -->\n" + d.b.String() + "<!-- end -->")
}

// complete: a hook, or a record that a hook shows, cannot be forgotten.
func (d *docs) complete() {
	var need []string
	for _, h := range d.s.Hooks {
		need = append(need, "hook "+h.Info.Name)
		for _, r := range []*RecordType{h.Event, h.Answer} {
			need = append(need, d.within(r)...)
		}
	}
	slices.Sort(need)
	for _, what := range slices.Compact(need) {
		if !d.told[what] {
			d.fail("has no part %q: add a section with <!-- generated: %s -->, <!-- end -->, and words for people", what, what)
		}
	}
}

// within are the records that a record shows, and those that they show.
func (d *docs) within(r *RecordType) (names []string) {
	if r == nil {
		return nil
	}
	for _, f := range r.Fields {
		if inner := d.s.Record(f.Type); inner != nil {
			names = append(append(names, "record "+inner.Name), d.within(inner)...)
		}
	}
	return names
}

func (d *docs) hooks() {
	d.printf("| hook | when | besides continue it may answer | edits | `on_error` |\n|---|---|---|---|---|\n")
	for _, h := range d.s.Hooks {
		d.printf("| [`%[1]s`](#%[1]s) | %s | %s | %s | %s |\n", h.Info.Name, h.Info.When, d.answers(h), edits(h), onError(h.Info))
	}
}

// answers are what a hook may decide, for people.
func (d *docs) answers(h Hook) string {
	switch {
	case h.Answer == nil:
		return "nothing: it is told"
	case h.Answer.Name == "Answer":
		return words(h.Info.Actions)
	}
	for _, f := range h.Answer.Fields {
		if e := d.s.Enum(f.Type); e != nil && f.Kind == Enum && f.Name == "action" {
			var names []string
			for _, v := range e.Values[1:] {
				names = append(names, v.Name)
			}
			return strings.Join(names, ", ")
		}
	}
	return fmt.Sprintf("[%s](#%s)", h.Answer.Name, strings.ToLower(h.Answer.Name))
}

func words[T fmt.Stringer](values []T) string {
	var names []string
	for _, v := range values {
		names = append(names, v.String())
	}
	return strings.Join(names, ", ")
}

func edits(h Hook) string {
	if len(h.Info.Edits) == 0 {
		return "-"
	}
	return words(h.Info.Edits)
}

// onError are the values that the configuration takes for a hook; the first is
// the default.
func onError(h sdk.HookInfo) string {
	switch {
	case h.Reports:
		return "-"
	case h.Queue:
		return "defer, hold"
	}
	names := []string{"defer", "continue"}
	for _, a := range []sdk.Action{sdk.Reject, sdk.Hold, sdk.Disconnect} {
		if slices.Contains(h.Actions, a) {
			names = append(names, a.String())
		}
	}
	return strings.Join(names, ", ")
}

func (d *docs) hook(name string) {
	i := slices.IndexFunc(d.s.Hooks, func(h Hook) bool { return h.Info.Name == name })
	if i < 0 {
		d.fail("there is no hook %q", name)
		return
	}
	h := d.s.Hooks[i]
	method := "On" + strings.ToUpper(name[:1]) + name[1:]
	answer := "error"
	if h.Answer != nil {
		answer = "(" + h.Answer.Name + ", error)"
	}
	d.printf("*When:* %s. *Method:* `%s(ctx, *%s) %s`\n\n", h.Info.When, method, h.Event.Name, answer)
	d.fields(h.Event)
	d.printf("\n*Answers besides continue:* %s. *Edits:* %s. *`on_error`:* %s.\n", d.answers(h), edits(h), onError(h.Info))
}

func (d *docs) record(name string) {
	r := d.s.Record(name)
	if r == nil {
		d.fail("there is no record %q", name)
		return
	}
	d.fields(r)
}

func (d *docs) fields(r *RecordType) {
	d.printf("| field | Go | type | meaning |\n|---|---|---|---|\n")
	for i := range r.Fields {
		f := &r.Fields[i]
		d.printf("| `%s` | `%s` | %s | %s |\n", f.Name, f.Go, d.typeOf(f), cell(f.Doc))
	}
}

// typeOf is the type of a field, with a link where it has a section.
func (d *docs) typeOf(f *Field) string {
	link := func(name string) string { return fmt.Sprintf("[%s](#%s)", name, strings.ToLower(name)) }
	list := func(kind Kind) string {
		switch kind {
		case Record:
			return "list of " + link(f.Type)
		case Enum:
			return "list of " + f.Type
		}
		return "list of strings"
	}
	switch f.Kind {
	case Bool:
		return "bool"
	case Int:
		return "integer"
	case Float:
		return "number"
	case Time:
		return "time"
	case Duration:
		return "duration"
	case Enum:
		return d.enumWords(f.Type)
	case String:
		return "string"
	case Bytes:
		return "octets"
	case Record:
		return link(f.Type)
	case Notes:
		return "[notes](#notes)"
	}
	return list(f.Elem)
}

// enumWords are the values of a small enumeration, or the name of a large one.
func (d *docs) enumWords(name string) string {
	e := d.s.Enum(name)
	if e == nil || len(e.Values) > 7 {
		return fmt.Sprintf("[%s](#%s)", name, strings.ToLower(name))
	}
	var names []string
	for _, v := range e.Values {
		names = append(names, v.Name)
	}
	return strings.Join(names, ", ")
}

// cell is a comment as it can stand in a table.
func cell(doc string) string {
	doc = strings.Join(strings.Fields(doc), " ")
	return strings.ReplaceAll(docLinks.ReplaceAllString(doc, "$1"), "|", `\|`)
}

var docLinks = regexp.MustCompile(`\[([A-Z][A-Za-z.]*)\]`)

func (d *docs) enum(name string) {
	e := d.s.Enum(name)
	if e == nil {
		d.fail("there is no enumeration %q", name)
		return
	}
	d.printf("| value | Go | meaning |\n|---|---|---|\n")
	for _, v := range e.Values {
		d.printf("| `%s` | `%s` | %s |\n", v.Name, v.Go, cell(v.Doc))
	}
}

func (d *docs) grants() {
	d.printf("| grant | value | lets it |\n|---|---|---|\n")
	for _, g := range sdk.Grants() {
		d.printf("| `%s` | %s | %s |\n", g.Name, code(g.Values), cell(g.Doc))
	}
}

// code marks values as such; what is told between them stays words.
func code(values string) string {
	if !strings.Contains(values, `"`) || strings.HasPrefix(values, "[") {
		return "`" + values + "`"
	}
	return regexp.MustCompile(`"[^"]*"`).ReplaceAllString(values, "`$0`")
}

func (d *docs) calls() {
	d.printf("| call | needs | does |\n|---|---|---|\n")
	for _, c := range d.s.Calls {
		grant := "-"
		if c.Info.Grant != "" {
			grant = "`" + c.Info.Grant + "`"
		}
		d.printf("| `%s` | %s | %s |\n", c.Info.Name, grant, cell(c.Info.Doc))
	}
}

// fences are the languages of snippets by the end of a file's name.
var fences = map[string]string{".go": "go", ".js": "js", ".py": "python", ".c": "c", ".rs": "rust", ".ts": "ts", ".toml": "toml", ".txtar": "text story"}

func (d *docs) file(name string) {
	path, part, _ := strings.Cut(name, "#")
	b, err := os.ReadFile(filepath.Join(d.root, path))
	if err != nil {
		d.fail("%v", err)
		return
	}
	text := string(b)
	if part != "" {
		_, rest, found := strings.Cut(text, " snippet "+part+"\n")
		i := strings.Index(rest, " end snippet")
		if !found || i < 0 {
			d.fail("%s has no lines \"snippet %s\" and \"end snippet\"", path, part)
			return
		}
		text = rest[:strings.LastIndexByte(rest[:i], '\n')+1]
	}
	d.printf("```%s\n%s\n```\n", fences[filepath.Ext(path)], strings.Trim(text, "\n"))
}
