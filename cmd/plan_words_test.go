package cmd

import (
	"strings"
	"testing"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/observe/debrief"
)

// The plan says what may be written on the incident, and where it is answered.
func TestPlanNamesTheRemoteControl(t *testing.T) {
	slack := &drills.PlannedSlack{Channel: "#orders-alerts"}
	for want, plan := range map[string]drills.Plan{
		"drill stop, drill hint, drill status":                                                 {Slack: slack},
		"drill stop, drill hint, drill status; answered in Slack, with everything else":        {Slack: slack, Notes: drills.NotesSlack},
		"drill stop, drill hint, drill status; answered nowhere: the team has no channel, and": {Notes: drills.NotesSlack},
	} {
		var b strings.Builder
		p := &page{w: &b, width: 400}
		p.words(&plan)
		got := strings.Join(strings.Fields(b.String()), " ") // however its lines are broken
		if at := strings.Index(got, "On the incident: "+want); at < 0 || plan.Notes == "" && strings.Contains(got, "; answered") {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}

// The wall of a debrief is whole for a machine, also where nothing stands on it.
func TestEmptyWall(t *testing.T) {
	w := wallOf(debrief.Wall{})
	if w.Crappy == nil || w.Awesome == nil || w.Actions == nil {
		t.Errorf("null in %+v", w)
	}
}
