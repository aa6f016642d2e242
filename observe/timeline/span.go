package timeline

import (
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// span is where an instant lies on our clock: best guess at, surely within lo and hi.
type span struct {
	at, lo, hi time.Time
	by         string    // whose stamp it is; empty for ours
	stamp      time.Time // the source's own, middle of its second
	half       time.Duration
	moved      bool // it contradicted what must hold, and was moved to the nearest instant that does not
	fixed      bool // a person said so: it is not moved
}

func exactly(t time.Time) span { return span{at: t, lo: t, hi: t} }

// seconds converts, holding what no duration can tell.
func seconds(s float64) time.Duration {
	const longest = 1e9 // about thirty years
	if s != s {
		return 0
	}
	return time.Duration(max(-longest, min(longest, s)) * float64(time.Second))
}

// wholeSecond is half the width of a stamp that was cut to whole seconds.
const wholeSecond = 500 * time.Millisecond

// lag is how long after it happened a source may begin to tell of it: that it was not there when we looked proves only
// that it had not happened this long before.
const lag = 250 * time.Millisecond

// place puts an event on our clock. A source's stamp is corrected by the measurements of its clock around that time,
// then narrowed by our own looks: it was not there when the look before began, and there when it was recorded.
func place(e journal.Event, clocks clocks) span {
	if e.Seen == nil || e.Seen.At.IsZero() {
		s := exactly(e.At)
		if e.Kind == journal.IncidentMerged { // that it was we have seen, and not when
			s.lo = begun(e)
		}
		return s
	}
	stamp, half := stampOf(*e.Seen)
	looked := e.At
	if e.Fact.LookedAt != nil && e.Fact.LookedAt.Before(e.At) {
		looked = *e.Fact.LookedAt
	}
	offset, err, known := clocks.offset(e.Seen.By, e.At)
	if !known {
		s := unmeasured(stamp, half, looked, e.At)
		s.by, s.stamp, s.half = e.Seen.By, stamp, half // how far two of its stamps are apart is known all the same
		return s
	}
	at := stamp.Add(-offset)
	s := span{at: at, lo: at.Add(-half - err), hi: at.Add(half + err), by: e.Seen.By, stamp: stamp, half: half}
	if looked.Before(e.At) {
		s.notBefore(looked.Add(-lag))
	}
	if !pushed(e) { // else whoever wrote it has a clock of its own
		s.notAfter(e.At)
	}
	return s
}

// unmeasured is a stamp of a clock that nobody could read: only our own looks bound it.
func unmeasured(stamp time.Time, half time.Duration, looked, seen time.Time) span {
	s := span{at: stamp, lo: stamp.Add(-half), hi: seen}
	switch {
	case looked.Before(seen):
		s.lo = looked.Add(-lag)
	case stamp.After(seen):
		s.lo = seen.Add(-half)
	}
	if s.at.Before(s.lo) {
		s.at = s.lo
	}
	if s.at.After(s.hi) {
		s.at = s.hi
	}
	return s
}

// notBefore narrows: it cannot have been earlier than t. A span that lies before t whole is moved there, and keeps
// what it was as its bar.
func (s *span) notBefore(t time.Time) {
	switch {
	case s.fixed || s.moved && !s.at.Before(t) || !s.lo.Before(t):
		return
	case s.hi.Before(t):
		s.at, s.hi, s.moved = t, t, true
		return
	}
	s.lo = t
	if s.at.Before(t) {
		s.at = t
	}
}

// notAfter narrows: it cannot have been later than t.
func (s *span) notAfter(t time.Time) {
	switch {
	case s.fixed || s.moved && !s.at.After(t) || !s.hi.After(t):
		return
	case s.lo.After(t):
		s.at, s.lo, s.moved = t, t, true
		return
	}
	s.hi = t
	if s.at.After(t) {
		s.at = t
	}
}

// firstSpan is the first of two: a is, by its stamp, and where their bars meet it may have been b.
func firstSpan(a, b span) span {
	if b.lo.Before(a.lo) {
		a.lo = b.lo
	}
	if b.hi.Before(a.hi) {
		a.hi = b.hi
	}
	return a.either(b, a.stamp.Add(-a.half).Sub(b.stamp.Add(-b.half)))
}

// lastSpan is the last of two: a is, by its stamp, and where their bars meet it may have been b.
func lastSpan(a, b span) span {
	if b.lo.After(a.lo) {
		a.lo = b.lo
	}
	if b.hi.After(a.hi) {
		a.hi = b.hi
	}
	return a.either(b, b.stamp.Add(b.half).Sub(a.stamp.Add(a.half)))
}

// either keeps the best guess within the bar, and lets the stamp reach as far beyond its own as that of another does.
func (s span) either(o span, beyond time.Duration) span {
	if s.at.Before(s.lo) {
		s.at = s.lo
	}
	if s.at.After(s.hi) {
		s.at = s.hi
	}
	if s.by == o.by {
		s.half += max(0, beyond)
	}
	return s
}

// caused narrows two spans, the first of which caused the second. Effective, which is our own reading, stays: it is
// passed with anchor.
func caused(first, then *span, anchor bool) {
	if first == nil || then == nil {
		return
	}
	if (first.fixed || then.fixed) && then.hi.Before(first.lo) {
		return // a correction contradicts what was read, which stays: nobody knows how long it took from one to the other
	}
	then.notBefore(first.lo)
	if !anchor && !then.moved {
		first.notAfter(then.hi)
	}
	if !then.fixed && then.at.Before(first.at) {
		then.at = first.at
		if then.hi.Before(then.at) {
			then.hi, then.moved = then.at, true
		}
	}
}

// between is the time from one span to another, and how far the truth may be from it: the middle of what is possible,
// and half its width. It may therefore differ a little from the difference of the two instants, each of which is its
// own best guess. Two stamps of one clock share its error, so the difference between the stamps is told apart from the
// offset. What was moved contradicts something: there the instants' own difference stays, and its bar reaches all.
func between(a, b span) (d, off time.Duration) {
	d = b.at.Sub(a.at)
	least, most := b.lo.Sub(a.hi), b.hi.Sub(a.lo)
	if a.moved || b.moved {
		return d, max(d-least, most-d, 0)
	}
	least = max(least, 0)
	if a.by != "" && a.by == b.by && !a.fixed && !b.fixed {
		raw, e := b.stamp.Sub(a.stamp), a.half+b.half
		if l, m := max(least, raw-e), min(most, raw+e); l <= m { // else the clock was set between the two
			least, most = l, m
		}
	}
	if most < least {
		return d, max(d-least, most-d, 0)
	}
	d = least + (most-least)/2
	return d, most - d
}
