package record

import (
	"encoding/json"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// Version is the version of the file format.
const Version = 1

// MaxFile is the largest file, in octets, that [Read] takes.
const MaxFile = 256 << 20

// maxLine is the longest line.
const maxLine = 16 << 20

// Header is the first line of a recording.
type Header struct {
	Version  int             `json:"mta_recording"`
	Plugin   string          `json:"plugin,omitempty"`
	Source   string          `json:"source,omitempty"`  // as in the configuration: builtin:relay
	Runtime  string          `json:"runtime,omitempty"` // builtin, wasm, process
	Digest   string          `json:"digest,omitempty"`  // SHA-256 of the plugin's file
	Config   json.RawMessage `json:"config,omitempty"`
	Hostname string          `json:"hostname,omitempty"`
	Started  time.Time       `json:"started,omitzero"`
	Hashed   bool            `json:"hashed"`
	Bodies   bool            `json:"bodies"`
}

// Summary is the last line of a recording.
type Summary struct {
	Calls   int64  `json:"calls"`   // lines written
	Dropped int64  `json:"dropped"` // calls that the writer could not take
	Bytes   int64  `json:"bytes"`   // of the lines
	Why     string `json:"why"`     // it ended
}

// line is one line behind the header, as it stands in the file.
type line struct {
	N        int64           `json:"n,omitempty"`
	Session  string          `json:"session,omitempty"`
	ID       string          `json:"id,omitempty"`
	Hook     string          `json:"hook,omitempty"`
	Time     time.Time       `json:"time,omitzero"`
	Event    json.RawMessage `json:"event,omitempty"`
	Calls    *[]hostLine     `json:"calls,omitempty"`
	Answer   json.RawMessage `json:"answer,omitempty"`
	Error    string          `json:"error,omitempty"`
	Body     string          `json:"body,omitempty"`
	Body64   []byte          `json:"body64,omitempty"`
	Withheld []string        `json:"withheld,omitempty"`
	TookNS   int64           `json:"took_ns,omitempty"`
	End      *Summary        `json:"end,omitempty"`
}

// hostLine is one call of the host, as it stands in a line.
type hostLine struct {
	Call    string          `json:"call"`
	Request json.RawMessage `json:"request,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Code    string          `json:"code,omitempty"`
	Text    string          `json:"text,omitempty"`
	Name    string          `json:"name,omitempty"` // of a DNS error, when it is not that of the request
}

// plainError is the code of errors that are no [sdk.CallError].
const plainError = "error"

// codeOf is the inverse of [sdk.CallCode.String].
func codeOf(name string) (sdk.CallCode, bool) {
	for c := sdk.CallOK; c <= sdk.CallNotAllowed; c++ {
		if c.String() == name {
			return c, true
		}
	}
	return 0, false
}

// shape makes the request and the result of a call of the host.
type shape struct{ request, result func() any }

func shapeOf[Q, R any]() shape {
	return shape{func() any { return new(Q) }, func() any { return new(R) }}
}

// shapes are the types of the calls. Those that read the message have none: they
// are answered from its content.
var shapes = map[string]func() shape{
	"log": shapeOf[sdk.LogCall, sdk.LogResult], "now": shapeOf[sdk.NowCall, sdk.NowResult],
	"random": shapeOf[sdk.RandomCall, sdk.RandomResult], "metric": shapeOf[sdk.MetricCall, sdk.MetricResult],
	"kv_get": shapeOf[sdk.KVGetCall, sdk.KVGetResult], "kv_set": shapeOf[sdk.KVSetCall, sdk.KVSetResult],
	"kv_swap": shapeOf[sdk.KVSwapCall, sdk.KVSwapResult], "kv_add": shapeOf[sdk.KVAddCall, sdk.KVAddResult],
	"kv_delete": shapeOf[sdk.KVDeleteCall, sdk.KVDeleteResult], "lookup": shapeOf[sdk.LookupCall, sdk.LookupResult],
	"mx": shapeOf[sdk.MXCall, sdk.MXResult], "http": shapeOf[sdk.HTTPCall, sdk.HTTPResult],
	"send": shapeOf[sdk.SendCall, sdk.SendResult],
}

func shapeOfCall(name string) (shape, bool) {
	s, ok := shapes[name]
	if !ok {
		return shape{}, false
	}
	return s(), true
}

// nameAsked is the name that a question for the DNS is about.
func nameAsked(request any) string {
	switch q := request.(type) {
	case *sdk.LookupCall:
		return q.Name
	case *sdk.MXCall:
		return q.Domain
	}
	return ""
}
