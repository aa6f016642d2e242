package drills_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// A plan names each verdict before anybody is paged, to people and to the journal.
func TestWhatMayKeepAPageFromBeingHeardIsTold(t *testing.T) {
	s := newScene(t)
	s.pager.check.Risks = []observe.Risk{
		{Verdict: observe.Delayed, Why: "rule wait suspends events for 1m0s"},
		{Verdict: observe.Unread, Why: "alert grouping could not be looked at (403)"},
	}
	s.pager.check.Window = s.clock.Now().Add(5 * time.Hour) // long after the drill
	v, err := s.plan()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"delayed: rule wait suspends events for 1m0s", "unread: alert grouping could not be looked at (403)"} {
		if !slices.Contains(v.Warn, want) {
			t.Errorf("nobody says %q: %q", want, v.Warn)
		}
	}
	want := []journal.Risk{{Verdict: "delayed", Why: "rule wait suspends events for 1m0s"}, {Verdict: "unread", Why: "alert grouping could not be looked at (403)"}}
	if !slices.Equal(v.Brief.Risks, want) {
		t.Errorf("the brief has %+v", v.Brief.Risks)
	}
}

// A refused plan still says everything that was found, so that it is mended in one go.
func TestEveryRiskThatRefusesIsNamed(t *testing.T) {
	s := newScene(t)
	s.pager.check.Risks = []observe.Risk{
		{Verdict: observe.NobodyOnCall, Why: "nobody is on call", Refuses: true},
		{Verdict: observe.AutomationFires, Why: "incident workflow W starts", Refuses: true},
		{Verdict: observe.LowUrgency, Why: "support hours end"},
	}
	v, err := s.plan()
	refusedBy(t, err, "pager", false, "nobody_on_call: nobody is on call; automation_fires: incident workflow W starts")
	if strings.Contains(err.Error(), "support hours") || !slices.Contains(v.Warn, "low_urgency: support hours end") || len(v.Brief.Risks) != 3 {
		t.Errorf("%v; warnings %q; brief %+v", err, v.Warn, v.Brief.Risks)
	}
	s.untouched(t)
}
