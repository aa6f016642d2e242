package cmd_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shownElsewhere are the refusals that no plan -o json of a script tells by their code, and what shows each of them.
var shownElsewhere = map[string][2]string{
	"approved":    {"testdata/script/approved.txtar", "not injecting: it is not what was approved"},
	"endpoint":    {"testdata/script/plan.txtar", "not injecting: AWS_ENDPOINT_URL_SQS is set"},
	"environment": {"../drills/records_test.go", "e.Steps.Env = nil"},   // verbs find an environment, or end with 2
	"overrun":     {"../drills/overrun_test.go", `r.Code != "overrun"`}, // an undo that takes minutes
	"target":      {"../drills/guard_test.go", `"target", false`},       // a target that is exchanged between two looks
	"together":    {"testdata/script/many.txtar", "not injecting: orders-write-throttle and orders-queue-stalled both page"},
}

// Every refusal that docs/safety.md tells of is shown by a script, as a user of the program meets it.
func TestEveryRefusalHasItsScript(t *testing.T) {
	shown := map[string]bool{}
	for code, where := range shownElsewhere {
		if src, err := os.ReadFile(where[0]); err != nil || !strings.Contains(string(src), where[1]) {
			t.Errorf("%s is not shown by %s any more (%v)", code, where[0], err)
		}
		shown[code] = true
	}
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	asserted := regexp.MustCompile(`(?m)^(?:stdout|until) '"code": "([a-z_]+)"'`)
	for _, f := range scripts {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range asserted.FindAllStringSubmatch(string(src), -1) {
			if _, also := shownElsewhere[m[1]]; also {
				t.Errorf("%s shows %s: it need not be shown elsewhere", f, m[1])
			}
			shown[m[1]] = true
		}
	}
	page, err := os.ReadFile("../docs/safety.md")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(string(page), -1)
	for _, c := range codes {
		if !shown[c[1]] {
			t.Errorf("no script shows the refusal %s", c[1])
		}
	}
	if len(codes) < 30 {
		t.Errorf("found %d codes on the page", len(codes))
	}
}
