package wasm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/tetratelabs/wazero/api"
)

// The numbers of errors in WASI.
const (
	wasiOK    = 0
	wasiBadf  = 8
	wasiFault = 21
	wasiInval = 28
)

// clock is what a guest sees of time. Without the grant it stands still for the
// length of a call, except for the time that the guest has slept.
type clock struct {
	now   time.Time // of the event
	slept time.Duration
	mono  int64 // the most that the monotonic clock has said
}

func (c *clock) begin(now time.Time) { c.now, c.slept = now, 0 }

// wall is the time of day as the guest sees it.
func (in *instance) wall() time.Time {
	if in.p.spec.Grants.Clock && in.phase != describing {
		return in.p.host.Now(in.parent)
	}
	return in.clock.now.Add(in.clock.slept)
}

// wasi are the functions of WASI that are offered. Ordinary toolchains need some
// of them to live; all that is about files answers EBADF, because there are none.
func wasi() []function {
	type do = func(*instance, api.Memory, []uint64)
	var fs []function
	add := func(name, params string, f do) {
		if f == nil {
			f = func(_ *instance, _ api.Memory, stack []uint64) { stack[0] = wasiBadf }
		}
		types := make([]api.ValueType, len(params))
		for i, c := range params {
			types[i] = i32
			if c == 'I' {
				types[i] = i64
			}
		}
		results := []api.ValueType{i32}
		if name == "proc_exit" {
			results = nil
		}
		fs = append(fs, function{name, types, results, f})
	}
	nothing := func(_ *instance, _ api.Memory, stack []uint64) { stack[0] = wasiOK }
	add("args_get", "ii", nothing)
	add("args_sizes_get", "ii", noStrings)
	add("environ_get", "ii", nothing)
	add("environ_sizes_get", "ii", noStrings)
	add("clock_res_get", "ii", clockResolution)
	add("clock_time_get", "iIi", clockTime)
	add("random_get", "ii", randomGet)
	add("sched_yield", "", func(in *instance, _ api.Memory, stack []uint64) {
		in.charge(0)
		stack[0] = wasiOK
	})
	add("proc_exit", "i", procExit)
	add("poll_oneoff", "iiii", pollOneoff)
	add("fd_write", "iiii", fdWrite)
	add("fd_fdstat_get", "ii", fdStat)
	add("fd_fdstat_set_flags", "ii", fdSetFlags)
	for name, params := range map[string]string{
		"fd_advise": "iIIi", "fd_allocate": "iII", "fd_close": "i", "fd_datasync": "i", "fd_fdstat_set_rights": "iII",
		"fd_filestat_get": "ii", "fd_filestat_set_size": "iI", "fd_filestat_set_times": "iIIi", "fd_pread": "iiiIi",
		"fd_prestat_get": "ii", "fd_prestat_dir_name": "iii", "fd_pwrite": "iiiIi", "fd_read": "iiii", "fd_readdir": "iiiIi",
		"fd_renumber": "ii", "fd_seek": "iIii", "fd_sync": "i", "fd_tell": "ii",
		"path_create_directory": "iii", "path_filestat_get": "iiiii", "path_filestat_set_times": "iiiiIIi", "path_link": "iiiiiii",
		"path_open": "iiiiiIIii", "path_readlink": "iiiiii", "path_remove_directory": "iii", "path_rename": "iiiiii",
		"path_symlink": "iiiii", "path_unlink_file": "iii",
		"sock_accept": "iii", "sock_recv": "iiiiii", "sock_send": "iiiii", "sock_shutdown": "ii",
	} {
		add(name, params, nil)
	}
	return fs
}

func status(ok bool) uint64 {
	if ok {
		return wasiOK
	}
	return wasiFault
}

func noStrings(_ *instance, mem api.Memory, stack []uint64) {
	stack[0] = status(mem.WriteUint32Le(api.DecodeU32(stack[0]), 0) && mem.WriteUint32Le(api.DecodeU32(stack[1]), 0))
}

func clockResolution(_ *instance, mem api.Memory, stack []uint64) {
	stack[0] = status(mem.WriteUint64Le(api.DecodeU32(stack[1]), 1))
}

func clockTime(in *instance, mem api.Memory, stack []uint64) {
	in.charge(0)
	now := in.wall().UnixNano()
	if api.DecodeU32(stack[0]) != 0 {
		// Not the wall clock, so never backwards: the time of one event may lie
		// before that of the last.
		in.clock.mono = max(in.clock.mono, now)
		now = in.clock.mono
	}
	stack[0] = status(mem.WriteUint64Le(api.DecodeU32(stack[2]), uint64(now)))
}

func randomGet(in *instance, mem api.Memory, stack []uint64) {
	n := api.DecodeU32(stack[1])
	in.charge(n)
	p, ok := mem.Read(api.DecodeU32(stack[0]), n)
	if ok {
		for len(p) > 0 {
			part := p[:min(len(p), 4096)]
			in.p.host.Random(in.parent, part)
			p = p[len(part):]
		}
	}
	stack[0] = status(ok)
}

func procExit(in *instance, _ api.Memory, stack []uint64) {
	in.out[0].flush(in, false)
	in.out[1].flush(in, true)
	text := fmt.Sprintf("it exited with the status %d", api.DecodeU32(stack[0]))
	if said := in.out[1].said; said != "" {
		text += ": " + said
	}
	in.end(errors.New(text))
}

func fdStat(_ *instance, mem api.Memory, stack []uint64) {
	fd, at := api.DecodeU32(stack[0]), api.DecodeU32(stack[1])
	if fd > 2 {
		stack[0] = wasiBadf
		return
	}
	var stat [24]byte
	stat[0] = 2                                   // a character device
	binary.LittleEndian.PutUint16(stat[2:], 1)    // append
	binary.LittleEndian.PutUint64(stat[8:], 1<<6) // may be written
	stack[0] = status(mem.Write(at, stat[:]))
}

func fdSetFlags(_ *instance, _ api.Memory, stack []uint64) {
	if api.DecodeU32(stack[0]) > 2 {
		stack[0] = wasiBadf
		return
	}
	stack[0] = wasiOK
}

// line collects what a guest writes, until it ends a line.
type line struct {
	b    []byte
	said string // the first line of the call that runs
}

const maxLine = 1024

func (l *line) write(in *instance, p []byte, isError bool) {
	for _, c := range p {
		if c == '\n' {
			l.flush(in, isError)
		} else if len(l.b) < maxLine {
			l.b = append(l.b, c)
		}
	}
}

// flush logs the line. What follows the first line of a crash is for the author
// of the plugin alone.
func (l *line) flush(in *instance, isError bool) {
	text := strings.TrimRight(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(l.b), "?")), " ")
	l.b = l.b[:0]
	if text == "" || in.parent == nil {
		return
	}
	level := slog.LevelInfo
	switch {
	case isError && crashed(l.said):
		level = slog.LevelDebug
	case isError:
		level = slog.LevelWarn
	}
	if l.said == "" || crashed(text) {
		l.said = text
	}
	in.p.host.Log(in.parent, level, text)
}

// crashed tells whether a line begins the report of a crash.
func crashed(text string) bool {
	return strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ") || strings.HasPrefix(text, "thread '")
}

func fdWrite(in *instance, mem api.Memory, stack []uint64) {
	fd, at, n, to := api.DecodeU32(stack[0]), api.DecodeU32(stack[1]), api.DecodeU32(stack[2]), api.DecodeU32(stack[3])
	if fd != 1 && fd != 2 {
		stack[0] = wasiBadf
		return
	}
	in.charge(min(n, 1024) * 8)
	if n > 1024 {
		stack[0] = wasiInval
		return
	}
	written := uint32(0)
	for i := range n {
		base, ok1 := mem.ReadUint32Le(at + 8*i)
		size, ok2 := mem.ReadUint32Le(at + 8*i + 4)
		p, ok3 := mem.Read(base, size)
		if !ok1 || !ok2 || !ok3 {
			stack[0] = wasiFault
			return
		}
		in.charge(size)
		in.out[fd-1].write(in, p, fd == 2)
		written += size
	}
	stack[0] = status(mem.WriteUint32Le(to, written))
}

// pollOneoff sleeps until the first of some clocks, at most until the deadline.
// Nothing else can be waited for.
func pollOneoff(in *instance, mem api.Memory, stack []uint64) {
	subs, events, n, count := api.DecodeU32(stack[0]), api.DecodeU32(stack[1]), api.DecodeU32(stack[2]), api.DecodeU32(stack[3])
	in.charge(min(n, 1024) * 48)
	if n == 0 || n > 1024 {
		stack[0] = wasiInval
		return
	}
	first, which := time.Duration(-1), uint32(0)
	for i := range n {
		s, ok := mem.Read(subs+48*i, 48)
		if !ok {
			stack[0] = wasiFault
			return
		}
		if s[8] != 0 { // not a clock: ready at once, with an error
			first, which = 0, i
			break
		}
		if d := in.until(s); first < 0 || d < first {
			first, which = d, i
		}
	}
	in.sleep(first)
	s, _ := mem.Read(subs+48*which, 48)
	var e [32]byte
	copy(e[:8], s[:8])
	e[10] = s[8]
	if s[8] != 0 {
		binary.LittleEndian.PutUint16(e[8:], wasiBadf)
	}
	stack[0] = status(mem.Write(events, e[:]) && mem.WriteUint32Le(count, 1))
}

// until is how long a subscription of a clock has to sleep.
func (in *instance) until(s []byte) time.Duration {
	timeout := binary.LittleEndian.Uint64(s[24:])
	if s[40]&1 != 0 { // an absolute time
		now := uint64(in.wall().UnixNano())
		if binary.LittleEndian.Uint32(s[16:]) != 0 {
			now = max(now, uint64(in.clock.mono))
		}
		timeout -= min(timeout, now)
	}
	return time.Duration(min(timeout, uint64(24*time.Hour)))
}

func (in *instance) sleep(d time.Duration) {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-in.context().Done():
			err := in.overdue()
			if err == nil {
				err = fmt.Errorf("it slept past its deadline of %v", in.limit)
			}
			in.end(err)
		}
	}
	in.clock.slept += d
}
