package fetch

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

var errClosed = errors.New("the client is closed")

// Do makes a request and follows its redirects. All its errors are an [*Error].
func (a *Access) Do(ctx context.Context, r *Request) (*Response, error) {
	u, header, err := a.check(r)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, MaxTime)
	defer cancel()
	stop := context.AfterFunc(a.client.ctx, cancel)
	defer stop()
	h := &hop{method: cmp.Or(r.Method, http.MethodGet), url: u, header: header, body: r.Body}
	for redirects := 0; ; redirects++ {
		resp, err := a.roundTrip(ctx, h)
		if err != nil {
			return nil, a.explain(ctx, err)
		}
		next, err := h.follow(resp)
		switch {
		case err != nil:
		case next == nil:
			out, err := a.read(resp)
			if err != nil {
				return nil, a.explain(ctx, err)
			}
			return out, nil
		case redirects == MaxRedirects:
			err = &Error{Failed, fmt.Errorf("more than %d redirects", MaxRedirects)}
		default:
			err = a.permits(next.url)
		}
		discard(resp)
		if err != nil {
			return nil, err
		}
		h = next
	}
}

// hop is one of the requests that become a response.
type hop struct {
	method string
	url    *url.URL
	header http.Header
	body   []byte
}

func (a *Access) roundTrip(ctx context.Context, h *hop) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, h.method, h.url.String(), bytes.NewReader(h.body))
	if err != nil {
		return nil, &Error{Invalid, err}
	}
	req.Header = h.header
	return a.transport.RoundTrip(req)
}

// read takes a response whole, or not at all.
func (a *Access) read(resp *http.Response) (*Response, error) {
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil, errors.New("the server changed the protocol")
	}
	limit := a.client.o.MaxBody
	if resp.ContentLength > limit && resp.Request.Method != http.MethodHead {
		return nil, &Error{TooLarge, fmt.Errorf("the body of the response has %d octets; %d are allowed", resp.ContentLength, limit)}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > limit {
		return nil, &Error{TooLarge, fmt.Errorf("the body of the response has more than the %d octets that are allowed", limit)}
	}
	out := &Response{Status: resp.StatusCode, Body: body}
	for name, values := range resp.Header {
		for _, v := range values {
			out.Header = append(out.Header, [2]string{name, v})
		}
	}
	slices.SortStableFunc(out.Header, func(x, y [2]string) int { return strings.Compare(x[0], y[0]) })
	return out, nil
}

// discard reads a little of a body that nobody wants, so that the connection
// can be used again.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	resp.Body.Close()
}

// follow is the request that a response sends us on to, or nil.
func (h *hop) follow(resp *http.Response) (*hop, error) {
	location := resp.Header.Get("Location")
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	if location == "" {
		return nil, nil // RFC 9110 §15.4: the client decides; the plugin shall
	}
	fail := func(kind Kind, what string) (*hop, error) {
		return nil, &Error{kind, fmt.Errorf("redirect from %s: %s", h.url.Host, what)}
	}
	if len(location) > MaxURL || hasControl(location) {
		return fail(Failed, "no URL")
	}
	u, err := h.url.Parse(location)
	if err != nil {
		return fail(Failed, "no URL")
	}
	if h.url.Scheme == "https" && u.Scheme == "http" {
		return fail(Denied, "from https to http")
	}
	next := &hop{method: h.method, url: u, header: h.header.Clone(), body: h.body}
	// RFC 9110 §15.4.2, §15.4.3 allow it for POST, §15.4.4 asks for it.
	if resp.StatusCode == http.StatusSeeOther && h.method != http.MethodHead ||
		resp.StatusCode <= http.StatusFound && h.method == http.MethodPost {
		next.method, next.body = http.MethodGet, nil
		for name := range next.header {
			if strings.HasPrefix(name, "Content-") {
				next.header.Del(name)
			}
		}
	}
	if place(u) != place(h.url) {
		next.header.Del("Authorization")
		next.header.Del("Cookie")
	}
	return next, nil
}

// place is what credentials belong to.
func place(u *url.URL) string {
	host, port, _ := hostPort(u)
	return u.Scheme + " " + host + " " + strconv.Itoa(int(port))
}

// permits tells whether a URL may be asked for.
func (a *Access) permits(u *url.URL) error {
	deny := func(what string) error { return &Error{Denied, fmt.Errorf("%s: %s", u.Host, what)} }
	if u.Scheme != "http" && u.Scheme != "https" {
		return &Error{Denied, fmt.Errorf("scheme %q: only http and https", u.Scheme)}
	}
	if u.User != nil {
		return &Error{Denied, errors.New("the URL has a user name; use the field Authorization")}
	}
	host, port, ok := hostPort(u)
	if !ok {
		return deny("no host name in ASCII, and no address")
	}
	if port == httpsPort && u.Scheme != "https" {
		return deny("port 443 is for https only")
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if !a.permitsAddr(addr.Unmap(), port) {
			return deny("this address and port are not on the plugin's allow-list")
		}
		return nil
	}
	if !a.permitsName(host, port) {
		return deny("this name and port are not on the plugin's allow-list")
	}
	return nil
}

// hostPort is the host of a URL in the form that the list has.
func hostPort(u *url.URL) (host string, port uint16, ok bool) {
	switch p := u.Port(); {
	case p != "":
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return "", 0, false
		}
		port = uint16(n)
	case u.Scheme == "https":
		port = httpsPort
	default:
		port = 80
	}
	host = u.Hostname()
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.String(), port, addr.Zone() == ""
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return host, port, isHostname(host)
}

// dial connects to a host that was permitted. The addresses of a name are
// checked here and dialed as they are, so that nobody can tell us another one
// in between.
func (a *Access) dial(ctx context.Context, network, hostport string) (net.Conn, error) {
	// Net/http goes on with a dial when its request has ended, for the next one.
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	stop := context.AfterFunc(a.client.ctx, cancel)
	defer stop()
	host, p, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return nil, err
	}
	addrs, err := a.resolve(ctx, strings.TrimSuffix(strings.ToLower(host), "."), uint16(n))
	if err != nil {
		return nil, err
	}
	var faults []error
	for i, addr := range addrs {
		// An address that is silent leaves time to those behind it.
		try, cancel := context.WithTimeout(ctx, dialTime/time.Duration(len(addrs)))
		if i == len(addrs)-1 {
			try = ctx
		}
		conn, err := a.client.o.Dial(try, network, netip.AddrPortFrom(addr, uint16(n)).String())
		cancel()
		if err == nil {
			return conn, nil
		}
		faults = append(faults, err)
	}
	return nil, errors.Join(faults...)
}

// resolve is the addresses of a host to which the list allows to connect.
func (a *Access) resolve(ctx context.Context, host string, port uint16) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr = addr.Unmap(); !a.permitsAddr(addr, port) {
			return nil, &Error{Denied, fmt.Errorf("%s: this address and port are not on the plugin's allow-list", host)}
		}
		return []netip.Addr{addr}, nil
	}
	if !a.permitsName(host, port) { // the URL was checked; this is what is really dialed
		return nil, &Error{Denied, fmt.Errorf("%s: this name and port are not on the plugin's allow-list", host)}
	}
	addrs, err := a.client.o.Lookup(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("look up %s: %w", host, err)
	}
	if len(addrs) == 0 {
		return nil, fmt.Errorf("look up %s: no address", host)
	}
	var usable []netip.Addr
	for _, addr := range addrs {
		if addr = addr.Unmap(); addr.IsValid() && (isPublic(addr) || addr.Zone() == "" && a.permitsAddr(addr, port)) {
			usable = append(usable, addr)
		}
	}
	if len(usable) == 0 {
		return nil, &Error{Denied, fmt.Errorf("%s leads to %s, which is not public; the allow-list must name that address too", host, addrs[0])}
	}
	return usable[:min(len(usable), dialTries)], nil
}

// explain gives an error of net/http its kind.
func (a *Access) explain(ctx context.Context, err error) error {
	if own := (*Error)(nil); errors.As(err, &own) {
		return own
	}
	if a.client.ctx.Err() != nil {
		return &Error{Failed, errClosed}
	}
	timeout := interface{ Timeout() bool }(nil)
	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return &Error{Timeout, err}
	case strings.Contains(err.Error(), "response headers exceeded"): // net/http has no value for it
		return &Error{TooLarge, fmt.Errorf("the header of the response has more than %d octets", MaxHeader)}
	}
	return &Error{Failed, err}
}
