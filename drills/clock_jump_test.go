package drills_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// The clock jumps hours ahead with both faults in place, as after a laptop's sleep: the limit has passed, and the next
// thing that happens is the undo. The run is nobody else's meanwhile, so it is recorded like any other.
func TestClockJumpsAhead(t *testing.T) {
	s := newStage(t)
	var jumped time.Time
	s.clock.onWait = func(time.Time) {
		if s.w.get("b") == "broken" && jumped.IsZero() {
			jumped = s.jump(8 * time.Hour)
		}
	}
	st, err := s.start(t.Context(), s.engine(1))
	s.check(t, st, err)
	back := first(st, journal.FaultReverted, "b").At
	if jumped.IsZero() || back.Before(jumped) || back.Sub(jumped) > time.Second {
		t.Errorf("jumped to %s, put back at %s", jumped, back)
	}
	if got := fmt.Sprint(s.w.writes); got != "[a=broken b=broken b=before-b a=before-a]" {
		t.Errorf("writes %s", got)
	}
}

// jump sets the clock ahead.
func (s *stage) jump(by time.Duration) time.Time {
	s.clock.mu.Lock()
	defer s.clock.mu.Unlock()
	s.clock.t = s.clock.t.Add(by)
	return s.clock.t
}
