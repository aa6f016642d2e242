package aws

import (
	"slices"
	"sort"
	"sync"
)

// publisher sends a message to a topic of the account; the sns service implements it.
type publisher interface {
	// publish hands message to every subscription of topic and answers the message's id.
	publish(topic, subject, message string) (id string, err error)
}

// cloudWatch keeps metrics and alarms. It does not evaluate alarms: whoever does reads the data and says the
// state through the API, as anybody could.
type cloudWatch struct {
	deps
	publisher publisher // carries out alarm actions that name a topic
	metrics   *metricStore

	mu      sync.Mutex
	alarms  map[string]*metricAlarm
	history []alarmHistoryItem // oldest first
	tags    map[string]map[string]string
	mutes   map[string]muteRule // by name
}

var (
	_ service = (*cloudWatch)(nil)
	_ meter   = (*cloudWatch)(nil)
)

func newCloudWatch(d deps, p publisher) *cloudWatch {
	return &cloudWatch{deps: d, publisher: p, metrics: newMetricStore(d.now),
		alarms: map[string]*metricAlarm{}, tags: map[string]map[string]string{}, mutes: map[string]muteRule{}}
}

// id is the name requests are signed for; the call log says cloudwatch.
func (c *cloudWatch) id() string { return "monitoring" }

// observe takes one observation of another service of the account.
func (c *cloudWatch) observe(s sample) { c.metrics.observe(s) }

func (c *cloudWatch) operations() map[string]operation {
	return map[string]operation{
		"PutMetricData":       on(true, func(in *putMetricDataInput) string { return in.Namespace }, c.putMetricData),
		"GetMetricData":       on(false, nil, c.getMetricData),
		"GetMetricStatistics": on(false, func(in *getMetricStatisticsInput) string { return in.MetricName }, c.getMetricStatistics),
		"ListMetrics":         on(false, func(in *listMetricsInput) string { return in.Namespace }, c.listMetrics),

		"PutMetricAlarm":          on(true, func(in *putMetricAlarmInput) string { return in.AlarmName }, c.putMetricAlarm),
		"PutCompositeAlarm":       on(true, func(in *putCompositeAlarmInput) string { return in.AlarmName }, c.putCompositeAlarm),
		"DeleteAlarms":            on(true, func(in *alarmNamesInput) string { return first(in.AlarmNames) }, c.deleteAlarms),
		"EnableAlarmActions":      on(true, func(in *alarmNamesInput) string { return first(in.AlarmNames) }, c.enableAlarmActions),
		"DisableAlarmActions":     on(true, func(in *alarmNamesInput) string { return first(in.AlarmNames) }, c.disableAlarmActions),
		"SetAlarmState":           on(true, func(in *setAlarmStateInput) string { return in.AlarmName }, c.setAlarmState),
		"DescribeAlarms":          on(false, func(in *describeAlarmsInput) string { return first(in.AlarmNames) }, c.describeAlarms),
		"DescribeAlarmsForMetric": on(false, func(in *describeAlarmsForMetricInput) string { return in.MetricName }, c.describeAlarmsForMetric),
		"DescribeAlarmHistory":    on(false, func(in *describeAlarmHistoryInput) string { return in.AlarmName }, c.describeAlarmHistory),
		"PutAlarmMuteRule":        on(true, func(in *putAlarmMuteRuleInput) string { return in.Name }, c.putAlarmMuteRule),
		"DeleteAlarmMuteRule":     on(true, func(in *alarmMuteRuleNameInput) string { return in.AlarmMuteRuleName }, c.deleteAlarmMuteRule),
		"ListAlarmMuteRules":      on(false, func(in *listAlarmMuteRulesInput) string { return in.AlarmName }, c.listAlarmMuteRules),

		"TagResource":         on(true, func(in *alarmTagResourceInput) string { return in.ResourceARN }, c.tagResource),
		"UntagResource":       on(true, func(in *alarmUntagResourceInput) string { return in.ResourceARN }, c.untagResource),
		"ListTagsForResource": on(false, func(in *alarmListTagsInput) string { return in.ResourceARN }, c.listTagsForResource),
	}
}

// alarmConfig is an alarm as people configured it: no state, no times.
type alarmConfig struct {
	Name                    string            `json:"name"`
	Description             string            `json:"description,omitempty"`
	Rule                    string            `json:"rule,omitempty"`
	Suppressor              string            `json:"suppressor,omitempty"`
	Metrics                 []metricDataQuery `json:"metrics,omitempty"`
	Namespace               string            `json:"namespace"`
	Metric                  string            `json:"metric"`
	Dimensions              map[string]string `json:"dimensions,omitempty"`
	Statistic               string            `json:"statistic"`
	Unit                    string            `json:"unit,omitempty"`
	Period                  int               `json:"period"`
	EvaluationPeriods       int               `json:"evaluation_periods"`
	DatapointsToAlarm       int               `json:"datapoints_to_alarm"`
	Comparison              string            `json:"comparison"`
	Threshold               float64           `json:"threshold"`
	MissingData             string            `json:"treat_missing_data,omitempty"`
	ActionsEnabled          bool              `json:"actions_enabled"`
	AlarmActions            []string          `json:"alarm_actions,omitempty"`
	OKActions               []string          `json:"ok_actions,omitempty"`
	InsufficientDataActions []string          `json:"insufficient_data_actions,omitempty"`
	Tags                    map[string]string `json:"tags,omitempty"`
}

// config lists the alarms by name; metrics are traffic, not configuration.
func (c *cloudWatch) config() any {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := []alarmConfig{}
	for _, a := range c.sorted() {
		dims := map[string]string{}
		for _, d := range a.Dimensions {
			dims[d.Name] = d.Value
		}
		tags := map[string]string{}
		for k, v := range c.tags[a.AlarmArn] {
			tags[k] = v
		}
		out = append(out, alarmConfig{
			Name: a.AlarmName, Rule: a.composite.rule, Suppressor: a.composite.suppressor, Metrics: a.Metrics,
			Description: a.AlarmDescription, Namespace: a.Namespace, Metric: a.MetricName,
			Dimensions: dims, Statistic: a.Statistic, Unit: a.Unit, Period: a.Period,
			EvaluationPeriods: a.EvaluationPeriods, DatapointsToAlarm: a.needed(),
			Comparison: a.ComparisonOperator, Threshold: a.threshold(), MissingData: a.TreatMissingData,
			ActionsEnabled: *a.ActionsEnabled, AlarmActions: actionsInOrder(a.AlarmActions), OKActions: actionsInOrder(a.OKActions),
			InsufficientDataActions: actionsInOrder(a.InsufficientDataActions), Tags: tags,
		})
	}
	return map[string]any{"alarms": out}
}

// sorted lists the alarms by name; the caller holds the lock.
func (c *cloudWatch) sorted() []*metricAlarm {
	out := make([]*metricAlarm, 0, len(c.alarms))
	for _, a := range c.alarms {
		out = append(out, a)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].AlarmName < out[j].AlarmName })
	return out
}

// alarmARN is the ARN of the alarm of that name.
func (c *cloudWatch) alarmARN(name string) string { return c.arn("cloudwatch", "alarm:"+name) }

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

func actionsInOrder(names []string) []string {
	out := slices.Clone(names)
	slices.Sort(out)
	return out
}
