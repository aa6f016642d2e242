package debrief

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// findings is what the facts already say.
type findings struct {
	t                        timeline.Timeline
	crappy, awesome, actions []string
}

func (f *findings) bad(format string, args ...any) {
	f.crappy = append(f.crappy, fmt.Sprintf(format, args...))
}
func (f *findings) good(format string, args ...any) {
	f.awesome = append(f.awesome, fmt.Sprintf(format, args...))
}
func (f *findings) do(format string, args ...any) {
	f.actions = append(f.actions, fmt.Sprintf(format, args...))
}

func look(d *Debrief) *findings {
	t := d.Timeline
	f := &findings{t: t}
	f.leftovers()
	if !t.Instant(timeline.Effective).At.IsZero() {
		f.detection()
		f.answers()
		f.unheard(d.Hearing)
		f.hands(d.Traces)
		f.mending()
		f.mended(d.Mended)
	} else if t.Outcome == timeline.Invalid {
		f.bad("The fault was never felt: it, its load or its proof does not fit this environment.")
		f.do("Find out why the fault was not felt, then run the drill again")
	}
	f.noise()
	f.afterwards()
	f.promises()
	return f
}

// leftovers: what is still in place, and what others changed meanwhile.
func (f *findings) leftovers() {
	for _, x := range f.t.Faults {
		switch {
		case x.Left != "" && f.t.Outcome != "":
			f.bad("Still in place: %s (%s).", Escape(x.ID), Escape(x.Left))
			f.do("Put %s back now: `firedrill recover %s`", Escape(x.ID), f.t.Run)
		case x.How == "diverged":
			f.bad("%s was changed by somebody while the fault was in place: their change stays. Is it what they meant to keep?", Escape(x.Target))
			f.do("Look at %s: keep the responder's change, or undo it", Escape(x.Target))
		case x.How == "already_restored":
			f.good("%s: somebody had put it back before the drill did.", Escape(x.ID))
		}
	}
}

func (f *findings) detection() {
	t, watched := f.t, fired(f.t, journal.RoleWatch)
	until := t.Instant(timeline.Detected).Censored
	switch i := t.Interval("detect"); {
	case t.Brief.PageWhen == "report" && len(watched)+len(fired(t, journal.RoleRipple)) > 0:
		f.good("Nobody expected an alarm, and yet rang: %s.", Escape(strings.Join(append(watched, fired(t, journal.RoleRipple)...), ", ")))
	case t.Brief.PageWhen == "report":
		f.bad("No alarm watches this: without somebody to tell them, people would not have known.")
		f.do("Give this an alarm")
	case i.Known && t.Outcome == timeline.Undetected:
		f.bad("The alarm came after our own page, %s after the fault was felt.", Seconds(i.Seconds))
		f.do("Make the alarm fire sooner")
	case i.Known:
	case i.Reason == timeline.Censored && len(t.Brief.Watch) > 0 && !until.IsZero():
		f.bad("No alarm fired in %s.", Duration(until.Sub(t.Instant(timeline.Effective).At)))
		f.do("Make %s fire when this happens", Escape(strings.Join(t.Brief.Watch, " or ")))
		for _, name := range t.Ringing() {
			f.silent(name)
		}
	case i.Reason == timeline.NotWatched:
		f.bad("The drill watches no alarm: whether anything would have noticed is unknown.")
		f.do("Give this an alarm, and name it under `watch:`")
	}
	if t.Interval("detect").Known {
		for _, label := range t.Brief.Watch {
			if name, ok := strings.CutPrefix(label, "alarm "); ok && !slices.Contains(watched, name) {
				f.silent(name)
			}
		}
	}
}

// silent: one that rang already could not ring.
func (f *findings) silent(name string) {
	if slices.Contains(f.t.Ringing(), name) {
		f.bad("Alarm %s was in ALARM already when the drill began: it could not ring.", Escape(name))
		f.do("Find out why %s was in ALARM before", Escape(name))
		return
	}
	f.bad("Alarm %s stayed silent.", Escape(name))
}

// answers: whether somebody heard, and who.
func (f *findings) answers() {
	t := f.t
	for _, e := range t.Events {
		if e.Kind == journal.PageSent && e.Fact.Err != "" {
			f.bad("The pager did not take a page in: %s.", Escape(e.Fact.Err))
		}
	}
	switch p := t.Instant(timeline.Paged); {
	case t.Outcome == timeline.Unanswered && !p.At.IsZero():
		f.bad("The page was not heard: %s was notified, and nobody acknowledged in %s.", Escape(p.By), Duration(stopped(t).Sub(p.At)))
		f.do("Find out why the page was not heard: phone, schedule, backup")
	case t.Outcome == timeline.Unanswered:
		f.bad("Nobody acknowledged.")
		f.do("Find out why nobody answered")
	}
}

func stopped(t timeline.Timeline) time.Time {
	for _, i := range t.Instants {
		if !i.Censored.IsZero() {
			return i.Censored
		}
	}
	if !t.Ended.IsZero() {
		return t.Ended
	}
	return t.Now
}

func (f *findings) mending() {
	switch f.t.Instant(timeline.Mitigated).Reason {
	case timeline.NotFelt:
		f.bad("The steady state never got bad: it does not watch what breaks.")
		f.do("Add a probe to `steady_state:` that sees what users see")
	case timeline.NotWatched:
		f.bad("The drill has no steady state, so nobody can say when users were well again.")
		f.do("Add a probe to `steady_state:` that sees what users see")
	}
	if f.t.Instant(timeline.Resolved).Reason == timeline.Unknown {
		f.bad("The incident was resolved by a machine: whether a person understood it is unknown.")
	}
}

// noise: what rang beside the alarms that are watched.
func (f *findings) noise() {
	if names := fired(f.t, journal.RoleRipple); len(names) > 0 && f.t.Brief.PageWhen != "report" {
		f.bad("Rang as well: %s. Did they help, or distract?", Escape(strings.Join(names, ", ")))
	}
	if names := fired(f.t, journal.RoleOther); len(names) > 0 {
		f.bad("Rang, and stands in no list of this drill: %s.", Escape(strings.Join(names, ", ")))
		f.do("Name %s under `watch:` or `ripples:`", Escape(strings.Join(names, ", ")))
	}
}

// fired names the alarms of a role that fired, in order.
func fired(t timeline.Timeline, role journal.Role) (names []string) {
	for _, e := range t.Events {
		if e.Kind == journal.AlarmFired && e.Fact.Role == role && !slices.Contains(names, e.Fact.Alarm) {
			names = append(names, e.Fact.Alarm)
		}
	}
	return names
}

// afterwards: how the world was when the drill let go of it.
func (f *findings) afterwards() {
	undone := false
	last := map[string]journal.Event{}
	var ringing []string
	for _, e := range f.t.Events {
		switch e.Kind {
		case journal.FaultReverted:
			undone = true
		case journal.SteadyRead:
			if undone {
				last[e.Fact.Probe], ringing = e, e.Fact.Left
			}
		}
	}
	if len(ringing) > 0 {
		f.bad("Not OK when the drill ended: %s.", Escape(strings.Join(ringing, ", ")))
		f.do("See why %s", Escape(strings.Join(ringing, " and ")))
	}
	for _, label := range f.t.Brief.Steady {
		if e, ok := last[label]; ok && e.Fact.Reading != "ok" {
			f.bad("The steady state did not come back: %s is %s.", Escape(label), Escape(e.Fact.Reading))
			f.do("Look at %s now", Escape(label))
		}
	}
}

func (f *findings) promises() {
	for _, v := range f.t.Expect {
		switch {
		case v.Verdict == "met" && v.Name != "effective":
			f.good("%s in %s; %s was allowed.", verb(v.Name), Seconds(v.ActualS), Seconds(v.LimitS))
		case v.Verdict == "missed" && v.Known:
			f.bad("%s took %s; %s was allowed.", noun(v.Name), Seconds(v.ActualS), Seconds(v.LimitS))
			f.do("Make %s faster, or say why %s is not needed", strings.ToLower(noun(v.Name)), Seconds(v.LimitS))
		}
	}
}

func verb(name string) string {
	return map[string]string{"effective": "Felt", "detect": "Detected", "acknowledge": "Acknowledged",
		"mitigate": "Mitigated", "resolve": "Resolved"}[name]
}

func noun(name string) string {
	return map[string]string{"effective": "The fault becoming effective", "detect": "Detection", "acknowledge": "Acknowledging",
		"mitigate": "Mitigation", "resolve": "Resolving"}[name]
}
