package drills_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/observe"
)

// left are three incidents that lie around: an old one of low urgency, a fresh one, and one that somebody works on.
func (s *scene) left() []observe.Incident {
	now := s.clock.Now()
	return []observe.Incident{
		{ID: "Q1", Title: "Disk is filling", Status: "triggered", Urgency: "low", Service: "PORDERS", CreatedAt: now.Add(-75 * time.Hour), URL: "https://pd/Q1"},
		{ID: "Q2", Title: "Search is slow", Status: "acknowledged", Urgency: "high", Service: "PORDERS", CreatedAt: now.Add(-90 * time.Second), URL: "https://pd/Q2"},
		{ID: "Q3", Title: "Backups are late", Status: "triggered", Urgency: "low", Service: "PORDERS", CreatedAt: now.Add(-time.Second), URL: "https://pd/Q3"},
		{ID: "Q4", Title: "Cron is late", Status: "triggered", Urgency: "low", Service: "PORDERS", CreatedAt: now.Add(-25 * time.Hour), URL: "https://pd/Q4"},
	}
}

// A refusal names what stands open with its age and urgency, all of it at once, and says what may be ignored.
func TestOpenIncidentsAreNamedWithAgeAndUrgency(t *testing.T) {
	s := newScene(t)
	s.pager.open = s.left()
	_, err := s.plan()
	refusedBy(t, err, "open_incident", true,
		"open for 3 days, low urgency: Disk is filling (https://pd/Q1)", "open for 1 minute, high urgency, acknowledged: Search is slow",
		"open for less than a minute, low urgency: Backups are late", "and 1 more")
	s.untouched(t)

	s.pager.open = s.left()[:1]
	_, err = s.plan()
	refusedBy(t, err, "open_incident", true, "open for 3 days", "Try: finish it first, or have those of low urgency ignored in firedrill.yaml: open_incidents: high")
}

// With open_incidents: high those of low urgency are told, and keep nobody from drilling; all others still do.
func TestLowUrgencyMayBeIgnored(t *testing.T) {
	s := newScene(t)
	s.env.OpenIncidents = "high"
	s.pager.open = s.left()[:1]
	v, err := s.plan()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(v.Warn, func(w string) bool {
		return strings.Contains(w, "open for 3 days, low urgency, that is ignored (open_incidents: high): Disk is filling")
	}) {
		t.Errorf("nobody says so: %q", v.Warn)
	}
	if v.Facts["open_incidents"] != "0" || v.Facts["ignored_incidents"] != "1" || v.Facts["incidents_before"] != "Q1" {
		t.Errorf("%v", v.Facts)
	}

	s.pager.open = s.left()
	_, err = s.plan()
	refusedBy(t, err, "open_incident", true, "Search is slow")
	if strings.Contains(err.Error(), "Disk is filling") {
		t.Errorf("names what it ignores: %v", err)
	}

	s.pager.open = s.left()[2:3]
	s.pager.open[0].Title = "throttled: rings" // of the watched alarm: what fires next would join it and page nobody
	_, err = s.plan()
	refusedBy(t, err, "open_incident", true, "page nobody")
}

// What is ignored for its low urgency is ignored no longer once it is urgent: the drill ends and hands over.
func TestWhatWasIgnoredAndGetsUrgentEndsTheDrill(t *testing.T) {
	for _, urgency := range []string{"low", "", "high"} {
		s := newStage(t)
		d := s.staffed(drills.PageDirect)
		s.plan.Expect, s.plan.Limit = drills.Expect{}, time.Minute
		e := d.at(s.engine(1))
		env := *e.Steps.Env
		env.OpenIncidents = "high"
		e.Steps.Env = &env
		d.list = func(context.Context) ([]observe.Incident, error) {
			in := observe.Incident{ID: "Q1", Title: "Disk is filling", Status: "triggered", Urgency: "low",
				CreatedAt: time.Date(2026, 2, 27, 10, 0, 0, 0, time.UTC), Alerts: []observe.Alert{{Key: "disk", Summary: "Disk is filling"}}}
			if s.w.get("a") == "broken" {
				in.Urgency = urgency
			}
			return []observe.Incident{in}, nil
		}
		st, err := s.start(context.Background(), e)
		s.check(t, st, err)
		if stopped := st.Stop != nil && st.Stop.Reason == drills.ReasonForeign && st.Stop.Incident == "Q1"; stopped != (urgency == "high") {
			t.Errorf("urgency %q: stop %+v, outcome %s", urgency, st.Stop, st.Outcome)
		}
	}
}
