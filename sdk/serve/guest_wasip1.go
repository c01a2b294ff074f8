package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
	"unsafe"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/wire"
)

// Run does nothing in a WebAssembly module: the relay calls its exports.
func Run() {}

// The state of a module. It serves one call at a time, so nothing is locked.
var (
	plugin   sdk.Plugin
	handlers sdk.Handlers
	buffer   []byte      // where the relay writes events
	events   wire.Reader // holds the event that the plugin is asked about
	answers  wire.Writer // holds the last answer until the next call
	words    []byte      // the last error or description, likewise
	started  host
)

// ctx is that of every call: the relay ends the whole call at its deadline.
var ctx = context.Background()

//go:wasmexport mta1_buffer
func mta1Buffer(size uint32) uint32 {
	const most = 64 << 20
	if size > most {
		return 0
	}
	if uint32(len(buffer)) < size {
		buffer = make([]byte, size)
	}
	return address(buffer)
}

// address is where the octets of a slice lie; 0 for none.
func address(b []byte) uint32 {
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b))))
}

// point is the answer that points to a block.
func point(b []byte) uint64 { return uint64(address(b))<<32 | uint64(len(b)) }

const errorBit = 1 << 31

// fail is the answer that points to an error.
func fail(err error) uint64 {
	text := err.Error()
	if text == "" {
		text = "an error without words"
	}
	words = append(words[:0], text[:min(len(text), 1024)]...)
	return point(words) | errorBit
}

// made is the plugin of this program.
func made() sdk.Plugin {
	if plugin == nil {
		if construct == nil {
			panic("serve.Register was not called from an init function, so this module is no plugin")
		}
		plugin = construct()
		handlers = sdk.Local(plugin)
	}
	return plugin
}

//go:wasmexport mta1_describe
func mta1Describe() uint64 {
	var d sdk.Description
	if x, ok := made().(sdk.Describer); ok {
		d = x.Describe()
	}
	d.ABI = wire.Minor
	// This package exports every hook; which of them the plugin has is said here.
	has := make(map[string][]string)
	for _, h := range sdk.Hooks() {
		if h.Implemented(&handlers) {
			has[h.Name] = []string{"*"}
		}
	}
	if d.Hooks == nil {
		d.Hooks = has
	}
	for name := range d.Hooks {
		if has[name] == nil {
			return fail(fmt.Errorf("it describes the hook %q and does not implement it", name))
		}
	}
	text, err := json.Marshal(d)
	if err != nil {
		return fail(err)
	}
	words = text
	return point(words)
}

//go:wasmexport mta1_start
func mta1Start(n uint32) uint64 {
	var q struct {
		Hostname string          `json:"hostname"`
		Name     string          `json:"name"`
		Config   json.RawMessage `json:"config"`
	}
	if err := json.Unmarshal(buffer[:n], &q); err != nil {
		return fail(err)
	}
	started.name, started.hostname = q.Name, q.Hostname
	if err := made().Start(ctx, &started, q.Config); err != nil {
		return fail(err)
	}
	return 0
}

//go:wasmexport mta1_selftest
func mta1Selftest() uint64 {
	if x, ok := made().(sdk.SelfTester); ok {
		if err := x.SelfTest(ctx); err != nil {
			return fail(err)
		}
	}
	return 0
}

//go:wasmexport mta1_stop
func mta1Stop() {
	if err := made().Close(); err != nil {
		started.Log(ctx, 8, "close: "+err.Error())
	}
}

// hook serves one call. The event is copied out of the buffer once; its strings
// share that copy. The answer is put where the last one was: that spares the
// collector its largest piece.
func hook[E, A any](n uint32, parse func(*wire.Reader, string) (E, time.Time, error), h sdk.Handler[E, A], about func(*E),
	answer *A, short func(*A) (uint32, bool), block func(*wire.Writer, *A) []byte,
) uint64 {
	e, _, err := parse(&events, string(buffer[:n]))
	if err != nil {
		return fail(err)
	}
	if about != nil {
		about(&e)
	}
	if *answer, err = h(ctx, &e); err != nil {
		return fail(err)
	}
	if low, ok := short(answer); ok {
		return uint64(low)
	}
	return point(block(&answers, answer))
}

// The last answers.
var (
	lastAnswer  sdk.Answer
	lastRoute   sdk.RouteAnswer
	lastDeliver sdk.DeliverAnswer
	lastOutcome sdk.OutcomeAnswer
	lastBounce  sdk.BounceAnswer
	lastNone    sdk.None
)

// decision is the short form of an answer of an action and a reply code.
func decision(a *sdk.Answer) (uint32, bool) {
	if a.Reason != "" || len(a.Edits) > 0 || a.Identity != "" || len(a.Recipients) > 0 ||
		a.Reply.Enhanced != "" || a.Reply.Text != "" || a.Reply.Code < 0 || a.Reply.Code > 0xffff {
		return 0, false
	}
	return uint32(a.Action) | uint32(a.Reply.Code)<<16, true
}

func noRoute(a *sdk.RouteAnswer) (uint32, bool) {
	return 0, a.Action == sdk.RouteNone && a.Reply == (sdk.Reply{}) && a.Reason == "" &&
		a.Route.Via == "" && len(a.Route.Hosts) == 0 && a.NotBefore.IsZero()
}

func never(*sdk.DeliverAnswer) (uint32, bool) { return 0, false }

func noOutcome(a *sdk.OutcomeAnswer) (uint32, bool) { return 0, *a == sdk.OutcomeAnswer{} }

func noBounce(a *sdk.BounceAnswer) (uint32, bool) {
	return 0, !a.Suppress && a.Reason == "" && len(a.Edits) == 0 && !a.Defer && !a.Hold
}

func nothing(*sdk.None) (uint32, bool) { return 0, true }

//go:wasmexport mta1_on_connect
func mta1OnConnect(n uint32) uint64 {
	return hook(n, (*wire.Reader).ConnectEvent, handlers.Connect, nil, &lastAnswer, decision, (*wire.Writer).ConnectAnswer)
}

//go:wasmexport mta1_on_helo
func mta1OnHelo(n uint32) uint64 {
	return hook(n, (*wire.Reader).HeloEvent, handlers.Helo, nil, &lastAnswer, decision, (*wire.Writer).HeloAnswer)
}

//go:wasmexport mta1_on_auth
func mta1OnAuth(n uint32) uint64 {
	return hook(n, (*wire.Reader).AuthEvent, handlers.Auth, nil, &lastAnswer, decision, (*wire.Writer).AuthAnswer)
}

//go:wasmexport mta1_on_mail
func mta1OnMail(n uint32) uint64 {
	return hook(n, (*wire.Reader).MailEvent, handlers.Mail, nil, &lastAnswer, decision, (*wire.Writer).MailAnswer)
}

//go:wasmexport mta1_on_rcpt
func mta1OnRcpt(n uint32) uint64 {
	return hook(n, (*wire.Reader).RcptEvent, handlers.Rcpt, nil, &lastAnswer, decision, (*wire.Writer).RcptAnswer)
}

//go:wasmexport mta1_on_predata
func mta1OnPredata(n uint32) uint64 {
	return hook(n, (*wire.Reader).PredataEvent, handlers.Predata, nil, &lastAnswer, decision, (*wire.Writer).PredataAnswer)
}

//go:wasmexport mta1_on_data
func mta1OnData(n uint32) uint64 {
	about := func(e *sdk.DataEvent) { e.Message = open(e.Message) }
	return hook(n, (*wire.Reader).DataEvent, handlers.Data, about, &lastAnswer, decision, (*wire.Writer).DataAnswer)
}

//go:wasmexport mta1_on_route
func mta1OnRoute(n uint32) uint64 {
	return hook(n, (*wire.Reader).RouteEvent, handlers.Route, nil, &lastRoute, noRoute, (*wire.Writer).RouteAnswer)
}

//go:wasmexport mta1_on_deliver
func mta1OnDeliver(n uint32) uint64 {
	about := func(e *sdk.DeliverEvent) { e.Message = open(e.Message) }
	return hook(n, (*wire.Reader).DeliverEvent, handlers.Deliver, about, &lastDeliver, never, (*wire.Writer).DeliverAnswer)
}

//go:wasmexport mta1_on_outcome
func mta1OnOutcome(n uint32) uint64 {
	return hook(n, (*wire.Reader).OutcomeEvent, handlers.Outcome, nil, &lastOutcome, noOutcome, (*wire.Writer).OutcomeAnswer)
}

//go:wasmexport mta1_on_bounce
func mta1OnBounce(n uint32) uint64 {
	about := func(e *sdk.BounceEvent) { e.Message = open(e.Message) }
	return hook(n, (*wire.Reader).BounceEvent, handlers.Bounce, about, &lastBounce, noBounce, (*wire.Writer).BounceAnswer)
}

//go:wasmexport mta1_on_disconnect
func mta1OnDisconnect(n uint32) uint64 {
	return hook(n, (*wire.Reader).DisconnectEvent, handlers.Disconnect, nil, &lastNone, nothing, nil)
}
