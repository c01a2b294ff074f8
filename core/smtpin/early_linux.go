package smtpin

import (
	"net"
	"syscall"
)

// spokeEarly tells whether octets of the client lie in the socket already.
func spokeEarly(c net.Conn) bool {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	early := false
	rc.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		early = err == nil && n > 0
	})
	return early
}
