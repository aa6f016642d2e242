package timeline

import (
	"cmp"

	"github.com/firedrill/firedrill/internal/journal"
)

// incidents is what the pager told, by incident; the drill's own are those of our page and of what is watched.
type incidents struct {
	byID  map[string]*incident
	order []*incident
}

type incident struct {
	role     journal.Role
	opened   *journal.Event
	notified []journal.Event
	acks     []journal.Event
	resolves []journal.Event
}

func newIncidents() incidents { return incidents{byID: map[string]*incident{}} }

func (p *incidents) add(e journal.Event) {
	in := p.byID[e.Fact.Incident]
	if in == nil {
		in = &incident{role: journal.RoleOther}
		p.byID[e.Fact.Incident] = in
		p.order = append(p.order, in)
	}
	switch e.Kind {
	case journal.IncidentOpened:
		in.role = e.Fact.Role
		if in.opened == nil {
			in.opened = &e
		}
	case journal.IncidentNotified:
		in.notified = append(in.notified, e)
	case journal.IncidentAcknowledged:
		in.acks = append(in.acks, e)
	case journal.IncidentResolved:
		in.resolves = append(in.resolves, e)
	}
}

// drill lists the incidents that belong to the drill.
func (p *incidents) drill() (out []*incident) {
	for _, in := range p.order {
		if in.role == journal.RoleOurs || in.role == journal.RoleWatch {
			out = append(out, in)
		}
	}
	return out
}

func human(e journal.Event) bool { return e.Fact.Human != nil && *e.Fact.Human }

// who names the person or the tool behind an event.
func who(e journal.Event) string { return cmp.Or(e.Fact.By, e.Fact.User) }

// found is an instant with its place on our clock.
type found struct {
	span
	by string
	in *incident
}

// earliest picks the first of the events that count.
func (f *Fold) earliest(in *incident, events []journal.Event, counts func(journal.Event) bool, best *found) *found {
	for _, e := range events {
		if s := place(e, f.clocks); counts(e) && (best == nil || s.at.Before(best.at)) {
			best = &found{span: s, by: who(e), in: in}
		}
	}
	return best
}

// paged is the first successful notify to a person.
func (f *Fold) paged() (best *found) {
	for _, in := range f.incidents.drill() {
		best = f.earliest(in, in.notified, func(journal.Event) bool { return true }, best)
	}
	return best
}

// acknowledged is the first human acknowledge; unknown says that somebody did of whom nobody knows what they are.
func (f *Fold) acknowledged() (best *found, unknown bool) {
	for _, in := range f.incidents.drill() {
		best = f.earliest(in, in.acks, human, best)
		for _, e := range in.acks {
			unknown = unknown || e.Fact.Human == nil
		}
	}
	return best, unknown
}

// resolved is the last human resolve, once every incident of the drill is resolved; unknown says that all are, and no
// person is known to have done it.
func (f *Fold) resolved() (last *found, unknown bool) {
	all := f.incidents.drill()
	for _, in := range all {
		s, byHuman, ok := f.closed(in)
		if !ok {
			return nil, false
		}
		if byHuman != nil && (last == nil || last.at.Before(s.at)) {
			last = &found{span: s, by: who(*byHuman), in: in}
		}
	}
	return last, last == nil && len(all) > 0
}

// closed says that an incident is resolved, and by which person last.
func (f *Fold) closed(in *incident) (s span, byHuman *journal.Event, ok bool) {
	var reopened span
	for _, e := range in.acks {
		if a := place(e, f.clocks); a.at.After(reopened.at) {
			reopened = a
		}
	}
	for i := range in.resolves {
		r := place(in.resolves[i], f.clocks)
		if reopened.at.After(r.at) {
			continue // somebody took it up again
		}
		ok = true
		if human(in.resolves[i]) && (byHuman == nil || s.at.Before(r.at)) {
			s, byHuman = r, &in.resolves[i]
		}
	}
	return s, byHuman, ok
}

// answered says that a person has reacted to an incident of the drill.
func (f *Fold) answered() bool {
	for _, in := range f.incidents.drill() {
		for _, list := range [][]journal.Event{in.acks, in.resolves} {
			for _, e := range list {
				if human(e) {
					return true
				}
			}
		}
	}
	return false
}
