package aws

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// count tells a metric of the load balancer: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
// RequestCount counts only requests for which a target was chosen.
func (l *listener) count(metric string, value float64) {
	l.elb.meter.observe(sample{
		Namespace: "AWS/ApplicationELB", Metric: metric, Value: value, At: l.elb.now(),
		Dimensions: map[string]string{"LoadBalancer": l.balancer.dimension()},
	})
}

// countOwn counts an answer that originates from the load balancer.
func (l *listener) countOwn(status int) {
	if status >= 300 {
		l.count(fmt.Sprintf("HTTPCode_ELB_%dXX_Count", status/100), 1)
	}
	switch status {
	case 500, 502, 503, 504:
		l.count(fmt.Sprintf("HTTPCode_ELB_%d_Count", status), 1)
	}
}

// countTarget counts a target's answer and the time to its first byte, for the load balancer and for the group.
func (l *listener) countTarget(group string, status int, took time.Duration) {
	code := fmt.Sprintf("HTTPCode_Target_%dXX_Count", status/100)
	l.count(code, 1)
	l.count("TargetResponseTime", took.Seconds())
	_, name, _ := cutLast(group, ":")
	dimensions := map[string]string{"LoadBalancer": l.balancer.dimension(), "TargetGroup": name}
	for metric, value := range map[string]float64{"RequestCount": 1, code: 1, "TargetResponseTime": took.Seconds()} {
		l.elb.meter.observe(sample{Namespace: "AWS/ApplicationELB", Metric: metric, Dimensions: dimensions, Value: value, At: l.elb.now()})
	}
}

// config is load balancers, listeners, rules and target groups as people made them; groups stand under their names.
func (e *elb) config() any {
	e.mu.Lock()
	defer e.mu.Unlock()
	balancers, groups := map[string]any{}, map[string]any{}
	for _, g := range e.groups {
		var targets []string
		for _, t := range g.targets {
			targets = append(targets, t.address())
		}
		groups[g.name] = map[string]any{
			"protocol": g.protocol, "port": g.port, "health_check": map[string]any{"path": g.health.path, "codes": g.health.codes},
			"targets": sortedBy(targets, func(s string) string { return s }), "tags": maps.Clone(g.tags),
		}
	}
	for _, b := range e.balancers {
		var listeners []map[string]any
		for _, l := range e.listeners {
			if l.balancer != b {
				continue
			}
			var rules []map[string]any
			for _, r := range e.rulesOf(l.arn) {
				rules = append(rules, map[string]any{
					"priority": r.shape().Priority, "conditions": conditionConfig(r.conditions), "actions": e.actionConfig(r.actions), "tags": maps.Clone(r.tags),
				})
			}
			listeners = append(listeners, map[string]any{"protocol": "HTTP", "port": l.asked, "rules": rules, "tags": maps.Clone(l.tags)})
		}
		balancers[b.name] = map[string]any{
			"scheme": b.scheme, "tags": maps.Clone(b.tags),
			"listeners": sortedBy(listeners, func(l map[string]any) string { return fmt.Sprintf("%05d", l["port"]) }),
		}
	}
	return map[string]any{"load_balancers": balancers, "target_groups": groups}
}

// conditionConfig puts conditions and their values, which have no order, into one.
func conditionConfig(conditions []elbCondition) []map[string]any {
	var out []map[string]any
	for _, c := range conditions {
		var values []string
		for _, v := range c.alternatives() {
			if v.Key != "" {
				v.Value = v.Key + "=" + v.Value
			}
			values = append(values, v.Value)
		}
		one := map[string]any{"field": c.Field, "values": sortedBy(values, func(s string) string { return s })}
		if c.HttpHeaderConfig != nil {
			one["header"] = strings.ToLower(c.HttpHeaderConfig.HttpHeaderName)
		}
		out = append(out, one)
	}
	return sortedBy(out, func(c map[string]any) string { return fmt.Sprint(c["field"], c["header"], c["values"]) })
}

// actionConfig names target groups instead of spelling their ARNs, which hold random ids.
func (e *elb) actionConfig(actions []elbAction) []map[string]any {
	var out []map[string]any
	for _, a := range actions {
		one := map[string]any{"type": a.Type}
		if a.ForwardConfig != nil {
			weights := map[string]int{}
			for _, w := range a.ForwardConfig.TargetGroups {
				name := w.TargetGroupArn
				if g, err := e.group(name); err == nil {
					name = g.name
				}
				weights[name] = *w.Weight
			}
			one["target_groups"] = weights
		}
		if a.FixedResponseConfig != nil {
			one["fixed_response"] = *a.FixedResponseConfig
		}
		if a.RedirectConfig != nil {
			one["redirect"] = *a.RedirectConfig
		}
		out = append(out, one)
	}
	return out
}
