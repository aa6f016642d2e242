package drills

import (
	"strings"
	"time"
)

// drillMarks remembers where things stand that only make sense together.
type drillMarks struct {
	limit, page, when, fallback, detect place
	watched                             bool       // something is under watch, be it wrong
	times                               []timeMark // each must end before the limit
	watch, stop, ripples                []alarmMark
}

type timeMark struct {
	what string
	d    time.Duration
	at   place
}

type alarmMark struct {
	name string
	at   place
}

// together checks what no key can tell alone.
func (r *reader) together(s *Spec, m *drillMarks) {
	if s.Limit > 0 {
		for _, t := range m.times {
			if t.d >= s.Limit {
				r.wrong(t.at, "less, or a longer limit", "%s is %s, and the limit of %s ends the drill before that", t.what, short(t.d), short(s.Limit))
			}
		}
	}
	r.paging(s, m)
	for _, stop := range m.stop {
		for _, w := range m.watch {
			if w.name == stop.name {
				r.wrong(stop.at, "an alarm that tells customers are hurt", "alarm %s is watched: as a stop condition it would end the drill when it is detected", stop.name)
			}
		}
		for _, ripple := range m.ripples {
			if matches(ripple.name, stop.name) {
				r.wrong(stop.at, "take it out of one", "alarm %s is a ripple (%s), and a ripple never ends a drill", stop.name, ripple.name)
			}
		}
	}
	for _, w := range m.watch {
		for _, ripple := range m.ripples {
			if matches(ripple.name, w.name) {
				r.wrong(w.at, "take it out of one", "alarm %s is a ripple too (%s): it is detection or it is not", w.name, ripple.name)
			}
		}
	}
}

// paging checks how people learn of it against what there is to learn it from.
func (r *reader) paging(s *Spec, m *drillMarks) {
	var none place
	switch s.Page.When {
	case PageAlarm:
		if !m.watched {
			r.wrong(m.when, "watch: [{alarm: …}], or page: {when: direct} or {when: report}", "page.when is alarm, and nothing is under watch")
		}
		if m.fallback != none {
			break
		}
		if s.Page.Fallback = s.Expect.Detect; s.Page.Fallback == 0 && m.detect == none {
			r.wrong(m.page, "fallback: 12m", "page has no fallback, and without expect.detect none can be assumed: nobody would be paged if the alarm stays silent")
		}
	case PageDirect, PageReport:
		if m.fallback != none {
			r.wrong(m.fallback, "leave it out", "page.fallback is for when: alarm, and this is %s", s.Page.When)
		}
	}
	if m.detect == none {
		return
	}
	switch {
	case s.Page.When == PageReport:
		r.wrong(m.detect, "leave it out", "expect.detect means nothing where people are told (page.when: report): no alarm is expected")
	case s.Page.When == PageDirect && !m.watched:
		r.wrong(m.detect, "watch: [{alarm: …}], or leave it out", "expect.detect has nothing under watch to detect it")
	}
}

// matches says whether a pattern, with a * at its end for any rest, names an alarm.
func matches(pattern, name string) bool {
	if rest, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, rest)
	}
	return pattern == name
}
