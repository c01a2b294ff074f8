// Package smtpin is the front door: it turns octets on a socket into sessions,
// asks the plugins at every step, and puts what was accepted into the queue.
//
// It speaks SMTP with an engine of its own (RFC 5321 §4.3.2; PIPELINING,
// 8BITMIME, SIZE, ENHANCEDSTATUSCODES, CHUNKING, SMTPUTF8, DSN, STARTTLS), one
// goroutine a session, and LMTP with the server of go-smtp. Both are fronts of
// the same [visit].
//
// It refuses mail that nobody answers for: a recipient that no plugin with the
// right to relay accepts gets 550 5.7.1. It refuses what two servers could read
// differently: bare CR or LF, octets that arrive before their turn, plaintext
// behind STARTTLS. It refuses to wait for ever: every read has a deadline that
// does not move because a peer sends an octet now and then.
//
// Invariants:
//   - `250` to end-of-data is said after Queue.Put returned nil, and only then
//     (or after the message was discarded by a plugin that is named in the log).
//   - One end of data makes one message at the most. A transaction that does
//     not reach its end leaves nothing behind.
//   - A session costs a goroutine and a 4 KiB buffer while it is idle, and one
//     read and one write for every turn of the client.
//   - Every command has exactly one reply, in order; nothing that a client sends
//     ends the process.
package smtpin
