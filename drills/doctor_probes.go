package drills

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/observe"
)

// sight asks whether each watched entry can see what its drill breaks, and in time.
func (e *exam) sight(ctx context.Context, _ *Steps) []Finding {
	return e.eachWatch(ctx, func(_ *Steps, r *reading, w PlannedProbe) []Finding {
		s, err := e.sightOf(ctx, r, w)
		switch {
		case err != nil:
			return unseen(w.Label, "%v", err)
		case !r.whole():
			return unseen(w.Label, "what %s breaks could not be read", r.spec.Drill)
		case w.Alarm != "" && !slices.ContainsFunc(s.all, func(a observe.Alarm) bool { return a.Name == w.Alarm }):
			return unseen(w.Label, "it is not there")
		}
		if no := s.checkWatched(); no != nil {
			return []Finding{no.finding(w.Label, "")}
		}
		if w.Alarm == "" {
			return []Finding{well(w.Label, "read by itself")}
		}
		return []Finding{well(w.Label, "%s", watchWhy(s.watch[0]))}
	})
}

// stops reads every stop condition, and asks that none watches what its drill breaks.
func (e *exam) stops(ctx context.Context, _ *Steps) []Finding {
	if said := e.anyProbe(func(s *Spec) int { return len(s.StopConditions) }, "no drill here has a stop condition"); said != nil {
		return said
	}
	return e.eachProbe(func(p *Plan) []PlannedProbe { return p.Stop }, func(st *Steps, p *Plan, x PlannedProbe) *Refusal {
		one := *p
		one.Stop = []PlannedProbe{x}
		return st.checkStop(ctx, &one, &found{facts: map[string]string{}})
	})
}

// steady reads every steady state, as a run does before it touches anything.
func (e *exam) steady(ctx context.Context, _ *Steps) []Finding {
	if said := e.anyProbe(func(s *Spec) int { return len(s.SteadyState) }, "no drill here has a steady_state"); said != nil {
		return said
	}
	return e.eachProbe(func(p *Plan) []PlannedProbe { return p.Steady }, func(st *Steps, p *Plan, x PlannedProbe) *Refusal {
		one := *p
		one.Steady = []PlannedProbe{x}
		return st.checkSteady(ctx, &one, &found{facts: map[string]string{}})
	})
}

// anyProbe says in one line that there is nothing to look at.
func (e *exam) anyProbe(count func(*Spec) int, none string) []Finding {
	for _, s := range e.x.Drills {
		if count(s) > 0 {
			return nil
		}
	}
	return []Finding{well("", "%s", none)}
}

// eachProbe reads each probe of one list of every drill once.
func (e *exam) eachProbe(list func(*Plan) []PlannedProbe, check func(*Steps, *Plan, PlannedProbe) *Refusal) []Finding {
	type pair struct {
		drills []string
		plan   *Plan
		probe  PlannedProbe
	}
	var all []*pair
	for _, s := range e.x.Drills {
		p := newPlan(e.st.Env, s, e.st.caller, e.x.Run)
		for _, x := range list(p) {
			i := slices.IndexFunc(all, func(o *pair) bool { return reflect.DeepEqual(o.probe, x) })
			if i < 0 {
				all, i = append(all, &pair{plan: p, probe: x}), len(all)
			}
			all[i].drills = append(all[i].drills, s.Drill)
		}
	}
	said := sideBySide(len(all), func(i int) []Finding {
		one := all[i]
		if e.why != "" && inAccount(one.probe) {
			return unseen(one.probe.Label, "%s", e.why)
		}
		f := well(one.probe.Label, "good")
		if no := check(e.st.beside(), one.plan, one.probe); no != nil {
			f = no.finding(one.probe.Label, probeStep(one.probe))
		}
		f.Drills = one.drills
		return []Finding{f}
	})
	return gathered(said)
}

// inAccount says that a probe asks AWS.
func inAccount(p PlannedProbe) bool {
	return p.Spec.Alarm != nil || p.Spec.SQS != nil || p.Spec.CloudWatch != nil
}

// probeStep is the command with which a person looks at what a probe looks at; empty where the guard's own step is as good.
func probeStep(p PlannedProbe) string {
	h := p.Spec.HTTP
	if h == nil {
		return ""
	}
	line := "curl -i"
	if h.Method != "" && h.Method != "GET" {
		line += " -X " + h.Method
	}
	return line + " " + shellWord(h.URL) + "   # then mend what answers, or the probe"
}

// delivered follows an alarm's topics to PagerDuty, where the subscriptions may be read.
func (e *exam) delivered(ctx context.Context, r *reading, a observe.Alarm) (list []Finding) {
	if e.x.Eyes.Topic == nil || r.v.Plan.Page.When != PageAlarm {
		return nil
	}
	topics := 0
	for _, t := range a.Actions {
		if !strings.Contains(t, ":sns:") {
			return nil // an incident manager, a function: whom it tells nobody can say from here
		}
		subs, err := e.x.Eyes.Topic(ctx, t)
		if err != nil {
			return nil // least rights: the topic stands for the service, as in the plan
		}
		if topics++; slices.ContainsFunc(subs, leads) {
			return nil
		}
	}
	if topics == 0 {
		return nil
	}
	t := a.Actions[0]
	return []Finding{ailing("alarm "+a.Name, e.st.aws("sns subscribe --topic-arn "+t+" --protocol https --notification-endpoint https://events.pagerduty.com/integration/INTEGRATION-KEY/enqueue"),
		"it tells %s, which delivers nothing to PagerDuty", strings.Join(tails(a.Actions), ", "))}
}

// leads says that a subscription leads to PagerDuty, or to something that may: a function or a queue.
func leads(s inject.Subscription) bool {
	return s.Confirmed && (s.Protocol != "http" && s.Protocol != "https" || strings.Contains(s.Endpoint, "/integration/") || strings.Contains(s.Endpoint, "pagerduty"))
}
