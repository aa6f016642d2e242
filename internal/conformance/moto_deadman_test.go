package conformance

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"

	"github.com/firedrill/firedrill/inject"
)

// deadman is the dead-man's switch on moto's Scheduler, which keeps schedules and never makes a call: armed, read back,
// armed again, refused where another stands, deleted by name and by the run's name alone.
func (m *moto) deadman(t *testing.T) {
	c := m.clients(t)
	sw := inject.NewSwitch(c, inject.SwitchOptions{Role: "arn:aws:iam::" + motoAccount + ":role/firedrill-deadman",
		DLQ: "arn:aws:sqs:eu-west-1:" + motoAccount + ":firedrill-deadman-dlq", Apart: 10 * time.Millisecond})
	mk := mark(m.name("run"))
	other := mk
	other.Fault = mk.Fault + "-1"
	list := inject.Schedules(mk, time.Now().Add(time.Hour), []inject.Call{
		{Service: "dynamodb", Action: "updateTable", Input: json.RawMessage(`{"TableName":"orders","OnDemandThroughput":{"MaxWriteRequestUnits":-1}}`)},
		{Service: "elasticloadbalancingv2", Action: "deleteRule", Input: json.RawMessage(`{"RuleArn":"arn:aws:elasticloadbalancing:x"}`), After: 5 * time.Minute}})
	theirs := inject.Schedules(other, time.Now().Add(time.Hour), []inject.Call{list[0].Call})
	standing := func(mark inject.Mark) (names []string) {
		prefix := strings.TrimSuffix(inject.ScheduleName(mark, 1), "1")
		for _, one := range must(c.Scheduler.ListSchedules(t.Context(), &scheduler.ListSchedulesInput{NamePrefix: &prefix}))(t).Schedules {
			names = append(names, aws.ToString(one.Name))
		}
		return names
	}
	must(0, sw.Arm(t.Context(), theirs))(t)
	for range 2 {
		must(0, sw.Arm(t.Context(), list))(t)
	}
	got := must(c.Scheduler.GetSchedule(t.Context(), &scheduler.GetScheduleInput{Name: &list[1].Name}))(t)
	if *got.ScheduleExpression != list[1].At.Format("at(2006-01-02T15:04:05)") || *got.Target.Input != string(list[1].Call.Input) {
		t.Errorf("%+v", got)
	}
	changed := []inject.Schedule{list[0]}
	changed[0].At = changed[0].At.Add(time.Minute)
	if err := sw.Arm(t.Context(), changed); err == nil {
		t.Error("another time under our name is taken for ours")
	}
	must(0, sw.Disarm(t.Context(), mk, []string{list[0].Name}))(t)
	must(0, sw.Disarm(t.Context(), mk, nil))(t)
	if left := standing(mk); len(left) > 1 || len(left) == 1 && left[0] != theirs[0].Name {
		t.Errorf("left: %v", left)
	}
	if left := standing(other); len(left) != 1 {
		t.Errorf("another fault's: %v", left)
	}
	must(0, sw.Disarm(t.Context(), other, nil))(t)
}
