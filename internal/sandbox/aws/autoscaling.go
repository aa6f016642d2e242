package aws

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"
)

// autoscalingService is Application Auto Scaling for the capacity of DynamoDB tables.
type autoscalingService struct {
	d      deps
	tables *dynamodbService
	// mu is never held while another service is called: their metrics come back here.
	mu      sync.Mutex
	targets map[scalableID]*scalableTarget
}

// scalableTarget is one capacity of one table that is kept within bounds.
type scalableTarget struct {
	scalableDescription
	tags   map[string]string
	policy *policyDescription
	// pull says that capacity must be pulled back into bounds, whatever is suspended.
	pull bool
	used []usage
}

// usage is capacity consumed at an instant.
type usage struct {
	at    time.Time
	units float64
}

func newAutoScaling(d deps, tables *dynamodbService) *autoscalingService {
	return &autoscalingService{d: d, tables: tables, targets: map[scalableID]*scalableTarget{}}
}

func (*autoscalingService) id() string { return "application-autoscaling" }

func (s *autoscalingService) config() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]any{}
	for k, t := range s.targets {
		m := map[string]any{"MinCapacity": t.MinCapacity, "MaxCapacity": t.MaxCapacity, "RoleARN": t.RoleARN,
			"SuspendedState": t.SuspendedState, "Tags": t.tags}
		if t.policy != nil {
			m["Policies"] = map[string]any{t.policy.PolicyName: t.policy.TargetTrackingScalingPolicyConfiguration}
		}
		out[k.ResourceId+" "+k.ScalableDimension] = m
	}
	return out
}

func (s *autoscalingService) operations() map[string]operation {
	return map[string]operation{
		"RegisterScalableTarget":   on(true, func(in *registerScalableInput) string { return in.ResourceId }, s.register),
		"DeregisterScalableTarget": on(true, func(in *scalableID) string { return in.ResourceId }, s.deregister),
		"DescribeScalableTargets":  on(false, func(in *scalableTargetsInput) string { return strings.Join(in.ResourceIds, " ") }, s.describeTargets),
		"DescribeScheduledActions": on(false, func(in *scheduledActionsInput) string { return in.ResourceId }, s.scheduledActions),
		"PutScalingPolicy":         on(true, func(in *policyPutInput) string { return in.ResourceId }, s.putPolicy),
		"DescribeScalingPolicies":  on(false, func(in *policiesInput) string { return in.ResourceId }, s.describePolicies),
	}
}

// checkTarget refuses what is not the capacity of a table.
func checkTarget(k scalableID) error {
	if k.ServiceNamespace != "dynamodb" {
		return invalid("the sandbox scales dynamodb only, not " + k.ServiceNamespace)
	}
	if !strings.HasPrefix(k.ResourceId, "table/") || strings.Count(k.ResourceId, "/") != 1 {
		return invalid("Unsupported service namespace, resource type or scalable dimension: " + k.ResourceId)
	}
	if k.ScalableDimension != "dynamodb:table:WriteCapacityUnits" && k.ScalableDimension != "dynamodb:table:ReadCapacityUnits" {
		return invalid("Unsupported service namespace, resource type or scalable dimension: " + k.ScalableDimension)
	}
	return nil
}

// register adds or updates a target. Any update pulls capacity back into bounds, also one that gives no bounds
// and also while everything is suspended (API_RegisterScalableTarget.html).
func (s *autoscalingService) register(_ context.Context, _ caller, in *registerScalableInput) (*registerScalableOutput, error) {
	k := scalableID{in.ServiceNamespace, in.ResourceId, in.ScalableDimension}
	if err := checkTarget(k); err != nil {
		return nil, err
	}
	if _, err := s.tables.describe(strings.TrimPrefix(k.ResourceId, "table/")); err != nil {
		return nil, invalid("DynamoDB table does not exist: " + k.ResourceId)
	}
	arn, err := s.put(k, in)
	if err != nil {
		return nil, err
	}
	s.act(k, s.d.now())
	return &registerScalableOutput{ScalableTargetARN: arn}, nil
}

func (s *autoscalingService) put(k scalableID, in *registerScalableInput) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.targets[k]
	fresh := t == nil
	if fresh {
		if in.MinCapacity == nil || in.MaxCapacity == nil {
			return "", invalid("MinCapacity and MaxCapacity are required to register a new scalable target")
		}
		t = &scalableTarget{tags: map[string]string{}, scalableDescription: scalableDescription{ServiceNamespace: k.ServiceNamespace, ResourceId: k.ResourceId,
			ScalableDimension: k.ScalableDimension, CreationTime: s.d.now(),
			RoleARN:           "arn:aws:iam::" + s.d.account + ":role/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable",
			ScalableTargetARN: s.d.arn("application-autoscaling", "scalable-target/"+requestID()[:17])}}
	}
	least, most := t.MinCapacity, t.MaxCapacity
	if in.MinCapacity != nil {
		least = *in.MinCapacity
	}
	if in.MaxCapacity != nil {
		most = *in.MaxCapacity
	}
	if least < 1 || most < least {
		return "", invalid(fmt.Sprintf("MinCapacity must be at least 1 and at most MaxCapacity: %d, %d", least, most))
	}
	if !fresh && len(in.Tags) > 0 {
		return "", invalid("Tags can only be given when a scalable target is registered for the first time")
	}
	t.MinCapacity, t.MaxCapacity, t.pull = least, most, true
	if in.RoleARN != "" {
		t.RoleARN = in.RoleARN
	}
	t.SuspendedState = in.SuspendedState.keepSuspended(t.SuspendedState)
	for key, v := range in.Tags {
		t.tags[key] = v
	}
	s.targets[k] = t
	return t.ScalableTargetARN, nil
}

func noTarget(k scalableID) error {
	return &apiError{Code: "ObjectNotFoundException", Message: fmt.Sprintf("No scalable target found for service namespace: %s, resource ID: %s, scalable dimension: %s", k.ServiceNamespace, k.ResourceId, k.ScalableDimension)}
}

func (s *autoscalingService) deregister(_ context.Context, _ caller, in *scalableID) (*empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.targets[*in] == nil {
		return nil, noTarget(*in)
	}
	delete(s.targets, *in)
	return &empty{}, nil
}

// matching lists the targets a request asks for, in order. The lock is held.
func (s *autoscalingService) matching(namespace, dimension string, ids []string) []*scalableTarget {
	var out []*scalableTarget
	for k, t := range s.targets {
		wanted := len(ids) == 0 || some(ids, func(id string) bool { return id == k.ResourceId })
		if k.ServiceNamespace == namespace && (dimension == "" || dimension == k.ScalableDimension) && wanted {
			out = append(out, t)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		return out[i].ResourceId+out[i].ScalableDimension < out[j].ResourceId+out[j].ScalableDimension
	})
	return out
}

func (s *autoscalingService) describeTargets(_ context.Context, _ caller, in *scalableTargetsInput) (*scalableTargetsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &scalableTargetsOutput{ScalableTargets: []scalableDescription{}}
	for _, t := range s.matching(in.ServiceNamespace, in.ScalableDimension, in.ResourceIds) {
		out.ScalableTargets = append(out.ScalableTargets, t.scalableDescription)
	}
	return out, nil
}

func (s *autoscalingService) scheduledActions(context.Context, caller, *scheduledActionsInput) (*scheduledActionsOutput, error) {
	return &scheduledActionsOutput{ScheduledActions: []empty{}}, nil
}

func (s *autoscalingService) putPolicy(_ context.Context, _ caller, in *policyPutInput) (*policyPutOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := scalableID{in.ServiceNamespace, in.ResourceId, in.ScalableDimension}
	t := s.targets[k]
	if t == nil {
		return nil, noTarget(k)
	}
	c := in.TargetTrackingScalingPolicyConfiguration
	if in.PolicyType != "TargetTrackingScaling" || c == nil {
		return nil, invalid("the sandbox only knows TargetTrackingScaling policies")
	}
	if c.TargetValue < 20 || c.TargetValue > 90 {
		return nil, invalid("TargetValue for DynamoDB must be between 20 and 90 per cent")
	}
	if in.PolicyName == "" || t.policy != nil && t.policy.PolicyName != in.PolicyName {
		return nil, invalid("a target has one target tracking policy, and it has a name")
	}
	t.policy = &policyDescription{PolicyARN: s.d.arn("autoscaling", "scalingPolicy:"+requestID()), PolicyName: in.PolicyName, PolicyType: in.PolicyType,
		ServiceNamespace: k.ServiceNamespace, ResourceId: k.ResourceId, ScalableDimension: k.ScalableDimension,
		TargetTrackingScalingPolicyConfiguration: c, CreationTime: s.d.now()}
	return &policyPutOutput{PolicyARN: t.policy.PolicyARN, Alarms: []empty{}}, nil
}

func (s *autoscalingService) describePolicies(_ context.Context, _ caller, in *policiesInput) (*policiesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	if in.ResourceId != "" {
		ids = []string{in.ResourceId}
	}
	out := &policiesOutput{ScalingPolicies: []policyDescription{}}
	for _, t := range s.matching(in.ServiceNamespace, in.ScalableDimension, ids) {
		named := t.policy != nil && (len(in.PolicyNames) == 0 || some(in.PolicyNames, func(n string) bool { return n == t.policy.PolicyName }))
		if named {
			out.ScalingPolicies = append(out.ScalingPolicies, *t.policy)
		}
	}
	return out, nil
}
