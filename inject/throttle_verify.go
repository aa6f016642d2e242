package inject

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// verifyTries is how many requests in a row one look takes at most: a throttled table still lets a few through,
// and one of them alone would look like an all-clear.
const verifyTries = 5

// Verify sends requests that leave no trace until one is throttled by our table's own limit.
func (f *throttle) Verify(ctx context.Context, u Undo) (Reading, error) {
	d, err := readThrottleUndo(u)
	if err != nil {
		return Reading{Felt: Unknown, Why: err.Error()}, err
	}
	last := Reading{Felt: Unknown, Why: "nothing was asked"}
	for n := range int64(verifyTries) {
		for _, x := range d.dimensions() {
			r := f.ask(ctx, u, d, x.name, -1-n)
			if r.Felt == Yes {
				return r, nil
			}
			if last.Felt != Unknown || n == 0 {
				last = r
			}
		}
	}
	return last, nil
}

// Load sends the drill's rate of requests of each dimension for d. Writes are updates under a condition that
// cannot hold, on keys that are not there; reads ask for such keys.
func (f *throttle) Load(ctx context.Context, u Undo, d time.Duration) (Loaded, error) {
	undo, err := readThrottleUndo(u)
	if err != nil || undo.Load <= 0 {
		return Loaded{}, err
	}
	dims := undo.dimensions()
	l := load{perSecond: undo.Load * float64(len(dims)), now: f.now, send: func(ctx context.Context, n int64) Reading {
		return f.ask(ctx, u, undo, dims[n%int64(len(dims))].name, n)
	}}
	return l.run(ctx, d), nil
}

// ask sends one request and judges its answer. n spreads the keys.
func (f *throttle) ask(ctx context.Context, u Undo, d throttleUndo, dimension string, n int64) Reading {
	key := d.absentKey(u.Mark, n)
	if dimension == "reads" {
		_, err := f.items.GetItem(ctx, &dynamodb.GetItemInput{TableName: &d.Table, Key: key, ConsistentRead: aws.Bool(true)})
		return d.judge(u, dimension, err)
	}
	hash := d.Keys[0].Name
	_, err := f.items.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &d.Table, Key: key,
		// An item's key is never unlike itself: this holds for no item, there or not.
		ConditionExpression:       aws.String("attribute_exists(#k) AND #k <> :k"),
		ExpressionAttributeNames:  map[string]string{"#k": hash},
		ExpressionAttributeValues: map[string]types.AttributeValue{":k": key[hash]},
	})
	return d.judge(u, dimension, err)
}

// absentKey is a primary key nobody has: the mark and a number, in each attribute's own type.
func (d throttleUndo) absentKey(m Mark, n int64) map[string]types.AttributeValue {
	name := fmt.Sprintf("firedrill/%s/%s/%d", m.Run, m.Fault, n%64)
	key := map[string]types.AttributeValue{}
	for _, k := range d.Keys {
		switch k.Type {
		case "N":
			key[k.Name] = &types.AttributeValueMemberN{Value: strconv.FormatInt(-7_355_608_000_000-n%64, 10)}
		case "B":
			key[k.Name] = &types.AttributeValueMemberB{Value: []byte(name)}
		default:
			key[k.Name] = &types.AttributeValueMemberS{Value: name}
		}
	}
	return key
}

// judge reads one answer: throttled by our table's limit is yes, let through is no, anything else says nothing.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/throttling-diagnosing-workflow.html
func (d throttleUndo) judge(u Undo, dimension string, err error) Reading {
	var refused *types.ConditionalCheckFailedException
	if err == nil || errors.As(err, &refused) {
		return Reading{Felt: No, Why: "a request of ours was let through"}
	}
	reasons, throttled := throttlingReasons(err)
	if !throttled {
		return Reading{Felt: Unknown, Why: err.Error()}
	}
	want := "Table" + map[string]string{"writes": "Write", "reads": "Read"}[dimension] +
		map[string]string{modeOnDemand: "MaxOnDemandThroughputExceeded", modeProvisioned: "ProvisionedThroughputExceeded"}[d.Mode]
	var others []string
	for _, r := range reasons {
		if aws.ToString(r.Reason) == want && aws.ToString(r.Resource) == u.Target.ARN {
			return Reading{Felt: Yes, Why: want + " of " + u.Target.ARN}
		}
		others = append(others, aws.ToString(r.Reason)+" of "+aws.ToString(r.Resource))
	}
	if len(others) == 0 {
		others = []string{"no reason told"}
	}
	return Reading{Felt: Unknown, Why: "throttled, but not by our limit: " + strings.Join(others, ", ")}
}

// throttlingReasons reads them from each of the errors that carry them.
func throttlingReasons(err error) ([]types.ThrottlingReason, bool) {
	var provisioned *types.ProvisionedThroughputExceededException
	var onDemand *types.ThrottlingException
	var account *types.RequestLimitExceeded
	switch {
	case errors.As(err, &provisioned):
		return provisioned.ThrottlingReasons, true
	case errors.As(err, &onDemand):
		return onDemand.ThrottlingReasons, true
	case errors.As(err, &account):
		return account.ThrottlingReasons, true
	}
	return nil, false
}
