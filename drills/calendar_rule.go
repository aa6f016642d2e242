package drills

import (
	"context"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// daysOff are the days off of all events that touch the time that was asked about.
func (r *calendarReader) daysOff(ctx context.Context) (days []DayOff, err error) {
	instead := map[string][]stamp{}
	for _, e := range r.all {
		if e.instead != nil {
			instead[e.uid] = append(instead[e.uid], *e.instead)
		}
	}
	for _, e := range r.all {
		if e.cancelled {
			continue
		}
		if e.instead == nil {
			e.but = append(e.but, instead[e.uid]...)
		}
		for _, wall := range r.walls(ctx, e) {
			if off := r.dayOff(e, wall); off.To.After(off.From) && off.To.After(r.from) && off.From.Before(r.to) {
				days = append(days, off)
			}
		}
		if r.err == nil && len(days) > maxDaysOff {
			r.wrong(e.line, "keep holidays in a calendar of their own", "more than %d days off within %d days", maxDaysOff, horizonDays)
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	return days, nil
}

// dayOff is an event that begins at a wall time.
func (r *calendarReader) dayOff(e *event, wall time.Time) DayOff {
	from := e.start.on(wall, r.zone)
	off := DayOff{From: from.In(r.zone), To: from.Add(e.lasts).In(r.zone), What: e.name, Source: r.source}
	if e.start.date {
		off.To = midnight(wall.AddDate(0, 0, e.days), r.zone)
	}
	return off
}

// walls are the wall times at which an event begins: its own, those of its rules, those it names, and none of those it
// excludes.
func (r *calendarReader) walls(ctx context.Context, e *event) (list []time.Time) {
	without := map[time.Time]bool{}
	for _, s := range e.but {
		without[r.wallOf(e, s)] = true
	}
	add := func(wall time.Time) {
		if !without[wall] {
			without[wall] = true
			list = append(list, wall)
		}
	}
	add(e.start.wall)
	for _, rule := range e.rules {
		for _, wall := range r.ruled(ctx, e, rule) {
			add(wall)
		}
	}
	for _, s := range e.also {
		add(r.wallOf(e, s))
	}
	return list
}

// wallOf is a date or time on the event's own clock.
func (r *calendarReader) wallOf(e *event, s stamp) time.Time {
	switch {
	case e.start.date:
		return s.wall.Truncate(day)
	case s.date:
		return s.wall.Add(e.start.wall.Sub(e.start.wall.Truncate(day)))
	}
	zone := r.zone
	if e.start.zone != nil {
		zone = e.start.zone
	}
	return asWall(s.instant(r.zone).In(zone))
}

// asWall is what a clock shows, as if it were UTC: rules are about the clock on the wall.
func asWall(t time.Time) time.Time {
	y, m, d := t.Date()
	hour, minute, second := t.Clock()
	return time.Date(y, m, d, hour, minute, second, 0, time.UTC)
}

// ruled follows a rule until the end of what was asked about. Rules of holidays are of days, months or years: what comes
// more often, or hardly ever, is nobody's holiday and could be followed for ever.
func (r *calendarReader) ruled(ctx context.Context, e *event, rule string) (list []time.Time) {
	opt, err := r.option(e, rule)
	if err != nil || r.err != nil {
		if err != nil {
			r.wrong(e.line, "RRULE:FREQ=YEARLY", "RRULE %q cannot be followed: %v", rule, err)
		}
		return nil
	}
	last := asWall(r.to.In(r.zone)).Add(2 * day) // some zones are a day ahead of others
	first := asWall(r.from.In(r.zone)).Add(-2*day - max(e.lasts, time.Duration(e.days)*day))
	if opt.Dtstart.After(last) || r.err != nil {
		return nil
	}
	if opt.Until.IsZero() || opt.Until.After(last) {
		opt.Until = last
	}
	// The calendar repeats itself every 400 years, weekdays too. A rule that nothing is ever of is followed until the
	// library's last year: from here that is not far.
	shift := (rrule.MAXYEAR - last.Year() - 1) / 400 * 400
	opt.Dtstart, opt.Until = opt.Dtstart.AddDate(shift, 0, 0), opt.Until.AddDate(shift, 0, 0)
	made, err := rrule.NewRRule(*opt)
	if err != nil {
		r.wrong(e.line, "RRULE:FREQ=YEARLY", "RRULE %q cannot be followed: %v", rule, err)
		return nil
	}
	next := made.Iterator()
	for {
		at, ok := next()
		if ctx.Err() != nil { // each step is short, but there may be many rules that come to nothing
			r.wrong(e.line, "keep holidays in a calendar of their own", "its rules take too long to follow")
			return nil
		}
		if at = at.AddDate(-shift, 0, 0); !ok || at.After(last) {
			return list
		}
		if r.steps++; r.steps > 10*maxDaysOff {
			r.wrong(e.line, "keep holidays in a calendar of their own", "its rules have more than %d days", 10*maxDaysOff)
			return nil
		}
		if !at.Before(first) {
			list = append(list, at)
		}
	}
}

// option reads a rule: https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10
func (r *calendarReader) option(e *event, rule string) (*rrule.ROption, error) {
	opt, err := rrule.StrToROption(strings.TrimSpace(rule))
	if err != nil {
		return nil, err
	}
	const try = "RRULE:FREQ=YEARLY"
	switch {
	case opt.Freq > rrule.DAILY || len(opt.Byhour)+len(opt.Byminute)+len(opt.Bysecond) > 0:
		r.wrong(e.line, try, "RRULE %q comes more often than once a day", rule)
	case opt.Interval > 1000:
		r.wrong(e.line, try, "RRULE %q comes every %d times only", rule, opt.Interval)
	case len(opt.Byeaster) > 0:
		r.wrong(e.line, try, "RRULE %q has a part that is none of iCalendar's", rule)
	}
	opt.Dtstart = e.start.wall
	if !opt.Until.IsZero() {
		opt.Until = r.until(e, rule, opt.Until)
	}
	return opt, nil
}

// until is the last moment of a rule on the event's own clock: of a date, its end.
func (r *calendarReader) until(e *event, rule string, at time.Time) time.Time {
	_, text, _ := strings.Cut(strings.ToUpper(rule), "UNTIL=")
	text, _, _ = strings.Cut(text, ";")
	utc := strings.HasSuffix(text, "Z")
	switch {
	case len(strings.TrimSpace(text)) == len("20060102"), e.start.date:
		if local := asWall(at.In(r.zone)); utc && local.After(at) { // a program's way to tell the midnight of a day
			at = local
		}
		return at.Truncate(day).Add(day - time.Second)
	case utc:
		return r.wallOf(e, stamp{wall: asWall(at), zone: time.UTC})
	}
	return asWall(at)
}
