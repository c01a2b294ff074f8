package main

import (
	"net"
	"strings"
)

// notify tells the service manager a state ("READY=1"), if there is one: the
// sd_notify protocol is one datagram to the socket named in the environment.
func notify(w *world, state string) {
	path := w.getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	if strings.HasPrefix(path, "@") {
		path = "\x00" + path[1:] // the abstract namespace of Linux
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return
	}
	defer c.Close()
	c.Write([]byte(state))
}
