// Package smtp is the vocabulary of both directions of an SMTP conversation:
// addresses, commands and their parameters, replies, and the line and dot
// codecs. There is one parser for each, used by server, client, DSN and command
// line alike, so that no two parts of the relay can read the same octets
// differently.
//
// It refuses what RFC 5321 does not allow where leniency has been a weakness:
// only CRLF.CRLF ends a message, a bare CR or LF is never a line end, an address
// never carries a control character, and a reply never carries a line that its
// author did not write.
//
// Invariants:
//   - No function panics, whatever it is fed, and memory is bounded by what the
//     caller allows, not by what the peer sends.
//   - Whatever is wrong inside a message, it is read to its real end: commands
//     and data never change places.
//   - A mailbox has one spelling: the domain in lower case and A-labels, the
//     local part quoted only where it must be.
package smtp
