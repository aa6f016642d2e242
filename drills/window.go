package drills

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// weekdays are the days as a window spells them, from Sunday as time.Weekday counts.
const weekdays = "sun mon tue wed thu fri sat"

// ParseWindow reads when people may be woken: days as "mon-fri" or "mon,wed,fri-sun", hours as "10:00-16:00" (or over
// midnight, "22:00-02:00": those hours belong to the day they begin on), zone as an IANA name. Its errors are one for
// each thing wrong, joined.
func ParseWindow(days, hours, zone string) (*Window, error) {
	w := &Window{Text: fmt.Sprintf("%s %s %s", days, hours, zone)}
	var wrong [3]error
	w.Days, wrong[0] = parseDays(days)
	w.From, w.To, wrong[1] = parseHours(hours)
	w.Zone, wrong[2] = parseZone(zone)
	if err := errors.Join(wrong[:]...); err != nil {
		return nil, err
	}
	return w, nil
}

func parseDays(text string) (map[time.Weekday]bool, error) {
	days := map[time.Weekday]bool{}
	for _, part := range strings.Split(text, ",") {
		first, last, span := strings.Cut(strings.TrimSpace(part), "-")
		from, ok := weekday(first)
		to := from
		if span && ok {
			to, ok = weekday(last)
		}
		if !ok {
			return nil, fmt.Errorf("days %q are not days such as mon-fri or mon,wed,fri", text)
		}
		for d := from; ; d = (d + 1) % 7 {
			days[d] = true
			if d == to {
				break
			}
		}
	}
	return days, nil
}

func weekday(name string) (time.Weekday, bool) {
	i := slices.Index(strings.Fields(weekdays), strings.ToLower(strings.TrimSpace(name)))
	return time.Weekday(max(i, 0)), i >= 0
}

func parseHours(text string) (from, to time.Duration, err error) {
	first, last, _ := strings.Cut(text, "-")
	from, ok1 := clockTime(strings.TrimSpace(first))
	to, ok2 := clockTime(strings.TrimSpace(last))
	switch {
	case !ok1 || !ok2 || from == 24*time.Hour:
		return 0, 0, fmt.Errorf("hours %q are not hours such as 10:00-16:00", text)
	case from == to:
		return 0, 0, fmt.Errorf("hours %q are no time at all: 00:00-24:00 is a whole day", text)
	}
	return from, to, nil
}

// clockTime reads 00:00 to 24:00.
func clockTime(text string) (time.Duration, bool) {
	if text == "24:00" {
		return 24 * time.Hour, true
	}
	t, err := time.Parse("15:04", text)
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, err == nil
}

func parseZone(name string) (*time.Location, error) {
	if name == "" || strings.EqualFold(name, "local") {
		return nil, fmt.Errorf("zone %q is not the same on every machine: name one such as Europe/Berlin or UTC", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("zone %q is not a time zone such as Europe/Berlin or UTC", name)
	}
	return zone, nil
}

// Open says whether people may be woken now, and when that changes next: the end of the window that is open, else the
// beginning of the next one; zero when it never changes. The clock on the wall in the window's zone decides: an hour
// that comes twice is inside twice, one that is skipped is never inside.
func (w *Window) Open(now time.Time) (open bool, next time.Time) {
	open = w.holds(now)
	for _, at := range w.edges(now) {
		if at.After(now) && w.holds(at) != open && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return open, next
}

// holds compares the wall clock with the hours.
func (w *Window) holds(t time.Time) bool {
	t = t.In(w.Zone)
	hour, minute, second := t.Clock()
	clock := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	today, yesterday := w.Days[t.Weekday()], w.Days[(t.Weekday()+6)%7]
	if w.From < w.To {
		return today && clock >= w.From && clock < w.To
	}
	return today && clock >= w.From || yesterday && clock < w.To
}

// edges lists every instant of the next nine days at which holds may change: the hours' ends and midnights, under
// each offset that the zone has in that time, and the moments the offset changes.
func (w *Window) edges(now time.Time) []time.Time {
	const days = 9
	var out []time.Time
	offsets := map[int]bool{}
	end := now.AddDate(0, 0, days)
	for t := now.AddDate(0, 0, -1).In(w.Zone); ; {
		_, offset := t.Zone()
		offsets[offset] = true
		_, change := t.ZoneBounds()
		if change.IsZero() || change.After(end) {
			break
		}
		out = append(out, change)
		t = change
	}
	y, m, d := now.In(w.Zone).Date()
	for day := -1; day <= days; day++ {
		for offset := range offsets {
			midnight := time.Date(y, m, d+day, 0, 0, 0, 0, time.UTC).Add(-time.Duration(offset) * time.Second)
			out = append(out, midnight, midnight.Add(w.From), midnight.Add(w.To))
		}
	}
	return out
}
