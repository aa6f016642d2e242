package timeline_test

import (
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// What rang before the first fault was prepared rang for another reason.
func TestRangBefore(t *testing.T) {
	s := felt(brief("alarm"), 10, 0)
	s.alarm(-300, 7, journal.RoleWatch, alarmName)
	if i := s.of().Instant(timeline.Detected); !i.At.IsZero() {
		t.Errorf("%+v", i)
	}
	s.alarm(65, 66, journal.RoleWatch, alarmName)
	if i := s.of().Instant(timeline.Detected); i.At.Sub(s.zero).Round(time.Second) != 65*time.Second {
		t.Errorf("%+v", i)
	}
}

// An alarm that comes after our own page was too late: it is told, and the run was undetected.
func TestAlarmAfterFallback(t *testing.T) {
	s := felt(brief("alarm"), 0, 0)
	s.add(60, journal.PageSent, journal.Fact{Err: "connection refused"})
	s.add(65, journal.PageSent, journal.Fact{Key: "firedrill/01run"})
	s.page(66, 67, journal.RoleOurs)
	s.person(70, 71, journal.IncidentAcknowledged, true)
	s.alarm(100, 101, journal.RoleWatch, alarmName)
	s.undo(200, "restored")
	s.finish(210)
	if x := s.of(); x.Outcome != timeline.Undetected || !x.Interval("detect").Known {
		t.Errorf("%s %+v", x.Outcome, x.Interval("detect"))
	}
	s = felt(brief("alarm"), 0, 0)
	s.alarm(64, 66, journal.RoleWatch, alarmName) // we learned of it after we had paged
	s.add(65, journal.PageSent, journal.Fact{Key: "firedrill/01run"})
	s.person(70, 71, journal.IncidentAcknowledged, true)
	s.undo(200, "restored")
	s.finish(210)
	if x := s.of(); x.Outcome == timeline.Undetected {
		t.Errorf("%s %+v", x.Outcome, x.Instant(timeline.Detected))
	}
}

// Where stamps do not tell an alarm from the incident it opened, the alarm detected it.
func TestAlarmCausedIncident(t *testing.T) {
	s := felt(brief("alarm"), 0, 0)
	s.alarm(65.8, 66, journal.RoleWatch, alarmName)
	s.page(65.9, 66.5, journal.RoleWatch) // 65 to the pager: its middle is before the alarm
	x := s.of()
	if i := x.Instant(timeline.Detected); i.By != "alarm "+alarmName || i.At.After(x.Instant(timeline.Paged).At) {
		t.Errorf("%+v", i)
	}
	// an incident that stands there well before any alarm is told is the detection itself
	s = felt(brief("alarm"), 0, 0)
	s.page(30, 31, journal.RoleWatch)
	s.alarm(65.8, 66, journal.RoleWatch, alarmName)
	if i := s.of().Instant(timeline.Detected); i.At.Sub(s.zero) > 31*time.Second {
		t.Errorf("%+v", i)
	}
}

// An incident that was taken up again is not resolved; neither is a drill while one of its incidents is open.
func TestTakenUpAgain(t *testing.T) {
	s := answered(brief("alarm"), 0, 0)
	if s.of().Instant(timeline.Resolved).At.IsZero() {
		t.Fatal("not resolved")
	}
	s.person(230, 231, journal.IncidentAcknowledged, true)
	if i := s.of().Instant(timeline.Resolved); !i.At.IsZero() {
		t.Errorf("taken up again: %+v", i)
	}
	s = answered(brief("alarm"), 0, 0)
	s.pager(150, 151, journal.IncidentOpened, journal.Fact{Incident: "Q2", Role: journal.RoleOurs})
	if i := s.of().Instant(timeline.Resolved); !i.At.IsZero() {
		t.Errorf("one is open: %+v", i)
	}
	s.pager(160, 161, journal.IncidentOpened, journal.Fact{Incident: "Q3", Role: journal.RoleRipple})
	s.pager(240, 241, journal.IncidentResolved, journal.Fact{Incident: "Q2", Human: journal.Bool(true)})
	if i := s.of().Instant(timeline.Resolved); i.At.Sub(s.zero).Round(time.Second) != 241*time.Second && i.At.Sub(s.zero).Round(time.Second) != 240*time.Second {
		t.Errorf("%+v", i)
	}
}

// A person of whom nobody knows whether they are one leaves unknown, and so does a machine that resolves.
func TestNobodyKnowsWho(t *testing.T) {
	s := felt(brief("direct"), 0, 0)
	s.page(8, 9, journal.RoleOurs)
	s.pager(20, 21, journal.IncidentAcknowledged, journal.Fact{})
	s.pager(30, 31, journal.IncidentResolved, journal.Fact{Human: journal.Bool(false)})
	s.undo(100, "restored")
	s.finish(101)
	x := s.of()
	for _, n := range []timeline.Name{timeline.Acknowledged, timeline.Resolved} {
		if i := x.Instant(n); !i.At.IsZero() || i.Reason != timeline.Unknown {
			t.Errorf("%+v", i)
		}
	}
	if verdict(x, "resolve") != "unknown" || verdict(x, "acknowledge") != "unknown" {
		t.Errorf("%+v", x.Expect)
	}
}
