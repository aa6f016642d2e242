package drills_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
)

// What docs/security.md says of actions is what the policies say: none is named that they do not have, and none that
// changes something is left out.
func TestSecurityPageNamesWhatThePoliciesHave(t *testing.T) {
	raw, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	have := map[string]bool{}
	changes := []string{}
	for _, role := range drills.Roles() {
		for _, l := range lines(policyOf(t, role)) {
			word := strings.Fields(l)
			have[word[1]] = true
			_, verb, _ := strings.Cut(word[1], ":")
			looks := slices.ContainsFunc([]string{"Describe", "Get", "List", "Lookup", "Query", "Simulate"}, func(b string) bool { return strings.HasPrefix(verb, b) })
			if word[0] == "Allow" && !looks && !slices.Contains(changes, word[1]) {
				changes = append(changes, word[1])
			}
		}
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile("`([a-z-]+:[A-Z][A-Za-z]+)`").FindAllStringSubmatch(page, -1) {
		named[m[1]] = true
		if !have[m[1]] {
			t.Errorf("the page names %s, and no policy has it", m[1])
		}
	}
	small := []string{"Tag", "Untag", "AddTags", "DeleteSchedule", "ChangeMessageVisibility", "ModifyRule"} // our own marks and objects, and hiding a message for a while
	for _, a := range changes {
		_, verb, _ := strings.Cut(a, ":")
		if !named[a] && !slices.ContainsFunc(small, func(b string) bool { return strings.HasPrefix(verb, b) }) {
			t.Errorf("a policy allows %s, and the page does not say what it is worth", a)
		}
	}
	if len(named) < 25 || len(changes) < 15 {
		t.Errorf("%d named, %d that change: too few to be all", len(named), len(changes))
	}
	for _, role := range drills.Roles() {
		if !strings.Contains(page, "| `"+role+"` |") || !strings.Contains(page, "\n**"+role+"** ") {
			t.Errorf("the page does not tell what role %s is for and worth", role)
		}
	}
}

// The page tells every host that is named in the code, and every place where a request is made is one it tells of.
func TestSecurityPageNamesEveryDestination(t *testing.T) {
	raw, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{ // where a request is made, and the page's words for it
		"observe/pager_wire.go": "api.pagerduty.com", "observe/probe_http.go": "URLs of `http` probes", "observe/date.go": "api.pagerduty.com",
		"observe/slack_wire.go":      "`slack.com`, or the incoming webhook",
		"observe/calendar.go":        "the addresses under `holidays`",
		"observe/promql_wire.go":     "URLs of `promql` and `alertmanager` probes",
		"inject/httperror_verify.go": "the load balancer of an `http.error`",
		"observe/link.go":            "addresses under `runbook` and `look`",
		"observe/pushgateway.go":     "the Pushgateway under `metrics`",
		"cmd/oidc.go":                "GitHub's issuer of tokens",
		"cmd/environment.go":         "the sandbox on this machine", "cmd/selftest_part.go": "the sandbox on this machine", "cmd/serve_subscription.go": "the sandbox on this machine",
	}
	host := regexp.MustCompile(`"https://([a-z0-9.-]+)`)
	for _, folder := range []string{"../observe", "../inject", "../drills", "../internal/journal", "../cmd"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(folder, err)
		}
		for _, f := range files {
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			name := strings.TrimPrefix(filepath.ToSlash(f), "../")
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			if (strings.Contains(string(src), "http.NewRequest") || strings.Contains(string(src), "push.New(")) && (told[name] == "" || !strings.Contains(string(raw), told[name])) {
				t.Errorf("%s makes requests, and the page does not tell to whom", name)
			}
			for _, m := range host.FindAllStringSubmatch(string(src), -1) {
				if !strings.Contains(string(raw), m[1]) && !strings.HasSuffix(m[1], "example.com") && m[1] != "json-schema.org" { // a name, asked by nobody
					t.Errorf("%s names %s, and the page does not", name, m[1])
				}
			}
		}
	}
	if inject.ForReport != "report" {
		t.Error("the page's roles have other names")
	}
}
