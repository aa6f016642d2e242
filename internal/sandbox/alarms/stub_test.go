package alarms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// stubAPI is an account without data whose SetAlarmState answers what the test wants.
type stubAPI struct {
	alarms  []types.MetricAlarm
	answers map[string]error
	queries []int // how many metrics each GetMetricData asked for
	set     []string
}

func (s *stubAPI) DescribeAlarms(context.Context, *cloudwatch.DescribeAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error) {
	return &cloudwatch.DescribeAlarmsOutput{MetricAlarms: s.alarms}, nil
}

func (s *stubAPI) GetMetricData(_ context.Context, in *cloudwatch.GetMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	s.queries = append(s.queries, len(in.MetricDataQueries))
	return &cloudwatch.GetMetricDataOutput{}, nil
}

func (s *stubAPI) SetAlarmState(_ context.Context, in *cloudwatch.SetAlarmStateInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.SetAlarmStateOutput, error) {
	s.set = append(s.set, *in.AlarmName)
	return &cloudwatch.SetAlarmStateOutput{}, s.answers[*in.AlarmName]
}

func silent(name string, period int32) types.MetricAlarm {
	return types.MetricAlarm{AlarmName: &name, Namespace: aws.String("Orders"), MetricName: aws.String("Errors"), Period: &period,
		EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(0), TreatMissingData: aws.String("notBreaching"), StateValue: types.StateValueAlarm}
}

func TestOneFailureDoesNotStopTheOthers(t *testing.T) {
	stub := &stubAPI{
		alarms:  []types.MetricAlarm{silent("a", 2), silent("deleted", 2), silent("b", 60)},
		answers: map[string]error{"a": errors.New("throttled"), "deleted": &types.ResourceNotFound{}},
	}
	e := &Evaluator{api: stub, now: time.Now}
	err := e.EvaluateOnce(t.Context())
	if err == nil || err.Error() != "evaluate alarm a: set state OK: throttled" {
		t.Errorf("error %v", err)
	}
	slices.Sort(stub.set)
	if got := strings.Join(stub.set, " "); got != "a b deleted" {
		t.Errorf("set %s", got)
	}
}

func TestAStateIsSaidOnceOnly(t *testing.T) {
	stub := &stubAPI{alarms: []types.MetricAlarm{silent("a", 2)}}
	stub.alarms[0].StateValue = types.StateValueOk
	e := &Evaluator{api: stub, now: time.Now}
	if err := e.EvaluateOnce(t.Context()); err != nil || len(stub.set) != 0 {
		t.Errorf("the alarm is OK already, yet its state was set: %v, %v", stub.set, err)
	}
}

func TestShortPeriodsAreEvaluatedMoreOften(t *testing.T) {
	stub := &stubAPI{alarms: []types.MetricAlarm{silent("short", 2), silent("long", 60)}}
	e := &Evaluator{api: stub, now: time.Now}
	if err := e.evaluate(t.Context(), shortPeriod); err != nil || strings.Join(stub.set, " ") != "short" {
		t.Errorf("set %v, %v", stub.set, err)
	}
}

func TestManyAlarmsAreReadInParts(t *testing.T) {
	stub := &stubAPI{}
	for i := range 1100 {
		stub.alarms = append(stub.alarms, silent(fmt.Sprint(i), 2))
	}
	e := &Evaluator{api: stub, now: time.Now}
	if err := e.EvaluateOnce(t.Context()); err != nil || fmt.Sprint(stub.queries) != "[500 500 100]" {
		t.Errorf("queries %v, %v", stub.queries, err)
	}
	if len(stub.set) != 1100 {
		t.Errorf("set %d states", len(stub.set))
	}
}
