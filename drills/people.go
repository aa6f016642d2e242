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
	byHuman  bool      // the last resolve
	resolves time.Time // when we learned of it
	opened   time.Time // when it was taken up last, by the pager's clock
	closed   time.Time // when it was, by the pager's clock: what comes late does not open it again
	url      string
	into     string    // id of the incident it was merged into
	merged   time.Time // when that was, by the pager's clock; zero: nobody knows
	acked    time.Time // last human acknowledge, by the pager's clock
	notes    []noteState
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
		in.role, in.title, in.url = e.Fact.Role, e.Fact.Title, e.Fact.URL
		p.detected = p.detected || in.role == journal.RoleWatch
	case journal.IncidentAcknowledged:
		in.open(stampOf(e))
		if human {
			in.acked = stampOf(e)
			p.answered(id, e.At)
		}
	case journal.IncidentResolved:
		if at := stampOf(e); !latest(e).Before(in.opened) && !at.Before(in.closed) {
			in.resolved, in.byHuman, in.resolves, in.closed = true, human, e.At, at
		}
	case journal.IncidentReopened, journal.IncidentUnacknowledged:
		in.open(stampOf(e))
	case journal.IncidentMerged:
		in.into, in.merged = e.Fact.Into, stampOf(e)
		if e.Seen == nil && e.Fact.LookedAt != nil {
			in.merged = time.Time{} // nobody knows when
		}
		p.answered(in.into, e.At)
	case journal.IncidentNoted, journal.IncidentNoteEdited, journal.IncidentNoteDeleted:
		in.note(e)
	}
}

// of is what is known of an incident; nothing yet, where it was never told of.
func (p *people) of(id string) *incidentState {
	if in := p.incidents[id]; in != nil {
		return in
	}
	return &incidentState{role: journal.RoleOther}
}

// open takes an incident for open again, unless that was before it was closed: webhooks come in any order, and within the
// second of a whole-second stamp closing comes last.
func (in *incidentState) open(at time.Time) {
	if at.After(in.closed) {
		in.resolved, in.opened = false, at
	}
}

// latest is the last instant that a stamp may mean: a whole second reaches to its end, and a webhook's millisecond within it
// is not after it.
func latest(e journal.Event) time.Time {
	if e.Seen != nil && e.Seen.ErrorS >= 0.5 && e.Seen.At.Equal(e.Seen.At.Truncate(time.Second)) {
		return e.Seen.At.Add(time.Second - time.Millisecond)
	}
	return stampOf(e)
}

// stampOf is when something happened by its source's clock, where it has one.
func stampOf(e journal.Event) time.Time {
	if e.Seen != nil {
		return e.Seen.At
	}
	return e.At
}

// ours says that the incident belongs to the drill: our page, or their monitoring's.
func (in *incidentState) ours() bool {
	return in.role == journal.RoleOurs || in.role == journal.RoleWatch
}

// answered notes that a person has acknowledged an incident of the drill, or one that such was merged into by then, as
// far as whole seconds tell.
func (p *people) answered(id string, now time.Time) {
	in := p.incidents[id]
	if in == nil || in.acked.IsZero() || !p.acked.IsZero() {
		return
	}
	counts := in.ours()
	for _, x := range p.incidents {
		counts = counts || x.ours() && x.into == id && !in.acked.Before(x.merged.Truncate(time.Second))
	}
	if counts {
		p.acked = now
	}
}

// goesOn is the incident as which one goes on: that which it was merged into.
func (p *people) goesOn(in *incidentState) *incidentState {
	for range p.order {
		next := p.incidents[in.into]
		if next == nil || next == in {
			break
		}
		in = next
	}
	return in
}

// resolved says how the drill's incidents stand: all resolved, the last of them by a person or not, and since when.
func (p *people) resolved() (all, byHuman bool, since time.Time) {
	for _, id := range p.order {
		in := p.incidents[id]
		if !in.ours() {
			continue
		}
		if in = p.goesOn(in); !in.resolved {
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

// drill lists the drill's own incidents in the order they were told of.
func (p *people) drill() (ids []string) {
	for _, id := range p.order {
		if p.incidents[id].ours() {
			ids = append(ids, id)
		}
	}
	return ids
}
