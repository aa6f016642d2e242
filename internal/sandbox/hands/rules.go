package hands

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func (h *Hands) describeRules(ctx context.Context) ([]types.Rule, error) {
	lbs, err := h.lb.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})
	if err != nil {
		return nil, fmt.Errorf("describe load balancers: %w", err)
	}
	var all []types.Rule
	for _, b := range lbs.LoadBalancers {
		ls, err := h.lb.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: b.LoadBalancerArn})
		if err != nil {
			return nil, fmt.Errorf("describe listeners of %s: %w", text(b.LoadBalancerName), err)
		}
		for _, l := range ls.Listeners {
			rs, err := h.lb.DescribeRules(ctx, &elb.DescribeRulesInput{ListenerArn: l.ListenerArn})
			if err != nil {
				return nil, fmt.Errorf("describe rules of %s: %w", text(b.LoadBalancerName), err)
			}
			all = append(all, rs.Rules...)
		}
	}
	return all, nil
}

func (h *Hands) rules(ctx context.Context) ([]Table, error) {
	all, err := h.describeRules(ctx)
	if err != nil {
		return nil, err
	}
	t := Table{Title: "aws elbv2 describe-rules: the first that matches answers", Head: []string{"PRIORITY", "WHEN", "ANSWER"}, Empty: "no rules"}
	for _, r := range all {
		t.Rows = append(t.Rows, []Cell{{Text: text(r.Priority)}, {Text: when(r)}, answer(r)})
	}
	return []Table{t}, nil
}

// when says what a rule matches.
func when(r types.Rule) string {
	var all []string
	for _, c := range r.Conditions {
		switch {
		case c.PathPatternConfig != nil:
			all = append(all, "path "+strings.Join(c.PathPatternConfig.Values, " or "))
		case c.HostHeaderConfig != nil:
			all = append(all, "host "+strings.Join(c.HostHeaderConfig.Values, " or "))
		case c.HttpHeaderConfig != nil:
			all = append(all, fmt.Sprintf("header %s: %s", text(c.HttpHeaderConfig.HttpHeaderName), strings.Join(c.HttpHeaderConfig.Values, " or ")))
		default:
			all = append(all, text(c.Field)+" "+strings.Join(c.Values, " or "))
		}
	}
	if len(all) == 0 {
		return "anything else"
	}
	return strings.Join(all, ", ")
}

// answer says what a rule does.
func answer(r types.Rule) Cell {
	for _, a := range r.Actions {
		switch {
		case a.FixedResponseConfig != nil:
			status := text(a.FixedResponseConfig.StatusCode)
			return tone(!strings.HasPrefix(status, "5"), status+" by the load balancer itself")
		case a.RedirectConfig != nil:
			return cell("redirect")
		case a.TargetGroupArn != nil:
			return cell("forward to %s", group(*a.TargetGroupArn))
		case a.ForwardConfig != nil && len(a.ForwardConfig.TargetGroups) > 0:
			return cell("forward to %s", group(aws.ToString(a.ForwardConfig.TargetGroups[0].TargetGroupArn)))
		}
	}
	return cell("?")
}

// group is a target group's name, of its ARN.
func group(arn string) string {
	_, name, _ := strings.Cut(arn, "targetgroup/")
	name, _, _ = strings.Cut(name, "/")
	return name
}

func (h *Hands) ruleFixes(ctx context.Context) ([]Fix, error) {
	all, err := h.describeRules(ctx)
	if err != nil {
		return nil, err
	}
	var out []Fix
	for _, r := range all {
		if aws.ToBool(r.IsDefault) {
			continue
		}
		arn := *r.RuleArn
		out = append(out, Fix{Words: "rule delete " + text(r.Priority), Says: "the rule for " + when(r), Call: Call{
			CLI: []string{"elbv2", "delete-rule", "--rule-arn", arn},
			Do: func(ctx context.Context) (string, *Call, error) {
				_, err := h.lb.DeleteRule(ctx, &elb.DeleteRuleInput{RuleArn: &arn})
				return "", nil, err
			}}})
	}
	return out, nil
}
