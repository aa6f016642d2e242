package drills

import (
	"cmp"
	"strings"
	"time"

	"github.com/firedrill/firedrill/observe"
)

// maxLimit is the longest a drill may be in place: a role session of AWS ends then, and nobody stays awake longer.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use.html
const maxLimit = 12 * time.Hour

// anyDelay may be nothing; someTime may not.
func anyDelay() bounds { return bounds{0, maxLimit} }
func someTime() bounds { return bounds{time.Nanosecond, maxLimit} }

// drill reads a whole drill file.
func (r *reader) drill(n *node) *Spec {
	s := &Spec{}
	marks := drillMarks{}
	r.object(n, "a drill file",
		field{"drill", "drill: orders-write-throttle", func(v *node) { s.Drill = r.name(v, "drill", maxName) }},
		field{"title", "title: Order writes are throttled", func(v *node) { s.Title = r.text(v, "title") }},
		field{"scenario", "scenario: what people would be told", func(v *node) { s.Scenario = r.text(v, "scenario") }},
		field{"team", "team: orders", func(v *node) { s.Team = r.name(v, "team", maxName) }},
		field{"tags", "", func(v *node) {
			s.Tags = r.texts(v, "tags", func(v *node) string { return r.name(v, "a tag", maxName) })
		}},
		field{"runbook", "", func(v *node) { s.Runbook = r.url(v, "runbook") }},
		field{"look", "", func(v *node) { s.Look = r.look(v) }},
		field{"evidence", "", func(v *node) { s.Evidence = r.evidence(v) }},
		field{"hints", "", func(v *node) { s.Hints = r.hints(v, &marks) }},
		field{"steady_state", "", func(v *node) { s.SteadyState = r.probes(v, "steady_state", nil) }},
		field{"faults", "faults: [{dynamodb.throttle: {…}}]", func(v *node) { s.Faults = r.faults(v, &marks) }},
		field{"watch", "", func(v *node) { s.Watch, marks.watched = r.probes(v, "watch", &marks.watch), true }},
		field{"ripples", "", func(v *node) { s.Ripples = r.ripples(v, &marks) }},
		field{"page", "page: {when: alarm, fallback: 12m}", func(v *node) { s.Page = r.page(v, &marks) }},
		field{"stop_conditions", "", func(v *node) { s.StopConditions = r.probes(v, "stop_conditions", &marks.stop) }},
		field{"expect", "", func(v *node) { s.Expect = r.expect(v, &marks) }},
		field{"announce", "", func(v *node) {
			s.Announce = r.oneOf(v, "announce", AnnouncePage, AnnounceAcknowledge, AnnounceEnd)
		}},
		field{"limit", "limit: 60m", func(v *node) {
			marks.limit = v.at
			s.Limit = r.duration(v, "limit", bounds{time.Second, maxLimit})
		}},
	)
	s.Announce = cmp.Or(s.Announce, AnnouncePage)
	r.together(s, &marks)
	return s
}

func (r *reader) look(n *node) []Look {
	var out []Look
	r.list(n, "look", func(v *node) {
		if p, ok := r.single(v, "a place to look", `{dashboard: "https://dash.example.com/orders"}`); ok {
			out = append(out, Look{What: r.word(p, "a place to look"), URL: r.url(p.value, p.key)})
		}
	})
	return out
}

func (r *reader) evidence(n *node) []Evidence {
	var out []Evidence
	r.list(n, "evidence", func(v *node) {
		if p, ok := r.single(v, "a piece of evidence", `{slack: "checkout is slow, anyone else?"}`); ok {
			read := r.text
			if p.key == evidenceImage {
				read = r.picture
			}
			out = append(out, Evidence{Where: r.word(p, "evidence"), Text: read(p.value, p.key)})
		}
	})
	return out
}

// picture reads the address of a picture that the channel shows: Slack fetches it, and no browser warns of plain http.
func (r *reader) picture(n *node, what string) string {
	return r.matching(n, what, pictureForm, "an address that begins with https://", "https://example.com/graph.png")
}

// word checks a key that people choose themselves.
func (r *reader) word(p pair, what string) string {
	if !wordForm.MatchString(p.key) {
		r.wrong(p.at, "slack, log, mail, dashboard", "%s stands under a word in lower-case letters, not %q", what, p.key)
	}
	return p.key
}

func (r *reader) hints(n *node, marks *drillMarks) []Hint {
	var out []Hint
	r.list(n, "hints", func(v *node) {
		var h Hint
		r.object(v, "a hint",
			field{"after", "after: 5m", func(v *node) {
				h.After = r.duration(v, "after", anyDelay())
				marks.times = append(marks.times, timeMark{"the hint's after", h.After, v.at})
			}},
			field{"say", "say: Look at the throttle metrics", func(v *node) { h.Say = r.text(v, "say") }})
		out = append(out, h)
	})
	return out
}

// probes reads a list of probes; marks, when given, gets their alarms.
func (r *reader) probes(n *node, what string, alarms *[]alarmMark) []observe.ProbeSpec {
	var out []observe.ProbeSpec
	r.list(n, what, func(v *node) {
		p, ok := r.single(v, "a probe", "- alarm: orders-write-throttled")
		if !ok {
			return
		}
		var spec observe.ProbeSpec
		r.decode(v, "a probe", &spec)
		out = append(out, spec)
		if p.key == "incident" && what != "watch" {
			r.wrong(p.at, "put it under watch", "an incident is no probe of %s: it is told by the pager, and is detection", what)
		}
		if p.key == "alarm" && p.value.kind == isText && alarms != nil {
			*alarms = append(*alarms, alarmMark{r.expand(p.value, true), p.value.at})
		}
	})
	return out
}

func (r *reader) ripples(n *node, marks *drillMarks) []string {
	return r.texts(n, "ripples", func(v *node) string {
		s := r.text(v, "a ripple")
		switch {
		case strings.Contains(strings.TrimSuffix(s, "*"), "*"):
			r.wrong(v.at, `"orders-dlq-*"`, "a * stands at the end of a ripple, and matches the rest")
		case s == "*":
			r.wrong(v.at, `"orders-*"`, "a ripple that matches every alarm hides real incidents")
			return s
		}
		marks.ripples = append(marks.ripples, alarmMark{s, v.at})
		return s
	})
}

func (r *reader) page(n *node, marks *drillMarks) PageSpec {
	var p PageSpec
	marks.page = n.at
	r.object(n, "page",
		field{"when", "when: alarm", func(v *node) {
			marks.when = v.at
			p.When = r.oneOf(v, "page.when", PageAlarm, PageDirect, PageReport)
		}},
		field{"fallback", "", func(v *node) {
			marks.fallback = v.at
			p.Fallback = r.duration(v, "page.fallback", someTime())
			marks.times = append(marks.times, timeMark{"page.fallback", p.Fallback, v.at})
		}})
	return p
}

func (r *reader) expect(n *node, marks *drillMarks) Expect {
	var e Expect
	one := func(key string, into *time.Duration) field {
		return field{key, "", func(v *node) {
			*into = r.duration(v, "expect."+key, someTime())
			marks.times = append(marks.times, timeMark{"expect." + key, *into, v.at})
			if key == "detect" {
				marks.detect = v.at
			}
		}}
	}
	r.object(n, "expect", one("effective", &e.Effective), one("detect", &e.Detect), one("acknowledge", &e.Acknowledge),
		one("mitigate", &e.Mitigate), one("resolve", &e.Resolve))
	return e
}
