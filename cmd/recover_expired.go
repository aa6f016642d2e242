package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// dirtyAgain is how long a run stays dirty before it is tried again unasked: its own process has tried for long, its owner
// has been paged, and to page them every minute would help nobody.
const dirtyAgain = 15 * time.Minute

// runExpired takes over every run whose lease has ended. Those that live, or that another process takes
// at this very moment, are no business of this one.
func runExpired(ctx context.Context, d *Deps) error {
	ctx, sig := catch(ctx, d)
	defer sig.stop()
	ids, dirty, errs := d.expired(ctx) // what cannot be read keeps nobody from putting back the rest
	for _, run := range dirty {
		errs = errors.Join(errs, &exitError{exitDirty, &hinted{fmt.Errorf("run %s has ended with something left in place, less than %s ago", run, dirtyAgain), "firedrill recover " + run}})
	}
	if len(ids) == 0 {
		if errs == nil {
			_, errs = fmt.Fprintln(d.Out, "nothing has expired")
		}
		return errs
	}
	store, err := d.store(ctx)
	if err != nil {
		return errors.Join(errs, err)
	}
	defer store.Close()
	var ends []error
	if _, err := sig.wait(func() (*drills.State, error) {
		ends = d.recoverMany(ctx, store, ids, recovery{reason: drills.ReasonRecover, why: "its lease had ended: recovered by " + d.operator()})
		return nil, nil
	}); err != nil {
		return errors.Join(errs, err)
	}
	for _, err := range ends {
		if held := (*journal.HeldError)(nil); !errors.As(err, &held) { // another process was quicker, or its own has come back
			errs = errors.Join(errs, err)
		}
	}
	return errs
}

// expired lists the runs that nobody works on, oldest first; and those that are dirty, but not for long.
func (d *Deps) expired(ctx context.Context) (ids, dirty []string, err error) {
	store, err := d.reading(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer store.Close()
	runs, missed := store.Runs(ctx, journal.Filter{Environment: d.environmentFilter()})
	for i := len(runs) - 1; i >= 0; i-- {
		r := runs[i]
		if !mayBeLeft(r) {
			continue
		}
		alive, err := d.worked(ctx, store, r.Run)
		if alive && err == nil {
			continue
		}
		events, unread := eventsOf(ctx, store, r.Run)
		if err = errors.Join(err, unread); err != nil {
			missed = errors.Join(missed, fmt.Errorf("run %s: %w", r.Run, err))
			continue
		}
		if r.Finished && !timeline.Of(events, d.Now()).Left() {
			continue // everything is put back, and a person is to look why it is not well
		}
		if r.Finished && d.Now().Before(events[len(events)-1].At.Add(dirtyAgain)) {
			dirty = append(dirty, r.Run)
			continue
		}
		ids = append(ids, r.Run)
	}
	return ids, dirty, missed
}
