package drills

import (
	"regexp"
	"strings"
	"time"
)

// The forms of days off, and how long a rest may be.
var (
	dateForm    = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
	holidayForm = regexp.MustCompile(`^(https://[^/\s?#]+\S*|[^:]*\.(ics|ICS))$`)
)

const maxRest = 72 * time.Hour

// daysOff are the keys of an environment that say when it is not today.
func (r *reader) daysOff(e *Environment) []field {
	return []field{
		{"holidays", "", func(v *node) {
			e.Holidays = r.texts(v, "holidays", func(v *node) string {
				return r.matching(v, "a calendar of holidays", holidayForm, "an .ics file, or an https:// address of one", "de-by.ics")
			})
		}},
		{"freezes", "", func(v *node) {
			r.list(v, "freezes", func(v *node) { e.Freezes = append(e.Freezes, r.freeze(v)) })
		}},
		{"rest", "", func(v *node) { e.Rest = r.rest(v) }},
	}
}

// freeze reads a time in which nothing is drilled.
func (r *reader) freeze(n *node) (f Freeze) {
	const from, to = "from: 2026-12-20", "to: 2027-01-03"
	r.object(n, "a freeze",
		field{"from", from, func(v *node) { f.From = r.date(v, "from", "2026-12-20") }},
		field{"to", to, func(v *node) { f.To = r.date(v, "to", "2027-01-03") }},
		field{"why", "", func(v *node) { f.Why = r.text(v, "why") }})
	if _, _, err := f.days(); err != nil && f.From != "" && f.To != "" {
		r.wrong(n.at, "{"+from+", "+to+"}", "%v", err)
	}
	return f
}

// date reads a day of the calendar.
func (r *reader) date(n *node, what, example string) string {
	s := r.matching(n, what, dateForm, "a day such as 2026-12-20", example)
	if s == "" {
		return ""
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		r.wrong(n.at, example, "%s %s is no day of the calendar", what, s)
		return ""
	}
	return s
}

// rest reads how long a real night page keeps drills away.
func (r *reader) rest(n *node) (s RestSpec) {
	r.object(n, "rest",
		field{"night", `night: "22:00-07:00"`, func(v *node) {
			s.Night = r.text(v, "rest.night")
			if _, _, err := parseHours(s.Night); err != nil && s.Night != "" {
				r.wrong(v.at, `"22:00-07:00"`, "rest.night: %s", strings.Replace(err.Error(), "10:00-16:00", "22:00-07:00", 1))
				s.Night = ""
			}
		}},
		field{"for", "for: 11h", func(v *node) { s.For = r.duration(v, "rest.for", bounds{time.Minute, maxRest}) }})
	return s
}
