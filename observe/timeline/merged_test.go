package timeline_test

import (
	"testing"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// Our page was merged into a ripple's incident, and acknowledged there seconds later, before the run looked again: they
// have acknowledged the drill's.
func TestAnAcknowledgeRightAfterAMergeIsNotLost(t *testing.T) {
	s := begin(brief("direct"), 0, 0)
	s.effective(5, 4.5)
	s.add(6, journal.PageSent, journal.Fact{})
	s.pager(7, 8, journal.IncidentOpened, journal.Fact{Incident: "Q1", Role: journal.RoleOurs, Title: "[DRILL]"})
	s.pager(8, 9, journal.IncidentNotified, journal.Fact{Incident: "Q1", Entry: "R1", User: "PAnna", By: "Anna", Human: journal.Bool(true)})
	s.pager(7, 9, journal.IncidentOpened, journal.Fact{Incident: "Q2", Role: journal.RoleRipple, Title: "dlq"})
	before := s.at(20) // merged at 21, acknowledged at 23, looked at 27
	s.looked = 20
	s.pager(23, 27, journal.IncidentAcknowledged, journal.Fact{Incident: "Q2", Entry: "R2", User: "PAnna", By: "Anna", Human: journal.Bool(true)})
	s.add(27, journal.IncidentMerged, journal.Fact{Incident: "Q1", Into: "Q2", LookedAt: &before})
	x := timeline.Of(s.finish(300), s.real(400))
	within(t, s, timeline.Acknowledged, 23)
	if x.Outcome == timeline.Unanswered {
		t.Error("it is called unanswered")
	}
	for _, tr := range x.Traces() {
		if tr.Incident == "Q1" && len(tr.Acts) == 1 && tr.Acts[0].ErrorS < 3 {
			t.Errorf("the merge is told to %.1f s", tr.Acts[0].ErrorS)
		}
	}
}
