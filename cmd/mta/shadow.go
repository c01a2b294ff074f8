package main

import (
	"sync"

	"github.com/programmable-mta/mta/core/hook"
	"github.com/programmable-mta/mta/core/record"
)

// diffs keep, for each shadow plugin, where it answers otherwise than what was
// done. They outlive reloads of other plugins.
type diffs struct {
	mu      sync.Mutex
	plugins map[string]*record.Diff
}

// add is hook.Options.Compare.
func (d *diffs) add(c hook.Comparison) {
	shadow := c.Shadow
	if c.Err != "" {
		shadow = "error " + c.Err
	}
	d.of(c.Plugin).Add(c.Hook, shadow, c.Active, record.Example{At: c.At, ID: c.ID, Recipient: c.About})
}

func (d *diffs) of(plugin string) *record.Diff {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.plugins == nil {
		d.plugins = map[string]*record.Diff{}
	}
	if d.plugins[plugin] == nil {
		d.plugins[plugin] = &record.Diff{}
	}
	return d.plugins[plugin]
}

// forget begins anew with a plugin that was loaded anew.
func (d *diffs) forget(plugin string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.plugins, plugin)
}
