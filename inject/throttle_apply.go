package inject

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Apply tags the table, suspends its auto scaling where there is any, and lowers the throughput: in this order,
// so that whoever finds the change finds the mark, and so that auto scaling never acts on our value.
func (f *throttle) Apply(ctx context.Context, u Undo) error {
	d, err := readThrottleUndo(u)
	if err != nil {
		return &Definite{Err: err}
	}
	t, err := f.awaitActive(ctx, d.Table)
	if errors.Is(err, ErrGone) {
		return &Definite{Err: err}
	}
	if err != nil {
		return err
	}
	if err := d.sameTable(u, t); err != nil {
		return &Definite{Err: err}
	}
	tags, err := f.readTags(ctx, u.Target.ARN)
	if err != nil {
		return err
	}
	ours := u.Mark.owns(tags)
	if err := refuseMarked("table "+d.Table, tags); err != nil && !ours {
		return &Definite{Err: err}
	}
	want, err := d.wanted(t, ours)
	if err != nil {
		return &Definite{Err: err}
	}
	if len(want) == 0 {
		return nil
	}
	return f.lower(ctx, u, d)
}

// lower issues the writes of Apply, each once.
func (f *throttle) lower(ctx context.Context, u Undo, d throttleUndo) error {
	if err := f.putTags(ctx, u.Target.ARN, u.Mark.tags(d.short(), statePrepared)); err != nil {
		return err
	}
	if err := f.stopScaling(ctx, d); err != nil {
		return err
	}
	now, err := f.readTable(ctx, d.Table)
	if err != nil {
		return err
	}
	// Tagging and suspending take a while: what is written is compared again the moment before.
	if err := d.sameTable(u, now); err != nil {
		return &Definite{Err: err}
	}
	want, err := d.wanted(now, true)
	if err != nil {
		return &Definite{Err: err}
	}
	if len(want) == 0 {
		return nil
	}
	if err := f.setUnits(ctx, now, want); err != nil {
		return err
	}
	// The change is made; without this tag an undo only knows less of what others did meanwhile. It comes with the
	// mark: a process that was asleep may write it after another has put everything back, and it must be found again.
	// A later run's mark stays.
	if tags, err := f.readTags(ctx, u.Target.ARN); err == nil {
		if _, theirs := u.Mark.another(tags, f.now()); !theirs {
			_ = f.putTags(ctx, u.Target.ARN, u.Mark.tags(d.short(), stateApplied))
		}
	}
	return nil
}

// sameTable says that a table is the one the undo was made of, not another account's or a later one of that name.
func (d throttleUndo) sameTable(u Undo, t table) error {
	if arn := aws.ToString(t.TableArn); arn != u.Target.ARN {
		return fmt.Errorf("table %s is %s here, not %s", d.Table, arn, u.Target.ARN)
	}
	if id := aws.ToString(t.TableId); id != "" && d.ID != "" && id != d.ID {
		return fmt.Errorf("table %s was made anew since it was read: %w", d.Table, ErrGone)
	}
	return nil
}

// wanted compares a table with the undo, and says what is left to lower. What is lowered already counts only when the
// table carries our mark.
func (d throttleUndo) wanted(t table, ours bool) (map[string]int64, error) {
	want := map[string]int64{}
	for _, x := range d.dimensions() {
		switch now := t.units(x.name); {
		case now == x.Before && t.mode() == d.Mode:
			want[x.name] = x.During
		case now == x.During && ours && t.mode() == d.Mode:
		default:
			return nil, fmt.Errorf("table %s changed since it was read: %s are %d, were %d", d.Table, x.name, now, x.Before)
		}
	}
	return want, nil
}
