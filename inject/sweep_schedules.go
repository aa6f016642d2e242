package inject

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
)

// scheduleName reads run and fault out of a name that ScheduleName has made.
var scheduleName = regexp.MustCompile(`^firedrill-([0-7][0-9a-hjkmnp-tv-z]{25})-(.+)-([1-9][0-9]*)$`)

// findSchedules reads the schedules whose names are derived from a run. Their Until is when they fire: later than
// anything of their run may be in place.
func (s *Sweeper) findSchedules(ctx context.Context, at home, f *finding) {
	names, err := s.scheduleNames(ctx)
	if err != nil {
		f.unread("schedules", err)
	}
	f.looked("schedules", len(names))
	each(ctx, names, func(name string) {
		parts := scheduleName.FindStringSubmatch(name)
		if parts == nil {
			return // somebody's, who likes the name
		}
		out, err := s.c.Scheduler.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: &name, GroupName: aws.String(switchGroup)})
		if hasCode(err, "ResourceNotFoundException") {
			return
		}
		if err != nil {
			f.unread("schedule "+name, fmt.Errorf("get schedule %s: %w", name, err))
			return
		}
		l := Leftover{Thing: "schedule " + name, ARN: aws.ToString(out.Arn), Mark: Mark{Run: parts[1], Fault: parts[2]}, Schedule: name,
			ByHand: []string{at.command("scheduler", "delete-schedule", "--name", name)}}
		call := "a call"
		if out.Target != nil {
			call = lastPart(aws.ToString(out.Target.Arn), ":aws-sdk:")
		}
		when := aws.ToString(out.ScheduleExpression)
		fires, err := time.Parse("at(2006-01-02T15:04:05)", when)
		if err != nil {
			l.Schedule, l.Why = "", fmt.Sprintf("it fires at %q, and no schedule of ours does", when)
			f.found(l)
			return
		}
		l.Mark.Until = fires
		l.Finds = fmt.Sprintf("it makes the call %s at %s", call, fires.Format(time.RFC3339))
		f.found(l)
	})
}

func (s *Sweeper) scheduleNames(ctx context.Context) (names []string, err error) {
	in := &scheduler.ListSchedulesInput{GroupName: aws.String(switchGroup), NamePrefix: aws.String("firedrill-")}
	for {
		out, err := s.c.Scheduler.ListSchedules(ctx, in)
		if err != nil {
			return names, fmt.Errorf("list schedules: %w", err)
		}
		for _, one := range out.Schedules {
			names = append(names, aws.ToString(one.Name))
		}
		if aws.ToString(out.NextToken) == "" {
			return names, nil
		}
		in.NextToken = out.NextToken
	}
}

// errForeignSchedule keeps a sweep from deleting what only looks like ours.
var errForeignSchedule = errors.New("its name is not one that firedrill gives")

// dropSchedule deletes a schedule, with whatever else its fault has armed, and reads that it is gone.
func (s *Sweeper) dropSchedule(ctx context.Context, l Leftover) (Outcome, []Item, error) {
	name := l.Schedule
	if scheduleName.FindStringSubmatch(name) == nil {
		return "", nil, fmt.Errorf("delete schedule %s: %w", name, errForeignSchedule)
	}
	if err := NewSwitch(s.c, SwitchOptions{Apart: s.timing.Poll}).Disarm(ctx, l.Mark, []string{name}); err != nil {
		return "", nil, err
	}
	return Restored, nil, nil
}
