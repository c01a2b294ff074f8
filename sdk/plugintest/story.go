package plugintest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/sdk"
)

// Loader starts a plugin in some runtime. The returned function stops it.
type Loader func(ctx context.Context, host sdk.Host, config []byte) (*sdk.Handlers, func() error, error)

// Native is the loader of plugins that are compiled in.
func Native(New func() sdk.Plugin) Loader {
	return func(ctx context.Context, host sdk.Host, config []byte) (*sdk.Handlers, func() error, error) {
		p := New()
		if err := p.Start(ctx, host, config); err != nil {
			return nil, nil, err
		}
		hs := sdk.Local(p)
		return &hs, p.Close, nil
	}
}

// Run plays stories with a plugin that is compiled in: those that match the
// patterns, or testdata/*.txtar.
func Run(t *testing.T, New func() sdk.Plugin, patterns ...string) {
	t.Helper()
	RunWith(t, Native(New), patterns...)
}

// RunWith is [Run] for a plugin in any runtime.
func RunWith(t *testing.T, load Loader, patterns ...string) {
	t.Helper()
	if len(patterns) == 0 {
		patterns = []string{"testdata/*.txtar"}
	}
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Errorf("no story matches %s (%v)", pattern, err)
		}
		for _, path := range paths {
			t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
				s, err := ReadStory(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Play(t.Context(), load, t.TempDir()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// Story is a parsed story file.
type Story struct {
	Name  string // of the file
	Title string // the text before the first section
	// Allow are the grants that the plugin gets, names of [sdk.Grants]; nil, a
	// story without that section: all. A plugin that is compiled in has all.
	Allow  []string
	config string
	start  string // what Start must complain about
	files  []section
	body   string
	steps  []step
}

// step is one line of a story, with the answer that it must get.
type step struct {
	line int
	text string
	want lines
}

// ReadStory reads a story file.
func ReadStory(path string) (*Story, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ParseStory(path, string(b))
}

// ParseStory parses the text of a story; name stands in its error messages.
func ParseStory(name, text string) (*Story, error) {
	comment, sections := splitSections(text)
	s := &Story{Name: name, Title: strings.TrimSpace(comment), config: "{}",
		body: "From: a@example.com\nTo: b@example.org\nSubject: test\n\nHello.\n"}
	seen := make(map[string]bool)
	for _, sec := range sections {
		if seen[sec.name] {
			return nil, fmt.Errorf("%s:%d: section %q is there twice", name, sec.line-1, sec.name)
		}
		seen[sec.name] = true
		switch {
		case sec.name == "config":
			if !json.Valid([]byte(sec.text)) {
				return nil, fmt.Errorf("%s:%d: config is not JSON", name, sec.line)
			}
			s.config = strings.TrimSpace(sec.text)
		case sec.name == "start":
			s.start = strings.TrimSpace(sec.text)
		case sec.name == "message":
			s.body = sec.text
		case sec.name == "allow":
			s.Allow = append([]string{}, strings.Fields(sec.text)...)
			for _, name := range s.Allow {
				if !slices.ContainsFunc(sdk.Grants(), func(g sdk.GrantInfo) bool { return g.Name == name }) {
					return nil, fmt.Errorf("%s:%d: there is no grant %q", s.Name, sec.line, name)
				}
			}
		case strings.HasPrefix(sec.name, "file "):
			sec.name = strings.TrimSpace(strings.TrimPrefix(sec.name, "file "))
			if !filepath.IsLocal(sec.name) {
				return nil, fmt.Errorf("%s:%d: file %q would be outside $WORK", name, sec.line-1, sec.name)
			}
			s.files = append(s.files, sec)
		case sec.name == "story":
			if err := s.parseSteps(sec); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("%s:%d: section %q: want config, allow, story, start, message or file NAME", name, sec.line-1, sec.name)
		}
	}
	if (len(s.steps) == 0) == (s.start == "") {
		return nil, fmt.Errorf("%s: want either a section story with events, or a section start with the error of Start", name)
	}
	return s, nil
}

func (s *Story) parseSteps(sec section) error {
	n := sec.line - 1
	for line := range strings.Lines(sec.text) {
		n++
		text := strings.TrimSpace(line)
		switch {
		case text == "" || text[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			if len(s.steps) == 0 {
				return fmt.Errorf("%s:%d: an answer before the first event", s.Name, n)
			}
			st := &s.steps[len(s.steps)-1]
			st.want = append(st.want, text)
		default:
			s.steps = append(s.steps, step{line: n, text: text})
		}
	}
	return nil
}

// Meter tells what an event costs: it is given the context of a hook call, and
// returns the one to use instead, and the fuel that was burnt once it is over.
type Meter func(context.Context) (context.Context, func() int64)

// Telling are the choices of [Story.PlayWith].
type Telling struct {
	Work    string // files of the story are made below it
	Meter   Meter  // nil: fuel is not known, and its ceilings are not checked
	Ceiling int64  // of fuel for each event that the story gives none; 0: none
}

// Play tells the story to a plugin. The error is everything that went another
// way than the story says. Files are made below work.
func (s *Story) Play(ctx context.Context, load Loader, work string) error {
	return s.PlayWith(ctx, load, Telling{Work: work})
}

// PlayWith is [Story.Play] with choices.
func (s *Story) PlayWith(ctx context.Context, load Loader, t Telling) error {
	work := t.Work
	for _, f := range s.files {
		path := filepath.Join(work, f.name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(f.text), 0o600); err != nil {
			return err
		}
	}
	host := NewHost()
	quoted, err := json.Marshal(work)
	if err != nil {
		return err
	}
	config := strings.ReplaceAll(s.config, "$WORK", string(quoted[1:len(quoted)-1]))
	hs, stop, err := load(ctx, host, []byte(config))
	switch {
	case err == nil && s.start != "":
		return errors.Join(fmt.Errorf("%s: Start succeeded, expected an error with %q", s.Name, s.start), stop())
	case err != nil && s.start == "":
		return fmt.Errorf("%s: Start failed: %w", s.Name, err)
	case err != nil:
		if !strings.Contains(err.Error(), s.start) {
			return fmt.Errorf("%s: Start failed in another way:\n%s", s.Name, sideBySide(lines{s.start}, lines{err.Error()}))
		}
		return nil
	}
	p := &play{host: host, hooks: hs, work: work, session: Session(), envelope: Envelope("a@example.com"), message: Message(s.body),
		meter: t.Meter, ceiling: t.Ceiling}
	var wrong []error
	for _, st := range s.steps {
		if err := p.step(ctx, st); err != nil {
			wrong = append(wrong, fmt.Errorf("%s:%d: %s\n%w", s.Name, st.line, st.text, err))
		}
	}
	if err := stop(); err != nil {
		wrong = append(wrong, fmt.Errorf("%s: Close: %w", s.Name, err))
	}
	return errors.Join(wrong...)
}

// play is one telling of a story.
type play struct {
	host     *Host
	hooks    *sdk.Handlers
	work     string
	session  *sdk.Session
	envelope *sdk.Envelope
	message  sdk.Message
	meter    Meter
	ceiling  int64 // of fuel for the events to come
}

func (p *play) step(ctx context.Context, st step) error {
	args, err := parseWords(strings.ReplaceAll(st.text, "$WORK", p.work))
	if err != nil {
		return err
	}
	verb := args.next()
	if set, ok := settings[verb]; ok {
		if st.want != nil {
			return fmt.Errorf("    %s gets no answer", verb)
		}
		if err := set(p, args); err != nil {
			return fmt.Errorf("    %w", err)
		}
		return args.rest()
	}
	tell, ok := events[verb]
	if !ok {
		return fmt.Errorf("    no such event or setting: %q", verb)
	}
	sent, logged := len(p.host.Sent()), len(p.host.Logs())
	burnt := func() int64 { return 0 }
	if p.meter != nil {
		ctx, burnt = p.meter(ctx)
	}
	got, err := tell(ctx, p, args)
	if err != nil {
		return fmt.Errorf("    %w", err)
	}
	if err := args.rest(); err != nil {
		return err
	}
	for _, s := range p.host.Sent()[sent:] {
		got = append(got, renderSent(s)...)
	}
	for _, l := range p.host.Logs()[logged:] {
		got.add("log:", strings.ToLower(l.Level.String()), l.Text)
	}
	var wrong []string
	if diff := compare(st.want, got); diff != "" {
		wrong = append(wrong, strings.TrimRight(diff, "\n"))
	}
	if n := burnt(); p.ceiling > 0 && n > p.ceiling {
		wrong = append(wrong, fmt.Sprintf("    burnt %d units of fuel, more than the %d of its ceiling", n, p.ceiling))
	}
	if wrong != nil {
		return errors.New(strings.Join(wrong, "\n"))
	}
	return nil
}

// allowed complains about an answer that the relay would not take.
func allowed(hook string, action sdk.Action, r sdk.Reply, edits []sdk.Edit) lines {
	if class := r.Code / 100; class != 0 && (action == sdk.Reject && class != 5 || action == sdk.Defer && class != 4) {
		return lines{fmt.Sprintf("error: a %s with the code %d", action, r.Code)}
	}
	for _, h := range sdk.Hooks() {
		if h.Name != hook {
			continue
		}
		if action != sdk.Continue && !slices.Contains(h.Actions, action) {
			return lines{fmt.Sprintf("error: a %s hook cannot answer %s", hook, action)}
		}
		for _, e := range edits {
			if !slices.Contains(h.Edits, e.Op) {
				return lines{fmt.Sprintf("error: a %s hook cannot edit with %s", hook, e.Op)}
			}
		}
	}
	return nil
}
