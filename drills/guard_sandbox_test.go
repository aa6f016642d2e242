package drills_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

const (
	throttleDrill = "orders-write-throttle"
	errorDrill    = "user-api-500s"
	ringing       = "already-ringing"
)

// stageRow spoils a drill, or the sandbox; what it returns mends the sandbox again.
type stageRow struct {
	name  string
	drill string
	spoil func(t *testing.T, x *try) (mend func())
	code  string
	later bool
	says  string
	run   bool // a run is tried too, with the plan that was made before: it asks anew
}

// Every refusal on the real protocols: firedrill writes nothing, at AWS or at the pager, and the configuration stays.
func TestRefusalsWriteNothing(t *testing.T) {
	s := newStaging(t)
	for _, row := range append(stageRows(), worldRows()...) {
		t.Run(row.name, func(t *testing.T) {
			x := s.try(t, row.drill)
			v, err := x.steps().Make(t.Context(), x.spec, runID)
			if err != nil {
				t.Fatalf("it would not run even so: %v", err)
			}
			if mend := row.spoil(t, x); mend != nil {
				defer mend()
			}
			before, incidents := s.config(t), s.openIncidents(t)
			if row.name != "target of an unfinished run" { // a plan is told by the leases, a run by its store
				_, err = x.steps().Make(t.Context(), x.spec, runID)
				refusedBy(t, err, row.code, row.later, row.says)
			}
			if row.run {
				x.refuses(t, v, row)
			}
			if n := s.writes(t); n > 0 {
				t.Errorf("%d writes by firedrill", n)
			}
			if after := s.config(t); after != before {
				t.Errorf("configuration changed:\n%s\n%s", before, after)
			}
			if n := s.openIncidents(t); n != incidents {
				t.Errorf("%d incidents, %d before", n, incidents)
			}
		})
	}
}

// refuses runs a plan that was good when it was made.
func (x *try) refuses(t *testing.T, v *drills.Preview, row stageRow) {
	t.Helper()
	e := &drills.Engine{Store: x.store, Steps: x.steps(), Clock: wall{}, Holder: journal.Holder{Host: "h", PID: 1}}
	st, err := e.Start(t.Context(), v.Plan, v.Brief)
	if err != nil || st.Outcome != "refused" {
		t.Fatalf("run: %v, outcome %v", err, st)
	}
	if f := refusalOf(st); f.Reason != row.code || (f.Facts["when"] == "later") != row.later {
		t.Errorf("run refused by %s (%v): %s", f.Reason, f.Facts, f.Why)
	}
}

// stageRows are spoiled in the drill or its environment.
func stageRows() []stageRow {
	plain := func(spoil func(x *try)) func(*testing.T, *try) func() {
		return func(_ *testing.T, x *try) func() { spoil(x); return nil }
	}
	return []stageRow{
		{"wrong account", throttleDrill, plain(func(x *try) { x.env.AWS.Account = "999900001111" }), "account", false, "999900001111", true},
		{"wrong region", throttleDrill, plain(func(x *try) { x.env.AWS.Regions = []string{"us-east-1"} }), "region", false, "us-east-1", false},
		{"wrong tag", throttleDrill, plain(func(x *try) { x.env.Tags["firedrill"] = "yes" }), "tags", false, "firedrill=allowed", true},
		{"window closed", throttleDrill, plain(func(x *try) {
			day := strings.ToLower(time.Now().UTC().Add(72 * time.Hour).Format("Mon"))
			x.env.Window, _ = drills.ParseWindow(day, "00:00-24:00", "UTC")
		}), "window", true, "outside the window", true},
		{"dead-man required", throttleDrill, plain(func(x *try) { x.env.Deadman.Required = true }), "deadman", false, "dead-man", false},
		{"the trap", errorDrill, plain(func(x *try) { x.spec.Watch = []observe.ProbeSpec{watching("user-api-target-5xx")} }), "sight", false,
			"not injecting: alarm user-api-target-5xx watches HTTPCode_Target_5XX_Count, a fixed response moves HTTPCode_ELB_5XX_Count. Try: watch: [{alarm: user-api-5xx}]", false},
		{"actions disabled", throttleDrill, plain(func(x *try) {
			x.spec.Watch = append(x.spec.Watch, watching("user-api-target-5xx")) // another service's: nobody can judge it
		}), "alarms", false, "disabled", false},
		{"expected too soon", throttleDrill, plain(func(x *try) { x.spec.Expect.Detect = time.Second }), "floor", false, "expect: {detect: 3s}", false},
		{"felt too late", "orders-dead-letters", plain(func(x *try) { x.spec.Expect.Effective = time.Second }), "floor", false, "expect: {effective: 2s}", false},
		{"stops on what it moves", throttleDrill, plain(func(x *try) { x.spec.StopConditions = []observe.ProbeSpec{watching("orders-write-throttled")} }),
			"stop_condition", false, "which a throttle moves", false},
		{"pager 401", throttleDrill, plain(func(x *try) { x.token = "wrong" }), "pager", false, "pagerduty.token", true},
		{"key not of the pager's form", throttleDrill, plain(func(x *try) {
			x.env.Teams["orders"] = drills.Team{Service: x.env.Teams["orders"].Service, Key: "short"}
		}), "key", false, "32", false},
		{"steady state bad", throttleDrill, plain(func(x *try) { x.spec.SteadyState[0].HTTP.Status = 418 }), "steady_state", false, "418", false},
		{"target of an unfinished run", throttleDrill, func(t *testing.T, x *try) func() {
			if _, err := x.store.Take(t.Context(), *tableOf(x.world), "01other", journal.Holder{Host: "h"}, time.Second, time.Now()); err != nil {
				t.Fatal(err)
			}
			return nil
		}, "lease", true, "", true},
	}
}

// worldRows are spoiled in the sandbox itself.
func worldRows() []stageRow {
	return []stageRow{
		{"production in a tag", throttleDrill, func(t *testing.T, x *try) func() {
			_, err := x.others.DynamoDB.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: tableOf(x.world),
				Tags: []types.Tag{{Key: aws.String("tier"), Value: aws.String("live-1")}}})
			if err != nil {
				t.Fatal(err)
			}
			return func() {
				_, err := x.others.DynamoDB.UntagResource(t.Context(), &dynamodb.UntagResourceInput{ResourceArn: tableOf(x.world), TagKeys: []string{"tier"}})
				if err != nil {
					t.Error(err)
				}
			}
		}, "production", false, "tier=live-1", true},
		{"alarm in ALARM", throttleDrill, rings(func(x *try) { x.spec.Watch = append(x.spec.Watch, watching(ringing)) }), "alarms", false, "ALARM", false},
		{"stop condition bad", throttleDrill, rings(func(x *try) { x.spec.StopConditions = []observe.ProbeSpec{watching(ringing)} }), "stop_condition", false, ringing, false},
		{"maintenance", throttleDrill, func(t *testing.T, x *try) func() {
			body := fmt.Sprintf(`{"maintenance_window":{"start_time":%q,"end_time":%q,"description":"deploy","services":[{"id":%q,"type":"service_reference"}]}}`,
				time.Now().Add(-time.Minute).UTC().Format(time.RFC3339), time.Now().Add(time.Hour).UTC().Format(time.RFC3339), x.world.Teams["orders"].Service)
			var made struct {
				Window struct {
					ID string `json:"id"`
				} `json:"maintenance_window"`
			}
			if err := json.Unmarshal(x.ask(t, http.MethodPost, "/pagerduty/maintenance_windows", body), &made); err != nil {
				t.Fatal(err)
			}
			return func() { x.ask(t, http.MethodDelete, "/pagerduty/maintenance_windows/"+made.Window.ID, "") }
		}, "pager", false, "would not be heard", true},
		{"open incident", throttleDrill, func(t *testing.T, x *try) func() {
			event := `{"routing_key":"a1e40000000000000000000000000001","event_action":%q,"dedup_key":"disk","payload":{"summary":"disk full","source":"db","severity":"critical"}}`
			x.ask(t, http.MethodPost, "/events/v2/enqueue", fmt.Sprintf(event, "trigger"))
			eventually(t, "incident", func() bool { return x.openIncidents(t) > 0 })
			return func() {
				x.ask(t, http.MethodPost, "/events/v2/enqueue", fmt.Sprintf(event, "resolve"))
				eventually(t, "resolved", func() bool { return x.openIncidents(t) == 0 })
			}
		}, "open_incident", true, "disk full", true},
		{"a real night page", throttleDrill, func(t *testing.T, x *try) func() {
			event := `{"routing_key":"a1e40000000000000000000000000001","event_action":%q,"dedup_key":"night","payload":{"summary":"disk full at night","source":"db","severity":"critical"}}`
			x.ask(t, http.MethodPost, "/events/v2/enqueue", fmt.Sprintf(event, "trigger"))
			now := time.Now()
			q := observe.NightQuery{Service: x.world.Teams["orders"].Service, Nights: []observe.Night{{From: now.Add(-time.Minute), To: now.Add(time.Minute)}}, Ours: "nobody's"}
			eventually(t, "notified", func() bool {
				w, err := x.steps().World.Woken(t.Context(), q)
				return err == nil && !w.At.IsZero()
			})
			x.ask(t, http.MethodPost, "/events/v2/enqueue", fmt.Sprintf(event, "resolve"))
			eventually(t, "resolved", func() bool { return x.openIncidents(t) == 0 })
			x.env.Rest = drills.RestSpec{Night: now.UTC().Add(-time.Hour).Format("15:04-") + now.UTC().Add(time.Hour).Format("15:04"), For: 11 * time.Hour}
			return nil
		}, "rest", true, "was woken at", true},
	}
}

// rings makes an alarm that rings and tells nobody, and has the drill look at it.
func rings(use func(x *try)) func(*testing.T, *try) func() {
	return func(t *testing.T, x *try) func() {
		_, err := cloudwatch.NewFromConfig(x.others.Config).PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
			AlarmName: aws.String(ringing), Namespace: aws.String("Shop"), MetricName: aws.String("Nothing"), Statistic: cwtypes.StatisticSum,
			Period: aws.Int32(2), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(0), TreatMissingData: aws.String("breaching"),
			ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "alarm rings", func() bool { return x.alarmState(t, ringing) == "ALARM" })
		use(x)
		return func() {
			if _, err := cloudwatch.NewFromConfig(x.others.Config).DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{ringing}}); err != nil {
				t.Error(err)
			}
		}
	}
}
