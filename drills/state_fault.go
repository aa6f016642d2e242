package drills

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
)

func (s *State) index(id string) int {
	for i := range s.Plan.Faults {
		if s.Plan.Faults[i].ID == id {
			return i
		}
	}
	s.Plan.Faults = append(s.Plan.Faults, PlannedFault{ID: id})
	s.Faults = append(s.Faults, FaultState{})
	return len(s.Faults) - 1
}

func (s *State) fault(e journal.Event) {
	f := &s.Faults[s.index(e.Fact.Fault)]
	switch e.Kind {
	case journal.FaultPrepared, journal.FaultStaged:
		s.undo(f, e)
	case journal.FaultApplied:
		f.Phase, f.AppliedAt, f.Issued = Applied, e.At, true
		s.begins(e.At)
		if s.Gen <= 1 {
			f.Unsure = time.Time{} // else a call of the engine before us may still land
		}
	case journal.FaultApplyFailed:
		f.Issued, f.Err = true, e.Fact.Err
		if !e.Fact.Definite {
			f.Unsure = e.At.Add(Late)
		}
		s.stop(ReasonFailed, journal.Event{At: e.At, Fact: journal.Fact{Why: e.Fact.Err}})
	case journal.EffectRead:
		if e.Fact.Reading == string(inject.No) {
			f.LastNo = began(e)
		}
	case journal.FaultEffective:
		f.Ceased = time.Time{}
		if f.Effective.IsZero() {
			f.Effective = e.At
		}
		if s.Effective.IsZero() {
			s.Effective = e.At
		}
	case journal.FaultCeased:
		f.Ceased = e.At
	case journal.FaultReverted:
		s.Undoing, f.ReadBack = true, false
		f.tried(e.At)
		f.How, f.Err = inject.Outcome(e.Fact.How), ""
		if began(e).Before(f.Unsure) {
			break // a late call may have landed since: look again
		}
		f.Phase = Reverted
	case journal.FaultRevertFailed:
		s.Undoing, f.ReadBack = true, false
		f.tried(e.At)
		f.Phase, f.Err = Applied, e.Fact.Err
		if e.Fact.Reason == reasonPatience {
			f.Phase = Stuck
		}
	case journal.DeadmanDisarmFailed: // what reads back as before is not put back again for it
		f.tried(e.At)
		f.Err = e.Fact.Err
		if e.Fact.Reason == reasonPatience {
			f.Phase = Stuck
		}
	case journal.DeadmanArmed:
		f.Armed = true
	case journal.DeadmanDisarmed:
		f.Phase, f.Err, f.Armed = Settled, "", false
	case journal.FaultSettled:
		f.Phase, f.Err = Settled, ""
		if s.switched(e.Fact.Fault) {
			f.Phase, f.ReadBack, f.Tries = Restored, true, 0
		}
	}
}

func (s *State) undo(f *FaultState, e journal.Event) {
	if err := json.Unmarshal(e.Fact.Undo, &f.Undo); err != nil {
		f.Unreadable = fmt.Sprintf("read undo of %s: %v", e.Fact.Fault, err)
	}
	f.Phase, f.Issued = Prepared, false
	if e.Kind == journal.FaultStaged {
		f.Phase = StagedInert
	}
	s.begins(e.At)
}

// switched says that a fault may have a dead-man's switch: its engine may have died between making and recording it.
func (s *State) switched(id string) bool {
	p := s.Plan.Faults[s.index(id)]
	return p.Switch || (s.Unplanned != "" && p.Kind != "")
}

// begins starts the limit, once: nothing may be in place without one.
func (s *State) begins(at time.Time) {
	if s.Started.IsZero() {
		s.Started = at
	}
}

// again has a new engine take up where patience had ended: what read back as before needs its switch deleted alone.
func (f *FaultState) again() {
	if f.Phase, f.Tries = Applied, 0; f.ReadBack {
		f.Phase = Restored
	}
}

func (f *FaultState) tried(at time.Time) {
	if f.Tries == 0 {
		f.FirstTry = at
	}
	f.Tries++
	f.LastTry = at
}
