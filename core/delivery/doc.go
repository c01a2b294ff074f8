// Package delivery carries the queue to where it goes: it leases messages,
// asks the route hooks about each recipient, groups those that share a next
// hop, lets the transport of the route deliver, asks the outcome hooks what that
// meant, and settles the result: delivered, another time, held, or failed
// with a notification.
//
// It refuses to decide anything permanent on its own: a recipient fails because
// a next hop or a plugin said so in a valid answer, or because its time ran
// out. A plugin that is broken, a missing route and a missing transport only
// ever put off.
//
// # Invariants
//
//   - Every leased recipient gets exactly one result, or is given back
//     unchanged. What is delivered is settled at once; what failed waits for the
//     rest of its message, so that one notification covers all of it, and is
//     settled in the same transaction as that notification.
//   - Nothing is ever sent about a message from the null reverse-path.
//   - Never more than Concurrency deliveries run to one destination.
//   - Memory is bounded: at most Active messages are leased.
//
// # Destinations and fairness
//
// A destination is what shares a route key. Each has a queue of its own, and
// the destinations take turns: a worker that is free takes one group of the
// next destination in the ring, so that 10,000 messages to one place cost
// another place's single message one turn.
//
// An attempt in which no recipient's conversation began (Unreachable) parks the
// destination for the first retry time. What waits for a parked destination, and
// what comes for it, is deferred with the words of that attempt and without
// a connection; for its own schedule it counts as an attempt. The first message after the park is the probe: until
// somebody answers, only one delivery runs. 10,000 messages to a dead host thus
// cost one connection each first retry time.
//
// One that is not reached while others of ours are served is no sign of death:
// the destination has no room for so many. Then it gets no more at a time than
// were under way, and one more each minute that it has room again.
//
// A slow destination is another matter: it does answer, but its messages fill
// the room of all. Hence the share: while the oldest group of a destination has
// waited longer than five seconds, the destination may hold half of Active,
// divided by the number of destinations of which the same is true (but at least
// as much as it may have in flight). What is beyond is put back without an
// attempt, and comes back at the pace at which the destination has been taking
// messages, at the latest after the first retry time.
//
// # Time
//
// backoff.go is the only place that computes when a recipient is tried again
// and when it is given up. The last retry is placed at the end of the lifetime,
// so that a recipient is only given up after an attempt at that time. If
// its destination is parked then, the park must have been confirmed by a probe
// that failed too; the attempts of the park then stand for its own.
package delivery
