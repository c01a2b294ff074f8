package answer

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/programmable-mta/mta/sdk"
)

// CheckRoute judges the answer of a route hook and completes its reply. Only a
// plugin that is compiled in may name a password file.
func CheckRoute(a *sdk.RouteAnswer, compiledIn bool) error {
	a.Reason = Clean(a.Reason, MaxReason)
	if a.Action != sdk.RouteDefer && !a.NotBefore.IsZero() {
		return errors.New("answer: a time to wait for goes with defer only")
	}
	if a.Action != sdk.RouteUse && (a.Route.Via != "" || len(a.Route.Hosts) > 0) {
		return fmt.Errorf("answer: a route goes with use, not with %s", a.Action)
	}
	switch a.Action {
	case sdk.RouteDefer:
		return complete(&a.Reply, sdk.Reply{Code: 451, Enhanced: "4.4.0", Text: "no route now"}, 4, 4)
	case sdk.RouteFail:
		return complete(&a.Reply, sdk.Reply{Code: 550, Enhanced: "5.4.0", Text: "no route to this recipient"}, 5, 5)
	case sdk.RouteNone, sdk.RouteUse, sdk.RouteHold:
	default:
		return fmt.Errorf("answer: %s is no answer to route", a.Action)
	}
	if a.Reply != (sdk.Reply{}) {
		return fmt.Errorf("answer: a reply goes with defer and fail, not with %s", a.Action)
	}
	if a.Action == sdk.RouteUse {
		return checkHops(&a.Route, compiledIn)
	}
	return nil
}

func checkHops(r *sdk.Route, compiledIn bool) error {
	if r.Via == "" {
		return errors.New("answer: the route names no transport")
	}
	if len(r.Hosts) > maxHosts {
		return fmt.Errorf("answer: the route has %d hosts, more than %d", len(r.Hosts), maxHosts)
	}
	for _, h := range r.Hosts {
		if !validHost(h, r.Via) {
			return fmt.Errorf("answer: %.100q is no next hop: host, host:port, 192.0.2.1:25, [2001:db8::1]:25, for lmtp unix:/path", h)
		}
	}
	switch r.TLS {
	case "", "none", "may", "encrypt", "verify", "dane":
	default:
		return fmt.Errorf("answer: %.20q is no TLS policy: none, may, encrypt, verify, dane", r.TLS)
	}
	// What the relay's own client cannot do is the fault of who chose the route,
	// and not of the transport that is asked for it later, for everybody's mail.
	if r.Via == "smtp" || r.Via == "lmtp" {
		if r.TLS == "dane" {
			return errors.New("answer: the TLS policy dane is not in this release; write verify or encrypt")
		}
		if r.Pool != "" {
			return fmt.Errorf("answer: the route names the pool %.40q, and pools are not in this release; name a source", r.Pool)
		}
		if _, err := netip.ParseAddr(r.Source); r.Source != "" && err != nil {
			return fmt.Errorf("answer: the source %.40q of the route is no IP address of this machine", r.Source)
		}
	}
	r.Rule = Clean(r.Rule, MaxReason)
	for _, s := range [...]string{r.Via, r.Source, r.Pool, r.Key, r.User, r.PasswordFile} {
		if len(s) > maxWord || !utf8.ValidString(s) || strings.IndexFunc(s, control) >= 0 {
			return fmt.Errorf("answer: a name in the route is longer than %d octets, or has control characters or invalid UTF-8", maxWord)
		}
	}
	// Whoever names the file and the host chooses who is told what is in it.
	if r.PasswordFile != "" && !compiledIn {
		return errors.New("answer: only a builtin plugin may name a password file: others could have any file sent to any host")
	}
	return nil
}

// validHost checks the syntax of a next hop; whether it exists is found out
// when it is tried.
func validHost(s, via string) bool {
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		return via != "smtp" && strings.HasPrefix(path, "/") && len(path) <= 107 && strings.IndexFunc(path, control) < 0
	}
	host, port := s, ""
	if rest, ok := strings.CutPrefix(s, "["); ok {
		var tail string
		if host, tail, ok = strings.Cut(rest, "]"); !ok {
			return false
		}
		if tail != "" {
			if port, ok = strings.CutPrefix(tail, ":"); !ok || port == "" {
				return false
			}
		}
		if _, err := netip.ParseAddr(host); err != nil {
			return false
		}
		return port == "" || validPort(port)
	}
	if h, p, ok := strings.Cut(s, ":"); ok {
		if host = h; !validPort(p) {
			return false
		}
	}
	return validHostName(host)
}

func validPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0' && s[0] != '+'
}

// validHostName: RFC 1123 §2.1, and the underscore that people use all the same.
func validHostName(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			b := label[i]
			if !('a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '-' || b == '_') {
				return false
			}
		}
	}
	return true
}
