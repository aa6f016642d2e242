package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// firstLook bounds what a run looks for before it starts.
const firstLook = 10 * time.Second

// recentRuns is how far back a run that ended dirty is told of: its targets are refused for good.
const recentRuns = 50

// First looks whether an earlier run has left something in place in this environment, before another drill breaks more. It
// only reads, and takes ten seconds at most. A run that has died is a reason to refuse; what may be the work of somebody
// else is told. Marks on the drill's own targets are found by the plan itself.
func (w *Sweep) First(ctx context.Context) (warn []string, refusal *Refusal) {
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	warn, refusal = w.firstRuns(ctx)
	if refusal != nil {
		return warn, refusal
	}
	more, refusal := w.firstSchedules(ctx)
	return append(warn, more...), refusal
}

// firstRuns reads the journal: runs of the environment that have not ended, and that nobody works on.
func (w *Sweep) firstRuns(ctx context.Context) (warn []string, refusal *Refusal) {
	if w.Store == nil {
		return nil, nil
	}
	runs, err := w.Store.Runs(ctx, journal.Filter{Environment: w.Steps.Env.Name, Unfinished: true})
	recent, also := w.Store.Runs(ctx, journal.Filter{Environment: w.Steps.Env.Name, Limit: recentRuns})
	if err := errors.Join(err, also); err != nil {
		return []string{"whether an earlier run has left something is unknown: " + err.Error()}, nil
	}
	for _, r := range append(runs, recent...) {
		if r.Finished && r.Outcome != string(timeline.Dirty) {
			continue
		}
		k := w.known(ctx, r.Run)
		if k.err != nil || k.holder != "" || k.state == nil || w.elsewhere(k.state) || len(k.state.InPlace()) == 0 {
			continue
		}
		if r.Finished { // its targets are refused anyhow
			warn = append(warn, fmt.Sprintf("run %s (%s) has ended with something left in place. Try: firedrill recover %[1]s", r.Run, r.Drill))
			continue
		}
		return warn, later("leftover", "firedrill recover "+r.Run, "run %s (%s) has died, and nobody has put back what it changed", r.Run, r.Drill).until("that is put back")
	}
	return warn, nil
}

// elsewhere: it ran in a sandbox that this one is not. What it changed there is no business of anybody here.
func (w *Sweep) elsewhere(s *State) bool {
	here, there := w.Steps.Env.Sandbox, s.Plan.Sandbox
	return here != nil && there != nil && here.Instance != there.Instance
}

// firstSchedules reads the dead-man's calls that still stand. One of a run that has ended would change the environment in
// the middle of this drill, or after it.
func (w *Sweep) firstSchedules(ctx context.Context) (warn []string, refusal *Refusal) {
	if w.Steps.World.Leftovers == nil || w.Steps.Env.Deadman.Role == "" {
		return nil, nil // this environment arms none, and may not be allowed to list them
	}
	found, err := w.Steps.World.Leftovers.Schedules(ctx)
	for _, u := range found.Unread {
		err = errors.Join(err, u.Err)
	}
	if err != nil {
		warn = append(warn, "whether a dead-man's call of an earlier run still stands is unknown: "+err.Error())
	}
	sweep := "firedrill recover --sweep --env " + w.Steps.Env.Name
	for _, l := range found.Leftovers {
		k := w.known(ctx, l.Mark.Run)
		switch {
		case l.Schedule == "" || k.holder != "" || k.err != nil:
		case k.state != nil && k.state.over():
			return warn, later("leftover", sweep, "%s of run %s still stands, which has ended: %s", l.Thing, l.Mark.Run, l.Finds).until("it is gone")
		case k.state != nil: // firstRuns has told of it
		default:
			warn = append(warn, fmt.Sprintf("%s stands, of a run that this journal does not know: %s. It is on somewhere else, or has died there. Try: %s", l.Thing, l.Finds, sweep))
		}
	}
	return warn, nil
}
