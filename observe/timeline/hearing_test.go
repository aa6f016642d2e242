package timeline_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// heardAs names the fates of a story's pages, in order.
func heardAs(s *story) string {
	var out []string
	for _, h := range s.of().Hearing() {
		out = append(out, string(h.Verdict))
	}
	return strings.Join(out, " ")
}

// paged is a drill of which people learn by our page, up to the moment it is handed over, at 10.
func paged() *story {
	b := brief("direct")
	s := felt(b, 0, 0)
	s.add(10, journal.PageSent, journal.Fact{Key: "firedrill/01run", Title: "[DRILL] orders"})
	s.looked = 10
	return s
}

func (s *story) open(truth float64, f journal.Fact) {
	f.Title, f.Role, f.By = "[DRILL] orders", journal.RoleOurs, "firedrill"
	s.pager(truth, truth+1, journal.IncidentOpened, f)
}

func (s *story) notify(truth float64, who string) {
	s.pager(truth, truth+1, journal.IncidentNotified, journal.Fact{User: "P" + who, By: who, Human: journal.Bool(true), Channel: "push"})
}

func (s *story) by(truth float64, k journal.Kind, who string) {
	s.pager(truth, truth+1, k, journal.Fact{User: "P" + who, By: who, Human: journal.Bool(true), Channel: "mobile"})
}

// tick lets time pass while the run looks.
func (s *story) tick(sec float64) { s.steady(sec, "bad") }

func TestHearing(t *testing.T) {
	opened := journal.Fact{Urgency: "high", Alerts: 1}
	for _, x := range []struct {
		want  string
		story func(*story)
	}{
		{"heard", func(s *story) {
			s.open(11, opened)
			s.notify(13, "Anna")
			s.by(20, journal.IncidentAcknowledged, "Anna")
		}},
		{"", func(s *story) { s.tick(60) }},
		{"no_incident", func(s *story) { s.tick(131) }},
		{"no_incident", func(s *story) { s.undo(60, "restored") }},
		{"merged_into_other heard", func(s *story) {
			s.looked = 0
			s.open(-400, opened)
			s.notify(-390, "Anna")
		}},
		{"merged_into_other heard", func(s *story) { s.open(11, journal.Fact{Alerts: 3}); s.notify(13, "Anna") }},
		{"merged_into_other", func(s *story) {
			s.open(11, opened)
			s.pager(14, 15, journal.IncidentMerged, journal.Fact{Into: "Q9"})
			s.pager(14, 15, journal.IncidentResolved, journal.Fact{User: "PB", By: "Ben", Human: journal.Bool(true)})
		}},
		{"merged_into_other", func(s *story) {
			s.pager(-50, 12, journal.IncidentOpened, journal.Fact{Role: journal.RoleOther, Key: "firedrill/01run", Title: "checkout is down", Alerts: 2})
			s.tick(200)
		}},
		{"low_urgency heard", func(s *story) { s.open(11, journal.Fact{Urgency: "low"}); s.notify(13, "Anna") }},
		{"assigned_not_notified", func(s *story) { s.open(11, opened); s.tick(140) }},
		{"", func(s *story) { s.open(11, opened); s.tick(100) }},
		{"heard", func(s *story) { s.open(11, opened); s.by(14, journal.IncidentAcknowledged, "Anna"); s.tick(200) }},
		{"delayed heard", func(s *story) { s.looked = 80; s.open(90, opened); s.notify(92, "Anna") }},
		{"delayed heard", func(s *story) { s.open(11, opened); s.looked = 90; s.notify(92, "Anna") }},
		{"machine_acknowledged", func(s *story) { s.open(11, opened); s.person(12, 13, journal.IncidentAcknowledged, false); s.tick(40) }},
		{"resolved_by_monitor heard", func(s *story) {
			s.open(11, opened)
			s.notify(13, "Anna")
			s.person(30, 31, journal.IncidentResolved, false)
		}},
		{"resolved_before_acknowledge heard", func(s *story) {
			s.open(11, opened)
			s.notify(13, "Anna")
			s.by(30, journal.IncidentResolved, "Anna")
		}},
		{"heard", func(s *story) { // the monitor resolves once all is put back: that is what it is for
			s.open(11, opened)
			s.notify(13, "Anna")
			s.undo(100, "restored")
			s.person(110, 111, journal.IncidentResolved, false)
		}},
		{"automation_fires heard", func(s *story) {
			s.open(11, opened)
			s.pager(12, 13, journal.IncidentLogged, journal.Fact{Type: "incident_workflow_log_entry"})
			s.notify(13, "Anna")
		}},
	} {
		s := paged()
		x.story(s)
		if got := heardAs(s); got != x.want {
			t.Errorf("%q, want %q: %+v", got, x.want, s.of().Hearing())
		}
	}
}

// What the plan had warned of is said beside what came of it, also where the plan named the cause and not the effect.
func TestAsThePlanWarned(t *testing.T) {
	s := paged()
	s.events[0].Fact.Brief.Risks = []journal.Risk{{Verdict: "in_maintenance", Why: "orders is in maintenance until 12:00"},
		{Verdict: "low_urgency", Why: "outside support hours urgency is low"}}
	s.tick(131)
	if h := s.of().Hearing(); len(h) != 1 || h[0].Warned != "orders is in maintenance until 12:00" || !h[0].At.Equal(s.at(130)) {
		t.Errorf("%+v", h)
	}
}

// An incident of theirs that had stood there before anything was felt tells of something else.
func TestTheirsStoodThereBefore(t *testing.T) {
	s := felt(brief("alarm"), 0, 0)
	s.page(-300, 7, journal.RoleWatch)
	if got := heardAs(s); got != "merged_into_other heard" {
		t.Errorf("%s", got)
	}
}

func TestFatesAreOne(t *testing.T) {
	seen := map[timeline.Fate]bool{}
	for _, f := range timeline.Fates() {
		if seen[f] || f == "" {
			t.Errorf("%q twice, or empty", f)
		}
		seen[f] = true
	}
	if len(seen) != 16 {
		t.Error(fmt.Sprint(len(seen), " fates"))
	}
}
