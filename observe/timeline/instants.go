package timeline

import (
	"cmp"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// sight is one telling: what was found, and why the rest was not.
type sight struct {
	*Fold
	now   time.Time
	found map[Name]*found
	why   map[Name]Reason
}

// Timeline tells the run as far as it is known; now bounds what has not happened yet.
func (f *Fold) Timeline(now time.Time) Timeline {
	steady := f.steady
	steady.seen = append([]string(nil), steady.seen...)
	steady.close()
	s := &sight{Fold: f, now: now, found: map[Name]*found{}, why: map[Name]Reason{}}
	if f.effective != nil {
		s.found[Effective] = &found{span: *f.effective, by: f.effectiveBy}
		s.people()
		s.mitigated(&steady)
	}
	s.detected()
	s.restored()
	original := map[Name]time.Time{}
	for name, e := range f.corrected {
		fixed := &found{span: typed(*e.Fact.Value)}
		if was := s.found[name]; was != nil {
			original[name], fixed.by = was.at, was.by
		}
		fixed.fixed = true
		s.found[name] = fixed
	}
	s.unsure()
	s.order()
	for _, j := range f.jumps {
		now = now.Add(-j.by)
	}
	s.now = now
	t := Timeline{Run: f.run, Brief: f.brief, Planned: f.planned, Prepared: f.prepared, Now: now,
		Faults: f.table(), Events: f.events[:len(f.events):len(f.events)]}
	for _, name := range Names() {
		i := s.instant(name)
		i.Original = original[name]
		if e := f.corrected[name]; i.Corrected {
			i.CorrectedBy, i.CorrectedWhy = cmp.Or(e.Fact.By, e.Fact.User), e.Fact.Why
		}
		t.Instants = append(t.Instants, i)
	}
	t.Intervals = s.intervals(&t)
	t.Expect = s.verdicts(&t)
	f.outcome(&t)
	return t
}

// typed is the place of a time that a person gave: who writes whole seconds means one of them.
func typed(at time.Time) span {
	s := exactly(at)
	if at.Equal(at.Truncate(time.Second)) {
		s.lo, s.hi = at.Add(-time.Second/2), at.Add(time.Second/2)
	}
	return s
}

// unsure widens the bars of what was read from our own clock after it had jumped: by how much is known no better.
func (s *sight) unsure() {
	for _, x := range s.found {
		if e := unsure(s.jumps, x.at); e > 0 && x.span.by == "" && !x.fixed {
			x.lo, x.hi = x.lo.Add(-e), x.hi.Add(e)
		}
	}
}

// Instant returns one of the seven.
func (t Timeline) Instant(name Name) Instant {
	for _, i := range t.Instants {
		if i.Name == name {
			return i
		}
	}
	return Instant{Name: name, Reason: NotYet}
}

func (s *sight) instant(name Name) Instant {
	i := Instant{Name: name}
	if x := s.found[name]; x != nil {
		i.At, i.Early, i.Late, i.By, i.Corrected = x.at, x.at.Sub(x.lo), x.hi.Sub(x.at), x.by, x.fixed
		if x.span.by != "" {
			i.Source = x.stamp
		}
		return i
	}
	i.Reason = s.why[name]
	if i.Reason == "" {
		i.Reason = NotYet
		if s.ended(name) {
			i.Reason = Censored
		}
	}
	if i.Reason == Censored {
		i.Censored = s.ending.stopped
		if name == Restored {
			i.Censored = s.ending.finished.At
		}
	}
	return i
}

// ended says that nobody looks for it any more. What is put back is looked at to the end.
func (s *sight) ended(name Name) bool {
	if name == Restored {
		return s.ending.finished != nil
	}
	return !s.ending.stopped.IsZero()
}

// detected is the earlier of a watched alarm's transition, a watched probe that read bad, and an incident of their
// monitoring: after the first fault was prepared and before anything was put back.
func (s *sight) detected() {
	switch {
	case s.brief.PageWhen == "report":
		s.why[Detected] = Reported
		return
	case len(s.brief.Watch) == 0:
		s.why[Detected] = NotWatched
		return
	}
	var best *found
	take := func(x found) {
		if !x.at.Before(s.prepared) && (s.reverted.IsZero() || x.at.Before(s.reverted)) && (best == nil || x.at.Before(best.at)) {
			best = &x
		}
	}
	for _, e := range s.fired {
		take(found{span: place(e, s.clocks), by: "alarm " + e.Fact.Alarm})
	}
	for _, p := range s.probes {
		if p.bad != nil {
			take(found{span: p.bad.span(s.clocks), by: p.label})
		}
	}
	alarm := best
	for _, in := range s.incidents.drill() {
		if in.role == journal.RoleWatch && in.opened != nil {
			take(found{span: s.place(in.opened), by: "incident " + in.opened.Fact.Title, in: in})
		}
	}
	if alarm != nil && best != alarm && !alarm.lo.After(best.hi) {
		best = alarm // the stamps do not tell them apart, and the alarm caused the incident
	}
	switch {
	case best == nil:
	case s.effective != nil:
		s.found[Detected] = best
	case s.ended(Detected):
		s.why[Detected] = Unknown // something rang, and nobody knows of what: the fault was never felt
	}
}

func (s *sight) people() {
	if x := s.paged(); x != nil {
		s.found[Paged] = x
	} else if s.brief.PageService == "" {
		s.why[Paged] = NotWatched
	}
	ack, unknown := s.acknowledged()
	if ack != nil {
		s.found[Acknowledged] = ack
	} else if unknown {
		s.why[Acknowledged] = Unknown
	}
	resolved, unknown := s.resolved()
	if resolved != nil {
		s.found[Resolved] = resolved
	} else if unknown {
		s.why[Resolved] = Unknown
	}
}

// mitigated is the first of three good rounds after a bad one. A steady state that was never bad does not watch what
// breaks: then, and where there is none, the end of the effect by another's hand counts.
func (s *sight) mitigated(steady *steadyFold) {
	switch {
	case steady.bad && steady.mitigated != nil:
		s.found[Mitigated] = &found{span: *steady.mitigated, by: "steady state"}
		return
	case steady.bad:
		return
	}
	if x := s.ceased(); x != nil {
		s.found[Mitigated] = x
		return
	}
	ended := s.ended(Mitigated)
	switch {
	case len(s.brief.Steady) == 0:
		s.why[Mitigated] = NotWatched
	case ended && !steady.felt:
		s.why[Mitigated] = Unknown // not one round could be read
	case ended:
		s.why[Mitigated] = NotFelt
	}
}

// ceased is when the last effect ceased, once all have, before anything was put back.
func (s *sight) ceased() (last *found) {
	for _, x := range s.faults {
		if x.Effective.IsZero() {
			continue
		}
		if x.ceased.IsZero() {
			return nil
		}
		if last == nil || last.at.Before(x.ceased) {
			c := exactly(x.ceased)
			if !x.lastYes.IsZero() && x.lastYes.Before(x.ceased) {
				c.lo = x.lastYes
			}
			last = &found{span: c, by: "effect of " + x.ID + " ceased"}
		}
	}
	return last
}

// restored is the last read-back, once everything that was prepared is settled.
func (s *sight) restored() {
	var last *faultFold
	for _, x := range s.faults {
		if x.State == "idle" {
			continue
		}
		if x.State != "settled" {
			return
		}
		if last == nil || last.settled.Before(x.settled) {
			last = x
		}
	}
	if last != nil {
		s.found[Restored] = &found{span: exactly(last.settled), by: last.ID}
	}
}

// order holds what causes before what it caused: effective before detected and opened, opened before paged, paged
// before acknowledged, acknowledged before resolved.
func (s *sight) order() {
	at := func(n Name) *span {
		if x := s.found[n]; x != nil {
			return &x.span
		}
		return nil
	}
	t0 := at(Effective)
	caused(t0, at(Detected), true)
	caused(t0, at(Mitigated), true)
	before := t0
	if p := s.found[Paged]; p != nil && p.in != nil && p.in.opened != nil {
		opened := s.place(p.in.opened)
		caused(t0, &opened, true)
		if d := s.found[Detected]; d != nil && p.in.role == journal.RoleWatch {
			caused(&d.span, &opened, true)
		}
		caused(&opened, &p.span, false)
		before = &opened
	}
	for _, name := range []Name{Paged, Acknowledged, Resolved} {
		caused(t0, at(name), true)
		if next := at(name); next != nil {
			caused(before, next, before == t0)
			before = next
		}
	}
	if before != t0 { // what came later may have narrowed what caused it
		caused(at(Paged), at(Acknowledged), false)
	}
}
