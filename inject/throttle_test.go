package inject_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	aastypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/inject/injecttest"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

func TestThrottleOnDemandConforms(t *testing.T) {
	injecttest.Run(t, injecttest.Case{Kind: inject.KindThrottle, World: func(t *testing.T) injecttest.World {
		a := newAccount(t, sandbox.Options{})
		a.onDemand("orders", &types.OnDemandThroughput{MaxReadRequestUnits: aws.Int64(40)})
		return injecttest.World{
			Catalog: a.catalog, Params: `{"table":"orders","writes":1,"load":"50/s"}`, State: a.config,
			PutBack: func(t *testing.T, _ inject.Undo) { a.maximum("orders", "writes", -1) },
			Change:  func(t *testing.T) { a.maximum("orders", "reads", 77) },
			Diverge: func(t *testing.T, _ inject.Undo) func() bool {
				a.maximum("orders", "writes", 500)
				return func() bool { return *a.table("orders").OnDemandThroughput.MaxWriteRequestUnits == 500 }
			},
		}
	}})
}

func TestThrottleProvisionedConforms(t *testing.T) {
	injecttest.Run(t, injecttest.Case{Kind: inject.KindThrottle, World: func(t *testing.T) injecttest.World {
		a := newAccount(t, sandbox.Options{})
		a.provisioned("stock", 100, 100)
		a.scaled("stock", 50, 400, aastypes.SuspendedState{DynamicScalingInSuspended: aws.Bool(true)})
		return injecttest.World{
			Catalog: a.catalog, Params: `{"table":"stock","writes":1,"reads":2,"load":"300/s"}`, State: a.config,
			PutBack: func(t *testing.T, _ inject.Undo) {
				a.capacity("stock", 100, 100)
				a.suspend("stock", aastypes.SuspendedState{DynamicScalingInSuspended: aws.Bool(true), DynamicScalingOutSuspended: aws.Bool(false), ScheduledScalingSuspended: aws.Bool(false)})
			},
			Change: func(t *testing.T) {
				must(t, 0, tagTable(a, "stock", "owner", "somebody"))
			},
			Diverge: func(t *testing.T, _ inject.Undo) func() bool {
				a.capacity("stock", 2, 150)
				return func() bool {
					p := a.table("stock").ProvisionedThroughput
					return *p.WriteCapacityUnits == 150 && *p.ReadCapacityUnits == 100
				}
			},
		}
	}})
}

// onDemand makes a table billed by the request; the sandbox's drills know such a one as orders.
func (a *account) onDemand(name string, most *types.OnDemandThroughput) {
	a.Helper()
	a.create(&dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest, OnDemandThroughput: most})
}

func (a *account) provisioned(name string, reads, writes int64) {
	a.Helper()
	a.create(&dynamodb.CreateTableInput{TableName: &name, ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: &reads, WriteCapacityUnits: &writes}})
}

func (a *account) create(in *dynamodb.CreateTableInput) {
	a.Helper()
	in.AttributeDefinitions = []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}}
	in.KeySchema = []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}}
	in.Tags = []types.Tag{{Key: aws.String("environment"), Value: aws.String("sandbox")}, {Key: aws.String("firedrill"), Value: aws.String("allowed")}}
	_, err := a.owner().DynamoDB.CreateTable(a.Context(), in)
	must(a, 0, err)
	a.awaitTable(*in.TableName)
}

// table reads a table; awaitTable waits until it is ACTIVE.
func (a *account) table(name string) *types.TableDescription {
	a.Helper()
	out, err := a.owner().DynamoDB.DescribeTable(a.Context(), &dynamodb.DescribeTableInput{TableName: &name})
	return must(a, out, err).Table
}

func (a *account) awaitTable(name string) {
	a.Helper()
	for a.table(name).TableStatus != types.TableStatusActive {
		pauseTest(a)
	}
}

// maximum is a responder's change of one on-demand maximum; capacity that of a provisioned table.
func (a *account) maximum(name, side string, n int64) {
	a.Helper()
	in := &dynamodb.UpdateTableInput{TableName: &name, OnDemandThroughput: &types.OnDemandThroughput{MaxWriteRequestUnits: &n}}
	if side == "reads" {
		in.OnDemandThroughput = &types.OnDemandThroughput{MaxReadRequestUnits: &n}
	}
	a.update(in)
}

func (a *account) capacity(name string, reads, writes int64) {
	a.Helper()
	a.update(&dynamodb.UpdateTableInput{TableName: &name, ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: &reads, WriteCapacityUnits: &writes}})
}

func (a *account) update(in *dynamodb.UpdateTableInput) {
	a.Helper()
	a.awaitTable(*in.TableName)
	_, err := a.responder().DynamoDB.UpdateTable(a.Context(), in)
	must(a, 0, err)
	a.awaitTable(*in.TableName)
}

func tagTable(a *account, name, key, value string) error {
	_, err := a.responder().DynamoDB.TagResource(a.Context(), &dynamodb.TagResourceInput{ResourceArn: a.table(name).TableArn,
		Tags: []types.Tag{{Key: &key, Value: &value}}})
	return err
}

// scaled puts both sides of a table under auto scaling.
func (a *account) scaled(name string, low, high int32, s aastypes.SuspendedState) {
	a.Helper()
	for _, d := range dimensions() {
		_, err := a.owner().AutoScaling.RegisterScalableTarget(a.Context(), &applicationautoscaling.RegisterScalableTargetInput{
			ServiceNamespace: aastypes.ServiceNamespaceDynamodb, ResourceId: aws.String("table/" + name), ScalableDimension: d,
			MinCapacity: &low, MaxCapacity: &high, SuspendedState: &s})
		must(a, 0, err)
	}
}

func (a *account) suspend(name string, s aastypes.SuspendedState) {
	a.Helper()
	for _, d := range dimensions() {
		_, err := a.responder().AutoScaling.RegisterScalableTarget(a.Context(), &applicationautoscaling.RegisterScalableTargetInput{
			ServiceNamespace: aastypes.ServiceNamespaceDynamodb, ResourceId: aws.String("table/" + name), ScalableDimension: d, SuspendedState: &s})
		must(a, 0, err)
	}
	a.awaitTable(name)
}

func dimensions() []aastypes.ScalableDimension {
	return []aastypes.ScalableDimension{aastypes.ScalableDimensionDynamoDBTableReadCapacityUnits, aastypes.ScalableDimensionDynamoDBTableWriteCapacityUnits}
}
