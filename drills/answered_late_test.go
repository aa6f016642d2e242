package drills_test

import (
	"context"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// Somebody acknowledges a second before the deadline, and the pager is looked at a few seconds after it: they have
// answered, and the drill goes on until they are done.
func TestWhoAnswersJustInTimeHasAnswered(t *testing.T) {
	for _, last := range []time.Duration{28 * time.Second, 29 * time.Second, 30 * time.Second, 31 * time.Second} {
		s := newStage(t)
		d := s.staffed(drills.PageDirect)
		s.plan.Pace.Pager = 5 * time.Second
		s.plan.Expect = drills.Expect{Acknowledge: 30 * time.Second}
		e := d.at(s.engine(1))
		s.onCall(d, notified(map[time.Duration]observe.EntryKind{last: observe.EntryAcknowledged, 90 * time.Second: observe.EntryResolved}))
		st, err := s.start(context.Background(), e)
		s.check(t, st, err)
		ack := first(st, journal.IncidentAcknowledged, "")
		if ack.At.IsZero() || first(st, journal.FaultReverted, "").At.Sub(d.pages(ourPage)[0]) < 90*time.Second {
			t.Errorf("acknowledged after %s, and it was put back %s after the page, acknowledge seen %s", last, first(st, journal.FaultReverted, "").At.Sub(d.pages(ourPage)[0]), ack.At)
		}
	}
}
