package main

import (
	"log/slog"
	"syscall"
)

// reservedDescriptors are for what is accepted already: the files of the queue,
// deliveries, kept connections, DNS, control.
const reservedDescriptors = 3000

// sessionRoom is how many sessions there are descriptors for, at most as many as
// configured. Sessions that took all would keep the queue from writing what they
// bring, and deliveries from making room. One needs two: its socket, and the file
// of a big message.
func sessionRoom(configured int, descriptors uint64) int {
	free := descriptors - min(descriptors/2, reservedDescriptors)
	return int(min(uint64(configured), max(1, free/2)))
}

// limitSessions keeps the sessions within the descriptors that the process has.
func (r *relay) limitSessions(configured int) int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return configured
	}
	n := sessionRoom(configured, l.Cur)
	if n < configured {
		r.tracer.Log(slog.LevelWarn, "mta", "fewer sessions than limits.sessions: the process may not have more descriptors (ulimit -n, LimitNOFILE=)",
			"sessions", n, "configured", configured, "descriptors", l.Cur)
	}
	return n
}
