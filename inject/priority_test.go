package inject

import (
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"pgregory.net/rapid"
)

func ruleAt(priority int, conditions ...types.RuleCondition) rule {
	return rule{Rule: types.Rule{Priority: aws.String(strconv.Itoa(priority)), Conditions: conditions}}
}

func onPath(p ...string) types.RuleCondition {
	return types.RuleCondition{Field: aws.String("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{Values: p}}
}

func onHost(h ...string) types.RuleCondition {
	return types.RuleCondition{Field: aws.String("host-header"), HostHeaderConfig: &types.HostHeaderConditionConfig{Values: h}}
}

func TestFreePriorityIsBeforeEveryRuleThatMayServe(t *testing.T) {
	byDefault := rule{Rule: types.Rule{Priority: aws.String("default"), IsDefault: aws.Bool(true)}}
	users := replyUndo{Path: "/users*"}
	for _, row := range []struct {
		name  string
		rules []rule
		ours  replyUndo
		want  int32
	}{
		{"only the default", []rule{byDefault}, users, 50000},
		{"before the one that serves", []rule{ruleAt(10, onPath("/users*")), byDefault}, users, 9},
		{"before the first of two", []rule{ruleAt(10, onPath("/users/7")), ruleAt(5, onPath("/*")), byDefault}, users, 4},
		{"others do not count", []rule{ruleAt(10, onPath("/users*")), ruleAt(3, onPath("/admin*")), byDefault}, users, 9},
		{"past a taken number", []rule{ruleAt(10, onPath("/users*")), ruleAt(9, onPath("/admin*")), byDefault}, users, 8},
		{"no room before", []rule{ruleAt(1, onPath("/users*"))}, users, 0},
		{"all numbers before are taken", []rule{ruleAt(2, onPath("/users*")), ruleAt(1, onPath("/admin*"))}, users, 0},
		{"any value of several", []rule{ruleAt(10, onPath("/a", "/users/me"))}, users, 9},
		{"another host never serves", []rule{ruleAt(10, onHost("admin.example.com"))}, replyUndo{Host: "shop.example.com"}, 50000},
		{"hosts are matched in any case", []rule{ruleAt(10, onHost("SHOP.example.com"))}, replyUndo{Host: "*.Example.com"}, 9},
		{"a host rule may serve our path", []rule{ruleAt(10, onHost("shop.example.com"))}, users, 9},
		{"a header rule may serve our path", []rule{ruleAt(10, types.RuleCondition{Field: aws.String("http-header")})}, users, 9},
		{"a regular expression may match anything", []rule{ruleAt(10, types.RuleCondition{Field: aws.String("path-pattern"), RegexValues: []string{"^/x"}})}, users, 9},
	} {
		if n := freePriority(row.rules, row.ours); n != row.want {
			t.Errorf("%s: %d, want %d", row.name, n, row.want)
		}
	}
}

func TestTogetherKnowsWildcards(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want bool
	}{
		{"/users", "/users", true}, {"/users", "/user", false}, {"/users*", "/users", true}, {"/users*", "/user", false},
		{"/u?ers", "/users", true}, {"*", "", true}, {"?", "", false}, {"/a*c", "/*b", false}, {"/a*b", "/*b", true},
		{"*.png", "/img/*", true}, {"/a*", "/b*", false}, {"**", "*?*", true},
	} {
		if together(row.a, row.b) != row.want || together(row.b, row.a) != row.want {
			t.Errorf("%q and %q together: want %v", row.a, row.b, row.want)
		}
	}
}

// Whatever a pattern's own text is made of, a pattern goes together with it.
func TestAPatternGoesTogetherWithItsText(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		pattern := rapid.StringMatching(`/[ab*?]{0,8}`).Draw(r, "pattern")
		if text := concrete(pattern); !together(pattern, text) {
			r.Fatalf("%q does not match %q", pattern, text)
		}
	})
}
