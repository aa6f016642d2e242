package cmd

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// late is somebody who types a line after something has happened.
type late struct {
	first func()
	line  io.Reader
}

func (l *late) Read(p []byte) (int, error) {
	if l.first != nil {
		l.first()
		l.first = nil
	}
	return l.line.Read(p)
}

// Who is asked for the environment's name may take hours: what was approved is compared with the world as it is then.
func TestAnApprovedPlanIsComparedOnceMoreAfterTheQuestion(t *testing.T) {
	c := newClinic(t)
	file := filepath.Join(t.TempDir(), "plan.json")
	if code, out := c.run("plan", "throttled", "--out", file); code != 0 {
		t.Fatalf("%d: %s", code, out)
	}
	d := newDesk(t)
	d.env, d.Dir = c.env, c.dir
	d.env["FIREDRILL_STATE"] = c.state
	d.Terminal = func() bool { return true }
	d.In = &late{line: strings.NewReader("staging\n"), first: func() {
		client := cloudwatch.NewFromConfig(c.aws)
		there, err := client.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"orders-write-throttled"}})
		if err != nil || len(there.MetricAlarms) != 1 {
			t.Error(there, err)
			return
		}
		_, err = client.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{AlarmName: aws.String("orders-new-alarm"),
			AlarmActions: there.MetricAlarms[0].AlarmActions, ActionsEnabled: aws.Bool(true),
			Namespace: aws.String("AWS/DynamoDB"), MetricName: aws.String("WriteThrottleEvents"), Statistic: types.StatisticSum, Period: aws.Int32(60),
			EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(0), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
			Dimensions: []types.Dimension{{Name: aws.String("TableName"), Value: aws.String("orders")}}})
		if err != nil {
			t.Error(err)
		}
	}}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	code := Run(ctx, d.Deps, []string{"run", "--plan", file})
	if said := d.err.String(); code != exitRefused || !strings.Contains(said, "alarms.orders-new-alarm was nothing") || strings.Count(said, "Type its name") != 1 {
		t.Errorf("after %s it ends with %d:\n%s", time.Since(begun), code, said)
	}
}
