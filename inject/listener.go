package inject

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// listener is a listener and the load balancer it belongs to.
type listener struct {
	types.Listener
	balancer types.LoadBalancer
}

// readListener reads a listener and its load balancer; ErrGone when there is none.
func (k *replying) readListener(ctx context.Context, arn string) (listener, error) {
	out, err := k.balancers.DescribeListeners(ctx, &elb.DescribeListenersInput{ListenerArns: []string{arn}})
	if hasCode(err, "ListenerNotFound") || err == nil && len(out.Listeners) == 0 {
		return listener{}, fmt.Errorf("describe listener %s: %w", arn, ErrGone)
	}
	if err != nil {
		return listener{}, fmt.Errorf("describe listener %s: %w", arn, err)
	}
	l := listener{Listener: out.Listeners[0]}
	parent := aws.ToString(l.LoadBalancerArn)
	lbs, err := k.balancers.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{parent}})
	if err != nil {
		return l, fmt.Errorf("describe load balancer %s: %w", parent, err)
	}
	if len(lbs.LoadBalancers) == 0 {
		return l, fmt.Errorf("describe load balancer %s: %w", parent, ErrGone)
	}
	l.balancer = lbs.LoadBalancers[0]
	return l, nil
}

// base is where the listener is reached.
func (l listener) base() string {
	host, port := aws.ToString(l.balancer.DNSName), int(aws.ToInt32(l.Port))
	if h, p, err := net.SplitHostPort(host); err == nil { // a name that tells its own port
		host = h
		if port == 0 {
			port, _ = strconv.Atoi(p)
		}
	}
	return strings.ToLower(string(l.Protocol)) + "://" + net.JoinHostPort(host, strconv.Itoa(port))
}

// readRules reads all rules of a listener, page by page.
func (k *replying) readRules(ctx context.Context, arn string) ([]types.Rule, error) {
	var rules []types.Rule
	in := &elb.DescribeRulesInput{ListenerArn: &arn}
	for {
		out, err := k.balancers.DescribeRules(ctx, in)
		if hasCode(err, "ListenerNotFound") {
			return nil, fmt.Errorf("describe rules of %s: %w", arn, ErrGone)
		}
		if err != nil {
			return nil, fmt.Errorf("describe rules of %s: %w", arn, err)
		}
		rules = append(rules, out.Rules...)
		if aws.ToString(out.NextMarker) == "" {
			return rules, nil
		}
		in.Marker = out.NextMarker
	}
}

// tagsAtOnce is how many resources DescribeTags takes.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html
const tagsAtOnce = 20

// readTags reads the tags of load balancers, listeners and rules by ARN.
func (k *replying) readTags(ctx context.Context, arns []string) (map[string]map[string]string, error) {
	tags := map[string]map[string]string{}
	for len(arns) > 0 {
		some := arns[:min(tagsAtOnce, len(arns))]
		arns = arns[len(some):]
		out, err := k.balancers.DescribeTags(ctx, &elb.DescribeTagsInput{ResourceArns: some})
		if err != nil {
			return nil, fmt.Errorf("describe tags of %s: %w", strings.Join(some, " "), err)
		}
		for _, d := range out.TagDescriptions {
			one := map[string]string{}
			for _, t := range d.Tags {
				one[aws.ToString(t.Key)] = aws.ToString(t.Value)
			}
			tags[aws.ToString(d.ResourceArn)] = one
		}
	}
	return tags, nil
}

// rule is one rule of a listener with its tags.
type rule struct {
	types.Rule
	tags map[string]string
}

// readTagged reads the rules of a listener with their tags. A rule that goes meanwhile makes the tags' answer an
// error; then it reads once more.
func (k *replying) readTagged(ctx context.Context, arn string) ([]rule, error) {
	var last error
	for range 3 {
		rules, err := k.readRules(ctx, arn)
		if err != nil {
			return nil, err
		}
		var arns []string
		for _, r := range rules {
			if !aws.ToBool(r.IsDefault) {
				arns = append(arns, aws.ToString(r.RuleArn))
			}
		}
		tags, err := k.readTags(ctx, arns)
		if hasCode(err, "RuleNotFound") {
			last = err
			continue
		}
		if err != nil {
			return nil, err
		}
		var all []rule
		for _, r := range rules {
			all = append(all, rule{Rule: r, tags: tags[aws.ToString(r.RuleArn)]})
		}
		return all, nil
	}
	return nil, last
}

// identity answers the guard: the listener's ARN, and the tags of its load balancer and its own. Where both
// carry a tag with different values, both values are told, and suit nobody.
func (k *replying) identity(ctx context.Context, t Target) (string, map[string]string, error) {
	l, err := k.readListener(ctx, t.ARN)
	if err != nil {
		return "", nil, err
	}
	own, parent := aws.ToString(l.ListenerArn), aws.ToString(l.LoadBalancerArn)
	tags, err := k.readTags(ctx, []string{parent, own})
	if err != nil {
		return "", nil, err
	}
	return own, bothTags(tags[parent], tags[own]), nil
}

// bothTags joins two sets of tags.
func bothTags(a, b map[string]string) map[string]string {
	all := map[string]string{}
	for k, v := range a {
		all[k] = v
	}
	for k, v := range b {
		if other, ok := all[k]; ok && other != v {
			v = other + " | " + v
		}
		all[k] = v
	}
	return all
}
