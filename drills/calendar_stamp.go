package drills

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-ical"
)

// stamp is a date, or a time on the clock on the wall of a zone.
type stamp struct {
	wall time.Time // its fields, as if it were UTC
	date bool
	zone *time.Location // nil: the reader's
}

func (s stamp) kind() string {
	if s.date {
		return "date"
	}
	return "time"
}

// instant is when that is.
func (s stamp) instant(zone *time.Location) time.Time { return s.on(s.wall, zone) }

// on is when another wall time of the same kind is.
func (s stamp) on(wall time.Time, zone *time.Location) time.Time {
	if s.date {
		return midnight(wall, zone)
	}
	if s.zone != nil {
		zone = s.zone
	}
	y, m, d := wall.Date()
	hour, minute, second := wall.Clock()
	return time.Date(y, m, d, hour, minute, second, 0, zone)
}

// stamps reads a list of dates or times.
func (r *calendarReader) stamps(p ical.Prop, line int) (list []stamp) {
	for value := range strings.SplitSeq(p.Value, ",") {
		list = append(list, r.stamp(p, value, line))
	}
	return list
}

// stamp reads a date or a time: https://www.rfc-editor.org/rfc/rfc5545#section-3.3.5
func (r *calendarReader) stamp(p ical.Prop, value string, line int) (s stamp) {
	value = strings.TrimSpace(value)
	var err error
	utc := strings.HasSuffix(value, "Z")
	if s.date = len(value) == len("20060102"); s.date {
		s.wall, err = time.Parse("20060102", value)
	} else {
		s.wall, err = time.Parse("20060102T150405", strings.TrimSuffix(value, "Z"))
	}
	if err != nil || s.wall.Year() < 1900 || s.wall.Year() > 2999 {
		r.wrong(line, "20261225, or 20261225T090000", "%s %q is no date and no time of this age", p.Name, value)
		return s
	}
	switch name := p.Params.Get(ical.ParamTimezoneID); {
	case s.date:
	case utc:
		s.zone = time.UTC
	case name != "":
		if s.zone, err = r.zoneOf(name); err != nil {
			r.wrong(line, "a zone such as Europe/Berlin", "%s: %v", p.Name, err)
		}
	}
	return s
}

// zonesOf are the names of zones that the file explains: many say which of the usual ones they mean.
func zonesOf(all []*ical.Component) map[string]string {
	zones := map[string]string{}
	for _, cal := range all {
		for _, z := range cal.Children {
			if id, means := z.Props.Get(ical.PropTimezoneID), z.Props.Get("X-LIC-LOCATION"); z.Name == ical.CompTimezone && id != nil && means != nil {
				zones[id.Value] = means.Value
			}
		}
	}
	return zones
}

// zoneOf finds a time zone by the name a calendar has for it: its own, what the file says it means, or, of a path such as
// /freeassociation.sourceforge.net/Europe/Berlin, its last words.
func (r *calendarReader) zoneOf(name string) (*time.Location, error) {
	name = strings.Trim(name, `"`)
	if zone, err := parseZone(name); err == nil {
		return zone, nil
	}
	if means, ok := r.zones[name]; ok {
		if zone, err := parseZone(means); err == nil {
			return zone, nil
		}
	}
	for rest := name; strings.Contains(rest, "/"); {
		_, rest, _ = strings.Cut(rest, "/")
		if zone, err := parseZone(rest); err == nil && strings.Contains(rest, "/") {
			return zone, nil
		}
	}
	return nil, fmt.Errorf("%q is no time zone that is known here", name)
}

var durationForm = regexp.MustCompile(`^([+-]?)P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?$`)

// parseDuration reads a duration: https://www.rfc-editor.org/rfc/rfc5545#section-3.3.6
func parseDuration(text string) (d time.Duration, err error) {
	m := durationForm.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil || strings.HasSuffix(m[0], "P") || strings.HasSuffix(m[0], "T") {
		return 0, fmt.Errorf("DURATION %q is none", text)
	}
	for i, unit := range []time.Duration{7 * day, day, time.Hour, time.Minute, time.Second} {
		if n, err := strconv.Atoi(m[2+i]); err == nil {
			d += time.Duration(n) * unit
		}
	}
	if m[1] == "-" {
		d = -d
	}
	return d, nil
}
