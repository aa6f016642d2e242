package drills

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// plainValue is a value that means the same in YAML with quotes and without.
var plainValue = regexp.MustCompile(`^([A-Za-z0-9_.:/@-]+|\$\{[a-z][a-z0-9_]*\})$`)

// variableUse finds ${var} in a file, and the $${ that is none.
var variableUse = regexp.MustCompile(`\$?\$\{([^}\n]*)\}`)

// NewFrom makes a drill of another one: the file as it is written, comments and all, under a new name and with a
// header that tells where it comes from. vars exchanges variables: orders_table for my-table or for ${my_table}.
func NewFrom(src []byte, name string, vars map[string]string) ([]byte, error) {
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	from, err := ReadDrill("the drill", src, nil)
	if err != nil {
		return nil, err
	}
	if err := checkNew(from, name, vars); err != nil {
		return nil, err
	}
	lines := strings.Split(string(src), "\n")
	for _, p := range from.tree.pairs {
		if p.key == "drill" {
			line := []rune(lines[p.value.at.line-1])
			rest := strings.Replace(string(line[p.value.at.col-1:]), from.Drill, name, 1)
			lines[p.value.at.line-1] = string(line[:p.value.at.col-1]) + rest
		}
	}
	text := variableUse.ReplaceAllStringFunc(strings.Join(lines, "\n"), func(use string) string {
		if value, ok := vars[strings.TrimSuffix(strings.TrimPrefix(use, "${"), "}")]; ok { // $${x} is no variable's name
			return value
		}
		return use
	})
	out := []byte(fmt.Sprintf("# %s, made from %s. It is yours now: change what your system has otherwise.\n%s", name, from.Drill, text))
	made, err := ReadDrill("the new drill", out, nil)
	if err != nil {
		return nil, err
	}
	if made.Drill != name {
		return nil, fmt.Errorf("rename drill %s: its name is written in a way that cannot be edited. Try: drill: %s, on one line", from.Drill, from.Drill)
	}
	return out, nil
}

func checkNew(from *Spec, name string, vars map[string]string) error {
	if !nameForm.MatchString(name) || len(name) > maxName {
		return fmt.Errorf("%q is not the name of a drill. Try: lower-case letters, digits and dashes", name)
	}
	used := from.Variables()
	for _, k := range slices.Sorted(maps.Keys(vars)) {
		if !slices.Contains(used, k) {
			return fmt.Errorf("drill %s has no variable %q. Try: %s", from.Drill, k, suggest(k, used))
		}
		if !plainValue.MatchString(vars[k]) {
			return fmt.Errorf("variable %s: %q cannot stand in a drill. Try: vars: of the environment", k, vars[k])
		}
	}
	return nil
}

// Skeleton is a new drill that can be read as it is, with a comment for all there is to fill in.
func Skeleton(name string) []byte {
	return []byte(strings.ReplaceAll(skeleton, "NAME", name))
}

const skeleton = `# NAME: what breaks, and what the team should learn from it.
# Every key is told in docs/drill-file.md. Check it with: firedrill validate NAME
drill: NAME
title: Writes to the table are throttled
scenario: What people would be told at three in the morning, in a sentence or two.
team: orders # a team of the environment
tags: [dynamodb]
runbook: https://wiki.example.com/orders/throttling
look: # where to look during the drill
  - dashboard: https://dash.example.com/orders
evidence: # on the back of the card: what somebody would have seen
  - slack: "checkout is slow, anyone else?"
hints: # told so long after the page
  - {after: 5m, say: Where are the throttle metrics?}
steady_state: # must hold before anything is touched, and again at the end
  - http: {url: "${orders_url}/health", status: 200}
faults: # in as listed, out in reverse. ${…} comes from vars: of the environment
  - {id: throttle, dynamodb.throttle: {table: "${orders_table}", writes: 1, load: 50/s}}
watch: # any of these is detection
  - alarm: orders-write-throttled
ripples: [orders-api-5xx] # may ring because of it: noted, never a reason to abort
page: {when: alarm, fallback: 12m} # alarm: theirs pages; direct: we page at once; report: people are told
stop_conditions: # end the drill at once; never the metric that the fault moves
  - alarm: checkout-customers-hurt
expect: {effective: 8m, detect: 12m, acknowledge: 5m, mitigate: 30m, resolve: 40m}
limit: 60m # nothing is left in place beyond it
`
