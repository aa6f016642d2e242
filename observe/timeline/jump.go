package timeline

import (
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// jump is a moment at which the runner's clock was set, or another machine's went on. All of a run is told on the
// clock that it began on.
type jump struct {
	event int           // the first event after it
	by    time.Duration // how much the clock gained
	err   time.Duration // how far by may be from the truth
	at    time.Time     // when, on the clock that the run began on
}

// least is what the others' clocks must have moved, beyond what measuring them can tell, for it to count as a jump.
const least = time.Second

// jumps finds where the runner's clock jumped: every other clock that was measured before and after moved by the same
// amount, and the run's own events show the gap, or run backwards.
func jumps(events []journal.Event) (all []jump) {
	type read struct {
		clockRead
		event int
	}
	last := map[string]read{}
	for i := range events {
		if events[i].Kind != journal.ClockRead {
			continue
		}
		c, ok := measured(events[i])
		if !ok {
			continue
		}
		if was, seen := last[c.source]; seen && (len(all) == 0 || all[len(all)-1].event <= was.event) {
			if j, is := jumped(events, was.clockRead, c, was.event, i); is && agreed(events, j, c.source) {
				all = append(all, j)
			}
		}
		last[c.source] = read{c, i}
	}
	return all
}

// jumped judges two measurements of one clock, the events from and to: did ours jump between them, and where?
func jumped(events []journal.Event, a, b clockRead, from, to int) (jump, bool) {
	j := jump{by: a.offset - b.offset, err: a.err + b.err}
	if j.by.Abs() <= least+j.err {
		return j, false
	}
	var extreme time.Duration
	for i := from + 1; i <= to; i++ {
		d := events[i].At.Sub(events[i-1].At)
		if j.event == 0 || (j.by > 0) == (d > extreme) && d != extreme {
			j.event, extreme = i, d
		}
	}
	return j, j.by > 0 && extreme >= j.by-j.err || j.by < 0 && extreme < 0
}

// agreed says that no other clock that was measured before and after the jump contradicts it.
func agreed(events []journal.Event, j jump, source string) bool {
	before, after := map[string]clockRead{}, map[string]clockRead{}
	for i, e := range events {
		c, ok := measured(e)
		if !ok || c.source == source {
			continue
		}
		if _, seen := after[c.source]; i < j.event {
			before[c.source] = c
		} else if !seen {
			after[c.source] = c
		}
	}
	for s, a := range after {
		if b, ok := before[s]; ok && (b.offset-a.offset-j.by).Abs() > j.err+a.err+b.err+least/2 {
			return false
		}
	}
	return true
}

// straighten tells the events on the clock that the run began on. Without a jump it is the same events.
func straighten(events []journal.Event) ([]journal.Event, []jump) {
	all := jumps(events)
	if len(all) == 0 {
		return events, nil
	}
	out := make([]journal.Event, 0, len(events))
	for i, e := range events {
		out = append(out, straight(e, i, all))
		for n := range all {
			if all[n].event == i {
				all[n].at = out[i].At
			}
		}
	}
	return out, all
}

// straight tells one event, the index-th, on the clock that the run began on. A look that it came from may have begun
// before the jump.
func straight(e journal.Event, index int, all []jump) journal.Event {
	var by, err time.Duration
	for _, j := range all {
		if index >= j.event {
			by, err = by+j.by, err+j.err
		}
	}
	if by == 0 {
		return e
	}
	e.At = e.At.Add(-by)
	if e.Kind == journal.ClockRead {
		e.Fact.OffsetS += by.Seconds()
		e.Fact.ErrorS += err.Seconds()
	}
	if e.Fact.LookedAt != nil {
		at, sum := time.Time{}, time.Duration(0)
		for n := -1; n < len(all); n++ {
			if n >= 0 {
				sum += all[n].by
			}
			if x := e.Fact.LookedAt.Add(-sum); !x.After(e.At) && x.After(at) {
				at = x
			}
		}
		if !at.IsZero() {
			e.Fact.LookedAt = &at
		}
	}
	return e
}

// unsure is how far a moment on our own clock may be off, for what jumped before it.
func unsure(all []jump, at time.Time) (err time.Duration) {
	for _, j := range all {
		if !at.Before(j.at) {
			err += j.err
		}
	}
	return err
}
