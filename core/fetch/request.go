package fetch

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// methods are those that a plugin may use: not CONNECT, which is for proxies,
// and not TRACE, which shows credentials.
const methods = " GET HEAD POST PUT PATCH DELETE OPTIONS "

// ours are the fields that belong to the connection and to the framing of the
// message (RFC 9110 §7.6.1), and the host that was checked. They are refused.
const ours = " connection content-length expect host http2-settings keep-alive te trailer transfer-encoding upgrade "

func invalid(format string, v ...any) error { return &Error{Invalid, fmt.Errorf(format, v...)} }

// check judges a request of a plugin before anything is done for it.
func (a *Access) check(r *Request) (*url.URL, http.Header, error) {
	if a.client.ctx.Err() != nil {
		return nil, nil, &Error{Failed, errClosed}
	}
	if r.Method != "" && (strings.Contains(r.Method, " ") || !strings.Contains(methods, " "+r.Method+" ")) {
		return nil, nil, invalid("method %.20q: one of%s", r.Method, strings.TrimSuffix(methods, " "))
	}
	if len(r.Body) > MaxRequestBody {
		return nil, nil, &Error{TooLarge, fmt.Errorf("the body of the request has %d octets; %d are allowed", len(r.Body), MaxRequestBody)}
	}
	if len(r.URL) > MaxURL {
		return nil, nil, &Error{TooLarge, fmt.Errorf("the URL has %d octets; %d are allowed", len(r.URL), MaxURL)}
	}
	if hasControl(r.URL) {
		return nil, nil, invalid("the URL has a space or a control character")
	}
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, nil, invalid("%.100q is no URL with a host", r.URL)
	}
	header, err := a.header(r.Header)
	if err != nil {
		return nil, nil, err
	}
	return u, header, a.permits(u)
}

// header is the plugin's header, in the form of net/http.
func (a *Access) header(fields [][2]string) (http.Header, error) {
	if len(fields) > maxFields {
		return nil, &Error{TooLarge, fmt.Errorf("%d header fields; %d are allowed", len(fields), maxFields)}
	}
	h := http.Header{}
	size := 0
	for _, f := range fields {
		name, value := f[0], f[1]
		if size += len(name) + len(value) + 4; size > MaxHeader {
			return nil, &Error{TooLarge, fmt.Errorf("the header of the request has more than %d octets", MaxHeader)}
		}
		if !isToken(name) {
			return nil, invalid("%.100q is no name of a header field", name)
		}
		lower := strings.ToLower(name)
		if strings.Contains(ours, " "+lower+" ") || strings.HasPrefix(lower, "proxy-") {
			return nil, invalid("the field %s is set by the relay", name)
		}
		for _, c := range []byte(value) {
			if c < ' ' && c != '\t' || c == 0x7f {
				return nil, invalid("the field %s has a control character", name)
			}
		}
		h.Add(name, value)
	}
	// An empty one keeps net/http from sending its own.
	if _, set := h["User-Agent"]; !set {
		h["User-Agent"] = []string{a.client.o.UserAgent}
	}
	return h, nil
}

// isToken is the syntax of a field name (RFC 9110 §5.6.2).
func isToken(s string) bool {
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

func hasControl(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c == 0x7f {
			return true
		}
	}
	return false
}
