// Package frames is what both ends of the stream to a process plugin have in
// common: the handshake, the name of the method, and a gRPC codec that leaves
// the messages of the stream to sdk/wire. Plugin authors do not need it.
package frames

import (
	"fmt"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"github.com/programmable-mta/mta/sdk/wire"
	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // the codec of health and control messages
	"google.golang.org/grpc/mem"
)

// Name is that of the one service, for go-plugin and for its health check.
const Name = "plugin"

// Method is the stream, and Service where it is found.
const (
	Service = "mta.v1.Plugin"
	Method  = "/" + Service + "/Serve"
)

// Version is the major version of the contract; the minor one is in the
// plugin's description.
const Version = 1

// ParentEnv names the variable with the relay's process ID: a plugin whose
// parent is another one ends.
const ParentEnv = "MTA_PLUGIN_PARENT"

// Sizes of one message: events, results of calls; and answers, which may hold a
// whole body.
const (
	MaxToPlugin   = 16 << 20
	MaxFromPlugin = 34 << 20
)

// Handshake keeps a plugin from being started by hand by mistake.
func Handshake() goplugin.HandshakeConfig {
	return goplugin.HandshakeConfig{ProtocolVersion: Version, MagicCookieKey: "MTA_PLUGIN", MagicCookieValue: "mta1"}
}

// Stream describes the method for gRPC.
func Stream() *grpc.StreamDesc {
	return &grpc.StreamDesc{StreamName: "Serve", ServerStreams: true, ClientStreams: true}
}

// Frame is one message of the stream.
type Frame struct {
	Out []byte // to be sent
	In  string // as received
}

// Codec carries frames as they are, and leaves other messages to the ordinary
// codec, whose name it has.
type Codec struct{}

// Name implements [encoding.CodecV2].
func (Codec) Name() string { return "proto" }

// Marshal implements [encoding.CodecV2]. It copies, so that the sender can use
// its memory again.
func (Codec) Marshal(v any) (mem.BufferSlice, error) {
	if f, ok := v.(*Frame); ok {
		return mem.BufferSlice{mem.Copy(f.Out, mem.DefaultBufferPool())}, nil
	}
	return encoding.GetCodecV2("proto").Marshal(v)
}

// Unmarshal implements [encoding.CodecV2].
func (Codec) Unmarshal(data mem.BufferSlice, v any) error {
	f, ok := v.(*Frame)
	if !ok {
		return encoding.GetCodecV2("proto").Unmarshal(data, v)
	}
	if len(data) == 1 {
		f.In = string(data[0].ReadOnlyData())
	} else {
		f.In = string(data.Materialize())
	}
	return nil
}

// Message is a ToPlugin or FromPlugin taken apart.
type Message struct {
	Seq  uint64
	Call uint32
	Now  time.Time
	Kind int    // the number of the field that it holds: wire.ProtoStart, ...
	Body string // that field
}

// Parse takes a message of the stream apart.
func Parse(s string) (m Message, err error) {
	r := wire.NewProtoReader(s)
	for r.Next() {
		switch {
		case r.Field == wire.ProtoSeq:
			m.Seq = uint64(r.Int())
		case r.Field == wire.ProtoCall:
			m.Call = uint32(r.Int())
		case r.Field == wire.ProtoNow:
			m.Now = r.Time()
		case r.Field >= wire.ProtoDescribe:
			m.Kind, m.Body = r.Field, r.Text()
		}
	}
	if r.Err() == nil && m.Kind == 0 {
		return m, fmt.Errorf("frames: a message with nothing in it")
	}
	return m, r.Err()
}
