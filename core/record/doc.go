// Package record writes down what a plugin was asked and what it answered,
// asks a plugin the same again and compares ([Replay]), and counts where a
// shadow plugin answers otherwise than the chain ([Diff]).
//
// # The file
//
// One JSON object a line. The first line may be the header:
//
//	{"mta_recording":1,"plugin":"greylist","digest":"9f86...","config":{"delay":"5m"},
//	 "hostname":"mx.example.org","started":"2026-01-02T15:04:05Z","hashed":false,"bodies":false}
//
// Each other line is one call of a hook; events, requests, results and answers
// are the structs of the sdk with their JSON names, enumerations by name:
//
//	{"n":7,"session":"S1","id":"Q1","hook":"rcpt","time":"2026-01-02T15:04:06Z",
//	 "event":{"session":{...},"envelope":{...},"recipient":{"addr":"x@example.org"}},
//	 "calls":[{"call":"kv_get","request":{"key":"a"},"result":{"found":true,"value":"MQ=="}},
//	          {"call":"lookup","request":{"kind":"A","name":"x."},"code":"temporary","text":"timeout"}],
//	 "answer":{"action":"reject"},"took_ns":1200}
//
//	n        the order in which calls began; lines stand in the order in which they ended
//	calls    what the plugin asked of the relay; names are those of [sdk.Calls]
//	code     of a call that failed: a name of [sdk.CallCode], or "error"
//	answer   or "error": the text of a Go error
//	body     the content of the event's message, once for each message and hook;
//	         body64 in base64 when it is no text
//	withheld what is not in the file, so that the call cannot be compared
//
// The last line of a recording is its end:
//
//	{"end":{"calls":812,"dropped":0,"why":"asked to stop"}}
//
// The same file is the fixture of a plugin's tests, and then may leave out
// almost everything:
//
//	{"hook":"rcpt","event":{"recipient":{"addr":"x@example.org"}},"answer":{"action":"reject"}}
//
// What is not there is not compared: a line without calls may make any, which
// [ReplayOptions.Host] answers; a line without answer and error may answer
// anything. A body with LF line ends alone gets CRLF. Unknown keys are errors.
//
// Octets that are no UTF-8 are written as the characters U+10FF00 to U+10FFFF,
// so that every string comes back as it was.
//
// # What is not recorded
//
// Passwords of the auth hook, with the calls that it made for them, and the
// credentials in header fields and before the host of HTTP requests. What a
// plugin puts elsewhere in a request is recorded, and its configuration is
// recorded as it is, with the secrets that it holds: a recording is as private
// as the configuration.
//
// Without bodies the content of messages is not recorded; a plugin that reads
// it cannot be replayed at that call, and the report says so.
//
// # Hashed addresses
//
// On request the local part of each address becomes a keyed hash of its lower
// case form, the same in the whole recording; domains and "postmaster" stay.
// Addresses are found in the fields that hold them, wherever an address of the
// same event stands in another string, and by their looks (local@domain). Not
// found are local parts that stand without a domain, parts of an address (the
// name before "+"), digests of addresses, addresses in binary values and in
// dictionaries outside of the plugin's configuration. A plugin that looks at
// the local part itself answers otherwise in a replay.
//
// # What always holds
//
// Recording never delays a hook: a call that does not fit into the bounded
// queue of the writer is dropped and counted. When nobody records, a [Tap] costs
// one atomic load a call and allocates nothing. Reading a file takes memory in
// proportion to the file, which is bounded; it never panics.
package record
