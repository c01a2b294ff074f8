package process

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/serve/frames"
	"github.com/programmable-mta/mta/sdk/wire"
	"google.golang.org/grpc"
)

// liar is a plugin without an SDK, and without manners.
type liar struct {
	goplugin.NetRPCUnsupportedPlugin
	mode string
}

// lie serves it, in the child process.
func lie(mode string) {
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig:  frames.Handshake(),
		VersionedPlugins: map[int]goplugin.PluginSet{frames.Version: {frames.Name: &liar{mode: mode}}},
		Logger:           hclog.NewNullLogger(),
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, grpc.ForceServerCodecV2(frames.Codec{}))...)
		},
	})
}

func (l *liar) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	desc := frames.Stream()
	desc.Handler = func(_ any, g grpc.ServerStream) error { return l.serve(g) }
	s.RegisterService(&grpc.ServiceDesc{ServiceName: frames.Service, HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{*desc}}, l)
	return nil
}

func (l *liar) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("not here")
}

func (l *liar) serve(g grpc.ServerStream) error {
	for {
		var f frames.Frame
		if err := g.RecvMsg(&f); err != nil {
			return err
		}
		m, err := frames.Parse(f.In)
		if err != nil {
			return err
		}
		say := func(seq uint64, call uint32, kind int, body string) {
			var w wire.ProtoWriter
			w.Int(wire.ProtoSeq, int64(seq))
			w.Int(wire.ProtoCall, int64(call))
			at := w.Begin(kind)
			w.Raw(body)
			w.End(at)
			g.SendMsg(&frames.Frame{Out: w.Bytes()})
		}
		switch m.Kind {
		case wire.ProtoDescribe:
			var w wire.ProtoWriter
			d := sdk.Description{Hooks: map[string][]string{"rcpt": {"*"}}}
			if l.mode == "talker" {
				d.Version = strings.Repeat("9", maxDescription)
			}
			w.Description(&d)
			say(m.Seq, 0, wire.ProtoDescribe, string(w.Bytes()))
		case wire.ProtoStart, wire.ProtoSelfTest, wire.ProtoStop:
			say(m.Seq, 0, wire.ProtoStart, "")
		case wire.ProtoHook + wire.HookRcpt:
			e, err := wire.UnmarshalRcptEvent(m.Body)
			if err != nil {
				return err
			}
			if err := l.rcpt(g, m, sdk.LocalPart(e.Recipient.Addr), say); err != nil {
				return err
			}
		}
	}
}

func (l *liar) rcpt(g grpc.ServerStream, m frames.Message, word string, say func(seq uint64, call uint32, kind int, body string)) error {
	switch word {
	case "garbage":
		g.SendMsg(&frames.Frame{Out: []byte("\xff\xff\xff")})
	case "nothing":
		g.SendMsg(&frames.Frame{})
	case "hang-up":
		return errors.New("enough")
	case "other-kind":
		say(m.Seq, 0, wire.ProtoHook+wire.HookRoute, "")
	case "result":
		say(m.Seq, 0, wire.ProtoResult, "")
	case "undecodable":
		say(m.Seq, 0, m.Kind, "\x08")
	case "elements":
		say(m.Seq, 0, m.Kind, strings.Repeat("\x22\x00", wire.MaxElements+1))
	case "huge":
		say(m.Seq, 0, m.Kind, strings.Repeat("\x1a\x00", frames.MaxFromPlugin/2+1))
	case "error":
		say(m.Seq, 0, wire.ProtoError, "\x0a\x0cone\r\nline\x00!\xff")
	case "no-words":
		say(m.Seq, 0, wire.ProtoError, "")
	case "twice":
		say(m.Seq, 0, m.Kind, "\x08\x03")
		say(m.Seq, 0, m.Kind, "\x08\x01")
		say(m.Seq+1, 0, m.Kind, "\x08\x01") // before it was asked
	case "unknown-call":
		say(m.Seq, 1, wire.ProtoHostCall+99, "")
		say(m.Seq, 0, m.Kind, "")
	case "bad-call":
		say(m.Seq, 1, wire.ProtoHostCall+wire.CallKVGet, "\x0a\x7f")
		say(m.Seq, 0, m.Kind, "")
	case "calls": // and nobody reads their results
		piece := "\x0a\x80\x80\x40" + strings.Repeat("x", 1<<20)
		for i := range 300 {
			say(m.Seq, uint32(i+1), wire.ProtoHostCall+wire.CallKVGet, piece)
		}
		say(m.Seq, 0, m.Kind, "\x08\x03")
	case "calls-of-others":
		for i := range 300 {
			say(m.Seq+1000, uint32(i+1), wire.ProtoHostCall+wire.CallLog, "")
		}
		say(m.Seq, 0, m.Kind, "\x08\x03")
	default:
		say(m.Seq, 0, m.Kind, "\x08\x03")
	}
	return nil
}

// Whatever a plugin says, it costs its own call, or its process.
func TestALiarHarmsNobodyElse(t *testing.T) {
	p, _ := mustLoad(t, "liar", func(rt *processes, s *runtime.Spec) {
		quick(rt, s)
		rt.timing.crashes = 100
	})
	for word, want := range map[string]string{
		"garbage": "no message", "nothing": "nothing in it", "hang-up": "went away", "other-kind": "field 108", "result": "one line",
		"undecodable": "does not decode", "elements": "does not decode", "huge": "went away", "error": "one  line !?", "no-words": "without words",
		"twice": "", "unknown-call": "", "bad-call": "", "calls": "", "calls-of-others": "",
	} {
		until(t, "it runs", func() bool { return p.Stats().State == "ready" })
		before := p.Stats().Restarts
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, err := rcpt(ctx, p, word)
		cancel()
		if want == "one line" { // an empty error
			want = "without words"
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", word, err)
		}
		if err != nil && (strings.Contains(err.Error(), "went away") || strings.Contains(err.Error(), "no message")) {
			until(t, "it runs again after "+word, func() bool { return p.Stats().Restarts > before })
		}
		if a, err := rcpt(t.Context(), p, "truth"); err != nil || a.Action != sdk.Reject {
			t.Errorf("after %s: %+v %v", word, a, err)
		}
	}
	if n := p.child.Load().bytes.Load(); n != 0 {
		t.Errorf("%d octets of calls are still counted", n)
	}
}

func TestALongDescriptionIsRefused(t *testing.T) {
	if _, _, err := load(t, "talker", func(rt *processes, s *runtime.Spec) {}); err == nil || !strings.Contains(err.Error(), "its description has") {
		t.Errorf("%v", err)
	}
}
