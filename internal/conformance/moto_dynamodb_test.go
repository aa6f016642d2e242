package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/firedrill/firedrill/inject"
)

func TestMotoThrottlesAProvisionedTable(t *testing.T) {
	m := newMoto(t)
	for name, scaled := range map[string]bool{"alone": false, "with auto scaling": true} {
		t.Run(name, func(t *testing.T) {
			table := &motoTable{c: m.clients(t), name: "stock-" + strings.ReplaceAll(name, " ", "-"), scaled: scaled}
			table.make(t)
			conforms(t, world{
				kind: inject.KindThrottle, params: fmt.Sprintf(`{"table":%q,"writes":1}`, table.name), catalog: m.catalog(t), state: table.state,
				during: func(t *testing.T, u inject.Undo) string { return table.during(t, u.Mark.Run) },
			})
		})
	}
}

type motoTable struct {
	c      *inject.Clients
	name   string
	scaled bool
}

func (m *motoTable) make(t *testing.T) {
	t.Helper()
	must(m.c.DynamoDB.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName:             &m.name,
		AttributeDefinitions:  []types.AttributeDefinition{{AttributeName: sdk.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:             []types.KeySchemaElement{{AttributeName: sdk.String("id"), KeyType: types.KeyTypeHash}},
		ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: sdk.Int64(100), WriteCapacityUnits: sdk.Int64(100)},
		Tags:                  []types.Tag{{Key: sdk.String("environment"), Value: sdk.String("staging")}},
	}))(t)
	if !m.scaled {
		return
	}
	for _, d := range dimensions {
		must(m.c.AutoScaling.RegisterScalableTarget(t.Context(), &applicationautoscaling.RegisterScalableTargetInput{
			ServiceNamespace: scaling.ServiceNamespaceDynamodb, ResourceId: sdk.String("table/" + m.name), ScalableDimension: d,
			MinCapacity: sdk.Int32(50), MaxCapacity: sdk.Int32(400),
			SuspendedState: &scaling.SuspendedState{ScheduledScalingSuspended: sdk.Bool(true)},
		}))(t)
	}
}

var dimensions = []scaling.ScalableDimension{
	scaling.ScalableDimensionDynamoDBTableReadCapacityUnits, scaling.ScalableDimensionDynamoDBTableWriteCapacityUnits,
}

func (m *motoTable) look(t *testing.T) (*types.ProvisionedThroughputDescription, []types.Tag, []scaling.ScalableTarget) {
	t.Helper()
	d := must(m.c.DynamoDB.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &m.name}))(t)
	tags := must(m.c.DynamoDB.ListTagsOfResource(t.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: d.Table.TableArn}))(t)
	targets := must(m.c.AutoScaling.DescribeScalableTargets(t.Context(), &applicationautoscaling.DescribeScalableTargetsInput{
		ServiceNamespace: scaling.ServiceNamespaceDynamodb, ResourceIds: []string{"table/" + m.name}}))(t)
	slices.SortFunc(targets.ScalableTargets, func(a, b scaling.ScalableTarget) int {
		return strings.Compare(string(a.ScalableDimension), string(b.ScalableDimension))
	})
	return d.Table.ProvisionedThroughput, tags.Tags, targets.ScalableTargets
}

func (m *motoTable) state(t *testing.T) string {
	t.Helper()
	p, tags, targets := m.look(t)
	parts := []any{*p.ReadCapacityUnits, *p.WriteCapacityUnits, tags}
	for _, s := range targets {
		off := *s.SuspendedState
		parts = append(parts, s.ScalableDimension, *s.MinCapacity, *s.MaxCapacity,
			sdk.ToBool(off.DynamicScalingInSuspended), sdk.ToBool(off.DynamicScalingOutSuspended), sdk.ToBool(off.ScheduledScalingSuspended))
	}
	return text(t, parts...)
}

// during wants writes of 1, reads as before, our mark, and auto scaling of writes held still.
func (m *motoTable) during(t *testing.T, run string) string {
	t.Helper()
	p, tags, targets := m.look(t)
	if *p.WriteCapacityUnits != 1 || *p.ReadCapacityUnits != 100 {
		return fmt.Sprintf("writes are %d, reads %d", *p.WriteCapacityUnits, *p.ReadCapacityUnits)
	}
	if !slices.ContainsFunc(tags, func(t types.Tag) bool { return *t.Key == inject.TagRun && *t.Value == run }) {
		return fmt.Sprintf("the table does not carry our mark: %v", tags)
	}
	for _, s := range targets {
		off, writes := s.SuspendedState, s.ScalableDimension == scaling.ScalableDimensionDynamoDBTableWriteCapacityUnits
		if writes && !(sdk.ToBool(off.DynamicScalingInSuspended) && sdk.ToBool(off.DynamicScalingOutSuspended)) || !sdk.ToBool(off.ScheduledScalingSuspended) {
			return fmt.Sprintf("auto scaling of %s is %+v", s.ScalableDimension, off)
		}
	}
	return ""
}
