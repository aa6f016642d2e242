package drills

import (
	"context"
	"math"
	"strconv"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// factBaseline is where a steady.read tells what a probe is compared with from then on.
const factBaseline = "baseline"

// steadies says that there is something to read before the first fault: a steady state, or a baseline.
func (p *Plan) steadies() bool { return len(p.Steady) > 0 || len(p.relative()) > 0 }

// relative are the probes outside the steady state that compare with a baseline, with their roles.
func (p *Plan) relative() (list []relativeProbe) {
	add := func(role journal.Role, probes []PlannedProbe) {
		for _, x := range probes {
			if _, yes := x.Spec.Baseline(); yes {
				list = append(list, relativeProbe{x, role})
			}
		}
	}
	add(journal.RoleWatch, p.Watch)
	add(journal.RoleStop, p.Stop)
	return list
}

type relativeProbe struct {
	PlannedProbe
	role journal.Role
}

// measure reads the baselines of what is watched and of what ends the drill, right before the first fault: real queues are
// not empty. Without one nobody could say what the drill has done.
func (st *Steps) measure(ctx context.Context, s *State) (events []journal.Event) {
	for _, p := range s.Plan.relative() {
		r := st.read(ctx, p.PlannedProbe)
		events = append(events, measuredEvent(p.PlannedProbe, p.role, r))
		if r.Value != observe.OK {
			return append(events, unsteady(p.PlannedProbe, r).event())
		}
	}
	return events
}

// measuredEvent is a reading with the baseline that it measured: the journal keeps it for whoever goes on with the run.
func measuredEvent(p PlannedProbe, role journal.Role, r observe.Reading) journal.Event {
	e := readingEvent(journal.SteadyRead, p, role, r)
	if r.Baseline != nil {
		e.Fact.Facts = map[string]string{factBaseline: strconv.FormatFloat(*r.Baseline, 'f', -1, 64)}
	}
	return e
}

// baseline folds what a probe measured before the first fault. What is read later is no baseline any more.
func (s *State) baseline(e journal.Event) {
	n, err := strconv.ParseFloat(e.Fact.Facts[factBaseline], 64)
	if err != nil || !s.Started.IsZero() {
		return
	}
	if s.Baselines == nil {
		s.Baselines = map[string]float64{}
	}
	s.Baselines[e.Fact.Probe] = n
}

// measured is a probe with its baseline, as the journal has it. Before the first fault a look without one is good, and
// measures; after it, it is unknown.
func (s *State) measured(p PlannedProbe) PlannedProbe {
	if n, known := s.Baselines[p.Label]; known {
		p.Spec = p.Spec.From(n)
	} else if !s.Started.IsZero() {
		p.Spec = p.Spec.From(math.NaN())
	}
	return p
}

// baseline notes what a plan would compare with, were the drill to begin now.
func (f *found) baseline(p PlannedProbe, r observe.Reading) {
	if of, yes := p.Spec.Baseline(); yes && r.Baseline != nil {
		f.facts["baseline_of_"+of] = strconv.FormatFloat(*r.Baseline, 'f', -1, 64)
	}
}
