package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/programmable-mta/mta/core/control"
	"github.com/programmable-mta/mta/core/record"
)

func TestALivePluginIsRecordedAndReplayed(t *testing.T) {
	d := startDaemon(t, "")
	path := func(name string) string { return filepath.Join(d.dir, name) }
	recorder := func(name string, more ...string) *child {
		c := spawn(t, d.dir, d.bin, append([]string{"plugin", "record", "relay", "--out", path(name), "-c", d.config}, more...)...)
		waitFor(t, 10*time.Second, "the recording begins", func() bool {
			st, err := os.Stat(path(name))
			return err == nil && st.Size() > 0
		})
		return c
	}
	mail := func() {
		d.mta("send", "--addr", fmt.Sprintf("127.0.0.1:%d", d.port), "--from", "a@sender.test", "--to", "someone@rcpt.test")
	}
	ended := func(c *child, says string) {
		t.Helper()
		select {
		case <-c.done:
		case <-time.After(20 * time.Second):
			t.Fatalf("the recording does not end: %s", c.log.String())
		}
		if code := c.cmd.ProcessState.ExitCode(); code != 0 || !strings.Contains(c.log.String(), says) {
			t.Errorf("status %d, want 0 with %q:\n%s", code, says, c.log.String())
		}
	}

	limited := recorder("limited.jsonl", "--calls", "2")
	out, err := exec.Command(d.bin, "plugin", "record", "relay", "--out", path("second"), "-c", d.config).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "is being recorded already") {
		t.Errorf("two at once: %v %s", err, out)
	}
	mail()
	mail()
	ended(limited, "2 calls recorded")
	if st, err := os.Stat(path("limited.jsonl")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st, err)
	}
	out, err = exec.Command(d.bin, "plugin", "replay", path("limited.jsonl"), "--plugin", "builtin:relay").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "2 calls replayed: 2 the same, 0 different") || strings.Contains(string(out), "warning") {
		t.Errorf("%v\n%s", err, out)
	}

	interrupted := recorder("interrupted.jsonl", "--hash-addresses")
	mail()
	waitFor(t, 10*time.Second, "the call is written", func() bool {
		b, err := os.ReadFile(path("interrupted.jsonl"))
		return err == nil && strings.Contains(string(b), `"hook":"rcpt"`)
	})
	must(t, interrupted.cmd.Process.Signal(os.Interrupt))
	ended(interrupted, "1 call recorded")
	b, err := os.ReadFile(path("interrupted.jsonl"))
	must(t, err)
	if strings.Contains(string(b), "someone@") || !strings.Contains(string(b), "@rcpt.test") {
		t.Errorf("%s", b)
	}
	if rec, err := record.Read(strings.NewReader(string(b))); err != nil || rec.End == nil || len(rec.Calls) != 1 {
		t.Errorf("%v\n%s", err, b)
	}
	if _, err := os.Stat(path("second")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was left behind: %v", err)
	}
}

// recordBackend is a relay that has recorded, and compared, already.
type recordBackend struct {
	control.Backend
	asked control.Recording
	file  string
	err   error
}

func (b *recordBackend) PluginRecord(_ context.Context, q control.Recording) (io.ReadCloser, error) {
	b.asked = q
	return io.NopCloser(strings.NewReader(b.file)), b.err
}

func (b *recordBackend) PluginDiff(_ context.Context, plugin string) (*record.Differences, error) {
	var d record.Diff
	d.Add("rcpt", "reject 550 5.7.1 no", "accept", record.Example{ID: "Q1"})
	d.Add("rcpt", "accept", "accept", record.Example{ID: "Q2"})
	s := d.Snapshot()
	s.Plugin = plugin
	return s, b.err
}

// ask runs a command line against a backend.
func ask(t *testing.T, b control.Backend, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs output
	w := systemWorld()
	w.stdin, w.stdout, w.stderr, w.backend = strings.NewReader(""), &out, &errs, b
	status = execute(t.Context(), w, args)
	return out.String(), errs.String(), status
}

const someRecording = `{"mta_recording":1,"plugin":"relay","config":{"domains":["ours.test"]},"hashed":false,"bodies":false}
{"n":1,"hook":"rcpt","event":{"recipient":{"addr":"a@ours.test"}},"calls":[],"answer":{"action":"accept","reason":"domain ours.test is ours"}}
`

func TestRecordAsksForWhatItsFlagsSay(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r.jsonl")
	b := &recordBackend{file: someRecording + `{"end":{"calls":1,"dropped":3,"bytes":200,"why":"its time was over"}}` + "\n"}
	_, errs, status := ask(t, b, "plugin", "record", "relay", "--out", path, "--for", "10m", "--calls", "5", "--max-bytes", "2MiB", "--bodies")
	if want := (control.Recording{Plugin: "relay", Seconds: 600, Calls: 5, MaxBytes: 2 << 20, Bodies: true}); status != exitOK || b.asked != want {
		t.Errorf("status %d, asked for %+v\n%s", status, b.asked, errs)
	}
	if !strings.Contains(errs, "1 call recorded (200 B): its time was over") || !strings.Contains(errs, "3 calls could not be written") {
		t.Error(errs)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != b.file {
		t.Errorf("%s, %v", got, err)
	}
	if _, errs, status := ask(t, b, "plugin", "record", "relay", "--out", path); status != exitFailed || !strings.Contains(errs, "is there already") {
		t.Errorf("status %d: %s", status, errs)
	}
	if _, errs, status := ask(t, b, "plugin", "record", "relay", "--out", path, "--force"); status != exitOK {
		t.Errorf("status %d: %s", status, errs)
	}
	if out, _, status := ask(t, b, "plugin", "record", "relay", "--out", "-"); status != exitOK || out != b.file {
		t.Errorf("status %d: %s", status, out)
	}
	// A relay that goes away leaves a file that can be replayed.
	b.file = someRecording + `{"n":2,"hook":"rc`
	if _, errs, status := ask(t, b, "plugin", "record", "relay", "--out", path, "--force"); status != exitOK || !strings.Contains(errs, "broken off") {
		t.Errorf("status %d: %s", status, errs)
	}
	if out, errs, status := ask(t, nil, "plugin", "replay", path, "--plugin", "builtin:relay"); status != exitOK || !strings.Contains(out, "1 the same") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	for args, says := range map[string]string{
		"relay":                               "--out is missing",
		"relay --out " + dir + "/x --for 1ms": "at least a second",
		"relay --out " + dir + "/x --max-bytes y": "--max-bytes",
		"": "see 'mta plugin record --help'",
	} {
		if _, errs, status := ask(t, b, append([]string{"plugin", "record"}, strings.Fields(args)...)...); status != exitUsage || !strings.Contains(errs, says) {
			t.Errorf("%s: status %d: %s", args, status, errs)
		}
	}
	b.err = fmt.Errorf("%w: there is no plugin", control.ErrNotFound)
	if _, _, status := ask(t, b, "plugin", "record", "nobody", "--out", filepath.Join(dir, "none")); status != exitFailed {
		t.Errorf("status %d", status)
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("a wrong name leaves a file behind")
	}
}

func TestReplayShowsTheFirstDifferenceAndFails(t *testing.T) {
	c := newCLI(t)
	good := c.file("good.jsonl", someRecording)
	changed := c.file("changed.jsonl", strings.Replace(someRecording, `"accept"`, `"reject"`, 1))
	broken := c.file("broken.jsonl", someRecording+"nonsense\n")
	settings := c.file("settings.json", `{"domains":["elsewhere.test"]}`)
	for _, tc := range []struct {
		args   string
		status int
		says   string
	}{
		{good + " --plugin builtin:relay", exitOK, "1 call replayed: 1 the same, 0 different"},
		{good + " --plugin builtin:relay --json", exitOK, `"same": 1`},
		{changed + " --plugin builtin:relay", exitFailed, "recorded  reject\n    replayed  accept"},
		{changed + " --plugin builtin:relay --json", exitFailed, `"path": "answer.action"`},
		{good + " --plugin builtin:relay --settings " + settings, exitFailed, "answer.action"},
		{good + " --plugin builtin:nobody", exitFailed, `no builtin plugin "nobody"`},
		{good, exitUsage, "--plugin is missing"},
		{broken + " --plugin builtin:relay", exitFailed, broken + ": line 3: it is not a JSON object"},
		{c.dir + "/none --plugin builtin:relay", exitFailed, "no such file"},
		{good + " --plugin builtin:relay --settings " + c.dir + "/none", exitFailed, "no such file"},
	} {
		out, errs, status := c.run(append([]string{"plugin", "replay"}, strings.Fields(tc.args)...)...)
		if status != tc.status || !strings.Contains(out+errs, tc.says) {
			t.Errorf("replay %s: status %d, want %d with %q\n%s%s", tc.args, status, tc.status, tc.says, out, errs)
		}
	}
}

func TestDiffShowsWhereAShadowDiffers(t *testing.T) {
	b := &recordBackend{}
	for args, says := range map[string]string{
		"shade":              "1  shadow reject, active accept\n            Q1: shadow: reject 550 5.7.1 no; active: accept",
		"shade --json":       `"plugin": "shade"`,
		"shade --examples 0": "2 calls, 1 answered as was done, 1 otherwise",
	} {
		out, errs, status := ask(t, b, append([]string{"plugin", "diff"}, strings.Fields(args)...)...)
		if status != exitOK || !strings.Contains(out, says) {
			t.Errorf("diff %s: status %d, want %q\n%s%s", args, status, says, out, errs)
		}
	}
	b.err = fmt.Errorf("%w: it is active", control.ErrUsage)
	if _, _, status := ask(t, b, "plugin", "diff", "relay"); status != exitUsage {
		t.Errorf("status %d", status)
	}
}
