package drills

import "time"

// Next decides what a run does now. It is pure, and the only place that knows the order of a drill: engines are loops
// around it, and recovery is the same loop with abort.requested in the journal.
func Next(s *State, now time.Time) Action {
	switch {
	case s.Finished:
		return Action{ID: "done", Verb: Done}
	case s.unwinding(now):
		return s.nextOut(now)
	default:
		return s.nextIn(now)
	}
}

// unwinding says that the run puts back from here on.
func (s *State) unwinding(now time.Time) bool {
	return s.Stop != nil || s.Undoing || s.limitPassed(now) || s.holdEnded(now)
}

// limitPassed: nothing is left in place beyond the limit, which runs from the first fault prepared.
func (s *State) limitPassed(now time.Time) bool {
	return !s.Started.IsZero() && !now.Before(s.Started.Add(s.Plan.Limit))
}

// nextIn is the way in: every check, then the faults one by one, then the hold.
func (s *State) nextIn(now time.Time) Action {
	first := s.due(0)
	switch {
	case len(s.commands()) > 0:
		return s.act(Hear, -1, len(s.Heard))
	case s.Started.IsZero() && now.Before(first):
		return s.poll(now, first) // the checks come right before the first change, not a delay before it
	case !s.Guarded:
		return s.act(Guard, -1, 0)
	case !s.SteadyOK && s.Plan.steadies():
		return s.act(Steady, -1, 0)
	}
	for i := range s.Faults {
		f := &s.Faults[i]
		if due := s.due(i); f.Phase == Idle && now.Before(due) {
			return s.nextHold(now, due) // whoever is hurt by the faults before it is told meanwhile
		}
		switch {
		case f.Phase == Idle:
			return s.act(Prepare, i, 0)
		case f.Phase == Prepared && s.Plan.Faults[i].Staged:
			return s.act(Stage, i, 0)
		case (f.Phase == Prepared || f.Phase == StagedInert) && s.Plan.Faults[i].Switch && !f.Armed:
			return s.act(Arm, i, 0)
		case f.Phase == Prepared || f.Phase == StagedInert:
			return s.act(Apply, i, 0)
		}
	}
	return s.nextHold(now, s.Started.Add(s.Plan.Limit))
}

// due is when fault i may go in: its delay counts from the first fault, and the first one's from the plan.
func (s *State) due(i int) time.Time {
	switch {
	case i >= len(s.Plan.Faults):
		return time.Time{}
	case s.Started.IsZero():
		return s.PlannedAt.Add(s.Plan.Faults[i].After)
	}
	return s.Started.Add(s.Plan.Faults[i].After)
}

// nextHold: the faults are in place, and what is watched decides.
func (s *State) nextHold(now, due time.Time) Action {
	if s.pageDue(now) {
		return s.act(Page, -1, s.PageTries)
	}
	return s.poll(now, due)
}

// pageRetry is the pause between tries at a page that the pager did not take.
const pageRetry = 5 * time.Second

// pageDue: nobody is paged before the fault is effective.
func (s *State) pageDue(now time.Time) bool {
	if s.Effective.IsZero() || !s.Paged.IsZero() {
		return false
	}
	if s.PageTries > 0 && now.Before(s.lastOf(Page).Add(pageRetry)) {
		return false
	}
	switch s.Plan.Page.When {
	case PageDirect, PageReport:
		return true
	case PageAlarm:
		return !s.People.told() && s.Plan.Page.Fallback > 0 && !now.Before(s.Effective.Add(s.Plan.Page.Fallback))
	}
	return false
}

// lastOf is when the last event of a verb was recorded.
func (s *State) lastOf(v Verb) time.Time {
	for i := len(s.Events) - 1; i >= 0; i-- {
		if verbOf(s.Events[i].Action) == v {
			return s.Events[i].At
		}
	}
	return time.Time{}
}

// poll looks until the next thing is due. Until the fault is effective looks follow each other within a second.
func (s *State) poll(now, due time.Time) Action {
	a := s.act(Poll, -1, s.Polls)
	a.For = s.Plan.Pace.Look
	if s.Effective.IsZero() || a.For <= 0 {
		a.For = min(time.Second, max(a.For, 100*time.Millisecond))
	}
	for _, t := range s.deadlines() {
		if t.After(now) && t.Before(due) {
			due = t
		}
	}
	if left := due.Sub(now); left < a.For {
		a.For = max(left, 50*time.Millisecond)
	}
	a.Until = now.Add(a.For)
	return a
}

// deadlines are the moments at which a decision may change without any new event.
func (s *State) deadlines() (ts []time.Time) {
	if !s.Effective.IsZero() && s.Plan.Page.Fallback > 0 {
		ts = append(ts, s.Effective.Add(s.Plan.Page.Fallback))
	}
	for _, x := range s.expectations() {
		if !x.by.IsZero() {
			ts = append(ts, x.by)
		}
	}
	return ts
}
