package alarms

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

func TestRules(t *testing.T) {
	states := map[string]types.StateValue{"a": "ALARM", "b": "OK", "c d": "INSUFFICIENT_DATA", "e": "ALARM"}
	for text, want := range map[string]bool{
		"ALARM(a)":                                      true,
		`OK("b")`:                                       true,
		`INSUFFICIENT_DATA("c d")`:                      true,
		"ALARM(b)":                                      false,
		"ALARM(gone)":                                   false,
		"NOT ALARM(b)":                                  true,
		"NOT NOT ALARM(b)":                              false,
		"ALARM(a) AND ALARM(e)":                         true,
		"ALARM(b) AND ALARM(a) OR ALARM(e)":             true,
		"ALARM(b) AND (ALARM(a) OR ALARM(e))":           false,
		"ALARM(a) OR ALARM(b) AND ALARM(b)":             true,
		"NOT (ALARM(a) AND OK(b))":                      false,
		"TRUE AND NOT FALSE":                            true,
		"(ALARM(a)\n AND\tOK ( b ))":                    true,
		"ALARM(arn:aws:cloudwatch:eu-west-1:1:alarm:a)": true,
	} {
		if got, _, err := holds(text, states); err != nil || got != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "a", "ALARM(a", "(ALARM(a)", "ALARM(a) ALARM(b)", "ALARM(a) AND", "ALARM(a) XOR OK(b)", "NOT", "ALARM(a))"} {
		if got, _, err := holds(text, states); err == nil {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// withComposites is an account with composite alarms too, that remembers states.
type withComposites struct {
	stubAPI
	composite []types.CompositeAlarm
	said      map[string]types.StateValue
	reasons   []string
	data      func(*cloudwatch.GetMetricDataInput) []types.MetricDataResult
}

func (s *withComposites) DescribeAlarms(ctx context.Context, in *cloudwatch.DescribeAlarmsInput, f ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error) {
	out, err := s.stubAPI.DescribeAlarms(ctx, in, f...)
	out.CompositeAlarms = s.composite
	return out, err
}

func (s *withComposites) SetAlarmState(ctx context.Context, in *cloudwatch.SetAlarmStateInput, f ...func(*cloudwatch.Options)) (*cloudwatch.SetAlarmStateOutput, error) {
	s.said[*in.AlarmName] = in.StateValue
	s.reasons = append(s.reasons, *in.StateReason)
	return s.stubAPI.SetAlarmState(ctx, in, f...)
}

func (s *withComposites) GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput, f ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	out, err := s.stubAPI.GetMetricData(ctx, in, f...)
	if s.data != nil {
		out.MetricDataResults = s.data(in)
	}
	return out, err
}

func composite(name, rule string, state types.StateValue) types.CompositeAlarm {
	return types.CompositeAlarm{AlarmName: &name, AlarmRule: &rule, StateValue: state}
}

// An alarm of alarms of alarms is decided in one go, on the states that were just said.
func TestCompositeAlarmsFollowTheirChildren(t *testing.T) {
	s := &withComposites{said: map[string]types.StateValue{}, composite: []types.CompositeAlarm{
		composite("top", "OK(middle) AND NOT ALARM(broken)", types.StateValueInsufficientData),
		composite("middle", "ALARM(short)", types.StateValueAlarm),
		composite("broken", "XOR", types.StateValueInsufficientData),
	}}
	s.alarms = []types.MetricAlarm{silent("short", 2)} // rings, and has no data: it will be OK
	err := (&Evaluator{api: s, now: time.Now}).EvaluateOnce(t.Context())
	if err == nil || !strings.Contains(err.Error(), "evaluate alarm broken: its rule") {
		t.Error(err)
	}
	if s.said["short"] != "OK" || s.said["middle"] != "OK" || s.said["top"] != "ALARM" || len(s.said) != 3 {
		t.Errorf("%v", s.said)
	}
	if last := s.reasons[len(s.reasons)-1]; last != "The rule OK(middle) AND NOT ALARM(broken) was evaluated: middle is OK" {
		t.Error(last)
	}
}

func TestAlarmsOnMetricMathAreEvaluated(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 9, 0, time.UTC)
	stat := &types.MetricStat{Metric: &types.Metric{Namespace: aws.String("Orders"), MetricName: aws.String("Errors")}, Period: aws.Int32(2), Stat: aws.String("Sum")}
	s := &withComposites{said: map[string]types.StateValue{}, data: func(in *cloudwatch.GetMetricDataInput) []types.MetricDataResult {
		if len(in.MetricDataQueries) != 2 || *in.MetricDataQueries[1].Expression != "100 * m1" || now.Sub(*in.StartTime) < 6*time.Second {
			t.Errorf("asked %+v", in)
		}
		return []types.MetricDataResult{{Timestamps: []time.Time{now.Add(-5 * time.Second).Truncate(2 * time.Second), now.Add(-3 * time.Second).Truncate(2 * time.Second)}, Values: []float64{0, 700}}}
	}}
	s.alarms = []types.MetricAlarm{{AlarmName: aws.String("rate"), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(5), StateValue: types.StateValueOk,
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, Metrics: []types.MetricDataQuery{
			{Id: aws.String("m1"), MetricStat: stat, ReturnData: aws.Bool(false)}, {Id: aws.String("e1"), Expression: aws.String("100 * m1")}}}}
	if err := (&Evaluator{api: s, now: func() time.Time { return now }}).evaluate(t.Context(), shortPeriod); err != nil || s.said["rate"] != "ALARM" {
		t.Errorf("%v %v", s.said, err)
	}
}
