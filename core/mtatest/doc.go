// Package mtatest runs the whole relay inside one test: a network that lives in
// memory, a fake clock (testing/synctest), a DNS zone written as text, peers
// that misbehave on request, and stories that tell all of it in one file.
//
// It refuses to know how a relay is put together: whoever starts one (cmd/mta)
// hands in a [Boot]. It is imported by tests only.
//
// Everything here blocks on mutexes, condition variables and channels only, so
// that the clock of a synctest bubble can advance: five days of retries take
// milliseconds.
package mtatest
