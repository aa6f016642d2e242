package inject

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
)

// Disarm deletes every schedule named, and every other of the mark, then reads that none is there: neither by name nor
// in the listing, in two looks apart. Each gets its try, whatever became of the one before.
func (s *schedules) Disarm(ctx context.Context, m Mark, names []string) error {
	names = slices.Clone(names)
	var errs []error
	for _, name := range names {
		errs = append(errs, s.delete(ctx, name))
	}
	strays, err := s.standing(ctx, m)
	errs = append(errs, err)
	for _, name := range strays {
		if slices.Contains(names, name) {
			continue // a listing that is behind, or a delete that failed: the looks below will tell
		}
		names = append(names, name)
		errs = append(errs, s.delete(ctx, name))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return s.awaitGone(ctx, m, names)
}

// delete deletes one schedule, and asks once; one that is not there is no error.
func (s *schedules) delete(ctx context.Context, name string) error {
	_, err := s.api.DeleteSchedule(ctx, &scheduler.DeleteScheduleInput{Name: &name, GroupName: aws.String(switchGroup)}, onceScheduler)
	if err != nil && !hasCode(err, "ResourceNotFoundException") {
		return fmt.Errorf("delete schedule %s: %w", name, err)
	}
	return nil
}

// standing lists the schedules that carry a mark's name: what follows it is a number, else it is another fault's.
func (s *schedules) standing(ctx context.Context, m Mark) ([]string, error) {
	var names []string
	prefix := schedulePrefix(m)
	pages := scheduler.NewListSchedulesPaginator(lister{s.api}, &scheduler.ListSchedulesInput{GroupName: aws.String(switchGroup), NamePrefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return names, fmt.Errorf("list schedules %s*: %w", prefix, err)
		}
		for _, one := range page.Schedules {
			name := aws.ToString(one.Name)
			if n := strings.TrimPrefix(name, prefix); n != "" && strings.Trim(n, "0123456789") == "" {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// awaitGone looks until two looks in a row find nothing. One that is still told after a while was not deleted.
func (s *schedules) awaitGone(ctx context.Context, m Mark, names []string) error {
	left := ""
	for look, clean := 0, 0; look < switchLooks; look++ {
		if look > 0 {
			if err := pause(ctx, s.o.Apart); err != nil {
				return fmt.Errorf("wait for schedules of %s to go: %w", m.name(), err)
			}
		}
		found, err := s.found(ctx, m, names)
		if err != nil {
			return err
		}
		if found != "" {
			left, clean = found, 0
			continue
		}
		if clean++; clean == 2 {
			return nil
		}
	}
	return fmt.Errorf("schedule %s is still there after it was deleted", left)
}

// found names a schedule that is still told; empty is none.
func (s *schedules) found(ctx context.Context, m Mark, names []string) (string, error) {
	for _, name := range names {
		if got, err := s.get(ctx, name); got != nil || err != nil {
			return name, err
		}
	}
	listed, err := s.standing(ctx, m)
	if len(listed) > 0 {
		return listed[0], err
	}
	return "", err
}
