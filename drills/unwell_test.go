package drills_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// Everything reads as before, and the service is still not well: that is dirty, and the owner hears of it.
func TestSteadyStateThatDoesNotComeBack(t *testing.T) {
	for name, after := range map[string]observe.Value{"bad": observe.Bad, "good again": observe.OK, "nobody can say": observe.Unknown} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.w.steady = func() observe.Value {
				if len(s.w.writes) == 4 {
					return after
				}
				return observe.OK
			}
			st, err := s.start(t.Context(), s.engine(1))
			s.check(t, st, err) // nothing is in place either way
			events := s.events(t)
			left := strings.Join(events[len(events)-1].Fact.Left, "\n")
			told := slices.ContainsFunc(events, func(e journal.Event) bool { return e.Kind == journal.PageSent && e.Fact.Role == "owner" })
			if dirty := after != observe.OK; dirty != (st.Outcome == "dirty") || dirty != told || dirty != strings.Contains(left, "the steady state is not back: health is "+string(after)) {
				t.Errorf("outcome %s, owner told %t, left %q", st.Outcome, told, left)
			}
			if after == observe.OK {
				return
			}
			s.w.steady = func() observe.Value { return observe.OK }
			st, err = s.engine(2).Recover(t.Context(), runID, drills.ReasonRecover, "test")
			s.check(t, st, err)
			if st.Dirty() {
				t.Error("still dirty after recover")
			}
		})
	}
}

// One look that finds the target as before may be late, or lie: three in a row must.
func TestReadingBackThreeTimes(t *testing.T) {
	s := newStage(t)
	e := s.engine(1)
	var looks []bool
	kind(e, func(k *inject.Kind) {
		inner := k.Settled
		k.Settled = func(ctx context.Context, u inject.Undo) (bool, string, error) {
			if len(looks) == 1 {
				looks = append(looks, false)
				return false, "it is broken after all", nil
			}
			ok, why, err := inner(ctx, u)
			looks = append(looks, ok)
			return ok, why, err
		}
	})
	st, err := s.start(t.Context(), e)
	s.check(t, st, err)
	if want := []bool{true, false, true, true, true, true, true, true}; !slices.Equal(looks, want) {
		t.Errorf("looks %v, want %v: three in a row for each of two faults", looks, want)
	}
}
