package timeline

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// Trace is the way of one incident of the drill through the hands of people.
type Trace struct {
	Incident   string       `json:"incident"`
	Title      string       `json:"title,omitempty"`
	URL        string       `json:"url,omitempty"`
	Role       journal.Role `json:"role"`
	Into       string       `json:"into,omitempty"` // it was merged into this one: go on there
	OpenedAt   time.Time    `json:"opened_at"`
	Rungs      []Rung       `json:"rungs"`                 // the escalation, level by level
	FirstAck   *Act         `json:"first_ack,omitempty"`   // by whomever
	FirstHuman *Act         `json:"first_human,omitempty"` // by a person
	Acts       []Act        `json:"acts"`                  // everything that was done to it, in order of time
	Abandoned  []Act        `json:"abandoned,omitempty"`   // acknowledged, and then nothing
	False      []FalseEnd   `json:"false_resolves,omitempty"`
}

// Rung is one level of an escalation: who was told, and how it ended.
type Rung struct {
	Level int       `json:"level"` // from 1
	From  time.Time `json:"from"`
	LastS float64   `json:"last_s"` // seconds
	Ended string    `json:"ended"`  // acknowledged, escalated, resolved, merged; empty: it had not when the run stopped looking
	Told  []Told    `json:"told"`
}

// Told is one person who was told of an incident, on one level.
type Told struct {
	User     string    `json:"user"`
	Name     string    `json:"name"`
	Channels []string  `json:"channels,omitempty"` // phone, sms, push, …
	At       time.Time `json:"at"`                 // first
	Answered bool      `json:"answered"`           // acknowledged or resolved it, on this level or later
	AfterS   float64   `json:"after_s,omitempty"`  // with Answered: seconds from being told
}

// Act is one thing that somebody, or something, did to an incident.
type Act struct {
	Kind     journal.Kind `json:"kind"`
	User     string       `json:"user,omitempty"`
	Name     string       `json:"name,omitempty"`
	Human    *bool        `json:"human,omitempty"` // absent: nobody knows
	Channel  string       `json:"channel,omitempty"`
	At       time.Time    `json:"at"`
	ErrorS   float64      `json:"error_s"`
	Uncalled bool         `json:"uncalled,omitempty"` // a person who answered without having been told
}

// FalseEnd is a resolve while the fault was still felt.
type FalseEnd struct {
	Act
	FeltS float64 `json:"felt_s"` // for how long it was still felt, at least
}

// Traces tells the way of every incident of the drill, in the order in which the run learned of them.
func (t Timeline) Traces() []Trace {
	x := &tracer{Fold: foldOf(t.Events), t: t}
	x.until = firstOf(x.ending.stopped, x.sight(t.Now))
	x.events, _ = straighten(t.Events)
	var all []Trace
	for _, in := range x.incidents.drill() {
		all = append(all, x.trace(in))
	}
	return all
}

// tracer follows the incidents of one run.
type tracer struct {
	*Fold
	t      Timeline
	until  time.Time
	events []journal.Event // on the clock that the run began on
}

// acted are the kinds of what is done to an incident; being told of it is none.
func acted(k journal.Kind) bool {
	return slices.Contains([]journal.Kind{journal.IncidentAcknowledged, journal.IncidentUnacknowledged, journal.IncidentEscalated,
		journal.IncidentReassigned, journal.IncidentSnoozed, journal.IncidentMerged, journal.IncidentReopened, journal.IncidentResolved}, k)
}

func (x *tracer) act(e *journal.Event) Act {
	s := x.place(e)
	return Act{Kind: e.Kind, User: e.Fact.User, Name: who(*e), Human: e.Fact.Human, Channel: e.Fact.Channel, At: s.at,
		ErrorS: max(s.at.Sub(s.lo), s.hi.Sub(s.at)).Seconds()}
}

// inTime are the facts of an incident in order of time, and of cause where stamps do not tell them apart.
func (x *tracer) inTime(in *incident) []*journal.Event {
	at := map[*journal.Event]time.Time{}
	for _, e := range in.log {
		at[e] = x.place(e).at
	}
	list := slices.Clone(in.log)
	slices.SortStableFunc(list, func(a, b *journal.Event) int {
		return cmp.Or(at[a].Compare(at[b]), cmp.Compare(cause(a.Kind), cause(b.Kind)))
	})
	return list
}

// cause is the place of a kind among those of the same moment: what causes stands before what it causes.
func cause(k journal.Kind) int {
	return slices.Index([]journal.Kind{journal.IncidentOpened, journal.IncidentReopened, journal.IncidentUnacknowledged, journal.IncidentEscalated,
		journal.IncidentReassigned, journal.IncidentNotified, journal.IncidentAcknowledged, journal.IncidentSnoozed, journal.IncidentNoted,
		journal.IncidentMerged, journal.IncidentResolved}, k)
}

func (x *tracer) trace(in *incident) Trace {
	t := Trace{Incident: in.id, Role: in.role, Into: in.into, Acts: []Act{}}
	list := x.inTime(in)
	if in.opened != nil {
		t.Title, t.URL, t.OpenedAt = in.opened.Fact.Title, in.opened.Fact.URL, x.place(in.opened).at
	} else if len(list) > 0 {
		t.OpenedAt = x.place(list[0]).at
	}
	t.Rungs = x.rungs(list, t.OpenedAt)
	called := x.called()
	for _, e := range list {
		if !acted(e.Kind) {
			continue
		}
		a := x.act(e)
		if since, was := called[a.User]; human(*e) && (e.Kind == journal.IncidentAcknowledged || e.Kind == journal.IncidentResolved) {
			a.Uncalled = !was || x.place(e).hi.Before(since)
		}
		t.Acts = append(t.Acts, a)
		if e.Kind == journal.IncidentAcknowledged {
			if t.FirstAck == nil {
				t.FirstAck = &a
			}
			if human(*e) && t.FirstHuman == nil {
				t.FirstHuman = &a
			}
		}
		if e.Kind == journal.IncidentResolved {
			if felt := x.feltAfter(x.place(e)); felt > 0 && !x.byMerge(in, e) {
				t.False = append(t.False, FalseEnd{a, felt.Seconds()})
			}
		}
	}
	t.Abandoned = x.abandoned(in, list)
	return t
}

// byMerge says that an incident was resolved by being merged into another: that one goes on.
func (x *tracer) byMerge(in *incident, e *journal.Event) bool {
	return in.merged != nil && !x.place(e).lo.After(x.place(in.merged).hi)
}

// called is who was told of any incident of the drill, or was handed one, and since when at the earliest.
func (x *tracer) called() map[string]time.Time {
	out := map[string]time.Time{}
	add := func(user string, s span) {
		if was, ok := out[user]; user != "" && (!ok || s.lo.Before(was)) {
			out[user] = s.lo
		}
	}
	for _, in := range x.incidents.drill() {
		for _, e := range in.notified {
			add(e.Fact.User, x.place(e))
		}
		for _, e := range in.log {
			if e.Kind == journal.IncidentReassigned || e.Kind == journal.IncidentEscalated {
				for _, user := range strings.Fields(e.Fact.Target) {
					add(user, x.place(e))
				}
			}
		}
	}
	return out
}

// rungs cuts an incident's log into the levels of its escalation.
func (x *tracer) rungs(list []*journal.Event, opened time.Time) []Rung {
	rungs := []Rung{{Level: 1, From: opened, Told: []Told{}}}
	end := func(at time.Time, how string) {
		r := &rungs[len(rungs)-1]
		if r.Ended == "" {
			r.Ended, r.LastS = how, max(0, at.Sub(r.From).Seconds())
		}
	}
	for _, e := range list {
		r, at := &rungs[len(rungs)-1], x.place(e).at
		switch e.Kind {
		case journal.IncidentNotified:
			r.told(*e, at)
		case journal.IncidentEscalated:
			end(at, "escalated")
			rungs = append(rungs, Rung{Level: cmp.Or(e.Fact.Level, r.Level+1), From: at, Told: []Told{}})
		case journal.IncidentAcknowledged:
			if !machine(*e) {
				end(at, "acknowledged")
				answered(rungs, *e, at)
			}
		case journal.IncidentUnacknowledged, journal.IncidentReopened:
			level := r.Level // it begins anew where it stood
			if e.Kind == journal.IncidentReopened {
				level = 1 // a resolve has taken it from everybody
			}
			if r.Ended != "" {
				rungs = append(rungs, Rung{Level: level, From: at, Told: []Told{}})
			}
		case journal.IncidentResolved:
			end(at, "resolved")
			answered(rungs, *e, at)
		case journal.IncidentMerged:
			end(at, "merged")
		}
	}
	end(x.until, "")
	return slices.DeleteFunc(rungs, func(r Rung) bool { return len(r.Told) == 0 && len(rungs) > 1 && r.LastS == 0 && r.Ended != "" })
}

func (r *Rung) told(e journal.Event, at time.Time) {
	i := slices.IndexFunc(r.Told, func(t Told) bool { return t.User == e.Fact.User })
	if i < 0 {
		i = len(r.Told)
		r.Told = append(r.Told, Told{User: e.Fact.User, Name: cmp.Or(who(e), "somebody"), At: at})
	}
	if c := e.Fact.Channel; c != "" && !slices.Contains(r.Told[i].Channels, c) {
		r.Told[i].Channels = append(r.Told[i].Channels, c)
	}
}

// answered marks whoever was told last and did this.
func answered(rungs []Rung, e journal.Event, at time.Time) {
	if e.Fact.User == "" {
		return
	}
	for i := len(rungs) - 1; i >= 0; i-- {
		for j := range rungs[i].Told {
			if told := &rungs[i].Told[j]; told.User == e.Fact.User {
				if !told.Answered {
					told.Answered, told.AfterS = true, max(0, at.Sub(told.At).Seconds())
				}
				return
			}
		}
	}
}

// feltAfter is for how long at least the fault was still felt after a moment, by looks that began after it and before anything
// was put back.
func (x *tracer) feltAfter(s span) (felt time.Duration) {
	for _, e := range x.events {
		yes := e.Kind == journal.EffectRead && e.Fact.Reading == "yes" ||
			e.Kind == journal.ProbeRead && e.Fact.Role == journal.RoleSteady && e.Fact.Reading == "bad"
		if !yes || x.effective == nil || !x.revert.IsZero() && !e.At.Before(x.revert) {
			continue
		}
		if began := begun(e); began.After(s.hi) {
			felt = max(felt, began.Sub(s.hi))
		}
	}
	return felt
}
