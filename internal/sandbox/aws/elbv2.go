package aws

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// elb is Elastic Load Balancing v2 with a data plane: its HTTP listeners really listen on loopback, and their rules
// carry traffic to targets on loopback.
type elb struct {
	deps
	// propagation is how long the data plane takes to see a changed rule.
	propagation time.Duration
	transport   *http.Transport

	mu        sync.Mutex
	balancers []*balancer
	groups    []*targetGroup
	listeners []*listener
	rules     []*rule
}

// balancer is one application load balancer.
type balancer struct {
	arn     string
	name    string
	scheme  string
	created time.Time
	tags    map[string]string
}

// targetGroup is where a rule forwards to: HTTP servers on loopback.
type targetGroup struct {
	arn      string
	name     string
	port     int
	health   healthCheck
	targets  []elbTarget
	moving   []movingTarget
	tags     map[string]string
	next     int // whose turn it is
	protocol string
}

// rule is one rule of a listener. Its conditions and actions are replaced, never changed in place: the data plane
// may still be using them.
type rule struct {
	arn        string
	listener   string
	priority   int // 0 is the default rule
	conditions []elbCondition
	actions    []elbAction
	tags       map[string]string
}

// elbEmpty is the answer of operations that answer nothing.
type elbEmpty struct{}

// elbPage is how the Describe operations page.
type elbPage struct {
	Marker   string
	PageSize *int
}

func newELB(d deps) *elb {
	return &elb{deps: d, propagation: d.options.RulePropagation, transport: newTargetTransport()}
}

func (e *elb) id() string { return "elasticloadbalancing" }

func (e *elb) operations() map[string]operation {
	return map[string]operation{
		"CreateLoadBalancer": on(true, func(in *createBalancerInput) string { return in.Name }, e.createBalancer),
		"DescribeLoadBalancers": on(false, func(in *describeBalancersInput) string {
			return strings.Join(append(in.LoadBalancerArns, in.Names...), " ")
		}, e.describeBalancers),
		"DeleteLoadBalancer": on(true, func(in *deleteBalancerInput) string { return in.LoadBalancerArn }, e.deleteBalancer),
		"CreateTargetGroup":  on(true, func(in *createGroupInput) string { return in.Name }, e.createGroup),
		"DescribeTargetGroups": on(false, func(in *describeGroupsInput) string {
			return strings.Join(append(in.TargetGroupArns, in.Names...), " ")
		}, e.describeGroups),
		"DeleteTargetGroup":    on(true, func(in *deleteGroupInput) string { return in.TargetGroupArn }, e.deleteGroup),
		"RegisterTargets":      on(true, func(in *targetsInput) string { return in.TargetGroupArn }, e.registerTargets),
		"DeregisterTargets":    on(true, func(in *targetsInput) string { return in.TargetGroupArn }, e.deregisterTargets),
		"DescribeTargetHealth": on(false, func(in *targetHealthInput) string { return in.TargetGroupArn }, e.describeTargetHealth),
		"CreateListener":       on(true, func(in *createListenerInput) string { return in.LoadBalancerArn }, e.createListener),
		"DescribeListeners": on(false, func(in *describeListenersInput) string {
			return strings.Join(append(in.ListenerArns, in.LoadBalancerArn), " ")
		}, e.describeListeners),
		"DeleteListener":    on(true, func(in *deleteListenerInput) string { return in.ListenerArn }, e.deleteListener),
		"CreateRule":        on(true, func(in *createRuleInput) string { return in.ListenerArn }, e.createRule),
		"DescribeRules":     on(false, func(in *describeRulesInput) string { return strings.Join(append(in.RuleArns, in.ListenerArn), " ") }, e.describeRules),
		"ModifyRule":        on(true, func(in *modifyRuleInput) string { return in.RuleArn }, e.modifyRule),
		"DeleteRule":        on(true, func(in *deleteRuleInput) string { return in.RuleArn }, e.deleteRule),
		"SetRulePriorities": on(true, nil, e.setRulePriorities),
		"AddTags":           on(true, func(in *addTagsInput) string { return strings.Join(in.ResourceArns, " ") }, e.addTags),
		"RemoveTags":        on(true, func(in *removeTagsInput) string { return strings.Join(in.ResourceArns, " ") }, e.removeTags),
		"DescribeTags":      on(false, func(in *describeTagsInput) string { return strings.Join(in.ResourceArns, " ") }, e.describeTags),
	}
}

// close ends every listener and waits until nobody is being served.
func (e *elb) close() error {
	e.mu.Lock()
	all := e.listeners
	e.listeners, e.rules = nil, nil
	e.mu.Unlock()
	for _, l := range all {
		l.stop()
	}
	e.transport.CloseIdleConnections()
	return nil
}

func (e *elb) balancer(arn string) (*balancer, error) {
	for _, b := range e.balancers {
		if b.arn == arn {
			return b, nil
		}
	}
	return nil, elbError("LoadBalancerNotFound", "Load balancer '%s' not found", arn)
}

func (e *elb) group(arn string) (*targetGroup, error) {
	for _, g := range e.groups {
		if g.arn == arn {
			return g, nil
		}
	}
	return nil, elbError("TargetGroupNotFound", "Target groups '%s' not found", arn)
}

func (e *elb) listener(arn string) (*listener, error) {
	for _, l := range e.listeners {
		if l.arn == arn {
			return l, nil
		}
	}
	return nil, elbError("ListenerNotFound", "One or more listeners not found: %s", arn)
}

func (e *elb) rule(arn string) (*rule, error) {
	for _, r := range e.rules {
		if r.arn == arn {
			return r, nil
		}
	}
	return nil, elbError("RuleNotFound", "One or more rules not found: %s", arn)
}

// rulesOf lists a listener's rules in the order they are tried: by priority, the default one last.
func (e *elb) rulesOf(listenerARN string) []*rule {
	var out []*rule
	for _, r := range e.rules {
		if r.listener == listenerARN {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *rule) int { return a.order() - b.order() })
	return out
}

func (r *rule) order() int {
	if r.priority == 0 {
		return 1 << 20
	}
	return r.priority
}

// page cuts a list as Marker and PageSize ask; next is empty on the last page.
func page[T any](all []T, p elbPage) (out []T, next string, err error) {
	from, size := 0, 400
	if p.Marker != "" {
		if _, err := fmt.Sscanf(p.Marker, "from-%d", &from); err != nil || from < 0 || from > len(all) {
			return nil, "", elbError("ValidationError", "The marker '%s' is not valid", p.Marker)
		}
	}
	if p.PageSize != nil {
		if size = *p.PageSize; size < 1 || size > 400 {
			return nil, "", elbError("ValidationError", "Page size '%d' must be between 1 and 400", size)
		}
	}
	to := min(from+size, len(all))
	if to < len(all) {
		next = fmt.Sprintf("from-%d", to)
	}
	return all[from:to], next, nil
}

func elbError(code, format string, args ...any) *apiError {
	return &apiError{Code: code, Message: fmt.Sprintf(format, args...)}
}

// newHex is the random end of an ARN.
func newHex() string {
	var b [8]byte
	rand.Read(b[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	return hex.EncodeToString(b[:])
}
