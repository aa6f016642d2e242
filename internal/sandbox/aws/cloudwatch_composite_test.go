package aws

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func putComposite(t *testing.T, c *cloudWatch, spoil func(*putCompositeAlarmInput)) error {
	t.Helper()
	in := &putCompositeAlarmInput{AlarmName: "orders-hurt", AlarmRule: `ALARM("orders-write-throttled") AND NOT ALARM(maintenance)`,
		AlarmActions: []string{testTopic}, OKActions: []string{testTopic}, Tags: []alarmTag{{"team", "orders"}}}
	if spoil != nil {
		spoil(in)
	}
	_, err := c.putCompositeAlarm(t.Context(), caller{}, in)
	return err
}

// ready is an account with two alarms that a composite one may be made of.
func readyForComposite(t *testing.T) (*cloudWatch, *testTopics, *testClock) {
	t.Helper()
	c, topics, clock := testCloudWatch(t)
	for _, name := range []string{"orders-write-throttled", "maintenance"} {
		in := throttled()
		in.AlarmName, in.AlarmActions, in.OKActions = name, nil, nil
		putAlarm(t, c, in)
	}
	return c, topics, clock
}

func composites(t *testing.T, c *cloudWatch) []compositeAlarm {
	t.Helper()
	out, err := c.describeAlarms(t.Context(), caller{}, &describeAlarmsInput{AlarmTypes: []string{"CompositeAlarm"}})
	if err != nil || len(out.MetricAlarms) != 0 {
		t.Fatalf("%+v %v", out, err)
	}
	return out.CompositeAlarms
}

func TestACompositeAlarmTransitsAndPages(t *testing.T) {
	c, topics, clock := readyForComposite(t)
	if err := putComposite(t, c, nil); err != nil {
		t.Fatal(err)
	}
	if got := describe(t, c, &describeAlarmsInput{}); len(got) != 2 {
		t.Errorf("%d metric alarms: a composite one comes only when it is asked for", len(got))
	}
	clock.move(1e9)
	setState(t, c, "orders-hurt", "ALARM")
	got := composites(t, c)
	if len(got) != 1 || got[0].StateValue != "ALARM" || !got[0].StateTransitionedTimestamp.Equal(clock.now()) || got[0].AlarmRule == "" || got[0].ActionsSuppressedBy != "" {
		t.Errorf("%+v", got)
	}
	if len(topics.published) != 1 || !strings.Contains(topics.published[0], `"AlarmRule":"ALARM(`) || strings.Contains(topics.published[0], "Trigger") {
		t.Errorf("published %q", topics.published)
	}
	h := history(t, c, &describeAlarmHistoryInput{AlarmTypes: []string{"CompositeAlarm"}, HistoryItemType: "StateUpdate"})
	if len(h) != 1 || h[0].AlarmName != "orders-hurt" || h[0].HistorySummary != "Alarm updated from INSUFFICIENT_DATA to ALARM" {
		t.Errorf("%+v", h)
	}
	if err := putComposite(t, c, func(in *putCompositeAlarmInput) { in.AlarmRule = "TRUE" }); err != nil || composites(t, c)[0].StateValue != "ALARM" {
		t.Errorf("a new rule leaves the state: %v", err)
	}
}

func TestPutCompositeAlarmRefuses(t *testing.T) {
	c, _, _ := readyForComposite(t)
	for name, spoil := range map[string]func(*putCompositeAlarmInput){
		"no name":          func(in *putCompositeAlarmInput) { in.AlarmName = "" },
		"no rule":          func(in *putCompositeAlarmInput) { in.AlarmRule = "" },
		"another function": func(in *putCompositeAlarmInput) { in.AlarmRule = "AT_LEAST(1, ALARM, (maintenance))" },
		"brackets":         func(in *putCompositeAlarmInput) { in.AlarmRule = "(ALARM(maintenance)" },
		"nobody":           func(in *putCompositeAlarmInput) { in.AlarmRule = "ALARM(gone)" },
		"101 children": func(in *putCompositeAlarmInput) {
			in.AlarmRule = strings.Repeat("ALARM(maintenance) OR ", 100) + "ALARM(maintenance)"
		},
		"a metric alarm":   func(in *putCompositeAlarmInput) { in.AlarmName = "maintenance" },
		"suppressor alone": func(in *putCompositeAlarmInput) { in.ActionsSuppressor = "maintenance" },
		"not an ARN":       func(in *putCompositeAlarmInput) { in.OKActions = []string{"oncall"} },
		"unknown suppessor": func(in *putCompositeAlarmInput) {
			in.ActionsSuppressor, in.ActionsSuppressorWaitPeriod, in.ActionsSuppressorExtensionPeriod = "gone", ptr(1), ptr(1)
		},
	} {
		err := putComposite(t, c, spoil)
		if err == nil {
			t.Errorf("%s was taken", name)
			continue
		}
		wantCode(t, err, "ValidationError")
	}
	if err := putComposite(t, c, nil); err != nil {
		t.Fatal(err)
	}
	in := throttled()
	in.AlarmName = "orders-hurt"
	_, err := c.putMetricAlarm(t.Context(), caller{}, in)
	wantCode(t, err, "ValidationError")
}

// While its suppressor rings an alarm tells nobody; what was held back is told when that is over.
func TestASuppressorHoldsActionsBack(t *testing.T) {
	c, topics, clock := readyForComposite(t)
	if err := putComposite(t, c, func(in *putCompositeAlarmInput) {
		in.ActionsSuppressor, in.ActionsSuppressorWaitPeriod, in.ActionsSuppressorExtensionPeriod = c.alarmARN("maintenance"), ptr(0), ptr(0)
	}); err != nil {
		t.Fatal(err)
	}
	setState(t, c, "maintenance", "ALARM")
	clock.move(1e9)
	setState(t, c, "orders-hurt", "ALARM")
	if a := composites(t, c)[0]; len(topics.published) != 0 || a.ActionsSuppressedBy != "Alarm" || a.ActionsSuppressor != "maintenance" {
		t.Errorf("published %q, %+v", topics.published, a)
	}
	setState(t, c, "maintenance", "OK")
	if a := composites(t, c)[0]; len(topics.published) != 1 || !strings.HasPrefix(topics.published[0], "ALARM: ") || a.ActionsSuppressedBy != "" {
		t.Errorf("published %q, %+v", topics.published, a)
	}
}

func TestAMuteRuleHoldsActionsBack(t *testing.T) {
	c, topics, clock := testCloudWatch(t)
	putAlarm(t, c, throttled())
	put := func(expression, duration string, names ...string) error {
		_, err := c.putAlarmMuteRule(t.Context(), caller{}, &putAlarmMuteRuleInput{Name: "deploy", MuteTargets: &muteTargets{names},
			Rule: &muteSchedule{&muteTime{Expression: expression, Duration: duration}}})
		return err
	}
	statuses := func(in *listAlarmMuteRulesInput) string {
		out, err := c.listAlarmMuteRules(t.Context(), caller{}, in)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, s := range out.AlarmMuteRuleSummaries {
			all = append(all, s.Status+" "+s.AlarmMuteRuleArn[strings.LastIndex(s.AlarmMuteRuleArn, ":")+1:])
		}
		return fmt.Sprint(all)
	}
	soon := clock.now().Add(time.Minute).UTC()
	if err := put("at("+soon.Format(muteForm)+")", "PT1H", "orders-write-throttled"); err != nil {
		t.Fatal(err)
	}
	if got := statuses(&listAlarmMuteRulesInput{AlarmName: "orders-write-throttled"}); got != "[SCHEDULED deploy]" {
		t.Error(got)
	}
	clock.move(2 * time.Minute)
	setState(t, c, "orders-write-throttled", "ALARM")
	if got := statuses(&listAlarmMuteRulesInput{Statuses: []string{"ACTIVE"}}); got != "[ACTIVE deploy]" || len(topics.published) != 0 {
		t.Error(got, topics.published)
	}
	if got := statuses(&listAlarmMuteRulesInput{AlarmName: "another"}); got != "[]" {
		t.Error(got)
	}
	clock.move(2 * time.Hour)
	setState(t, c, "orders-write-throttled", "OK")
	if got := statuses(&listAlarmMuteRulesInput{}); got != "[EXPIRED deploy]" || len(topics.published) != 1 {
		t.Error(got, topics.published)
	}
	if _, err := c.deleteAlarmMuteRule(t.Context(), caller{}, &alarmMuteRuleNameInput{"deploy"}); err != nil || statuses(&listAlarmMuteRulesInput{}) != "[]" {
		t.Error(err)
	}
	for _, bad := range [][3]string{{"cron(0 2 * * *)", "PT1H", "orders-write-throttled"}, {"at(2026-11-22T10:00)", "PT10S", "orders-write-throttled"},
		{"at(2026-11-22T10:00)", "P16D", "orders-write-throttled"}, {"at(2026-11-22T10:00)", "PT1H", "gone"}} {
		if err := put(bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}
