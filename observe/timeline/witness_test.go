package timeline_test

import (
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// metric tells, at a moment, that the fault has been felt in a period of the load balancer's own metric.
func (s *story) metric(seen, from, period float64) {
	applied := s.at(3)
	s.add(seen, journal.FaultEffective, journal.Fact{Fault: "throttle", Why: "HTTP_Fixed_Response_Count was 12", LookedAt: &applied})
	half := period / 2
	s.events[len(s.events)-1].Seen = &journal.Seen{At: s.real(from + half), By: "aws", ErrorS: half}
}

// What a metric tells late was so within its period, and not when we read it: an alarm that rang before we read is no
// surprise, and nothing is moved for it.
func TestAMetricTellsWithinItsPeriod(t *testing.T) {
	for name, x := range map[string]struct{ seen, from, truth float64 }{
		"the change came within the period": {130, -20, 4},
		"the change came before it":         {190, 40, 41},
	} {
		s := begin(brief("alarm"), 0, 0)
		s.metric(x.seen, x.from, 60)
		s.alarm(60, 61, journal.RoleWatch, alarmName)
		s.pager(62, 63, journal.IncidentOpened, journal.Fact{Incident: "Q1", Role: journal.RoleWatch, Title: alarmName})
		s.finish(300)
		within(t, s, timeline.Effective, x.truth)
		within(t, s, timeline.Detected, 60)
		told := timeline.Of(s.events, s.real(1000))
		i := told.Instant(timeline.Effective)
		if bar := i.Early + i.Late; bar > 61*time.Second || bar < 10*time.Second || i.At.Sub(s.zero).Seconds() > x.seen-60 {
			t.Errorf("%s: at %.1f -%s +%s", name, i.At.Sub(s.zero).Seconds(), i.Early, i.Late)
		}
		if d := told.Interval("detect"); !d.Known || d.ErrorS < 5 || d.Seconds-d.ErrorS > 60-x.truth || d.Seconds+d.ErrorS < 60-x.truth {
			t.Errorf("%s: %+v", name, d)
		}
		if i.At.Before(s.at(3)) {
			t.Errorf("%s: felt before it was made", name)
		}
	}
}
