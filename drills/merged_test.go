package drills

import (
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// An incident of the drill that was merged goes on as the one it was merged into: who acknowledges and resolves that one
// has answered, in whatever order the run learns of it.
func TestWhoAnswersWhereItWasMergedIntoHasAnswered(t *testing.T) {
	t0 := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	event := func(kind journal.Kind, id string, after time.Duration) journal.Event {
		return journal.Event{Kind: kind, At: t0.Add(after + 2*time.Second), Seen: &journal.Seen{At: t0.Add(after), By: "pagerduty", ErrorS: 0.5},
			Fact: journal.Fact{Incident: id, Human: journal.Bool(true)}}
	}
	merged := event(journal.IncidentMerged, "Q1", 60*time.Second)
	merged.Fact.Into = "Q2"
	for name, order := range map[string][]int{"as it happened": {0, 1}, "the other one is told first": {1, 0}} {
		p := newPeople()
		for id, role := range map[string]journal.Role{"Q1": journal.RoleOurs, "Q2": journal.RoleRipple} {
			opened := event(journal.IncidentOpened, id, 0)
			opened.Fact.Role = role
			p.add(opened)
		}
		p.add(event(journal.IncidentAcknowledged, "Q2", 10*time.Second))
		if !p.acked.IsZero() {
			t.Errorf("%s: a ripple's acknowledge is none of the drill's", name)
		}
		later := []journal.Event{merged, event(journal.IncidentAcknowledged, "Q2", 63*time.Second)}
		for _, i := range order {
			p.add(later[i])
		}
		if p.acked.IsZero() {
			t.Errorf("%s: nobody has acknowledged", name)
		}
		if all, _, _ := p.resolved(); all {
			t.Errorf("%s: it is resolved by being merged", name)
		}
		p.add(event(journal.IncidentResolved, "Q2", 90*time.Second))
		if all, byHuman, _ := p.resolved(); !all || !byHuman {
			t.Errorf("%s: resolved %v, by a person %v", name, all, byHuman)
		}
	}
}

// A merge is told with the stamp of the entry that tells of it; where there is none, it was after the look before.
func TestAMergeHasATime(t *testing.T) {
	at, before := time.Date(2026, 3, 2, 10, 1, 0, 0, time.UTC), time.Date(2026, 3, 2, 10, 0, 58, 0, time.UTC)
	s := NewState("01run")
	in := observe.SeenIncident{Incident: observe.Incident{ID: "Q1", Into: "Q2"}}
	events := s.newOf(in, before, before.Add(5*time.Second))
	if len(events) != 1 || events[0].Seen != nil || events[0].Fact.LookedAt == nil || !events[0].Fact.LookedAt.Equal(before) {
		t.Errorf("without an entry: %+v", events)
	}
	in.Log = []observe.Entry{{ID: "R1", Kind: observe.EntryMerged, At: at, ErrorS: 0.5, User: "PANNA", Human: true, Into: "Q2"}}
	events = s.newOf(in, before, before.Add(5*time.Second))
	if len(events) != 1 || events[0].Kind != journal.IncidentMerged || events[0].Seen == nil || !events[0].Seen.At.Equal(at) || events[0].Fact.Into != "Q2" {
		t.Errorf("with its entry: %+v", events)
	}
}
