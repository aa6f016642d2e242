package timeline_test

import (
	"testing"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// Somebody acknowledged, and nobody knows whether a person did, because the run ended before the log was read: that is
// neither an answer nor the lack of one.
func TestAnAcknowledgeOfWhoKnowsWhoIsNoSilence(t *testing.T) {
	s := begin(brief("alarm"), 0, 0)
	s.effective(5, 4.5)
	s.alarm(10, 11, journal.RoleWatch, alarmName)
	s.pager(12, 13, journal.IncidentOpened, journal.Fact{Incident: "Q1", Role: journal.RoleWatch, Title: alarmName})
	s.pager(14, 15, journal.IncidentNotified, journal.Fact{Incident: "Q1", Entry: "R1", User: "PAnna", By: "Anna", Human: journal.Bool(true)})
	s.push(100, journal.IncidentAcknowledged, "1", journal.Fact{Incident: "Q1", User: "PAnna", By: "Anna"})
	x := timeline.Of(s.finish(1210), s.real(1300))
	if x.Outcome == timeline.Unanswered {
		t.Error("it is called unanswered")
	}
	for _, v := range x.Expect {
		if v.Name == "acknowledge" && v.Verdict != "unknown" {
			t.Errorf("%+v", v)
		}
	}
	if i := x.Interval("acknowledge"); i.Known || i.CensoredS != 0 || i.Reason != timeline.Unknown {
		t.Errorf("%+v", i)
	}
}
