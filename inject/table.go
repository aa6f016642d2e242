package inject

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// table is a DynamoDB table as it stands.
type table struct {
	types.TableDescription
}

// readTable describes a table; ErrGone when there is none.
func (k *throttling) readTable(ctx context.Context, name string) (table, error) {
	out, err := k.tables.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return table{}, fmt.Errorf("describe table %s: %w (%w)", name, ErrGone, err)
	}
	if err != nil {
		return table{}, fmt.Errorf("describe table %s: %w", name, err)
	}
	if out.Table == nil {
		return table{}, fmt.Errorf("describe table %s: the answer describes none", name)
	}
	return table{*out.Table}, nil
}

// onDemand says the billing mode; a table that never switched tells none and is provisioned.
func (t table) onDemand() bool {
	return t.BillingModeSummary != nil && t.BillingModeSummary.BillingMode == types.BillingModePayPerRequest
}

func (t table) mode() string {
	if t.onDemand() {
		return modeOnDemand
	}
	return modeProvisioned
}

func (t table) active() bool { return t.TableStatus == types.TableStatusActive }

// units reads one dimension's throughput: an absent on-demand maximum and -1 are one.
func (t table) units(name string) int64 {
	var n *int64
	switch {
	case t.onDemand() && t.OnDemandThroughput == nil:
		return noMaximum
	case t.onDemand() && name == "writes":
		n = t.OnDemandThroughput.MaxWriteRequestUnits
	case t.onDemand():
		n = t.OnDemandThroughput.MaxReadRequestUnits
	case t.ProvisionedThroughput == nil:
		return 0
	case name == "writes":
		n = t.ProvisionedThroughput.WriteCapacityUnits
	default:
		n = t.ProvisionedThroughput.ReadCapacityUnits
	}
	if n == nil {
		return noMaximum
	}
	return *n
}

// keys lists the primary key's attributes, hash first.
func (t table) keys() []keyAttribute {
	var keys []keyAttribute
	for _, k := range t.KeySchema {
		for _, a := range t.AttributeDefinitions {
			if aws.ToString(a.AttributeName) == aws.ToString(k.AttributeName) {
				keys = append(keys, keyAttribute{Name: aws.ToString(k.AttributeName), Type: string(a.AttributeType)})
			}
		}
	}
	return keys
}

// readTags reads a table's tags, page by page.
func (k *throttling) readTags(ctx context.Context, arn string) (map[string]string, error) {
	tags := map[string]string{}
	in := &dynamodb.ListTagsOfResourceInput{ResourceArn: &arn}
	for {
		out, err := k.tables.ListTagsOfResource(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list tags of %s: %w", arn, err)
		}
		for _, t := range out.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		if aws.ToString(out.NextToken) == "" {
			return tags, nil
		}
		in.NextToken = out.NextToken
	}
}

// putTags puts or overwrites tags on a table, once.
func (k *throttling) putTags(ctx context.Context, arn string, tags map[string]string) error {
	in := &dynamodb.TagResourceInput{ResourceArn: &arn}
	for key, value := range tags {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(key), Value: aws.String(value)})
	}
	if _, err := k.tables.TagResource(ctx, in, onceDynamoDB); err != nil {
		return judged(fmt.Errorf("tag %s: %w", arn, err))
	}
	return nil
}

// setUnits issues one UpdateTable that changes the given dimensions and leaves the others as they are now. A
// provisioned table's call names both: the other is read from now, the moment before.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
func (k *throttling) setUnits(ctx context.Context, now table, want map[string]int64) error {
	in := &dynamodb.UpdateTableInput{TableName: now.TableName}
	value := func(name string) *int64 {
		if n, ok := want[name]; ok {
			return &n
		}
		if now.onDemand() {
			return nil
		}
		return aws.Int64(now.units(name))
	}
	if now.onDemand() {
		in.OnDemandThroughput = &types.OnDemandThroughput{MaxWriteRequestUnits: value("writes"), MaxReadRequestUnits: value("reads")}
	} else {
		in.ProvisionedThroughput = &types.ProvisionedThroughput{WriteCapacityUnits: value("writes"), ReadCapacityUnits: value("reads")}
	}
	if _, err := k.tables.UpdateTable(ctx, in, onceDynamoDB); err != nil {
		return judged(fmt.Errorf("update table %s: %w", aws.ToString(now.TableName), err))
	}
	return nil
}

// awaitActive looks at a table until it is ACTIVE, at most for the timing's patience.
func (k *throttling) awaitActive(ctx context.Context, name string) (table, error) {
	deadline := k.now().Add(k.timing.Patience)
	for {
		t, err := k.readTable(ctx, name)
		if err != nil || t.active() {
			return t, err
		}
		if k.now().After(deadline) {
			return t, fmt.Errorf("table %s is still %s after %s", name, t.TableStatus, k.timing.Patience)
		}
		if err := pause(ctx, k.timing.Poll); err != nil {
			return t, fmt.Errorf("wait for table %s, %s: %w", name, t.TableStatus, err)
		}
	}
}

// identity answers the guard: the ARN and the tags as DynamoDB tells them.
func (k *throttling) identity(ctx context.Context, t Target) (string, map[string]string, error) {
	now, err := k.readTable(ctx, lastPart(t.ARN, "/"))
	if err != nil {
		return "", nil, err
	}
	tags, err := k.readTags(ctx, aws.ToString(now.TableArn))
	return aws.ToString(now.TableArn), tags, err
}
