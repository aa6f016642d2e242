package inject_test

import (
	"fmt"
	"net/http"
	"testing"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// felt makes a rule of ours that is felt, in front of one of somebody's.
func (b *balancer) felt() (inject.Kind, inject.Undo) {
	b.Helper()
	b.rule(10, "/users*")
	k, f, u := b.prepared(inject.KindError, fmt.Sprintf(`{"listener":%q,"path":"/users*","host":"*.Example.com","header":{"X-Team":"orders"}}`, b.listener))
	u, err := f.(inject.Staged).Stage(b.Context(), u)
	must(b, u, err)
	must(b, 0, f.Apply(b.Context(), u))
	return k, u
}

// Somebody tidies the tags away and leaves the rule: as long as it is as we made it, it is ours, and fails requests.
func TestErrorTakesBackItsRuleWithoutTags(t *testing.T) {
	t.Parallel()
	b := newAccount(t, sandbox.Options{}).balancer()
	k, u := b.felt()
	own := b.marked(u.Mark.Run)
	_, err := elb.NewFromConfig(b.responder().Config).RemoveTags(t.Context(), &elb.RemoveTagsInput{ResourceArns: []string{own},
		TagKeys: []string{inject.TagRun, inject.TagFault, inject.TagUntil, inject.TagUndo}})
	must(t, 0, err)
	ok, why, err := k.Settled(t.Context(), u)
	if must(t, ok, err) || why == "" {
		t.Errorf("settled while our rule stands: %q", why)
	}
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.Restored || len(b.rules()) != 2 {
		t.Errorf("reverted: %s, %d rules", how, len(b.rules()))
	}
	ok, why, err = k.Settled(t.Context(), u)
	if !must(t, ok, err) {
		t.Errorf("not settled: %s", why)
	}
}

// Who may not read tags can still compare the rule we made with the record: it goes, and the error is told.
func TestErrorIsTakenBackThoughTagsMayNotBeRead(t *testing.T) {
	t.Parallel()
	for _, theirs := range []bool{false, true} {
		b := newAccount(t, sandbox.Options{}).balancer()
		k, u := b.felt()
		own := b.marked(u.Mark.Run)
		if theirs {
			_, err := b.responder().ELB.ModifyRule(t.Context(), &elb.ModifyRuleInput{RuleArn: &own, Conditions: paths("/maintenance")})
			must(t, 0, err)
		}
		id, err := b.cloud.Turn(sandbox.Knob{Operation: "DescribeTags", By: "firedrill", Effect: "deny"})
		must(t, id, err)
		if how, err := k.Revert(t.Context(), u); err == nil {
			t.Errorf("reverted without a word: %s", how)
		}
		if want := map[bool]int{false: 2, true: 3}[theirs]; len(b.rules()) != want {
			t.Errorf("changed by somebody %v: %d rules, want %d", theirs, len(b.rules()), want)
		}
		b.awaitRules()
		if got := b.get(u, "/users"); got != http.StatusOK {
			t.Errorf("/users answers %d", got)
		}
	}
}
