package runtime

import (
	"fmt"
	"slices"
	"strings"

	"github.com/programmable-mta/mta/sdk"
)

// Missing judges what a plugin says it needs ([sdk.Description]): the keys to add to the
// configuration, as they are written there. The error is a need that there is
// not.
func (g *Grants) Missing(needs []string) (keys []string, err error) {
	for _, need := range needs {
		name, degree, _ := strings.Cut(need, "=")
		i := slices.IndexFunc(sdk.Grants(), func(info sdk.GrantInfo) bool { return info.Name == name })
		written := degree == "write" && (name == "body" || name == "headers")
		if i < 0 || degree != "" && !written {
			return nil, fmt.Errorf("it needs the grant %q, and there is no such grant", need)
		}
		switch {
		case !written && g.Has(name):
		case !written:
			keys = append(keys, "allow."+name+" = "+sdk.Grants()[i].Values)
		case name == "body" && g.Body < Write, name == "headers" && g.Headers < Write:
			keys = append(keys, "allow."+name+` = "write"`)
		}
	}
	return keys, nil
}
