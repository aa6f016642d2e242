package drills_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/observe"
)

// listener makes the scene one of a fixed response, with its trap: an alarm that looks right and sees nothing.
func listener(s *scene) {
	elb := func(name string) inject.Metric {
		return inject.Metric{Namespace: "AWS/ApplicationELB", Name: name, Dimensions: pairs([]string{"LoadBalancer", "app/shop/1"}), Delay: time.Minute, By: "a fixed response"}
	}
	s.moves = []inject.Metric{elb("HTTP_Fixed_Response_Count"), elb("HTTPCode_ELB_5XX_Count"), elb("HTTPCode_ELB_500_Count")}
	good, trap := alarmOn("users-5xx", "HTTPCode_ELB_5XX_Count", "LoadBalancer", "app/shop/1"), alarmOn("users-target-5xx", "HTTPCode_Target_5XX_Count", "LoadBalancer", "app/shop/1")
	good.Namespace, trap.Namespace = "AWS/ApplicationELB", "AWS/ApplicationELB"
	s.alarms.list = []observe.Alarm{trap, good}
	s.spec.Watch = []observe.ProbeSpec{watching("users-5xx")}
}

// poisoned makes the scene one of a dead-letter queue in which three messages end up.
func poisoned(threshold float64, statistic string) func(*scene) {
	return func(s *scene) {
		depth := pairs([]string{"QueueName", "dlq"})
		s.moves = []inject.Metric{{Namespace: "AWS/SQS", Name: "ApproximateNumberOfMessagesVisible", Dimensions: depth, By: "a poison", Most: 3}}
		a := alarmOn("throttled", "ApproximateNumberOfMessagesVisible")
		a.Namespace, a.Dimensions, a.Threshold, a.Statistic = "AWS/SQS", depth, threshold, statistic
		s.alarms.list = []observe.Alarm{a}
	}
}

// watchOnly puts one alarm in the place of the scene's own.
func watchOnly(a observe.Alarm) func(*scene) {
	return func(s *scene) {
		s.spec.Watch = []observe.ProbeSpec{watching(a.Name)}
		s.alarms.list = append(s.alarms.list, a)
	}
}

func cloudwatchProbe(namespace, metric string, dimensions ...string) observe.ProbeSpec {
	return observe.ProbeSpec{CloudWatch: &observe.CloudWatchProbe{Namespace: namespace, Metric: metric, Dimensions: pairs(dimensions), Statistic: "Sum", Is: "< 1"}}
}

func TestBlindAlarmsAreRefused(t *testing.T) {
	for _, row := range []guardRow{
		{"the trap", func(s *scene) {
			listener(s)
			s.spec.Watch = []observe.ProbeSpec{watching("users-target-5xx")}
		}, "sight", false, []string{"not injecting: alarm users-target-5xx watches HTTPCode_Target_5XX_Count, a fixed response moves HTTPCode_ELB_5XX_Count. Try: watch: [{alarm: users-5xx}]"}},
		{"the trap beside a good one", func(s *scene) {
			listener(s)
			s.spec.Watch = append(s.spec.Watch, watching("users-target-5xx"))
		}, "sight", false, []string{"users-target-5xx"}},
		{"another table", watchOnly(alarmOn("stock", "WriteThrottleEvents", "TableName", "stock")), "sight", false, []string{"alarm stock watches WriteThrottleEvents of TableName=stock, a throttle moves WriteThrottleEvents of TableName=orders", "throttled"}},
		{"an index", watchOnly(alarmOn("gsi", "WriteThrottleEvents", "TableName", "orders", "GlobalSecondaryIndexName", "by-day")), "sight", false, []string{"GlobalSecondaryIndexName=by-day"}},
		{"no operation", watchOnly(alarmOn("requests", "ThrottledRequests", "TableName", "orders")), "sight", false, []string{"without an Operation", "Operation=PutItem, TableName=orders"}},
		{"the other side", watchOnly(alarmOn("reads", "ReadThrottleEvents", "TableName", "orders")), "sight", false, []string{"watches ReadThrottleEvents, a throttle moves WriteThrottleEvents"}},
		{"nothing that could see it", func(s *scene) { s.alarms.list[0].Metric = "UserErrors" }, "sight", false, []string{"make an alarm on AWS/DynamoDB WriteThrottleEvents of TableName=orders"}},
		{"rings when it falls", func(s *scene) { s.alarms.list[0].Comparison = "LessThanThreshold" }, "sight", false, []string{"falls", "makes it rise"}},
		{"rings when it rises", func(s *scene) { s.moves[0].Falls = true }, "sight", false, []string{"rises", "makes it fall"}},
		{"too few messages", poisoned(3, "Maximum"), "sight", false, []string{"passes 3", "brings it to 3"}},
		{"a probe of another table", func(s *scene) {
			s.spec.Watch = []observe.ProbeSpec{cloudwatchProbe("AWS/DynamoDB", "WriteThrottleEvents", "TableName", "stock")}
		}, "sight", false, []string{"probe cloudwatch", "TableName=stock"}},
		{"actions disabled", func(s *scene) { s.alarms.list[0].Enabled = false }, "alarms", false, []string{"disabled", "enable-alarm-actions"}},
		{"no alarm action", func(s *scene) { s.alarms.list[0].Actions = nil }, "alarms", false, []string{"nobody would be paged"}},
		{"stops on its own metric", func(s *scene) { s.spec.StopConditions = []observe.ProbeSpec{watching("throttled")} }, "stop_condition", false, []string{"stop condition alarm throttled watches WriteThrottleEvents, which a throttle moves"}},
		{"stops on its own metric, by a probe", func(s *scene) {
			s.spec.StopConditions = []observe.ProbeSpec{cloudwatchProbe("AWS/DynamoDB", "WriteThrottleEvents", "TableName", "orders")}
		}, "stop_condition", false, []string{"which a throttle moves"}},
		{"stops on its own queue", func(s *scene) {
			poisoned(0, "Maximum")(s)
			s.spec.StopConditions = []observe.ProbeSpec{{SQS: &observe.SQSProbe{Queue: "https://sqs.eu-west-1.amazonaws.com/1/dlq", Visible: "<= 5"}}}
		}, "stop_condition", false, []string{"which a poison moves"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScene(t)
			row.spoil(s)
			_, err := s.plan()
			refusedBy(t, err, row.code, row.later, row.words...)
			s.untouched(t)
		})
	}
}

// A fault that makes a metric fall is seen by an alarm that rings when it does.
func TestAnAlarmOnAFallSeesOne(t *testing.T) {
	s := newScene(t)
	s.moves[0].Falls, s.alarms.list[0].Comparison = true, "LessThanThreshold"
	if _, err := s.plan(); err != nil {
		t.Error(err)
	}
}

// What nobody can judge from here is told, and never refused.
func TestUnjudgedAlarmsAreTold(t *testing.T) {
	own := alarmOn("own", "Errors", "Service", "orders")
	own.Namespace = "Shop"
	elb := alarmOn("elb", "HTTPCode_Target_5XX_Count", "LoadBalancer", "app/shop/1")
	elb.Namespace = "AWS/ApplicationELB"
	for _, row := range []struct {
		name  string
		set   func(*scene)
		warns string // empty: nothing to tell
	}{
		{"their own metric", watchOnly(own), "alarm own cannot be judged: Shop Errors may follow"},
		{"another service's", watchOnly(elb), "alarm elb cannot be judged"},
		{"metric math", watchOnly(observe.Alarm{Name: "math", State: "OK", Enabled: true, Actions: []string{topic}}), "computes with several metrics"},
		{"composite", watchOnly(observe.Alarm{Name: "all", State: "OK", Composite: true, Enabled: true, Actions: []string{topic}}), "a composite alarm"},
		{"a fault that says nothing", func(s *scene) { s.moves = nil }, "does not say what it moves"},
		{"only a probe", func(s *scene) { s.spec.Watch = s.spec.SteadyState }, "no alarm of CloudWatch is watched"},
		{"never clears", func(s *scene) { s.alarms.list[0].Missing = "" }, "may never clear"},
		{"no OK action", func(s *scene) { s.alarms.list[0].OKActions = nil }, "no OK action"},
		{"disabled, and we page", func(s *scene) {
			s.alarms.list[0].Enabled, s.spec.Page = false, drills.PageSpec{When: drills.PageDirect}
		}, "disabled"},
		{"an availability zone", func(s *scene) {
			listener(s)
			s.alarms.list[1].Dimensions["AvailabilityZone"] = "eu-west-1a"
		}, ""},
		{"messages enough", poisoned(2, "Maximum"), ""},
		{"a sum adds up", poisoned(50, "Sum"), ""},
		{"a composite stop", func(s *scene) {
			s.spec.StopConditions = []observe.ProbeSpec{watching("all")}
			s.alarms.list = append(s.alarms.list, observe.Alarm{Name: "all", State: "OK", Composite: true})
		}, "stop condition alarm all cannot be judged"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScene(t)
			row.set(s)
			v, err := s.plan()
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(v.Warn, "\n")
			if !strings.Contains(all, row.warns) || row.warns == "" && strings.Contains(all, "judged") {
				t.Errorf("want %q: %q", row.warns, v.Warn)
			}
		})
	}
}

func TestFloors(t *testing.T) {
	for _, row := range []struct {
		name   string
		set    func(*scene)
		words  []string // of the refusal; none: no refusal
		warned string
	}{
		{"detect at its floor", func(s *scene) { s.spec.Expect.Detect = 3 * time.Minute }, nil, ""},
		{"detect below", func(s *scene) { s.spec.Expect.Detect = 3*time.Minute - time.Second },
			[]string{"expect.detect of 2m59s", "throttled cannot be counted on to fire before 3m", "expect: {detect: 3m}"}, ""},
		{"fallback below", func(s *scene) { s.spec.Page.Fallback = 2 * time.Minute }, []string{"page.fallback of 2m", "page: {fallback: 3m}"}, ""},
		{"no detect expected", func(s *scene) { s.spec.Expect.Detect = 0 }, nil, ""},
		{"limit below both", func(s *scene) { s.floor, s.spec.Limit = 5*time.Minute, 7*time.Minute },
			[]string{"limit of 7m", "throttle cannot be counted on to be felt before 5m, then throttled cannot be counted on to fire before 3m", "limit: 8m"}, ""},
		{"limit at both", func(s *scene) { s.floor, s.spec.Limit = 5*time.Minute, 8*time.Minute }, nil, ""},
		{"effective below", func(s *scene) { s.floor = 8*time.Minute + 20*time.Second }, []string{"expect.effective of 8m", "8m20s", "expect: {effective: 9m}"}, ""},
		{"effective left out", func(s *scene) { s.floor, s.spec.Expect.Effective = 16*time.Minute, 0 }, []string{"expect: {effective: 16m}"}, ""},
		{"effective unsure", func(s *scene) { s.floor, s.unsure = 10*time.Minute, true }, nil, "not documented"},
		{"unsure, the limit counts what is sure", func(s *scene) { s.unsure, s.spec.Limit = true, 2*time.Minute }, []string{"limit of 2m", "limit: 3m"}, ""},
		{"the quicker of two alarms counts", func(s *scene) {
			slow := alarmOn("slow", "WriteThrottleEvents", "TableName", "orders")
			slow.Period, slow.Datapoints = 5*time.Minute, 3
			s.alarms.list = append(s.alarms.list, slow)
			s.spec.Watch = append(s.spec.Watch, watching("slow"))
			s.spec.Expect.Detect = 4 * time.Minute
		}, nil, ""},
		{"three of five minutes", func(s *scene) { s.alarms.list[0].Period, s.alarms.list[0].Datapoints = 5*time.Minute, 3 },
			[]string{"17m", "3 × 5m period, 1m evaluation, 1m until its datapoint is there"}, ""},
		{"a probe that looks all the time", func(s *scene) {
			s.spec.Watch = append(s.spec.Watch, s.spec.SteadyState...)
			s.spec.Expect.Detect = time.Second
		}, nil, ""},
		{"a probe of its metric", func(s *scene) {
			s.spec.Watch = []observe.ProbeSpec{cloudwatchProbe("AWS/DynamoDB", "WriteThrottleEvents", "TableName", "orders")}
			s.spec.Expect.Detect = time.Minute
		}, []string{"expect: {detect: 2m}"}, ""},
		{"beside one that cannot be judged", func(s *scene) {
			own := alarmOn("own", "Errors")
			own.Namespace = "Shop"
			s.alarms.list = append(s.alarms.list, own)
			s.spec.Watch = append(s.spec.Watch, watching("own"))
			s.spec.Expect.Detect = time.Minute
		}, nil, "expect.detect of 1m may be too short"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScene(t)
			row.set(s)
			v, err := s.plan()
			if len(row.words) > 0 {
				refusedBy(t, err, "floor", false, row.words...)
			} else if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(v.Warn, "\n"), row.warned) {
				t.Errorf("want %q: %q", row.warned, v.Warn)
			}
			s.untouched(t)
		})
	}
}

// Several faults: the first that is felt counts, from the moment the first goes in.
func TestFloorOfSeveralFaults(t *testing.T) {
	s := newScene(t)
	s.floor = 2 * time.Minute
	later := s.spec.Faults[0]
	s.spec.Faults[0].After = time.Minute
	later.ID, later.After = "second", 4*time.Minute
	s.spec.Faults = append(s.spec.Faults, later)
	v, err := s.plan()
	if err != nil {
		t.Fatal(err)
	}
	if f := v.Floors[0]; f.Name != "expect.effective" || f.Least != 2*time.Minute || !f.Sure {
		t.Errorf("floor: %+v", f)
	}
	if v.Undo() != 10*time.Minute {
		t.Errorf("undo %s", v.Undo())
	}
}

func TestReach(t *testing.T) {
	s := newScene(t)
	elsewhere := alarmOn("for-others", "WriteThrottleEvents", "TableName", "orders")
	elsewhere.Actions = []string{"arn:aws:sns:eu-west-1:" + account + ":payments"}
	disabled := alarmOn("off", "WriteThrottleEvents", "TableName", "orders")
	disabled.Enabled = false
	own := alarmOn("own", "Errors")
	own.Namespace = "Shop"
	s.alarms.list = append(s.alarms.list, alarmOn("api-1", "WriteThrottleEvents", "TableName", "orders"),
		alarmOn("put", "ThrottledRequests", "TableName", "orders", "Operation", "PutItem"),
		alarmOn("stock", "WriteThrottleEvents", "TableName", "stock"), alarmOn("hurt", "Errors"), own, elsewhere, disabled)
	s.spec.Ripples = []string{"api-*"}
	s.spec.StopConditions = []observe.ProbeSpec{watching("hurt")}
	v, err := s.plan()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range v.Alarms {
		got = append(got, fmt.Sprintf("%s: %s %s", a.Name, a.Verdict, a.Moved))
	}
	want := []string{"throttled: watch WriteThrottleEvents", "api-1: ripple WriteThrottleEvents", "put: would abort this drill ThrottledRequests",
		"stock: would abort this drill ", "hurt: would abort this drill ", "own: would abort this drill "}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("alarms\n got %q\nwant %q", got, want)
	}
	if fmt.Sprint(v.Unlisted) != "[put]" {
		t.Errorf("unlisted: %v", v.Unlisted)
	}
	all := strings.Join(v.Warn, "\n")
	for _, w := range []string{"ripples: [api-*, put]", "alarm for-others moves with a throttle too and tells others (payments)"} {
		if !strings.Contains(all, w) {
			t.Errorf("nobody says %q: %q", w, v.Warn)
		}
	}
	if v.Reach == "" || v.Reaching != "Alarms that reach "+v.Plan.Page.Service {
		t.Errorf("nobody says how the list was made: %q, %q", v.Reaching, v.Reach)
	}
	if !strings.Contains(all, "It would abort the drill") {
		t.Errorf("nobody says what put would do: %q", v.Warn)
	}
}

// With nothing watched the ripples' topic makes the list, and without any topic what moves does. Neither tells which
// service an alarm pages: none of it is said to abort the drill, but for its stop conditions.
func TestReachWithoutWatch(t *testing.T) {
	s := newScene(t)
	s.spec.Watch, s.spec.Page, s.spec.Expect.Detect = nil, drills.PageSpec{When: drills.PageReport}, 0
	s.alarms.list = append(s.alarms.list, alarmOn("stock", "WriteThrottleEvents", "TableName", "stock"), alarmOn("hurt", "Errors"),
		alarmOn("api-1", "WriteThrottleEvents", "TableName", "orders"))
	s.spec.Ripples = []string{"throttled"}
	s.spec.StopConditions = []observe.ProbeSpec{watching("hurt")}
	v, err := s.plan()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range v.Alarms {
		got = append(got, a.Name+": "+a.Verdict)
	}
	if want := "[throttled: ripple stock: not listed hurt: would abort this drill api-1: not listed]"; fmt.Sprint(got) != want {
		t.Errorf("alarms\n got %v\nwant %s", got, want)
	}
	if all := strings.Join(v.Warn, "\n"); strings.Contains(all, "would abort") || !strings.Contains(all, "ripples: [throttled, api-1]") {
		t.Errorf("warnings: %q", v.Warn)
	}
	if v.Reaching != "Alarms that share a topic with this drill's ripples" || fmt.Sprint(v.Unlisted) != "[api-1]" {
		t.Errorf("%q, unlisted %v", v.Reaching, v.Unlisted)
	}
	s.alarms.list = s.alarms.list[:2]
	s.spec.StopConditions = nil
	s.spec.Ripples = nil
	v, err = s.plan()
	if err != nil || len(v.Alarms) != 1 || v.Alarms[0].Name != "throttled" || v.Alarms[0].Verdict != drills.VerdictUnlisted {
		t.Errorf("alarms %v, err %v", v.Alarms, err)
	}
	if !strings.Contains(strings.Join(v.Warn, "\n"), "cannot be told") {
		t.Errorf("warnings: %q", v.Warn)
	}
}

// The alarms may be readable by name and not as a list: what would ring is then unknown, and unknown is no.
func TestAlarmsThatCannotBeListed(t *testing.T) {
	s := newScene(t)
	s.spec.Watch, s.spec.Page, s.spec.Expect.Detect = nil, drills.PageSpec{When: drills.PageDirect}, 0
	s.alarms.err = errors.New("AccessDenied")
	_, err := s.plan()
	refusedBy(t, err, "alarms", false, "list the alarms")
	s.untouched(t)
}

func TestPermissions(t *testing.T) {
	s := newScene(t)
	s.spec.SteadyState = append(s.spec.SteadyState, cloudwatchProbe("Shop", "Errors"), observe.ProbeSpec{SQS: &observe.SQSProbe{Queue: "orders", Visible: "<= 5"}})
	v, err := s.plan()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, p := range v.Permissions() {
		all = append(all, p.When+" "+p.Action)
	}
	for _, want := range []string{"plan sts:GetCallerIdentity", "plan cloudwatch:DescribeAlarms", "plan cloudwatch:GetMetricData", "plan sqs:GetQueueAttributes", "run dynamodb:UpdateTable"} {
		if !strings.Contains(strings.Join(all, "\n"), want) {
			t.Errorf("no %s: %v", want, all)
		}
	}
}
