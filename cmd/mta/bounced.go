package main

import (
	"context"
	"time"

	"github.com/programmable-mta/mta/core/bounce"
	"github.com/programmable-mta/mta/core/smtpin"
	"github.com/programmable-mta/mta/sdk"
)

// bounceRefused tells the sender about recipients that a data hook refused
// while the message was accepted for others. The DSN is durable when it returns
// nil, so the 250 that follows leaves nobody untold.
func (r *relay) bounceRefused(ctx context.Context, env *sdk.Envelope, m sdk.Message, refused []smtpin.Refused) error {
	now := r.w.now()
	cfg := r.cfg.Load()
	rep := &bounce.Report{Kind: sdk.DSNFailed, Envelope: env, Message: m, Hostname: cfg.Hostname, Now: now}
	for _, x := range refused {
		if !bounce.Wanted(env, x.Recipient, sdk.DSNFailed) {
			continue
		}
		rep.Recipients = append(rep.Recipients, bounce.Rcpt{Recipient: x.Recipient, Outcome: sdk.Outcome{Status: sdk.StatusFailed, Reply: x.Reply}, LastAttempt: now})
	}
	if len(rep.Recipients) == 0 {
		return nil
	}
	rep.ID = r.queue.NewID()
	d := r.queue.Draft(rep.ID)
	if err := bounce.Write(d, rep); err != nil {
		d.Discard()
		return err
	}
	dsn := bounce.Envelope(rep)
	dsn.Size = d.Size()
	if err := r.queue.Put(ctx, d, dsn); err != nil {
		return err
	}
	r.tracer.Bounced(env.ID, rep.ID, sdk.DSNFailed.String(), env.From)
	r.tracer.Accepted(nil, dsn, "", time.Duration(0), nil)
	return nil
}
