package aws

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	snssdk "github.com/aws/aws-sdk-go-v2/service/sns"
)

// The way a page takes: an alarm's transition, its topic, the pager's integration.
func TestAlarmReachesThePager(t *testing.T) {
	p := newTestPager(t, http.StatusServiceUnavailable) // the first attempt meets a bad moment
	_, url := testCloud(t, Options{})
	ctx, cfg := t.Context(), testConfig(url, "other")
	topics, c := snssdk.NewFromConfig(cfg), cloudwatch.NewFromConfig(cfg)
	topic, err := topics.CreateTopic(ctx, &snssdk.CreateTopicInput{Name: awssdk.String("oncall")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = topics.Subscribe(ctx, &snssdk.SubscribeInput{TopicArn: topic.TopicArn, Protocol: awssdk.String("http"), Endpoint: &p.url}); err != nil {
		t.Fatal(err)
	}
	if _, err = c.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: awssdk.String("orders-dead-letters"), Namespace: awssdk.String("AWS/SQS"), MetricName: awssdk.String("ApproximateNumberOfMessagesVisible"),
		Statistic: types.StatisticMaximum, Period: awssdk.Int32(2), EvaluationPeriods: awssdk.Int32(1), Threshold: awssdk.Float64(0),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, AlarmActions: []string{*topic.TopicArn}}); err != nil {
		t.Fatal(err)
	}
	if _, err = c.SetAlarmState(ctx, &cloudwatch.SetAlarmStateInput{AlarmName: awssdk.String("orders-dead-letters"),
		StateValue: types.StateValueAlarm, StateReason: awssdk.String("one < two")}); err != nil {
		t.Fatal(err)
	}
	var m alarmMessage
	if err := json.Unmarshal([]byte(p.wait(t, 2)[1]), &m); err != nil {
		t.Fatal(err)
	}
	if m.AlarmName != "orders-dead-letters" || m.NewStateValue != "ALARM" || m.NewStateReason != "one < two" || m.Trigger.Statistic != "MAXIMUM" {
		t.Errorf("message %+v", m)
	}
	history, err := c.DescribeAlarmHistory(ctx, &cloudwatch.DescribeAlarmHistoryInput{HistoryItemType: types.HistoryItemTypeAction})
	if err != nil || len(history.AlarmHistoryItems) != 1 || *history.AlarmHistoryItems[0].HistorySummary != "Successfully executed action "+*topic.TopicArn {
		t.Errorf("history %+v, %v", history, err)
	}
}

func TestSubjectFitsSNS(t *testing.T) {
	c, _, _ := testCloudWatch(t)
	s := c.subject(&metricAlarm{AlarmName: strings.Repeat("a", 255), StateValue: "ALARM"})
	if len(s) != 100 || !strings.HasPrefix(s, `ALARM: "aaa`) || !strings.HasSuffix(s, "...") {
		t.Errorf("%d characters: %s", len(s), s)
	}
}

func TestUnknownRegionGoesByItsID(t *testing.T) {
	if got := regionName("mars-north-1"); got != "mars-north-1" {
		t.Error(got)
	}
}

// A skewed CloudWatch tells every time by its own clock and takes times by it too.
func TestSkewedCloudWatch(t *testing.T) {
	clock := newTestClock()
	cloud, url := testCloud(t, Options{Now: clock.now})
	c, ctx := cloudwatch.NewFromConfig(testConfig(url, "firedrill")), t.Context()
	if _, err := cloud.Turn(Knob{Service: "cloudwatch", By: "firedrill", Effect: "skew", SkewS: 5}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{AlarmName: awssdk.String("a"), Namespace: awssdk.String("Orders"),
		MetricName: awssdk.String("Errors"), Statistic: types.StatisticSum, Period: awssdk.Int32(2), EvaluationPeriods: awssdk.Int32(1),
		Threshold: awssdk.Float64(0), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold}); err != nil {
		t.Fatal(err)
	}
	skewed := clock.now().Add(5 * time.Second)
	out, err := c.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
	if err != nil || !out.MetricAlarms[0].StateTransitionedTimestamp.Equal(skewed) {
		t.Errorf("transitioned at %+v, %v; want %s", out.MetricAlarms[0].StateTransitionedTimestamp, err, skewed)
	}
	history, err := c.DescribeAlarmHistory(ctx, &cloudwatch.DescribeAlarmHistoryInput{StartDate: &skewed, EndDate: &skewed})
	if err != nil || len(history.AlarmHistoryItems) != 1 || !history.AlarmHistoryItems[0].Timestamp.Equal(skewed) {
		t.Errorf("history %+v, %v", history, err)
	}
}

func TestCloudWatchFromManySides(t *testing.T) {
	c, _, clock := testCloudWatch(t)
	putAlarm(t, c, throttled())
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				c.observe(sample{Namespace: "Orders", Metric: "Errors", Value: 1, At: clock.now()})
				setState(t, c, "orders-write-throttled", []string{"OK", "ALARM"}[i%2])
				describe(t, c, &describeAlarmsInput{})
				statOf(t, c, "Sum", 1)
				c.config()
			}
		})
	}
	wg.Wait()
	if got := statOf(t, c, "Sum", 60); len(got) != 1 || got[0] != 400 {
		t.Errorf("counted %v of 400", got)
	}
}
