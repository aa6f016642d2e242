package drills

import (
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
	"github.com/firedrill/firedrill/observe/timeline"
)

// Whoever an incident was handed to has been called, by their name or by the pseudonym that stands for them: they did
// not turn up of themselves.
func TestWhomItWasHandedToWasCalled(t *testing.T) {
	t0 := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for _, people := range []string{"", PeoplePseudonyms} {
		p := &Plan{Run: "01run", People: people}
		var events []journal.Event
		add := func(sec int, kind observe.EntryKind, user, to string) {
			e, _ := p.entryEvent("Q1", observe.Entry{ID: string(kind), Kind: kind, At: t0.Add(time.Duration(sec) * time.Second), ErrorS: 0.5, User: user, Human: true, To: to}, time.Time{})
			e.Run, e.At = "01run", t0.Add(time.Duration(sec+1)*time.Second)
			events = append(events, e)
		}
		events = append(events, journal.Event{Run: "01run", Kind: journal.RunPlanned, At: t0, Fact: journal.Fact{Brief: &journal.Brief{PageService: "P"}}},
			journal.Event{Run: "01run", Kind: journal.IncidentOpened, At: t0, Fact: journal.Fact{Incident: "Q1", Role: journal.RoleOurs}})
		add(5, observe.EntryNotified, "PANNA", "")
		add(30, observe.EntryReassigned, "PANNA", "PBEN PCARL")
		add(60, observe.EntryAcknowledged, "PCARL", "")
		for _, a := range timeline.Of(events, t0.Add(time.Hour)).Traces()[0].Acts {
			if a.Uncalled {
				t.Errorf("%q: %s by %s is said to be uncalled", people, a.Kind, a.Name)
			}
		}
		if people != "" && strings.Contains(events[3].Fact.Target, "PBEN") {
			t.Errorf("the id of a person stands in the journal: %s", events[3].Fact.Target)
		}
	}
}
