package drills

import (
	"time"
)

// The back-off between tries at one undo: 1 s, doubling to 30 s.
const (
	backoffFirst = time.Second
	backoffMost  = 30 * time.Second
)

// defaultPatience is how long putting back is tried where the environment does not say.
const defaultPatience = 15 * time.Minute

// reasonPatience marks the last failed try of an undo: the run is dirty.
const reasonPatience = "patience"

// ownerTries is how often the owner is paged before the exit code alone must tell.
const ownerTries = 6

// reasonNoOwner marks an owner's page that nobody could be sent.
const reasonNoOwner = "no_owner"

// clearTries is how often our own page is resolved before a person is told to.
const clearTries = 5

// nextOut is the way out. Putting back comes first; everything that only tells waits behind it.
func (s *State) nextOut(now time.Time) Action {
	if a, wait, ok := s.nextUndo(now); ok {
		return a
	} else if !wait.IsZero() {
		return Action{ID: "wait", Verb: Wait, Fault: -1, Until: wait}
	}
	switch {
	case s.mayHavePaged(now) && !s.PageDone && s.ClearTry < clearTries:
		return s.tell(s.act(ResolvePage, -1, s.ClearTry), s.ClearTry, s.ClearedAt, now)
	case s.Stop != nil && s.Stop.Incident != "" && s.OwnerTries > 0 && !s.HandedBack && s.owes():
		return s.act(HandBack, -1, s.finishes()) // whoever works on the real incident does not wait until the owner is reached
	case s.Dirty() && !s.Owner:
		return s.tell(s.act(PageOwner, -1, s.OwnerTries), s.OwnerTries, s.OwnerTry, now)
	case !s.Calmed && !s.Started.IsZero() && !s.Dirty() && (!s.abrupt() || s.Unsteady):
		return s.act(Calm, -1, 0)
	case !s.HandedBack && s.owes():
		return s.act(HandBack, -1, s.finishes())
	}
	return s.act(Finish, -1, s.finishes())
}

// tell does what speaks to people, with a growing pause after each try that failed.
func (s *State) tell(a Action, tries int, last, now time.Time) Action {
	if due := last.Add(backoffFirst << min(tries, 5)); tries > 0 && now.Before(due) {
		return Action{ID: "wait", Verb: Wait, Fault: -1, Until: due}
	}
	return a
}

// mayHavePaged: a page whose answer was lost may stand all the same, and an engine before us may have died between
// the page and its record. Resolving one that is not there is no mistake.
func (s *State) mayHavePaged(now time.Time) bool {
	switch {
	case !s.Paged.IsZero() || s.PageTries > 0:
		return true
	case s.Gen <= 1 || s.Effective.IsZero() || s.Plan.Page.Service == "":
		return false
	}
	return s.Plan.Page.When != PageAlarm || (s.Plan.Page.Fallback > 0 && !now.Before(s.Effective.Add(s.Plan.Page.Fallback)))
}

// nextUndo picks the fault to put back now: of those due the one with the fewest tries, last in first out. Where none
// is due, it says when the next will be. Deleting a dead-man's switch comes last: until then it is worth having.
func (s *State) nextUndo(now time.Time) (a Action, wait time.Time, ok bool) {
	best, settle, disarm := -1, -1, -1
	for i := len(s.Faults) - 1; i >= 0; i-- {
		f := &s.Faults[i]
		if f.Phase == Reverted && settle < 0 {
			settle = i
		}
		if !f.open() || f.Phase == Stuck || f.Phase == Reverted {
			continue
		}
		if due := f.nextTry(); now.Before(due) {
			if wait.IsZero() || due.Before(wait) {
				wait = due
			}
			continue
		}
		if f.Phase == Restored {
			disarm = i
			continue
		}
		if best < 0 || f.Tries < s.Faults[best].Tries {
			best = i
		}
	}
	switch {
	case settle >= 0 && (best < 0 || s.Faults[best].Tries > 0):
		return s.act(Settle, settle, s.Faults[settle].Tries), time.Time{}, true
	case best < 0 && disarm >= 0:
		return s.act(Disarm, disarm, s.Faults[disarm].Tries), time.Time{}, true
	case best < 0:
		return Action{}, wait, false
	}
	return s.act(Revert, best, s.Faults[best].Tries), time.Time{}, true
}

// nextTry is when the fault's undo may be tried again.
func (f *FaultState) nextTry() time.Time {
	if f.Tries == 0 {
		return time.Time{}
	}
	wait := backoffFirst << min(f.Tries-1, 5)
	next := f.LastTry.Add(min(wait, backoffMost))
	if f.Err == "" && f.Unsure.After(f.LastTry) && f.Unsure.Before(next) {
		return f.Unsure // it went well, but a late call may still land: look again as soon as none can
	}
	return next
}

// impatient says that a try at this fault is the last one.
func (s *State) impatient(i int, now time.Time) bool {
	f := &s.Faults[i]
	return f.Tries > 0 && now.Sub(f.FirstTry) >= s.patience() && !now.Before(f.Unsure)
}

func (s *State) patience() time.Duration {
	if s.Plan.Patience > 0 {
		return s.Plan.Patience
	}
	return defaultPatience
}

// Dirty says that something could not be put back, or that all is not well although everything reads as before.
func (s *State) Dirty() bool {
	if len(s.Unwell) > 0 {
		return true
	}
	for i := range s.Faults {
		if s.Faults[i].Phase == Stuck {
			return true
		}
	}
	return false
}

// abrupt: a run that was interrupted or aborted does not wait for alarms to calm down.
func (s *State) abrupt() bool {
	return s.Stop != nil
}

// finishes counts how often the run has ended before: a reopened run ends again, under another action.
func (s *State) finishes() (n int) {
	for _, e := range s.Events {
		if e.Kind == "run.finished" {
			n++
		}
	}
	return n
}
