package timeline

import (
	"slices"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// ending is what the end of a run depends on.
type ending struct {
	stops    []journal.Event // abort.requested, guard.refused, fault.apply_failed
	refusal  *journal.Event
	finished *journal.Event

	last     time.Time // of the last event before somebody took the run over
	taken    time.Time // zero once the run was looked at again
	previous time.Time
	stopped  time.Time // when the run stopped looking
}

func (x *ending) add(e journal.Event) {
	switch e.Kind {
	case journal.RunTaken:
		if e.Gen > 1 {
			x.taken, x.last = e.At, x.previous
		}
	case journal.RunReopened:
		x.finished = nil
	case journal.ProbeRead, journal.EffectRead, journal.SteadyRead:
		x.taken = time.Time{}
	case journal.GuardRefused:
		x.stops = append(x.stops, e)
		if x.refusal == nil {
			x.refusal = &e
		}
		x.stop(e.At)
	case journal.AbortRequested, journal.FaultApplyFailed:
		x.stops = append(x.stops, e)
		x.stop(e.At)
	case journal.FaultReverted, journal.FaultRevertFailed:
		at := e.At
		if e.Fact.LookedAt != nil && e.Fact.LookedAt.Before(at) {
			at = *e.Fact.LookedAt
		}
		x.stop(at)
	case journal.RunFinished:
		x.finished = &e
		x.stop(e.At)
	}
	x.previous = e.At
}

// stop: from here on nobody looks at people and alarms any more. Whoever takes over a dead run to put it back stops
// where the dead one stopped.
func (x *ending) stop(at time.Time) {
	if !x.stopped.IsZero() {
		return
	}
	x.stopped = at
	if !x.taken.IsZero() && !x.last.IsZero() && x.last.Before(at) {
		x.stopped = x.last
	}
}

// reasonOf is the code of what made the run unwind.
func reasonOf(e journal.Event) string {
	switch e.Kind {
	case journal.GuardRefused:
		return "refused"
	case journal.FaultApplyFailed:
		return "apply_failed"
	}
	return e.Fact.Reason
}

// outcome decides how an ended run ended: the first that applies.
func (f *Fold) outcome(t *Timeline) {
	x := f.ending
	if len(x.stops) > 0 {
		s := x.stops[0]
		t.Reason, t.Why = reasonOf(s), s.Fact.Why
		if t.Why == "" {
			t.Why = s.Fact.Err
		}
	}
	if x.finished == nil {
		return
	}
	t.Ended, t.LeftAtEnd, t.ByHand = x.finished.At, x.finished.Fact.Left, x.finished.Fact.ByHand
	stopped := func(reasons ...string) bool {
		return slices.ContainsFunc(x.stops, func(e journal.Event) bool { return slices.Contains(reasons, reasonOf(e)) })
	}
	failed := []string{"apply_failed", "pager_lost", "engine_error", "journal_lost"}
	other := slices.ContainsFunc(x.stops, func(e journal.Event) bool {
		r := reasonOf(e)
		return r != "refused" && r != "interrupted" && !slices.Contains(failed, r)
	})
	switch {
	case f.dirty(t):
		t.Outcome = Dirty
	case stopped("interrupted"):
		t.Outcome = Interrupted
	case other:
		t.Outcome = Aborted
	case stopped(failed...) || x.finished.Fact.Reason == "journal_lost" || x.finished.Fact.Err != "":
		t.Outcome = Failed
	case x.refusal != nil:
		t.Outcome, t.Later = Refused, x.refusal.Fact.Facts["when"] == "later"
	default:
		t.Outcome = f.measured(t)
	}
}

// dirty says that something could not be put back.
func (f *Fold) dirty(t *Timeline) bool {
	return len(f.ending.finished.Fact.Left) > 0 || slices.ContainsFunc(t.Faults, func(x Fault) bool { return x.State == "stuck" })
}

// measured is the outcome of a run that went as a drill goes.
func (f *Fold) measured(t *Timeline) Outcome {
	detected := t.Instant(Detected)
	told := !f.sent.IsZero()
	for _, in := range f.incidents.drill() {
		told = told || in.role == journal.RoleWatch || len(in.notified) > 0
	}
	switch {
	case t.Instant(Effective).At.IsZero():
		return Invalid
	case f.brief.PageWhen == "alarm" && (detected.At.IsZero() || (!f.sent.IsZero() && f.sent.Before(detected.At))):
		return Undetected
	case told && !f.answered() && t.Instant(Acknowledged).At.IsZero() && t.Instant(Acknowledged).Reason != Unknown:
		return Unanswered
	case slices.ContainsFunc(t.Expect, func(v Verdict) bool { return v.Verdict == "missed" }):
		return Missed
	}
	return Met
}

// ExitCode is the exit code of a run that ended so; later is for a refusal that holds only for now. A run that has
// not ended has no code of its own: 1.
func ExitCode(o Outcome, later bool) int {
	switch o {
	case Met:
		return 0
	case Missed, Undetected, Unanswered:
		return 3
	case Refused:
		if later {
			return 75
		}
		return 4
	case Dirty:
		return 5
	case Aborted:
		return 6
	case Invalid:
		return 7
	case Interrupted:
		return 130
	}
	return 1
}
