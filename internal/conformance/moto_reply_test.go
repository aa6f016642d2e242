package conformance

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/inject/injecttest"
)

// replies is a load balancer with two rules. moto validates rules and their priorities; no request passes it: of those that
// somebody else made its metric tells, which is how a fault on it would be verified.
func (m *moto) replies(t *testing.T) {
	run(t, inject.KindError, func(t *testing.T) injecttest.World {
		b := m.balancer(t)
		b.rule(10, "/users*")
		admin := b.rule(20, "/admin*")
		b.asked()
		return injecttest.World{
			Catalog: func() inject.Catalog { return m.unfelt(t) },
			Params:  fmt.Sprintf(`{"listener":%q,"path":"/users*"}`, b.listener),
			State:   b.state,
			PutBack: func(_ *testing.T, u inject.Undo) {
				must(b.ELB.DeleteRule(t.Context(), &elb.DeleteRuleInput{RuleArn: aws.String(b.marked(u.Mark.Run))}))(t)
			},
			Change: func(*testing.T) {
				must(b.ELB.ModifyRule(t.Context(), &elb.ModifyRuleInput{RuleArn: &admin, Conditions: paths("/admin/*")}))(t)
			},
			Diverge: func(_ *testing.T, u inject.Undo) func() bool {
				own := b.marked(u.Mark.Run)
				must(b.ELB.ModifyRule(t.Context(), &elb.ModifyRuleInput{RuleArn: &own, Conditions: paths("/maintenance")}))(t)
				must(elb.NewFromConfig(b.Config).RemoveTags(t.Context(), &elb.RemoveTagsInput{ResourceArns: []string{own}, TagKeys: []string{inject.TagRun}}))(t)
				return func() bool { return strings.Contains(b.arns(), own) }
			},
		}
	})
}

// asked tells CloudWatch of requests that the load balancer has, for as long as a row of the suite may take.
func (b *balancer) asked() {
	b.Helper()
	_, name, _ := strings.Cut(b.arn, ":loadbalancer/")
	in := &cloudwatch.PutMetricDataInput{Namespace: aws.String("AWS/ApplicationELB")}
	for at := time.Duration(0); at < 5*time.Minute; at += 5 * time.Second {
		in.MetricData = append(in.MetricData, cwtypes.MetricDatum{MetricName: aws.String("RequestCount"), Value: aws.Float64(12),
			Timestamp: aws.Time(time.Now().Add(at)), Dimensions: []cwtypes.Dimension{{Name: aws.String("LoadBalancer"), Value: &name}}})
	}
	must(queried(b.Clients).PutMetricData(b.Context(), in))(b.T)
}

// balancer is a load balancer of moto's with one listener.
type balancer struct {
	*testing.T
	*inject.Clients
	arn, listener, group string
}

func (m *moto) balancer(t *testing.T) *balancer {
	t.Helper()
	b := &balancer{T: t, Clients: m.clients(t)}
	vpc, subnets := m.network(t)
	name := m.name("lb")
	b.arn = *must(elb.NewFromConfig(b.Config).CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{Name: &name, Subnets: subnets,
		Tags: []types.Tag{{Key: aws.String("environment"), Value: aws.String("sandbox")}}}))(t).LoadBalancers[0].LoadBalancerArn
	b.group = *must(elb.NewFromConfig(b.Config).CreateTargetGroup(t.Context(), &elb.CreateTargetGroupInput{Name: &name, TargetType: types.TargetTypeEnumIp,
		Protocol: types.ProtocolEnumHttp, Port: aws.Int32(8080), VpcId: &vpc}))(t).TargetGroups[0].TargetGroupArn
	b.listener = *must(elb.NewFromConfig(b.Config).CreateListener(t.Context(), &elb.CreateListenerInput{LoadBalancerArn: &b.arn, Protocol: types.ProtocolEnumHttp,
		Port: aws.Int32(80), DefaultActions: b.forward()}))(t).Listeners[0].ListenerArn
	return b
}

var (
	vpcID    = regexp.MustCompile(`<vpcId>([^<]+)</vpcId>`)
	subnetID = regexp.MustCompile(`<subnetId>([^<]+)</subnetId>`)
)

// network is the default network that moto comes with. EC2 is no service of ours: one plain request asks for it.
func (m *moto) network(t *testing.T) (vpc string, subnets []string) {
	t.Helper()
	status, body := post(t, m.url, "Action=DescribeSubnets&Version=2016-11-15", http.Header{"Content-Type": {"application/x-www-form-urlencoded"},
		"Authorization": {"AWS4-HMAC-SHA256 Credential=AKIAOTHER000000000/20260101/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=0"}})
	if status != http.StatusOK {
		t.Fatalf("describe subnets: %d %s", status, body)
	}
	found := vpcID.FindStringSubmatch(body)
	all := subnetID.FindAllStringSubmatch(body, -1)
	if found == nil || len(all) < 2 {
		t.Fatalf("describe subnets: %s", body)
	}
	return found[1], []string{all[0][1], all[1][1]}
}

func (b *balancer) forward() []types.Action {
	return []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: &b.group}}
}

func paths(p ...string) []types.RuleCondition {
	return []types.RuleCondition{{Field: aws.String("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{Values: p}}}
}

// rule makes somebody's rule.
func (b *balancer) rule(priority int32, path string) string {
	b.Helper()
	return *must(b.ELB.CreateRule(b.Context(), &elb.CreateRuleInput{ListenerArn: &b.listener, Priority: &priority, Conditions: paths(path), Actions: b.forward()}))(b).Rules[0].RuleArn
}

func (b *balancer) rules() []types.Rule {
	b.Helper()
	return must(b.ELB.DescribeRules(b.Context(), &elb.DescribeRulesInput{ListenerArn: &b.listener}))(b).Rules
}

func (b *balancer) arns() string {
	b.Helper()
	var all []string
	for _, r := range b.rules() {
		all = append(all, *r.RuleArn)
	}
	return strings.Join(all, " ")
}

func (b *balancer) tags(arn string) map[string]string {
	b.Helper()
	tags := map[string]string{}
	for _, tag := range must(b.ELB.DescribeTags(b.Context(), &elb.DescribeTagsInput{ResourceArns: []string{arn}}))(b).TagDescriptions[0].Tags {
		tags[*tag.Key] = *tag.Value
	}
	return tags
}

// marked finds the rule that carries a run's tag.
func (b *balancer) marked(run string) string {
	b.Helper()
	for _, r := range b.rules() {
		if !aws.ToBool(r.IsDefault) && b.tags(*r.RuleArn)[inject.TagRun] == run {
			return *r.RuleArn
		}
	}
	b.Fatalf("no rule of run %s", run)
	return ""
}

// state is every rule by its priority, and the tags of rules, listener and load balancer.
func (b *balancer) state() string {
	b.Helper()
	all := map[string]any{"tags": b.tags(b.arn), "listener tags": b.tags(b.listener)}
	for _, r := range b.rules() {
		one := []any{r.Actions[0].Type, values(r.Conditions)}
		if !aws.ToBool(r.IsDefault) {
			one = append(one, b.tags(*r.RuleArn))
		}
		all["rule "+*r.Priority] = one
	}
	return spelled(b, all, b.arn, b.listener, b.group)
}

// values are the patterns of a rule, whichever way they are told.
func values(conditions []types.RuleCondition) []string {
	var all []string
	for _, c := range conditions {
		switch {
		case c.PathPatternConfig != nil:
			all = append(all, c.PathPatternConfig.Values...)
		case c.HttpHeaderConfig != nil:
			all = append(all, *c.HttpHeaderConfig.HttpHeaderName)
			all = append(all, c.HttpHeaderConfig.Values...)
		default:
			all = append(all, c.Values...)
		}
	}
	return all
}
