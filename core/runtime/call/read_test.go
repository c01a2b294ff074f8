package call_test

import (
	"context"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/core/runtime/call"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
	"github.com/programmable-mta/mta/sdk/wire"
)

func read(t *testing.T, s *call.Scope, offset int64, size int) (string, sdk.CallCode) {
	t.Helper()
	var q, a wire.Writer
	b, code := s.Do(context.Background(), wire.CallRead, string(q.ReadCall(&sdk.ReadCall{Offset: offset, Size: size})), &a)
	if code != sdk.CallOK {
		return string(b), code
	}
	r, err := wire.ParseReadResult(string(b))
	if err != nil {
		t.Fatal(err)
	}
	return string(r.Data), code
}

// Message.Header of a plugin in another process or module reads the message; the
// grant of the header is enough for it.
func TestWhoMaySeeTheHeaderReadsAsFarAsItGoes(t *testing.T) {
	long := "X-Long: " + strings.Repeat("x", 10_000) + "\r\n"
	for _, tt := range []struct {
		name, message, header string
	}{
		{"a header and a body", "Subject: x\n\nbody\n", "Subject: x\r\n\r\n"},
		{"no body", "Subject: x\n\n", "Subject: x\r\n\r\n"},
		{"no empty line", "Subject: x\n", "Subject: x\r\n"},
		{"no header", "\nbody\n", "\r\n"},
		{"a long line", long + "\nbody", long + "\r\n"},
	} {
		m := plugintest.Message(tt.message)
		s := &call.Scope{Host: plugintest.NewHost(), Grants: &runtime.Grants{Headers: runtime.Read}, Message: m}
		if got, code := read(t, s, 0, 1<<16); code != sdk.CallOK || got != tt.header {
			t.Errorf("%s: %v, %d octets", tt.name, code, len(got))
		}
		behind, code := read(t, s, int64(len(tt.header)), 10)
		switch {
		case m.Size == int64(len(tt.header)) && (code != sdk.CallOK || behind != ""):
			t.Errorf("%s: behind the end: %v %q", tt.name, code, behind)
		case m.Size > int64(len(tt.header)) && (code != sdk.NotGranted || !strings.Contains(behind, `allow.body = "read"`)):
			t.Errorf("%s: of the body: %v %q", tt.name, code, behind)
		}
		s.Reset()
		s.Message = m
		s.Grants = &runtime.Grants{Body: runtime.Read}
		if got, code := read(t, s, 0, 1<<16); code != sdk.CallOK || int64(len(got)) != m.Size {
			t.Errorf("%s: with the body: %v, %d octets", tt.name, code, len(got))
		}
		s.Reset()
		s.Message, s.Grants = m, &runtime.Grants{}
		if _, code := read(t, s, 0, 10); code != sdk.NotGranted {
			t.Errorf("%s: without a grant: %v", tt.name, code)
		}
		s.End()
	}
}
