package timeline

import (
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// Entry is one line of the story: something that happened, as a person would tell it.
type Entry struct {
	At   time.Time     // on our clock
	T    time.Duration // since t0; before the fault is effective, since the run was planned
	Kind journal.Kind
	Role journal.Role // of a probe, an alarm or an incident
	Name Name         // the instant that this is; empty for all others
	Text string       // one line; what others wrote in it is theirs

	Event int // which of Timeline.Events it tells
}

// Entries lists what is worth telling, in the order in which the run learned it: more events only add to the end.
// Probes that read the same again and again are told once.
func (t Timeline) Entries() []Entry {
	w := &words{t: t, last: map[string]string{}, measures: map[string]clockRead{}, named: map[Name]bool{}, roles: map[string]journal.Role{}, names: map[string]string{}, steady: steadyFold{labels: t.Brief.Steady}}
	events, _ := straighten(t.Events)
	w.events, w.clocks = events, clocksOf(events)
	var same map[int]int
	w.facts, same = facts(events)
	for i, e := range events {
		w.index = i // a fact that is told twice is told once, as well as it is known
		if _, again := same[i]; !again {
			w.add(e)
		}
	}
	w.recovered()
	zero := t.Planned
	if x := t.Instant(Effective); !x.At.IsZero() {
		zero = x.At
	}
	for i := range w.out {
		if w.out[i].T = w.out[i].At.Sub(zero); zero.IsZero() {
			w.out[i].T = 0
		}
	}
	return w.out
}

// words turns events into lines.
type words struct {
	t        Timeline
	clocks   clocks
	out      []Entry
	events   []journal.Event        // on the clock that the run began on
	facts    map[int]*journal.Event // what is told of incidents, each as exactly as it is known
	index    int                    // of the event that is told
	last     map[string]string      // last reading of each probe
	measures map[string]clockRead   // of each clock, as told last
	named    map[Name]bool
	roles    map[string]journal.Role // of each incident
	names    map[string]string       // of users
	ours     []string                // notes of ours
	steady   steadyFold
	told     bool // that it recovered
	live     bool // a fault is in place
	felt     bool
}

func (w *words) say(e journal.Event, text string) {
	if text != "" {
		x := Entry{At: w.place().at, Kind: e.Kind, Role: e.Fact.Role, Text: line(text), Event: w.index}
		if i, ok := w.instant(e); ok {
			x.Name, x.At = i.Name, i.At
		}
		w.out = append(w.out, x)
	}
}

// fact is the event that is told, as exactly as it is known.
func (w *words) fact() journal.Event {
	if fact := w.facts[w.index]; fact != nil {
		return *fact
	}
	return w.events[w.index]
}

// place is where the event that is told stands on our clock. When the look at a probe began says nothing of since when it
// has been so.
func (w *words) place() span {
	e := w.fact()
	switch e.Kind {
	case journal.ProbeRead:
		e.Fact.LookedAt = nil
	case journal.IncidentNoteEdited, journal.IncidentNoteDeleted:
		e.Seen = nil // it says which note, by when that was written: this was when we saw what became of it
	}
	return place(e, w.clocks)
}

// instant finds the instant that an event is, so that both tell the same time.
func (w *words) instant(e journal.Event) (Instant, bool) {
	name := map[journal.Kind]Name{
		journal.FaultEffective: Effective, journal.AlarmFired: Detected, journal.IncidentOpened: Detected,
		journal.IncidentNotified: Paged, journal.IncidentAcknowledged: Acknowledged, journal.IncidentResolved: Resolved,
		journal.FaultSettled: Restored, journal.ProbeRead: Detected}[e.Kind]
	if e.Kind == journal.ProbeRead && (e.Fact.Role != journal.RoleWatch || e.Fact.Reading != "bad") {
		return Instant{}, false
	}
	i, s := w.t.Instant(name), w.place()
	if name == "" || i.At.IsZero() || i.Corrected || w.named[name] {
		return i, false
	}
	same := i.Source.IsZero() && i.At.Equal(e.At)
	if !i.Source.IsZero() {
		same = i.Source.Equal(s.stamp) && e.Fact.Role != journal.RoleRipple && e.Fact.Role != journal.RoleOther && (name != Acknowledged && name != Resolved || human(e))
	}
	if same {
		w.named[name] = true
	}
	return i, same
}

func (w *words) add(e journal.Event) {
	if w.steady.round.any && (w.steady.seq != e.Seq || w.steady.action != e.Action) {
		w.recovered() // a round ends with its batch
	}
	if e.Fact.User != "" && e.Fact.By != "" {
		w.names[e.Fact.User] = e.Fact.By
	}
	switch e.Kind {
	case journal.ProbeRead, journal.SteadyRead:
		w.probe(e)
		return
	case journal.EffectRead, journal.LoadRead:
		return
	case journal.IncidentOpened:
		w.roles[e.Fact.Incident] = e.Fact.Role
	case journal.IncidentMerged: // what was ours goes on there
		w.roles[e.Fact.Into] = w.roles[e.Fact.Incident]
	case journal.NoteSent:
		w.ours = append(w.ours, e.Fact.Text)
	case journal.IncidentNoted, journal.IncidentNoteEdited, journal.IncidentNoteDeleted:
		if slices.Contains(w.ours, e.Fact.Text) || slices.Contains(w.ours, e.Fact.Was) && e.Fact.Was != "" {
			return // the pager tells us our own note
		}
	case journal.ClockRead:
		if c, ok := measured(e); ok && !w.news(c) {
			return
		}
	case journal.IncidentLogged:
		if dull(e.Fact) {
			return
		}
	case journal.FaultApplied:
		w.live = true
	case journal.FaultEffective:
		if !w.felt {
			w.felt = true
			w.steady.again()
		}
	case journal.FaultReverted, journal.FaultRevertFailed:
		w.recovered()
		w.live = false
	}
	w.say(e, w.text(w.fact()))
}

// news says that a clock is not where it was told to be: it is measured again and again.
func (w *words) news(c clockRead) bool {
	was, told := w.measures[c.source]
	if told && (was.offset-c.offset).Abs() <= was.err+c.err {
		return false
	}
	w.measures[c.source] = c
	return true
}

// dull are the log entries that tell nothing beside what others tell.
func dull(f journal.Fact) bool {
	return slices.Contains([]string{"trigger_log_entry", "assign_log_entry", "notify_log_entry"}, f.Type) ||
		f.Type == "field_value_change_log_entry" && strings.HasPrefix(f.Text, "Incident type changed")
}

// probe tells only what changed.
func (w *words) probe(e journal.Event) {
	if e.Kind == journal.ProbeRead && e.Fact.Role == journal.RoleSteady && w.live {
		w.steady.add(e)
	}
	key, was := string(e.Fact.Role)+" "+e.Fact.Probe, ""
	was, w.last[key] = w.last[key], e.Fact.Reading
	if was == e.Fact.Reading || e.Fact.Probe == "" {
		return
	}
	if was == "" && e.Fact.Reading == "ok" && e.Kind != journal.SteadyRead {
		return
	}
	text := e.Fact.Probe + " is " + e.Fact.Reading
	if was == "" && e.Fact.Reading == "ok" {
		text = "steady state: " + text
	}
	if base := e.Fact.Facts["baseline"]; base != "" {
		text += " (baseline " + base + ")"
	}
	if e.Fact.Reading != "ok" && e.Fact.Why != "" {
		text += ": " + e.Fact.Why
	}
	w.say(e, text)
}

// recovered tells that the steady state has been good three times in a row.
func (w *words) recovered() {
	w.steady.close()
	if m := w.steady.mitigated; m != nil && !w.told && w.felt {
		w.told = true
		w.out = append(w.out, Entry{At: m.at, Kind: journal.ProbeRead, Role: journal.RoleSteady, Name: Mitigated, Event: w.index,
			Text: "mitigated: the steady state is good again, three readings in a row"})
	}
}
