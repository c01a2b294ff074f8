package control

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/programmable-mta/mta/core/record"
)

// Recording asks for the calls of one plugin as they come.
type Recording struct {
	Plugin        string `json:"plugin"`
	Seconds       int64  `json:"for_seconds,omitempty"` // it ends then; 0: [MaxRecording]
	Calls         int    `json:"calls,omitempty"`       // and after so many; 0: no limit
	MaxBytes      int64  `json:"max_bytes,omitempty"`   // and at this size; 0: 64 MiB
	Bodies        bool   `json:"bodies,omitempty"`
	HashAddresses bool   `json:"hash_addresses,omitempty"`
}

// MaxRecording is the longest time of one recording: what is forgotten ends.
const MaxRecording = 24 * time.Hour

// check finds what is wrong with a request, before anything is done.
func (q *Recording) check() error {
	switch {
	case q.Plugin == "":
		return fmt.Errorf("%w: no plugin: name one of `mta plugin list`", ErrUsage)
	case q.Seconds < 0 || q.Calls < 0 || q.MaxBytes < 0:
		return fmt.Errorf("%w: times, numbers of calls and sizes cannot be negative", ErrUsage)
	case q.Seconds > int64(MaxRecording/time.Second):
		return fmt.Errorf("%w: a recording lasts %s at most", ErrUsage, MaxRecording)
	case q.MaxBytes > record.MaxFile:
		return fmt.Errorf("%w: a recording has %d octets at most", ErrUsage, record.MaxFile)
	case q.Bodies && q.HashAddresses:
		return fmt.Errorf("%w: addresses in the content of messages cannot all be found: choose bodies or hashed addresses", ErrUsage)
	}
	return nil
}

// Plugins at work, as far as people want to see what they are asked.
type recordings interface {
	// PluginRecord records what a plugin is asked and answers, in the format of
	// [record], until ctx ends or a limit of the request is reached. Reading
	// slowly loses calls, and never delays mail.
	PluginRecord(ctx context.Context, q Recording) (io.ReadCloser, error)
	// PluginDiff is where a shadow plugin would have done otherwise.
	PluginDiff(ctx context.Context, plugin string) (*record.Differences, error)
}

func (s *Server) recordingRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /v1/plugin/record", s.record)
	mux.HandleFunc("GET /v1/plugin/{name}/diff", value(func(r *http.Request) (*record.Differences, error) {
		return s.b.PluginDiff(r.Context(), r.PathValue("name"))
	}))
}

func (s *Server) record(w http.ResponseWriter, r *http.Request) {
	q, err := body[Recording](r)
	if err == nil {
		err = q.check()
	}
	if err != nil {
		fail(w, err)
		return
	}
	rc, err := s.b.PluginRecord(r.Context(), q)
	hurry(w)
	if err != nil {
		fail(w, err)
		return
	}
	defer rc.Close()
	w.Header().Set("Content-Type", "application/x-ndjson")
	buf := make([]byte, 32<<10)
	for {
		n, err := rc.Read(buf)
		if n > 0 {
			hurry(w)
			if _, err := w.Write(buf[:n]); err != nil {
				return
			}
			// Nobody knows when the next call comes.
			if err := http.NewResponseController(w).Flush(); err != nil {
				return
			}
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler) // so that nobody takes it for whole
		}
	}
}

// PluginRecord implements Backend.
func (c *Client) PluginRecord(ctx context.Context, q Recording) (io.ReadCloser, error) {
	return c.do(ctx, http.MethodPost, "/v1/plugin/record", q)
}

// PluginDiff implements Backend.
func (c *Client) PluginDiff(ctx context.Context, plugin string) (*record.Differences, error) {
	return call[*record.Differences](ctx, c, http.MethodGet, "/v1/plugin/"+url.PathEscape(plugin)+"/diff", nil)
}
