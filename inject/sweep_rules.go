package inject

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// undoRule is what the tag of a rule says: there was none before.
const undoRule = "delete-rule"

// findRules reads the rules of every listener of every Application Load Balancer, with their tags.
func (s *Sweeper) findRules(ctx context.Context, at home, f *finding) {
	balancers, err := s.balancerARNs(ctx)
	if err != nil {
		f.unread("load balancers", err)
	}
	each(ctx, balancers, func(balancer string) {
		listeners, err := s.listenerARNs(ctx, balancer)
		if err != nil {
			f.unread("listeners of "+balancer, err)
		}
		f.looked("listeners", len(listeners))
		for _, own := range listeners {
			rules, err := s.rules.readTagged(ctx, own)
			if errors.Is(err, ErrGone) {
				continue
			}
			if err != nil {
				f.unread("rules of listener "+own, err)
				continue
			}
			for _, r := range rules {
				if m, marked, bad := markOfTags(r.tags); marked {
					f.found(recallRule(at, own, r, m, bad))
				}
			}
		}
	})
}

func (s *Sweeper) balancerARNs(ctx context.Context) (arns []string, err error) {
	in := &elb.DescribeLoadBalancersInput{}
	for {
		out, err := s.c.ELB.DescribeLoadBalancers(ctx, in)
		if err != nil {
			return arns, fmt.Errorf("describe load balancers: %w", err)
		}
		for _, b := range out.LoadBalancers {
			if b.Type == types.LoadBalancerTypeEnumApplication {
				arns = append(arns, aws.ToString(b.LoadBalancerArn))
			}
		}
		if aws.ToString(out.NextMarker) == "" {
			return arns, nil
		}
		in.Marker = out.NextMarker
	}
}

func (s *Sweeper) listenerARNs(ctx context.Context, balancer string) (arns []string, err error) {
	in := &elb.DescribeListenersInput{LoadBalancerArn: &balancer}
	for {
		out, err := s.c.ELB.DescribeListeners(ctx, in)
		if hasCode(err, "LoadBalancerNotFound") {
			return arns, nil
		}
		if err != nil {
			return arns, fmt.Errorf("describe listeners of %s: %w", balancer, err)
		}
		for _, l := range out.Listeners {
			arns = append(arns, aws.ToString(l.ListenerArn))
		}
		if aws.ToString(out.NextMarker) == "" {
			return arns, nil
		}
		in.Marker = out.NextMarker
	}
}

// recallRule makes an undo of a rule that carries our mark. Tags alone are no proof: only a rule that answers by itself,
// with an error, can be one of ours.
func recallRule(at home, listener string, r rule, m Mark, bad error) Leftover {
	own := aws.ToString(r.RuleArn)
	l := Leftover{Thing: "rule " + lastPart(own, "/") + " of listener " + listener, ARN: own, Mark: m,
		ByHand: []string{at.command("elbv2", "delete-rule", "--rule-arn", own)}}
	status := ""
	if len(r.Actions) == 1 && r.Actions[0].FixedResponseConfig != nil {
		status = aws.ToString(r.Actions[0].FixedResponseConfig.StatusCode)
	}
	switch {
	case bad != nil:
		l.Why = bad.Error()
		return l
	case r.tags[TagUndo] != undoRule || aws.ToBool(r.IsDefault) || len(status) != 3 || status < "400":
		l.Why = "it carries our mark and is not as we make rules: a fixed response with an error"
		return l
	}
	l.Finds = "it answers " + status
	if inert(r.Rule, m.Run) {
		l.Finds = "it is staged: nobody is answered " + status + " yet"
	}
	u, err := newUndo(KindError, m, at.target(listener), replyUndo{Listener: listener, Rule: own})
	if err != nil {
		l.Why = err.Error()
		return l
	}
	l.Undo = &u
	return l
}
