package sdk

import "time"

// A call is what a plugin outside of the relay's own program asks of it while
// a hook runs. The types below are its requests and results as they cross the
// border; plugins in Go use [Host] instead, which makes them. Each FooCall has
// a FooResult.
type (
	// LogCall writes one line to the relay's log.
	LogCall struct {
		Level int    `json:"level,omitzero"` // -4 debug, 0 info, 4 warning, 8 error
		Text  string `json:"text,omitzero"`  // at most 1 KiB is kept
	}
	// LogResult is empty.
	LogResult struct{}

	// NowCall asks what time it is.
	NowCall struct{}
	// NowResult is the relay's clock.
	NowResult struct {
		Time time.Time `json:"time,omitzero"`
	}

	// RandomCall asks for random octets.
	RandomCall struct {
		Size int `json:"size,omitzero"` // at most 4096
	}
	// RandomResult has them.
	RandomResult struct {
		Data []byte `json:"data,omitzero"`
	}

	// MetricCall adds to a counter, or sets a gauge.
	MetricCall struct {
		Name  string  `json:"name,omitzero"`
		Gauge bool    `json:"gauge,omitzero"` // set to Value; else add Value
		Value float64 `json:"value,omitzero"`
	}
	// MetricResult is empty.
	MetricResult struct{}

	// KVGetCall reads a key.
	KVGetCall struct {
		Key string `json:"key,omitzero"`
	}
	// KVGetResult is its value.
	KVGetResult struct {
		Found bool   `json:"found,omitzero"`
		Value []byte `json:"value,omitzero"`
	}

	// KVSetCall writes a key.
	KVSetCall struct {
		Key   string        `json:"key,omitzero"`
		Value []byte        `json:"value,omitzero"`
		TTL   time.Duration `json:"ttl,omitzero"` // 0: for ever
	}
	// KVSetResult is empty.
	KVSetResult struct{}

	// KVSwapCall is compare-and-swap.
	KVSwapCall struct {
		Key    string        `json:"key,omitzero"`
		HasOld bool          `json:"has_old,omitzero"` // false: the key must be absent
		Old    []byte        `json:"old,omitzero"`
		HasNew bool          `json:"has_new,omitzero"` // false: the key goes
		New    []byte        `json:"new,omitzero"`
		TTL    time.Duration `json:"ttl,omitzero"`
	}
	// KVSwapResult tells whether it was done.
	KVSwapResult struct {
		Swapped bool `json:"swapped,omitzero"`
	}

	// KVAddCall adds to a counter.
	KVAddCall struct {
		Key   string        `json:"key,omitzero"`
		Delta int64         `json:"delta,omitzero"`
		TTL   time.Duration `json:"ttl,omitzero"` // counts from the first Add
	}
	// KVAddResult is the counter's new value.
	KVAddResult struct {
		Value int64 `json:"value,omitzero"`
	}

	// KVDeleteCall removes a key.
	KVDeleteCall struct {
		Key string `json:"key,omitzero"`
	}
	// KVDeleteResult is empty.
	KVDeleteResult struct{}

	// LookupCall asks the DNS.
	LookupCall struct {
		Kind string `json:"kind,omitzero"` // A, AAAA, TXT, PTR (name is an IP address)
		Name string `json:"name,omitzero"`
	}
	// LookupResult has the records; none: no such name or record.
	LookupResult struct {
		Values []string `json:"values,omitzero"`
	}

	// MXCall asks where mail for a domain goes.
	MXCall struct {
		Domain string `json:"domain,omitzero"`
	}
	// MXResult tells.
	MXResult struct {
		MX MX `json:"mx,omitzero"`
	}

	// HTTPCall makes one request.
	HTTPCall struct {
		Request HTTPRequest `json:"request,omitzero"`
	}
	// HTTPResult is what came back.
	HTTPResult struct {
		Response HTTPResponse `json:"response,omitzero"`
	}

	// ReadCall reads a piece of the message that the hook is about.
	ReadCall struct {
		Offset int64 `json:"offset,omitzero"`
		Size   int   `json:"size,omitzero"` // at most 256 KiB
	}
	// ReadResult is the piece; empty at the end of the message.
	ReadResult struct {
		Data []byte `json:"data,omitzero"`
	}

	// HeaderCall finds the header fields of one name in the message that the
	// hook is about.
	HeaderCall struct {
		Name string `json:"name,omitzero"` // in any case
	}
	// HeaderResult has their values, unfolded, from the top.
	HeaderResult struct {
		Values []string `json:"values,omitzero"`
	}

	// SendCall carries out one delivery attempt of the message that the hook is
	// about; deliver hook only.
	SendCall struct {
		Route      Route       `json:"route,omitzero"`
		Recipients []Recipient `json:"recipients,omitzero"`
		From       string      `json:"from,omitzero"` // the reverse-path
		LMTP       bool        `json:"lmtp,omitzero"`
	}
	// SendResult has one outcome for each recipient.
	SendResult struct {
		Outcomes []Outcome `json:"outcomes,omitzero"`
	}
)

// CallInfo is one row of the call table.
type CallInfo struct {
	Name  string // of the import in WebAssembly: mta1.NAME
	Grant string // the key of allow in the configuration that it needs; empty: none
	Doc   string // one line, for people
}

// Calls is the table of all calls. The place of a row is the number of the
// call; rows are only ever added at the end.
func Calls() []CallInfo {
	return []CallInfo{
		{"log", "", "writes one line to the relay's log"},
		{"now", "clock", "what time it is; without the grant, the time of the event"},
		{"random", "", "random octets"},
		{"metric", "", "adds to a counter or sets a gauge"},
		{"kv_get", "kv", "reads a key"},
		{"kv_set", "kv", "writes a key"},
		{"kv_swap", "kv", "compare-and-swap"},
		{"kv_add", "kv", "adds to a counter"},
		{"kv_delete", "kv", "removes a key"},
		{"lookup", "dns", "asks the DNS"},
		{"mx", "dns", "asks where mail for a domain goes"},
		{"http", "http", "makes one HTTP request"},
		{"read", "body", "reads a piece of the message; without the grant, of its header as far as it goes"},
		{"header", "headers", "finds the header fields of one name"},
		{"send", "send", "delivers with the relay's own SMTP client"},
	}
}

// GrantInfo is one row of the grant table: a key of allow in the configuration.
type GrantInfo struct {
	Name   string
	Values string // how it is written in the configuration
	Doc    string // what it lets a plugin do
}

// Grants is the table of what a plugin outside of the relay's own program can
// be allowed.
func Grants() []GrantInfo {
	return []GrantInfo{
		{"relay", "true", "its accept at rcpt may open the relay"},
		{"dns", "true", "ask the DNS"},
		{"http", `["api.example.net:443"]`, "make HTTP requests to these hosts"},
		{"kv", `"8MiB"`, "keep this much in the plugin's own durable store"},
		{"body", `"read" or "write"`, "read the whole message, replace its body"},
		{"headers", `"none", "read" (the default) or "write"`, "read the header, change it"},
		{"envelope", "true", "change the sender, add, replace and remove recipients"},
		{"clock", "true", "see the clock go on during a call"},
		{"send", "true", "connect to next hops of its own choice with the relay's SMTP client"},
	}
}

// CallCode says why a call failed.
type CallCode uint8

// The codes. They never change their number.
const (
	CallOK         CallCode = iota
	NotGranted              // the configuration does not allow it
	CallInvalid             // the request itself is wrong
	CallLimit               // a quota, a size, a number of calls
	CallTimeout             // the deadline of the hook has come
	CallTemporary           // asking again later may help
	CallFailed              // it will not
	CallNotAllowed          // not now: there is no message, or the hook has ended
)

var callCodeNames = [...]string{"ok", "not granted", "invalid", "limit", "timeout", "temporary", "failed", "not allowed here"}

// String is the code in words.
func (c CallCode) String() string {
	if int(c) < len(callCodeNames) {
		return callCodeNames[c]
	}
	return "unknown"
}

// CallError is why a call of [Host] failed.
type CallError struct {
	Call string // its name in [Calls]
	Code CallCode
	Text string
}

// Error implements error.
func (e *CallError) Error() string {
	s := e.Call + ": " + e.Code.String()
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}
