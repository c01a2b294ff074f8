package sink

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Stage is a moment of the conversation at which a fault can happen.
type Stage uint8

// The stages.
const (
	Connect Stage = iota // the greeting
	Mail                 // MAIL FROM
	Rcpt                 // each RCPT TO
	Data                 // the DATA command; inside TLS, see [Fault]
	Dot                  // the reply to the end of the message
	stages
)

var stageNames = [stages]string{"connect", "mail", "rcpt", "data", "dot"}

// String is the stage's name, as [ParseFault] reads it.
func (s Stage) String() string {
	if s < stages {
		return stageNames[s]
	}
	return "stage(" + strconv.Itoa(int(s)) + ")"
}

// Fault is what goes wrong at a stage. The shares are between 0 and 1 and at
// most 1 together; what remains is answered properly.
//
// A fault at Data is answered to the command itself in clear sessions. Inside
// TLS go-smtp lets nobody answer in its place, and the fault is answered at the
// final dot instead.
type Fault struct {
	Delay  time.Duration // before every reply of the stage, good or bad
	Defer  float64       // share of 4xx
	Reject float64       // share of 5xx
	Drop   float64       // share of connections closed without a reply
}

// Faults are the faults of all stages.
type Faults [stages]Fault

func (fs Faults) validate() error {
	for st, f := range fs {
		if f.Delay < 0 || f.Defer < 0 || f.Reject < 0 || f.Drop < 0 {
			return fmt.Errorf("sink: fault at %s: negative value", Stage(st))
		}
		if f.Defer+f.Reject+f.Drop > 1.0000001 { // 0.7+0.2+0.1 exceeds 1 by an ulp
			return fmt.Errorf("sink: fault at %s: shares are more than 100%% together", Stage(st))
		}
	}
	return nil
}

// Set reads a fault as people write it, "rcpt:defer=10%,reject=0.05,delay=200ms",
// into its stage. It makes *Faults a flag value together with [Faults.String].
func (fs *Faults) Set(text string) error {
	name, rest, ok := strings.Cut(text, ":")
	if !ok {
		return errors.New(`sink: a fault reads like "rcpt:defer=10%,delay=200ms"`)
	}
	stage := Stage(0)
	for stage < stages && stageNames[stage] != name {
		stage++
	}
	if stage == stages {
		return fmt.Errorf("sink: stage %q: want one of %s", name, strings.Join(stageNames[:], ", "))
	}
	f := fs[stage]
	for part := range strings.SplitSeq(rest, ",") {
		if err := f.set(part); err != nil {
			return err
		}
	}
	next := *fs
	next[stage] = f
	if err := next.validate(); err != nil {
		return err
	}
	*fs = next
	return nil
}

func (f *Fault) set(part string) (err error) {
	key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
	switch key {
	case "delay":
		f.Delay, err = time.ParseDuration(value)
	case "defer":
		f.Defer, err = share(value)
	case "reject":
		f.Reject, err = share(value)
	case "drop":
		f.Drop, err = share(value)
	default:
		return fmt.Errorf("sink: fault %q: want delay, defer, reject or drop", key)
	}
	if err != nil {
		return fmt.Errorf("sink: fault %s=%q: want %s", key, value, map[bool]string{true: `a duration like "200ms"`, false: `a share like "10%" or "0.1"`}[key == "delay"])
	}
	return nil
}

// share reads "10%" or "0.1".
func share(s string) (float64, error) {
	digits, percent := strings.CutSuffix(s, "%")
	x, err := strconv.ParseFloat(digits, 64)
	if percent {
		x /= 100
	}
	if err == nil && !(x >= 0 && x <= 1) { // also refuses NaN
		err = strconv.ErrRange
	}
	return x, err
}

// String writes the faults as [Faults.Set] reads them, separated by spaces.
func (fs *Faults) String() string {
	if fs == nil {
		return ""
	}
	var words []string
	for st, f := range fs {
		if f == (Fault{}) {
			continue
		}
		var parts []string
		if f.Delay != 0 {
			parts = append(parts, "delay="+f.Delay.String())
		}
		for _, p := range []struct {
			name  string
			share float64
		}{{"defer", f.Defer}, {"reject", f.Reject}, {"drop", f.Drop}} {
			if p.share != 0 {
				parts = append(parts, p.name+"="+strconv.FormatFloat(p.share, 'g', -1, 64))
			}
		}
		words = append(words, Stage(st).String()+":"+strings.Join(parts, ","))
	}
	return strings.Join(words, " ")
}

// verdict is what the dice say about one reply.
type verdict uint8

const (
	healthy verdict = iota
	deferIt
	rejectIt
	dropIt
)

// roll waits out the delay of a stage, throws the dice, and counts.
func (s *Sink) roll(st Stage) verdict {
	f := &s.opt.Faults[st]
	if f.Delay > 0 {
		t := time.NewTimer(f.Delay)
		select {
		case <-t.C:
		case <-s.done:
			t.Stop()
		}
	}
	if f.Defer == 0 && f.Reject == 0 && f.Drop == 0 {
		return healthy
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch x := s.rand.Float64(); {
	case x < f.Defer:
		s.stats.Deferred++
		return deferIt
	case x < f.Defer+f.Reject:
		s.stats.Rejected++
		return rejectIt
	case x < f.Defer+f.Reject+f.Drop:
		s.stats.Dropped++
		return dropIt
	}
	return healthy
}
