package timeline_test

import (
	"testing"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// A correction that contradicts what was read changes nothing but itself: what was read stays where it was, and no
// interval is made of the two.
func TestACorrectionMovesNothingElse(t *testing.T) {
	tell := func(correct func(s *story)) timeline.Timeline {
		s := begin(brief("alarm"), 0, 0)
		s.effective(5, 4.5)
		s.alarm(10, 11, journal.RoleWatch, alarmName)
		s.pager(12, 13, journal.IncidentOpened, journal.Fact{Incident: "Q1", Role: journal.RoleWatch, Title: alarmName})
		s.pager(60, 61, journal.IncidentNotified, journal.Fact{Incident: "Q1", Entry: "R1", User: "PAnna", By: "Anna", Human: journal.Bool(true)})
		s.pager(90, 91, journal.IncidentAcknowledged, journal.Fact{Incident: "Q1", Entry: "R2", User: "PAnna", By: "Anna", Human: journal.Bool(true)})
		s.pager(200, 201, journal.IncidentResolved, journal.Fact{Incident: "Q1", Entry: "R3", User: "PAnna", By: "Anna", Human: journal.Bool(true)})
		s.finish(300)
		if correct != nil {
			correct(s)
		}
		return timeline.Of(s.events, s.real(400))
	}
	read := tell(nil)
	for name, x := range map[string]struct {
		instant timeline.Name
		to      float64
		unknown string
	}{
		"acknowledged before anybody was paged": {timeline.Acknowledged, 30, "acknowledge"},
		"acknowledged after it was resolved":    {timeline.Acknowledged, 250, ""},
		"paged after it was acknowledged":       {timeline.Paged, 120, "acknowledge"},
		"effective after it was detected":       {timeline.Effective, 40, "detect"},
		"resolved before it was acknowledged":   {timeline.Resolved, 70, ""},
	} {
		got := tell(func(s *story) {
			at := s.real(x.to)
			s.add(310, journal.Correction, journal.Fact{Instant: string(x.instant), Value: &at, By: "ops", Why: "saw it"})
		})
		for _, n := range timeline.Names() {
			if a, b := read.Instant(n), got.Instant(n); n != x.instant && !a.At.Equal(b.At) {
				t.Errorf("%s: %s was at %s, and is told at %s now", name, n, a.At.Format("15:04:05.000"), b.At.Format("15:04:05.000"))
			}
		}
		for _, i := range got.Intervals {
			if i.Known && i.Seconds < 0 {
				t.Errorf("%s: %+v", name, i)
			}
		}
		if x.unknown != "" {
			if i := got.Interval(x.unknown); i.Known {
				t.Errorf("%s: %+v", name, i)
			}
		}
	}
}
