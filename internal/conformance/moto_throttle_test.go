package conformance

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/inject/injecttest"
)

// throttle is a provisioned table with auto scaling on both dimensions, of which somebody has suspended a part.
// moto updates a table at once, counts no decreases, and replaces a SuspendedState as a whole.
func (m *moto) throttle(t *testing.T) {
	run(t, inject.KindThrottle, func(t *testing.T) injecttest.World {
		s := m.table(t)
		s.scale(scaling.SuspendedState{DynamicScalingInSuspended: aws.Bool(true)})
		return injecttest.World{
			Catalog: func() inject.Catalog { return m.unfelt(t) },
			Params:  `{"table":"` + s.name + `","writes":1,"reads":2,"load":"300/s"}`,
			State:   s.state,
			PutBack: func(*testing.T, inject.Undo) {
				s.capacity(100, 100)
				s.scale(scaling.SuspendedState{DynamicScalingInSuspended: aws.Bool(true)})
			},
			Change: func(*testing.T) { s.tag("owner", "somebody") },
			Diverge: func(*testing.T, inject.Undo) func() bool {
				s.capacity(2, 150)
				return func() bool {
					p := s.read().ProvisionedThroughput
					return *p.WriteCapacityUnits == 150 && *p.ReadCapacityUnits == 100
				}
			},
		}
	})
}

// stock is a table of moto's.
type stock struct {
	*testing.T
	*inject.Clients
	name string
	arn  string
}

func (m *moto) table(t *testing.T) *stock {
	t.Helper()
	s := &stock{T: t, Clients: m.clients(t), name: m.name("stock")}
	s.arn = *must(s.DynamoDB.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: &s.name,
		AttributeDefinitions:  []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:             []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(100), WriteCapacityUnits: aws.Int64(100)},
		Tags:                  []types.Tag{{Key: aws.String("environment"), Value: aws.String("sandbox")}}}))(t).TableDescription.TableArn
	return s
}

func (s *stock) read() *types.TableDescription {
	s.Helper()
	return must(s.DynamoDB.DescribeTable(s.Context(), &dynamodb.DescribeTableInput{TableName: &s.name}))(s).Table
}

func (s *stock) capacity(reads, writes int64) {
	s.Helper()
	must(s.DynamoDB.UpdateTable(s.Context(), &dynamodb.UpdateTableInput{TableName: &s.name,
		ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: &reads, WriteCapacityUnits: &writes}}))(s)
}

func (s *stock) tag(key, value string) {
	s.Helper()
	must(s.DynamoDB.TagResource(s.Context(), &dynamodb.TagResourceInput{ResourceArn: &s.arn, Tags: []types.Tag{{Key: &key, Value: &value}}}))(s)
}

// scale registers both dimensions, or sets what of them is suspended.
func (s *stock) scale(suspended scaling.SuspendedState) {
	s.Helper()
	for _, dimension := range []scaling.ScalableDimension{scaling.ScalableDimensionDynamoDBTableReadCapacityUnits, scaling.ScalableDimensionDynamoDBTableWriteCapacityUnits} {
		must(s.AutoScaling.RegisterScalableTarget(s.Context(), &applicationautoscaling.RegisterScalableTargetInput{
			ServiceNamespace: scaling.ServiceNamespaceDynamodb, ResourceId: aws.String("table/" + s.name), ScalableDimension: dimension,
			MinCapacity: aws.Int32(50), MaxCapacity: aws.Int32(400), SuspendedState: &suspended}))(s)
	}
}

// state is what people configured: capacity, tags, and what of auto scaling acts.
func (s *stock) state() string {
	s.Helper()
	t := s.read()
	named := map[string]string{}
	for _, tag := range must(s.DynamoDB.ListTagsOfResource(s.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: &s.arn}))(s).Tags {
		named[*tag.Key] = *tag.Value
	}
	targets := must(s.AutoScaling.DescribeScalableTargets(s.Context(), &applicationautoscaling.DescribeScalableTargetsInput{
		ServiceNamespace: scaling.ServiceNamespaceDynamodb, ResourceIds: []string{"table/" + s.name}}))(s)
	acting := map[string]any{}
	for _, target := range targets.ScalableTargets {
		now := target.SuspendedState
		if now == nil {
			now = &scaling.SuspendedState{}
		}
		acting[string(target.ScalableDimension)] = []any{*target.MinCapacity, *target.MaxCapacity,
			aws.ToBool(now.DynamicScalingInSuspended), aws.ToBool(now.DynamicScalingOutSuspended), aws.ToBool(now.ScheduledScalingSuspended)}
	}
	p := t.ProvisionedThroughput
	return spelled(s, map[string]any{"status": t.TableStatus, "reads": p.ReadCapacityUnits, "writes": p.WriteCapacityUnits,
		"tags": named, "scaling": acting}, s.name)
}

// onDemand is what moto cannot do: it drops OnDemandThroughput without a word. The change is accepted and never
// takes hold; never may it be told as ours and put back, and nothing of ours may stay.
func (m *moto) onDemand(t *testing.T) {
	s := m.table(t)
	must(s.DynamoDB.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &s.name, BillingMode: types.BillingModePayPerRequest}))(t)
	before := s.state()
	k := m.catalog(t)[inject.KindThrottle]
	f := must(k.New(json.RawMessage(`{"table":"` + s.name + `","writes":1}`)))(t)
	u := must(f.Prepare(t.Context(), mark("run"), time.Now()))(t)
	must(0, f.Apply(t.Context(), u))(t)
	if most := s.read().OnDemandThroughput; most != nil {
		t.Fatalf("moto keeps on-demand maxima now (%+v): let the whole suite run on them", *most)
	}
	if how := must(k.Revert(t.Context(), u))(t); how == inject.Restored {
		t.Errorf("%s what never took hold", how)
	}
	if ok, why, err := k.Settled(t.Context(), u); !ok || err != nil || s.state() != before {
		t.Errorf("not settled: %s %v\n%s", why, err, s.state())
	}
}

// nothing is what Prepare refuses, by moto's answers: a change that is none, and a table that is not there.
func (m *moto) nothing(t *testing.T) {
	k, s := m.catalog(t)[inject.KindThrottle], m.table(t)
	for _, params := range []string{`{"table":"` + s.name + `","writes":100}`, `{"table":"nowhere","writes":1}`} {
		var no *inject.Refusal
		f := must(k.New(json.RawMessage(params)))(t)
		if _, err := f.Prepare(t.Context(), mark("run"), time.Now()); !errors.As(err, &no) {
			t.Errorf("prepared %s: %v", params, err)
		}
	}
}
