package aws

import (
	"errors"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// testScaling is a table stock of 100/100, its writes kept between 50 and 400 at a target of 70 %.
type testScaling struct {
	*testTables
	scaling *applicationautoscaling.Client
}

func newTestScaling(t *testing.T) *testScaling {
	t.Helper()
	tt := newTestTables(t, Options{})
	tt.provisioned("stock", 100, 100)
	ts := &testScaling{tt, applicationautoscaling.NewFromConfig(testConfig(tt.url, "other"))}
	if err := ts.register(50, 400, nil); err != nil {
		t.Fatal(err)
	}
	_, err := ts.scaling.PutScalingPolicy(t.Context(), &applicationautoscaling.PutScalingPolicyInput{PolicyName: awssdk.String("track"), PolicyType: types.PolicyTypeTargetTrackingScaling,
		ServiceNamespace: types.ServiceNamespaceDynamodb, ResourceId: awssdk.String("table/stock"), ScalableDimension: types.ScalableDimensionDynamoDBTableWriteCapacityUnits,
		TargetTrackingScalingPolicyConfiguration: &types.TargetTrackingScalingPolicyConfiguration{TargetValue: awssdk.Float64(70),
			PredefinedMetricSpecification: &types.PredefinedMetricSpecification{PredefinedMetricType: types.MetricTypeDynamoDBWriteCapacityUtilization}}})
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

// register updates the target; bounds of 0 are left out.
func (ts *testScaling) register(least, most int32, state *types.SuspendedState) error {
	in := &applicationautoscaling.RegisterScalableTargetInput{ServiceNamespace: types.ServiceNamespaceDynamodb, ResourceId: awssdk.String("table/stock"),
		ScalableDimension: types.ScalableDimensionDynamoDBTableWriteCapacityUnits, SuspendedState: state}
	if least > 0 {
		in.MinCapacity, in.MaxCapacity = &least, &most
	}
	_, err := ts.scaling.RegisterScalableTarget(ts.Context(), in)
	return err
}

func suspended(all bool) *types.SuspendedState {
	return &types.SuspendedState{DynamicScalingInSuspended: &all, DynamicScalingOutSuspended: &all, ScheduledScalingSuspended: &all}
}

// load writes at a rate for some seconds, with the service acting each second.
func (ts *testScaling) load(perSecond, seconds int) {
	ts.Helper()
	for range seconds {
		for range 10 {
			ts.clock.move(100 * time.Millisecond)
			ts.passes("stock", perSecond/10)
		}
		ts.cloud.tick()
	}
}

func (ts *testScaling) writes() int64 {
	ts.Helper()
	return *ts.describe("stock").ProvisionedThroughput.WriteCapacityUnits
}

func (ts *testScaling) target() types.ScalableTarget {
	ts.Helper()
	out, err := ts.scaling.DescribeScalableTargets(ts.Context(), &applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: types.ServiceNamespaceDynamodb,
		ResourceIds: []string{"table/stock"}})
	if err != nil || len(out.ScalableTargets) != 1 {
		ts.Fatalf("targets %+v, %v", out, err)
	}
	return out.ScalableTargets[0]
}

func TestAutoScalingUndoesAFaultThatForgotIt(t *testing.T) {
	ts := newTestScaling(t)
	if err := ts.lower("stock", 100, 1); err != nil {
		t.Fatal(err)
	}
	ts.load(50, 5)
	if got := ts.writes(); got < 50 {
		t.Errorf("capacity is %d after five seconds of load, want at least the minimum 50", got)
	}
	found := false
	for _, c := range ts.cloud.CallLog() {
		found = found || c.By == "other" && c.Operation == "UpdateTable" && c.Resource == "stock"
	}
	if !found {
		t.Error("auto scaling's own update is not in the call log")
	}
}

func TestAutoScalingLeavesIdleAndSuspendedTablesAlone(t *testing.T) {
	ts := newTestScaling(t)
	ts.load(20, 5) // a fifth of the capacity
	if got := ts.writes(); got != 100 {
		t.Errorf("capacity is %d under little load", got)
	}
	if err := ts.register(0, 0, suspended(true)); err != nil {
		t.Fatal(err)
	}
	if err := ts.lower("stock", 100, 1); err != nil {
		t.Fatal(err)
	}
	ts.load(50, 5)
	if got := ts.writes(); got != 1 {
		t.Errorf("capacity is %d while scaling is suspended, want 1", got)
	}
}

// The trap of API_RegisterScalableTarget: any update pulls capacity back into bounds, suspended or not.
func TestRegisteringPullsCapacityIntoBounds(t *testing.T) {
	ts := newTestScaling(t)
	if err := ts.register(0, 0, suspended(true)); err != nil {
		t.Fatal(err)
	}
	if err := ts.lower("stock", 100, 1); err != nil {
		t.Fatal(err)
	}
	if err := ts.register(0, 0, suspended(true)); err != nil {
		t.Fatal(err)
	}
	ts.clock.move(time.Second)
	if got := ts.writes(); got != 50 {
		t.Errorf("capacity is %d after an update without bounds, want the minimum 50", got)
	}
	if err := ts.lower("stock", 100, 500); err != nil {
		t.Fatal(err)
	}
	if err := ts.register(50, 400, nil); err != nil {
		t.Fatal(err)
	}
	ts.clock.move(time.Second)
	if got := ts.writes(); got != 400 {
		t.Errorf("capacity is %d, want the maximum 400", got)
	}
}

func TestPullWaitsForABusyTable(t *testing.T) {
	ts := newTestScaling(t)
	if _, err := ts.UpdateTable(t.Context(), lowerNow(1)); err != nil {
		t.Fatal(err)
	}
	if err := ts.register(0, 0, suspended(true)); err != nil { // the table is UPDATING
		t.Fatal(err)
	}
	ts.clock.move(time.Second)
	if got := ts.writes(); got != 1 {
		t.Fatalf("capacity is %d before anybody acts", got)
	}
	ts.cloud.tick()
	ts.clock.move(time.Second)
	if got := ts.writes(); got != 50 {
		t.Errorf("capacity is %d after the table was free again, want 50", got)
	}
}

// lowerNow is an update of stock's writes that nobody waits for.
func lowerNow(writes int64) *dynamodb.UpdateTableInput {
	return &dynamodb.UpdateTableInput{TableName: awssdk.String("stock"), ProvisionedThroughput: throughput(100, writes)}
}

func TestSuspendedStateKeepsWhatIsLeftOut(t *testing.T) {
	ts := newTestScaling(t)
	if s := ts.target().SuspendedState; *s.DynamicScalingInSuspended || *s.DynamicScalingOutSuspended || *s.ScheduledScalingSuspended {
		t.Errorf("a new target is suspended: %+v", s)
	}
	before, err := ts.cloud.ConfigJSON()
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	if err := ts.register(0, 0, &types.SuspendedState{DynamicScalingInSuspended: &yes}); err != nil {
		t.Fatal(err)
	}
	if err := ts.register(60, 400, nil); err != nil {
		t.Fatal(err)
	}
	got := ts.target()
	if s := got.SuspendedState; !*s.DynamicScalingInSuspended || *s.DynamicScalingOutSuspended || *got.MinCapacity != 60 {
		t.Errorf("after an update of the bounds: %+v, min %d", s, *got.MinCapacity)
	}
	if err := ts.register(50, 400, suspended(false)); err != nil {
		t.Fatal(err)
	}
	if after, _ := ts.cloud.ConfigJSON(); string(after) != string(before) {
		t.Errorf("all-false and absent differ in the configuration:\n%s\nwant\n%s", after, before)
	}
}

func TestAutoScalingRefusals(t *testing.T) {
	ts := newTestScaling(t)
	ctx, ns, write := t.Context(), types.ServiceNamespaceDynamodb, types.ScalableDimensionDynamoDBTableWriteCapacityUnits
	register := func(id string, d types.ScalableDimension, n types.ServiceNamespace, least, most *int32) error {
		_, err := ts.scaling.RegisterScalableTarget(ctx, &applicationautoscaling.RegisterScalableTargetInput{ServiceNamespace: n, ResourceId: &id, ScalableDimension: d, MinCapacity: least, MaxCapacity: most})
		return err
	}
	one, two := awssdk.Int32(1), awssdk.Int32(2)
	var refused *types.ValidationException
	for name, err := range map[string]error{
		"no such table":      register("table/none", write, ns, one, two),
		"new without bounds": register("table/stock", types.ScalableDimensionDynamoDBTableReadCapacityUnits, ns, nil, nil),
		"bounds crossed":     register("table/stock", write, ns, two, one),
		"another service":    register("service/x", write, types.ServiceNamespaceEcs, one, two),
		"an index":           register("table/stock/index/i", write, ns, one, two),
		"another dimension":  register("table/stock", types.ScalableDimensionECSServiceDesiredCount, ns, one, two),
	} {
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v, want ValidationException", name, err)
		}
	}
	var gone *types.ObjectNotFoundException
	_, err := ts.scaling.DeregisterScalableTarget(ctx, &applicationautoscaling.DeregisterScalableTargetInput{ServiceNamespace: ns, ResourceId: awssdk.String("table/none"), ScalableDimension: write})
	if !errors.As(err, &gone) {
		t.Errorf("deregister what is not there: %v", err)
	}
	_, err = ts.scaling.PutScalingPolicy(ctx, &applicationautoscaling.PutScalingPolicyInput{PolicyName: awssdk.String("p"), PolicyType: types.PolicyTypeStepScaling, ServiceNamespace: ns,
		ResourceId: awssdk.String("table/stock"), ScalableDimension: write})
	if !errors.As(err, &refused) {
		t.Errorf("step scaling: %v", err)
	}
}

func TestDescribeAndDeregister(t *testing.T) {
	ts := newTestScaling(t)
	ctx, ns := t.Context(), types.ServiceNamespaceDynamodb
	ps, err := ts.scaling.DescribeScalingPolicies(ctx, &applicationautoscaling.DescribeScalingPoliciesInput{ServiceNamespace: ns, ResourceId: awssdk.String("table/stock")})
	if err != nil || len(ps.ScalingPolicies) != 1 || *ps.ScalingPolicies[0].TargetTrackingScalingPolicyConfiguration.TargetValue != 70 {
		t.Errorf("policies %+v, %v", ps, err)
	}
	as, err := ts.scaling.DescribeScheduledActions(ctx, &applicationautoscaling.DescribeScheduledActionsInput{ServiceNamespace: ns})
	if err != nil || len(as.ScheduledActions) != 0 {
		t.Errorf("scheduled actions %+v, %v", as, err)
	}
	if tg := ts.target(); tg.RoleARN == nil || tg.CreationTime == nil || !strings.Contains(*tg.ScalableTargetARN, ":scalable-target/") {
		t.Errorf("target %+v", tg)
	}
	_, err = ts.scaling.DeregisterScalableTarget(ctx, &applicationautoscaling.DeregisterScalableTargetInput{ServiceNamespace: ns, ResourceId: awssdk.String("table/stock"),
		ScalableDimension: types.ScalableDimensionDynamoDBTableWriteCapacityUnits})
	if err != nil {
		t.Fatal(err)
	}
	out, err := ts.scaling.DescribeScalableTargets(ctx, &applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: ns})
	if err != nil || len(out.ScalableTargets) != 0 {
		t.Errorf("after deregistering: %+v, %v", out, err)
	}
}
