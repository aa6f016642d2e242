package cmd

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/sandbox"
	"github.com/firedrill/firedrill/observe/timeline"
)

// composedDrill waits for one alarm alone; those that are told of the fault as well are ripples.
const composedDrill = `
drill: orders-composed
title: Orders are hurt
scenario: An alarm that is made of others has rung.
team: orders
steady_state:
  - http: {url: "${orders_url}/health", status: 200}
faults:
  - dynamodb.throttle: {table: "${orders_table}", writes: 1, load: 50/s}
watch:
  - alarm: orders-hurt
ripples: [orders-write-throttled, orders-api-5xx]
page: {when: alarm, fallback: 30s}
expect: {effective: 20s, detect: 20s, acknowledge: 30s, resolve: 50s}
limit: 80s
`

// A drill is detected by an alarm of alarms, and by one that computes, at the second of their own transition.
func TestADrillIsDetectedByComposedAlarms(t *testing.T) {
	for name, put := range map[string]func(*testing.T, *cloudwatch.Client, []string) error{
		"composite": func(t *testing.T, cw *cloudwatch.Client, topic []string) error {
			_, err := cw.PutCompositeAlarm(t.Context(), &cloudwatch.PutCompositeAlarmInput{AlarmName: aws.String("orders-hurt"), AlarmActions: topic, OKActions: topic,
				AlarmRule: aws.String(`ALARM("orders-write-throttled") AND NOT ALARM("checkout-customers-hurt")`)})
			return err
		},
		"metric math": func(t *testing.T, cw *cloudwatch.Client, topic []string) error {
			throttled := &types.MetricStat{Stat: aws.String("Sum"), Period: aws.Int32(2), Metric: &types.Metric{Namespace: aws.String("AWS/DynamoDB"),
				MetricName: aws.String("WriteThrottleEvents"), Dimensions: []types.Dimension{{Name: aws.String("TableName"), Value: aws.String("orders")}}}}
			_, err := cw.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{AlarmName: aws.String("orders-hurt"), AlarmActions: topic, OKActions: topic,
				EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(0.5), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
				TreatMissingData: aws.String("notBreaching"), Metrics: []types.MetricDataQuery{
					{Id: aws.String("throttled"), MetricStat: throttled, ReturnData: aws.Bool(false)},
					{Id: aws.String("rate"), Expression: aws.String("FILL(throttled, 0) / 2"), ReturnData: aws.Bool(true)}}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			composed(t, put)
		})
	}
}

func composed(t *testing.T, put func(*testing.T, *cloudwatch.Client, []string) error) {
	box, err := sandbox.Start(t.Context(), sandbox.Options{Responder: "auto", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	w := box.World()
	k := w.Keys["other"]
	cw := cloudwatch.NewFromConfig(aws.Config{Region: w.Region, BaseEndpoint: &w.AWS, Credentials: credentials.NewStaticCredentialsProvider(k.ID, k.Secret, "")})
	told, err := cw.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"orders-write-throttled"}})
	if err == nil {
		err = put(t, cw, told.MetricAlarms[0].AlarmActions)
	}
	if err != nil {
		t.Fatal(err)
	}
	both := &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"orders-hurt"}, AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm, types.AlarmTypeMetricAlarm}}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		out, err := cw.DescribeAlarms(t.Context(), both)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("never OK: %+v %v", out, err)
		}
		if len(out.CompositeAlarms) == 1 && out.CompositeAlarms[0].StateValue == types.StateValueOk || len(out.MetricAlarms) == 1 && out.MetricAlarms[0].StateValue == types.StateValueOk {
			break
		}
	}
	d, out, errs := on(t, w.URL)
	file := filepath.Join(d.Dir, "orders-composed.yaml")
	if err := os.WriteFile(file, []byte(composedDrill), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := Run(t.Context(), d, []string{"run", file, "--env", "sandbox", "-o", "json"}); code != 0 {
		t.Fatalf("exit %d\n%s", code, errs)
	}
	fold := timeline.New()
	for lines := bufio.NewScanner(bytes.NewReader(out.Bytes())); lines.Scan(); {
		var e journal.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		fold.Add(e)
	}
	history, err := cw.DescribeAlarmHistory(t.Context(), &cloudwatch.DescribeAlarmHistoryInput{AlarmName: aws.String("orders-hurt"), ScanBy: types.ScanByTimestampAscending,
		HistoryItemType: types.HistoryItemTypeStateUpdate, AlarmTypes: both.AlarmTypes})
	if err != nil {
		t.Fatal(err)
	}
	var rang time.Time
	for _, h := range history.AlarmHistoryItems {
		if rang.IsZero() && strings.HasSuffix(*h.HistorySummary, "to ALARM") {
			rang = *h.Timestamp
		}
	}
	i := fold.Timeline(time.Now()).Instant(timeline.Detected)
	if off := rang.Sub(i.At); rang.IsZero() || i.By != "alarm orders-hurt" || off < -i.Early || off > i.Late {
		t.Errorf("detected %+v, and it rang at %s\n%s", i, rang, errs)
	}
}
