package inject_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"pgregory.net/rapid"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

func TestRespondersAreFreeWhileAListenerErrs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		l := newErring(t, r)
		defer l.close()
		l.draw(r, l.edits(), "prepare", "stage 1", "stage 2", "apply 1", "apply 2")
		applies, lost := rapid.IntRange(1, 2).Draw(r, "applies"), rapid.IntRange(0, 4).Draw(r, "record lost") == 4
		if !l.prepare() {
			return
		}
		for i := range applies {
			if !l.staged {
				l.step(fmt.Sprintf("stage %d", i+1), func(ctx context.Context) {
					u, err := l.fault.(inject.Staged).Stage(ctx, l.undo)
					if l.staged = err == nil && !lost; l.staged {
						l.undo = u
					}
				})
			}
			l.step(fmt.Sprintf("apply %d", i+1), func(ctx context.Context) { _ = l.fault.Apply(ctx, l.undo) })
		}
		l.told(l.undone(inject.KindError))
		l.end()
	})
}

// erring is a listener's life.
type erring struct {
	*life
	fault     inject.Fault
	listener  string
	balancer  string
	group     string
	listening bool
	staged    bool            // and recorded
	altered   map[string]bool // rules of ours that a responder made into others
	moved     map[string]bool // or gave another number
	untagged  map[string]bool // and whose tags he took off: both together make them his
	felt      bool            // a write of ours made it felt
	deleted   bool            // a write of ours deleted it
	touched   bool            // somebody edited, untagged or deleted our rule
}

func newErring(t *testing.T, r *rapid.T) *erring {
	h := newHouse(t, sandbox.Options{RulePropagation: -1})
	l := &erring{life: &life{judge: r, house: h, ctx: t.Context()}, listening: true, altered: map[string]bool{}, moved: map[string]bool{}, untagged: map[string]bool{}}
	l.audit, l.edit = l.watch, l.respond
	api := elb.NewFromConfig(l.theirs.Config)
	lbs, err := api.CreateLoadBalancer(l.ctx, &elb.CreateLoadBalancerInput{Name: aws.String("orders")})
	l.balancer = *must(t, lbs, err).LoadBalancers[0].LoadBalancerArn
	groups, err := api.CreateTargetGroup(l.ctx, &elb.CreateTargetGroupInput{Name: aws.String("api"), TargetType: types.TargetTypeEnumIp, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80)})
	l.group = *must(t, groups, err).TargetGroups[0].TargetGroupArn
	made, err := api.CreateListener(l.ctx, &elb.CreateListenerInput{LoadBalancerArn: &l.balancer, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(0), DefaultActions: l.forward()})
	l.listener = *must(t, made, err).Listeners[0].ListenerArn
	l.add(10, "/users*")
	h.life.Store(l.life)
	return l
}

func (l *erring) close() {
	l.house.life.Store(nil)
	_ = l.cloud.Close()
}

func (l *erring) forward() []types.Action {
	return []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &l.group}}
}

func (l *erring) add(priority int32, path string) {
	_, _ = l.theirs.ELB.CreateRule(l.ctx, &elb.CreateRuleInput{ListenerArn: &l.listener, Priority: &priority, Conditions: paths(path), Actions: l.forward()})
}

func (l *erring) prepare() bool {
	f, err := l.process()[inject.KindError].New(json.RawMessage(fmt.Sprintf(`{"listener":%q,"path":"/users*"}`, l.listener)))
	if err != nil {
		l.Fatal(err)
	}
	l.fault = f
	l.step("prepare", func(ctx context.Context) { l.undo, err = f.Prepare(ctx, testMark(), l.now()) })
	return err == nil
}

// rules groups a state's paths by rule; what is not a rule's stands under "".
func rulesIn(state map[string]string) map[string]map[string]string {
	rules := map[string]map[string]string{}
	for p, v := range state {
		rule, rest := "", p
		if _, after, ok := strings.Cut(p, "/rules/"); ok {
			rule, rest, _ = strings.Cut(after, "/")
		}
		if rules[rule] == nil {
			rules[rule] = map[string]string{}
		}
		rules[rule][rest] = v
	}
	return rules
}

// ours says whether a rule carries our mark, or answers as only ours does.
func oursIn(rule map[string]string) bool {
	return len(marks(map[string]string{"": fmt.Sprint(rule)})) > 0 || rule["tags/firedrill:run"] != ""
}

// watch is the audit of our writes: a rule of ours comes, is opened, and goes.
func (l *erring) watch(operation string, was, is map[string]string) {
	before, after := rulesIn(was), rulesIn(is)
	for name := range merged(before, after) {
		if len(changed(before[name], after[name])) == 0 {
			continue
		}
		mine := name != ""
		switch operation {
		case "CreateRule":
			mine = mine && before[name] == nil && oursIn(after[name])
		case "ModifyRule":
			mine = mine && oursIn(before[name]) && oursIn(after[name]) && !l.back
			l.felt = true
			maps.DeleteFunc(l.altered, func(own string, _ bool) bool { return !l.untagged[own] }) // marked, it is ours to write
		case "DeleteRule":
			mine = mine && after[name] == nil && oursIn(before[name]) && l.back
			l.deleted = true
		default:
			mine = false
		}
		if !mine {
			l.Fatalf("our %s (on the way out: %v) changed rule %q from %v to %v", operation, l.back, name, before[name], after[name])
		}
	}
}

func merged[V any](a, b map[string]V) map[string]bool {
	all := map[string]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	return all
}

func (*erring) edits() []string {
	return []string{"add", "take a place", "delete ours", "edit ours", "adopt ours", "untag ours", "tag ours", "renumber", "add and delete", "delete listener"}
}

// mine finds our rule as it stands.
func (l *erring) mine() string {
	out, err := l.theirs.ELB.DescribeRules(l.ctx, &elb.DescribeRulesInput{ListenerArn: &l.listener})
	if err != nil {
		return ""
	}
	for _, r := range out.Rules {
		if own := aws.ToString(r.RuleArn); len(r.Actions) == 1 && r.Actions[0].FixedResponseConfig != nil && !l.adopted(own) {
			return own
		}
	}
	return ""
}

// adopted says whether a rule of ours is a responder's by now.
func (l *erring) adopted(own string) bool { return l.untagged[own] && (l.altered[own] || l.moved[own]) }

func pathOf(r types.Rule) string {
	for _, c := range r.Conditions {
		if c.PathPatternConfig != nil {
			return c.PathPatternConfig.Values[0]
		}
	}
	return ""
}

func (l *erring) respond(what string, _ bool) {
	api := elb.NewFromConfig(l.theirs.Config)
	switch what {
	case "add":
		l.add(20, "/mine*")
	case "take a place":
		l.add(9, "/nine*")
	case "add and delete":
		l.add(30, "/short*")
		l.drop("/short*")
	case "delete listener":
		if l.undo.Kind == "" {
			return
		}
		l.listening = false
		_, _ = api.DeleteListener(l.ctx, &elb.DeleteListenerInput{ListenerArn: &l.listener})
	default:
		if own := l.mine(); own != "" {
			l.touched = true
			l.touch(what, own)
		}
	}
}

// touch edits our rule.
func (l *erring) touch(what, own string) {
	api := elb.NewFromConfig(l.theirs.Config)
	switch what {
	case "delete ours":
		_, _ = api.DeleteRule(l.ctx, &elb.DeleteRuleInput{RuleArn: &own})
	case "edit ours":
		_, err := api.ModifyRule(l.ctx, &elb.ModifyRuleInput{RuleArn: &own, Conditions: paths("/elsewhere")})
		l.altered[own] = l.altered[own] || err == nil
	case "untag ours":
		l.untag(own)
	case "tag ours":
		_, _ = api.AddTags(l.ctx, &elb.AddTagsInput{ResourceArns: []string{own}, Tags: []types.Tag{{Key: aws.String("owner"), Value: aws.String("them")}}})
	case "renumber":
		_, err := api.SetRulePriorities(l.ctx, &elb.SetRulePrioritiesInput{RulePriorities: []types.RulePriorityPair{{RuleArn: &own, Priority: aws.Int32(40)}}})
		l.moved[own] = l.moved[own] || err == nil
	case "adopt ours":
		l.untag(own)
		_, err := api.ModifyRule(l.ctx, &elb.ModifyRuleInput{RuleArn: &own, Conditions: paths("/adopted"), Actions: l.theirAnswer()})
		l.altered[own] = l.altered[own] || err == nil
	}
}

// theirAnswer is what an adopted rule says.
func (*erring) theirAnswer() []types.Action {
	return []types.Action{{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{
		StatusCode: aws.String("503"), ContentType: aws.String("text/plain"), MessageBody: aws.String("back soon")}}}
}

func (l *erring) untag(own string) {
	l.untagged[own] = true
	_, _ = elb.NewFromConfig(l.theirs.Config).RemoveTags(l.ctx, &elb.RemoveTagsInput{ResourceArns: []string{own}, TagKeys: []string{"firedrill:run", "firedrill:fault", "firedrill:until", "firedrill:undo"}})
}

func (l *erring) drop(path string) {
	out, err := l.theirs.ELB.DescribeRules(l.ctx, &elb.DescribeRulesInput{ListenerArn: &l.listener})
	if err != nil {
		return
	}
	for _, r := range out.Rules {
		if pathOf(r) == path {
			_, _ = l.theirs.ELB.DeleteRule(l.ctx, &elb.DeleteRuleInput{RuleArn: r.RuleArn})
		}
	}
}

// told compares the outcome with what was done. Only of a rule whose making was recorded can it be told who took it over.
func (l *erring) told(u undoing) {
	var d struct{ Rule string }
	if err := json.Unmarshal(l.undo.Data, &d); err != nil {
		l.Fatal(err)
	}
	adopted := l.listening && l.adopted(d.Rule)
	if adopted != (u.how == inject.Diverged) || (adopted || !l.listening) != (u.why != "") {
		l.Fatalf("outcome %s, settled says %q, and somebody took our rule over: %v, the listener is there: %v", u.how, u.why, adopted, l.listening)
	}
	if adopted || !u.first || l.killed || l.touched || !l.listening {
		return
	}
	want := inject.NeverApplied
	if l.deleted && l.felt {
		want = inject.Restored
	}
	if u.how != want {
		l.Fatalf("outcome %s, want %s (felt %v, deleted %v)", u.how, want, l.felt, l.deleted)
	}
}

// end wants nothing of ours left, and every rule that a responder made his own still there.
func (l *erring) end() {
	if !l.listening {
		return
	}
	out, err := l.theirs.ELB.DescribeRules(l.ctx, &elb.DescribeRulesInput{ListenerArn: &l.listener})
	if err != nil {
		l.Fatal(err)
	}
	theirs := 0
	for _, r := range out.Rules {
		if own := aws.ToString(r.RuleArn); l.adopted(own) {
			theirs++
		} else if len(r.Actions) == 1 && r.Actions[0].FixedResponseConfig != nil {
			l.Fatalf("left: %+v", r)
		}
	}
	for own := range l.untagged {
		if l.adopted(own) {
			theirs--
		}
	}
	if theirs != 0 {
		l.Fatalf("somebody's rules are gone: %v", l.untagged)
	}
	for _, left := range marks(l.state()) {
		if strings.Contains(left, "firedrill:") {
			l.Fatalf("left: %s", left)
		}
	}
}
