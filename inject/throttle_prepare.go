package inject

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The decreases of provisioned capacity a table has: 4 at midnight UTC, one more each hour that none was used,
// never more than 4 at once and 27 a day.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const (
	decreasesAtOnce = 4
	decreasesADay   = 27
)

// Prepare reads the table, its tags and its auto scaling.
func (f *throttle) Prepare(ctx context.Context, m Mark, now time.Time) (Undo, error) {
	if err := m.check(); err != nil {
		return Undo{}, err
	}
	t, err := f.readTable(ctx, f.params.Table)
	if errors.Is(err, ErrGone) {
		return Undo{}, Refuse("mend the table's name, or the account and region", "there is no table %s", f.params.Table)
	}
	if err != nil {
		return Undo{}, err
	}
	// Before anything is compared: what a marked table has is not its own.
	tags, err := f.readTags(ctx, aws.ToString(t.TableArn))
	if err != nil {
		return Undo{}, err
	}
	if err := refuseMarked("table "+f.params.Table, tags); err != nil {
		return Undo{}, err
	}
	if err := refuseTable(t); err != nil {
		return Undo{}, err
	}
	d := throttleUndo{Table: aws.ToString(t.TableName), ID: aws.ToString(t.TableId), Mode: t.mode(), Keys: t.keys(), Load: f.rate,
		Seen: capacitySeen{Reads: t.units("reads"), Writes: t.units("writes")}}
	if d.Writes, err = lowered(t, "writes", f.params.Writes); err != nil {
		return Undo{}, err
	}
	if d.Reads, err = lowered(t, "reads", f.params.Reads); err != nil {
		return Undo{}, err
	}
	if !t.onDemand() {
		if err := readDecreases(t, &d, now); err != nil {
			return Undo{}, err
		}
		if d.Scaling, err = f.prepareScaling(ctx, d); err != nil {
			return Undo{}, err
		}
	}
	if err := refuseFull("table "+d.Table, tags, len(ourTags())); err != nil {
		return Undo{}, err
	}
	target, err := targetOf(aws.ToString(t.TableArn))
	if err != nil {
		return Undo{}, err
	}
	return newUndo(KindThrottle, m, target, d)
}

// newUndo writes the data of an undo.
func newUndo(kind string, m Mark, t Target, data any) (Undo, error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return Undo{}, fmt.Errorf("write undo of %s: %w", kind, err)
	}
	return Undo{Kind: kind, V: 1, Mark: m, Target: t, Data: raw}, nil
}

// refuseTable refuses tables that we could not restore exactly, or not alone.
func refuseTable(t table) error {
	name := aws.ToString(t.TableName)
	if len(t.Replicas) > 0 {
		return Refuse("use a table of one region", "table %s is a global table: its throughput is that of %d more regions", name, len(t.Replicas))
	}
	if !t.active() {
		r := Refuse("wait until it is ACTIVE", "table %s is %s", name, t.TableStatus)
		r.Later = true
		return r
	}
	for _, i := range t.GlobalSecondaryIndexes {
		if i.IndexStatus != types.IndexStatusActive || aws.ToBool(i.Backfilling) {
			r := Refuse("wait until it is ACTIVE", "index %s of table %s is %s", aws.ToString(i.IndexName), name, i.IndexStatus)
			r.Later = true
			return r
		}
	}
	return nil
}

// lowered is one dimension's undo; it refuses a change that is none.
func lowered(t table, name string, during *int64) (*unitsUndo, error) {
	if during == nil {
		return nil, nil
	}
	before := t.units(name)
	if before != noMaximum && before <= *during {
		return nil, Refuse(fmt.Sprintf("leave %s out, or go below %d", name, before),
			"%s of table %s are already at %d, not above %d", name, aws.ToString(t.TableName), before, *during)
	}
	return &unitsUndo{Before: before, During: *during}, nil
}

// readDecreases notes how many decreases the table has used today, and refuses when none is left: the undo needs
// none, for an increase is always allowed.
func readDecreases(t table, d *throttleUndo, now time.Time) error {
	p := t.ProvisionedThroughput
	if p == nil {
		return Refuse("look at the table", "table %s tells no throughput", d.Table)
	}
	d.Seen.LastDecrease = p.LastDecreaseDateTime
	today := now.UTC().Truncate(24 * time.Hour)
	if p.LastDecreaseDateTime != nil && !p.LastDecreaseDateTime.Before(today) {
		d.Seen.Decreases = aws.ToInt64(p.NumberOfDecreasesToday)
	}
	if d.decreasesLeft(now) > 0 {
		return nil
	}
	r := Refuse("wait an hour, or use another table", "table %s has no decrease of capacity left: %d used today", d.Table, d.Seen.Decreases)
	r.Later = true
	return r
}

// decreasesLeft is the most decreases the table can have left: those given since midnight less those used, but no
// more than are kept at once. DynamoDB itself may know of fewer.
func (d throttleUndo) decreasesLeft(now time.Time) int64 {
	used := d.Seen.Decreases
	given := int64(decreasesAtOnce) + int64(now.UTC().Hour())
	return max(0, min(given-used, decreasesAtOnce, decreasesADay-used))
}
