package observe

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
)

// shelf is a CloudWatch with these alarms, at most two to a page.
func shelf(t *testing.T, composites []string, metrics ...string) *cloud {
	return &cloud{alarms: func(in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
		if len(in.AlarmNames) > 100 || len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil {
			t.Errorf("asked for %d names and prefix %v", len(in.AlarmNames), in.AlarmNamePrefix)
		}
		var match []string
		for _, name := range slices.Concat(metrics, composites) {
			wanted := len(in.AlarmNames) == 0 || slices.Contains(in.AlarmNames, name)
			kind := types.AlarmTypeMetricAlarm
			if slices.Contains(composites, name) {
				kind = types.AlarmTypeCompositeAlarm
			}
			if wanted && strings.HasPrefix(name, aws.ToString(in.AlarmNamePrefix)) && slices.Contains(in.AlarmTypes, kind) {
				match = append(match, name)
			}
		}
		var from int
		_, _ = fmt.Sscan(aws.ToString(in.NextToken), &from)
		out := &cloudwatch.DescribeAlarmsOutput{}
		for _, name := range match[from:min(from+2, len(match))] {
			if slices.Contains(composites, name) {
				out.CompositeAlarms = append(out.CompositeAlarms, types.CompositeAlarm{AlarmName: aws.String(name), StateValue: "OK"})
			} else {
				out.MetricAlarms = append(out.MetricAlarms, types.MetricAlarm{AlarmName: aws.String(name), StateValue: "OK"})
			}
		}
		if from+2 < len(match) {
			out.NextToken = aws.String(fmt.Sprint(from + 2))
		}
		return out, nil
	}}
}

func TestDescribeFindsNamesAndPrefixes(t *testing.T) {
	many := make([]string, 250)
	for i := range many {
		many[i] = fmt.Sprintf("many-%03d", i)
	}
	api := shelf(t, []string{"orders-all"}, append(many, "orders-a", "orders-b", "web")...)
	for name, c := range map[string]struct {
		patterns []string
		want     []string
	}{
		"one":              {[]string{"web"}, []string{"web"}},
		"absent":           {[]string{"web", "nope"}, []string{"web"}},
		"prefix":           {[]string{"orders-*"}, []string{"orders-a", "orders-all", "orders-b"}},
		"twice":            {[]string{"orders-a", "orders-a", "orders-*"}, []string{"orders-a", "orders-all", "orders-b"}},
		"nothing":          {nil, []string{}},
		"more than a call": {many, many},
	} {
		got, err := NewAlarms(api).Describe(t.Context(), c.patterns)
		if err != nil {
			t.Fatal(err)
		}
		names := []string{}
		for _, a := range got {
			names = append(names, a.Name)
		}
		if !slices.Equal(names, c.want) {
			t.Errorf("%s: %v, want %v", name, names, c.want)
		}
	}
	all, err := NewAlarms(api).All(t.Context())
	if err != nil || len(all) != 254 {
		t.Errorf("all: %d, %v", len(all), err)
	}
	for _, bad := range []string{"", "a*b", "**"} {
		if _, err := NewAlarms(api).Describe(t.Context(), []string{bad}); err == nil {
			t.Errorf("pattern %q is no error", bad)
		}
	}
}

func TestAlarmsAreToldWhole(t *testing.T) {
	since := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	stat := &types.MetricStat{Metric: &types.Metric{Namespace: aws.String("Orders"), MetricName: aws.String("Errors")}, Period: aws.Int32(120), Stat: aws.String("Sum")}
	api := &cloud{alarms: func(*cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
		return &cloudwatch.DescribeAlarmsOutput{
			MetricAlarms: []types.MetricAlarm{
				{
					AlarmName: aws.String("a"), StateValue: "ALARM", StateTransitionedTimestamp: &since, StateUpdatedTimestamp: aws.Time(since.Add(time.Hour)),
					Namespace: aws.String("AWS/DynamoDB"), MetricName: aws.String("WriteThrottleEvents"), Dimensions: []types.Dimension{{Name: aws.String("TableName"), Value: aws.String("orders")}},
					Period: aws.Int32(60), EvaluationPeriods: aws.Int32(3), DatapointsToAlarm: aws.Int32(2), Threshold: aws.Float64(1), ComparisonOperator: "GreaterThanThreshold",
					Statistic: "Sum", TreatMissingData: aws.String("notBreaching"), ActionsEnabled: aws.Bool(true), AlarmActions: []string{"x"}, OKActions: []string{"y"}, InsufficientDataActions: []string{"z"},
				},
				{AlarmName: aws.String("b"), EvaluationPeriods: aws.Int32(2), Metrics: []types.MetricDataQuery{{MetricStat: stat}}},
				{AlarmName: aws.String("c"), EvaluationPeriods: aws.Int32(1), Metrics: []types.MetricDataQuery{{MetricStat: stat}, {Expression: aws.String("m1*2")}}},
			},
			CompositeAlarms: []types.CompositeAlarm{{AlarmName: aws.String("d"), StateValue: "OK", ActionsEnabled: aws.Bool(true), AlarmActions: []string{"x"}}},
		}, nil
	}}
	got, err := NewAlarms(api).All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []Alarm{
		{
			Name: "a", State: "ALARM", Since: since, Namespace: "AWS/DynamoDB", Metric: "WriteThrottleEvents", Dimensions: map[string]string{"TableName": "orders"},
			Period: time.Minute, Datapoints: 2, Evaluations: 3, Threshold: 1, Comparison: "GreaterThanThreshold", Statistic: "Sum", Missing: "notBreaching", Enabled: true,
			Actions: []string{"x"}, OKActions: []string{"y"}, Insufficient: []string{"z"},
		},
		{Name: "b", Namespace: "Orders", Metric: "Errors", Statistic: "Sum", Period: 2 * time.Minute, Datapoints: 2, Evaluations: 2},
		{Name: "c", Period: 2 * time.Minute, Datapoints: 1, Evaluations: 1, Expression: "m1*2",
			Inputs: []Alarm{{Namespace: "Orders", Metric: "Errors", Statistic: "Sum", Period: 2 * time.Minute}}},
		{Name: "d", State: "OK", Enabled: true, Actions: []string{"x"}, Composite: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestHistoryTellsTransitions(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 11, 22, 10, 0, s, 0, time.UTC) }
	item := func(name string, kind types.HistoryItemType, s int, data, summary string) types.AlarmHistoryItem {
		return types.AlarmHistoryItem{AlarmName: aws.String(name), HistoryItemType: kind, Timestamp: aws.Time(at(s)), HistoryData: aws.String(data), HistorySummary: aws.String(summary)}
	}
	const update = types.HistoryItemTypeStateUpdate
	pages := [][]types.AlarmHistoryItem{
		{
			item("a", update, 9, `{"oldState":{"stateValue":"ALARM"},"newState":{"stateValue":"OK","stateReason":"fine"}}`, ""),
			item("a", update, 5, `{"version":"1.0","oldState":{"stateValue":"OK"},"newState":{"stateValue":"ALARM","stateReason":"3 > 1"}}`, ""),
		},
		{
			item("a", update, 12, `not JSON`, "Alarm updated from OK to INSUFFICIENT_DATA"),
			item("a", update, 13, `{"oldState":{"stateValue":"OK"},"newState":{"stateValue":"OK"}}`, ""),
			item("a", types.HistoryItemTypeAction, 6, `{}`, "Successfully executed action"),
			item("b", update, 6, `{"oldState":{"stateValue":"OK"},"newState":{"stateValue":"ALARM"}}`, ""),
			item("a", update, 1, `{"oldState":{"stateValue":"OK"},"newState":{"stateValue":"ALARM"}}`, ""),
		},
	}
	api := &cloud{history: func(in *cloudwatch.DescribeAlarmHistoryInput) (*cloudwatch.DescribeAlarmHistoryOutput, error) {
		if !slices.Contains(in.AlarmTypes, types.AlarmTypeCompositeAlarm) || in.HistoryItemType != update {
			t.Errorf("asked %+v", in)
		}
		if in.NextToken == nil {
			return &cloudwatch.DescribeAlarmHistoryOutput{AlarmHistoryItems: pages[0], NextToken: aws.String("2")}, nil
		}
		return &cloudwatch.DescribeAlarmHistoryOutput{AlarmHistoryItems: pages[1]}, nil
	}}
	got, err := NewAlarms(api).History(t.Context(), "a", at(5))
	if err != nil {
		t.Fatal(err)
	}
	want := []Transition{
		{"a", "OK", "ALARM", at(5), "3 > 1"}, {"a", "ALARM", "OK", at(9), "fine"},
		{"a", "OK", "INSUFFICIENT_DATA", at(12), "Alarm updated from OK to INSUFFICIENT_DATA"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := NewAlarms(api).History(t.Context(), "", at(5)); err == nil {
		t.Error("the history of nobody is no error")
	}
}

func TestAPagingThatNeverEndsIsAnError(t *testing.T) {
	again := aws.String("again")
	api := &cloud{
		alarms: func(*cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
			return &cloudwatch.DescribeAlarmsOutput{NextToken: again}, nil
		},
		history: func(*cloudwatch.DescribeAlarmHistoryInput) (*cloudwatch.DescribeAlarmHistoryOutput, error) {
			return &cloudwatch.DescribeAlarmHistoryOutput{NextToken: again}, nil
		},
	}
	if _, err := NewAlarms(api).All(t.Context()); err == nil {
		t.Error("alarms without end")
	}
	if _, err := NewAlarms(api).History(t.Context(), "a", time.Time{}); err == nil {
		t.Error("history without end")
	}
}
