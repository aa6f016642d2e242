package drills_test

import (
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

// slow runs the stage's drill with an undo that takes that long, and returns what the record then says.
func slow(t *testing.T, took time.Duration) (*stage, func() *drills.Refusal) {
	t.Helper()
	s := newStage(t)
	for i := range s.plan.Faults {
		s.plan.Faults[i].Undo = 20 * time.Second
	}
	s.w.onWrite = func(_ int, what string) error {
		if strings.HasPrefix(what, "b=before") {
			s.clock.mu.Lock()
			s.clock.t = s.clock.t.Add(took)
			s.clock.mu.Unlock()
		}
		return nil
	}
	st, err := s.start(t.Context(), s.engine(1))
	s.check(t, st, err)
	return s, func() *drills.Refusal {
		next := *s.plan
		next.Run = runID + "-next"
		return drills.CheckLast(t.Context(), s.store, &next)
	}
}

func TestUndoThatOverranIsLookedInto(t *testing.T) {
	if _, again := slow(t, 45*time.Second); again() != nil {
		t.Errorf("within budget: %v", again())
	}
	s, again := slow(t, 65*time.Second)
	r := again()
	if r == nil || r.Code != "overrun" || r.Later || !strings.Contains(r.Why, "the last undo of b took 1m") ||
		!strings.Contains(r.Try, "firedrill note --run "+runID+" --acknowledge") {
		t.Fatalf("overrun: %+v", r)
	}
	e := journal.Event{Kind: journal.RunAcknowledged, At: s.clock.Now(), Fact: journal.Fact{By: "ada", Why: "AWS was slow"}}
	_, _, err := journal.Record(t.Context(), s.store, journal.Position{Run: runID, After: journal.Start},
		journal.Batch{Action: "note/1", Events: []journal.Event{e}})
	if err != nil || again() != nil {
		t.Errorf("acknowledged: %v, %v", err, again())
	}
}
