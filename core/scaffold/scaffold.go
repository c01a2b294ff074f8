// Package scaffold begins plugins and builds them, in every language of the
// SDKs: New writes a folder with a working plugin, its story and the SDK
// itself, so that nothing has to be fetched to build it; Build runs the
// toolchain of the language, and names the package of what is missing.
//
// It never writes over a file that is there, never changes a file that its
// owner may have written, and leaves nothing half written when it refuses. What
// a plugin consists of is in templates; how it is built is in build.go, one
// function a language.
package scaffold

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

//go:embed templates
var templates embed.FS

// ManifestName is the file that makes a folder a plugin's.
const ManifestName = "plugin.toml"

// Plugin is what the manifest of a folder says.
type Plugin struct {
	Name  string // as the configuration may call it
	Lang  string // one of Languages
	Entry string // the file where it begins
}

// language is what is to know of one.
type language struct {
	name   string
	entry  string
	title  string // for people
	fuel   int64  // the ceiling that the first story gives an event
	source string // what loads the result in a configuration, %s the name
	kit    []kit
	build  func(*Builder, context.Context, string, Plugin) (string, error)
}

// kit is a part of the SDK that a plugin gets a copy of.
type kit struct {
	from  string // folder in the repository
	to    string // folder in the plugin
	files []string
}

// Languages are the names that --lang takes.
func Languages() []string {
	var names []string
	for _, l := range languages {
		names = append(names, l.name)
	}
	return names
}

func find(name string) (language, error) {
	for _, l := range languages {
		if l.name == name {
			return l, nil
		}
	}
	return language{}, fmt.Errorf("there is no language %q; there are: %s", name, strings.Join(Languages(), ", "))
}

// Hooks are the hooks that a plugin can be begun with; more are added by hand.
func Hooks() []string {
	var names []string
	for _, e := range examples {
		names = append(names, e.Hook)
	}
	return names
}

// example is what a new plugin does at its hook; the templates do it in their
// languages, and the story checks it.
type example struct {
	Hook  string
	Does  string
	Story string
	Try   string // the options of mta explain that show it
	Needs string // the grant in the configuration
}

var examples = []example{
	{"rcpt", "refuses recipients named nobody", "rcpt nobody@example.org\n    reject 5.1.1 no such user here\nrcpt ann@example.org\n    continue\n",
		"--from ann@example.com --to nobody@example.org", ""},
	{"connect", "refuses a client by its address", "session ip=192.0.2.66\nconnect\n    reject 5.7.1 not from there\nsession ip=192.0.2.1\nconnect\n    continue\n",
		"--ip 192.0.2.66 --from ann@example.com --to ann@example.org", ""},
	{"helo", "refuses clients that call themselves nobody.example", "helo nobody.example\n    reject 5.7.1 that is not your name\nhelo client.example.com\n    continue\n",
		"--helo nobody.example --from ann@example.com --to ann@example.org", ""},
	{"mail", "refuses senders named nobody", "mail nobody@example.com\n    reject 5.7.1 nobody sends mail\nmail ann@example.com\n    continue\n",
		"--from nobody@example.com --to ann@example.org", ""},
	{"data", "adds a header field", "data\n    continue\n    edit: prepend-header X-Checked: yes\n", "--from ann@example.com --to ann@example.org", `headers = "write"`},
	{"route", "sends the mail of one domain to its own server", "route ann@internal.example\n    use smtp 127.0.0.1:2526\nroute ann@example.org\n    continue\n",
		"--from ann@example.com --to ann@internal.example", ""},
}

// fill is what the templates are made with.
type fill struct {
	Plugin
	example
	Title  string
	Source string // of the configuration
	Spool  string
	Kit    string // the folder with the SDK
	Fuel   int64  // the ceiling in the story
	Go     string // the version of the language that the SDK needs
}

// CheckName tells what is wrong with the name of a plugin.
func CheckName(name string) error {
	bad := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }
	switch {
	case name == "" || len(name) > 64 || strings.IndexFunc(name, bad) >= 0 || name[0] < 'a' || strings.HasSuffix(name, "-"):
		return fmt.Errorf("%q is no name of a plugin: use 1 to 64 small letters, digits and hyphens, the first a letter", name)
	case slices.Contains([]string{"smtp", "lmtp", "mta", "sdk", "main", "test", "plugin"}, name):
		return fmt.Errorf("the name %q means something else already; choose another", name)
	}
	return nil
}

// ErrUsage: what was asked for does not exist, or has no such name. It has no
// words of its own.
var ErrUsage = errors.New("")

// New writes a plugin with one hook to a folder, which must not exist or be
// empty, and returns the files that people look at. The SDK is copied from
// sources.
func New(dir string, p Plugin, hook string, sources fs.FS) ([]string, error) {
	if err := CheckName(p.Name); err != nil {
		return nil, fmt.Errorf("%w%w", ErrUsage, err)
	}
	lang, err := find(p.Lang)
	if err != nil {
		return nil, fmt.Errorf("%w%w", ErrUsage, err)
	}
	i := slices.IndexFunc(examples, func(e example) bool { return e.Hook == hook })
	if i < 0 {
		return nil, fmt.Errorf("%wa plugin can be begun with the hooks %s; others are added by hand as the SDK's README shows", ErrUsage, strings.Join(Hooks(), ", "))
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("%s is there and not empty: nothing was written; choose another folder with --dir", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	p.Entry = lang.entry
	data := fill{Plugin: p, example: examples[i], Title: lang.title, Source: strings.ReplaceAll(lang.source, "%s", p.Name), Kit: strings.SplitN(lang.kit[0].to, "/", 2)[0],
		Spool: filepath.Join(os.TempDir(), "mta-"+p.Name), Fuel: lang.fuel, Go: goVersion(sources)}
	files, err := render(data)
	if err != nil {
		return nil, err
	}
	shown := slices.DeleteFunc(files.names(), func(name string) bool { return strings.HasPrefix(name, data.Kit+"/") })
	if err := files.copyKit(lang, sources); err != nil {
		return nil, err
	}
	return shown, files.write(dir)
}

// tree is a folder to be written.
type tree map[string]file

type file struct {
	text []byte
	mode fs.FileMode
}

func (t tree) names() []string {
	var names []string
	for name := range t {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// render fills the templates that all plugins have, and those of a language.
func render(data fill) (tree, error) {
	files := tree{}
	for _, dir := range []string{"templates/every", "templates/" + data.Lang} {
		err := fs.WalkDir(templates, dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := fs.ReadFile(templates, name)
			if err != nil {
				return err
			}
			tmpl, err := template.New(path.Base(name)).Parse(string(text))
			if err != nil {
				return err
			}
			var b bytes.Buffer
			if err := tmpl.Execute(&b, data); err != nil {
				return err
			}
			rel := strings.TrimSuffix(strings.TrimPrefix(name, dir+"/"), ".tmpl")
			rel = strings.Replace(rel, "dot-", ".", 1) // a folder that is embedded has no hidden files
			mode := fs.FileMode(0o644)
			if bytes.HasPrefix(b.Bytes(), []byte("#!")) {
				mode = 0o755
			}
			files[rel] = file{b.Bytes(), mode}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// copyKit adds the SDK of a language.
func (t tree) copyKit(lang language, sources fs.FS) error {
	for _, k := range lang.kit {
		for _, pattern := range k.files {
			names, err := fs.Glob(sources, path.Join(k.from, pattern))
			if err != nil {
				return err
			}
			if len(names) == 0 {
				return fmt.Errorf("this program was built without %s/%s of the SDK", k.from, pattern)
			}
			for _, name := range names {
				if strings.HasSuffix(name, "_test.go") {
					continue
				}
				text, err := fs.ReadFile(sources, name)
				if err != nil {
					return err
				}
				t[path.Join(k.to, strings.TrimPrefix(name, k.from))] = file{text, 0o644}
			}
		}
	}
	return nil
}

// write makes the folder; what it made of it goes when it fails.
func (t tree) write(dir string) (err error) {
	_, statErr := os.Stat(dir)
	defer func() {
		if err != nil && errors.Is(statErr, fs.ErrNotExist) {
			os.RemoveAll(dir)
		}
	}()
	for _, name := range t.names() {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, t[name].text, t[name].mode); err != nil {
			return err
		}
	}
	return nil
}

// Open reads the manifest of a folder.
func Open(dir string) (Plugin, error) {
	name := filepath.Join(dir, ManifestName)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Plugin{}, fmt.Errorf("%s is no folder of a plugin: it has no %s; mta plugin new begins one", dir, ManifestName)
	}
	if err != nil {
		return Plugin{}, err
	}
	p, err := parseManifest(string(text))
	if err != nil {
		return p, fmt.Errorf("%s:%w", name, err)
	}
	return p, nil
}

// parseManifest reads lines `key = "value"`, which is all that a manifest has.
func parseManifest(text string) (p Plugin, err error) {
	keys := map[string]*string{"name": &p.Name, "lang": &p.Lang, "entry": &p.Entry}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		dst := keys[key]
		if dst == nil {
			return p, fmt.Errorf("%d: there is no key %q; there are name, lang and entry", n, key)
		}
		if *dst != "" {
			return p, fmt.Errorf("%d: %s is there twice", n, key)
		}
		if len(value) < 3 || value[0] != '"' || value[len(value)-1] != '"' || strings.ContainsAny(value[1:len(value)-1], `"\`) {
			return p, fmt.Errorf(`%d: %s: write it as %s = "text"`, n, key, key)
		}
		*dst = value[1 : len(value)-1]
	}
	if err := CheckName(p.Name); err != nil {
		return p, fmt.Errorf("1: name: %w", err)
	}
	lang, err := find(p.Lang)
	if err != nil {
		return p, fmt.Errorf("1: lang: %w", err)
	}
	if p.Entry == "" {
		p.Entry = lang.entry
	}
	if !filepath.IsLocal(p.Entry) {
		return p, fmt.Errorf("1: entry: %q is outside of the folder", p.Entry)
	}
	return p, nil
}

// goVersion is the version in the go.mod of the SDK.
func goVersion(sources fs.FS) string {
	text, _ := fs.ReadFile(sources, "go.mod")
	for line := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "go "); ok {
			return v
		}
	}
	return "1.26"
}
