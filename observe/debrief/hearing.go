package debrief

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// fate is a fate of a page in words.
func fate(v timeline.Fate) string { return strings.ReplaceAll(string(v), "_", " ") }

// unheard finds what kept a page from being heard, and what to do about each. What the plan had warned of is said so.
func (f *findings) unheard(all []timeline.Hearing) {
	remedies := map[timeline.Fate]string{
		timeline.NoIncident:          "Find out what swallows pages for this service: maintenance, orchestration, suspended alerts, an empty schedule",
		timeline.MergedIntoOther:     "Keep the page out of alert grouping, or drill while no incident is open on the service",
		timeline.LowUrgency:          "Make the urgency high for what somebody must hear, or say why low is right",
		timeline.AssignedNotNotified: "Check the notification rules of whoever is on call: high urgency, at once",
		timeline.Delayed:             "Shorten what holds the page back (suspend, auto-pause, a rule that waits), or expect it",
		timeline.MachineAcknowledged: "Keep tools from acknowledging in people's stead",
		timeline.ResolvedByMonitor:   "See why the monitor resolves before anybody has looked: threshold, missing data, auto-resolve",
		timeline.ResolvedBeforeAck:   "Agree that whoever takes it acknowledges first",
		timeline.AutomationFires:     "Keep automation away from drills, by the incident type drill or a condition on the service",
	}
	done := map[timeline.Fate]bool{}
	for _, h := range all {
		if h.Verdict == timeline.Heard {
			continue
		}
		f.bad("%s (%s).%s", Escape(capital(strings.TrimSuffix(h.Why, "."))), fate(h.Verdict), warned(h))
		if todo := remedies[h.Verdict]; todo != "" && !done[h.Verdict] {
			done[h.Verdict] = true
			f.do("%s", todo)
		}
	}
}

// capital begins a sentence.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

func warned(h timeline.Hearing) string {
	if h.Warned == "" {
		return ""
	}
	return fmt.Sprintf(" As the plan warned: %s.", Escape(strings.TrimSuffix(h.Warned, ".")))
}

// idle are the warnings of the plan that nothing came of.
func idle(t timeline.Timeline, all []timeline.Hearing) (out []journal.Risk) {
	for _, r := range t.Brief.Risks {
		if !slices.ContainsFunc(all, func(h timeline.Hearing) bool { return h.Warned == r.Why || string(h.Verdict) == r.Verdict }) {
			out = append(out, r)
		}
	}
	return out
}

// hands finds what the way of the incidents through people's hands says.
func (f *findings) hands(all []timeline.Trace) {
	count := map[journal.Kind]int{}
	for _, x := range all {
		for _, r := range x.Rungs {
			f.rung(r)
		}
		for _, a := range x.Abandoned {
			f.bad("%s acknowledged, and then nothing is on record: no note, no change, no resolve.", Escape(someone(a.Name)))
			f.do("Agree what an acknowledge promises, and write down what is tried")
		}
		for _, e := range x.False {
			f.bad("A false resolve: %s resolved it while the fault was still felt, for %s more at least.", Escape(someone(e.Name)), Seconds(e.FeltS))
			f.do("Look whether users are well before resolving: name the probe in the runbook")
		}
		uncalled := map[string]bool{}
		for _, a := range x.Acts {
			count[a.Kind]++
			if a.Uncalled && !uncalled[a.Name] {
				uncalled[a.Name] = true
				f.good("%s answered, and the pager had not told them. How did they learn of it?", Escape(someone(a.Name)))
			}
			if a.Kind == journal.IncidentSnoozed {
				f.bad("%s snoozed it: was it in good hands meanwhile?", Escape(someone(a.Name)))
			}
		}
	}
	if n := count[journal.IncidentUnacknowledged]; n > 0 {
		f.bad("The acknowledgement timed out or was taken back (%d×).", n)
	}
	if n := count[journal.IncidentReopened]; n > 0 {
		f.bad("It was opened again after it had been resolved (%d×).", n)
	}
	if n := count[journal.IncidentReassigned]; n > 0 {
		f.bad("It was given to somebody else (%d×): was it clear whose it is?", n)
	}
}

// rung finds a level that did not answer.
func (f *findings) rung(r timeline.Rung) {
	if r.Ended != "escalated" {
		return
	}
	if len(r.Told) == 0 {
		f.bad("On level %d nobody was told in %s; then it was escalated.", r.Level, Seconds(r.LastS))
		f.do("Find out why level %d was told nothing: schedule, notification rules", r.Level)
		return
	}
	var names []string
	for _, t := range r.Told {
		names = append(names, someone(t.Name)+means(t.Channels))
	}
	f.bad("Level %d did not answer in %s: %s was told, and it was escalated.", r.Level, Seconds(r.LastS), Escape(strings.Join(names, ", ")))
	f.do("Find out why level %d was not reached: phone, schedule, backup", r.Level)
}

func means(channels []string) string {
	if len(channels) == 0 {
		return ""
	}
	return " (" + strings.Join(channels, ", ") + ")"
}

func someone(name string) string {
	if name == "" {
		return "somebody"
	}
	return name
}

// mended finds who made it stop hurting.
func (f *findings) mended(m timeline.Mitigation) {
	why := Escape(strings.TrimSuffix(m.Why, "."))
	switch m.Kind {
	case timeline.ByPerson:
		f.good("Mended by %s: %s.", Escape(someone(m.Who)), why)
	case timeline.ByAutomation:
		f.bad("Mended by a machine: %s. Would people have known what to do without it?", why)
	case timeline.ByItself:
		f.bad("It healed by itself: %s. Nobody's fix was tried.", why)
	case timeline.ByUs:
		if f.t.Reason == "" {
			f.bad("Nobody mended it: the drill put it back.")
		}
	case timeline.ByUnknown:
		if strings.Contains(m.Why, "CloudTrail") {
			f.bad("Who mended it is not known: %s.", why)
			f.do("Ask who mended it: allow `cloudtrail:LookupEvents`; it is late by minutes, so `firedrill debrief %s --collect` asks again", clean(f.t.Run))
		}
	}
}
