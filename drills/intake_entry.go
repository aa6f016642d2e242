package drills

import (
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// newOf is what an incident's log and notes tell that the journal does not know yet.
func (s *State) newOf(in observe.SeenIncident, before, now time.Time) (events []journal.Event) {
	known := s.People.of(in.ID)
	if in.Into != "" && known.into == "" {
		events = append(events, s.Plan.mergedEvent(in, before))
	}
	for _, entry := range in.Log {
		if s.People.entries[entry.ID] || (entry.Kind == observe.EntryMerged && (in.Into != "" || known.into != "")) {
			continue
		}
		if e, ok := s.Plan.entryEvent(in.ID, entry, before); ok && !known.hasNote(e) {
			events = append(events, e)
		}
	}
	events = append(events, s.Plan.noteEvents(in, noteBook(known, events), before)...)
	for i := range events {
		events[i].At = now
	}
	return events
}

// mergedEvent tells that an incident was merged: as the last entry of its log that tells of a merge does, else it was
// after the look before.
func (p *Plan) mergedEvent(in observe.SeenIncident, before time.Time) journal.Event {
	e := journal.Event{Kind: journal.IncidentMerged, Fact: journal.Fact{Incident: in.ID, Into: in.Into}}
	if !before.IsZero() {
		e.Fact.LookedAt = &before
	}
	for _, entry := range in.Log {
		if entry.Kind == observe.EntryMerged && entry.Into == in.Into {
			e, _ = p.entryEvent(in.ID, entry, before)
		}
	}
	return e
}

// entryKinds is what the journal calls the kinds of log entries. A trigger is told as the incident's opening; whatever
// is of no kind of ours is kept as it is.
func entryKinds() map[observe.EntryKind]journal.Kind {
	return map[observe.EntryKind]journal.Kind{
		observe.EntryNotified: journal.IncidentNotified, observe.EntryAcknowledged: journal.IncidentAcknowledged,
		observe.EntryUnacknowledged: journal.IncidentUnacknowledged, observe.EntryEscalated: journal.IncidentEscalated,
		observe.EntryReassigned: journal.IncidentReassigned, observe.EntrySnoozed: journal.IncidentSnoozed,
		observe.EntryReopened: journal.IncidentReopened, observe.EntryMerged: journal.IncidentMerged,
		observe.EntryNoted: journal.IncidentNoted, observe.EntryResolved: journal.IncidentResolved,
		observe.EntryAssigned: journal.IncidentLogged, observe.EntryOther: journal.IncidentLogged,
	}
}

// entryEvent is a log entry as the journal keeps it; false: there is nothing to keep.
func (p *Plan) entryEvent(incident string, entry observe.Entry, before time.Time) (e journal.Event, ok bool) {
	e.Kind, ok = entryKinds()[entry.Kind]
	e.Seen = &journal.Seen{At: entry.At, By: "pagerduty", ErrorS: entry.ErrorS}
	user, name := p.Person(entry.User, entry.Name)
	e.Fact = journal.Fact{Incident: incident, Entry: entry.ID, User: user, By: name, Channel: entry.Channel,
		Level: entry.Level, Text: entry.Text, Human: journal.Bool(entry.Human), Into: entry.Into, DurationS: entry.For.Seconds()}
	if e.Kind == journal.IncidentReassigned || e.Kind == journal.IncidentEscalated {
		e.Fact.Target = p.persons(entry.To)
	}
	if p.People == PeoplePseudonyms && e.Kind != journal.IncidentNoted {
		e.Fact.Text = "" // the pager names people in what it says of an entry: "Assigned to …"
	}
	if e.Kind == journal.IncidentLogged {
		e.Fact.Type = entry.Type
		if entry.At.IsZero() {
			e.Seen = nil // it proves nothing, and is kept all the same
		}
	}
	if !before.IsZero() {
		e.Fact.LookedAt = &before
	}
	return e, ok
}
