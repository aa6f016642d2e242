package drills

import (
	"context"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// Overrun is an undo that took longer than its plan promised.
type Overrun struct {
	Run, Fault   string
	Took, Budget time.Duration
	Acknowledged bool // a person has looked into it
}

// overrunOf finds the undo of a run that overran its budget the most. The undo's time runs from its first try by one
// engine until it read back as before; the budget is what the plan said of all of them, for one waits for another, and
// the time that a late call may take to land.
func overrunOf(run string, events []journal.Event) (worst Overrun) {
	s := NewState(run)
	first := map[string]time.Time{}
	for _, e := range events {
		s.Add(e)
		switch e.Kind {
		case journal.RunTaken, journal.RunReopened:
			clear(first) // nobody was at it meanwhile
		case journal.FaultReverted, journal.FaultRevertFailed:
			if first[e.Fact.Fault].IsZero() {
				first[e.Fact.Fault] = began(e)
			}
		case journal.FaultSettled:
			at, budget := first[e.Fact.Fault], s.Plan.undo()
			delete(first, e.Fact.Fault)
			o := Overrun{Run: run, Fault: e.Fact.Fault, Took: e.At.Sub(at), Budget: budget + Late}
			if budget > 0 && !at.IsZero() && o.Took > o.Budget && o.Took-o.Budget > worst.Took-worst.Budget {
				worst = o
			}
		case journal.RunAcknowledged:
			worst.Acknowledged = true
		}
	}
	return worst
}

// undo is how long putting everything back should take at the longest.
func (p *Plan) undo() (d time.Duration) {
	for _, f := range p.Faults {
		d += f.Undo
	}
	return d
}

// CheckLast refuses a drill whose last undo in this environment overran its budget, until somebody has said that they
// looked into it: what is slow today may be stuck tomorrow.
func CheckLast(ctx context.Context, store journal.Store, p *Plan) *Refusal {
	runs, err := store.Runs(ctx, journal.Filter{Drill: p.Drill, Environment: p.Environment, Limit: lastRuns})
	if err != nil {
		return refuse("store", "look at the store", "read the last run of %s: %v", p.Drill, err)
	}
	for _, r := range runs {
		events, err := store.Load(ctx, r.Run, journal.Start)
		if err != nil {
			return refuse("store", "look at the store", "read the last run of %s: %v", p.Drill, err)
		}
		s := Fold(r.Run, events)
		if s.Started.IsZero() || r.Run == p.Run {
			continue // nothing was in place
		}
		if o := overrunOf(r.Run, events); o.Took > 0 && !o.Acknowledged {
			return refuse("overrun", fmt.Sprintf("firedrill note --run %s --acknowledge \"what you found\"", r.Run),
				"the last undo of %s took %s, its budget was %s (run %s), and nobody has looked into it", o.Fault, short(o.Took.Round(time.Second)), short(o.Budget), r.Run)
		}
		return nil
	}
	return nil
}

// lastRuns is how many runs back the last one that changed anything is looked for.
const lastRuns = 20
