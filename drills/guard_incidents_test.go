package drills_test

import (
	"slices"
	"strings"
	"testing"
	"time"

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
