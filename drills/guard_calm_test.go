package drills_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/observe"
)

func (f moving) Calm(context.Context, inject.Target) (inject.Unrest, error) {
	return f.s.unrest, f.s.blind
}

// told is an account's trail.
type told struct {
	changes []observe.Change
	err     error
	asked   []string
}

func (l *told) Changes(_ context.Context, targets []string, from, to time.Time) (found []observe.Change, err error) {
	l.asked = targets
	for _, c := range l.changes {
		if !c.At.Before(from) && !c.At.After(to) && slices.Contains(targets, c.Target) {
			found = append(found, c)
		}
	}
	return found, l.err
}

// What is being changed, or was a moment ago, is not drilled now; the refusal says until when.
func TestADeployIsNotNow(t *testing.T) {
	const group = "arn:aws:elasticloadbalancing:eu-west-1:" + account + ":targetgroup/orders-api/1"
	ago := func(s *scene, d time.Duration) time.Time { return s.clock.Now().Add(-d) }
	by := func(s *scene, how, event, target string, failed bool) {
		s.trail = &told{changes: []observe.Change{{At: ago(s, time.Minute), By: "anna", How: how, Event: event, Target: target, Failed: failed}}}
	}
	for name, x := range map[string]struct {
		spoil func(*scene)
		words []string
		next  time.Duration // from now; zero: it may run
	}{
		"draining": {func(s *scene) {
			s.unrest.Moves = []inject.Motion{{What: "target group orders-api: 2 of its targets are draining"}}
		}, []string{"orders-api: 2 of its targets are draining", "--wait"}, 5 * time.Minute},
		"changed a moment ago": {func(s *scene) {
			s.unrest.Moves = []inject.Motion{{What: "capacity of table orders was lowered", At: ago(s, 4*time.Minute)},
				{What: "capacity of table orders was raised", At: ago(s, time.Minute)}, {What: "table orders was made", At: ago(s, time.Hour)}}
		}, []string{"raised at 09:59:00 UTC", "lowered at 09:56:00 UTC"}, 4 * time.Minute},
		"changed long ago": {func(s *scene) { s.unrest.Moves = []inject.Motion{{What: "raised", At: ago(s, 5*time.Minute)}} }, nil, 0},
		"somebody's call":  {func(s *scene) { by(s, observe.ByPerson, "UpdateTable", tableARN, false) }, []string{"anna called UpdateTable on " + tableARN}, 4 * time.Minute},
		"around the target": {func(s *scene) {
			s.unrest.Around = []string{group}
			by(s, observe.ByDeploy, "RegisterTargets", group, false)
		}, []string{"RegisterTargets on " + group}, 4 * time.Minute},
		"our own call":       {func(s *scene) { by(s, observe.ByFiredrill, "UpdateTable", tableARN, false) }, nil, 0},
		"a call that failed": {func(s *scene) { by(s, observe.ByPerson, "UpdateTable", tableARN, true) }, nil, 0},
		"a tag":              {func(s *scene) { by(s, observe.ByPerson, "TagResource", tableARN, false) }, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			x.spoil(s)
			v, err := s.plan()
			if x.next == 0 {
				if err != nil || len(v.Plan.Faults) != 1 {
					t.Fatalf("it may run, and does not: %v", err)
				}
				return
			}
			refusedBy(t, err, "deploy", true, x.words...)
			var no *drills.Refusal
			if errors.As(err, &no); !no.Next.Equal(s.clock.Now().Add(x.next)) {
				t.Errorf("next at %s, now is %s", no.Next, s.clock.Now())
			}
			s.untouched(t)
		})
	}
}

// A look that may not be taken is told, and keeps nobody from drilling; one that fails does.
func TestWhatMayNotBeLookedAtIsTold(t *testing.T) {
	s := newScene(t)
	s.unrest.Unseen = []string{"health of target group orders-api: AccessDenied"}
	s.trail = &told{err: fmt.Errorf("%w: AccessDeniedException", observe.ErrTrailUnread)}
	v, err := s.plan()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"could not be looked at: health of target group orders-api: AccessDenied", "could not be looked at in CloudTrail: CloudTrail may not be read"} {
		if !slices.ContainsFunc(v.Warn, func(w string) bool { return strings.Contains(w, want) }) {
			t.Errorf("nobody says %q: %q", want, v.Warn)
		}
	}
	s.blind = errors.New("connection reset")
	_, err = s.plan()
	refusedBy(t, err, "deploy", false, "is being changed is unknown: connection reset")
	s.untouched(t)
}

// The look is taken again right before the first change: who deploys between plan and run is not drilled upon.
func TestADeployThatBeganSinceThePlan(t *testing.T) {
	s := newScene(t)
	v, err := s.plan()
	if err != nil {
		t.Fatal(err)
	}
	s.unrest.Moves = []inject.Motion{{What: "table orders is UPDATING"}}
	st := s.run(t, v.Plan, v.Brief)
	if f := refusalOf(st); f.Reason != "deploy" || f.Facts["when"] != "later" || f.Facts["next"] == "" || !strings.Contains(f.Why, "UPDATING") {
		t.Errorf("%+v", f)
	}
	s.untouched(t)
}
