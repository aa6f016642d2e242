package drills_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/observe"
)

// The alarm of a first drill is one that the same plan would not refuse: it sees the fault, and of several it is the one
// that tells somebody, soonest.
func TestFirstWatchesTheAlarmThatSees(t *testing.T) {
	silent := alarmOn("a-silent", "WriteThrottleEvents", "TableName", "orders")
	silent.Actions = nil
	off := alarmOn("a-off", "WriteThrottleEvents", "TableName", "orders")
	off.Enabled = false
	slow := alarmOn("a-slow", "WriteThrottleEvents", "TableName", "orders")
	slow.Datapoints, slow.Evaluations = 5, 5
	ringing := alarmOn("a-ringing", "WriteThrottleEvents", "TableName", "orders")
	ringing.State = "ALARM"
	blind := alarmOn("a-blind", "ReadThrottleEvents", "TableName", "orders")
	elsewhere := alarmOn("a-stock", "WriteThrottleEvents", "TableName", "stock")
	starred := alarmOn("a-*", "WriteThrottleEvents", "TableName", "orders")
	good := alarmOn("throttled", "WriteThrottleEvents", "TableName", "orders")
	for name, row := range map[string]struct {
		alarms  []observe.Alarm
		watch   string
		pages   bool
		why     string
		ripples string
		detect  time.Duration
	}{
		"one":               {[]observe.Alarm{good}, "throttled", true, "it sees WriteThrottleEvents", "", 12 * time.Minute},
		"not the blind":     {[]observe.Alarm{blind, starred, elsewhere, good}, "throttled", true, "sees", "", 12 * time.Minute},
		"who tells":         {[]observe.Alarm{silent, off, good}, "throttled", true, "sees", "a-off a-silent", 12 * time.Minute},
		"the soonest":       {[]observe.Alarm{slow, good}, "throttled", true, "sees", "a-slow", 12 * time.Minute},
		"one that is OK":    {[]observe.Alarm{ringing, good}, "throttled", true, "sees", "a-ringing", 12 * time.Minute},
		"only a silent":     {[]observe.Alarm{silent}, "a-silent", false, "tells nobody", "", 12 * time.Minute},
		"none":              {nil, "", false, "none of 0 alarms", "", 0},
		"none that sees":    {[]observe.Alarm{blind, elsewhere}, "", false, "none of 2 alarms of this account and region sees what it moves (AWS/DynamoDB WriteThrottleEvents, AWS/DynamoDB ThrottledRequests)", "", 0},
		"it takes its time": {[]observe.Alarm{slowest()}, "a-slowest", true, "sees", "", 40 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.alarms.list = row.alarms
			d, err := s.steps().First(t.Context(), s.spec.Faults[0], "01k9zzzzzzzzzzzzzzzzzzzzzz")
			if err != nil {
				t.Fatal(err)
			}
			if d.Alarm != row.watch || d.Pages != row.pages || !strings.Contains(d.Why, row.why) || strings.Join(d.Ripples, " ") != row.ripples || d.Expect.Detect != row.detect {
				t.Errorf("%+v", d)
			}
			if d.Alarm == "" {
				return
			}
			// A plan of what was proposed refuses nothing of it.
			s.spec.Watch, s.spec.Ripples, s.spec.Expect, s.spec.Limit = []observe.ProbeSpec{watching(d.Alarm)}, d.Ripples, d.Expect, d.Limit
			s.spec.Page = drills.PageSpec{When: drills.PageDirect}
			if d.Pages {
				s.spec.Page = drills.PageSpec{When: drills.PageAlarm, Fallback: d.Expect.Detect}
			}
			if _, err := s.plan(); err != nil {
				t.Errorf("its plan: %v", err)
			}
		})
	}
}

// slowest is an alarm that nobody can count on for half an hour.
func slowest() observe.Alarm {
	a := alarmOn("a-slowest", "WriteThrottleEvents", "TableName", "orders")
	a.Period, a.Datapoints, a.Evaluations = 10*time.Minute, 3, 3
	return a
}

// A table with much banked is felt late: the times and the limit follow.
func TestFirstGivesATargetItsTime(t *testing.T) {
	s := newScene(t)
	s.floor = 40 * time.Minute
	d, err := s.steps().First(t.Context(), s.spec.Faults[0], "01k9zzzzzzzzzzzzzzzzzzzzzz")
	if err != nil || d.Expect.Effective != 50*time.Minute || d.Limit != 95*time.Minute || d.Expect.Resolve >= d.Limit {
		t.Errorf("%+v %v", d, err)
	}
	s.no = inject.Refuse("use another", "it is a global table")
	var no *drills.Refusal
	if _, err = s.steps().First(t.Context(), s.spec.Faults[0], "01k9zzzzzzzzzzzzzzzzzzzzzz"); !errors.As(err, &no) || no.Try != "use another" {
		t.Errorf("%v", err)
	}
}

func TestFirstFaultSuitsItsTarget(t *testing.T) {
	for _, row := range []struct {
		c    inject.Candidate
		path string
		want string
	}{
		{inject.Candidate{Service: "dynamodb", Name: "orders"}, "", `dynamodb.throttle {"load":"50/s","table":"orders","writes":1}`},
		{inject.Candidate{Service: "dynamodb", Name: "stock", Writes: 100}, "", `dynamodb.throttle {"load":"200/s","table":"stock","writes":1}`},
		{inject.Candidate{Service: "dynamodb", Name: "big", Writes: 9000}, "", `dynamodb.throttle {"load":"1000/s","table":"big","writes":1}`},
		{inject.Candidate{Service: "sqs", Name: "orders"}, "/x", `sqs.poison {"messages":3,"queue":"orders"}`},
		{inject.Candidate{Service: "alb", Name: "shop/80", ARN: "arn"}, "", `http.error {"listener":"arn","load":"5/s","path":"/","status":500}`},
		{inject.Candidate{Service: "alb", Name: "shop/80", ARN: "arn"}, "/users", `http.error {"listener":"arn","load":"5/s","path":"/users","status":500}`},
	} {
		f := drills.FirstFault(row.c, row.path)
		if got := f.Kind + " " + string(f.Params); got != row.want {
			t.Errorf("%s, want %s", got, row.want)
		}
		if kind, ok := inject.NewCatalog(nil, inject.CatalogOptions{})[f.Kind]; !ok {
			t.Errorf("no kind %s", f.Kind)
		} else if _, err := kind.New(f.Params); err != nil && row.c.ARN != "arn" {
			t.Errorf("%s: %v", f.Kind, err)
		}
		if d := drills.FirstDrill(f); d.Limit < d.Expect.Effective+d.Expect.Resolve || d.Expect.Acknowledge == 0 {
			t.Errorf("%+v", d)
		}
	}
}
