// Package sdk is what a plugin author imports: the events that the relay
// passes to a plugin, the answers it takes back, and the Host through which a
// plugin asks the relay for something. It depends on the standard library only.
//
// A plugin is an ordinary value that implements [Plugin] and any of the
// one-method hook interfaces ([RcptHook], [RouteHook], [DeliverHook], ...).
// What it does not implement it is not asked. The same source is compiled into
// the relay, to a WebAssembly module, or to a process of its own. The example of
// this package is a complete plugin.
//
// # The rules of the contract
//
//   - Events are facts. A plugin never changes an event; it returns an answer.
//   - Answers are data. The zero value of every answer is harmless: it means
//     "continue" or "not mine". Policy belongs into an answer; a Go error means
//     "this plugin is broken" and is handled by the operator's on_error.
//   - Edits are a list of operations. The core checks them, applies all of them
//     or none, and records them.
//   - Addresses are in the form of RFC 5321 §4.1.2 without angle brackets: a
//     local part that needs quotes keeps them, the domain is in lower case and
//     in A-labels unless the transaction is SMTPUTF8. The null reverse-path is
//     the empty string. [Domain] and [LocalPart] take an address apart.
//   - A message body never travels inside an event; see [Message].
//   - One plugin value serves many sessions at once; methods are called
//     concurrently. A method returns soon after its context is done.
//
// An event, and what it points to, belongs to the call: a hook that wants to
// know something later copies it. Strings may be kept.
package sdk
