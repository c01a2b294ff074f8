//go:build !linux

package smtpin

import "net"

// spokeEarly needs a way to look into a socket without waiting.
func spokeEarly(net.Conn) bool { return false }
