package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/observe"
)

// checkWindow: people are woken only when they have agreed to be: inside the window, and on no holiday and in no freeze.
func (st *Steps) checkWindow(ctx context.Context, p *Plan, f *found) *Refusal {
	if st.Env.Window == nil && st.Env.Sandbox == nil {
		return refuse("window", `add e.g. window: {days: mon-fri, hours: "10:00-16:00", zone: Europe/Berlin}`, "environment %s has no window in which people may be woken", st.Env.Name)
	}
	now := st.World.Clock.Now()
	c, warn, r := st.calendar(ctx, now)
	if r != nil {
		return r
	}
	f.warn = append(f.warn, warn...)
	open, next := c.Open(now)
	if !open {
		return st.closed(ctx, c, p, now)
	}
	if end := now.Add(p.Limit); !next.IsZero() && next.Before(end) {
		f.warning("the drill may last until %s, and people may be woken until %s only: one that is on by then goes on to its end", clockText(end.In(c.Zone())), clockText(next.In(c.Zone())))
	}
	f.facts["window"] = "ok"
	if st.Env.Window == nil {
		f.facts["window"] = "always"
	}
	return nil
}

// closed is the no of a time at which people may not be woken, with the next one at which they may, by everything that
// is known now: rest after a bad night counts too, where the pager tells of one.
func (st *Steps) closed(ctx context.Context, c *Calendar, p *Plan, now time.Time) *Refusal {
	from := now
	if rest := st.restUntil(ctx, p, now); rest.After(from) {
		from = rest
	}
	next := c.Next(from)
	w := st.Env.Window
	if off := c.OffAt(now); off != nil {
		return onDayOff(off, st.Env.Name).at(next)
	}
	if next.IsZero() && !c.everOpens(now) {
		return refuse("window", "mend its days and hours", "the window of %s never opens (%s)", st.Env.Name, w.Text)
	}
	return later("window", "again then, or wait for it with --wait", "it is outside the window of %s (%s)", st.Env.Name, w.Text).at(next)
}

// onDayOff is the no of a holiday or a freeze. Where the next time lies beyond what was read of the calendars, only the
// end of this one is known, which is no promise.
func onDayOff(off *DayOff, environment string) *Refusal {
	const try = "again then, or wait for it with --wait"
	why := ""
	if off.What != "" {
		why = ": " + off.What
	}
	if off.Freeze {
		return later("freeze", try, "%s is frozen%s (%s)", environment, why, off.days())
	}
	return later("holidays", try, "it is a holiday of %s%s (%s, %s)", environment, why, off.days(), off.Source)
}

// calendarAge is how long what was read of the holidays is believed.
const calendarAge = time.Minute

// calendar reads when drills are allowed at all; holidays that cannot be read allow none.
func (st *Steps) calendar(ctx context.Context, now time.Time) (*Calendar, []string, *Refusal) {
	if st.days != nil && now.Sub(st.daysRead) < calendarAge && !now.Before(st.daysRead) {
		return st.days, st.daysWarn, nil
	}
	c := NewCalendar(st.Env)
	if err := c.Freeze(st.Env.Freezes); err != nil {
		return nil, nil, refuse("freeze", "write days as from: 2026-12-20, to: 2027-01-03", "%v", err)
	}
	var warn []string
	for _, source := range st.Env.Holidays {
		days, err := st.holidays(ctx, source, c.Zone(), now)
		if err != nil {
			return nil, nil, unreadHolidays(err)
		}
		if !c.takesOff(days, now) {
			warn = append(warn, fmt.Sprintf("%s has no day from now on within %d days: it may be of a past year", source, horizonDays))
		}
		c.Holiday(days)
	}
	st.days, st.daysWarn, st.daysRead = c, warn, now
	return c, warn, nil
}

// unreadHolidays: what does not answer may answer later, what is broken must be mended. Both refuse.
func unreadHolidays(err error) *Refusal {
	var silent *observe.SilentError
	if errors.As(err, &silent) {
		return later("holidays", "try again, or keep the calendar as a file beside firedrill.yaml", "%v", err).until("it answers")
	}
	var bad *CalendarError
	if errors.As(err, &bad) {
		return refuse("holidays", bad.Try, "%v", err)
	}
	return refuse("holidays", "check the path or address under holidays in firedrill.yaml", "%v", err)
}

// Allowed is the calendar of an environment as it stands now. It only reads.
func (st *Steps) Allowed(ctx context.Context) (*Calendar, error) {
	c, _, r := st.calendar(ctx, st.World.Clock.Now())
	if r != nil {
		return nil, r
	}
	return c, nil
}

// Surprise picks a moment within a time at which people may be woken, each as likely as any other; below returns a number
// from 0 to n, n excluded. Where there is none the refusal says when there is.
func (st *Steps) Surprise(ctx context.Context, within time.Duration, below func(n int64) int64) (time.Time, error) {
	now := st.World.Clock.Now()
	if st.Env.Window == nil && st.Env.Sandbox == nil {
		return now, st.checkWindow(ctx, &Plan{}, &found{facts: map[string]string{}})
	}
	c, _, r := st.calendar(ctx, now)
	if r != nil {
		return now, r
	}
	at, ok := c.Moment(now, now.Add(within), below)
	if !ok {
		return now, st.closed(ctx, c, &Plan{}, now)
	}
	return at, nil
}
