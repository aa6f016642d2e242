package cmd

import (
	"context"
	"fmt"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

// collect records what people answered since a run has ended, and who changed its targets, as CloudTrail tells by now.
// Whoever collects again records only what is new. What could not be asked or read is in unread: the rest is recorded.
func (d *Deps) collect(ctx context.Context, named string) (unread, err error) {
	run, store, err := d.changing(ctx, named)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	events, err := readable(ctx, store, run.Run)
	if err != nil {
		return nil, err
	}
	state := drills.Fold(run.Run, events)
	if !state.Finished {
		return nil, &exitError{exitUsage, &hinted{fmt.Errorf("run %s goes on: answers are asked for at its end", run.Run), "firedrill debrief " + run.Run}}
	}
	out, reason, err := d.reach(ctx, state, "")
	if err != nil {
		return err, nil
	}
	if reason == drills.ReasonWorldGone {
		return fmt.Errorf("collect answers of run %s: the sandbox it ran on is gone, and with it all that was said there", run.Run), nil
	}
	batches, unread := drills.Collect(ctx, out.world, state, d.Now())
	answers, changes := 0, 0
	for _, b := range batches {
		_, _, err := journal.Record(ctx, store, journal.Position{Run: run.Run, After: journal.Start}, b)
		if err != nil {
			return unread, err
		}
		switch {
		case b.Events[0].Kind != journal.ChangeSeen:
			answers++
		case b.Events[0].Fact.How != "firedrill":
			changes++
		}
	}
	fmt.Fprintf(d.Err, "collected: answers %d, changes by others %d\n", answers, changes)
	if len(batches) > 0 {
		if events, err = eventsOf(ctx, store, run.Run); err == nil {
			_, err = d.writeDebrief(run.Run, events)
		}
	}
	return unread, err
}
