package responder

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	runTag  = "firedrill:run"
	undoTag = "firedrill:undo"
	// noMaximum takes an on-demand maximum away.
	noMaximum = -1
	// updateTries bounds how often a table that is busy is tried again, a rest apart.
	updateTries = 10
	updateRest  = 500 * time.Millisecond
)

// throughput is what a table allows a second; for an on-demand table -1 is no maximum.
type throughput struct{ reads, writes int64 }

// tables finds tables that somebody has marked and slowed down.
func (r *Responder) tables(ctx context.Context) ([]finding, error) {
	var found []finding
	names, err := r.db.ListTables(ctx, &dynamodb.ListTablesInput{})
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	for _, name := range names.TableNames {
		d, err := r.db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			return found, fmt.Errorf("describe table %s: %w", name, err)
		}
		tags, err := r.tableTags(ctx, d.Table.TableArn)
		if err != nil {
			return found, err
		}
		if tags[runTag] == "" || strings.HasPrefix(tags[undoTag], "policy=") { // that is its policy's business
			continue
		}
		if f := r.slowed(d.Table, tags[undoTag]); f != nil {
			found = append(found, *f)
		}
	}
	return found, nil
}

func (r *Responder) tableTags(ctx context.Context, arn *string) (map[string]string, error) {
	out, err := r.db.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: arn})
	if err != nil {
		return nil, fmt.Errorf("list tags of %s: %w", *arn, err)
	}
	tags := map[string]string{}
	for _, t := range out.Tags {
		tags[*t.Key] = *t.Value
	}
	return tags, nil
}

// slowed compares a table with what its tag says it was; without the tag a maximum is taken for the trouble.
func (r *Responder) slowed(t *types.TableDescription, undo string) *finding {
	now, onDemand := current(t)
	before := now
	if onDemand {
		before = throughput{noMaximum, noMaximum}
	}
	readUndo(undo, &before)
	if now == before {
		return nil
	}
	name := *t.TableName
	what := "writes"
	if now.writes == before.writes {
		what = "reads"
	}
	return &finding{
		said: fmt.Sprintf("%s to table %s are throttled, looking at its capacity", what, name),
		fix:  func(ctx context.Context) error { return r.putBack(ctx, name, onDemand, before) },
		done: fmt.Sprintf("table %s allowed only %s; put back to %s", name, now, before),
	}
}

func (t throughput) String() string {
	s := func(n int64) string {
		if n == noMaximum {
			return "any number of"
		}
		return strconv.FormatInt(n, 10)
	}
	return fmt.Sprintf("%s reads and %s writes a second", s(t.reads), s(t.writes))
}

func current(t *types.TableDescription) (now throughput, onDemand bool) {
	if t.BillingModeSummary != nil && t.BillingModeSummary.BillingMode == types.BillingModePayPerRequest {
		now = throughput{noMaximum, noMaximum}
		if o := t.OnDemandThroughput; o != nil {
			if o.MaxReadRequestUnits != nil {
				now.reads = *o.MaxReadRequestUnits
			}
			if o.MaxWriteRequestUnits != nil {
				now.writes = *o.MaxWriteRequestUnits
			}
		}
		return now, true
	}
	if p := t.ProvisionedThroughput; p != nil {
		now = throughput{*p.ReadCapacityUnits, *p.WriteCapacityUnits}
	}
	return now, false
}

// readUndo reads words like writes=100 out of the tag.
func readUndo(tag string, before *throughput) {
	for _, word := range strings.Fields(tag) {
		name, value, _ := strings.Cut(word, "=")
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			continue
		}
		switch name {
		case "reads":
			before.reads = n
		case "writes":
			before.writes = n
		}
	}
}

// putBack changes the table, and again while it is busy with another change.
func (r *Responder) putBack(ctx context.Context, name string, onDemand bool, to throughput) error {
	in := &dynamodb.UpdateTableInput{TableName: &name}
	if onDemand {
		in.OnDemandThroughput = &types.OnDemandThroughput{MaxReadRequestUnits: &to.reads, MaxWriteRequestUnits: &to.writes}
	} else {
		in.ProvisionedThroughput = &types.ProvisionedThroughput{ReadCapacityUnits: &to.reads, WriteCapacityUnits: &to.writes}
	}
	for try := 1; ; try++ {
		_, err := r.db.UpdateTable(ctx, in)
		var busy *types.ResourceInUseException
		if err == nil {
			return nil
		}
		if !errors.As(err, &busy) || try == updateTries || !wait(ctx, updateRest) {
			return fmt.Errorf("update table %s: %w", name, err)
		}
	}
}
