package timeline

import (
	"cmp"
	"slices"

	"github.com/firedrill/firedrill/internal/journal"
)

// incidents is what the pager told, by incident; the drill's own are those of our page and of what is watched, and
// those that one of them was merged into.
type incidents struct {
	once
	byID  map[string]*incident
	order []*incident
}

// incident is what was told of one, each fact once.
type incident struct {
	id   string
	role journal.Role
	into string // the incident that it was merged into

	opened   *journal.Event
	merged   *journal.Event
	notified []*journal.Event
	acks     []*journal.Event
	unacks   []*journal.Event
	resolves []*journal.Event
	reopens  []*journal.Event
	log      []*journal.Event // everything, in the order in which the run learned it
}

func newIncidents() incidents { return incidents{once: newOnce(), byID: map[string]*incident{}} }

func (p *incidents) one(id string) *incident {
	in := p.byID[id]
	if in == nil {
		in = &incident{id: id, role: journal.RoleOther}
		p.byID[id] = in
		p.order = append(p.order, in)
	}
	return in
}

func (p *incidents) add(e journal.Event) {
	in := p.one(e.Fact.Incident)
	fact, fresh := p.take(e)
	if !fresh {
		return
	}
	in.log = append(in.log, fact)
	switch e.Kind {
	case journal.IncidentOpened:
		in.role = e.Fact.Role
		if in.opened == nil {
			in.opened = fact
		}
	case journal.IncidentNotified:
		in.notified = append(in.notified, fact)
	case journal.IncidentAcknowledged:
		in.acks = append(in.acks, fact)
	case journal.IncidentUnacknowledged:
		in.unacks = append(in.unacks, fact)
	case journal.IncidentResolved:
		in.resolves = append(in.resolves, fact)
	case journal.IncidentReopened:
		in.reopens = append(in.reopens, fact)
	case journal.IncidentMerged:
		in.merged, in.into = fact, cmp.Or(e.Fact.Into, in.into)
	}
}

// own says that an incident is of our page, or of what is watched.
func (in *incident) own() bool {
	return in.role == journal.RoleOurs || in.role == journal.RoleWatch
}

// drill lists the incidents that belong to the drill, and what they were merged into.
func (p *incidents) drill() (out []*incident) {
	add := func(in *incident) {
		if in != nil && !slices.Contains(out, in) {
			out = append(out, in)
		}
	}
	for _, in := range p.order {
		if in.own() {
			add(in)
		}
	}
	for i := 0; i < len(out); i++ {
		if id := out[i].into; id != "" && id != out[i].id {
			add(p.byID[id])
		}
	}
	return out
}

func human(e journal.Event) bool { return e.Fact.Human != nil && *e.Fact.Human }

// machine says that it is known that no person did it.
func machine(e journal.Event) bool { return e.Fact.Human != nil && !*e.Fact.Human }

// who names the person or the tool behind an event.
func who(e journal.Event) string { return cmp.Or(e.Fact.By, e.Fact.User) }

// found is an instant with its place on our clock.
type found struct {
	span
	by string
	in *incident
}

func (f *Fold) place(e *journal.Event) span { return place(*e, f.clocks) }

// since is when an incident became one of the drill's: where another was merged into it, when that was.
func (f *Fold) since(in *incident) (s span, late bool) {
	if in.own() {
		return s, false
	}
	for _, x := range f.incidents.order {
		if x.into == in.id && x.own() && x.merged != nil {
			if m := f.place(x.merged); !late || m.at.Before(s.at) {
				s, late = m, true
			}
		}
	}
	return s, late
}

// earliest picks the first of the events that count.
func (f *Fold) earliest(in *incident, events []*journal.Event, counts func(journal.Event) bool, best *found) *found {
	since, late := f.since(in)
	for _, e := range events {
		s := f.place(e)
		if late && s.hi.Before(since.lo) {
			continue // it was none of ours then
		}
		switch {
		case !counts(*e):
		case best == nil:
			best = &found{span: s, by: who(*e), in: in}
		case s.at.Before(best.at):
			best = &found{span: firstSpan(s, best.span), by: who(*e), in: in}
		default:
			best.span = firstSpan(best.span, s)
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
// person is known to have done it. One that was merged into another is resolved with that one.
func (f *Fold) resolved() (last *found, unknown bool) {
	all := f.incidents.drill()
	for _, in := range all {
		if target := f.incidents.byID[in.into]; target != nil && target != in {
			continue
		}
		s, byHuman, ok := f.closed(in)
		if !ok {
			return nil, false
		}
		switch {
		case byHuman == nil:
		case last == nil:
			last = &found{span: s, by: who(*byHuman), in: in}
		case last.at.Before(s.at):
			last = &found{span: lastSpan(s, last.span), by: who(*byHuman), in: in}
		default:
			last.span = lastSpan(last.span, s)
		}
	}
	return last, last == nil && len(all) > 0
}

// closed says that an incident is resolved, and by which person last.
func (f *Fold) closed(in *incident) (s span, byHuman *journal.Event, ok bool) {
	for _, e := range in.resolves {
		r := f.place(e)
		if f.takenUp(in, r) {
			continue
		}
		ok = true
		switch {
		case !human(*e):
		case byHuman == nil:
			s, byHuman = r, e
		case s.at.Before(r.at):
			s, byHuman = lastSpan(r, s), e
		default:
			s = lastSpan(s, r)
		}
	}
	return s, byHuman, ok
}

// takenUp says that somebody took an incident up again after a resolve. Where the stamps do not tell them apart, an
// acknowledge came before it.
func (f *Fold) takenUp(in *incident, resolved span) bool {
	return slices.ContainsFunc(in.reopens, func(e *journal.Event) bool { return !f.place(e).at.Before(resolved.at) }) ||
		slices.ContainsFunc(in.acks, func(e *journal.Event) bool {
			a := f.place(e)
			if a.by == "" || a.by != resolved.by {
				return a.at.After(resolved.at)
			}
			return a.stamp.After(resolved.stamp) && a.stamp.Sub(resolved.stamp) >= a.half+resolved.half
		})
}

// answered says that a person has reacted to an incident of the drill.
func (f *Fold) answered() bool {
	for _, in := range f.incidents.drill() {
		if slices.ContainsFunc(slices.Concat(in.acks, in.resolves), func(e *journal.Event) bool { return human(*e) }) {
			return true
		}
	}
	return false
}
