package timeline_test

import (
	"math"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// Whoever takes the webhooks in may do so on another machine, whose clock is not the one of the run: what it writes has
// the pager's stamp, and when it was written bounds nothing.
func TestTheReceiversClockIsNotTheRuns(t *testing.T) {
	for _, off := range []float64{-90, 0, 90} {
		s := begin(brief("alarm"), 0, 7)
		s.effective(5, 4.9)
		s.alarm(10, 11, journal.RoleWatch, alarmName)
		s.pager(12, 13, journal.IncidentOpened, journal.Fact{Incident: "Q1", Role: journal.RoleWatch, Title: alarmName})
		s.pager(14, 15, journal.IncidentNotified, journal.Fact{Incident: "Q1", Entry: "R1", User: "PAnna", By: "Anna", Human: journal.Bool(true)})
		outside := func(truth float64, kind journal.Kind, id string) {
			e := s.push(truth, kind, id, journal.Fact{Incident: "Q1", User: "PAnna", By: "Anna", Human: journal.Bool(true)})
			e.At, e.Gen = e.At.Add(time.Duration(off*float64(time.Second))), 0
		}
		outside(40, journal.IncidentAcknowledged, "1")
		outside(200, journal.IncidentResolved, "2")
		x := timeline.Of(s.finish(1210), s.real(1300))
		within(t, s, timeline.Acknowledged, 40)
		within(t, s, timeline.Resolved, 200)
		for name, want := range map[string]float64{"acknowledge": 26, "resolve": 195} {
			if i := x.Interval(name); !i.Known || math.Abs(i.Seconds-want) > i.ErrorS || i.ErrorS > 1.5 {
				t.Errorf("receiver %+.0f s: %s is %.1f ± %.1f s, truly %.0f", off, name, i.Seconds, i.ErrorS, want)
			}
		}
	}
}
