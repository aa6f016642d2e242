package aws

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// scheduler is EventBridge Scheduler: schedules that happen once, in the default group, with universal targets.
// It has a clock of its own that can be moved ahead.
type scheduler struct {
	deps
	mu       sync.Mutex
	ahead    time.Duration        // of its clock before the sandbox's
	list     map[string]*schedule // by name
	tokens   map[string]scheduleInput
	late     []*invocation // that failed, and are tried again
	firing   sync.Mutex    // one at a time fires
	wait     sync.WaitGroup
	finished bool
}

// schedule is one schedule.
type schedule struct {
	scheduleInput
	at             time.Time // when it is due
	made, modified time.Time
}

func newScheduler(d deps) *scheduler {
	return &scheduler{deps: d, list: map[string]*schedule{}, tokens: map[string]scheduleInput{}}
}

func (*scheduler) id() string { return "scheduler" }

// config lists the schedules there are; nil is none.
func (s *scheduler) config() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) == 0 {
		return nil
	}
	all := map[string]any{}
	for name, one := range s.list {
		in := one.scheduleInput
		in.ClientToken = ""
		all[name] = in
	}
	return all
}

func (s *scheduler) operations() map[string]operation {
	named := func(in *scheduleName) string { return in.Name }
	said := func(in *scheduleInput) string { return in.Name }
	return map[string]operation{
		"CreateSchedule": on(true, said, s.create),
		"UpdateSchedule": on(true, said, s.update),
		"DeleteSchedule": on(true, named, s.delete),
		"GetSchedule":    on(false, named, s.get),
		"ListSchedules":  on(false, func(in *schedulesInput) string { return in.NamePrefix }, s.schedules),
	}
}

// create makes a schedule. The same token with the same content is answered as the first time, and does nothing more,
// even when the schedule is gone since.
func (s *scheduler) create(_ context.Context, _ caller, in *scheduleInput) (*scheduleMade, error) {
	at, err := s.check(in)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, ok := s.tokens[in.ClientToken]; ok && in.ClientToken != "" && before.Name == in.Name {
		if reflect.DeepEqual(before, *in) {
			return &scheduleMade{s.arnOf(in.Name)}, nil
		}
		return nil, scheduleError("ConflictException", "ClientToken %s was used with other parameters.", in.ClientToken)
	}
	if s.list[in.Name] != nil {
		return nil, scheduleError("ConflictException", "Schedule %s already exists.", in.Name)
	}
	if len(s.list) >= s.options.Schedules {
		return nil, scheduleError("ServiceQuotaExceededException", "You have reached the limit of %d schedules.", s.options.Schedules)
	}
	now := s.clock()
	s.list[in.Name] = &schedule{scheduleInput: *in, at: at, made: now, modified: now}
	if in.ClientToken != "" {
		s.tokens[in.ClientToken] = *in
	}
	return &scheduleMade{s.arnOf(in.Name)}, nil
}

// update replaces a schedule as a whole: what a request leaves out is as if it had never been said.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html
func (s *scheduler) update(_ context.Context, _ caller, in *scheduleInput) (*scheduleMade, error) {
	at, err := s.check(in)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.list[in.Name]
	if one == nil {
		return nil, noSchedule(in.Name)
	}
	one.scheduleInput, one.at, one.modified = *in, at, s.clock()
	return &scheduleMade{s.arnOf(in.Name)}, nil
}

func (s *scheduler) delete(_ context.Context, _ caller, in *scheduleName) (*empty, error) {
	if err := checkGroup(in.GroupName); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.list[in.Name] == nil {
		return nil, noSchedule(in.Name)
	}
	delete(s.list, in.Name)
	return &empty{}, nil
}

func (s *scheduler) get(_ context.Context, _ caller, in *scheduleName) (*scheduleOutput, error) {
	if err := checkGroup(in.GroupName); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.list[in.Name]
	if one == nil {
		return nil, noSchedule(in.Name)
	}
	return &scheduleOutput{Arn: s.arnOf(one.Name), Name: one.Name, GroupName: one.GroupName, ScheduleExpression: one.ScheduleExpression,
		ScheduleExpressionTimezone: one.ScheduleExpressionTimezone, FlexibleTimeWindow: one.FlexibleTimeWindow, Target: one.Target,
		ActionAfterCompletion: one.ActionAfterCompletion, State: one.State, Description: one.Description,
		CreationDate: one.made, LastModificationDate: one.modified}, nil
}

// schedules lists at most MaxResults (100) schedules in the order of their names; the next token is the last name told.
func (s *scheduler) schedules(_ context.Context, _ caller, in *schedulesInput) (*schedulesOutput, error) {
	if err := checkGroup(in.GroupName); err != nil {
		return nil, err
	}
	most := 100
	if in.MaxResults != nil {
		most = *in.MaxResults
	}
	if most < 1 || most > 100 {
		return nil, scheduleError("ValidationException", "MaxResults must be from 1 to 100, not %d.", most)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name, one := range s.list {
		if strings.HasPrefix(name, in.NamePrefix) && name > in.NextToken && (in.State == "" || in.State == one.State) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	out := &schedulesOutput{Schedules: []scheduleSummary{}}
	if len(names) > most {
		names = names[:most]
		out.NextToken = names[most-1]
	}
	for _, name := range names {
		one := s.list[name]
		out.Schedules = append(out.Schedules, scheduleSummary{Arn: s.arnOf(name), Name: name, GroupName: one.GroupName, State: one.State,
			CreationDate: one.made, LastModificationDate: one.modified, Target: scheduleTargetName{one.Target.Arn}})
	}
	return out, nil
}

func (s *scheduler) arnOf(name string) string { return s.arn("scheduler", "schedule/default/"+name) }

func noSchedule(name string) error {
	return scheduleError("ResourceNotFoundException", "Schedule %s does not exist.", name)
}

// scheduleError is a refusal with the status that Scheduler gives its code.
func scheduleError(code, format string, args ...any) *apiError {
	status := map[string]int{"ConflictException": http.StatusConflict, "ResourceNotFoundException": http.StatusNotFound,
		"ServiceQuotaExceededException": http.StatusPaymentRequired}[code]
	return &apiError{Code: code, Message: fmt.Sprintf(format, args...), Status: status}
}
