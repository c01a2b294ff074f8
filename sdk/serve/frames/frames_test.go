package frames_test

import (
	"strings"
	"testing"

	"github.com/programmable-mta/mta/sdk/serve/frames"
	"github.com/programmable-mta/mta/sdk/wire"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/mem"
)

func TestAMessageIsTakenApart(t *testing.T) {
	var w wire.ProtoWriter
	w.Int(wire.ProtoSeq, 7)
	w.Int(wire.ProtoCall, 8)
	w.Int(wire.ProtoNow, 9)
	at := w.Begin(wire.ProtoHook + wire.HookRcpt)
	w.Raw(strings.Repeat("x", 300))
	w.End(at)
	m, err := frames.Parse(string(w.Bytes()))
	if err != nil || m.Seq != 7 || m.Call != 8 || m.Now.UnixNano() != 9 || m.Kind != 105 || m.Body != strings.Repeat("x", 300) {
		t.Errorf("%+v %v", m, err)
	}
	for _, bad := range []string{"", "\x08\x07", "\x52\x05", "\x50\x01"} {
		if _, err := frames.Parse(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestTheCodecCarriesFramesAndOrdinaryMessages(t *testing.T) {
	var c frames.Codec
	out, err := c.Marshal(&frames.Frame{Out: []byte("abc")})
	if err != nil || string(out.Materialize()) != "abc" {
		t.Errorf("%q %v", out.Materialize(), err)
	}
	for _, data := range []mem.BufferSlice{{mem.SliceBuffer("abcdef")}, {mem.SliceBuffer("abc"), mem.SliceBuffer("def")}} {
		var f frames.Frame
		if err := c.Unmarshal(data, &f); err != nil || f.In != "abcdef" {
			t.Errorf("%q %v", f.In, err)
		}
	}
	out, err = c.Marshal(&grpc_health_v1.HealthCheckRequest{Service: "plugin"})
	if err != nil {
		t.Fatal(err)
	}
	var r grpc_health_v1.HealthCheckRequest
	if err := c.Unmarshal(out, &r); err != nil || r.Service != "plugin" || c.Name() != "proto" {
		t.Errorf("%+v %v", &r, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("\x08\x07\x10\x08\xca\x06\x01x")
	f.Fuzz(func(t *testing.T, s string) {
		m, err := frames.Parse(s)
		if err == nil && (m.Kind < wire.ProtoDescribe || len(m.Body) > len(s)) {
			t.Errorf("%+v", m)
		}
	})
}
