package drills

import (
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// TestANoteThatIsPushedAndPolledIsOne: whichever comes first, and a look that began before it was pushed does not tell
// that it was deleted.
func TestANoteThatIsPushedAndPolledIsOne(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 614e6, time.UTC)
	noted := func(entry string, seen time.Time) journal.Event {
		return journal.Event{Kind: journal.IncidentNoted, At: at.Add(20 * time.Millisecond), Seen: &journal.Seen{At: seen, By: "pagerduty"},
			Fact: journal.Fact{Incident: "PINC1", Entry: entry, User: "PADA", Text: "checked the queue"}}
	}
	p := newPeople()
	p.add(noted("webhook/e1", at))
	p.add(noted("R1", at.Truncate(time.Second))) // polled at the same moment: neither knew of the other
	known := p.of("PINC1").notes
	if len(known) != 1 {
		t.Fatalf("%d notes", len(known))
	}
	plan := &Plan{}
	nothing := observe.SeenIncident{Incident: observe.Incident{ID: "PINC1"}, Notes: []observe.IncidentNote{}, Whole: true}
	if events := plan.noteEvents(nothing, known, at.Add(-time.Second)); len(events) != 0 {
		t.Errorf("a look from before tells %s", events[0].Kind)
	}
	if events := plan.noteEvents(nothing, known, at.Add(time.Second)); len(events) != 1 || events[0].Kind != journal.IncidentNoteDeleted {
		t.Errorf("a look from afterwards tells %d events", len(events))
	}
	stands := nothing
	stands.Notes = []observe.IncidentNote{{ID: "PN1", User: "PADA", Text: "checked the queue", CreatedAt: at.Truncate(time.Second)}}
	if events := plan.noteEvents(stands, known, at.Add(time.Second)); len(events) != 0 {
		t.Errorf("it stands, and %s is told", events[0].Kind)
	}
}
