package inject_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

const deadmanRole = "arn:aws:iam::111122223333:role/firedrill-deadman"

func (a *account) deadman() inject.Switch {
	return inject.NewSwitch(a.clients("AKIAFIREDRILL00000"), inject.SwitchOptions{Role: deadmanRole,
		DLQ: "arn:aws:sqs:eu-west-1:111122223333:firedrill-deadman-dlq", Apart: time.Millisecond})
}

// calls are two calls that would put something back.
func twoCalls() []inject.Call {
	return []inject.Call{
		{Service: "dynamodb", Action: "updateTable", Input: json.RawMessage(`{"TableName":"orders","OnDemandThroughput":{"MaxWriteRequestUnits":-1}}`)},
		{Service: "applicationautoscaling", Action: "registerScalableTarget", Input: json.RawMessage(`{"ResourceId":"table/orders"}`), After: 5 * time.Minute},
	}
}

func listed(a *account) []string {
	_, waiting := a.cloud.Waiting()
	names := []string{}
	for _, w := range waiting {
		names = append(names, w.Schedule)
	}
	slices.Sort(names)
	return names
}

func TestSwitchIsArmedAndDisarmed(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	before, m := a.config(), testMark()
	list := inject.Schedules(m, time.Now().Add(time.Hour), twoCalls())
	for range 2 { // it is idempotent
		must(t, 0, a.deadman().Arm(t.Context(), list))
	}
	got, err := a.owner().Scheduler.GetSchedule(t.Context(), &scheduler.GetScheduleInput{Name: &list[1].Name})
	must(t, got, err)
	target := got.Target
	if *got.ScheduleExpression != list[1].At.Format("at(2006-01-02T15:04:05)") || *got.ScheduleExpressionTimezone != "UTC" ||
		got.FlexibleTimeWindow.Mode != types.FlexibleTimeWindowModeOff || got.ActionAfterCompletion != types.ActionAfterCompletionDelete ||
		*target.Arn != "arn:aws:scheduler:::aws-sdk:applicationautoscaling:registerScalableTarget" || *target.RoleArn != deadmanRole ||
		*target.Input != `{"ResourceId":"table/orders"}` || *target.RetryPolicy.MaximumRetryAttempts != 185 ||
		*target.DeadLetterConfig.Arn != "arn:aws:sqs:eu-west-1:111122223333:firedrill-deadman-dlq" {
		t.Errorf("%+v\n%+v", got, target)
	}
	must(t, 0, a.deadman().Disarm(t.Context(), m, []string{list[0].Name, list[1].Name}))
	must(t, 0, a.deadman().Disarm(t.Context(), m, []string{list[0].Name, list[1].Name}))
	if a.config() != before || len(listed(a)) != 0 {
		t.Errorf("left: %v %s", listed(a), a.config())
	}
}

// Without the names, by the mark alone; and never the schedules of another fault whose name begins alike.
func TestSwitchDisarmsStraysOfItsMarkOnly(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	one, two, long := testMark(), testMark(), testMark()
	two.Fault = one.Fault + "-1"
	long.Fault = one.Fault + strings.Repeat("-and-more", 9)
	longer := long
	longer.Fault += "-still"
	var kept []string
	for _, m := range []inject.Mark{one, two, long, longer} {
		list := inject.Schedules(m, time.Now().Add(time.Hour), twoCalls())
		must(t, 0, a.deadman().Arm(t.Context(), list))
		if m != one {
			kept = append(kept, list[0].Name, list[1].Name)
		}
		for _, s := range list {
			if len(s.Name) > 64 {
				t.Errorf("%s has %d characters", s.Name, len(s.Name))
			}
		}
	}
	must(t, 0, a.deadman().Disarm(t.Context(), one, nil))
	slices.Sort(kept)
	if got := listed(a); !slices.Equal(got, kept) {
		t.Errorf("left %v, want %v", got, kept)
	}
}

// Whichever call of Arm fails, whether or not it took effect: no error means that every schedule stands, a definite
// one that none does, and one Disarm without further trouble leaves nothing in any case.
func TestWhicheverCallOfArmFails(t *testing.T) {
	t.Parallel()
	for _, effect := range []string{"5xx", "deny", "partial", "throttle"} {
		t.Run(effect, func(t *testing.T) {
			t.Parallel()
			for nth := 1; ; nth++ {
				a := newAccount(t, sandbox.Options{})
				before, m := a.config(), testMark()
				list := inject.Schedules(m, time.Now().Add(time.Hour), twoCalls())
				knob, err := a.cloud.Turn(sandbox.Knob{Service: "scheduler", By: "firedrill", Nth: nth, Effect: effect})
				must(t, knob, err)
				err = a.deadman().Arm(t.Context(), list)
				touched := a.cloud.KnobList()[0].Touched
				a.cloud.Release(knob)
				var no *inject.Definite
				switch stands := len(listed(a)); {
				case err == nil && stands != 2:
					t.Errorf("call %d: armed, and %d stand", nth, stands)
				case errors.As(err, &no) && stands != 0:
					t.Errorf("call %d: definite (%v), and %d stand", nth, err, stands)
				case nth == 1 && effect == "deny" && !errors.As(err, &no):
					t.Errorf("a refused first schedule is no definite no: %v", err)
				}
				must(t, 0, a.deadman().Disarm(t.Context(), m, []string{list[0].Name, list[1].Name}))
				if a.config() != before {
					t.Fatalf("call %d: left %v", nth, listed(a))
				}
				if touched == 0 {
					if nth != 5 {
						t.Errorf("%d calls were tried, want 4", nth-1)
					}
					return
				}
			}
		})
	}
}

// Whichever call of Disarm fails: it says so while anything stands, and the next try comes to its end.
func TestWhicheverCallOfDisarmFails(t *testing.T) {
	t.Parallel()
	for _, effect := range []string{"5xx", "deny", "partial", "throttle", "ignore"} {
		t.Run(effect, func(t *testing.T) {
			t.Parallel()
			for nth := 1; ; nth++ {
				a := newAccount(t, sandbox.Options{})
				m := testMark()
				list := inject.Schedules(m, time.Now().Add(time.Hour), twoCalls())
				must(t, 0, a.deadman().Arm(t.Context(), list))
				knob, err := a.cloud.Turn(sandbox.Knob{Service: "scheduler", By: "firedrill", Nth: nth, Effect: effect})
				must(t, knob, err)
				err = a.deadman().Disarm(t.Context(), m, []string{list[0].Name, list[1].Name})
				touched := a.cloud.KnobList()[0].Touched
				a.cloud.Release(knob)
				if left := listed(a); err == nil && len(left) > 0 {
					t.Errorf("call %d: disarmed, and %v stand", nth, left)
				}
				must(t, 0, a.deadman().Disarm(t.Context(), m, nil))
				if left := listed(a); len(left) > 0 {
					t.Fatalf("call %d: left %v", nth, left)
				}
				if touched == 0 {
					if nth < 9 {
						t.Errorf("only %d calls were tried", nth-1)
					}
					return
				}
			}
		})
	}
}

// What is told too late is not believed: neither that a schedule stands nor that it is gone.
func TestSwitchWhileReadsAreBehind(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	m := testMark()
	list := inject.Schedules(m, time.Now().Add(time.Hour), twoCalls())
	must(t, 0, a.deadman().Arm(t.Context(), list))
	knob, err := a.cloud.Turn(sandbox.Knob{Service: "scheduler", By: "firedrill", Operation: "GetSchedule", Effect: "stale", DelayS: 60})
	must(t, knob, err)
	if err := a.deadman().Disarm(t.Context(), m, nil); err == nil || !strings.Contains(err.Error(), "is still there") {
		t.Errorf("what is still told was believed gone: %v", err)
	}
	a.cloud.Release(knob)
	must(t, 0, a.deadman().Disarm(t.Context(), m, nil))
}

// A token is good for one making: what was deleted is not made again by it, and Arm must not believe the answer.
func TestSwitchBelievesNoAnswer(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	m := testMark()
	list := inject.Schedules(m, time.Now().Add(time.Hour), twoCalls())
	must(t, 0, a.deadman().Arm(t.Context(), list))
	must(t, 0, a.deadman().Disarm(t.Context(), m, nil))
	if err := a.deadman().Arm(t.Context(), list); err == nil || !strings.Contains(err.Error(), "is not there") {
		t.Errorf("armed with %v: %v", listed(a), err)
	}
}

// A schedule of our name with another time or call is nobody's dead-man's switch.
func TestSwitchRefusesAnotherOfItsName(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	list := inject.Schedules(testMark(), time.Now().Add(time.Hour), twoCalls())
	must(t, 0, a.deadman().Arm(t.Context(), list))
	later := slices.Clone(list)
	later[1].At = later[1].At.Add(time.Minute)
	other := slices.Clone(list)
	other[0].Call.Input = json.RawMessage(`{"TableName":"orders","OnDemandThroughput":{"MaxWriteRequestUnits":5}}`)
	for what, changed := range map[string][]inject.Schedule{"its time": later, "its input": other} {
		var no *inject.Definite
		if err := a.deadman().Arm(t.Context(), changed); err == nil || errors.As(err, &no) || !strings.Contains(err.Error(), what) {
			t.Errorf("another's: %v", err)
		}
	}
}

// What Scheduler would take and not do, or not do in time, is refused before anything is made.
func TestSwitchRefusesWhatWouldNotFire(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	good := inject.Schedules(testMark(), time.Now().Add(time.Hour), twoCalls())
	for name, spoil := range map[string]func(s *inject.Schedule){
		"past":     func(s *inject.Schedule) { s.At = s.At.Add(-2 * time.Hour) },
		"seconds":  func(s *inject.Schedule) { s.At = s.At.Add(time.Second) },
		"zone":     func(s *inject.Schedule) { s.At = s.At.In(time.FixedZone("x", 3600)) },
		"name":     func(s *inject.Schedule) { s.Name = strings.Repeat("x", 65) },
		"no JSON":  func(s *inject.Schedule) { s.Call.Input = json.RawMessage(`{`) },
		"no input": func(s *inject.Schedule) { s.Call.Input = nil },
		"reading":  func(s *inject.Schedule) { s.Call.Action = "describeTable" },
	} {
		list := slices.Clone(good)
		spoil(&list[0])
		var no *inject.Definite
		if err := a.deadman().Arm(t.Context(), list); !errors.As(err, &no) || len(listed(a)) != 0 {
			t.Errorf("%s: %v, %v", name, err, listed(a))
		}
	}
	nobody := inject.NewSwitch(a.clients("AKIAFIREDRILL00000"), inject.SwitchOptions{})
	var no *inject.Definite
	if err := nobody.Arm(t.Context(), good); !errors.As(err, &no) {
		t.Errorf("without a role: %v", err)
	}
	stranger := inject.NewSwitch(a.clients("AKIAFIREDRILL00000"), inject.SwitchOptions{Role: "arn:aws:iam::999988887777:role/x", Apart: time.Millisecond})
	if err := stranger.Arm(t.Context(), good); !errors.As(err, &no) {
		t.Errorf("with a role of another account: %v", err)
	}
}

// A write is asked once: what was answered with an error may have taken effect.
func TestSwitchWritesOnce(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	list := inject.Schedules(testMark(), time.Now().Add(time.Hour), twoCalls())
	knob, err := a.cloud.Turn(sandbox.Knob{Service: "scheduler", Effect: "5xx"})
	must(t, knob, err)
	if a.deadman().Arm(t.Context(), list) == nil || a.deadman().Disarm(t.Context(), testMark(), []string{list[0].Name, list[1].Name}) == nil {
		t.Error("armed and disarmed nothing")
	}
	count := map[string]int{}
	for _, c := range a.cloud.CallLog() {
		count[fmt.Sprint(c.Operation, c.Writes)]++
	}
	if count["CreateScheduletrue"] != 1 || count["DeleteScheduletrue"] != 2 {
		t.Errorf("%v", count)
	}
}
