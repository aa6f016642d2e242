package inject

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
)

// scalableDimension is what auto scaling calls a table's writes or reads.
func scalableDimension(name string) string {
	if name == "writes" {
		return string(types.ScalableDimensionDynamoDBTableWriteCapacityUnits)
	}
	return string(types.ScalableDimensionDynamoDBTableReadCapacityUnits)
}

// readScaling reads a table's scalable targets by dimension.
func (k *throttling) readScaling(ctx context.Context, name string) (map[string]types.ScalableTarget, error) {
	targets := map[string]types.ScalableTarget{}
	in := &applicationautoscaling.DescribeScalableTargetsInput{
		ServiceNamespace: types.ServiceNamespaceDynamodb, ResourceIds: []string{"table/" + name}}
	for {
		out, err := k.scaling.DescribeScalableTargets(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("describe scalable targets of table %s: %w", name, err)
		}
		for _, t := range out.ScalableTargets {
			targets[string(t.ScalableDimension)] = t
		}
		if aws.ToString(out.NextToken) == "" {
			return targets, nil
		}
		in.NextToken = out.NextToken
	}
}

func suspensionOf(t types.ScalableTarget) suspension {
	if t.SuspendedState == nil {
		return suspension{}
	}
	return suspension{
		In:        aws.ToBool(t.SuspendedState.DynamicScalingInSuspended),
		Out:       aws.ToBool(t.SuspendedState.DynamicScalingOutSuspended),
		Scheduled: aws.ToBool(t.SuspendedState.ScheduledScalingSuspended),
	}
}

// prepareScaling notes what must be suspended. Any update of a scalable target makes auto scaling pull the
// capacity into its bounds, so a capacity outside of them could not be kept.
// https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
func (k *throttling) prepareScaling(ctx context.Context, d throttleUndo) ([]scalingUndo, error) {
	targets, err := k.readScaling(ctx, d.Table)
	if err != nil {
		return nil, err
	}
	var undo []scalingUndo
	for _, x := range d.dimensions() {
		target, ok := targets[scalableDimension(x.name)]
		if !ok || suspensionOf(target).all() {
			continue
		}
		low, high := int64(aws.ToInt32(target.MinCapacity)), int64(aws.ToInt32(target.MaxCapacity))
		if x.Before < low || x.Before > high {
			return nil, Refuse("bring the capacity into the bounds first",
				"%s of table %s are %d, outside the %d to %d of its auto scaling, which would not leave them so", x.name, d.Table, x.Before, low, high)
		}
		undo = append(undo, scalingUndo{Dimension: string(target.ScalableDimension), Before: suspensionOf(target)})
	}
	return undo, nil
}

// suspend sets the three switches of one scalable target, once, and leaves the rest of it alone.
func (k *throttling) suspend(ctx context.Context, name, dimension string, s suspension) error {
	_, err := k.scaling.RegisterScalableTarget(ctx, &applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace:  types.ServiceNamespaceDynamodb,
		ResourceId:        aws.String("table/" + name),
		ScalableDimension: types.ScalableDimension(dimension),
		SuspendedState: &types.SuspendedState{
			DynamicScalingInSuspended:  aws.Bool(s.In),
			DynamicScalingOutSuspended: aws.Bool(s.Out),
			ScheduledScalingSuspended:  aws.Bool(s.Scheduled),
		},
	}, onceScaling)
	if err != nil {
		return judged(fmt.Errorf("set auto scaling of table %s (%s): %w", name, dimension, err))
	}
	return nil
}

// stopScaling suspends what the undo names, before capacity is lowered. It compares all first: switches that somebody has
// turned since they were read could not be given back as they are now.
func (k *throttling) stopScaling(ctx context.Context, d throttleUndo) error {
	targets, err := k.readScaling(ctx, d.Table)
	if err != nil {
		return &Definite{Err: err}
	}
	for _, s := range d.Scaling {
		target, ok := targets[s.Dimension]
		if !ok {
			return &Definite{Err: fmt.Errorf("auto scaling of table %s (%s) is no longer there", d.Table, s.Dimension)}
		}
		if now := suspensionOf(target); !now.all() && now != s.Before {
			return &Definite{Err: fmt.Errorf("auto scaling of table %s (%s) changed since it was read: suspended %s, was %s", d.Table, s.Dimension, now, s.Before)}
		}
	}
	for _, s := range d.Scaling {
		if suspensionOf(targets[s.Dimension]).all() {
			continue
		}
		if err := k.suspend(ctx, d.Table, s.Dimension, suspension{true, true, true}); err != nil {
			return err
		}
	}
	return nil
}

// resumeScaling gives back each switch that we turned on and that still is; what others turned stays. It says whether it
// changed anything.
func (k *throttling) resumeScaling(ctx context.Context, d throttleUndo) (changed bool, err error) {
	if len(d.Scaling) == 0 {
		return false, nil
	}
	targets, err := k.readScaling(ctx, d.Table)
	if err != nil {
		return false, err
	}
	for _, s := range d.Scaling {
		target, ok := targets[s.Dimension]
		if !ok {
			continue
		}
		now := suspensionOf(target)
		want := suspension{In: now.In && s.Before.In, Out: now.Out && s.Before.Out, Scheduled: now.Scheduled && s.Before.Scheduled}
		if want == now {
			continue
		}
		if err := k.suspend(ctx, d.Table, s.Dimension, want); err != nil {
			return changed, err
		}
		changed = true
	}
	return changed, nil
}
