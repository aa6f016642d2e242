package responder

import (
	"context"
	"fmt"
	"strings"

	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// rules finds listener rules that answer with an error of their own and carry a drill's mark.
func (r *Responder) rules(ctx context.Context) ([]finding, error) {
	lbs, err := r.lb.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})
	if err != nil {
		return nil, fmt.Errorf("describe load balancers: %w", err)
	}
	var found []finding
	for _, b := range lbs.LoadBalancers {
		ls, err := r.lb.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: b.LoadBalancerArn})
		if err != nil {
			return found, fmt.Errorf("describe listeners of %s: %w", *b.LoadBalancerName, err)
		}
		for _, l := range ls.Listeners {
			some, err := r.rulesOf(ctx, *b.LoadBalancerName, *l.ListenerArn)
			if err != nil {
				return found, err
			}
			found = append(found, some...)
		}
	}
	return found, nil
}

func (r *Responder) rulesOf(ctx context.Context, balancer, listener string) ([]finding, error) {
	out, err := r.lb.DescribeRules(ctx, &elb.DescribeRulesInput{ListenerArn: &listener})
	if err != nil {
		return nil, fmt.Errorf("describe rules of %s: %w", balancer, err)
	}
	var found []finding
	for _, rule := range out.Rules {
		status := fixedError(rule)
		if status == "" {
			continue
		}
		tags, err := r.lb.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: []string{*rule.RuleArn}})
		if err != nil {
			return found, fmt.Errorf("describe tags of a rule of %s: %w", balancer, err)
		}
		if !marked(tags.TagDescriptions) {
			continue
		}
		found = append(found, finding{
			said: fmt.Sprintf("load balancer %s answers %s by a rule of its own (priority %s), the service behind it is fine", balancer, status, *rule.Priority),
			fix: func(ctx context.Context) error {
				if _, err := r.lb.DeleteRule(ctx, &elb.DeleteRuleInput{RuleArn: rule.RuleArn}); err != nil {
					return fmt.Errorf("delete rule %s of %s: %w", *rule.Priority, balancer, err)
				}
				return nil
			},
			done: fmt.Sprintf("deleted rule %s of load balancer %s", *rule.Priority, balancer),
		})
	}
	return found, nil
}

// fixedError is the 5xx that a rule answers by itself, or nothing.
func fixedError(rule types.Rule) string {
	for _, a := range rule.Actions {
		if c := a.FixedResponseConfig; c != nil && c.StatusCode != nil && strings.HasPrefix(*c.StatusCode, "5") {
			return *c.StatusCode
		}
	}
	return ""
}

func marked(ds []types.TagDescription) bool {
	for _, d := range ds {
		for _, t := range d.Tags {
			if *t.Key == runTag {
				return true
			}
		}
	}
	return false
}
