package drills

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// Webhooks come in any order, twice, and beside the log's whole seconds: an incident stands as its last event left it.
func TestIncidentStandsAsItsLastEventLeftIt(t *testing.T) {
	t0 := time.Date(2026, 3, 2, 10, 0, 0, 300e6, time.UTC)
	event := func(kind journal.Kind, after time.Duration) journal.Event {
		return journal.Event{Kind: kind, At: t0.Add(time.Hour), Seen: &journal.Seen{At: t0.Add(after)}, Fact: journal.Fact{Incident: "P1", Human: journal.Bool(true)}}
	}
	opened := journal.Event{Kind: journal.IncidentOpened, At: t0, Fact: journal.Fact{Incident: "P1", Role: journal.RoleOurs}}
	for name, row := range map[string]struct {
		events   []journal.Event
		resolved bool
	}{
		"resolved":           {[]journal.Event{event(journal.IncidentAcknowledged, time.Second), event(journal.IncidentResolved, 9*time.Second)}, true},
		"reopened":           {[]journal.Event{event(journal.IncidentResolved, 5*time.Second), event(journal.IncidentReopened, 9*time.Second)}, false},
		"resolved again":     {[]journal.Event{event(journal.IncidentResolved, 5*time.Second), event(journal.IncidentReopened, 9*time.Second), event(journal.IncidentResolved, 20*time.Second)}, true},
		"in the same second": {[]journal.Event{event(journal.IncidentAcknowledged, 5*time.Second), event(journal.IncidentResolved, 5*time.Second)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			for range 50 {
				events := append([]journal.Event(nil), row.events...)
				events = append(events, events[rand.IntN(len(events))]) // one comes twice
				rand.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
				p := newPeople()
				p.add(opened)
				for _, e := range events {
					p.add(e)
				}
				if all, _, _ := p.resolved(); all != row.resolved {
					t.Fatalf("resolved %v after %v", all, events)
				}
			}
		})
	}
}

// The acknowledgement came by webhook, to the millisecond; the resolve of the same second by polling alone: it counts.
func TestResolveOfTheSameSecondCounts(t *testing.T) {
	second := time.Date(2026, 3, 2, 10, 0, 5, 0, time.UTC)
	p := newPeople()
	p.add(journal.Event{Kind: journal.IncidentOpened, At: second, Fact: journal.Fact{Incident: "P1", Role: journal.RoleOurs}})
	p.add(journal.Event{Kind: journal.IncidentAcknowledged, At: second, Seen: &journal.Seen{At: second.Add(400 * time.Millisecond), ErrorS: 0.0005}, Fact: journal.Fact{Incident: "P1", Human: journal.Bool(true)}})
	p.add(journal.Event{Kind: journal.IncidentResolved, At: second, Seen: &journal.Seen{At: second, ErrorS: 0.5}, Fact: journal.Fact{Incident: "P1", Human: journal.Bool(true)}})
	if all, byHuman, _ := p.resolved(); !all || !byHuman {
		t.Errorf("resolved %v, by a person %v", all, byHuman)
	}
}
