// Package maildir is a transport that writes messages into maildirs, one
// mailbox a recipient.
//
// A message is written to tmp, synced, renamed into new, and the folder synced:
// only then is it delivered. Whatever fails before defers the recipient and
// removes the partial file.
//
// It refuses a message that already was delivered to the same address (its
// Delivered-To field says so), which would go round for ever: 5.4.6.
//
// Invariants: the parts of an address become names of folders only after every
// octet that could mean something to a file system was encoded, so no address
// leads out of the configured path; two messages never get the same file name;
// nothing that was delivered before is touched.
package maildir

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/programmable-mta/mta/sdk"
)

// New makes the plugin.
func New() sdk.Plugin { return &plugin{disk: system{}} }

var subfolders = [...]string{"tmp", "new", "cur"}

type plugin struct {
	host   sdk.Host
	disk   disk
	path   string
	detail string
	unique string // what is the same in all names of this value: pid and randomness
	suffix string // the host's name, safe for a file name
	count  atomic.Uint64
	making sync.RWMutex // held while folders are made and not durable yet
}

// Start implements [sdk.Plugin].
func (p *plugin) Start(_ context.Context, host sdk.Host, config []byte) error {
	var c struct {
		Path   string `json:"path"`
		Detail string `json:"detail"`
	}
	if err := sdk.DecodeConfig(config, &c); err != nil {
		return err
	}
	rest := strings.NewReplacer("{domain}", "", "{local}", "").Replace(c.Path)
	switch {
	case !filepath.IsAbs(c.Path):
		return fmt.Errorf(`maildir: path %q: write an absolute path like "/var/mail/{domain}/{local}"`, c.Path)
	case filepath.Clean(c.Path) != strings.TrimSuffix(c.Path, "/"):
		return fmt.Errorf("maildir: path %q: write it without \"..\", \".\" and double slashes", c.Path)
	case strings.ContainsAny(rest, "{}\x00"):
		return fmt.Errorf("maildir: path %q: only {domain} and {local} stand for something", c.Path)
	case !strings.Contains(c.Path, "{local}"):
		return fmt.Errorf("maildir: path %q: without {local} all mail would go into one mailbox", c.Path)
	}
	var random [6]byte
	if _, err := rand.Read(random[:]); err != nil {
		return fmt.Errorf("maildir: %w", err)
	}
	p.host, p.path, p.detail = host, c.Path, c.Detail
	p.unique = "P" + strconv.Itoa(os.Getpid()) + "R" + hex.EncodeToString(random[:]) + "Q"
	// As the maildir format has it: no slash and no colon in a host name.
	p.suffix = "." + strings.NewReplacer("/", `\057`, ":", `\072`).Replace(host.Hostname())
	return nil
}

// Close implements [sdk.Plugin].
func (p *plugin) Close() error { return nil }

// OnDeliver implements [sdk.DeliverHook].
func (p *plugin) OnDeliver(ctx context.Context, e *sdk.DeliverEvent) (sdk.DeliverAnswer, error) {
	h, err := e.Message.Header()
	if err != nil && !errors.Is(err, sdk.ErrHeaderTooLong) {
		return sdk.DeliverAnswer{}, fmt.Errorf("maildir: reading the header: %w", err)
	}
	seen := h.Values("Delivered-To")
	a := sdk.DeliverAnswer{Outcomes: make([]sdk.Outcome, len(e.Recipients))}
	for i, r := range e.Recipients {
		switch {
		case err != nil: // a loop could hide in it
			a.Outcomes[i] = failed(554, "5.6.0", "the header is longer than 1 MiB")
		case loops(seen, r.Addr):
			a.Outcomes[i] = failed(554, "5.4.6", "mail for "+r.Addr+" loops: it was delivered there before")
		default:
			a.Outcomes[i] = p.deliver(ctx, e, r.Addr)
		}
	}
	return a, nil
}

func loops(seen []string, addr string) bool {
	for _, s := range seen {
		if strings.EqualFold(s, addr) {
			return true
		}
	}
	return false
}

// deliver writes the message into one mailbox.
func (p *plugin) deliver(ctx context.Context, e *sdk.DeliverEvent, addr string) sdk.Outcome {
	box, err := p.mailbox(addr)
	if err != nil {
		return failed(553, "5.1.3", err.Error())
	}
	if err := p.open(box); err != nil {
		return p.deferred(ctx, "make", err)
	}
	name := p.name(ctx)
	tmp := filepath.Join(box, "tmp", name)
	size, err := p.write(ctx, tmp, e, addr)
	if err != nil {
		return p.deferred(ctx, "write", err)
	}
	final := filepath.Join(box, "new", name+",S="+strconv.FormatInt(size, 10))
	if err := p.disk.Rename(tmp, final); err != nil {
		p.disk.Remove(tmp)
		return p.deferred(ctx, "rename", err)
	}
	if err := p.disk.SyncDir(filepath.Join(box, "new")); err != nil {
		// It will be written again, so it may not stay. A reader may have taken
		// it already.
		o := p.deferred(ctx, "sync", err)
		o.MaybeDuplicate = p.disk.Remove(final) != nil
		return o
	}
	return sdk.Outcome{Status: sdk.StatusDelivered, Reply: sdk.Reply{Code: 250, Enhanced: "2.0.0", Text: "delivered to maildir"}}
}

// open makes the folders of a mailbox that are missing.
func (p *plugin) open(box string) error {
	p.making.RLock()
	complete := true
	for _, sub := range subfolders {
		ok, err := p.disk.Exists(filepath.Join(box, sub))
		if err != nil {
			p.making.RUnlock()
			return err
		}
		complete = complete && ok
	}
	p.making.RUnlock()
	if complete {
		return nil
	}
	p.making.Lock()
	defer p.making.Unlock()
	for _, sub := range subfolders {
		if err := mkdir(p.disk, filepath.Join(box, sub)); err != nil {
			return err
		}
	}
	return nil
}

// name is a file name that nobody else makes: time, microseconds, process,
// randomness of this value, and a counter.
func (p *plugin) name(ctx context.Context) string {
	now := p.host.Now(ctx)
	b := strconv.AppendInt(nil, now.Unix(), 10)
	b = append(b, ".M"...)
	b = strconv.AppendInt(b, int64(now.Nanosecond()/1000), 10)
	b = append(b, p.unique...)
	b = strconv.AppendUint(b, p.count.Add(1), 10)
	return string(append(b, p.suffix...))
}

// write makes the file, whole and synced, or leaves none.
func (p *plugin) write(ctx context.Context, path string, e *sdk.DeliverEvent, addr string) (size int64, err error) {
	f, err := p.disk.Create(path)
	if err != nil {
		return 0, err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			p.disk.Remove(path)
		}
	}()
	// RFC 5321 §4.4: the last relay writes down the reverse-path.
	head := "Return-Path: <" + e.Envelope.From + ">\nDelivered-To: " + addr + "\n"
	if _, err := io.WriteString(f, head); err != nil {
		return 0, err
	}
	body, err := e.Message.Open()
	if err != nil {
		return 0, err
	}
	defer body.Close()
	n, err := copyLF(ctx, f, body)
	if err != nil {
		return 0, err
	}
	return int64(len(head)) + n, f.Sync()
}

// deferred is the outcome of an error of the disk. The path stays in the log:
// the sender has no business with it.
func (p *plugin) deferred(ctx context.Context, what string, err error) sdk.Outcome {
	p.host.Log(ctx, levelError, "cannot "+what, "err", err)
	r := sdk.Reply{Code: 451, Enhanced: "4.3.0", Text: "the mailbox cannot be written"}
	switch {
	case errors.Is(err, syscall.ENOSPC):
		r = sdk.Reply{Code: 452, Enhanced: "4.3.1", Text: "the disk is full"}
	case errors.Is(err, syscall.EDQUOT):
		r = sdk.Reply{Code: 452, Enhanced: "4.2.2", Text: "the mailbox is over quota"}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		r.Text = "the attempt was broken off"
	}
	return sdk.Outcome{Status: sdk.StatusDeferred, Reply: r}
}

func failed(code int, enhanced, text string) sdk.Outcome {
	return sdk.Outcome{Status: sdk.StatusFailed, Reply: sdk.Reply{Code: code, Enhanced: enhanced, Text: text}}
}
