package inject

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
)

// How long Scheduler tries a call that fails with an error that passes. Others go to the dead-letter queue at once.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html
const (
	switchAttempts = 185
	switchAge      = 6 * time.Hour
)

// switchGroup is the schedule group that every account has.
const switchGroup = "default"

// minSwitchLead is how long before its minute a schedule must stand: what Scheduler gets too late it may keep for ever.
const minSwitchLead = 10 * time.Second

// switchApart is the time between two looks at Scheduler, which tells what was only eventually.
const switchApart = time.Second

// switchNameForm is what a schedule's name may be.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
var switchNameForm = regexp.MustCompile(`^[0-9a-zA-Z_.-]{1,64}$`)

// schedules is a Switch of one-time schedules with universal targets.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
type schedules struct {
	api Scheduling
	o   SwitchOptions
	now func() time.Time
}

// NewSwitch makes the dead-man's switch of an account and region; it sends nothing.
func NewSwitch(c *Clients, o SwitchOptions) Switch {
	if o.Apart == 0 {
		o.Apart = switchApart
	}
	return &schedules{api: c.Scheduler, o: o, now: c.now}
}

// Arm makes every schedule, then reads every one back. What was answered with an error and stands all the same is
// armed; what stands under the name with another time or call is not.
func (s *schedules) Arm(ctx context.Context, list []Schedule) error {
	for _, one := range list {
		if err := s.check(one); err != nil {
			return &Definite{Err: err}
		}
	}
	for i, one := range list {
		made := s.create(ctx, one)
		var no *Definite
		if errors.As(made, &no) && !hasCode(made, "ConflictException") {
			if i == 0 && s.noneStands(ctx, list) {
				return made
			}
			return no.Err
		}
		if err := s.readBack(ctx, one); err != nil {
			if no != nil {
				made = no.Err // it says nothing about what stands
			}
			return errors.Join(made, err)
		}
	}
	return nil
}

// check refuses what Scheduler would refuse, and what it would take and not do in time.
func (s *schedules) check(one Schedule) error {
	switch {
	case s.o.Role == "":
		return errors.New("no role for the dead-man's switch")
	case !switchNameForm.MatchString(one.Name):
		return fmt.Errorf("schedule %s: its name has more than 64 characters, or others than letters, digits, hyphens, underscores and dots", one.Name)
	case one.At.Location() != time.UTC || !one.At.Equal(one.At.Truncate(time.Minute)):
		return fmt.Errorf("schedule %s: %s is no whole minute UTC", one.Name, one.At.Format(time.RFC3339Nano))
	case one.At.Before(s.now().Add(minSwitchLead)):
		return fmt.Errorf("schedule %s: %s is too soon or over", one.Name, one.At.Format(time.RFC3339))
	case !json.Valid(one.Call.Input):
		return fmt.Errorf("schedule %s: the input of %s %s is no JSON", one.Name, one.Call.Service, one.Call.Action)
	}
	return nil
}

// input is a schedule as Scheduler is asked to make it. Its token is its name: a second try is the first one.
func (s *schedules) input(one Schedule) *scheduler.CreateScheduleInput {
	in := &scheduler.CreateScheduleInput{
		Name: &one.Name, GroupName: aws.String(switchGroup), ClientToken: aws.String(strings.ReplaceAll(one.Name, ".", "_")),
		Description:        aws.String("The dead-man's switch of a firedrill run: makes one call that puts a change back, unless the run has ended and deleted it"),
		ScheduleExpression: aws.String("at(" + one.At.UTC().Format("2006-01-02T15:04:05") + ")"), ScheduleExpressionTimezone: aws.String("UTC"),
		FlexibleTimeWindow: &types.FlexibleTimeWindow{Mode: types.FlexibleTimeWindowModeOff},
		State:              types.ScheduleStateEnabled, ActionAfterCompletion: types.ActionAfterCompletionDelete,
		Target: &types.Target{Arn: aws.String("arn:" + partition(s.o.Role) + ":scheduler:::aws-sdk:" + one.Call.Service + ":" + one.Call.Action),
			RoleArn: &s.o.Role, Input: aws.String(string(one.Call.Input)),
			RetryPolicy: &types.RetryPolicy{MaximumRetryAttempts: aws.Int32(switchAttempts), MaximumEventAgeInSeconds: aws.Int32(int32(switchAge.Seconds()))}},
	}
	if s.o.DLQ != "" {
		in.Target.DeadLetterConfig = &types.DeadLetterConfig{Arn: &s.o.DLQ}
	}
	return in
}

// create issues one schedule, once.
func (s *schedules) create(ctx context.Context, one Schedule) error {
	if _, err := s.api.CreateSchedule(ctx, s.input(one), onceScheduler); err != nil {
		return judged(fmt.Errorf("create schedule %s: %w", one.Name, err))
	}
	return nil
}

// readBack looks until the schedule is told, at most patiently: what was made may not be told yet.
func (s *schedules) readBack(ctx context.Context, one Schedule) error {
	for look := 1; ; look++ {
		got, err := s.get(ctx, one.Name)
		switch {
		case err != nil:
			return err
		case got != nil:
			return s.compare(one, got)
		case look == switchLooks:
			return fmt.Errorf("schedule %s is not there after it was made", one.Name)
		}
		if err := pause(ctx, s.o.Apart); err != nil {
			return fmt.Errorf("wait for schedule %s: %w", one.Name, err)
		}
	}
}

// switchLooks is how often a schedule that was made is looked for, and one that was deleted must be seen to be gone at most.
const switchLooks = 8

// get reads one schedule; nil is none of that name.
func (s *schedules) get(ctx context.Context, name string) (*scheduler.GetScheduleOutput, error) {
	got, err := s.api.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: &name, GroupName: aws.String(switchGroup)})
	if hasCode(err, "ResourceNotFoundException") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read schedule %s: %w", name, err)
	}
	return got, nil
}

// compare says what of a schedule is not as we made it.
func (s *schedules) compare(one Schedule, got *scheduler.GetScheduleOutput) error {
	want, target := s.input(one), got.Target
	if target == nil {
		return fmt.Errorf("schedule %s has no target", one.Name)
	}
	for _, x := range []struct {
		what      string
		want, got any
	}{
		{"time", aws.ToString(want.ScheduleExpression), aws.ToString(got.ScheduleExpression)},
		{"time zone", "UTC", aws.ToString(got.ScheduleExpressionTimezone)},
		{"state", want.State, got.State},
		{"action after completion", want.ActionAfterCompletion, got.ActionAfterCompletion},
		{"time window", want.FlexibleTimeWindow, got.FlexibleTimeWindow},
		{"target", aws.ToString(want.Target.Arn), aws.ToString(target.Arn)},
		{"role", s.o.Role, aws.ToString(target.RoleArn)},
		{"input", sameJSON(aws.ToString(want.Target.Input)), sameJSON(aws.ToString(target.Input))},
		{"retry policy", want.Target.RetryPolicy, target.RetryPolicy},
		{"dead-letter queue", want.Target.DeadLetterConfig, target.DeadLetterConfig},
	} {
		if !reflect.DeepEqual(x.want, x.got) {
			return fmt.Errorf("schedule %s stands already, and its %s is not the one we mean", one.Name, x.what)
		}
	}
	return nil
}

// sameJSON is JSON as a value, for comparing; what is none is itself.
func sameJSON(text string) any {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	return v
}

// noneStands looks for the schedules of a list, twice; any doubt is a no.
func (s *schedules) noneStands(ctx context.Context, list []Schedule) bool {
	for look := range 2 {
		if look > 0 && pause(ctx, s.o.Apart) != nil {
			return false
		}
		for _, one := range list {
			if got, err := s.get(ctx, one.Name); got != nil || err != nil {
				return false
			}
		}
	}
	return true
}

// partition is the part of AWS that an ARN belongs to: aws, aws-cn, aws-us-gov.
func partition(name string) string {
	if parts := strings.SplitN(name, ":", 3); len(parts) == 3 {
		return parts[1]
	}
	return "aws"
}
