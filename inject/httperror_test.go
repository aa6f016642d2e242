package inject_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/inject/injecttest"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

func TestErrorConforms(t *testing.T) {
	injecttest.Run(t, injecttest.Case{Kind: inject.KindError, World: func(t *testing.T) injecttest.World {
		a := newAccount(t, sandbox.Options{})
		b := a.balancer()
		b.rule(10, "/users*")
		b.rule(20, "/admin*")
		return injecttest.World{
			Catalog: a.catalog, Params: fmt.Sprintf(`{"listener":%q,"path":"/users*"}`, b.listener), State: b.state,
			PutBack: func(t *testing.T, u inject.Undo) { b.delete(b.marked(u.Mark.Run)) },
			Change: func(t *testing.T) {
				_, err := a.responder().ELB.ModifyRule(t.Context(), &elb.ModifyRuleInput{RuleArn: b.rules()[20].RuleArn, Conditions: paths("/admin/*")})
				must(t, 0, err)
			},
			Diverge: func(t *testing.T, u inject.Undo) func() bool {
				own := b.marked(u.Mark.Run)
				_, err := a.responder().ELB.ModifyRule(t.Context(), &elb.ModifyRuleInput{RuleArn: &own, Conditions: paths("/maintenance")})
				must(t, 0, err)
				_, err = elb.NewFromConfig(a.responder().Config).RemoveTags(t.Context(), &elb.RemoveTagsInput{ResourceArns: []string{own}, TagKeys: []string{inject.TagRun}})
				must(t, 0, err)
				return func() bool {
					for _, r := range b.rules() {
						if *r.RuleArn == own {
							return true
						}
					}
					return false
				}
			},
		}
	}})
}

// balancer is a load balancer of the account with one listener and one target.
type balancer struct {
	*account
	arn, listener, group string
	port                 string // of the target, and unlike in every account
}

func (a *account) balancer() *balancer {
	a.Helper()
	return a.balancerFor(types.LoadBalancerSchemeEnumInternetFacing)
}

func (a *account) balancerFor(scheme types.LoadBalancerSchemeEnum) *balancer {
	a.Helper()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "served", r.URL.Path) }))
	a.Cleanup(target.Close)
	where, _ := url.Parse(target.URL)
	port, _ := strconv.Atoi(where.Port())
	b := &balancer{account: a, port: where.Port()}
	api, ctx := elb.NewFromConfig(a.owner().Config), a.Context()
	tags := []types.Tag{{Key: aws.String("environment"), Value: aws.String("sandbox")}}
	lbs, err := api.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("orders"), Tags: tags, Scheme: scheme})
	b.arn = *must(a, lbs, err).LoadBalancers[0].LoadBalancerArn
	groups, err := api.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{Name: aws.String("orders-api"), TargetType: types.TargetTypeEnumIp,
		Protocol: types.ProtocolEnumHttp, Port: aws.Int32(int32(port))})
	b.group = *must(a, groups, err).TargetGroups[0].TargetGroupArn
	_, err = api.RegisterTargets(ctx, &elb.RegisterTargetsInput{TargetGroupArn: &b.group,
		Targets: []types.TargetDescription{{Id: aws.String("127.0.0.1"), Port: aws.Int32(int32(port))}}})
	must(a, 0, err)
	listeners, err := api.CreateListener(ctx, &elb.CreateListenerInput{LoadBalancerArn: &b.arn, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(0),
		DefaultActions: b.forward()})
	b.listener = *must(a, listeners, err).Listeners[0].ListenerArn
	return b
}

// state is the account's configuration, but for the target's port.
func (b *balancer) state() string { return strings.ReplaceAll(b.config(), b.port, "PORT") }

func (b *balancer) forward() []types.Action {
	return []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &b.group}}
}

func paths(p ...string) []types.RuleCondition {
	return []types.RuleCondition{{Field: aws.String("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{Values: p}}}
}

func (b *balancer) rule(priority int32, path string) {
	b.Helper()
	_, err := b.owner().ELB.CreateRule(b.Context(), &elb.CreateRuleInput{ListenerArn: &b.listener, Priority: &priority, Conditions: paths(path), Actions: b.forward()})
	must(b, 0, err)
}

// rules are the listener's by priority, the default as 0.
func (b *balancer) rules() map[int]types.Rule {
	b.Helper()
	out, err := b.owner().ELB.DescribeRules(b.Context(), &elb.DescribeRulesInput{ListenerArn: &b.listener})
	all := map[int]types.Rule{}
	for _, r := range must(b, out, err).Rules {
		n, _ := strconv.Atoi(*r.Priority)
		all[n] = r
	}
	return all
}

// marked finds the rule that carries a run's tag.
func (b *balancer) marked(run string) string {
	b.Helper()
	for n, r := range b.rules() {
		if n == 0 {
			continue
		}
		out, err := b.owner().ELB.DescribeTags(b.Context(), &elb.DescribeTagsInput{ResourceArns: []string{*r.RuleArn}})
		for _, tag := range must(b, out, err).TagDescriptions[0].Tags {
			if *tag.Key == inject.TagRun && *tag.Value == run {
				return *r.RuleArn
			}
		}
	}
	b.Fatalf("no rule of run %s", run)
	return ""
}

func (b *balancer) delete(arn string) {
	b.Helper()
	_, err := b.responder().ELB.DeleteRule(b.Context(), &elb.DeleteRuleInput{RuleArn: &arn})
	must(b, 0, err)
}

// get asks the load balancer and tells the status.
func (b *balancer) get(u inject.Undo, path string) int {
	b.Helper()
	base := strings.SplitN(string(u.Data), `"base":"`, 2)[1]
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, base[:strings.Index(base, `"`)]+path, nil)
	answer, err := http.DefaultClient.Do(must(b, request, err))
	_ = must(b, answer, err).Body.Close()
	return answer.StatusCode
}
