package inject

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// lastPriority is the highest number a rule may have; the lowest number wins.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html
const lastPriority = 50000

// freePriority is the greatest free number below every rule that may serve a request of ours, so that our rule
// wins and stands as close to them as can be; 0 when there is none.
func freePriority(rules []rule, d replyUndo) int32 {
	taken := map[int]bool{}
	below := lastPriority + 1
	for _, r := range rules {
		n, err := strconv.Atoi(aws.ToString(r.Priority))
		if err != nil {
			continue // the default rule
		}
		taken[n] = true
		if n < below && mayServe(r.Conditions, d) {
			below = n
		}
	}
	for n := below - 1; n > 0; n-- {
		if !taken[n] {
			return int32(n)
		}
	}
	return 0
}

// mayServe says whether a rule with these conditions may match a request that ours matches. Only a path or a
// host that cannot go together with ours rules it out.
func mayServe(conditions []types.RuleCondition, d replyUndo) bool {
	for _, c := range conditions {
		if len(c.RegexValues) > 0 {
			continue
		}
		switch aws.ToString(c.Field) {
		case "path-pattern":
			if d.Path != "" && noneTogether(valuesOf(c), d.Path) {
				return false
			}
		case "host-header":
			if d.Host != "" && noneTogether(lower(valuesOf(c)), strings.ToLower(d.Host)) {
				return false
			}
		}
	}
	return true
}

// valuesOf are a path's or a host's patterns; older rules tell them in Values.
func valuesOf(c types.RuleCondition) []string {
	switch {
	case c.PathPatternConfig != nil:
		return c.PathPatternConfig.Values
	case c.HostHeaderConfig != nil:
		return c.HostHeaderConfig.Values
	}
	return c.Values
}

func lower(values []string) []string {
	var all []string
	for _, v := range values {
		all = append(all, strings.ToLower(v))
	}
	return all
}

func noneTogether(patterns []string, ours string) bool {
	return !slices.ContainsFunc(patterns, func(p string) bool { return together(p, ours) })
}

// together says whether some text may match both patterns (* any text, ? one character).
func together(a, b string) bool {
	type place struct{ i, j int }
	seen := map[place]bool{}
	var meet func(i, j int) bool
	meet = func(i, j int) bool {
		p := place{i, j}
		if seen[p] {
			return false
		}
		seen[p] = true
		switch {
		case i == len(a) && j == len(b):
			return true
		case i < len(a) && a[i] == '*':
			return meet(i+1, j) || j < len(b) && meet(i, j+1)
		case j < len(b) && b[j] == '*':
			return meet(i, j+1) || i < len(a) && meet(i+1, j)
		case i == len(a) || j == len(b):
			return false
		}
		return (a[i] == b[j] || a[i] == '?' || b[j] == '?') && meet(i+1, j+1)
	}
	return meet(0, 0)
}
