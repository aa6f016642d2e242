package drills_test

import (
	"slices"
	"testing"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
)

// The switch of a fault that a sweep cannot put back is all that is left to do it: it is kept.
func TestSweepKeepsTheSwitchOfWhatItLeaves(t *testing.T) {
	for name, readable := range map[string]bool{"left to a person": false, "put back": true} {
		t.Run(name, func(t *testing.T) {
			x := newSweeping()
			m := x.world.left[0].Mark
			x.world.left = append(x.world.left, inject.Leftover{Thing: "schedule s", Mark: m, Schedule: inject.ScheduleName(m, 1)})
			if !readable {
				x.world.left[0].Undo, x.world.left[0].Why = nil, "its mark is not readable"
			}
			list, _, err := x.Look(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			after := x.PutBack(t.Context(), list)
			if deleted := slices.Contains(x.world.put, "schedule s"); deleted != readable || (after[1].By == drills.KeeperPerson) == readable {
				t.Errorf("schedule deleted: %t, kept by %s (%s)", deleted, after[1].By, after[1].Why)
			}
		})
	}
}
