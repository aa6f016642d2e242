package aws

import "time"

// The shapes of Application Auto Scaling, with the members that the sandbox honours.

type suspendedState struct {
	DynamicScalingInSuspended  *bool
	DynamicScalingOutSuspended *bool
	ScheduledScalingSuspended  *bool
}

type registerScalableInput struct {
	ServiceNamespace, ResourceId, ScalableDimension string
	MinCapacity, MaxCapacity                        *int64
	RoleARN                                         string
	SuspendedState                                  *suspendedState
	Tags                                            map[string]string
}

type registerScalableOutput struct{ ScalableTargetARN string }

type scalableID struct{ ServiceNamespace, ResourceId, ScalableDimension string }

type scalableTargetsInput struct {
	ServiceNamespace, ScalableDimension string
	ResourceIds                         []string
	MaxResults                          int
	NextToken                           string
}

type scalableDescription struct {
	ServiceNamespace, ResourceId, ScalableDimension string
	MinCapacity, MaxCapacity                        int64
	RoleARN, ScalableTargetARN                      string
	CreationTime                                    time.Time
	SuspendedState                                  suspendedState
}

type scalableTargetsOutput struct{ ScalableTargets []scalableDescription }

type scheduledActionsInput struct {
	ServiceNamespace, ResourceId, ScalableDimension string
	ScheduledActionNames                            []string
	MaxResults                                      int
	NextToken                                       string
}

type scheduledActionsOutput struct{ ScheduledActions []empty }

type predefinedMetric struct{ PredefinedMetricType string }

type trackingConfiguration struct {
	TargetValue                       float64
	PredefinedMetricSpecification     *predefinedMetric
	ScaleInCooldown, ScaleOutCooldown *int64
	DisableScaleIn                    *bool
}

type policyPutInput struct {
	PolicyName, PolicyType                          string
	ServiceNamespace, ResourceId, ScalableDimension string
	TargetTrackingScalingPolicyConfiguration        *trackingConfiguration
}

type policyPutOutput struct {
	PolicyARN string
	Alarms    []empty
}

type policiesInput struct {
	ServiceNamespace, ResourceId, ScalableDimension string
	PolicyNames                                     []string
	MaxResults                                      int
	NextToken                                       string
}

type policyDescription struct {
	PolicyARN, PolicyName, PolicyType               string
	ServiceNamespace, ResourceId, ScalableDimension string
	TargetTrackingScalingPolicyConfiguration        *trackingConfiguration
	CreationTime                                    time.Time
}

type policiesOutput struct{ ScalingPolicies []policyDescription }

// keepSuspended carries flags over that a request left out, and makes absent ones false.
func (s *suspendedState) keepSuspended(old suspendedState) suspendedState {
	pick := func(new, old *bool) *bool {
		if new == nil {
			new = old
		}
		b := deref(new)
		return &b
	}
	if s == nil {
		s = &old
	}
	return suspendedState{
		DynamicScalingInSuspended:  pick(s.DynamicScalingInSuspended, old.DynamicScalingInSuspended),
		DynamicScalingOutSuspended: pick(s.DynamicScalingOutSuspended, old.DynamicScalingOutSuspended),
		ScheduledScalingSuspended:  pick(s.ScheduledScalingSuspended, old.ScheduledScalingSuspended),
	}
}
