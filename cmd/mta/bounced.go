package main

import (
	"context"

	"github.com/programmable-mta/mta/core/bounce"
	"github.com/programmable-mta/mta/core/smtpin"
	"github.com/programmable-mta/mta/sdk"
)

// bounceRefused tells the sender about recipients that a data hook refused
// while the message was accepted for others. The DSN is durable when it returns
// nil, so the 250 that follows leaves nobody untold.
func (r *relay) bounceRefused(ctx context.Context, env *sdk.Envelope, m sdk.Message, refused []smtpin.Refused) error {
	now := r.w.now()
	told := make([]bounce.Rcpt, len(refused))
	for i, x := range refused {
		told[i] = bounce.Rcpt{Recipient: x.Recipient, Outcome: sdk.Outcome{Status: sdk.StatusFailed, Reply: x.Reply}, LastAttempt: now}
	}
	return r.delivery.NotifyRefused(ctx, env, m, told)
}
