package drills_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// Where the environment asks for it, a journal knows people by pseudonyms alone: the same throughout a run.
func TestJournalKnowsPeopleByPseudonyms(t *testing.T) {
	for _, people := range []string{"", drills.PeopleNamed, drills.PeoplePseudonyms} {
		s := newStage(t)
		d := s.staffed(drills.PageDirect)
		s.plan.People = people
		s.plan.Expect = drills.Expect{Acknowledge: time.Minute, Resolve: 4 * time.Minute}
		e := d.at(s.engine(1))
		p := s.onCall(d, notified(map[time.Duration]observe.EntryKind{20 * time.Second: observe.EntryAcknowledged, 40 * time.Second: observe.EntryResolved}))
		p.notes = func(since time.Duration) []observe.IncidentNote {
			return []observe.IncidentNote{{ID: "N1", User: "PX", Name: "Ada", Human: true, Text: "looking", CreatedAt: d.pages(ourPage)[0].Add(time.Second)}}
		}
		e.Steps.World.Notebook = p
		st, err := s.start(context.Background(), e)
		s.check(t, st, err)
		raw, err := json.Marshal(st.Events)
		if err != nil {
			t.Fatal(err)
		}
		named := strings.Contains(string(raw), "Ada") || strings.Contains(string(raw), `"PX"`)
		if hidden := people == drills.PeoplePseudonyms; named == hidden {
			t.Errorf("people: %q, and the journal names them: %v", people, named)
		}
		seen := map[string]bool{}
		for _, e := range st.Events {
			if e.Kind == journal.IncidentNotified || e.Kind == journal.IncidentAcknowledged || e.Kind == journal.IncidentNoted {
				seen[e.Fact.User+" "+e.Fact.By] = true
			}
		}
		if len(seen) != 1 || seen[" "] {
			t.Errorf("people: %q: one person stands there as %v", people, seen)
		}
	}
}

// In another run a person is another pseudonym: nobody's record is kept from drill to drill.
func TestPseudonymsDifferFromRunToRun(t *testing.T) {
	a, b := &drills.Plan{Run: "01a", People: drills.PeoplePseudonyms}, &drills.Plan{Run: "01b", People: drills.PeoplePseudonyms}
	one, shown := a.Person("PX", "Ada")
	again, _ := a.Person("PX", "Ada")
	two, _ := b.Person("PX", "Ada")
	other, _ := a.Person("PY", "Bob")
	if one != again || one == two || one == other || strings.Contains(shown, "Ada") {
		t.Error(one, again, two, other, shown)
	}
	if user, name := a.Person("", ""); user != "" || name != "" {
		t.Error("nobody has a pseudonym:", user, name)
	}
}
