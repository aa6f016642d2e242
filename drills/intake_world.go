package drills

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// steady reads the steady state before anything is touched; what is not good now would teach nothing.
func (st *Steps) steady(ctx context.Context, s *State) (events []journal.Event) {
	for _, p := range s.Plan.Steady {
		r := st.read(ctx, p)
		events = append(events, measuredEvent(p, journal.RoleSteady, r))
		if r.Value != observe.OK {
			return append(events, unsteady(p, r).event())
		}
	}
	return append(events, st.measure(ctx, s)...)
}

// readAlarms turns changes of alarms into events, with the source's own time of each.
func (st *Steps) readAlarms(ctx context.Context, s *State) (events []journal.Event) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	before := st.looked.alarms
	began := st.World.Clock.Now()
	names := slices.Concat(s.Plan.alarms(s.Plan.Watch), s.Plan.alarms(s.Plan.Stop), s.Plan.Ripples)
	alarms, err := st.World.Alarms.Describe(ctx, names)
	if err != nil {
		return nil // the next look tells; history keeps what happened meanwhile
	}
	st.looked.alarms = began
	if st.looked.alarmSince == nil {
		st.looked.alarmSince = map[string]time.Time{}
	}
	for _, a := range alarms {
		known, was := st.looked.alarmSince[a.Name]
		if !was {
			known = s.Alarms[a.Name].At
		}
		st.looked.alarmSince[a.Name] = a.Since
		if a.Since.Equal(known) || (!was && known.IsZero() && a.State != "ALARM") {
			continue
		}
		history, err := st.World.Alarms.History(ctx, a.Name, known.Add(time.Millisecond))
		if err != nil || !was || len(history) == 0 {
			history = []observe.Transition{{Alarm: a.Name, To: a.State, At: a.Since}}
		}
		for _, t := range history {
			if e, ok := s.alarmEvent(t, began, before); ok {
				e.At = st.World.Clock.Now()
				events = append(append(events, e), s.rang(e)...)
			}
		}
	}
	return events
}

func (s *State) alarmEvent(t observe.Transition, at, before time.Time) (e journal.Event, ok bool) {
	e = journal.Event{Kind: journal.AlarmCleared, At: at, Seen: &journal.Seen{At: t.At, By: "aws"},
		Fact: journal.Fact{Alarm: t.Alarm, Role: s.Plan.alarmRole(t.Alarm), Why: t.Reason}}
	if !before.IsZero() {
		e.Fact.LookedAt = &before
	}
	switch t.To {
	case "ALARM":
		e.Kind = journal.AlarmFired
	case "OK":
		if s.Alarms[t.Alarm].State == "" && t.From != "ALARM" {
			return e, false // from INSUFFICIENT_DATA to OK: nothing had fired
		}
	default:
		return e, false
	}
	return e, true
}

// rang: a stop condition that rings ends the drill, also when it is silent again before anybody looks. Once the undo
// has begun there is nothing to stop.
func (s *State) rang(e journal.Event) []journal.Event {
	if s.Undoing || e.Kind != journal.AlarmFired || e.Fact.Role != journal.RoleStop {
		return nil
	}
	return []journal.Event{{Kind: journal.AbortRequested, At: e.At, Fact: journal.Fact{Reason: ReasonStop, Alarm: e.Fact.Alarm,
		Why: fmt.Sprintf("stop condition alarm %s fired", e.Fact.Alarm)}}}
}

// alarmRole says in which list of the drill an alarm stands.
func (p *Plan) alarmRole(name string) journal.Role {
	for _, w := range p.Watch {
		if w.Alarm == name {
			return journal.RoleWatch
		}
	}
	for _, w := range p.Stop {
		if w.Alarm == name {
			return journal.RoleStop
		}
	}
	for _, r := range p.Ripples {
		if fits(r, name) {
			return journal.RoleRipple
		}
	}
	return journal.RoleOther
}

// fits: a * at the end of a pattern matches any rest.
func fits(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == name
}
