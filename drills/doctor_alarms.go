package drills

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/firedrill/firedrill/observe"
)

// one is the plan with a single watched entry.
func (p *Plan) watching(w PlannedProbe) *Plan {
	one := *p
	one.Watch = []PlannedProbe{w}
	return &one
}

// eachWatch looks at every entry under watch of every drill, side by side.
func (e *exam) eachWatch(ctx context.Context, look func(st *Steps, r *reading, w PlannedProbe) []Finding) []Finding {
	type pair struct {
		r *reading
		w PlannedProbe
	}
	var all []pair
	for _, r := range e.readings(ctx) {
		for _, w := range r.v.Plan.Watch {
			all = append(all, pair{r, w})
		}
	}
	return gathered(sideBySide(len(all), func(i int) []Finding {
		return of(all[i].r.spec.Drill, look(e.st.beside(), all[i].r, all[i].w))
	}))
}

// alarms asks of everything under watch, one by one, what the guard asks: that it is there, and quiet.
func (e *exam) alarms(ctx context.Context, _ *Steps) []Finding {
	return e.eachWatch(ctx, func(st *Steps, r *reading, w PlannedProbe) []Finding {
		f := &found{facts: map[string]string{}}
		if no := st.checkAlarms(ctx, r.v.Plan.watching(w), f); no != nil {
			try := ""
			if w.Alarm != "" {
				try = e.alarmStep(ctx, st, w.Alarm)
			}
			return []Finding{no.finding(w.Label, try)}
		}
		if said := f.told(w.Label, "look at it: "+w.Label); said != nil {
			return said
		}
		return []Finding{well(w.Label, "it is there, and quiet")}
	})
}

// alarmStep is what mends an alarm that is not OK; empty where the guard's own step is as good.
func (e *exam) alarmStep(ctx context.Context, st *Steps, name string) string {
	a, there, err := e.alarm(ctx, name)
	switch {
	case err != nil:
		return ""
	case !there:
		return st.aws("cloudwatch describe-alarms --query 'MetricAlarms[].AlarmName'") + "   # then correct its name under watch"
	case a.State == "ALARM":
		return st.aws("cloudwatch describe-alarm-history --alarm-name "+shellWord(name)) + "   # shows why: wait until it is OK, or mend that"
	}
	return ""
}

// alarm is one of the account's, all of which are listed once.
func (e *exam) alarm(ctx context.Context, name string) (a observe.Alarm, there bool, err error) {
	all, err := e.all(ctx)
	if i := slices.IndexFunc(all, func(a observe.Alarm) bool { return a.Name == name }); i >= 0 {
		return all[i], true, nil
	}
	return a, false, err
}

func (e *exam) all(ctx context.Context) ([]observe.Alarm, error) {
	e.seen.mu.Lock()
	defer e.seen.mu.Unlock()
	if !e.seen.listed && e.st.World.Alarms != nil {
		e.seen.alarms, e.seen.err = e.st.World.Alarms.All(ctx)
		e.seen.listed = e.seen.err == nil
	}
	return e.seen.alarms, e.seen.err
}

// sightOf is the plan's own sight with one watched entry.
func (e *exam) sightOf(ctx context.Context, r *reading, w PlannedProbe) (*sight, error) {
	v := *r.v
	v.Plan = r.v.Plan.watching(w)
	v.Warn, v.Alarms = nil, nil
	s := newSight(&v)
	all, err := e.all(ctx)
	s.all = all
	return s, err
}

// actions asks of every watched alarm whether it would tell anybody: by the plan's own judgement of its actions, of what
// mutes or suppresses them, and by the subscriptions of its topics.
func (e *exam) actions(ctx context.Context, _ *Steps) []Finding {
	return e.eachWatch(ctx, func(st *Steps, r *reading, w PlannedProbe) []Finding {
		if w.Alarm == "" && w.Spec.Alertmanager == nil {
			return nil // a probe has no actions
		}
		s, err := e.sightOf(ctx, r, w)
		i := slices.IndexFunc(s.all, func(a observe.Alarm) bool { return a.Name == w.Alarm })
		switch {
		case err != nil:
			return []Finding{wrong(w.Label, "allow cloudwatch:DescribeAlarms on all alarms", "%v", err)}
		case w.Alarm != "" && i < 0:
			return unseen(w.Label, "it is not there")
		}
		var list []Finding
		if w.Alarm != "" {
			if no := st.checkMuted(ctx, s); no != nil {
				list = append(list, no.finding(w.Label, ""))
			}
		}
		st.checkPages(ctx, s)
		s.watch = []seen{s.watched(w)}
		no := s.checkActions()
		if no != nil {
			f := no.finding(w.Label, "")
			if w.Alarm != "" {
				f.Try = st.actionStep(s.all[i], s.all)
			}
			if f.Health == Wrong && e.otherPages(s, r, w) {
				f.Health = Ailing
			}
			list = append(list, f)
		}
		for _, text := range s.v.Warn {
			if no == nil || !strings.Contains(text, "tells nobody") { // said already
				list = append(list, warnFinding(w.Label, text))
			}
		}
		if w.Alarm != "" && no == nil {
			list = append(list, e.delivered(ctx, r, s.all[i])...)
		}
		if len(list) == 0 {
			list = []Finding{well(w.Label, "%s", tellsWhom(s, w))}
		}
		return list
	})
}

// warnFinding is a plan's warning, with its next step apart.
func warnFinding(on, text string) Finding {
	what, try, ok := strings.Cut(text, " Try: ")
	if !ok {
		try = "look at " + on
	}
	return ailing(on, try, "%s", strings.TrimSuffix(what, "."))
}

// tellsWhom says whom a watched entry tells.
func tellsWhom(s *sight, w PlannedProbe) string {
	for _, a := range s.all {
		if a.Name == w.Alarm && len(a.Actions) > 0 {
			return "it tells " + strings.Join(tails(a.Actions), ", ")
		}
	}
	if s.pages {
		return "it pages"
	}
	return "it tells nobody, and need not: this drill is paged otherwise"
}

// otherPages says that another watched alarm of the drill has actions: one that tells nobody keeps no drill from running.
func (e *exam) otherPages(s *sight, r *reading, w PlannedProbe) bool {
	return slices.ContainsFunc(r.v.Plan.Watch, func(o PlannedProbe) bool {
		return o.Alarm != "" && o.Alarm != w.Alarm && slices.ContainsFunc(s.all, func(a observe.Alarm) bool {
			return a.Name == o.Alarm && a.Enabled && len(a.Actions) > 0
		})
	}) && slices.ContainsFunc(s.all, func(a observe.Alarm) bool { return a.Name == w.Alarm && len(a.Actions) == 0 })
}

// actionStep is the command that lets an alarm tell somebody: actions of its own switched on, or the topic that most of
// the account's alarms tell.
func (st *Steps) actionStep(a observe.Alarm, all []observe.Alarm) string {
	if len(a.Actions) > 0 {
		return st.aws("cloudwatch enable-alarm-actions --alarm-names " + shellWord(a.Name))
	}
	topic, count := "", map[string]int{}
	for _, o := range all {
		for _, t := range o.Actions {
			if count[t]++; strings.Contains(t, ":sns:") && count[t] > count[topic] {
				topic = t
			}
		}
	}
	if topic == "" {
		topic = newNeeds(st.Env).place.ARN("sns", "TOPIC-THAT-TELLS-PAGERDUTY")
	}
	return st.withAction(a, topic)
}

// withAction writes an alarm anew with an action. There is no call that adds one alone.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
func (st *Steps) withAction(a observe.Alarm, topic string) string {
	tells := " --actions-enabled --alarm-actions " + topic + " --ok-actions " + topic
	switch {
	case a.Composite:
		return st.aws("cloudwatch put-composite-alarm --alarm-name " + shellWord(a.Name) + " --alarm-rule " + shellWord(a.Rule) + tells)
	case a.Metric == "" || a.Expression != "":
		return "add alarm action " + topic + " to alarm " + a.Name + ", where its metric math is kept"
	}
	line := fmt.Sprintf("cloudwatch put-metric-alarm --alarm-name %s --namespace %s --metric-name %s", shellWord(a.Name), shellWord(a.Namespace), shellWord(a.Metric))
	if len(a.Dimensions) > 0 {
		line += " --dimensions"
		for _, pair := range strings.Split(pairs(a.Dimensions, "\n"), "\n") {
			k, v, _ := strings.Cut(pair, "=")
			line += " " + shellWord("Name="+k+",Value="+v)
		}
	}
	statistic := " --statistic "
	if !slices.Contains([]string{"SampleCount", "Average", "Sum", "Minimum", "Maximum"}, a.Statistic) {
		statistic = " --extended-statistic "
	}
	line += statistic + shellWord(a.Statistic) + fmt.Sprintf(" --period %d --evaluation-periods %d --datapoints-to-alarm %d --threshold %s --comparison-operator %s",
		int(a.Period.Seconds()), a.Evaluations, a.Datapoints, strconv.FormatFloat(a.Threshold, 'f', -1, 64), a.Comparison)
	if a.Missing != "" {
		line += " --treat-missing-data " + a.Missing
	}
	return st.aws(line + tells)
}
