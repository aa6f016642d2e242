package inject

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// flickering is a table whose second read is from before the first; every other call is a mistake of the test.
type flickering struct {
	writes []int64 // told read by read
}

func (f *flickering) DescribeTable(context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error) {
	n := f.writes[0]
	f.writes = f.writes[1:]
	return &dynamodb.DescribeTableOutput{Table: &types.TableDescription{TableArn: aws.String("arn"), TableStatus: types.TableStatusActive,
		ProvisionedThroughput: &types.ProvisionedThroughputDescription{ReadCapacityUnits: aws.Int64(100), WriteCapacityUnits: &n}}}, nil
}

func (f *flickering) ListTagsOfResource(context.Context, *dynamodb.ListTagsOfResourceInput, ...func(*dynamodb.Options)) (*dynamodb.ListTagsOfResourceOutput, error) {
	return &dynamodb.ListTagsOfResourceOutput{}, nil
}

// An undo that saw our throughput, and the moment before its write does not, has put nothing back and does not say so.
func TestThrottleUndoDoesNotSkipOnAReadThatIsBehind(t *testing.T) {
	k := newThrottling(&Clients{now: time.Now}, SandboxTiming())
	f := &flickering{writes: []int64{1, 100}}
	k.tables = Tables{DescribeTable: f.DescribeTable, ListTagsOfResource: f.ListTagsOfResource}
	u, err := newUndo(KindThrottle, Mark{Run: "r", Fault: "f"}, Target{ARN: "arn"}, throttleUndo{Table: "stock", Mode: modeProvisioned, Writes: &unitsUndo{Before: 100, During: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if how, err := k.revert(t.Context(), u); err == nil || !strings.Contains(err.Error(), "look again") {
		t.Errorf("reverted: %s %v", how, err)
	}
}
