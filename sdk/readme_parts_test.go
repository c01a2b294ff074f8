package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/programmable-mta/mta/sdk"
)

// The pieces of README.md that are about more than one hook.

// snippet config
// Limit takes messages up to a size, which the operator sets.
type Limit struct {
	Max int64 `json:"max"`
}

// Start: what is in p before are the defaults; a key that is no field of it is refused.
func (p *Limit) Start(_ context.Context, _ sdk.Host, config []byte) error {
	p.Max = 1 << 20
	if err := sdk.DecodeConfig(config, p); err != nil {
		return err
	}
	if p.Max <= 0 {
		return errors.New("max has to be more than 0")
	}
	return nil
}

func (p *Limit) Close() error { return nil }

// Describe says what is read, so that nothing else is sent.
func (p *Limit) Describe() sdk.Description {
	return sdk.Description{Name: "limit", Version: "1.0.0", Hooks: map[string][]string{"data": {"message.size"}}}
}

// SelfTest is asked after Start, before the first message.
func (p *Limit) SelfTest(ctx context.Context) error {
	a, err := p.OnData(ctx, &sdk.DataEvent{Message: sdk.Message{Size: p.Max + 1}})
	if err == nil && a.Action != sdk.Reject {
		return fmt.Errorf("a message of %d octets passes", p.Max+1)
	}
	return err
}

// HooksNeverBlock: the hook only compares numbers.
func (p *Limit) HooksNeverBlock() {}

func (p *Limit) OnData(_ context.Context, e *sdk.DataEvent) (sdk.Answer, error) {
	if e.Message.Size > p.Max {
		return sdk.Rejected("5.3.4", "too big for us"), nil
	}
	return sdk.Answer{}, nil
}

// end snippet

// snippet note
// Reader reads at data what the plugin "blocklist" found out at connect.
type Reader struct{ base }

func (p *Reader) OnData(_ context.Context, e *sdk.DataEvent) (sdk.Answer, error) {
	if e.Envelope.Notes["blocklist.looked"] != "clean" {
		return sdk.Answer{Edits: []sdk.Edit{{Op: sdk.OpPrependHeader, Name: "X-Blocklist", Value: "not asked"}}}, nil
	}
	return sdk.Answer{}, nil
}

// end snippet

// snippet swap
// Newcomers marks the first session of each client in a month. Of two that come
// at the same moment, one is the first.
type Newcomers struct{ base }

func (p *Newcomers) OnConnect(ctx context.Context, e *sdk.ConnectEvent) (sdk.Answer, error) {
	first, err := p.host.KV().Swap(ctx, "client."+e.Session.RemoteIP, nil, []byte("seen"), 30*24*time.Hour)
	if err != nil || !first {
		return sdk.Answer{}, err
	}
	p.host.Count(ctx, "new_clients", 1)
	return sdk.Noted("new", "yes"), nil
}

// end snippet
