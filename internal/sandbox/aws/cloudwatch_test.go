package aws

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// testTopics is a publisher that remembers, and knows one topic.
type testTopics struct {
	known     string
	published []string // "subject\nmessage"
}

func (p *testTopics) publish(topic, subject, message string) (string, error) {
	if topic != p.known {
		return "", topicNotFound()
	}
	p.published = append(p.published, subject+"\n"+message)
	return fmt.Sprint(len(p.published)), nil
}

const testTopic = "arn:aws:sns:eu-west-1:111122223333:oncall"

// testCloudWatch is the service alone, on a clock that stands still.
func testCloudWatch(t *testing.T) (*cloudWatch, *testTopics, *testClock) {
	t.Helper()
	clock, topics := newTestClock(), &testTopics{known: testTopic}
	return newCloudWatch(deps{now: clock.now, account: "111122223333", region: "eu-west-1"}, topics), topics, clock
}

func ptr[T any](v T) *T { return &v }

// throttled is an alarm like the world's, with actions to the topic for every state.
func throttled() *putMetricAlarmInput {
	return &putMetricAlarmInput{
		AlarmName: "orders-write-throttled", AlarmDescription: "see the runbook",
		Namespace: "AWS/DynamoDB", MetricName: "WriteThrottleEvents", Dimensions: []metricDimension{{"TableName", "orders"}},
		Statistic: "Sum", Period: 2, EvaluationPeriods: 1, Threshold: ptr(0.0), ComparisonOperator: "GreaterThanThreshold",
		TreatMissingData: "notBreaching", AlarmActions: []string{testTopic}, OKActions: []string{testTopic},
	}
}

func putAlarm(t *testing.T, c *cloudWatch, in *putMetricAlarmInput) {
	t.Helper()
	if _, err := c.putMetricAlarm(t.Context(), caller{}, in); err != nil {
		t.Fatal(err)
	}
}

func setState(t *testing.T, c *cloudWatch, name, state string) {
	t.Helper()
	in := &setAlarmStateInput{AlarmName: name, StateValue: state, StateReason: "because " + state, StateReasonData: `{"version":"1.0"}`}
	if _, err := c.setAlarmState(t.Context(), caller{}, in); err != nil {
		t.Fatal(err)
	}
}

func describe(t *testing.T, c *cloudWatch, in *describeAlarmsInput) []metricAlarm {
	t.Helper()
	out, err := c.describeAlarms(t.Context(), caller{}, in)
	if err != nil {
		t.Fatal(err)
	}
	return out.MetricAlarms
}

func history(t *testing.T, c *cloudWatch, in *describeAlarmHistoryInput) []alarmHistoryItem {
	t.Helper()
	out, err := c.describeAlarmHistory(t.Context(), caller{}, in)
	if err != nil {
		t.Fatal(err)
	}
	return out.AlarmHistoryItems
}

func TestNewAlarmHasNoDataYet(t *testing.T) {
	c, topics, _ := testCloudWatch(t)
	putAlarm(t, c, throttled())
	a := describe(t, c, &describeAlarmsInput{})[0]
	if a.StateValue != "INSUFFICIENT_DATA" || !*a.ActionsEnabled || len(topics.published) != 0 {
		t.Errorf("new alarm is %s, actions %v, published %v", a.StateValue, *a.ActionsEnabled, topics.published)
	}
	if want := "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:orders-write-throttled"; a.AlarmArn != want {
		t.Errorf("ARN %s, want %s", a.AlarmArn, want)
	}
}

func TestTransitionRunsActionsOnce(t *testing.T) {
	c, topics, clock := testCloudWatch(t)
	putAlarm(t, c, throttled())
	clock.move(time.Second)
	changed := clock.now()
	setState(t, c, "orders-write-throttled", "ALARM")
	clock.move(time.Second)
	setState(t, c, "orders-write-throttled", "ALARM")
	if len(topics.published) != 1 {
		t.Fatalf("published %d messages for one transition", len(topics.published))
	}
	a := describe(t, c, &describeAlarmsInput{})[0]
	if !a.StateTransitionedTimestamp.Equal(changed) || !a.StateUpdatedTimestamp.Equal(changed.Add(time.Second)) {
		t.Errorf("transitioned %s, updated %s; changed at %s", a.StateTransitionedTimestamp, a.StateUpdatedTimestamp, changed)
	}
	setState(t, c, "orders-write-throttled", "OK")
	if len(topics.published) != 2 || !strings.HasPrefix(topics.published[1], "OK: ") {
		t.Errorf("published %q", topics.published)
	}
	setState(t, c, "orders-write-throttled", "INSUFFICIENT_DATA") // no action for this one
	if len(topics.published) != 2 {
		t.Errorf("published %q", topics.published[2:])
	}
}

func TestAlarmMessageIsCloudWatchs(t *testing.T) {
	c, topics, clock := testCloudWatch(t)
	putAlarm(t, c, throttled())
	clock.move(1500 * time.Millisecond)
	setState(t, c, "orders-write-throttled", "ALARM")
	subject, body, _ := strings.Cut(topics.published[0], "\n")
	if want := `ALARM: "orders-write-throttled" in EU (Ireland)`; subject != want {
		t.Errorf("subject %q, want %q", subject, want)
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"AlarmName": "orders-write-throttled", "AlarmDescription": "see the runbook", "AWSAccountId": "111122223333",
		"NewStateValue": "ALARM", "OldStateValue": "INSUFFICIENT_DATA", "NewStateReason": "because ALARM",
		"StateChangeTime": "2026-03-04T05:00:01.500+0000", "Region": "EU (Ireland)",
		"AlarmArn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:orders-write-throttled",
	} {
		if m[key] != want {
			t.Errorf("%s is %v, want %v", key, m[key], want)
		}
	}
	trigger := m["Trigger"].(map[string]any)
	dims := trigger["Dimensions"].([]any)[0].(map[string]any)
	if trigger["MetricName"] != "WriteThrottleEvents" || trigger["Statistic"] != "SUM" || dims["name"] != "TableName" || dims["value"] != "orders" {
		t.Errorf("trigger %v", trigger)
	}
}

func TestDisabledActionsDoNotRun(t *testing.T) {
	c, topics, _ := testCloudWatch(t)
	putAlarm(t, c, throttled())
	names := &alarmNamesInput{AlarmNames: []string{"orders-write-throttled", "no such alarm"}}
	if _, err := c.disableAlarmActions(t.Context(), caller{}, names); err != nil {
		t.Fatal(err)
	}
	setState(t, c, "orders-write-throttled", "ALARM")
	if len(topics.published) != 0 || len(history(t, c, &describeAlarmHistoryInput{HistoryItemType: "Action"})) != 0 {
		t.Errorf("disabled actions ran: %q", topics.published)
	}
	if _, err := c.enableAlarmActions(t.Context(), caller{}, names); err != nil {
		t.Fatal(err)
	}
	if len(topics.published) != 0 {
		t.Error("enabling actions ran them; they run on transitions only")
	}
	setState(t, c, "orders-write-throttled", "OK")
	if len(topics.published) != 1 {
		t.Errorf("published %q", topics.published)
	}
}

func TestHistorySaysWhatBecameOfActions(t *testing.T) {
	c, _, clock := testCloudWatch(t)
	in := throttled()
	in.AlarmActions = []string{testTopic, testTopic + "-gone", "arn:aws:swf:eu-west-1:111122223333:action/reboot"}
	putAlarm(t, c, in)
	clock.move(time.Second)
	setState(t, c, "orders-write-throttled", "ALARM")
	var states []string
	for _, item := range history(t, c, &describeAlarmHistoryInput{HistoryItemType: "Action", ScanBy: "TimestampAscending"}) {
		var data struct{ ActionState, NotificationResource string }
		if err := json.Unmarshal([]byte(item.HistoryData), &data); err != nil {
			t.Fatal(err)
		}
		states = append(states, data.ActionState+" "+data.NotificationResource[len("arn:aws:"):][:3])
	}
	if got := strings.Join(states, ", "); got != "Succeeded sns, Failed sns, Failed swf" {
		t.Errorf("actions: %s", got)
	}
}

func TestHistoryOfAnAlarm(t *testing.T) {
	c, _, clock := testCloudWatch(t)
	start := clock.now()
	putAlarm(t, c, throttled())
	clock.move(time.Second)
	setState(t, c, "orders-write-throttled", "ALARM")
	clock.move(time.Second)
	setState(t, c, "orders-write-throttled", "ALARM") // says nothing new
	clock.move(time.Second)
	setState(t, c, "orders-write-throttled", "OK")
	if _, err := c.deleteAlarms(t.Context(), caller{}, &alarmNamesInput{AlarmNames: []string{"orders-write-throttled"}}); err != nil {
		t.Fatal(err)
	}

	all := history(t, c, &describeAlarmHistoryInput{AlarmName: "orders-write-throttled"})
	var kinds []string
	for _, item := range all {
		kinds = append(kinds, item.HistoryItemType)
	}
	if got := strings.Join(kinds, " "); got != "ConfigurationUpdate Action StateUpdate Action StateUpdate ConfigurationUpdate" {
		t.Errorf("history, newest first: %s", got)
	}
	updates := history(t, c, &describeAlarmHistoryInput{HistoryItemType: "StateUpdate", StartDate: ptr(start), EndDate: ptr(start.Add(2 * time.Second))})
	if len(updates) != 1 || updates[0].HistorySummary != "Alarm updated from INSUFFICIENT_DATA to ALARM" || !updates[0].Timestamp.Equal(start.Add(time.Second)) {
		t.Fatalf("state updates in the first two seconds: %+v", updates)
	}
	var data struct {
		OldState, NewState struct {
			StateValue, StateReason string
			StateReasonData         *struct{ Version string }
		}
	}
	if err := json.Unmarshal([]byte(updates[0].HistoryData), &data); err != nil {
		t.Fatal(err)
	}
	if data.OldState.StateValue != "INSUFFICIENT_DATA" || data.NewState.StateReason != "because ALARM" || data.NewState.StateReasonData.Version != "1.0" {
		t.Errorf("history data %s", updates[0].HistoryData)
	}
}

func TestHistoryIsPagedAndBounded(t *testing.T) {
	c, _, _ := testCloudWatch(t)
	putAlarm(t, c, throttled())
	for range maxAlarmHistory/4 + 1 { // two transitions with an action each
		setState(t, c, "orders-write-throttled", "ALARM")
		setState(t, c, "orders-write-throttled", "OK")
	}
	if n := len(c.history); n > maxAlarmHistory {
		t.Errorf("history keeps %d items", n)
	}
	out, err := c.describeAlarmHistory(t.Context(), caller{}, &describeAlarmHistoryInput{MaxRecords: 10})
	if err != nil || len(out.AlarmHistoryItems) != 10 || out.NextToken == "" {
		t.Fatalf("first page: %d items, next %q, %v", len(out.AlarmHistoryItems), out.NextToken, err)
	}
	_, err = c.describeAlarmHistory(t.Context(), caller{}, &describeAlarmHistoryInput{NextToken: "x"})
	wantCode(t, err, "InvalidNextToken")
}

// wantCode fails unless err is a refusal with that code.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var e *apiError
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("error %v, want %s", err, code)
	}
}
