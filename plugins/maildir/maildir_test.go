package maildir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

func TestStories(t *testing.T) { plugintest.Run(t, New) }

func start(t testing.TB, d disk, path string) *plugin {
	t.Helper()
	p := &plugin{disk: d}
	if err := p.Start(t.Context(), plugintest.NewHost(), []byte(`{"path": "`+path+`", "detail": "+"}`)); err != nil {
		t.Fatal(err)
	}
	return p
}

func deliver(t testing.TB, ctx context.Context, p *plugin, text string, to ...string) []sdk.Outcome {
	t.Helper()
	e := &sdk.DeliverEvent{Envelope: plugintest.Envelope("s@example.com"), Message: plugintest.Message(text), Recipients: plugintest.Envelope("", to...).Recipients}
	a, err := p.OnDeliver(ctx, e)
	if err != nil || len(a.Outcomes) != len(to) {
		t.Fatal(a, err)
	}
	return a.Outcomes
}

func TestNoAddressLeadsOutOfThePath(t *testing.T) {
	p := start(t, system{}, "/var/mail/{domain}/{local}")
	for _, tt := range []struct{ addr, want string }{
		{`joe@example.org`, `/var/mail/example.org/joe`},
		{`Joe@Example.org`, `/var/mail/example.org/joe`},
		{`joe+lists@example.org`, `/var/mail/example.org/joe`},
		{`+joe@example.org`, `/var/mail/example.org/+joe`},
		{`"joe"@example.org`, `/var/mail/example.org/joe`},
		{`"j\oe"@example.org`, `/var/mail/example.org/joe`},
		{`"a b"@example.org`, `/var/mail/example.org/a%20b`},
		{`..@example.org`, `/var/mail/example.org/%2E%2E`},
		{`.@example.org`, `/var/mail/example.org/%2E`},
		{`.hidden@example.org`, `/var/mail/example.org/%2Ehidden`},
		{`...a..b@example.org`, `/var/mail/example.org/%2E%2E%2Ea..b`},
		{`"../../etc"@example.org`, `/var/mail/example.org/%2E%2E%2F..%2Fetc`},
		{`/etc/passwd@example.org`, `/var/mail/example.org/%2Fetc%2Fpasswd`},
		{`joe@..`, `/var/mail/%2E%2E/joe`},
		{`joe@../..`, `/var/mail/%2E%2E%2F../joe`},
		{"j\x00e@example.org", `/var/mail/example.org/j%00e`},
		{`j\e@example.org`, `/var/mail/example.org/j%5Ce`},
		{`{domain}@example.org`, `/var/mail/example.org/%7Bdomain%7D`},
		{`a%2Fb@example.org`, `/var/mail/example.org/a%252fb`},
		{`jörg@example.org`, `/var/mail/example.org/j%C3%B6rg`},
		{`joe@[192.0.2.1]`, `/var/mail/%5B192.0.2.1%5D/joe`},
		{`postmaster`, `/var/mail/mx.example.org/postmaster`},
		{`""@example.org`, ``},
		{`@example.org`, ``},
		{``, ``},
		{strings.Repeat("ö", 64) + `@example.org`, ``},
	} {
		got, err := p.mailbox(tt.addr)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%q: %q, %v; want %q", tt.addr, got, err, tt.want)
		}
	}
}

func FuzzNoAddressLeadsOutOfThePath(f *testing.F) {
	f.Add("../x@..")
	f.Add(`"\/"@.`)
	p := start(f, system{}, "/m/{domain}/{local}/box")
	f.Fuzz(func(t *testing.T, addr string) {
		got, err := p.mailbox(addr)
		if err != nil {
			return
		}
		if parts := strings.Split(got, "/"); len(parts) != 5 || parts[1] != "m" || parts[4] != "box" || strings.ContainsAny(got, "\x00\n") ||
			strings.HasPrefix(parts[2], ".") || strings.HasPrefix(parts[3], ".") {
			t.Errorf("%q becomes %q", addr, got)
		}
	})
}

func TestAMessageIsWrittenWithLFAndKeepsTheRest(t *testing.T) {
	dir := t.TempDir()
	p := start(t, system{}, dir+"/{domain}/{local}")
	o := deliver(t, t.Context(), p, "Return-Path: <old@example.com>\nDelivered-To: other@example.org\nSubject: x\n\nbody\n", "joe@example.org", "ann@example.org")
	for i, who := range []string{"joe", "ann"} {
		if o[i].Status != sdk.StatusDelivered {
			t.Fatalf("%s: %v %v", who, o[i].Status, o[i].Reply)
		}
		files := list(t, filepath.Join(dir, "example.org", who))
		if len(files) != 1 {
			t.Fatalf("%s has %v", who, files)
		}
		b, err := os.ReadFile(files[0])
		want := "Return-Path: <s@example.com>\nDelivered-To: " + who + "@example.org\nReturn-Path: <old@example.com>\nDelivered-To: other@example.org\nSubject: x\n\nbody\n"
		if err != nil || string(b) != want {
			t.Errorf("got %q, %v\nwant %q", b, err, want)
		}
		if !strings.HasSuffix(files[0], fmt.Sprintf(",S=%d", len(want))) {
			t.Errorf("name %s does not tell the size %d", files[0], len(want))
		}
		for _, sub := range subfolders {
			st, err := os.Stat(filepath.Join(dir, "example.org", who, sub))
			if err != nil || st.Mode().Perm() != 0o700 {
				t.Errorf("%s: %v, %v; want 0700", sub, st.Mode(), err)
			}
		}
	}
}

// list is every file of a mailbox, with those that were left in tmp.
func list(t testing.TB, box string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(box, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestADeliveryToTheSameAddressIsALoop(t *testing.T) {
	dir := t.TempDir()
	p := start(t, system{}, dir+"/{local}")
	o := deliver(t, t.Context(), p, "Delivered-To: JOE@example.org\n\n", "joe@example.org", "ann@example.org")
	if o[0].Status != sdk.StatusFailed || o[0].Reply.Enhanced != "5.4.6" || o[1].Status != sdk.StatusDelivered {
		t.Errorf("outcomes %+v", o)
	}
	if files := list(t, filepath.Join(dir, "joe")); len(files) != 0 {
		t.Errorf("a loop left %v", files)
	}
	o = deliver(t, t.Context(), p, strings.Repeat("X: y\n", 1<<20/5), "joe@example.org")
	if o[0].Status != sdk.StatusFailed || o[0].Reply.Enhanced != "5.6.0" {
		t.Errorf("an endless header: %+v", o)
	}
}

func TestNamesAreUniqueAmongManyDeliveriesAtOneInstant(t *testing.T) {
	dir := t.TempDir()
	a, b := start(t, system{}, dir+"/{local}"), start(t, system{}, dir+"/{local}")
	var wg sync.WaitGroup
	for i := range 40 {
		p := a
		if i%2 == 1 {
			p = b
		}
		wg.Go(func() {
			if o := deliver(t, t.Context(), p, "x: y\n\n", "joe@example.org"); o[0].Status != sdk.StatusDelivered {
				t.Errorf("%+v", o[0])
			}
		})
	}
	wg.Wait()
	if n := len(list(t, filepath.Join(dir, "joe"))); n != 40 {
		t.Errorf("%d files of 40: a name was given twice", n)
	}
}

// faulty is a disk that fails at one operation, counted from 1.
type faulty struct {
	system
	at    int
	err   error
	count *int
	log   *[]string
}

func (d faulty) fail(op, path string) error {
	*d.count++
	*d.log = append(*d.log, op+" "+filepath.Base(path))
	if *d.count == d.at {
		return d.err
	}
	return nil
}
func (d faulty) Mkdir(p string) error {
	return errors.Join(d.fail("mkdir", p), d.system.Mkdir(p))
}
func (d faulty) Rename(a, b string) error {
	if err := d.fail("rename", b); err != nil {
		return err
	}
	return d.system.Rename(a, b)
}
func (d faulty) SyncDir(p string) error {
	return errors.Join(d.fail("syncdir", p), d.system.SyncDir(p))
}
func (d faulty) Exists(p string) (bool, error) {
	if err := d.fail("exists", p); err != nil {
		return false, err
	}
	return d.system.Exists(p)
}
func (d faulty) Create(p string) (file, error) {
	if err := d.fail("create", p); err != nil {
		return nil, err
	}
	f, err := d.system.Create(p)
	return faultyFile{f, d, p}, err
}

type faultyFile struct {
	file
	d faulty
	p string
}

func (f faultyFile) Write(b []byte) (int, error) {
	if err := f.d.fail("write", f.p); err != nil {
		n, _ := f.file.Write(b[:len(b)/2])
		return n, err
	}
	return f.file.Write(b)
}
func (f faultyFile) Sync() error  { return errors.Join(f.d.fail("sync", f.p), f.file.Sync()) }
func (f faultyFile) Close() error { return errors.Join(f.d.fail("close", f.p), f.file.Close()) }

func TestAFaultAtEveryOperationDefersAndLeavesNoFile(t *testing.T) {
	for _, tt := range []struct {
		err  error
		code string
	}{{syscall.ENOSPC, "4.3.1"}, {syscall.EDQUOT, "4.2.2"}, {syscall.EACCES, "4.3.0"}, {syscall.EIO, "4.3.0"}} {
		for at := 1; ; at++ {
			dir := t.TempDir()
			count, log := 0, []string{}
			p := start(t, faulty{at: at, err: tt.err, count: &count, log: &log}, dir+"/{domain}/{local}")
			o := deliver(t, t.Context(), p, "a: b\n\nc\n", "joe@example.org")[0]
			files := list(t, filepath.Join(dir, "example.org", "joe"))
			if count < at {
				if o.Status != sdk.StatusDelivered || len(files) != 1 || at < 15 {
					t.Errorf("without fault after %d operations: %+v %v", count, o, files)
				}
				break
			}
			if o.Status != sdk.StatusDeferred || o.Reply.Enhanced != tt.code || o.MaybeDuplicate {
				t.Errorf("%v at %s: %v %v, want deferred %s", tt.err, log[at-1], o.Status, o.Reply, tt.code)
			}
			if len(files) != 0 {
				t.Errorf("%v at %s left %v", tt.err, log[at-1], files)
			}
			if strings.Contains(o.Reply.Text, dir) {
				t.Errorf("the reply tells the path: %v", o.Reply)
			}
			if l := p.host.(*plugintest.Host).Logs(); len(l) != 1 {
				t.Errorf("%v at %s: logs %v, want one line", tt.err, log[at-1], l)
			}
		}
	}
}

func TestTheFileIsSyncedBeforeItIsRenamedAndTheFolderAfter(t *testing.T) {
	count, log := 0, []string{}
	dir := t.TempDir()
	p := start(t, faulty{count: &count, log: &log}, dir+"/{local}")
	deliver(t, t.Context(), p, "a: b\n\n", "joe@example.org")
	all := strings.Join(log, ";")
	rest := all
	for _, step := range []string{"mkdir joe;syncdir ", "mkdir tmp;syncdir joe;", "mkdir new;syncdir joe;", "mkdir cur;syncdir joe;",
		"create ", ";write ", ";sync ", ";close ", ";rename ", ";syncdir new"} {
		_, after, ok := strings.Cut(rest, step)
		if !ok {
			t.Fatalf("no %q in its place: %s", step, all)
		}
		rest = after
	}
	if rest != "" {
		t.Errorf("after the folder was synced: %s", rest)
	}
}

func TestADoneContextDefersAndLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	p := start(t, system{}, dir+"/{local}")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := deliver(t, ctx, p, "a: b\n\n", "joe@example.org")
	if o[0].Status != sdk.StatusDeferred || len(list(t, filepath.Join(dir, "joe"))) != 0 {
		t.Errorf("%+v %v", o, list(t, dir))
	}
}

func TestCRLFBecomesLFWhereverTheReaderStops(t *testing.T) {
	for _, in := range []string{"", "a", "\r\n", "a\r\nb\r\n", "a\rb", "\r", "\r\r\n", "a\n\r\n", "\r\n\r\n\r", "x\r\r\r\ny", strings.Repeat("line\r\n", 20000)} {
		want := strings.ReplaceAll(in, "\r\n", "\n")
		for name, r := range map[string]io.Reader{
			"whole":         strings.NewReader(in),
			"byte by byte":  iotest.OneByteReader(strings.NewReader(in)),
			"half":          iotest.HalfReader(strings.NewReader(in)),
			"data with EOF": iotest.DataErrReader(strings.NewReader(in)),
		} {
			var b bytes.Buffer
			n, err := copyLF(t.Context(), &b, r)
			if err != nil || b.String() != want || n != int64(len(want)) {
				t.Errorf("%s: %.20q became %.20q (%d), %v", name, in, b.String(), n, err)
			}
		}
	}
	broken := errors.New("broken")
	if _, err := copyLF(t.Context(), io.Discard, iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("a broken spool: %v", err)
	}
}

func TestAMistakeInTheConfigurationIsNamed(t *testing.T) {
	for _, tt := range []struct{ config, want string }{
		{`{}`, "absolute path"},
		{`{"path": "mail/{local}"}`, "absolute path"},
		{`{"path": "/var/mail/../{local}"}`, `".."`},
		{`{"path": "/var//mail/{local}"}`, "double slashes"},
		{`{"path": "/var/mail/{domain}"}`, "one mailbox"},
		{`{"path": "/var/mail/{user}/{local}"}`, "only {domain} and {local}"},
		{`{"path": "/{local}", "mode": "0600"}`, `"mode"`},
	} {
		err := New().Start(t.Context(), plugintest.NewHost(), []byte(tt.config))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want it to say %s", tt.config, err, tt.want)
		}
	}
}
