package drills

import (
	"slices"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// noteState is one note on an incident as the journal knows it. A log entry tells of its writing alone, and names no
// note: the two are known for the same by their author and their second.
type noteState struct {
	at      time.Time // the pager's clock
	told    time.Time // our clock: when the journal was told of it
	entry   string    // what told of it first
	user    string
	by      string // the user's name
	human   *bool
	text    string
	asks    []string // the commands that it holds
	deleted bool
}

// sameNote is how far the stamps of a note and of its log entry may be apart.
const sameNote = 1500 * time.Millisecond

func (n *noteState) is(user string, at time.Time) bool {
	return n.user == user && !n.at.IsZero() && n.at.Sub(at).Abs() <= sameNote
}

// hasNote says that an event tells of a note that is known by another name already.
func (in *incidentState) hasNote(e journal.Event) bool {
	return e.Kind == journal.IncidentNoted && e.Seen != nil && slices.ContainsFunc(in.notes, func(n noteState) bool {
		return n.is(e.Fact.User, e.Seen.At) && n.text == e.Fact.Text
	})
}

// note folds what is told of an incident's notes.
func (in *incidentState) note(e journal.Event) {
	at := e.At
	if e.Seen != nil {
		at = e.Seen.At
	}
	if e.Kind == journal.IncidentNoted {
		if in.hasNote(e) {
			return // by webhook and by poll at the same moment: one note
		}
		in.notes = append(in.notes, noteState{at: at, told: e.At, entry: e.Fact.Entry, user: e.Fact.User, by: e.Fact.By, human: e.Fact.Human,
			text: e.Fact.Text, asks: Commands(e.Fact.Text)})
		return
	}
	for i := range in.notes {
		n := &in.notes[i]
		if n.deleted || n.text != e.Fact.Was || !n.is(e.Fact.User, at) {
			continue
		}
		n.deleted = e.Kind == journal.IncidentNoteDeleted
		if !n.deleted {
			n.text, n.asks = e.Fact.Text, Commands(e.Fact.Text)
		}
		return
	}
}

// noteBook is what is known of an incident's notes once these events are told as well.
func noteBook(known *incidentState, events []journal.Event) []noteState {
	book := incidentState{notes: slices.Clone(known.notes)}
	for _, e := range events {
		if e.Kind == journal.IncidentNoted {
			book.note(e)
		}
	}
	return book.notes
}

// noteEvents compares an incident's notes as they stand with what is known of them: people may edit and delete them, and
// the record shows it.
func (p *Plan) noteEvents(in observe.SeenIncident, known []noteState, before time.Time) (events []journal.Event) {
	if !in.Whole {
		return nil
	}
	stands := make([]bool, len(known))
	for _, n := range in.Notes {
		user, name := p.Person(n.User, n.Name)
		e := journal.Event{Kind: journal.IncidentNoted, Seen: &journal.Seen{At: n.CreatedAt, By: "pagerduty", ErrorS: 0.5},
			Fact: journal.Fact{Incident: in.ID, Note: n.ID, User: user, By: name, Human: journal.Bool(n.Human), Text: n.Text}}
		if !before.IsZero() {
			e.Fact.LookedAt = &before
		}
		i := match(known, stands, user, n)
		if i < 0 {
			e.Fact.Entry = "note/" + n.ID
			events = append(events, e)
			continue
		}
		stands[i] = true
		if known[i].text != n.Text && n.UpdatedAt.After(n.CreatedAt) {
			e.Kind, e.Fact.Was = journal.IncidentNoteEdited, known[i].text
			events = append(events, e)
		}
	}
	if len(in.Notes) == 0 && len(known) > 0 && in.Notes == nil {
		return events // nobody has read them
	}
	for i, n := range known {
		if n.told.After(before) {
			continue // by webhook, perhaps after this look began: the next one tells
		}
		if !stands[i] && !n.deleted {
			events = append(events, journal.Event{Kind: journal.IncidentNoteDeleted, Seen: &journal.Seen{At: n.at, By: "pagerduty", ErrorS: 0.5},
				Fact: journal.Fact{Incident: in.ID, User: n.user, Was: n.text}})
		}
	}
	return events
}

// match finds a note among those that are known: the same words first, for people write several within a second.
func match(known []noteState, stands []bool, user string, n observe.IncidentNote) int {
	same := -1
	for i := range known {
		if stands[i] || known[i].deleted || !known[i].is(user, n.CreatedAt) {
			continue
		}
		if known[i].text == n.Text {
			return i
		}
		if same < 0 {
			same = i
		}
	}
	return same
}
