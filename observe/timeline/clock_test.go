package timeline_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// Whatever the clocks do, every instant and every interval of the clocks' stories holds the truth within its bar, and
// the bar is no wider than what was measured.
func TestClockStories(t *testing.T) {
	truth := map[timeline.Name]float64{timeline.Effective: truthEffective, timeline.Detected: truthDetected, timeline.Paged: truthPaged,
		timeline.Acknowledged: truthAcked, timeline.Mitigated: truthMitigated, timeline.Resolved: truthResolved, timeline.Restored: truthRestored}
	intervals := map[string]float64{"effective": truthEffective - 3, "detect": truthDetected - truthEffective, "page": truthPaged - truthEffective,
		"acknowledge": truthAcked - truthPaged, "mitigate": truthMitigated - truthEffective, "resolve": truthResolved - truthEffective, "restore": truthRestored - 325}
	stories := map[string][]journal.Event{}
	clockStories(stories)
	zero := stories["clock-skew"][0].At
	for name, events := range stories {
		x := timeline.Of(events, events[len(events)-1].At)
		for n, want := range truth {
			i := x.Instant(n)
			got := i.At.Sub(zero).Seconds()
			if i.At.IsZero() || want < got-i.Early.Seconds()-0.002 || want > got+i.Late.Seconds()+0.002 {
				t.Errorf("%s: %s was at %.3f, told %.3f -%s +%s (%s)", name, n, want, got, i.Early, i.Late, i.Reason)
			}
		}
		most := 1.5
		for n, want := range intervals {
			i := x.Interval(n)
			limit := most
			if n == "mitigate" {
				limit = 3.5 // the pace of the readings
			}
			if strings.Contains(name, "jump") {
				limit += 1 // by how much it jumped is known from two measurements of each clock
			}
			if !i.Known || math.Abs(i.Seconds-want) > i.ErrorS+0.002 || i.ErrorS > limit {
				t.Errorf("%s: %s took %.3f s, told %.3f ± %.3f (%s)", name, n, want, i.Seconds, i.ErrorS, i.Reason)
			}
		}
		if n := lines(x, "Anna acknowledged"); n != 1 {
			t.Errorf("%s: the acknowledge is told %d times", name, n)
		}
		if x.Outcome != timeline.Met {
			t.Errorf("%s: %s %+v", name, x.Outcome, x.Expect)
		}
		// told after each event anew, it is the same
		f := timeline.New()
		for _, e := range events {
			f.Add(e)
		}
		if a, b := tell(f.Timeline(events[len(events)-1].At)), tell(x); a != b {
			t.Errorf("%s: folded one by one it is told otherwise\n%s\n%s", name, a, b)
		}
	}
}

// A source's own clock that is set in the middle is no jump of ours: what is stamped in between may be of either side.
func TestSourceIsSet(t *testing.T) {
	s := felt(brief("direct"), 0, 0)
	for sec := 7.0; sec < 60; sec += 2 {
		s.steady(sec, "bad")
	}
	s.pd = 30
	s.clocks(60, 0)
	s.looked = 0
	s.pager(62, 65, journal.IncidentOpened, journal.Fact{Role: journal.RoleOurs})
	s.pager(64, 65, journal.IncidentNotified, journal.Fact{User: "PANNA"})
	i := s.of().Instant(timeline.Paged)
	if d := i.At.Sub(s.zero).Seconds(); math.Abs(d-64.2) > 0.8 || i.Early > time.Second {
		t.Errorf("paged at %.3f -%s +%s", d, i.Early, i.Late)
	}
	if at := s.of().Instant(timeline.Effective).At; !at.Equal(s.at(5)) {
		t.Errorf("our own readings stay: %s", at)
	}
}

// Measurements that agree narrow each other; far ones say less.
func TestMeasuredAgain(t *testing.T) {
	s := felt(brief("direct"), 0, 0)
	s.add(60, journal.ClockRead, journal.Fact{Source: "aws", OffsetS: 0.15, ErrorS: 0.2})
	s.alarm(65.25, 66, journal.RoleWatch, alarmName)
	i := s.of().Instant(timeline.Detected)
	if w := i.Early + i.Late; w > 270*time.Millisecond || w < 240*time.Millisecond {
		t.Errorf("a bar of %s", w)
	}
}
