package aws

import (
	"context"
	"slices"
	"strconv"
)

type (
	createRuleInput struct {
		ListenerArn string
		Priority    *int
		Conditions  []elbCondition
		Actions     []elbAction
		Tags        []elbTag
	}
	describeRulesInput struct {
		elbPage
		ListenerArn string
		RuleArns    []string
	}
	rulesOutput struct {
		Rules      []ruleShape
		NextMarker string
	}
	modifyRuleInput struct {
		RuleArn    string
		Conditions []elbCondition
		Actions    []elbAction
	}
	deleteRuleInput        struct{ RuleArn string }
	setRulePrioritiesInput struct{ RulePriorities []rulePriority }
	rulePriority           struct {
		RuleArn  string
		Priority *int
	}
	ruleShape struct {
		RuleArn    string
		Priority   string // a number, or default
		Conditions []elbCondition
		Actions    []elbAction
		IsDefault  bool
	}
)

// Limits of rules: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
const (
	maxRules         = 100 // of a load balancer, not counting default ones
	maxPriority      = 50000
	maxConditions    = 5 // values in one rule
	maxWildcards     = 6 // in one rule
	maxForwardGroups = 5 // target groups in one action
)

func (e *elb) createRule(_ context.Context, _ caller, in *createRuleInput) (*rulesOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.listener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	if err := checkPriority(in.Priority); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(e.rulesOf(l.arn), func(r *rule) bool { return r.priority == *in.Priority }) {
		return nil, elbError("PriorityInUse", "Priority '%d' is currently in use", *in.Priority)
	}
	if e.ruleCount(l.balancer) >= maxRules {
		return nil, elbError("TooManyRules", "The maximum number of rules per load balancer is %d", maxRules)
	}
	conditions, err := checkConditions(in.Conditions)
	if err != nil {
		return nil, err
	}
	actions, err := e.checkActions(l.balancer, in.Actions)
	if err != nil {
		return nil, err
	}
	tags, err := mergedTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	r := &rule{arn: l.newRuleARN(), listener: l.arn, priority: *in.Priority, conditions: conditions, actions: actions, tags: tags}
	e.rules = append(e.rules, r)
	e.publish(l, e.propagation)
	return &rulesOutput{Rules: []ruleShape{r.shape()}}, nil
}

func (e *elb) describeRules(_ context.Context, _ caller, in *describeRulesInput) (*rulesOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if (in.ListenerArn == "") == (len(in.RuleArns) == 0) {
		return nil, elbError("ValidationError", "Either rule ARNs or a listener ARN must be specified, not both")
	}
	var found []*rule
	if in.ListenerArn != "" {
		if _, err := e.listener(in.ListenerArn); err != nil {
			return nil, err
		}
		found = e.rulesOf(in.ListenerArn)
	}
	for _, arn := range in.RuleArns {
		r, err := e.rule(arn)
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	all := []ruleShape{}
	for _, r := range found {
		all = append(all, r.shape())
	}
	out, next, err := page(all, in.elbPage)
	return &rulesOutput{Rules: out, NextMarker: next}, err
}

// modifyRule replaces the whole list of conditions, of actions, or of both.
func (e *elb) modifyRule(_ context.Context, _ caller, in *modifyRuleInput) (*rulesOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, err := e.rule(in.RuleArn)
	if err != nil {
		return nil, err
	}
	l, err := e.listener(r.listener)
	if err != nil {
		return nil, err
	}
	if r.priority == 0 {
		return nil, elbError("OperationNotPermitted", "Default rule '%s' cannot be modified", r.arn)
	}
	conditions, actions := r.conditions, r.actions
	if in.Conditions != nil {
		if conditions, err = checkConditions(in.Conditions); err != nil {
			return nil, err
		}
	}
	if in.Actions != nil {
		if actions, err = e.checkActions(l.balancer, in.Actions); err != nil {
			return nil, err
		}
	}
	r.conditions, r.actions = conditions, actions
	e.publish(l, e.propagation)
	return &rulesOutput{Rules: []ruleShape{r.shape()}}, nil
}

func (e *elb) deleteRule(_ context.Context, _ caller, in *deleteRuleInput) (*elbEmpty, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, err := e.rule(in.RuleArn)
	if err != nil {
		return nil, err
	}
	if r.priority == 0 {
		return nil, elbError("OperationNotPermitted", "Default rule '%s' cannot be deleted", r.arn)
	}
	l, err := e.listener(r.listener)
	if err != nil {
		return nil, err
	}
	e.rules = slices.DeleteFunc(slices.Clone(e.rules), func(other *rule) bool { return other == r })
	e.publish(l, e.propagation)
	return &elbEmpty{}, nil
}

// setRulePriorities changes all it is asked for, or nothing.
func (e *elb) setRulePriorities(_ context.Context, _ caller, in *setRulePrioritiesInput) (*rulesOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	wanted := map[*rule]int{}
	for _, one := range in.RulePriorities {
		r, err := e.rule(one.RuleArn)
		if err != nil {
			return nil, err
		}
		if r.priority == 0 {
			return nil, elbError("OperationNotPermitted", "The priority of default rule '%s' cannot be set", r.arn)
		}
		if err := checkPriority(one.Priority); err != nil {
			return nil, err
		}
		wanted[r] = *one.Priority
	}
	taken := map[string]bool{} // by listener and priority
	for _, r := range e.rules {
		priority, ok := wanted[r]
		if !ok {
			priority = r.priority
		}
		place := r.listener + " " + strconv.Itoa(priority)
		if taken[place] && priority != 0 {
			return nil, elbError("PriorityInUse", "Priority '%d' is currently in use", priority)
		}
		taken[place] = true
	}
	out := &rulesOutput{Rules: []ruleShape{}}
	for r, priority := range wanted {
		r.priority = priority
		if l, err := e.listener(r.listener); err == nil {
			e.publish(l, e.propagation)
		}
		out.Rules = append(out.Rules, r.shape())
	}
	slices.SortFunc(out.Rules, func(a, b ruleShape) int {
		x, _ := strconv.Atoi(a.Priority)
		y, _ := strconv.Atoi(b.Priority)
		return x - y
	})
	return out, nil
}

func checkPriority(p *int) error {
	if p == nil || *p < 1 || *p > maxPriority {
		return elbError("ValidationError", "A rule's priority must be between 1 and %d", maxPriority)
	}
	return nil
}

// ruleCount counts a load balancer's rules but the default ones.
func (e *elb) ruleCount(b *balancer) int {
	n := 0
	for _, l := range e.listeners {
		if l.balancer == b {
			n += len(e.rulesOf(l.arn)) - 1
		}
	}
	return n
}

func (r *rule) shape() ruleShape {
	s := ruleShape{RuleArn: r.arn, Priority: strconv.Itoa(r.priority), Conditions: r.conditions, Actions: r.actions}
	if r.priority == 0 {
		s.Priority, s.IsDefault, s.Conditions = "default", true, []elbCondition{}
	}
	return s
}
