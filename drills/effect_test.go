package drills

import (
	"testing"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
)

// A look that felt nothing was answered at some moment of it: the fault may have been felt from its beginning on, in
// this poll as in the one before.
func TestAnEffectReachesBackToWhereTheLookBeforeBegan(t *testing.T) {
	t0 := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	look := func(from, to int, felt inject.Tri) inject.TimedLook {
		return inject.TimedLook{From: t0.Add(time.Duration(from) * time.Second), To: t0.Add(time.Duration(to) * time.Second), Reading: inject.Reading{Felt: felt}}
	}
	edge := func(f *FaultState, looks ...inject.TimedLook) time.Time {
		e := &effect{id: "a", fault: f}
		e.add(looks...)
		for _, x := range e.read() {
			if x.Kind == journal.FaultEffective {
				return *x.Fact.LookedAt
			}
		}
		return time.Time{}
	}
	if got := edge(&FaultState{AppliedAt: t0}, look(1, 8, inject.No), look(9, 10, inject.Yes)); !got.Equal(t0.Add(time.Second)) {
		t.Errorf("within a poll: back to %s", got)
	}
	s := &State{Faults: []FaultState{{AppliedAt: t0}}, Plan: Plan{Faults: []PlannedFault{{ID: "a"}}}, People: newPeople()}
	from := t0.Add(time.Second)
	s.Add(journal.Event{Kind: journal.EffectRead, At: t0.Add(8 * time.Second), Fact: journal.Fact{Fault: "a", Reading: "no", LookedAt: &from}})
	if got := edge(&s.Faults[0], look(9, 10, inject.Yes)); !got.Equal(from) {
		t.Errorf("from the poll before: back to %s", got)
	}
}
