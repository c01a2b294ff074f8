// Package hook asks the plugins. It keeps the chain of each hook in the order
// of the configuration, folds the answers into one verdict, and stands in for
// plugins that are broken. Nobody above it knows how many plugins there are or
// which runtime answers; nobody below it decides anything.
//
// # What always holds
//
//   - No answer is obeyed that [answer.Rules] does not let through.
//   - No plugin opens the relay unless the configuration lets it (MayRelay):
//     without that, a plugin can only narrow what those that have it accept.
//   - A broken plugin never bounces and never deletes mail: at the hooks of the
//     queue, an error ends in defer or hold.
//   - A stuck plugin delays a call by its Deadline at most and occupies one of
//     its Slots until it returns. Deliver alone has no deadline here, because
//     to abandon a delivery is to repeat it.
//   - Errors go to the trace and to Verdict.Reason, never to a client.
//   - A shadow plugin is asked in its place in the order. What it answers is
//     checked and written down and changes nothing; its deliver hook is never
//     called at all.
//
// # Folding
//
// Plugins are asked in the order of the configuration. The table says what
// comes of their answers; a test reads it from here and checks it row by row.
// A plugin is written as what it answers:
//
//	error=X      it is broken (error, panic, no answer in time, nonsense), and its on_error is X
//	error        it is broken, and there is nothing to decide
//	relay:X      it may grant relaying
//	shadow:X     it is a shadow
//	note, edit   it goes on, and leaves a note, edits the message
//	note+X       it answers X and leaves a note
//	edit+X       it answers X and edits the message
//	delay=T      it goes on, and changes the delay
//	count        as many outcomes as there are recipients, and one more
//	none         an outcome without status
//
// by is the plugin that the verdict names, asked are those that were asked,
// counted from 1.
//
//	hook       | plugins                              | verdict                  | by | asked
//	connect    | -                                    | continue                 | -  | -
//	connect    | continue, continue                   | continue                 | -  | 1 2
//	connect    | continue, accept, reject             | accept                   | 2  | 1 2
//	connect    | reject, accept                       | reject 554 5.7.1         | 1  | 1
//	connect    | defer, accept                        | defer 421 4.3.2          | 1  | 1
//	connect    | disconnect, accept                   | disconnect 421 4.3.2     | 1  | 1
//	connect    | hold                                 | defer 421 4.3.5          | 1  | 1
//	connect    | discard                              | defer 421 4.3.5          | 1  | 1
//	connect    | error=defer, accept                  | defer 421 4.3.5          | 1  | 1
//	connect    | error=continue, accept               | accept                   | 2  | 1 2
//	connect    | error=reject, accept                 | reject 554 5.3.5         | 1  | 1
//	connect    | error=disconnect, accept             | disconnect 421 4.3.5     | 1  | 1
//	connect    | shadow:reject, continue              | continue                 | -  | 1 2
//	connect    | shadow:error=reject, note            | continue, note           | -  | 1 2
//	connect    | shadow:note, continue                | continue                 | -  | 1 2
//	connect    | note+reject                          | reject 554 5.7.1, note   | 1  | 1
//	connect    | edit                                 | defer 421 4.3.5          | 1  | 1
//	helo       | continue                             | continue                 | -  | 1
//	helo       | note, accept, reject                 | accept, note             | 2  | 1 2
//	helo       | reject                               | reject 550 5.7.1         | 1  | 1
//	auth       | -                                    | reject 535 5.7.8         | -  | -
//	auth       | continue, continue                   | reject 535 5.7.8         | -  | 1 2
//	auth       | continue, accept, reject             | accept                   | 2  | 1 2
//	auth       | reject, accept                       | reject 535 5.7.8         | 1  | 1
//	auth       | defer, accept                        | defer 454 4.7.0          | 1  | 1
//	auth       | error=defer, accept                  | defer 454 4.7.0          | 1  | 1
//	auth       | error=continue, accept               | accept                   | 2  | 1 2
//	auth       | error=continue, continue             | defer 454 4.7.0          | 1  | 1 2
//	auth       | shadow:accept                        | reject 535 5.7.8         | -  | 1
//	mail       | continue                             | continue                 | -  | 1
//	mail       | edit, note, accept                   | accept, edit, note       | 3  | 1 2 3
//	mail       | reject, accept                       | reject 550 5.7.1         | 1  | 1
//	mail       | defer                                | defer 451 4.7.1          | 1  | 1
//	mail       | hold, reject                         | hold                     | 1  | 1
//	mail       | discard, reject                      | discard                  | 1  | 1
//	mail       | error=defer, accept                  | defer 451 4.3.5          | 1  | 1
//	mail       | error=hold, reject                   | hold                     | 1  | 1
//	mail       | error=reject, accept                 | reject 550 5.3.5         | 1  | 1
//	mail       | shadow:edit, continue                | continue                 | -  | 1 2
//	mail       | edit+reject                          | reject 550 5.7.1         | 1  | 1
//	mail       | edit+discard                         | discard, edit            | 1  | 1
//	rcpt       | -                                    | reject 550 5.7.1         | -  | -
//	rcpt       | continue, relay:continue             | reject 550 5.7.1         | -  | 1 2
//	rcpt       | accept                               | reject 550 5.7.1         | -  | 1
//	rcpt       | hold                                 | reject 550 5.7.1         | -  | 1
//	rcpt       | relay:accept                         | accept, relay            | 1  | 1
//	rcpt       | continue, relay:accept, reject       | accept, relay            | 2  | 1 2
//	rcpt       | accept, reject, relay:accept         | accept, relay            | 3  | 1 3
//	rcpt       | accept, reject, relay:continue       | reject 550 5.7.1         | -  | 1 3
//	rcpt       | accept, relay:reject, relay:accept   | reject 550 5.7.1         | 2  | 1 2
//	rcpt       | accept, relay:defer                  | defer 451 4.7.1          | 2  | 1 2
//	rcpt       | hold, reject, relay:accept           | hold, relay              | 1  | 1 3
//	rcpt       | hold, relay:continue                 | reject 550 5.7.1         | -  | 1 2
//	rcpt       | relay:hold                           | hold, relay              | 1  | 1
//	rcpt       | reject, relay:accept                 | reject 550 5.7.1         | 1  | 1
//	rcpt       | defer, relay:accept                  | defer 451 4.7.1          | 1  | 1
//	rcpt       | disconnect, relay:accept             | disconnect 421 4.3.2     | 1  | 1
//	rcpt       | discard, relay:accept                | discard                  | 1  | 1
//	rcpt       | error=defer, relay:accept            | defer 451 4.3.5          | 1  | 1
//	rcpt       | error=continue, relay:accept         | accept, relay            | 2  | 1 2
//	rcpt       | error=continue, relay:continue       | reject 550 5.7.1         | -  | 1 2
//	rcpt       | error=hold, relay:accept             | hold, relay              | 1  | 1 2
//	rcpt       | error=hold, relay:continue           | reject 550 5.7.1         | -  | 1 2
//	rcpt       | error=reject, relay:accept           | reject 550 5.3.5         | 1  | 1
//	rcpt       | relay:error=continue, continue       | defer 451 4.3.5          | 1  | 1 2
//	rcpt       | relay:error=continue, relay:accept   | accept, relay            | 2  | 1 2
//	rcpt       | relay:error=hold                     | defer 451 4.3.5          | 1  | 1
//	rcpt       | relay:error=hold, relay:accept       | hold, relay              | 1  | 1 2
//	rcpt       | shadow:relay:accept                  | reject 550 5.7.1         | -  | 1
//	rcpt       | shadow:reject, relay:accept          | accept, relay            | 2  | 1 2
//	rcpt       | edit, relay:accept                   | accept, relay, edit      | 2  | 1 2
//	predata    | continue                             | continue                 | -  | 1
//	predata    | reject                               | reject 550 5.7.1         | 1  | 1
//	predata    | hold, reject                         | hold                     | 1  | 1
//	data       | -                                    | continue                 | -  | -
//	data       | continue, edit                       | continue, edit           | -  | 1 2
//	data       | accept, reject                       | accept                   | 1  | 1
//	data       | edit+hold, reject                    | hold, edit               | 1  | 1
//	data       | discard, reject                      | discard                  | 1  | 1
//	data       | error=defer                          | defer 451 4.3.5          | 1  | 1
//	data       | error=hold                           | hold                     | 1  | 1
//	route      | -                                    | defer 451 4.3.5          | -  | -
//	route      | continue, continue                   | defer 451 4.3.5          | -  | 1 2
//	route      | continue, use, fail                  | use                      | 2  | 1 2
//	route      | defer, use                           | defer 451 4.4.0          | 1  | 1
//	route      | fail, use                            | fail 550 5.4.0           | 1  | 1
//	route      | hold, use                            | hold                     | 1  | 1
//	route      | error=defer, use                     | defer 451 4.3.5          | 1  | 1
//	route      | error=hold, use                      | hold                     | 1  | 1
//	route      | shadow:fail, use                     | use                      | 2  | 1 2
//	deliver    | -                                    | deferred 451 4.3.5       | -  | -
//	deliver    | delivered                            | delivered 250 2.0.0      | -  | 1
//	deliver    | deferred                             | deferred 451 4.0.0       | -  | 1
//	deliver    | failed                               | failed 550 5.0.0         | -  | 1
//	deliver    | hold                                 | hold 451 4.0.0           | -  | 1
//	deliver    | none                                 | deferred 451 4.3.5       | -  | 1
//	deliver    | count                                | deferred 451 4.3.5       | -  | 1
//	deliver    | error=defer                          | deferred 451 4.3.5       | -  | 1
//	deliver    | error=hold                           | hold 451 4.3.5           | -  | 1
//	deliver    | shadow:delivered                     | deferred 451 4.3.5       | -  | -
//	delivered  | fail                                 | unchanged                | -  | 1
//	delivered  | delay=1h                             | unchanged                | -  | 1
//	delivered  | hold                                 | unchanged                | -  | 1
//	delivered  | error=defer                          | unchanged                | -  | 1
//	delivered  | error=hold                           | unchanged                | -  | 1
//	deferred   | continue                             | unchanged                | -  | 1
//	deferred   | fail                                 | failed                   | 1  | 1
//	deferred   | delay=1h, delay=2h                   | delay 1h0m0s             | 1  | 1 2
//	deferred   | delay=1s                             | delay 30s                | 1  | 1
//	deferred   | delay=9000h                          | delay 120h0m0s           | 1  | 1
//	deferred   | delay=1h, fail                       | failed                   | 2  | 1 2
//	deferred   | hold, fail                           | hold                     | 1  | 1 2
//	deferred   | fail, hold                           | failed                   | 1  | 1 2
//	deferred   | error=defer, delay=1h                | delay 1h0m0s             | 2  | 1 2
//	deferred   | error=hold                           | hold                     | 1  | 1
//	deferred   | shadow:fail, continue                | unchanged                | -  | 1 2
//	failed     | continue                             | unchanged                | -  | 1
//	failed     | defer                                | deferred                 | 1  | 1
//	failed     | delay=1h                             | deferred 451 4.3.5       | 1  | 1
//	failed     | continue, defer, hold                | deferred                 | 2  | 1 2 3
//	failed     | hold                                 | hold                     | 1  | 1
//	failed     | error=defer                          | deferred 451 4.3.5       | 1  | 1
//	failed     | error=hold                           | hold 451 4.3.5           | 1  | 1
//	bounce     | -                                    | send                     | -  | -
//	bounce     | continue                             | send                     | -  | 1
//	bounce     | edit, note, edit                     | send, edit, note, edit   | -  | 1 2 3
//	bounce     | suppress, defer                      | suppress                 | 1  | 1
//	bounce     | edit, note+suppress                  | suppress, edit, note     | 2  | 1 2
//	bounce     | defer, suppress                      | defer                    | 1  | 1
//	bounce     | hold, suppress                       | hold                     | 1  | 1
//	bounce     | error=defer, suppress                | defer                    | 1  | 1
//	bounce     | error=hold, suppress                 | hold                     | 1  | 1
//	bounce     | shadow:suppress, edit                | send, edit               | -  | 1 2
//	disconnect | continue, error, continue            | -                        | -  | 1 2 3
//
// Deliver asks the plugin that the route names and no other. The rows
// delivered, deferred and failed are those of the hook outcome, after an attempt
// that came out so. There every plugin sees the outcome as it was, all are
// asked, and the first to change a field (status with hold; delay; reply)
// decides on it; what does not go with the status in the end is dropped.
//
// At data a plugin may also judge single recipients. The first that says
// anything but continue about a recipient decides on it, and the verdict
// follows the recipient when a later plugin replaces or moves it. When the
// message as a whole is refused or discarded, that stands for all of them.
//
// With defer, reject and disconnect, notes are left and other edits are not
// made: nothing is there to be edited. An edit that the caller's [Apply]
// refuses is an error of the plugin, and nothing of that answer is done.
//
// # Broken plugins
//
// After five failures in a row a plugin is not asked at that hook for 30
// seconds, and its on_error applies at once; then one call goes through and
// decides on the next 30. A call that ends because the caller has gone says
// nothing about the plugin.
//
// A guarded call gets a copy of its event, and a message that it can read only
// until it ends: a plugin that is left behind sees neither what the session
// does next nor the next message in the same buffer.
package hook
