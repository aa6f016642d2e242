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

// overrunOf finds the undo of a run that overran its budget the most. The budget is what the plan said, and the time a
// late call may take to land; the undo's time runs from its first try until it read back as before.
func overrunOf(run string, events []journal.Event) (worst Overrun) {
	s := NewState(run)
	first := map[string]time.Time{}
	for _, e := range events {
		s.Add(e)
		switch e.Kind {
		case journal.FaultReverted, journal.FaultRevertFailed:
			if first[e.Fact.Fault].IsZero() {
				first[e.Fact.Fault] = began(e)
			}
		case journal.FaultSettled:
			p := s.Plan.Faults[s.index(e.Fact.Fault)]
			o := Overrun{Run: run, Fault: p.ID, Took: e.At.Sub(first[p.ID]), Budget: p.Undo + Late}
			if p.Undo > 0 && !first[p.ID].IsZero() && o.Took > o.Budget && o.Took-o.Budget > worst.Took-worst.Budget {
				worst = o
			}
		case journal.OverrunAcknowledged:
			worst.Acknowledged = true
		}
	}
	return worst
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
