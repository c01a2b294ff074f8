package runtime

import (
	"strings"
	"testing"
)

func TestWhatAPluginNeedsIsComparedWithWhatItIsGiven(t *testing.T) {
	for _, tc := range []struct {
		needs string
		given Grants
		want  string
	}{
		{"", Grants{}, ""},
		{"kv dns", Grants{KV: 1, DNS: true}, ""},
		{"kv dns", Grants{DNS: true}, `allow.kv = "8MiB"`},
		{"headers", Grants{Headers: Read}, ""},
		{"headers=write", Grants{Headers: Read}, `allow.headers = "write"`},
		{"headers=write body=write", Grants{Headers: Write, Body: Read}, `allow.body = "write"`},
		{"body=write", Grants{Body: Write}, ""},
		{"telepathy", Grants{}, `there is no such grant`},
		{"kv=write", Grants{KV: 1}, `there is no such grant`},
		{"body=read", Grants{Body: Write}, `there is no such grant`},
	} {
		keys, err := tc.given.Missing(strings.Fields(tc.needs))
		got := strings.Join(keys, ", ")
		if err != nil {
			got = err.Error()
		}
		if got != tc.want && (tc.want == "" || !strings.Contains(got, tc.want)) {
			t.Errorf("%q with %+v: %q, want %q", tc.needs, tc.given, got, tc.want)
		}
	}
}
