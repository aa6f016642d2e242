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
		grant(planning, "*", elb+"DescribeTargetGroups"),
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
	names := []string{"HTTP_Fixed_Response_Count", fmt.Sprintf("HTTPCode_ELB_%dXX_Count", d.Status/100)}
	switch d.Status {
	case 500, 502, 503, 504:
		names = append(names, fmt.Sprintf("HTTPCode_ELB_%d_Count", d.Status))
	}
	var moved []Metric
	for _, name := range names {
		moved = append(moved, Metric{Namespace: "AWS/ApplicationELB", Name: name,
			Dimensions: map[string]string{"LoadBalancer": d.Balancer}, Delay: f.timing.MetricDelay, By: "a fixed response"})
	}
	return moved
}

// Floor is nothing: a rule is felt within seconds.
func (f *reply) Floor(Undo) (time.Duration, bool) { return 0, true }

// Costs says what a rule takes.
func (f *reply) Costs(u Undo) Costs {
	d, err := readReplyUndo(u)
	if err != nil {
		return Costs{}
	}
	c := Costs{Undo: min(time.Minute, f.timing.UndoTime), Quotas: []string{"1 rule of the load balancer's"}, Money: "none",
		Notes: append([]string{}, d.Warnings...)}
	if d.Load <= 0 {
		c.Notes = append(c.Notes, "only requests that match are felt and counted: without traffic, or load of ours, nothing is")
	}
	return c
}
