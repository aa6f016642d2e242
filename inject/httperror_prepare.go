package inject

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// maxRules is how many rules a load balancer has unless its quota was raised.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
const maxRules = 100

// Prepare reads the listener, its load balancer and all of its rules, and picks a place for ours.
func (f *reply) Prepare(ctx context.Context, m Mark, now time.Time) (Undo, error) {
	if err := m.check(); err != nil {
		return Undo{}, err
	}
	p := f.params
	l, err := f.readListener(ctx, p.Listener)
	if errors.Is(err, ErrGone) {
		return Undo{}, Refuse("mend the ARN, or the account and region", "there is no listener %s", p.Listener)
	}
	if err != nil {
		return Undo{}, err
	}
	if err := f.refuseListener(ctx, l); err != nil {
		return Undo{}, err
	}
	rules, err := f.readTagged(ctx, p.Listener)
	if err != nil {
		return Undo{}, err
	}
	parent := aws.ToString(l.LoadBalancerArn)
	own := aws.ToString(l.ListenerArn)
	tags, err := f.readTags(ctx, []string{parent, own})
	if err != nil {
		return Undo{}, err
	}
	for _, r := range rules {
		if err := refuseMarked("a rule of listener "+own, r.tags); err != nil {
			return Undo{}, err
		}
	}
	d := replyUndo{Listener: own, Balancer: balancerName(parent), Base: l.base(), Path: p.Path, Host: p.Host, Header: p.Header,
		Status: p.Status, Body: p.Body, Load: f.rate, Warnings: controllers(bothTags(tags[parent], tags[own]))}
	if d.Body == "" {
		d.Body = fmt.Sprintf("firedrill %s: this error is part of a drill", m.Run)
	}
	if d.Priority = freePriority(rules, d); d.Priority == 0 {
		return Undo{}, Refuse("give the first rule a higher number, or choose another path", "no priority is free before the rules that serve %s", d.scope())
	}
	if len(rules) > maxRules { // the default rule is told too, and does not count
		return Undo{}, Refuse("delete a rule", "listener %s has %d rules already", own, len(rules)-1)
	}
	if err := f.witness(ctx, &d, now); err != nil {
		return Undo{}, err
	}
	target, err := targetOf(own)
	if err != nil {
		return Undo{}, err
	}
	return newUndo(KindError, m, target, d)
}

// refuseListener refuses what takes no fixed response.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html
func (f *reply) refuseListener(ctx context.Context, l listener) error {
	parent := aws.ToString(l.LoadBalancerArn)
	if l.balancer.Type != types.LoadBalancerTypeEnumApplication {
		return Refuse("use an Application Load Balancer", "load balancer %s is of type %s", parent, l.balancer.Type)
	}
	if l.Protocol != types.ProtocolEnumHttp && l.Protocol != types.ProtocolEnumHttps {
		return Refuse("use an HTTP or HTTPS listener", "listener %s speaks %s", aws.ToString(l.ListenerArn), l.Protocol)
	}
	if s := l.balancer.State; s != nil && s.Code != types.LoadBalancerStateEnumActive {
		r := Refuse("wait until it is active", "load balancer %s is %s", parent, s.Code)
		r.Later = true
		return r
	}
	groups, err := f.balancers.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{LoadBalancerArn: &parent})
	if hasCode(err, "TargetGroupNotFound") { // it answers and redirects by itself, and has none
		return nil
	}
	if err != nil {
		return fmt.Errorf("describe target groups of %s: %w", parent, err)
	}
	for _, g := range groups.TargetGroups {
		if v := strings.ToUpper(aws.ToString(g.ProtocolVersion)); v == "GRPC" || v == "HTTP2" {
			return Refuse("use a load balancer without gRPC and HTTP/2 targets",
				"target group %s speaks %s, and such listeners only forward", aws.ToString(g.TargetGroupName), v)
		}
	}
	return nil
}

// balancerName is the end of a load balancer's ARN, as CloudWatch's LoadBalancer dimension has it.
func balancerName(arn string) string {
	_, name, _ := strings.Cut(arn, ":loadbalancer/")
	return name
}

// controllers warns of machines that look after the listener: they may delete a rule they do not know.
func controllers(tags map[string]string) []string {
	var warnings []string
	for _, key := range []string{"elbv2.k8s.aws/cluster", "ingress.k8s.aws/stack", "kubernetes.io/service-name"} {
		if v, ok := tags[key]; ok {
			warnings = append(warnings, fmt.Sprintf("a Kubernetes controller (%s=%s) looks after this load balancer and may delete our rule", key, v))
		}
	}
	return warnings
}
