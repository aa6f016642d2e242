package observe

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// muting is a cloud with mute rules, a page at a time.
type muting struct {
	CloudWatchAPI
	pages []*cloudwatch.ListAlarmMuteRulesOutput
	asked []string
}

func (m *muting) ListAlarmMuteRules(_ context.Context, in *cloudwatch.ListAlarmMuteRulesInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.ListAlarmMuteRulesOutput, error) {
	m.asked = append(m.asked, aws.ToString(in.AlarmName)+" "+aws.ToString(in.NextToken))
	if len(in.Statuses) != 2 || len(m.pages) == 0 {
		return nil, errors.New("denied")
	}
	page := m.pages[0]
	m.pages = m.pages[1:]
	return page, nil
}

func TestMutes(t *testing.T) {
	rule := func(name string, status types.AlarmMuteRuleStatus, kind string) types.AlarmMuteRuleSummary {
		return types.AlarmMuteRuleSummary{AlarmMuteRuleArn: aws.String("arn:aws:cloudwatch:eu-west-1:111122223333:alarm-mute-rule:" + name), Status: status, MuteType: &kind}
	}
	m := &muting{pages: []*cloudwatch.ListAlarmMuteRulesOutput{
		{AlarmMuteRuleSummaries: []types.AlarmMuteRuleSummary{rule("deploy", "ACTIVE", "ONE_TIME")}, NextToken: aws.String("2")},
		{AlarmMuteRuleSummaries: []types.AlarmMuteRuleSummary{rule("nights", "SCHEDULED", "RECURRING")}}}}
	alarms, ok := NewAlarms(m).(Muter)
	if !ok {
		t.Fatal("alarms tell no mute rules")
	}
	got, err := alarms.Mutes(t.Context(), "orders")
	if err != nil || len(got) != 2 || got[0] != (Mute{Rule: "deploy", Active: true, Once: true}) || got[1] != (Mute{Rule: "nights"}) || strings.Join(m.asked, ",") != "orders ,orders 2" {
		t.Errorf("%+v %v after %q", got, err, m.asked)
	}
	if _, err := alarms.Mutes(t.Context(), "orders"); err == nil || !strings.Contains(err.Error(), "mute rules of alarm orders") {
		t.Error(err)
	}
	if got, err := NewAlarms(&cloud{}).(Muter).Mutes(t.Context(), "orders"); err != nil || got != nil {
		t.Errorf("a source without mute rules: %v %v", got, err)
	}
}

func TestComposedAlarmsAreRead(t *testing.T) {
	stat := &types.MetricStat{Metric: &types.Metric{Namespace: aws.String("Orders"), MetricName: aws.String("Errors")}, Period: aws.Int32(60), Stat: aws.String("Sum")}
	a := ofMetric(&types.MetricAlarm{AlarmName: aws.String("rate"), EvaluationPeriods: aws.Int32(2), Metrics: []types.MetricDataQuery{
		{Id: aws.String("m1"), MetricStat: stat, ReturnData: aws.Bool(false)}, {Id: aws.String("half"), Expression: aws.String("m1 / 2"), ReturnData: aws.Bool(false)},
		{Id: aws.String("e"), Expression: aws.String("100 * half")}}})
	if a.Expression != "100 * half" || len(a.Inputs) != 1 || a.Inputs[0].Metric != "Errors" || a.Inputs[0].Statistic != "Sum" || a.Metric != "" || a.Period.Seconds() != 60 {
		t.Errorf("%+v", a)
	}
	if a := ofMetric(&types.MetricAlarm{Metrics: []types.MetricDataQuery{{Id: aws.String("m1"), MetricStat: stat}}}); a.Metric != "Errors" || a.Inputs != nil || a.Expression != "" {
		t.Errorf("one metric is no mathematics: %+v", a)
	}
	c := ofComposite(&types.CompositeAlarm{AlarmRule: aws.String("ALARM(a)"), ActionsSuppressor: aws.String("arn:aws:cloudwatch:eu-west-1:1:alarm:deploy"),
		ActionsSuppressedBy: types.ActionsSuppressedByAlarm})
	if c.Rule != "ALARM(a)" || c.Suppressor != "deploy" || c.Suppressed != "Alarm" {
		t.Errorf("%+v", c)
	}
}
