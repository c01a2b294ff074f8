package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"github.com/programmable-mta/mta/core/trace"
)

// Client asks a relay. It is a Backend.
type Client struct {
	path string
	http http.Client
}

var _ Backend = (*Client)(nil)

// Dial finds a relay at a socket. The error wraps [ErrUnreachable] and says why.
func Dial(path string) (*Client, error) {
	c := &Client{path: path}
	c.http.Transport = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			d := net.Dialer{Timeout: 5 * time.Second}
			return d.DialContext(ctx, "unix", path)
		},
		MaxIdleConns:    1,
		IdleConnTimeout: 10 * time.Second,
	}
	conn, err := net.DialTimeout("unix", path, 5*time.Second)
	if err != nil {
		return nil, c.unreachable(err)
	}
	conn.Close()
	return c, nil
}

// Close gives up the connections that are kept.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// unreachableError wraps ErrUnreachable behind a sentence.
type unreachableError struct{ text string }

// Error implements error.
func (e *unreachableError) Error() string { return e.text }

// Unwrap implements errors.
func (e *unreachableError) Unwrap() error { return ErrUnreachable }

func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

func (c *Client) unreachable(err error) error {
	why := "no answer: " + err.Error()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		why = "there is no socket; start the relay with \"mta serve\", or name its configuration with -c"
	case refused(err):
		why = "nobody listens any more; start the relay with \"mta serve\""
	case errors.Is(err, fs.ErrPermission):
		why = "this user may not use it; become root, or join the group of the socket"
	case errors.Is(err, syscall.ENOTSOCK), errors.Is(err, syscall.EPROTOTYPE):
		why = "that is no socket; name the relay's configuration with -c"
	}
	return &unreachableError{fmt.Sprintf("the relay is not reachable at %s: %s", c.path, why)}
}

// remoteError is what the relay said, with the kind that it gave it.
type remoteError struct {
	text string
	kind error
}

// Error implements error.
func (e *remoteError) Error() string { return e.text }

// Unwrap implements errors.
func (e *remoteError) Unwrap() error { return e.kind }

func (f *fault) err() error {
	kinds := map[string]error{"not-found": ErrNotFound, "usage": ErrUsage, "config": ErrConfig, "busy": ErrBusy}
	return &remoteError{f.Text, kinds[f.Kind]}
}

// do sends a request; the answer's body is to be closed.
func (c *Client) do(ctx context.Context, method, path string, in any) (io.ReadCloser, error) {
	var send io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("control: %w", err)
		}
		send = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://mta"+path, send)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			return nil, c.unreachable(op.Err)
		}
		return nil, fmt.Errorf("control: the relay at %s ended the connection: it may be stopping or have too many requests; try again: %w", c.path, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	var f failure
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxRequest)).Decode(&f); err != nil || f.Error == "" {
		return nil, fmt.Errorf("control: %s answers %q and no reason: it is not the control socket of an mta", c.path, resp.Status)
	}
	return nil, (&fault{Kind: f.Kind, Text: f.Error}).err()
}

// call sends a request and decodes the one value that comes back.
func call[T any](ctx context.Context, c *Client, method, path string, in any) (v T, err error) {
	rc, err := c.do(ctx, method, path, in)
	if err != nil {
		return v, err
	}
	defer rc.Close()
	if err := json.NewDecoder(rc).Decode(&v); err != nil {
		return v, cut(err)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(rc, 1<<10)) // so that the connection is used again
	return v, nil
}

// cut says that an answer is not whole.
func cut(err error) error {
	return fmt.Errorf("control: the relay's answer was cut short: it may have stopped; ask again: %w", err)
}

// lines calls f for each line of a stream, until it says that it was the last.
func lines[T any](ctx context.Context, c *Client, path string, in any, f func(*T) (last bool, err error)) error {
	rc, err := c.do(ctx, http.MethodPost, path, in)
	if err != nil {
		return err
	}
	defer rc.Close()
	dec := json.NewDecoder(bufio.NewReaderSize(rc, 64<<10))
	for {
		var v T
		if err := dec.Decode(&v); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return cut(err)
		}
		if last, err := f(&v); last || err != nil {
			return err
		}
	}
}

// Status implements Backend.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	return call[*Status](ctx, c, http.MethodGet, "/v1/status", nil)
}

// QueueList implements Backend.
func (c *Client) QueueList(ctx context.Context, f Filter, yield func(*Message) error) error {
	return lines(ctx, c, "/v1/queue/list", f, func(i *item) (bool, error) {
		switch {
		case i.Error != nil:
			return true, i.Error.err()
		case i.Message != nil:
			return false, yield(i.Message)
		}
		return i.End, nil
	})
}

// QueueCount implements Backend.
func (c *Client) QueueCount(ctx context.Context, f Filter) (Counts, error) {
	return call[Counts](ctx, c, http.MethodPost, "/v1/queue/count", f)
}

// QueueShow implements Backend.
func (c *Client) QueueShow(ctx context.Context, id string) (*Message, error) {
	return call[*Message](ctx, c, http.MethodGet, "/v1/queue/message/"+url.PathEscape(id), nil)
}

// QueueBody implements Backend.
func (c *Client) QueueBody(ctx context.Context, id string) (io.ReadCloser, error) {
	return c.do(ctx, http.MethodGet, "/v1/queue/message/"+url.PathEscape(id)+"/body", nil)
}

// QueueShape implements Backend.
func (c *Client) QueueShape(ctx context.Context) (*Shape, error) {
	return call[*Shape](ctx, c, http.MethodGet, "/v1/queue/shape", nil)
}

// QueueAct implements Backend. Going away ends the action where it is.
func (c *Client) QueueAct(ctx context.Context, a Act, progress func(done int) error) (acted Acted, err error) {
	err = lines(ctx, c, "/v1/queue/act", a, func(l *line) (bool, error) {
		switch {
		case l.Error != nil:
			return true, l.Error.err()
		case l.Result != nil:
			acted = *l.Result
			return true, nil
		}
		if progress == nil {
			return false, nil
		}
		return false, progress(l.Done)
	})
	return acted, err
}

// Explain implements Backend.
func (c *Client) Explain(ctx context.Context, id string) ([]trace.Record, error) {
	return call[[]trace.Record](ctx, c, http.MethodGet, "/v1/explain/message/"+url.PathEscape(id), nil)
}

// ExplainSession implements Backend.
func (c *Client) ExplainSession(ctx context.Context, id string) ([]trace.Record, error) {
	return call[[]trace.Record](ctx, c, http.MethodGet, "/v1/explain/session/"+url.PathEscape(id), nil)
}

// ExplainDry implements Backend.
func (c *Client) ExplainDry(ctx context.Context, d Dry) (*DryResult, error) {
	if len(d.Message) > MaxDry {
		return nil, fmt.Errorf("%w: the message has %d octets, and a dry run takes %d: try it with a smaller one", ErrUsage, len(d.Message), MaxDry)
	}
	return call[*DryResult](ctx, c, http.MethodPost, dryPath, d)
}

// Route implements Backend.
func (c *Client) Route(ctx context.Context, address string) (*Route, error) {
	return call[*Route](ctx, c, http.MethodGet, "/v1/route?address="+url.QueryEscape(address), nil)
}

// Plugins implements Backend.
func (c *Client) Plugins(ctx context.Context) ([]Plugin, error) {
	return call[[]Plugin](ctx, c, http.MethodGet, "/v1/plugins", nil)
}

// Reload implements Backend.
func (c *Client) Reload(ctx context.Context, plugin string) (string, error) {
	d, err := call[done](ctx, c, http.MethodPost, "/v1/reload?plugin="+url.QueryEscape(plugin), nil)
	return d.Text, err
}

// Drain implements Backend.
func (c *Client) Drain(ctx context.Context) error {
	_, err := call[done](ctx, c, http.MethodPost, "/v1/drain", nil)
	return err
}

// SinkList implements Backend.
func (c *Client) SinkList(ctx context.Context) ([]SinkMessage, error) {
	return call[[]SinkMessage](ctx, c, http.MethodGet, "/v1/sink", nil)
}

// SinkShow implements Backend.
func (c *Client) SinkShow(ctx context.Context, id string) (io.ReadCloser, error) {
	return c.do(ctx, http.MethodGet, "/v1/sink/"+url.PathEscape(id), nil)
}

// SinkClear implements Backend.
func (c *Client) SinkClear(ctx context.Context) (int, error) {
	d, err := call[done](ctx, c, http.MethodDelete, "/v1/sink", nil)
	return d.Count, err
}
