package timeline

import (
	"slices"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// Fold takes in a run's events one by one and can tell the timeline after each. The zero value is not ready: use New.
type Fold struct {
	run     string
	brief   journal.Brief
	planned time.Time
	events  []journal.Event // as they were recorded
	jumps   []jump          // of the runner's clock: what follows is folded on the clock that the run began on
	clocks  clocks

	faults      []*faultFold
	prepared    time.Time // first fault
	applied     time.Time // first fault
	appliedLast time.Time // last fault
	effective   *span     // first fault
	effectiveBy string
	revert      time.Time // first revert, when it began
	reverted    time.Time // first revert, when it was issued

	steady    steadyFold
	fired     []journal.Event // alarms that are watched
	probes    map[string]*probeFold
	incidents incidents
	sent      time.Time // our page was taken in by the pager
	corrected map[Name]journal.Event
	ending    ending
}

// New is a fold before the first event.
func New() *Fold {
	return &Fold{clocks: clocks{}, probes: map[string]*probeFold{}, incidents: newIncidents(), corrected: map[Name]journal.Event{}}
}

// Of tells the timeline of a run from its events; now bounds what has not happened yet.
func Of(events []journal.Event, now time.Time) Timeline {
	f := New()
	for _, e := range events {
		f.Add(e)
	}
	return f.Timeline(now)
}

// Add folds one event. An event it does not know is kept and changes nothing.
func (f *Fold) Add(e journal.Event) {
	f.events = append(f.events, e)
	e = straight(e, len(f.events)-1, f.jumps)
	if c, ok := measured(e); ok && f.parted(c) && len(jumps(f.events)) > len(f.jumps) {
		f.again()
		return
	}
	f.add(e)
}

// parted says that a clock is not where it was when it was last measured.
func (f *Fold) parted(c clockRead) bool {
	list := f.clocks[c.source]
	if len(list) == 0 {
		return false
	}
	was := list[len(list)-1]
	return (c.offset - was.offset).Abs() > least+was.err+c.err
}

// again folds everything anew: the runner's clock has jumped.
func (f *Fold) again() {
	g := New()
	var events []journal.Event
	events, g.jumps = straighten(f.events)
	for _, e := range events {
		g.add(e)
	}
	g.events = f.events
	*f = *g
}

// add folds one event, told on the clock that the run began on.
func (f *Fold) add(e journal.Event) {
	if f.run == "" {
		f.run = e.Run
	}
	switch e.Kind {
	case journal.RunPlanned:
		f.plan(e)
	case journal.ClockRead:
		if c, ok := measured(e); ok {
			f.clocks.add(c)
		}
	case journal.ProbeRead:
		f.probe(e)
	case journal.AlarmFired:
		if e.Fact.Role == journal.RoleWatch {
			f.fired = append(f.fired, e)
		}
	case journal.PageSent:
		if e.Fact.Err == "" && e.Fact.Role != roleOwner && f.sent.IsZero() {
			f.sent = e.At
		}
	case journal.Correction:
		if e.Fact.Value != nil && slices.Contains(Names(), Name(e.Fact.Instant)) {
			f.corrected[Name(e.Fact.Instant)] = e
		}
	}
	if e.Fact.Fault != "" {
		f.fault(e)
	}
	if e.Fact.Incident != "" {
		f.incidents.add(e)
	}
	f.ending.add(e)
}

// roleOwner marks the page that tells the owner what is left in place: it is for real, and no part of the drill.
const roleOwner journal.Role = "owner"

func (f *Fold) plan(e journal.Event) {
	f.planned = e.At
	if e.Fact.Brief == nil {
		return
	}
	f.brief = *e.Fact.Brief
	f.steady.labels = f.brief.Steady
	for _, b := range f.brief.Faults {
		one := f.one(b.ID)
		one.Kind, one.Target, one.Changes, one.switched = b.Kind, b.Target, b.Changes, b.Switch
	}
}

// probeFold is what a watched probe that is no alarm has read.
type probeFold struct {
	label string
	bad   *badRead
	last  time.Time // when the last look that was not bad began
}

// badRead is the first reading that was bad while the fault was in place.
type badRead struct {
	journal.Event
	last time.Time // when the last look that was not began
}

// probe folds a reading while the fault is, or is about to be, in place.
func (f *Fold) probe(e journal.Event) {
	if f.prepared.IsZero() || !f.revert.IsZero() {
		return
	}
	switch e.Fact.Role {
	case journal.RoleSteady:
		f.steady.add(e)
	case journal.RoleWatch:
		p := f.probes[e.Fact.Probe]
		if p == nil {
			p = &probeFold{label: e.Fact.Probe}
			f.probes[e.Fact.Probe] = p
		}
		switch {
		case e.Fact.Reading == "ok":
			p.last = begun(e)
		case e.Fact.Reading == "bad" && p.bad == nil && !f.applied.IsZero():
			if b := (badRead{e, p.last}); !b.span(f.clocks).hi.Before(f.prepared) { // else it rang before, for another reason
				p.bad = &b
			}
		}
	}
}

// span is when the reading turned bad. Where the source tells since when it has been so, that is its stamp, on a clock
// of its own: an alert may be told a little later than it began. Else it is when we read it, back to the look before.
func (b badRead) span(clocks clocks) span {
	e := b.Event
	if e.Seen == nil || e.Seen.At.IsZero() {
		s := exactly(e.At)
		s.lo = earlier(b.last, e)
		return s
	}
	e.Fact.LookedAt = nil
	if _, _, known := clocks.offset(e.Seen.By, e.At); !known { // only our looks bound it
		from := earlier(b.last, b.Event).Add(-told)
		e.Fact.LookedAt = &from
	}
	return place(e, clocks)
}

// told is how much later than it began a monitoring may tell of an alert, beyond lag.
const told = 5 * time.Second

// earlier is how far back a reading reaches: to the last one that was different, else to when the look began.
func earlier(last time.Time, e journal.Event) time.Time {
	if last.IsZero() && e.Fact.LookedAt != nil {
		last = *e.Fact.LookedAt
	}
	if last.IsZero() || last.After(e.At) {
		return e.At
	}
	return last
}
