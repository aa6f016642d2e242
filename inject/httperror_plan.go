package inject

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// describe tells the one rule that is added.
func (k *replying) describe(u Undo) []Change {
	d, err := readReplyUndo(u)
	if err != nil {
		return []Change{{What: u.Target.ARN, Before: "unknown: " + err.Error()}}
	}
	what := fmt.Sprintf("rule at priority %d of listener %s", d.Priority, d.Listener)
	if d.Rule != "" {
		what += " (" + d.Rule + ")"
	}
	return []Change{{What: what, Before: "none", During: fmt.Sprintf("%s: answers %d", d.scope(), d.Status), After: "none"}}
}

// LastResort deletes our rule, which can be said only once it is staged.
func (f *reply) LastResort(u Undo) []Call {
	d, err := readReplyUndo(u)
	if err != nil || d.Rule == "" {
		return nil
	}
	return []Call{{Service: "elasticloadbalancingv2", Action: "deleteRule", Input: asJSON(map[string]string{"RuleArn": d.Rule})}}
}

var _ Residuer = (*reply)(nil)

// Residue is our rule, which goes whatever became of it; nothing is left.
func (f *reply) Residue(u Undo) (overwrites, leaves []string) {
	d, err := readReplyUndo(u)
	if err != nil {
		return nil, nil
	}
	rule := "the rule that the drill makes"
	if d.Rule != "" {
		rule = "rule " + d.Rule
	}
	return []string{fmt.Sprintf("%s at priority %d of listener %s: deleted, whatever somebody has made of it by then", rule, d.Priority, d.Listener)}, nil
}

// Permissions lists the actions an error needs: one more rule of its listener, and to modify and delete what is its own
// by tag. The rules of a listener carry its name in theirs.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
func (f *reply) Permissions(t Target) []Permission {
	rules := strings.Replace(t.ARN, ":listener/", ":listener-rule/", 1) + "/*"
	ours := map[string]string{"aws:ResourceTag/" + TagRun: "*"}
	const elb = "elasticloadbalancing:"
	return slices.Concat(
		grant(looking, "*", elb+"DescribeListeners", elb+"DescribeLoadBalancers", elb+"DescribeRules", elb+"DescribeTags"),
		grant(planning, "*", elb+"DescribeTargetGroups", elb+"DescribeTargetHealth", "cloudwatch:GetMetricData"),
		grant(ForRun, t.ARN, elb+"CreateRule"),
		grantIf(map[string]string{elb + "CreateAction": "CreateRule"}, ForRun, rules, elb+"AddTags"),
		grantIf(ours, ForRun, rules, elb+"ModifyRule"),
		grantIf(ours, undoing+" "+ForDeadman, rules, elb+"DeleteRule"))
}

// Moves lists the metrics a fixed response moves: those of the load balancer, never those of its targets.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
func (f *reply) Moves(u Undo) []Metric {
	d, err := readReplyUndo(u)
	if err != nil {
		return nil
	}
	var moved []Metric
	for _, name := range d.witnesses() {
		moved = append(moved, Metric{Namespace: "AWS/ApplicationELB", Name: name,
			Dimensions: map[string]string{"LoadBalancer": d.Balancer}, Delay: f.timing.MetricDelay, By: "a fixed response"})
	}
	return moved
}

// Floor is nothing: a rule is felt within seconds. Where only a metric tells of it, it is seen when its period has ended and
// the datapoint is there.
func (f *reply) Floor(u Undo) (time.Duration, bool) {
	if d, err := readReplyUndo(u); err == nil && d.Witness == byMetric {
		return f.timing.Period + f.timing.MetricDelay, true
	}
	return 0, true
}

// Costs says what a rule takes.
func (f *reply) Costs(u Undo) Costs {
	d, err := readReplyUndo(u)
	if err != nil {
		return Costs{}
	}
	c := Costs{Undo: min(time.Minute, f.timing.UndoTime), Quotas: []string{"1 rule of the load balancer's"}, Money: "none",
		Notes: append([]string{}, d.Warnings...)}
	switch quiet := d.Traffic != nil && *d.Traffic == 0; {
	case d.Witness == byMetric:
		c.Money = "GetMetricData of CloudWatch: a few cents"
		c.Notes = append(c.Notes, "only requests that match are felt and counted: while nobody asks for what it hits, nothing says that it is felt")
	case d.Load <= 0 && quiet:
		c.Notes = append(c.Notes, fmt.Sprintf("nobody has asked the load balancer for anything in the last %s: without load of ours (load: 5/s) only our own looks are felt and counted", plain(f.timing.Window)))
	case d.Load <= 0:
		c.Notes = append(c.Notes, "only requests that match are felt and counted: without traffic, or load of ours, nothing is")
	}
	return c
}
