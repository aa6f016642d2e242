package aws

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
	"github.com/aws/smithy-go/transport/http/protocol/awsquery"
)

// The SDK speaks CBOR by default; older clients and the command line speak the other two.
func cloudWatchProtocols() map[string]func(*cloudwatch.Options) {
	return map[string]func(*cloudwatch.Options){
		"CBOR": func(*cloudwatch.Options) {},
		"JSON": func(o *cloudwatch.Options) { o.Protocol = awsjson.New10(schemas.GraniteServiceVersion20100801) },
		"Query": func(o *cloudwatch.Options) {
			o.Protocol = awsquery.New(schemas.GraniteServiceVersion20100801)
		},
	}
}

func TestCloudWatchOverTheWire(t *testing.T) {
	for name, protocol := range cloudWatchProtocols() {
		t.Run(name, func(t *testing.T) {
			clock := newTestClock()
			cloud, url := testCloud(t, Options{Now: clock.now})
			c := cloudwatch.NewFromConfig(testConfig(url, "other"), protocol)
			wireAlarm(t, c, clock)
			wireData(t, c, clock)
			wireErrors(t, c)
			for _, call := range cloud.CallLog() {
				if call.Service != "cloudwatch" || call.Writes != (strings.HasPrefix(call.Operation, "Put") || strings.HasPrefix(call.Operation, "Set") ||
					call.Operation == "TagResource" || call.Operation == "DeleteAlarms" || strings.HasSuffix(call.Operation, "AlarmActions")) {
					t.Errorf("call log %+v", call)
				}
			}
		})
	}
}

func wireAlarm(t *testing.T, c *cloudwatch.Client, clock *testClock) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: awssdk.String("errors"), Namespace: awssdk.String("Orders"), MetricName: awssdk.String("Errors"),
		Dimensions: []types.Dimension{{Name: awssdk.String("Service"), Value: awssdk.String("orders")}},
		Statistic:  types.StatisticSum, Period: awssdk.Int32(2), EvaluationPeriods: awssdk.Int32(3), DatapointsToAlarm: awssdk.Int32(2),
		Threshold: awssdk.Float64(0.5), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, TreatMissingData: awssdk.String("notBreaching"),
		ActionsEnabled: awssdk.Bool(false), Tags: []types.Tag{{Key: awssdk.String("firedrill"), Value: awssdk.String("allowed")}},
	})
	must(err)
	clock.move(1500 * time.Millisecond)
	_, err = c.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: awssdk.String("errors"), StateValue: types.StateValueAlarm,
		StateReason: awssdk.String("r"), StateReasonData: awssdk.String(`{"a":1}`)})
	must(err)
	out, err := c.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: awssdk.String("err")})
	must(err)
	m := out.MetricAlarms[0]
	if m.StateValue != types.StateValueAlarm || !m.StateTransitionedTimestamp.Equal(clock.now()) || *m.ActionsEnabled || *m.Threshold != 0.5 ||
		*m.Period != 2 || *m.EvaluationPeriods != 3 || *m.DatapointsToAlarm != 2 || *m.Dimensions[0].Value != "orders" || *m.TreatMissingData != "notBreaching" {
		t.Errorf("alarm %+v", m)
	}
	of, err := c.DescribeAlarmsForMetric(ctx, &cloudwatch.DescribeAlarmsForMetricInput{Namespace: m.Namespace, MetricName: m.MetricName, Dimensions: m.Dimensions})
	must(err)
	if len(of.MetricAlarms) != 1 {
		t.Errorf("alarms of the metric: %+v", of.MetricAlarms)
	}
	history, err := c.DescribeAlarmHistory(ctx, &cloudwatch.DescribeAlarmHistoryInput{AlarmName: awssdk.String("errors"),
		AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm}, HistoryItemType: types.HistoryItemTypeStateUpdate,
		StartDate: awssdk.Time(clock.now().Add(-time.Second)), EndDate: awssdk.Time(clock.now()), ScanBy: types.ScanByTimestampDescending, MaxRecords: awssdk.Int32(5)})
	must(err)
	if len(history.AlarmHistoryItems) != 1 || !history.AlarmHistoryItems[0].Timestamp.Equal(clock.now()) {
		t.Errorf("history %+v", history.AlarmHistoryItems)
	}
	_, err = c.TagResource(ctx, &cloudwatch.TagResourceInput{ResourceARN: m.AlarmArn, Tags: []types.Tag{{Key: awssdk.String("team"), Value: awssdk.String("orders")}}})
	must(err)
	tags, err := c.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: m.AlarmArn})
	must(err)
	if len(tags.Tags) != 2 || *tags.Tags[0].Key != "firedrill" {
		t.Errorf("tags %+v", tags.Tags)
	}
	rules, err := c.ListAlarmMuteRules(ctx, &cloudwatch.ListAlarmMuteRulesInput{AlarmName: awssdk.String("errors")})
	must(err)
	if len(rules.AlarmMuteRuleSummaries) != 0 {
		t.Errorf("mute rules %+v", rules.AlarmMuteRuleSummaries)
	}
	_, err = c.EnableAlarmActions(ctx, &cloudwatch.EnableAlarmActionsInput{AlarmNames: []string{"errors"}})
	must(err)
	_, err = c.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"errors"}})
	must(err)
}

func wireData(t *testing.T, c *cloudwatch.Client, clock *testClock) {
	t.Helper()
	ctx := t.Context()
	at := clock.now().Truncate(time.Second)
	many := make([]types.MetricDatum, 200) // enough for the SDK to compress the request
	for i := range many {
		many[i] = types.MetricDatum{MetricName: awssdk.String("Errors"), Value: awssdk.Float64(0.5), Timestamp: &at, Unit: types.StandardUnitCount,
			Dimensions: []types.Dimension{{Name: awssdk.String("Service"), Value: awssdk.String("orders")}}, StorageResolution: awssdk.Int32(1)}
	}
	if _, err := c.PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: awssdk.String("Orders"), MetricData: many}); err != nil {
		t.Fatal(err)
	}
	metric := &types.Metric{Namespace: awssdk.String("Orders"), MetricName: awssdk.String("Errors"), Dimensions: many[0].Dimensions}
	data, err := c.GetMetricData(ctx, &cloudwatch.GetMetricDataInput{StartTime: awssdk.Time(at.Add(-time.Minute)), EndTime: awssdk.Time(at.Add(time.Second)),
		MetricDataQueries: []types.MetricDataQuery{
			{Id: awssdk.String("sum"), MetricStat: &types.MetricStat{Metric: metric, Period: awssdk.Int32(1), Stat: awssdk.String("Sum")}},
			{Id: awssdk.String("none"), MetricStat: &types.MetricStat{Metric: &types.Metric{Namespace: metric.Namespace, MetricName: awssdk.String("None")}, Period: awssdk.Int32(1), Stat: awssdk.String("Sum")}},
		}})
	if err != nil {
		t.Fatal(err)
	}
	if r := data.MetricDataResults[0]; fmt.Sprint(r.Values) != "[100]" || !r.Timestamps[0].Equal(at) || r.StatusCode != types.StatusCodeComplete {
		t.Errorf("data %+v", r)
	}
	if r := data.MetricDataResults[1]; *r.Id != "none" || len(r.Values) != 0 {
		t.Errorf("data of an unknown metric %+v", r)
	}
	stats, err := c.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{Namespace: metric.Namespace, MetricName: metric.MetricName, Dimensions: metric.Dimensions,
		StartTime: awssdk.Time(at.Add(-time.Minute)), EndTime: awssdk.Time(at.Add(time.Second)), Period: awssdk.Int32(60), Statistics: []types.Statistic{types.StatisticSum, types.StatisticSampleCount}})
	if err != nil {
		t.Fatal(err)
	}
	if d := stats.Datapoints; len(d) != 1 || *d[0].Sum != 100 || *d[0].SampleCount != 200 || d[0].Average != nil || d[0].Unit != types.StandardUnitCount {
		t.Errorf("statistics %+v", d)
	}
	list, err := c.ListMetrics(ctx, &cloudwatch.ListMetricsInput{Namespace: metric.Namespace})
	if err != nil || len(list.Metrics) != 1 || *list.Metrics[0].Dimensions[0].Value != "orders" {
		t.Errorf("metrics %+v, %v", list, err)
	}
}

func wireErrors(t *testing.T, c *cloudwatch.Client) {
	t.Helper()
	_, err := c.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: awssdk.String("gone"), StateValue: types.StateValueOk, StateReason: awssdk.String("r")})
	if gone := (*types.ResourceNotFound)(nil); !errors.As(err, &gone) {
		t.Errorf("unknown alarm: %v", err)
	}
	_, err = c.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: awssdk.String("AWS/Mine"), MetricData: []types.MetricDatum{{MetricName: awssdk.String("m"), Value: awssdk.Float64(1)}}})
	if invalid := (*types.InvalidParameterValueException)(nil); !errors.As(err, &invalid) {
		t.Errorf("reserved namespace: %v", err)
	}
}
