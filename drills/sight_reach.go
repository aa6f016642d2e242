package drills

import (
	"slices"
	"strings"
)

// reach lists every alarm that tells the topics which the drill's own alarms tell, and what it means to this drill.
// With least rights an SNS subscription cannot be followed to PagerDuty, so the topic that watched alarms tell stands for
// the service. The topic of ripples does not: they may well page another service, whose incidents a run never reads, so
// of the alarms beside them nobody can say that they would abort the drill.
func (s *sight) reach() {
	topics, from := s.topics()
	for _, a := range s.all {
		one := s.judge("alarm "+a.Name, a)
		v := AlarmVerdict{Name: a.Name}
		if one.sees {
			v.Moved = one.moved.Name
		}
		named := s.p.names(a.Name)
		tells := a.Enabled && slices.ContainsFunc(a.Actions, func(t string) bool { return topics[t] })
		switch {
		case s.p.watches(a.Name):
			v.Verdict, v.Why = VerdictWatch, watchWhy(one)
		case !tells && len(topics) > 0:
			if one.sees && !named && a.Enabled && len(a.Actions) > 0 {
				s.warn("alarm %s moves with %s too and tells others (%s): say so to them first", a.Name, by(one.moved), strings.Join(tails(a.Actions), ", "))
			}
			continue
		case len(topics) == 0 && (!one.sees || !a.Enabled || len(a.Actions) == 0):
			continue
		case s.p.stops(a.Name):
			v.Verdict, v.Why = VerdictAbort, "a stop condition"
		case named:
			v.Verdict, v.Why = VerdictRipple, rippleWhy(one)
		default:
			v.Verdict, v.Why = VerdictUnlisted, otherWhy(one)
			if from == fromWatch {
				v.Verdict = VerdictAbort
			}
			if one.sees {
				s.v.Unlisted = append(s.v.Unlisted, a.Name)
			}
		}
		s.v.Alarms = append(s.v.Alarms, v)
	}
	s.tellReach(from)
}

// fromWatch says that the list was made of the topics which watched alarms tell.
const fromWatch = "watch"

// topics are what the drill's own alarms tell: those that are watched, else its ripples.
func (s *sight) topics() (topics map[string]bool, from string) {
	topics = map[string]bool{}
	for _, list := range []struct {
		what string
		has  func(string) bool
	}{{fromWatch, s.p.watches}, {"ripples", s.p.names}} {
		for _, a := range s.all {
			for _, t := range a.Actions {
				if list.has(a.Name) && strings.Contains(t, ":sns:") {
					topics[t] = true
				}
			}
		}
		if len(topics) > 0 {
			return topics, list.what
		}
	}
	return topics, ""
}

func (s *sight) tellReach(from string) {
	rings, moves := "It would abort the drill.", "moved by this drill, and not listed: %s. %s Try: ripples: [%s]"
	switch {
	case len(s.all) == 0:
	case from == "":
		s.v.Reaching = "Alarms that this drill moves"
		s.warn("no alarm of this drill tells an SNS topic: which alarms reach %s cannot be told from here", s.p.Page.Service)
	case from == fromWatch:
		s.v.Reaching = "Alarms that reach " + s.p.Page.Service
	default:
		s.v.Reaching = "Alarms that share a topic with this drill's ripples"
	}
	if from != "" {
		s.v.Reach = "alarms that tell an SNS topic of this drill's " + from + "; subscriptions are not followed to PagerDuty"
	}
	if len(s.v.Unlisted) > 0 {
		if from != fromWatch {
			rings = "Whom it tells is unknown from here: say so to them first."
		}
		s.warn(moves, strings.Join(s.v.Unlisted, ", "), rings,
			strings.Join(append(slices.Clone(s.p.Ripples), s.v.Unlisted...), ", "))
	}
}

func watchWhy(one seen) string {
	if one.sees {
		return "sees " + one.moved.Name + "; not to be counted on before " + short(one.soonest())
	}
	return "cannot be judged: " + one.why
}

func rippleWhy(one seen) string {
	if one.sees {
		return by(one.moved) + " moves its " + one.moved.Name + ": noted, never detection"
	}
	return "noted if it rings, never detection"
}

// otherWhy tells of an alarm that stands in no list of the drill.
func otherWhy(one seen) string {
	switch {
	case one.sees:
		return by(one.moved) + " moves its " + one.moved.Name
	case one.blind:
		return "nothing of this drill moves it: if it rings, something else is wrong"
	}
	return "cannot be judged: " + one.why
}

// watches says that an alarm stands under watch.
func (p *Plan) watches(name string) bool {
	return slices.ContainsFunc(p.Watch, func(w PlannedProbe) bool { return w.Alarm == name })
}

// stops says that an alarm is a stop condition.
func (p *Plan) stops(name string) bool {
	return slices.ContainsFunc(p.Stop, func(s PlannedProbe) bool { return s.Alarm == name })
}

// names says that an alarm is one of the ripples.
func (p *Plan) names(name string) bool {
	return slices.ContainsFunc(p.Ripples, func(r string) bool { return fits(r, name) })
}

// tails cuts ARNs down to what people call them.
func tails(arns []string) (out []string) {
	for _, a := range arns {
		out = append(out, a[strings.LastIndex(a, ":")+1:])
	}
	return out
}
