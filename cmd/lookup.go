package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/internal/journal"
)

// candidates is how many runs a word that names several is answered with.
const candidates = 8

// environmentFilter is the environment whose runs are meant; empty means all.
func (d *Deps) environmentFilter() string {
	if d.env != "" {
		return d.env
	}
	return d.Getenv("FIREDRILL_ENV")
}

// runsMeant finds the run that a person means: by any unique prefix of its id; left out, the one that is on, else the
// last. Where several are on it answers all of them, newest first.
func (d *Deps) runsMeant(ctx context.Context, store journal.Store, named string) ([]journal.Summary, error) {
	if named != "" {
		run, err := d.runNamed(ctx, store, named)
		return []journal.Summary{run}, err
	}
	env := d.environmentFilter()
	runs, err := store.Runs(ctx, journal.Filter{Environment: env, Unfinished: true})
	if err == nil && len(runs) == 0 {
		runs, err = store.Runs(ctx, journal.Filter{Environment: env, Limit: 1})
	}
	if err == nil && len(runs) == 0 {
		err = &exitError{exitUsage, &hinted{errNoRuns, "firedrill run DRILL"}}
	}
	return runs, err
}

// runToChange is the one run that a person wants to add to. Of several that are on, nobody but them can choose.
func (d *Deps) runToChange(ctx context.Context, store journal.Store, named string) (journal.Summary, error) {
	runs, err := d.runsMeant(ctx, store, named)
	if err != nil {
		return journal.Summary{}, err
	}
	if len(runs) > 1 {
		return runs[0], usage("%d runs have not ended: which one? Try: one of\n%s", len(runs), listed(runs))
	}
	return runs[0], nil
}

// runToRead is the run that a person wants to look at. Of several that are on it is the newest, and they are told.
func (d *Deps) runToRead(ctx context.Context, store journal.Store, named string) (journal.Summary, error) {
	runs, err := d.runsMeant(ctx, store, named)
	if err != nil {
		return journal.Summary{}, err
	}
	if len(runs) > 1 {
		fmt.Fprintf(d.Err, "%d runs have not ended; this is the newest:\n%s\n", len(runs), listed(runs))
	}
	return runs[0], nil
}

// runNamed finds a run by a prefix of its id. --env narrows it; FIREDRILL_ENV does not: a run has one environment.
func (d *Deps) runNamed(ctx context.Context, store journal.Store, named string) (journal.Summary, error) {
	runs, err := store.Runs(ctx, journal.Filter{Environment: d.env, Prefix: strings.ToLower(named), Limit: candidates + 1})
	if err != nil {
		return journal.Summary{}, err
	}
	switch len(runs) {
	case 1:
		return runs[0], nil
	case 0:
		return journal.Summary{}, usage("no run's id begins with %q. Try: firedrill report, which lists them", named)
	}
	return journal.Summary{}, usage("%q begins more than one run's id. Try: one of\n%s", named, listed(runs))
}

// errNoRuns: nothing has been run, here or in the environment that is meant.
var errNoRuns = errors.New("no drill has been run yet")

// listed is a line a run, for who must choose.
func listed(runs []journal.Summary) string {
	var lines []string
	for i, r := range runs {
		if i == candidates {
			lines = append(lines, "  …")
			break
		}
		state := r.Outcome
		if !r.Finished {
			state = "not ended"
		}
		lines = append(lines, fmt.Sprintf("  %s  %s in %s, %s, %s", r.Run, r.Drill, r.Environment,
			r.Planned.Local().Format("2006-01-02 15:04"), state))
	}
	return strings.Join(lines, "\n")
}

// readable is eventsOf for who tells what happened: a run that a newer version wrote would be told wrong. Putting back
// does not ask: it knows what is prepared.
func readable(ctx context.Context, store journal.Store, run string) ([]journal.Event, error) {
	events, err := eventsOf(ctx, store, run)
	if err == nil && slices.ContainsFunc(events, journal.Event.Newer) {
		err = &hinted{fmt.Errorf("read run %s: it was written by a newer firedrill", run), "use the newer one; recover and abort work with this one too"}
	}
	return events, err
}

// eventsOf reads a whole run.
func eventsOf(ctx context.Context, store journal.Store, run string) ([]journal.Event, error) {
	events, err := store.Load(ctx, run, journal.Start)
	if err == nil && len(events) == 0 {
		err = fmt.Errorf("read run %s: %w", run, journal.ErrNoRun)
	}
	return events, err
}
