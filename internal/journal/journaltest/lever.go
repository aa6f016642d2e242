package journaltest

import (
	"testing"

	"github.com/firedrill/firedrill/internal/journal"
)

// leverIsNoRun: a lever's record begins with a pull, grows like a run, and stands in no list of runs.
func leverIsNoRun(t *testing.T, s journal.Store) {
	begin(t, s)
	lever := journal.Position{Run: journal.LeverRun("staging"), After: journal.Start}
	expect(t, s, lever, batch("release/1", journal.LeverReleased), recorded{journal.Start, "", journal.ErrNoRun})
	expect(t, s, lever, batch("pull/1", journal.LeverPulled), recorded{0, "pull/1", nil})
	expect(t, s, lever, batch("pull/1", journal.LeverPulled), recorded{0, "pull/1", nil})
	expect(t, s, lever, batch("release/1", journal.LeverReleased), recorded{1, "pull/1 release/1", nil})
	expect(t, s, lever, batch("pull/2", journal.LeverPulled), recorded{2, "pull/1 release/1 pull/2", nil})
	if got := actions(load(t, s, lever.Run, journal.Start)); got != "pull/1 release/1 pull/2" {
		t.Errorf("the lever's record holds %q", got)
	}
	for _, f := range []journal.Filter{{}, {Unfinished: true}, {Prefix: "lever"}, {Prefix: lever.Run}} {
		sums, err := s.Runs(t.Context(), f)
		want := 1
		if f.Prefix != "" {
			want = 0
		}
		if err != nil || len(sums) != want {
			t.Errorf("runs %+v = %v, %v, want %d", f, sums, err, want)
		}
	}
}
