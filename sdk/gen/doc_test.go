package gen

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// pageOf makes the parts of a page.
func pageOf(t *testing.T, text string) (made string, faults []string) {
	t.Helper()
	s, err := Load("..")
	if err != nil {
		t.Fatal(err)
	}
	d := &docs{s: s, root: "../..", page: "page.md", told: map[string]bool{}}
	made = string(partOfPage.ReplaceAllFunc([]byte(text), d.section))
	d.complete()
	for _, f := range d.faults {
		faults = append(faults, f.Error())
	}
	return made, faults
}

func part(what string) string { return "<!-- generated: " + what + " -->\nstale\n<!-- end -->\n" }

func TestAPartOfAPageIsMadeAnew(t *testing.T) {
	for what, want := range map[string]string{
		"hooks":                                "| [`rcpt`](#rcpt) |",
		"hook rcpt":                            "`OnRcpt(ctx, *RcptEvent) (Answer, error)`",
		"hook disconnect":                      "`OnDisconnect(ctx, *DisconnectEvent) error`",
		"record Session":                       "| `remote_ip` | `RemoteIP` | string |",
		"record Envelope":                      "| list of [Recipient](#recipient) |",
		"enum Op":                              "| `set-sender` | `OpSetSender` |",
		"grants":                               "| `body` | `\"read\"` or `\"write\"` |",
		"calls":                                "| `kv_add` | `kv` |",
		"file sdk/readme_session_test.go#helo": "```go\n// OwnName",
		"file sdk/testdata/coming-from/quota.txtar": "```text story\nTwo messages",
	} {
		made, _ := pageOf(t, "Words before.\n\n"+part(what)+"\nWords behind.\n")
		if !strings.Contains(made, want) || strings.Contains(made, "stale") {
			t.Errorf("%s: there is no %s in\n%s", what, want, made)
		}
		if !strings.HasPrefix(made, "Words before.\n\n<!-- generated: ") || !strings.HasSuffix(made, "\n<!-- end -->\n\nWords behind.\n") {
			t.Errorf("%s: what people wrote is changed:\n%s", what, made)
		}
		if again, _ := pageOf(t, made); again != made {
			t.Errorf("%s: a page that is up to date is changed:\n%s\n%s", what, made, again)
		}
	}
}

func TestAPageThatCannotBeMadeIsNamed(t *testing.T) {
	for what, want := range map[string]string{
		"hook rcptt":                           `there is no hook "rcptt"`,
		"record Sesion":                        `there is no record "Sesion"`,
		"enum Opp":                             `there is no enumeration "Opp"`,
		"tables":                               `there is no generated part "tables"`,
		"file sdk/none.go":                     "no such file",
		"file sdk/readme_session_test.go#none": `has no lines "snippet none"`,
	} {
		_, faults := pageOf(t, part(what))
		if len(faults) == 0 || !strings.Contains(faults[0], want) || !strings.HasPrefix(faults[0], "gen: page.md: ") {
			t.Errorf("%s: %q, want %q", what, faults, want)
		}
	}
}

func TestAHookOrRecordWithoutASectionIsNamed(t *testing.T) {
	_, faults := pageOf(t, part("hook rcpt"))
	all := strings.Join(faults, "\n")
	for _, want := range []string{`no part "hook data"`, `no part "record Verdict"`, `no part "record Origin"`} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is not said:\n%s", want, all)
		}
	}
	if strings.Contains(all, `"hook rcpt"`) {
		t.Errorf("what is there is said to be missing:\n%s", all)
	}
}

// What the pages call session.remote_ip is there.
func TestTheFieldsThatThePagesNameExist(t *testing.T) {
	s, err := Load("..")
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, name := range []string{"Session", "Envelope", "Recipient", "Message", "Route", "Outcome"} {
		for _, f := range s.Record(name).Fields {
			has[strings.ToLower(name)+"."+f.Name] = true
		}
	}
	path := regexp.MustCompile("`((?:session|envelope|recipient|message|route|outcome)\\.[a-z_]+)`")
	for _, page := range pages {
		b, err := os.ReadFile("../../" + page)
		if err != nil {
			t.Fatal(err)
		}
		found := path.FindAllStringSubmatch(string(b), -1)
		for _, m := range found {
			if !has[m[1]] {
				t.Errorf("%s names the field %s, which is not there", page, m[1])
			}
		}
		if page != reference && len(found) < 20 {
			t.Errorf("%s: only %d fields were found", page, len(found))
		}
	}
}
