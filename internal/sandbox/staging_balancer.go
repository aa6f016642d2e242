package sandbox

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func balancerTags() []types.Tag {
	var out []types.Tag
	for k, v := range tags() {
		out = append(out, types.Tag{Key: &k, Value: &v})
	}
	return out
}

// balance puts a load balancer in front of the orders API, with two rules of the shop's own.
func (s *staging) balance(ctx context.Context, port int) error {
	scheme := types.LoadBalancerSchemeEnumInternetFacing
	if s.private {
		scheme = types.LoadBalancerSchemeEnumInternal
	}
	b, err := s.lb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String(balancer), Tags: balancerTags(), Scheme: scheme,
		Subnets: []string{"subnet-0a", "subnet-0b"}})
	if err != nil {
		return fmt.Errorf("create load balancer %s: %w", balancer, err)
	}
	arn := *b.LoadBalancers[0].LoadBalancerArn
	_, s.dimension, _ = strings.Cut(arn, ":loadbalancer/")
	g, err := s.lb.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{Name: aws.String("orders-api"), Protocol: types.ProtocolEnumHttp,
		Port: aws.Int32(int32(port)), TargetType: types.TargetTypeEnumIp, VpcId: aws.String("vpc-0a"), Tags: balancerTags(), //nolint:gosec // a TCP port
		HealthCheckPath: aws.String("/users")})
	if err != nil {
		return fmt.Errorf("create target group orders-api: %w", err)
	}
	group := g.TargetGroups[0].TargetGroupArn
	_, err = s.lb.RegisterTargets(ctx, &elb.RegisterTargetsInput{TargetGroupArn: group,
		Targets: []types.TargetDescription{{Id: aws.String("127.0.0.1"), Port: aws.Int32(int32(port))}}}) //nolint:gosec // a TCP port
	if err != nil {
		return fmt.Errorf("register the orders API: %w", err)
	}
	forward := []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: group}}
	l, err := s.lb.CreateListener(ctx, &elb.CreateListenerInput{LoadBalancerArn: &arn, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(0),
		DefaultActions: forward, Tags: balancerTags()})
	if err != nil {
		return fmt.Errorf("create listener of %s: %w", balancer, err)
	}
	listener := l.Listeners[0]
	s.port = *listener.Port
	s.world.Vars["listener"] = *listener.ListenerArn
	for _, rule := range []struct {
		priority int32
		path     string
	}{{10, "/users*"}, {20, "/admin*"}} {
		_, err := s.lb.CreateRule(ctx, &elb.CreateRuleInput{ListenerArn: listener.ListenerArn, Priority: &rule.priority, Actions: forward,
			Conditions: []types.RuleCondition{{Field: aws.String("path-pattern"),
				PathPatternConfig: &types.PathPatternConditionConfig{Values: []string{rule.path}}}},
			Tags: balancerTags()})
		if err != nil {
			return fmt.Errorf("create rule %d: %w", rule.priority, err)
		}
	}
	return nil
}
