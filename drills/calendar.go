package drills

import (
	"fmt"
	"slices"
	"time"
)

// horizonDays is how far ahead calendars are read: what comes every year has come once by then.
const horizonDays = 400

// Calendar is when an environment allows drills: inside its window, and on none of its days off. Everything about it is
// a function of the time that is asked about.
type Calendar struct {
	window *Window // nil: always, as in the sandbox
	off    []DayOff
}

// DayOff is a time in which nothing is drilled, from From to right before To.
type DayOff struct {
	From, To time.Time
	What     string // "Christmas", as people wrote it; may be empty
	Source   string // the calendar it stands in; empty: a freeze of the environment file
	Freeze   bool
}

// Span is a time from From to right before To.
type Span struct{ From, To time.Time }

// NewCalendar is the calendar of an environment's window alone: Freeze and Holiday take days off.
func NewCalendar(env *Environment) *Calendar { return &Calendar{window: env.Window} }

// Zone is the window's time zone, UTC where there is no window.
func (c *Calendar) Zone() *time.Location {
	if c.window == nil || c.window.Zone == nil {
		return time.UTC
	}
	return c.window.Zone
}

// Freeze takes the days of freezes off, both ends included.
func (c *Calendar) Freeze(freezes []Freeze) error {
	for _, f := range freezes {
		from, to, err := f.days()
		if err != nil {
			return err
		}
		c.off = append(c.off, DayOff{From: midnight(from, c.Zone()), To: midnight(to.AddDate(0, 0, 1), c.Zone()), What: f.Why, Freeze: true})
	}
	return nil
}

// Holiday takes days off.
func (c *Calendar) Holiday(days []DayOff) { c.off = append(c.off, days...) }

// takesOff says whether any of the days is still to come, or is on.
func (c *Calendar) takesOff(days []DayOff, now time.Time) bool {
	return slices.ContainsFunc(days, func(d DayOff) bool { return d.To.After(now) })
}

// days reads the first and the last day of a freeze, as midnights of UTC: only their dates count.
func (f Freeze) days() (from, to time.Time, err error) {
	if from, err = time.Parse(time.DateOnly, f.From); err == nil {
		to, err = time.Parse(time.DateOnly, f.To)
	}
	switch {
	case err != nil:
		return from, to, fmt.Errorf("the freeze %q to %q has no days such as 2026-12-20", f.From, f.To)
	case to.Before(from):
		return from, to, fmt.Errorf("the freeze from %s ends before it begins, on %s", f.From, f.To)
	}
	return from, to, nil
}

// midnight is the instant at which a date begins in a zone: the earlier one where the clock shows midnight twice, and
// the moment the clocks go forward where it never does.
func midnight(date time.Time, zone *time.Location) time.Time {
	y, m, d := date.Date()
	wall := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	var first time.Time
	for _, near := range []time.Time{wall.AddDate(0, 0, -1), wall.AddDate(0, 0, 1)} {
		_, offset := near.In(zone).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		if h, min, s := at.Clock(); h+min+s == 0 && at.Day() == d && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if first.IsZero() { // midnight is skipped: the day begins when the clocks have gone forward
		_, first = wall.AddDate(0, 0, -1).In(zone).ZoneBounds()
	}
	return first.In(zone)
}

// OffAt is the day off at a time, the one that ends last; nil where there is none.
func (c *Calendar) OffAt(t time.Time) (off *DayOff) {
	for i := range c.off {
		if d := &c.off[i]; !t.Before(d.From) && t.Before(d.To) && (off == nil || d.To.After(off.To)) {
			off = d
		}
	}
	return off
}

// holds says whether drills are allowed at a time.
func (c *Calendar) holds(t time.Time) bool {
	return (c.window == nil || c.window.holds(t)) && c.OffAt(t) == nil
}

// Open says whether drills are allowed now, and when that changes next; zero when it does not within what was read of
// the calendars.
func (c *Calendar) Open(now time.Time) (open bool, next time.Time) {
	open = c.holds(now)
	for t := c.edge(now); !t.IsZero() && !t.After(now.AddDate(0, 0, horizonDays)); t = c.edge(t) {
		if c.holds(t) != open {
			return open, t.In(c.Zone())
		}
	}
	return open, time.Time{}
}

// Next is the first instant from a time on at which drills are allowed; zero where there is none within what was read
// of the calendars.
func (c *Calendar) Next(from time.Time) time.Time {
	if open, next := c.Open(from); !open {
		return next
	}
	return from.In(c.Zone())
}

// edge is the next instant after t at which holds may change; zero: none. Inside a day off nothing changes before its end.
func (c *Calendar) edge(t time.Time) (next time.Time) {
	if off := c.OffAt(t); off != nil {
		return off.To
	}
	if c.window != nil {
		_, next = c.window.Open(t)
	}
	for _, d := range c.off {
		if d.From.After(t) && (next.IsZero() || d.From.Before(next)) {
			next = d.From
		}
	}
	return next
}

// everOpens says whether the window ever opens, whatever is taken off.
func (c *Calendar) everOpens(now time.Time) bool {
	if c.window == nil {
		return true
	}
	open, next := c.window.Open(now)
	return open || !next.IsZero()
}

// Spans are the times between two at which drills are allowed, in order.
func (c *Calendar) Spans(from, to time.Time) (open []Span) {
	for t := c.Next(from); !t.IsZero() && t.Before(to); {
		_, end := c.Open(t)
		if end.IsZero() || end.After(to) {
			end = to
		}
		open = append(open, Span{t, end})
		t = c.Next(end)
	}
	return open
}

// Moment picks one of the instants between two at which drills are allowed, each as likely as any other; false: there
// is none. below returns a number from 0 to n-1, n excluded, each as likely.
func (c *Calendar) Moment(from, to time.Time, below func(n int64) int64) (time.Time, bool) {
	spans, total := c.Spans(from, to), time.Duration(0)
	for _, s := range spans {
		total += s.To.Sub(s.From)
	}
	if total <= 0 {
		return time.Time{}, false
	}
	at := time.Duration(below(int64(total)))
	for _, s := range spans {
		if length := s.To.Sub(s.From); at < length {
			return s.From.Add(at), true
		} else {
			at -= length
		}
	}
	return time.Time{}, false // never: at is below the sum
}

// days tells a day off for people: a date, two, or two times where it is not of whole days.
func (d DayOff) days() string {
	first, last := d.From, d.To.Add(-time.Nanosecond)
	switch {
	case !d.From.Equal(midnight(d.From, d.From.Location())) || !d.To.Equal(midnight(d.To, d.To.Location())):
		return clockText(first) + " to " + clockText(d.To)
	case first.Format(time.DateOnly) == last.Format(time.DateOnly):
		return first.Format("Mon 2 Jan")
	}
	return first.Format("Mon 2 Jan") + " to " + last.Format("Mon 2 Jan")
}

// clockText is an instant on the clock of its own zone, and of UTC where that is another.
func clockText(t time.Time) string {
	text := t.Format("Mon 2 Jan 15:04 MST")
	name, offset := t.Zone()
	if u := t.UTC(); name != "UTC" {
		text += " (" + u.Format("15:04 UTC") + ")"
		if offset != 0 && u.Day() != t.Day() {
			text = t.Format("Mon 2 Jan 15:04 MST") + " (" + u.Format("Mon 2 Jan 15:04 UTC") + ")"
		}
	}
	return text
}
