package observe

import (
	"strings"
	"testing"
	"time"
)

func TestLint(t *testing.T) {
	good := Alarm{
		Name: "orders-write-throttled", State: "OK", Namespace: "AWS/DynamoDB", Metric: "WriteThrottleEvents", Missing: "notBreaching",
		Enabled: true, Actions: []string{"arn:topic"}, OKActions: []string{"arn:topic"},
	}
	if got := Lint(good); len(got) != 0 {
		t.Fatalf("a good alarm: %q", got)
	}
	for name, c := range map[string]struct {
		change func(*Alarm)
		want   string // "" is no warning
	}{
		"ringing already":    {func(a *Alarm) { a.State = "ALARM" }, "in ALARM already"},
		"no data":            {func(a *Alarm) { a.State = "INSUFFICIENT_DATA" }, "INSUFFICIENT_DATA"},
		"disabled":           {func(a *Alarm) { a.Enabled = false }, "disabled"},
		"no actions":         {func(a *Alarm) { a.Actions = nil }, "no alarm action"},
		"no OK action":       {func(a *Alarm) { a.OKActions = nil }, "no OK action"},
		"ignored by default": {func(a *Alarm) { a.Missing = "" }, "may never clear"},
		"ignored":            {func(a *Alarm) { a.Missing = "ignore" }, "leaves the state"},
		"missing":            {func(a *Alarm) { a.Missing = "missing" }, "INSUFFICIENT_DATA"},
		"breaching":          {func(a *Alarm) { a.Missing = "breaching" }, "counts as breaching"},
		"load balancer":      {func(a *Alarm) { a.Namespace, a.Metric, a.Missing = "AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "" }, "resolves no incident"},
		"always there":       {func(a *Alarm) { a.Namespace, a.Metric, a.Missing = "AWS/SQS", "ApproximateNumberOfMessagesVisible", "" }, ""},
		"suppressor":         {func(a *Alarm) { a.Composite, a.Suppressor = true, "deploy" }, "tells nobody while alarm deploy rings"},
		"suppressed":         {func(a *Alarm) { a.Composite, a.Suppressor, a.Suppressed = true, "deploy", "Alarm" }, "suppressed now (Alarm)"},
		"falls, stops: good": {func(a *Alarm) { a.Namespace, a.Metric, a.Comparison = "Shop", "Orders", "LessThanThreshold" }, "may hide the fault"},
		"falls, stops: kept": {func(a *Alarm) {
			a.Namespace, a.Metric, a.Comparison, a.Missing = "Shop", "Orders", "LessThanThreshold", "ignore"
		}, "changes nothing"},
		"falls, stops: none": {func(a *Alarm) {
			a.Namespace, a.Metric, a.Comparison, a.Missing = "Shop", "Orders", "LessThanThreshold", ""
		}, "ends in INSUFFICIENT_DATA, which tells nobody"},
		"falls, stops: rung": {func(a *Alarm) {
			a.Namespace, a.Metric, a.Comparison, a.Missing = "Shop", "Orders", "LessThanThreshold", "breaching"
		}, ""},
		"consumed capacity": {func(a *Alarm) { a.Metric, a.Missing = "ConsumedWriteCapacityUnits", "" }, ""},
	} {
		a := good
		c.change(&a)
		got := strings.Join(Lint(a), "\n")
		if !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if got != "" && !strings.Contains(got, a.Name) {
			t.Errorf("%s: %q does not name the alarm", name, got)
		}
	}
}

func TestSoonestFire(t *testing.T) {
	for name, c := range map[string]struct {
		alarm Alarm
		delay time.Duration
		want  time.Duration
	}{
		"a minute":        {Alarm{Period: time.Minute, Datapoints: 1, Evaluations: 1}, time.Minute, 3 * time.Minute},
		"two of three":    {Alarm{Period: time.Minute, Datapoints: 2, Evaluations: 3}, time.Minute, 4 * time.Minute},
		"five minutes":    {Alarm{Period: 5 * time.Minute, Datapoints: 1}, time.Minute, 7 * time.Minute},
		"high resolution": {Alarm{Period: 10 * time.Second, Datapoints: 3}, 0, 40 * time.Second},
		"the sandbox":     {Alarm{Period: 2 * time.Second, Datapoints: 1}, 0, 3 * time.Second},
		"more than a day": {Alarm{Period: 6 * time.Hour, Datapoints: 1, Evaluations: 5}, 0, 7 * time.Hour},
		"period unknown":  {Alarm{}, 0, 2 * time.Minute},
		"composite":       {Alarm{Composite: true}, time.Minute, time.Minute},
	} {
		if got := SoonestFire(c.alarm, c.delay); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
