package drills

import (
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// people is what the pager told of the drill's incidents: enough to decide whether to go on.
type people struct {
	incidents map[string]*incidentState
	order     []string
	entries   map[string]bool // log entries in the journal already
	detected  bool            // a watched alarm fired, or their monitoring opened an incident that matches
	acked     time.Time       // first human acknowledge
}

type incidentState struct {
	role     journal.Role
	title    string
	resolved bool
	byHuman  bool // the last resolve
	resolves time.Time
	noted    bool // our note stands on it
	noteTry  int
}

func newPeople() people {
	return people{incidents: map[string]*incidentState{}, entries: map[string]bool{}}
}

// add folds the events about incidents; all others pass by.
func (p *people) add(e journal.Event) {
	id := e.Fact.Incident
	if id == "" {
		return
	}
	if e.Fact.Entry != "" {
		p.entries[e.Fact.Entry] = true
	}
	in := p.incidents[id]
	if in == nil {
		in = &incidentState{role: journal.RoleOther}
		p.incidents[id] = in
		p.order = append(p.order, id)
	}
	human := e.Fact.Human != nil && *e.Fact.Human
	switch e.Kind {
	case journal.IncidentOpened:
		in.role, in.title = e.Fact.Role, e.Fact.Title
		p.detected = p.detected || in.role == journal.RoleWatch
	case journal.IncidentAcknowledged:
		in.resolved = false
		if human && in.ours() && p.acked.IsZero() {
			p.acked = e.At
		}
	case journal.IncidentResolved:
		in.resolved, in.byHuman, in.resolves = true, human, e.At
	case journal.NoteSent:
		in.noteTry++
		in.noted = e.Fact.Err == "" || !e.Fact.Definite // it may stand there: one note is enough
	}
}

// ours says that the incident belongs to the drill: our page, or their monitoring's.
func (in *incidentState) ours() bool {
	return in.role == journal.RoleOurs || in.role == journal.RoleWatch
}

// resolved says how the drill's incidents stand: all resolved, the last of them by a person or not, and since when.
func (p *people) resolved() (all, byHuman bool, since time.Time) {
	for _, id := range p.order {
		in := p.incidents[id]
		if !in.ours() {
			continue
		}
		if !in.resolved {
			return false, false, time.Time{}
		}
		all, byHuman = true, byHuman || in.byHuman
		if in.resolves.After(since) {
			since = in.resolves
		}
	}
	return all, byHuman, since
}

// told says that their monitoring has opened an incident of the drill: an alarm that reaches nobody is no page.
func (p *people) told() bool {
	for _, in := range p.incidents {
		if in.role == journal.RoleWatch {
			return true
		}
	}
	return false
}

// unnoted returns an incident of their monitoring that does not say yet that this is a drill.
func (p *people) unnoted() (id string, try int, ok bool) {
	for _, id := range p.order {
		if in := p.incidents[id]; in.role == journal.RoleWatch && !in.noted && in.noteTry < 3 {
			return id, in.noteTry, true
		}
	}
	return "", 0, false
}
