package drills

import (
	"maps"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// telling is one thing that people are told: a note on an incident, its type, or a message in the team's channel.
type telling struct {
	key      string // names it within the run: hint/2/Q1ABC
	about    string // journal.AboutHint …; empty: the incident gets the type of a drill
	hint     int    // from 1
	incident string // a note on it; empty: a message
	text     string
	image    string
}

// toldState is how far one telling has got.
type toldState struct {
	done  bool
	tries int
	last  time.Time
}

// tellTries is how often one telling is tried: it is no part of putting back.
const tellTries = 3

// said folds what people were told. A note whose answer was lost may stand there: one is enough.
func (s *State) said(e journal.Event) {
	key := e.Fact.Key
	if key == "" {
		key = journal.AboutDrill + "/" + e.Fact.Incident // as the journals of before have it
	}
	t := s.Told[key]
	t.tries++
	t.last = e.At
	t.done = e.Fact.Err == "" || e.Kind == journal.NoteSent && !e.Fact.Definite
	s.Told[key] = t
	s.Mute = s.Mute || e.Kind == journal.NoteSent && e.Fact.Facts["status"] == statusForbidden
	if e.Kind == journal.MessageSent && s.Thread == "" {
		s.Thread = e.Fact.Thread
	}
}

// having is the state once these tellings are recorded: the courier's own, for the fold goes on meanwhile.
func (s *State) having(events []journal.Event) *State {
	after := *s
	after.Told = maps.Clone(s.Told)
	for _, e := range events {
		after.said(e)
	}
	return &after
}

// untold leaves out what is said already, and what was tried often enough or just now.
func (s *State) untold(list []telling, now time.Time) (due []telling) {
	for _, t := range list {
		known := s.Told[t.key]
		if !known.done && known.tries < tellTries && (known.tries == 0 || !now.Before(known.last.Add(pageRetry))) {
			due = append(due, t)
		}
	}
	return due
}

// tellings are what people are to be told by now, while the faults are in place: that this is a drill, as soon as they
// may know; what stands on the back of the card; hints at their times.
func (s *State) tellings(now time.Time) (list []telling) {
	if s.Stop != nil || s.Undoing {
		return nil
	}
	paged := s.pagedAt()
	if s.announced() {
		list = s.announcements()
	}
	if s.Plan.Slack != nil && !paged.IsZero() {
		if s.announced() {
			list = append(list, telling{key: journal.AboutStart, about: journal.AboutStart, text: startMessage(s)})
		}
		for i, m := range evidenceMessages(s) {
			list = append(list, telling{key: journal.AboutEvidence + "/" + itoa(i), about: journal.AboutEvidence, text: m.Text, image: m.Image})
		}
	}
	return s.routed(append(append(list, s.hints(paged, now)...), s.replies(now)...))
}

// announcements say on each of the drill's incidents that it is one. Our own page says so itself, unless people were not
// to know then.
func (s *State) announcements() (list []telling) {
	for _, id := range s.People.drill() {
		if s.People.incidents[id].role == journal.RoleWatch || s.Plan.quiet() {
			list = append(list, telling{key: journal.AboutDrill + "/" + id, about: journal.AboutDrill, incident: id, text: drillNote(s)})
		}
		if s.Plan.Type != "" {
			list = append(list, telling{key: "type/" + id, incident: id, text: s.Plan.Type})
		}
	}
	return list
}

// hints are those whose time has come, for as long as people need them, and those that somebody asked for.
func (s *State) hints(paged, now time.Time) (list []telling) {
	all, _, _ := s.People.resolved()
	needed := !paged.IsZero() && !all && !s.mitigated()
	for i, h := range s.Plan.Hints {
		on, asked := s.askedHint(i + 1)
		if !asked && (!needed || now.Before(paged.Add(h.After))) {
			continue
		}
		t := telling{about: journal.AboutHint, hint: i + 1, text: hintMessage(s, i)}
		for _, id := range s.People.drill() {
			if !asked && !s.People.incidents[id].resolved {
				on = id
				break
			}
		}
		if on != "" {
			t.key, t.incident = journal.AboutHint+"/"+itoa(i+1)+"/note", on
			list = append(list, t)
		}
		if s.Plan.Slack != nil && !paged.IsZero() {
			t.key, t.incident = journal.AboutHint+"/"+itoa(i+1), ""
			list = append(list, t)
		}
	}
	return list
}

// owes says that people are to be told how it ended: those whose channel or incident it was.
func (s *State) owes() bool {
	if s.Started.IsZero() {
		return false
	}
	return s.Plan.Slack != nil || len(s.People.drill()) > 0 || s.Stop != nil && (s.Stop.Incident != "" || s.Stop.Reason == ReasonNote)
}

// farewells are what people are told at the end, once everything is put back: how it went, and two questions; and on a
// real incident, what of ours was on when it came.
func (s *State) farewells(t timeline.Timeline, now time.Time) (list []telling) {
	again := ""
	if n := s.finishes(); n > 0 {
		again = "/" + itoa(n) // a run that is taken up again ends again
	}
	if s.Stop != nil && s.Stop.Incident != "" {
		title := s.People.of(s.Stop.Incident).title
		list = append(list, telling{key: journal.AboutHandOver, about: journal.AboutHandOver, incident: s.Stop.Incident, text: handOverNote(s, title, now)})
	}
	list = append(list, s.announcements()...)
	for _, id := range s.People.drill() {
		list = append(list, telling{key: journal.AboutEnd + "/" + id + again, about: journal.AboutEnd, incident: id, text: endMessage(s, t)})
	}
	heard := s.Told[journal.AboutStart].done || len(s.People.drill()) > 0
	if s.Plan.Slack == nil || !heard {
		return s.routed(list) // whoever never heard of it is not told that it is over
	}
	if s.Stop != nil {
		list = append(list, telling{key: journal.AboutAbort, about: journal.AboutAbort, text: abortMessage(s)})
	}
	return s.routed(append(list, telling{key: journal.AboutEnd + again, about: journal.AboutEnd, text: endMessage(s, t)}))
}
