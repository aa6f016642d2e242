package drills

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/observe"
)

// maxNesting bounds alarms of alarms of alarms: AWS takes cycles.
const maxNesting = 5

// judgeComposite asks of an alarm of alarms whether what the faults move makes its rule true, and how soon.
func (s *sight) judgeComposite(what string, a observe.Alarm) seen {
	one := seen{alarm: a}
	if s.nested >= maxNesting {
		one.why = "a composite alarm that is nested too deep to be followed"
		return one
	}
	rule, err := observe.ParseAlarmRule(a.Rule)
	if err != nil {
		one.why = "a composite alarm whose children cannot be followed: " + err.Error()
		return one
	}
	s.nested++
	defer func() { s.nested-- }()
	var maybe []string
	moved := false
	after, sure, never := rule.When(func(name string) observe.Ringing {
		child, known := s.child(name)
		switch {
		case !known, !child.sees && !child.blind:
			if !slices.Contains(maybe, name) {
				maybe = append(maybe, name)
			}
			return observe.Ringing{Maybe: true}
		case child.sees:
			if !moved {
				one.moved, moved = child.moved, true
			}
			return observe.Ringing{State: child.alarm.State, Rings: true, After: child.soonest()}
		}
		return observe.Ringing{State: child.alarm.State}
	})
	switch {
	case sure && never:
		if !moved {
			one.moved = s.nearest(observe.Alarm{})
		}
		one.blind = true
		one.why = fmt.Sprintf("%s rings by the rule %s, which nothing of this drill makes true", what, a.Rule)
	case sure && moved:
		one.sees, one.soon = true, after
	case sure:
		one.why = "a composite alarm, none of whose children this drill moves"
	default:
		one.why = "a composite alarm; whether its rule becomes true hangs on " + strings.Join(maybe, ", ")
	}
	return one
}

// child judges one alarm that a rule names.
func (s *sight) child(name string) (seen, bool) {
	i := slices.IndexFunc(s.all, func(a observe.Alarm) bool { return a.Name == name })
	if i < 0 {
		return seen{}, false
	}
	return s.judge("alarm "+name, s.all[i]), true
}

// judgeMath asks of an alarm that computes whether the faults move anything of what it computes with. Whether that
// passes the threshold nobody can say from here.
func (s *sight) judgeMath(what string, a observe.Alarm) seen {
	one := seen{alarm: a, why: "it computes with several metrics"}
	if len(a.Inputs) == 0 {
		return one
	}
	blind := true
	var moved []string
	for _, input := range a.Inputs {
		x := s.judge(what, input)
		blind = blind && x.blind
		if x.sees {
			moved = append(moved, input.Metric)
			if one.moved.Name == "" {
				one.moved = x.moved
			}
		} else if x.blind && one.moved.Name == "" {
			one.moved = x.moved
		}
	}
	switch {
	case blind:
		one.blind = true
		one.why = fmt.Sprintf("%s computes %s, and nothing of this drill moves what it computes with", what, a.Expression)
	case len(moved) > 0:
		one.why = fmt.Sprintf("it computes %s, of which %s moves %s; whether that passes the threshold of %s nobody can say",
			a.Expression, by(one.moved), strings.Join(moved, ", "), plainNumber(a.Threshold))
	}
	return one
}

// checkMuted: a watched alarm whose actions do not run now would page nobody, however well it sees.
func (st *Steps) checkMuted(ctx context.Context, s *sight) *Refusal {
	muter, ok := st.World.Alarms.(observe.Muter)
	for _, w := range s.p.Watch {
		i := slices.IndexFunc(s.all, func(a observe.Alarm) bool { return w.Alarm != "" && a.Name == w.Alarm })
		if i < 0 {
			continue
		}
		if a := s.all[i]; a.Suppressed != "" && s.p.Page.When == PageAlarm {
			return later("alarms", "wait until alarm "+a.Suppressor+" is OK", "the actions of alarm %s are suppressed now (%s): it would page nobody", a.Name, a.Suppressed).until("its actions run again")
		}
		if !ok {
			continue
		}
		mutes, err := muter.Mutes(ctx, w.Alarm)
		if err != nil {
			s.warn("whether a mute rule keeps alarm %s quiet cannot be told: %v. Try: allow cloudwatch:ListAlarmMuteRules", w.Alarm, err)
		}
		for _, m := range mutes {
			switch {
			case m.Active && s.p.Page.When == PageAlarm:
				return later("alarms", "end it, or wait until it has ended", "mute rule %s is active: alarm %s would page nobody", m.Rule, w.Alarm).until("it has ended")
			case m.Active:
				s.warn("mute rule %s is active: alarm %s tells nobody", m.Rule, w.Alarm)
			default:
				s.warn("mute rule %s is scheduled for alarm %s: should it begin during the drill, the alarm tells nobody", m.Rule, w.Alarm)
			}
		}
	}
	return nil
}
