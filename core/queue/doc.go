// Package queue is the durable queue: what was acknowledged is never lost,
// whatever the moment at which the power fails. This is its manual.
//
// # What it keeps
//
// A message is an envelope, a body, and a [State] for each recipient. It is in
// the queue from the instant at which [Queue.Put] returns nil until each of its
// recipients has ended: delivered, failed, expired or discarded, by whom.
//
//	DIR/lock                  flock; holds the number of the process
//	DIR/log/seg-NNNNNNNNNN    the log: the truth
//	DIR/log/spare-N           files that become segments; their content is noise
//	DIR/big/ID                bodies above InlineMax, complete
//	DIR/big/ID.N.tmp          bodies that are arriving
//	DIR/index.bolt            the state at one place of the log: a cache
//	DIR/quarantine/           what was found damaged, byte by byte
//
// # The log
//
// Segments are written from front to back and numbered without a gap. Records
// (record.go) stand in transactions, transactions in groups; a group is what
// one write and one fdatasync made durable. Every header of a segment and every
// record carry the segment's nonce, a random number: bytes of an earlier use of
// the file, and a mail that somebody shaped like records, are not taken for
// records. Every record says where its group began, its last one that the group
// is complete, and group numbers grow and are never used twice, also not after
// a write that failed or was torn: so a reader can tell a commit that was torn
// by a crash from damage to one that was acknowledged.
//
//	message   envelope and body; the message is ours
//	change    what became of some of its recipients, in absolute numbers
//	move      the message again, with all states, at a new place
//	reserve   IDs below this one may be in use
//	void      a torn place that a later start has marked
//
// # The instants
//
// The committer takes all transactions that wait, writes them with one call,
// syncs, applies them to the state in memory, and answers everybody; those who
// come meanwhile are the next group. There is no timer: a group holds as many
// messages as sessions waited.
//
//	body above InlineMax: synced, renamed from ID.N.tmp to ID, big/ synced
//	group written: nothing is promised
//	fdatasync returned: AT THIS INSTANT THE MESSAGE IS OURS
//	Put returns nil: the client may be told 250
//
// Settlements ride with the next group, or are written after 50 ms. Until then
// the queue gives their recipients to nobody: an outcome is durable before the
// next attempt starts. A crash in between repeats the attempt, as RFC 5321
// §6.1 and RFC 1047 know it. A DSN and the outcome that caused it are one
// transaction: there is never one without the other.
//
// # The states of a message, as bytes
//
//	S1  nothing, or big/ID.N.tmp           arriving; a crash forgets it
//	S2  big/ID and no record               arriving; a crash forgets it
//	S3  message record, group complete     ours, all recipients pending (or held)
//	S4  S3 and change records behind it    ours, with outcomes
//	S5  S4, and every recipient has ended  gone; big/ID may still be there
//	S6  move record further on             ours; S3 to S5 count from there
//	S7  S4 or S6, and an entry in the index at a checkpoint behind them: the
//	    same, and a start need not read them again
//
// # What a start does
//
// It takes the lock, reads the headers of the segments, surveys the index
// page by page (survey.go), and replays the log from the index's checkpoint. An
// index that is missing, damaged, or of another log is put aside and made anew
// from the whole log. Then: tmp files and bodies of no message (S1, S2, S5) are
// removed; what was read is synced, because a kill without a power cut leaves
// records in the kernel's memory only; a million IDs are reserved; and the
// index is told that the log is open again.
//
// At the end of the last segment the log is cut behind the last complete group.
// A hole inside the last group is what a torn write leaves; whole transactions
// behind it are kept (they may have been ours), and the hole becomes a void
// record. What the hole left of a transaction did not happen: not at this start,
// nor at one that reads the same log again. A hole anywhere else was acknowledged and has been damaged since: it
// goes to quarantine, its messages are named in the log, and a message whose
// envelope is whole stays, held, without body. A damaged body is never
// delivered, whole or in part, and never deleted.
//
// # Space
//
// Segments are given up at the tail only, oldest first, when no message lies in
// them and the index has said so durably. So what is left is always the
// whole story: no change record can be gone while the message that it ended is
// still there to rise from the dead in a rebuild. What is in the way at the
// tail is copied to the head (compact.go). The folder is synced between any two
// segments that are given up, and before anybody writes into one.
//
// One prepared segment is a reserve for outcomes: on a full disk mail gets
// ErrNoSpace, and what was accepted is still delivered, which makes room. A
// write that finds no room leaves the log as it was. Any other error of a
// write, and any error of a sync, ends the service: after a failed fdatasync
// the kernel has forgotten which pages were dirty, so it is never tried again.
//
// # Memory
//
// In memory are messages that are due (up to ActiveLimit), and those that
// changed since the last checkpoint, which comes every second or when they are
// many; bodies up to CacheBytes. Everything else is in the index only, and comes
// back when it is due. A message that is delivered within the second never
// touches the index.
//
// # What it refuses
//
// Two processes on one spool; an ID twice; results for recipients that were not
// leased; to believe an index more than the log; to take an empty log
// for an empty queue when an index knows better.
//
// Invariants: an ID in Queue.live is newer there than in the index, and an ID
// that is not in live is in the index or gone. State changes happen in
// applyRecord only, and only after the sync, and recovery runs the same code
// over the same records.
package queue
