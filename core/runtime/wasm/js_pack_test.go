package wasm

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
)

const prebuiltScript = "../../../testdata/wasm/js-realrcpt.wasm"

func prebuilt(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(prebuiltScript)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAPackedScriptIsTakenApartAsItWas(t *testing.T) {
	b := prebuilt(t)
	p, err := unpack(b)
	if err != nil || p == nil {
		t.Fatalf("got %v, %v", p, err)
	}
	again, err := PackScript(p.engine, []byte(p.prelude), []byte(p.script))
	if err != nil || !bytes.Equal(again, b) {
		t.Errorf("packed anew it is another file: %v", err)
	}
	if !strings.Contains(p.script, "export function onRcpt") {
		t.Errorf("the script is %q", p.script)
	}
}

func TestWhatIsNoEngineOrNoScriptIsNotPacked(t *testing.T) {
	p, err := unpack(prebuilt(t))
	if err != nil {
		t.Fatal(err)
	}
	noop, err := os.ReadFile("testdata/noop.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		engine, script string
		want           string
	}{
		"an empty script":      {string(p.engine), " \n", "the script is empty"},
		"a binary script":      {string(p.engine), "a\x00b", "the script is no text"},
		"a script of 5 MiB":    {string(p.engine), strings.Repeat("x", 5<<20), "leave out what the plugin does not use"},
		"a plugin as engine":   {string(prebuilt(t)), "x", "it has a script"},
		"another module":       {string(noop), "x", "the engine has no function"},
		"no module":            {"#!/bin/sh\n", "x", "the engine: it is cut off, or damaged"},
		"a module that is cut": {string(p.engine[:5000]), "x", "it is cut off, or damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := PackScript([]byte(x.engine), []byte(p.prelude), []byte(x.script)); err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("got %v, want %q", err, x.want)
			}
		})
	}
}

func TestAPluginWithSectionsThatDoNotFitIsRefused(t *testing.T) {
	p, err := unpack(prebuilt(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		sections []string
		want     string
	}{
		"no engine":       {[]string{preludeSection, scriptSection}, "it has not all of the sections"},
		"another release": {[]string{engineSection, preludeSection, scriptSection}, "build it anew with mta plugin build"},
		"two scripts":     {[]string{engineSection, preludeSection, scriptSection, scriptSection}, "it has two sections mta1.script"},
	} {
		t.Run(name, func(t *testing.T) {
			b := slices.Clone(p.engine)
			for _, s := range x.sections {
				b = appendCustom(b, s, []byte("x"))
			}
			if _, err := unpack(b); err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("got %v, want %q", err, x.want)
			}
		})
	}
}

func FuzzUnpack(f *testing.F) {
	small := []byte("\x00asm\x01\x00\x00\x00")
	f.Add(small)
	f.Add(appendCustom(appendCustom(appendCustom(slices.Clone(small), engineSection, nil), preludeSection, []byte("p")), scriptSection, []byte("s")))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := unpack(b)
		if err != nil || p == nil {
			return
		}
		if len(p.engine)+len(p.prelude)+len(p.script) > len(b) || !bytes.HasPrefix(b, p.engine) {
			t.Errorf("%d octets were taken apart into %d, %d and %d", len(b), len(p.engine), len(p.prelude), len(p.script))
		}
	})
}

func TestFieldsThatAreStringsAreMadeByTheRelay(t *testing.T) {
	for _, x := range []struct {
		fields, paths, whole string
	}{
		{"", "", ""},
		{"*", "", ""},
		{"recipient.addr", "recipient.addr", "recipient"},
		{"session.remote_ip session.login recipient.addr", "session.remote_ip session.login recipient.addr", "session recipient"},
		{"session.remote_ip session.remote_port", "session.remote_ip", ""},
		{"envelope.from envelope.origin.ip", "envelope.from envelope.origin.ip", "envelope.origin"},
		{"session.helo session", "session.helo", ""},
		{"envelope.recipients", "", ""},
		{"envelope.recipients.addr envelope.from", "envelope.from", ""},
	} {
		paths, whole := eagerFields("rcpt", strings.Fields(x.fields))
		if got := strings.Join(paths, " "); got != x.paths {
			t.Errorf("%q: the relay makes %q, want %q", x.fields, got, x.paths)
		}
		if got := strings.Join(whole, " "); got != x.whole {
			t.Errorf("%q: nothing else is in %q, want %q", x.fields, got, x.whole)
		}
	}
}
