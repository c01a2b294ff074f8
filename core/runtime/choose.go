package runtime

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/programmable-mta/mta/sdk"
)

// Choose removes the hooks of a loaded plugin that the configuration does not
// want; nil wants all. A wish for a hook that it does not have is an error.
func Choose(hs *sdk.Handlers, wanted []string) error {
	var has, all []string
	for _, h := range sdk.Hooks() {
		all = append(all, h.Name)
		if h.Implemented(hs) {
			has = append(has, h.Name)
		}
	}
	if len(has) == 0 {
		return errors.New("it has no hooks at all")
	}
	if wanted == nil {
		return nil
	}
	if len(wanted) == 0 {
		return errors.New("hooks is empty, so it would never be asked: leave hooks out, or set mode = \"off\"")
	}
	for _, w := range wanted {
		switch {
		case !slices.Contains(all, w):
			return fmt.Errorf("there is no hook %q; it has: %s", w, strings.Join(has, ", "))
		case !slices.Contains(has, w):
			return fmt.Errorf("it does not have the hook %q; it has: %s", w, strings.Join(has, ", "))
		}
	}
	for _, h := range sdk.Hooks() {
		if !slices.Contains(wanted, h.Name) {
			h.Remove(hs)
		}
	}
	return nil
}
