package drills

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/inject"
)

// statements puts lines together: actions of one sort on one resource under one condition, then resources that allow
// the same.
func statements(list []inject.Permission) []Statement {
	type key struct{ name, resource, condition string }
	actions, condition, order := map[key][]string{}, map[key]map[string]string{}, []key{}
	for _, p := range list {
		k := key{sidOf(p.Action), p.Resource, conditionText(p)}
		if _, known := actions[k]; !known {
			order = append(order, k)
		}
		actions[k], condition[k] = append(actions[k], p.Action), p.Condition
	}
	type body struct{ name, actions, condition string }
	var out []Statement
	at := map[body]int{}
	for _, k := range order {
		slices.Sort(actions[k])
		b := body{k.name, strings.Join(actions[k], " "), k.condition}
		if i, known := at[b]; known {
			out[i].Resource = append(out[i].Resource, k.resource)
			continue
		}
		at[b] = len(out)
		out = append(out, Statement{Sid: k.name, Effect: "Allow", Action: actions[k], Resource: []string{k.resource}, Condition: conditions(condition[k])})
	}
	for i := range out {
		slices.Sort(out[i].Resource)
	}
	slices.SortStableFunc(out, func(a, b Statement) int { return strings.Compare(a.Sid, b.Sid) })
	return numbered(out)
}

// numbered makes each Sid the only one of its kind.
func numbered(list []Statement) []Statement {
	count := map[string]int{}
	for i := range list {
		count[list[i].Sid]++
		if n := count[list[i].Sid]; n > 1 {
			list[i].Sid = fmt.Sprintf("%s%d", list[i].Sid, n)
		}
	}
	return list
}

// sidOf names the statement of an action: by its service and by what it does. A Sid has letters and digits only.
func sidOf(action string) string {
	service, verb, _ := strings.Cut(action, ":")
	name := ""
	for _, word := range strings.Split(service, "-") {
		name += strings.ToUpper(word[:1]) + word[1:]
	}
	switch {
	case some(verb, "Describe", "Get", "List", "Query", "Scan", "Simulate") && action != "dynamodb:GetItem":
		return name + "Read"
	case some(verb, "Tag", "Untag", "AddTags", "RemoveTags"):
		return name + "Tag"
	}
	return name + "Write"
}

func some(word string, beginnings ...string) bool {
	return slices.ContainsFunc(beginnings, func(b string) bool { return strings.HasPrefix(word, b) })
}

// conditionText is a condition as one text, for comparing.
func conditionText(p inject.Permission) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(p.Condition)) {
		fmt.Fprintf(&b, "%s=%s\n", k, p.Condition[k])
	}
	return b.String()
}

// conditions writes a line's condition with the operators it takes.
func conditions(c map[string]string) map[string]map[string][]string {
	if len(c) == 0 {
		return nil
	}
	out := map[string]map[string][]string{}
	for k, v := range c {
		op := "StringEquals"
		if strings.ContainsAny(v, "*?") {
			op = "StringLike"
		}
		if k == "aws:TagKeys" || k == "dynamodb:LeadingKeys" { // a request has many of them, and each must match
			op = "ForAllValues:" + op
		}
		if out[op] == nil {
			out[op] = map[string][]string{}
		}
		out[op][k] = strings.Split(v, "|")
	}
	return out
}

// split puts statements into as few documents as hold them.
func split(list []Statement) ([]Document, error) {
	var out []Document
	now := Document{Version: policyVersion}
	for _, s := range fitting(list) {
		grown := Document{Version: policyVersion, Statement: append(slices.Clone(now.Statement), s)}
		if grown.Size() > PolicySize && len(now.Statement) > 0 {
			out = append(out, now)
			grown.Statement = []Statement{s}
		}
		now = grown
	}
	out = append(out, now)
	if len(out) > PoliciesOfRole {
		return nil, fmt.Errorf("write policy: it takes %d managed policies, a role carries %d. Try: fewer drills at once", len(out), PoliciesOfRole)
	}
	return out, nil
}

// fitting halves a statement's resources until each statement fits a document.
func fitting(list []Statement) (out []Statement) {
	for _, s := range list {
		whole := Document{Version: policyVersion, Statement: []Statement{s}}
		if half := len(s.Resource) / 2; whole.Size() > PolicySize && half > 0 {
			a, b := s, s
			a.Resource, b.Resource, b.Sid = s.Resource[:half], s.Resource[half:], s.Sid+"b"
			out = append(out, fitting([]Statement{a, b})...)
			continue
		}
		out = append(out, s)
	}
	return out
}

// policyVersion is the language's, not ours.
const policyVersion = "2012-10-17"
