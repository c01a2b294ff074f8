// Package native runs plugins that are compiled into the relay.
package native

import (
	"context"
	"errors"

	"github.com/programmable-mta/mta/core/runtime"
	"github.com/programmable-mta/mta/sdk"
)

// New makes the runtime of the compiled-in plugins, given by name.
func New(builtin map[string]func() sdk.Plugin) runtime.Runtime { return &native{builtin} }

type native struct{ builtin map[string]func() sdk.Plugin }

func (n *native) Load(ctx context.Context, spec runtime.Spec, host sdk.Host) (runtime.Loaded, error) {
	return nil, errors.New("native: no such plugin")
}
