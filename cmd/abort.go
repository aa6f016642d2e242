package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

const abortHelp = `End a run now: everything is put back at once. It waits until the run has ended; where the process that ran it is
gone, it puts everything back itself, as recover does.

RUN is a run id or any unique prefix; left out, it is the run that is on.`

func newAbortCommand(d *Deps) *cobra.Command {
	return &cobra.Command{
		Use: "abort [RUN]", Short: "End a run now, and put everything back",
		Long: abortHelp + exits("5 something is left in place", "130 no longer waited for"), Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return runAbort(c.Context(), d, argument(args)) },
	}
}

func runAbort(ctx context.Context, d *Deps, named string) error {
	ctx, sig := catch(ctx, d)
	defer sig.stop()
	run, store, err := d.changing(ctx, named)
	if err != nil {
		return err
	}
	defer store.Close()
	if run.Finished && !mayBeLeft(run) {
		_, err := fmt.Fprintf(d.Out, "run %s has ended (%s) with nothing in place\n", run.Run, run.Outcome)
		return err
	}
	why := "aborted by " + d.operator()
	if !run.Finished {
		e := journal.Event{Kind: journal.AbortRequested, At: d.Now(),
			Fact: journal.Fact{Reason: drills.ReasonAbort, Why: why, By: d.operator()}}
		if err := d.outsider(ctx, store, run.Run, "abort", e); err != nil {
			return err
		}
	}
	_, err = sig.wait(func() (*drills.State, error) { return nil, d.awaitEnd(ctx, store, run.Run, why) })
	return err
}

// awaitEnd shows a run until it has ended, and ends it where nobody works on it any more.
func (d *Deps) awaitEnd(ctx context.Context, store journal.Store, run, why string) error {
	show := newLive(d, false, nil)
	at, err := show.prime(ctx, store, run)
	on := show.fold.Timeline(d.Now()).Ended.IsZero()
	for ; err == nil; err = (clock{d.Now}).Wait(ctx, time.Second/2) {
		var news []journal.Event
		if at, news, err = journal.Tail(ctx, store, at); err != nil {
			break
		}
		show.add(news)
		t := show.fold.Timeline(d.Now())
		switch ended := !t.Ended.IsZero(); {
		case ended && !t.Left() && t.Outcome == timeline.Dirty:
			show.close()
			return notWell(run, t.LeftAtEnd)
		case ended && !t.Left():
			show.close()
			_, err := fmt.Fprintf(d.Out, "run %s: everything is put back (%s)\n", run, t.Outcome)
			return err
		case ended && on: // its own process has tried for as long as the environment says
			show.close()
			return &exitError{exitDirty, &hinted{fmt.Errorf("run %s has ended with something left in place", run), "firedrill recover " + run}}
		}
		if alive, err := d.worked(ctx, store, run); err != nil || alive {
			continue
		}
		show.close()
		err := d.recoverOne(ctx, store, run, recovery{reason: drills.ReasonAbort, why: why})
		if held := (*journal.HeldError)(nil); !errors.As(err, &held) {
			return err
		}
		show = newLive(d, false, nil) // its process woke up: it sees the abort by itself
		if at, err = show.prime(ctx, store, run); err != nil {
			break
		}
	}
	show.close()
	if ctx.Err() != nil {
		return &exitError{exitInterrupted, &hinted{fmt.Errorf("not waited for the end of run %s, which goes on to put everything back", run), "firedrill status " + run}}
	}
	return fmt.Errorf("wait for the end of run %s: %w", run, err)
}

// prime tells the display what it need not show, and where that ends.
func (l *live) prime(ctx context.Context, store journal.Store, run string) (journal.Position, error) {
	at, events, err := journal.Tail(ctx, store, journal.Position{Run: run, After: journal.Start})
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		l.fold.Add(e)
	}
	l.shown = len(l.fold.Timeline(l.d.Now()).Entries())
	return at, err
}

// worked says whether an engine holds the run: a lease that has not ended, and whose holder is not provably dead.
func (d *Deps) worked(ctx context.Context, store journal.Store, run string) (bool, error) {
	l, alive, err := d.holder(ctx, store, run)
	return l.Run == run && alive != journal.Dead, err
}

// holder is who has the run's lease, if it has not ended, and what can be proven of them.
func (d *Deps) holder(ctx context.Context, store journal.Store, run string) (journal.Lease, journal.Liveness, error) {
	leases, err := store.Held(ctx, run)
	if err != nil {
		return journal.Lease{}, journal.Unsure, err
	}
	self, err := journal.Self()
	for _, l := range leases {
		if l.Name == journal.RunLease(run) && d.Now().Before(l.Expires) {
			return l, journal.Alive(l.Holder, self), err
		}
	}
	return journal.Lease{}, journal.Unsure, err
}

// leftOf says what a run has in place, after whatever went wrong.
func (d *Deps) leftOf(ctx context.Context, store journal.Store, run string) bool {
	events, err := store.Load(ctx, run, journal.Start)
	return err != nil || timeline.Of(events, d.Now()).Left()
}
