package drills

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/observe"
)

// AlarmVerdict says what an alarm of the list that a plan shows means to this drill.
type AlarmVerdict struct {
	Name    string
	Verdict string // watch, ripple, would abort this drill, not listed
	Why     string
	Moved   string // the metric by which a fault moves it; empty where none is known to
}

// The verdicts.
const (
	VerdictWatch    = "watch"
	VerdictRipple   = "ripple"
	VerdictAbort    = "would abort this drill"
	VerdictUnlisted = "not listed" // nothing tells whether it reaches the drill's own service
)

// sight joins what the faults move with the alarms of the account.
type sight struct {
	v      *Preview
	p      *Plan
	metric []inject.Metric
	whole  bool // every fault says what it moves
	all    []observe.Alarm
	watch  []seen
	nested int  // composite alarms that are being judged within each other
	pages  bool // some watched alert of Alertmanager pages through PagerDuty
}

// seen is what can be said of one alarm, or of a probe that is watched like one.
type seen struct {
	alarm  observe.Alarm
	sees   bool
	blind  bool   // it cannot see any fault; neither means that nobody can say
	why    string // why it is blind, or cannot be judged
	moved  inject.Metric
	soon   time.Duration // from the effect to the alarm: what can be counted on
	asked  bool          // under watch
	probed bool          // a probe, whose own reading is the detection
}

// soonest is when an alarm may fire after the effect. An alarm of alarms follows its children at once.
func (one seen) soonest() time.Duration {
	if one.alarm.Composite && one.sees {
		return one.soon
	}
	return observe.SoonestFire(one.alarm, one.moved.Delay)
}

// checkSight joins what the faults move with the alarms that are watched: an alarm that cannot see the fault, or not
// in time, is refused before anybody waits for it. It also lists what else would ring.
func (st *Steps) checkSight(ctx context.Context, v *Preview) *Refusal {
	s := newSight(v)
	if st.World.Alarms != nil {
		all, err := st.World.Alarms.All(ctx)
		if err != nil {
			return refuse("alarms", "allow cloudwatch:DescribeAlarms on all alarms", "list the alarms that may ring: %v", err)
		}
		s.all = all
	}
	if r := st.checkMuted(ctx, s); r != nil {
		return r
	}
	st.checkPages(ctx, s)
	for _, check := range []func() *Refusal{s.checkWatched, s.checkActions, s.checkStop, s.checkFloors} {
		if r := check(); r != nil {
			return r
		}
	}
	s.reach()
	return nil
}

func newSight(v *Preview) *sight {
	s := &sight{v: v, p: v.Plan, whole: true}
	for _, f := range v.Faults {
		s.metric = append(s.metric, f.Moves...)
		s.whole = s.whole && len(f.Moves) > 0
	}
	return s
}

func (s *sight) warn(text string, args ...any) {
	s.v.Warn = append(s.v.Warn, fmt.Sprintf(text, args...))
}

// checkWatched judges everything under watch, and refuses what can never see a fault of this drill.
func (s *sight) checkWatched() *Refusal {
	for _, p := range s.p.Watch {
		one := s.watched(p)
		if one.blind {
			return refuse("sight", s.instead(one), "%s", one.why)
		}
		if !one.sees {
			s.warn("%s cannot be judged: %s", p.Label, one.why)
		}
		s.watch = append(s.watch, one)
	}
	return nil
}

// watched judges one entry of watch.
func (s *sight) watched(p PlannedProbe) seen {
	switch {
	case p.Alarm != "":
		i := slices.IndexFunc(s.all, func(a observe.Alarm) bool { return a.Name == p.Alarm })
		if i < 0 {
			return seen{alarm: observe.Alarm{Name: p.Alarm}, why: "it is not among the alarms of this account and region", asked: true}
		}
		one := s.judge("alarm "+p.Alarm, s.all[i])
		one.soon, one.asked = one.soonest(), true
		return one
	case p.Spec.CloudWatch != nil:
		c := p.Spec.CloudWatch
		one := s.judge("probe "+p.Label, observe.Alarm{Name: p.Label, Namespace: c.Namespace, Metric: c.Metric, Dimensions: c.Dimensions, Statistic: c.Statistic})
		one.soon, one.asked, one.probed = max(time.Duration(c.Period), time.Second)+one.moved.Delay, true, true
		if c.Period == 0 {
			one.soon = time.Minute + one.moved.Delay
		}
		return one
	}
	return seen{alarm: observe.Alarm{Name: p.Label}, sees: true, asked: true, probed: true}
}

// checkActions: with page.when alarm it is the team's own alarm that pages, so one must be able to.
func (s *sight) checkActions() *Refusal {
	pages, alarms := false, 0
	for _, w := range s.watch {
		if w.probed {
			continue
		}
		alarms++
		a := w.alarm
		if s.p.Page.When == PageAlarm && len(a.Actions) > 0 && !a.Enabled {
			return refuse("alarms", "aws cloudwatch enable-alarm-actions --alarm-names "+a.Name, "the actions of alarm %s are disabled: it would page nobody", a.Name)
		}
		pages = pages || len(a.Actions) > 0
		for _, lint := range observe.Lint(a) {
			s.warn("%s", lint)
		}
	}
	switch {
	case s.p.Page.When != PageAlarm, s.pages:
	case alarms == 0:
		s.warn("no alarm of CloudWatch is watched: whether anything pages before the fallback of %s cannot be told", short(s.p.Page.Fallback))
	case !pages:
		return refuse("alarms", "give it an alarm action that reaches PagerDuty, or write page: {when: direct}", "no watched alarm has an action: nobody would be paged by it")
	}
	return nil
}

// checkStop: a stop condition on what the faults move would end every drill at the moment it begins.
func (s *sight) checkStop() *Refusal {
	for _, p := range s.p.Stop {
		one := s.watched(p)
		if p.Alarm == "" && p.Spec.CloudWatch == nil {
			one = s.queueDepth(p)
		}
		if one.sees {
			return refuse("stop_condition", "stop on what hurts customers, never on the metric that is perturbed",
				"stop condition %s watches %s, which %s moves", p.Label, one.moved.Name, by(one.moved))
		}
		if one.alarm.Composite && !one.blind || len(one.alarm.Inputs) > 0 && !one.blind {
			s.warn("stop condition %s cannot be judged: %s", p.Label, one.why)
		}
	}
	return nil
}

// queueDepth judges an sqs probe by the metric that counts the same.
func (s *sight) queueDepth(p PlannedProbe) seen {
	if p.Spec.SQS == nil {
		return seen{}
	}
	q := p.Spec.SQS.Queue
	return s.judge(p.Label, observe.Alarm{Namespace: "AWS/SQS", Metric: "ApproximateNumberOfMessagesVisible",
		Dimensions: map[string]string{"QueueName": q[strings.LastIndexAny(q, "/:")+1:]}})
}

func by(m inject.Metric) string {
	if m.By == "" {
		return "the fault"
	}
	return m.By
}
