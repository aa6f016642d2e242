package aws

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestPutMetricAlarmRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*putMetricAlarmInput){
		"no name":            func(in *putMetricAlarmInput) { in.AlarmName = "" },
		"long name":          func(in *putMetricAlarmInput) { in.AlarmName = strings.Repeat("a", 256) },
		"no metric":          func(in *putMetricAlarmInput) { in.MetricName = "" },
		"period":             func(in *putMetricAlarmInput) { in.Period = 0 },
		"evaluation periods": func(in *putMetricAlarmInput) { in.EvaluationPeriods = 0 },
		"more than a day":    func(in *putMetricAlarmInput) { in.EvaluationPeriods = 43201 },
		"M more than N":      func(in *putMetricAlarmInput) { in.DatapointsToAlarm = ptr(2) },
		"no threshold":       func(in *putMetricAlarmInput) { in.Threshold = nil },
		"comparison":         func(in *putMetricAlarmInput) { in.ComparisonOperator = "Above" },
		"treatment":          func(in *putMetricAlarmInput) { in.TreatMissingData = "good" },
		"statistic":          func(in *putMetricAlarmInput) { in.Statistic = "p99" },
		"six actions":        func(in *putMetricAlarmInput) { in.OKActions = make([]string, 6) },
		"not an ARN":         func(in *putMetricAlarmInput) { in.OKActions = []string{"oncall"} },
	} {
		t.Run(name, func(t *testing.T) {
			c, _, _ := testCloudWatch(t)
			in := throttled()
			spoil(in)
			_, err := c.putMetricAlarm(t.Context(), caller{}, in)
			wantCode(t, err, "ValidationError")
			if len(c.alarms) != 0 {
				t.Error("the refused alarm exists")
			}
		})
	}
}

func TestPutMetricAlarmOverwritesConfigurationAndKeepsState(t *testing.T) {
	c, topics, clock := testCloudWatch(t)
	putAlarm(t, c, throttled())
	setState(t, c, "orders-write-throttled", "ALARM")
	before := describe(t, c, &describeAlarmsInput{})[0]
	clock.move(1e9)
	in := throttled()
	in.AlarmActions, in.Threshold = nil, ptr(5.0)
	putAlarm(t, c, in)
	a := describe(t, c, &describeAlarmsInput{})[0]
	if a.StateValue != "ALARM" || !a.StateTransitionedTimestamp.Equal(before.StateTransitionedTimestamp) || len(a.AlarmActions) != 0 || *a.Threshold != 5 {
		t.Errorf("after the update: %+v", a)
	}
	if len(topics.published) != 1 {
		t.Errorf("the update published %q", topics.published[1:])
	}
}

func TestDescribeAlarms(t *testing.T) {
	c, _, _ := testCloudWatch(t)
	for i := range 60 {
		in := throttled()
		in.AlarmName = fmt.Sprintf("orders-%02d", i)
		putAlarm(t, c, in)
	}
	quiet := throttled()
	quiet.AlarmName, quiet.AlarmActions, quiet.OKActions = "web", nil, nil
	putAlarm(t, c, quiet)
	setState(t, c, "web", "OK")

	for name, x := range map[string]struct {
		in   describeAlarmsInput
		want int
	}{
		"a page of 50":   {describeAlarmsInput{}, 50},
		"prefix":         {describeAlarmsInput{AlarmNamePrefix: "orders-1"}, 10},
		"names":          {describeAlarmsInput{AlarmNames: []string{"web", "orders-05", "gone"}}, 2},
		"state":          {describeAlarmsInput{StateValue: "OK"}, 1},
		"composite only": {describeAlarmsInput{AlarmTypes: []string{"CompositeAlarm"}}, 0},
		"both types":     {describeAlarmsInput{AlarmTypes: []string{"CompositeAlarm", "MetricAlarm"}, MaxRecords: 100}, 61},
		"action":         {describeAlarmsInput{ActionPrefix: "arn:aws:sns:", MaxRecords: 100}, 60},
	} {
		if got := len(describe(t, c, &x.in)); got != x.want {
			t.Errorf("%s: %d alarms, want %d", name, got, x.want)
		}
	}
	out, err := c.describeAlarms(t.Context(), caller{}, &describeAlarmsInput{NextToken: "50"})
	if err != nil || len(out.MetricAlarms) != 11 || out.NextToken != "" {
		t.Errorf("second page: %d alarms, next %q, %v", len(out.MetricAlarms), out.NextToken, err)
	}
	_, err = c.describeAlarms(t.Context(), caller{}, &describeAlarmsInput{AlarmNames: []string{"web"}, AlarmNamePrefix: "w"})
	wantCode(t, err, "InvalidParameterCombinationException")
}

func TestDescribeAlarmsForMetricWantsExactDimensions(t *testing.T) {
	c, _, _ := testCloudWatch(t)
	putAlarm(t, c, throttled())
	ask := func(dims ...metricDimension) int {
		out, err := c.describeAlarmsForMetric(t.Context(), caller{}, &describeAlarmsForMetricInput{Namespace: "AWS/DynamoDB", MetricName: "WriteThrottleEvents", Dimensions: dims})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.MetricAlarms)
	}
	if got := ask(metricDimension{"TableName", "orders"}); got != 1 {
		t.Errorf("same dimensions: %d alarms", got)
	}
	if got := ask() + ask(metricDimension{"TableName", "stock"}); got != 0 {
		t.Errorf("other dimensions: %d alarms", got)
	}
}

func TestUnknownAlarmIsNotFound(t *testing.T) {
	c, _, _ := testCloudWatch(t)
	putAlarm(t, c, throttled())
	_, err := c.setAlarmState(t.Context(), caller{}, &setAlarmStateInput{AlarmName: "gone", StateValue: "OK", StateReason: "r"})
	wantCode(t, err, "ResourceNotFound")
	_, err = c.deleteAlarms(t.Context(), caller{}, &alarmNamesInput{AlarmNames: []string{"orders-write-throttled", "gone"}})
	wantCode(t, err, "ResourceNotFound")
	if len(c.alarms) != 1 {
		t.Error("a refused deletion deleted")
	}
}

func TestSetAlarmStateRefuses(t *testing.T) {
	c, _, _ := testCloudWatch(t)
	putAlarm(t, c, throttled())
	for code, in := range map[string]setAlarmStateInput{
		"ValidationError":    {AlarmName: "orders-write-throttled", StateValue: "RED", StateReason: "r"},
		"InvalidFormatFault": {AlarmName: "orders-write-throttled", StateValue: "OK", StateReason: "r", StateReasonData: "{"},
	} {
		_, err := c.setAlarmState(t.Context(), caller{}, &in)
		wantCode(t, err, code)
	}
}

func TestAlarmTags(t *testing.T) {
	c, _, _ := testCloudWatch(t)
	in := throttled()
	in.Tags = []alarmTag{{"environment", "sandbox"}, {"firedrill", "allowed"}}
	putAlarm(t, c, in)
	arn := c.alarmARN("orders-write-throttled")
	if _, err := c.untagResource(t.Context(), caller{}, &alarmUntagResourceInput{arn, []string{"environment"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.tagResource(t.Context(), caller{}, &alarmTagResourceInput{arn, []alarmTag{{"team", "orders"}}}); err != nil {
		t.Fatal(err)
	}
	out, err := c.listTagsForResource(t.Context(), caller{}, &alarmListTagsInput{arn})
	if err != nil || fmt.Sprint(out.Tags) != "[{firedrill allowed} {team orders}]" {
		t.Errorf("tags %v, %v", out, err)
	}
	_, err = c.listTagsForResource(t.Context(), caller{}, &alarmListTagsInput{c.alarmARN("gone")})
	wantCode(t, err, "ResourceNotFoundException")
}

func TestAlarmConfigHasNoStateInIt(t *testing.T) {
	c, _, clock := testCloudWatch(t)
	putAlarm(t, c, throttled())
	before, _ := json.Marshal(c.config())
	clock.move(1e9)
	setState(t, c, "orders-write-throttled", "ALARM")
	c.observe(sample{Namespace: "AWS/DynamoDB", Metric: "WriteThrottleEvents", Value: 1})
	putAlarm(t, c, throttled())
	if after, _ := json.Marshal(c.config()); string(after) != string(before) {
		t.Errorf("config changed:\n%s\n%s", before, after)
	}
	if _, err := c.disableAlarmActions(t.Context(), caller{}, &alarmNamesInput{[]string{"orders-write-throttled"}}); err != nil {
		t.Fatal(err)
	}
	if after, _ := json.Marshal(c.config()); string(after) == string(before) {
		t.Error("config does not show that actions are disabled")
	}
}
