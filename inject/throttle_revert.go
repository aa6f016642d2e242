package inject

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// revert compares each dimension with what we made of it and puts back what is still ours; then auto scaling,
// only once the capacity is read back; the tags go last.
func (k *throttling) revert(ctx context.Context, u Undo) (Outcome, error) {
	d, err := readThrottleUndo(u)
	if err != nil {
		return "", err
	}
	t, tags, denied, err := k.readOurs(ctx, u, d)
	if errors.Is(err, ErrGone) {
		return k.revertGone(ctx, u, d)
	}
	if err != nil {
		return "", err
	}
	if _, theirs := u.Mark.another(tags, k.now()); theirs {
		return Diverged, nil
	}
	state := ""
	if u.Mark.owns(tags) {
		state = tags[TagState]
	}
	restore, diverged := d.compare(t)
	if len(restore) > 0 {
		if err := k.raise(ctx, u, d, state); err != nil {
			return "", err
		}
	}
	if _, ours := k.raised.Load(u.Mark.name()); ours {
		state = stateReverting
	}
	if _, err := k.resumeScaling(ctx, d); err != nil {
		return "", err
	}
	if denied != nil {
		return "", denied
	}
	if err := k.unmark(ctx, u); err != nil {
		return "", err
	}
	k.raised.Delete(u.Mark.name())
	switch {
	case len(diverged) > 0:
		return Diverged, nil
	case state == stateReverting:
		return Restored, nil
	case state == stateApplied:
		return AlreadyRestored, nil
	default:
		return NeverApplied, nil
	}
}

// revertGone takes back our suspension of auto scaling, which outlives its table: a later table of the name has it. It
// takes our tags off such a table too: it may have come between two looks of Apply.
func (k *throttling) revertGone(ctx context.Context, u Undo, d throttleUndo) (Outcome, error) {
	_, scaling := k.resumeScaling(ctx, d)
	switch _, err := k.readTable(ctx, d.Table); {
	case errors.Is(err, ErrGone):
		// Without a table nobody can set its auto scaling; settled tells what is left.
		return Diverged, nil
	case err != nil || scaling != nil:
		return "", errors.Join(scaling, err)
	}
	if err := k.unmark(ctx, u); err != nil {
		return "", err
	}
	return Diverged, nil
}

// readOurs reads the table once it is ACTIVE, and its tags; that these may not be read (denied) must not hold up what can
// be compared without them. Reads may be behind: when they show nothing of ours, or
// that it is another run's by now, they are made once more a little later.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html
func (k *throttling) readOurs(ctx context.Context, u Undo, d throttleUndo) (t table, tags map[string]string, denied, err error) {
	for again := false; ; again = true {
		if t, err = k.awaitActive(ctx, d.Table); err != nil {
			return t, nil, nil, err
		}
		if err = d.sameTable(u, t); err != nil {
			return t, nil, nil, err
		}
		tags, denied = k.readTags(ctx, u.Target.ARN)
		restore, _ := d.compare(t)
		if _, theirs := u.Mark.another(tags, k.now()); again || (len(restore) > 0 && !theirs) {
			return t, tags, denied, nil
		}
		if err = pause(ctx, k.timing.Again); err != nil {
			return t, nil, nil, fmt.Errorf("look at table %s once more: %w", d.Table, err)
		}
	}
}

// compare sorts the dimensions: those still as we made them, with the value to restore, and those that somebody
// changed further, in words. What is as before is in neither.
func (d throttleUndo) compare(t table) (restore map[string]int64, diverged []string) {
	restore = map[string]int64{}
	for _, x := range d.dimensions() {
		now := t.units(x.name)
		switch {
		case t.mode() != d.Mode:
			diverged = append(diverged, fmt.Sprintf("the table is %s now, was %s", t.mode(), d.Mode))
		case now == x.During:
			restore[x.name] = x.Before
		case now != x.Before:
			diverged = append(diverged, fmt.Sprintf("%s: %s now, were %s", x.name, units(now, d.Mode), units(x.Before, d.Mode)))
		}
	}
	return restore, diverged
}

// raise puts our dimensions back, and reads them back. What it writes is compared again the moment before. state is what
// the table's mark says; empty where it carries none of ours.
func (k *throttling) raise(ctx context.Context, u Undo, d throttleUndo, state string) error {
	say := func(s string) {
		if state != "" && state != stateReverting {
			// Only so that an undo that is broken off and taken up again still says who it was.
			_ = k.putTags(ctx, u.Target.ARN, u.Mark.tags(d.short(), s))
		}
	}
	say(stateReverting)
	now, err := k.readTable(ctx, d.Table)
	if err != nil {
		return err
	}
	if err := d.sameTable(u, now); err != nil {
		return err
	}
	restore, _ := d.compare(now)
	if len(restore) == 0 {
		say(state)
		return fmt.Errorf("table %s changed while it was put back, or its reads are behind: look again", d.Table)
	}
	err = k.setUnits(ctx, now, restore)
	if definite := (*Definite)(nil); errors.As(err, &definite) {
		say(state)
		return err
	}
	k.raised.Store(u.Mark.name(), true)
	if err != nil {
		return err
	}
	return k.awaitRaised(ctx, d)
}

// awaitRaised reads the table until it shows what was put back, at most for the timing's patience.
func (k *throttling) awaitRaised(ctx context.Context, d throttleUndo) error {
	deadline := k.now().Add(k.timing.Patience)
	for {
		back, err := k.awaitActive(ctx, d.Table)
		if err != nil {
			return err
		}
		left, _ := d.compare(back)
		if len(left) == 0 {
			return nil
		}
		if k.now().After(deadline) {
			return fmt.Errorf("table %s still has our throughput after it was put back: %v", d.Table, left)
		}
		if err := pause(ctx, k.timing.Poll); err != nil {
			return fmt.Errorf("wait for table %s to read back: %w", d.Table, err)
		}
	}
}

// unmark takes our tags off, if they are this mark's, and reads that they are gone.
func (k *throttling) unmark(ctx context.Context, u Undo) error {
	tags, err := k.readTags(ctx, u.Target.ARN)
	if err != nil || !u.Mark.owns(tags) {
		return err
	}
	if _, err := k.tables.UntagResource(ctx, &dynamodb.UntagResourceInput{ResourceArn: &u.Target.ARN, TagKeys: ourTags()}, onceDynamoDB); err != nil {
		return fmt.Errorf("untag %s: %w", u.Target.ARN, err)
	}
	for {
		tags, err := k.readTags(ctx, u.Target.ARN)
		if err != nil || !u.Mark.owns(tags) {
			return err
		}
		if err := pause(ctx, k.timing.Poll); err != nil {
			return fmt.Errorf("wait for tags of %s to go: %w", u.Target.ARN, err)
		}
	}
}

// settled reads the table back: nothing of ours in its throughput, its auto scaling and its tags.
func (k *throttling) settled(ctx context.Context, u Undo) (bool, string, error) {
	d, err := readThrottleUndo(u)
	if err != nil {
		return false, "", err
	}
	t, err := k.readTable(ctx, d.Table)
	if err == nil {
		err = d.sameTable(u, t)
	}
	if errors.Is(err, ErrGone) {
		return k.settledGone(ctx, u, d, t.TableArn != nil)
	}
	if err != nil {
		return false, "", err
	}
	if !t.active() {
		return false, fmt.Sprintf("table %s is %s", d.Table, t.TableStatus), nil
	}
	tags, err := k.readTags(ctx, u.Target.ARN)
	if err != nil {
		return false, "", err
	}
	if run, theirs := u.Mark.another(tags, k.now()); theirs {
		return true, fmt.Sprintf("table %s is run %s's by now", d.Table, run), nil
	}
	ours, diverged := d.compare(t)
	for name, before := range ours {
		return false, fmt.Sprintf("%s of table %s are still %s, were %s", name, d.Table, units(t.units(name), d.Mode), units(before, d.Mode)), nil
	}
	if why, err := k.scalingLeft(ctx, d); why != "" || err != nil {
		return false, why, err
	}
	if u.Mark.owns(tags) {
		return false, "table " + d.Table + " still carries our tags", nil
	}
	return true, strings.Join(diverged, "; "), nil
}

// settledGone asks whether our suspension, or a mark of ours, has outlived the table. Only where the table was made anew
// can they be taken back.
func (k *throttling) settledGone(ctx context.Context, u Undo, d throttleUndo, anew bool) (bool, string, error) {
	why, err := k.scalingLeft(ctx, d)
	if err != nil {
		return false, "", err
	}
	if why != "" {
		return !anew, "table " + d.Table + " is gone, and " + why, nil
	}
	if !anew {
		return true, "table " + d.Table + " is gone: somebody deleted it", nil
	}
	tags, err := k.readTags(ctx, u.Target.ARN)
	if err != nil {
		return false, "", err
	}
	if u.Mark.owns(tags) {
		return false, "table " + d.Table + " was made anew, and carries our tags", nil
	}
	return true, "table " + d.Table + " is gone: somebody deleted it, and made it anew", nil
}

// scalingLeft says which of our suspensions is still in place.
func (k *throttling) scalingLeft(ctx context.Context, d throttleUndo) (string, error) {
	if len(d.Scaling) == 0 {
		return "", nil
	}
	targets, err := k.readScaling(ctx, d.Table)
	if err != nil {
		return "", err
	}
	for _, s := range d.Scaling {
		now := suspension{}
		if t, ok := targets[s.Dimension]; ok {
			now = suspensionOf(t)
		}
		if now.In && !s.Before.In || now.Out && !s.Before.Out || now.Scheduled && !s.Before.Scheduled {
			return fmt.Sprintf("auto scaling of table %s (%s) is still suspended", d.Table, s.Dimension), nil
		}
	}
	return "", nil
}
