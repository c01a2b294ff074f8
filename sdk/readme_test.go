package sdk_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/programmable-mta/mta/sdk"
	"github.com/programmable-mta/mta/sdk/plugintest"
)

// readme are the plugins of README.md, by their story.
var readme = map[string]sdk.Plugin{
	"connect": &Blocklist{}, "helo": &OwnName{}, "auth": &Accounts{}, "mail": &NotUs{}, "rcpt": &Rate{},
	"predata": &OneBounce{}, "data": &Header{}, "footer": &Footer{}, "route": &Tenants{}, "deliver": &Webhook{},
	"outcome": &Patience{}, "bounce": &Quiet{}, "disconnect": &Idle{}, "note": &Reader{}, "swap": &Newcomers{}, "limit": &Limit{},
}

func TestThePluginsOfTheReadmeDoWhatTheirStoriesSay(t *testing.T) {
	for name, p := range readme {
		t.Run(name, func(t *testing.T) {
			plugintest.Run(t, func() sdk.Plugin { return p }, filepath.Join("testdata/readme", name+".txtar"))
		})
	}
	for _, h := range sdk.Hooks() {
		p := readme[h.Name]
		if p == nil {
			t.Errorf("hook %s has no plugin in README.md", h.Name)
			continue
		}
		if hs := sdk.Local(p); !h.Implemented(&hs) {
			t.Errorf("the plugin of hook %s does not have it", h.Name)
		}
	}
}

// What the page shows stands in the files that are tested: no block of Go is
// written into a page by hand.
func TestEveryBlockOfCodeOfThePagesIsMadeFromATestedFile(t *testing.T) {
	for _, page := range []string{"README.md", "coming-from.md"} {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		inside, blocks := false, 0
		for i, line := range strings.Split(string(b), "\n") {
			switch {
			case strings.HasPrefix(line, "<!-- generated: file "):
				inside = true
			case line == "<!-- end -->":
				inside = false
			case slices.Contains([]string{"```go", "```js", "```python", "```c", "```rust", "```ts"}, line):
				if blocks++; !inside {
					t.Errorf("%s:%d: this block is not made from a file: put it in one that a test runs, and write <!-- generated: file PATH#NAME -->", page, i+1)
				}
			}
		}
		if blocks < 3 {
			t.Errorf("%s: only %d blocks of code were found", page, blocks)
		}
	}
}
