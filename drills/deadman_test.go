package drills_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
)

// fakeSwitch keeps schedules by name; on is asked before each call and may refuse, or die after it.
type fakeSwitch struct {
	w    *world
	list map[string]inject.Schedule
	log  []string
	on   func(n int, what string) error
}

func (f *fakeSwitch) call(ctx context.Context, what string, do func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.log = append(f.log, fmt.Sprintf("%s while a=%s", what, f.w.get("a")))
	var err error
	if f.on != nil {
		err = f.on(len(f.log)-1, what)
	}
	if err == nil || errors.Is(err, errDies) {
		do()
	}
	if errors.Is(err, errDies) {
		runtime.Goexit()
	}
	return err
}

func (f *fakeSwitch) Arm(ctx context.Context, list []inject.Schedule) error {
	return f.call(ctx, "arm "+list[0].Name, func() {
		for _, x := range list {
			f.list[x.Name] = x
		}
	})
}

func (f *fakeSwitch) Disarm(ctx context.Context, m inject.Mark, names []string) error {
	return f.call(ctx, "disarm "+strings.Join(names, " "), func() {
		for name := range f.list {
			if slices.Contains(names, name) || strings.HasPrefix(name, inject.ScheduleName(m, 0)[:len(inject.ScheduleName(m, 0))-1]) {
				delete(f.list, name)
			}
		}
	})
}

// switched is a stage whose two faults have a dead-man's switch.
func switched(t *testing.T) (*stage, *fakeSwitch) {
	s := newStage(t)
	s.plan.Deadman = &drills.PlannedSwitch{Role: "arn:aws:iam::111122223333:role/deadman", Wait: 3 * time.Minute}
	for i := range s.plan.Faults {
		s.plan.Faults[i].Switch = true
	}
	return s, &fakeSwitch{w: s.w, list: map[string]inject.Schedule{}}
}

func (s *stage) with(f *fakeSwitch, pid int) *drills.Engine {
	e := s.engine(pid)
	e.Steps.World.Switch = f
	return e
}

func (f *fakeSwitch) none(t *testing.T) {
	t.Helper()
	if len(f.list) > 0 {
		t.Errorf("still armed: %v", slices.Collect(maps.Keys(f.list)))
	}
}

func TestSwitchStandsWhileTheFaultMay(t *testing.T) {
	s, f := switched(t)
	st, err := s.start(t.Context(), s.with(f, 1))
	s.check(t, st, err)
	f.none(t)
	want := []string{
		"arm firedrill-01testrun-a-1 while a=before-a", "arm firedrill-01testrun-b-1 while a=broken",
		"disarm firedrill-01testrun-b-1 while a=before-a", "disarm firedrill-01testrun-a-1 while a=before-a",
	}
	slices.Sort(f.log[2:]) // which of the two goes first does not matter
	slices.Sort(want[2:])
	if !slices.Equal(f.log, want) {
		t.Errorf("%q, want %q", f.log, want)
	}
	for _, e := range s.events(t) {
		if e.Kind == journal.DeadmanArmed && (len(e.Fact.Schedules) != 1 || !strings.Contains(e.Fact.Schedules[0], "-1 at 2026-03-02T10:08:00Z: settings set")) {
			t.Errorf("armed %q, want the whole minute after limit and wait", e.Fact.Schedules)
		}
	}
}

func TestNoSwitchNoFault(t *testing.T) {
	for name, definite := range map[string]bool{"the service says no": true, "no answer": false} {
		t.Run(name, func(t *testing.T) {
			s, f := switched(t)
			f.on = func(n int, _ string) error {
				if n > 0 {
					return nil
				}
				if definite {
					return &inject.Definite{Err: errors.New("no such role")}
				}
				return errors.New("time-out")
			}
			st, err := s.start(t.Context(), s.with(f, 1))
			s.check(t, st, err)
			f.none(t)
			if len(s.w.writes) > 0 || st.Outcome != "failed" {
				t.Errorf("wrote %v, outcome %s", s.w.writes, st.Outcome)
			}
		})
	}
}

// Whatever the process was about when it died, recover puts back and leaves no switch behind.
func TestDeathAroundTheSwitch(t *testing.T) {
	for n := range 4 {
		t.Run(fmt.Sprintf("at call %d", n), func(t *testing.T) {
			s, f := switched(t)
			f.on = func(i int, _ string) error {
				if i == n {
					return errDies
				}
				return nil
			}
			until(func() { _, _ = s.start(t.Context(), s.with(f, 1)) })
			s.clock.t = s.clock.t.Add(time.Minute)
			f.on = nil
			st, err := s.with(f, 2).Recover(t.Context(), runID, drills.ReasonRecover, "test")
			s.check(t, st, err)
			f.none(t)
		})
	}
}

// A switch that cannot be deleted would one day overwrite a responder's work: that is dirty, and the next recover
// tries again.
func TestSwitchThatStays(t *testing.T) {
	s, f := switched(t)
	f.on = func(_ int, what string) error {
		if strings.HasPrefix(what, "disarm firedrill-01testrun-a") {
			return errors.New("scheduler is down")
		}
		return nil
	}
	st, err := s.start(t.Context(), s.with(f, 1))
	if err != nil || st.Outcome != "dirty" || !slices.Equal(st.InPlace(), []string{"a"}) {
		t.Fatalf("err %v, outcome %s, in place %v", err, st.Outcome, st.InPlace())
	}
	if !s.w.asBefore() {
		t.Errorf("the world is %v", s.w.values)
	}
	last := s.events(t)[len(s.events(t))-1]
	if text := strings.Join(last.Fact.ByHand, "\n"); !strings.Contains(text, "aws scheduler delete-schedule --name firedrill-01testrun-a-1") {
		t.Errorf("by hand: %s", text)
	}
	f.on = nil
	st, err = s.with(f, 2).Recover(t.Context(), runID, drills.ReasonRecover, "test")
	s.check(t, st, err)
	f.none(t)
}

func TestPullAndRelease(t *testing.T) {
	s := newStage(t)
	ctx := t.Context()
	read := func() drills.Lever {
		l, err := drills.ReadLever(ctx, s.store, "staging", s.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	pull := drills.Lever{Environment: "staging", By: "ada", Why: "a customer demo", At: s.clock.Now(), Until: s.clock.Now().Add(2 * time.Hour)}
	if read().Pulled {
		t.Error("pulled before anybody pulled it")
	}
	if err := drills.PullLever(ctx, s.store, pull); err != nil {
		t.Fatal(err)
	}
	if l := read(); !l.Pulled || l.By != "ada" || l.Why != "a customer demo" || !l.Until.Equal(pull.Until) {
		t.Errorf("pulled: %+v", l)
	}
	if l, _ := drills.ReadLever(ctx, s.store, "staging", pull.Until); l.Pulled {
		t.Error("pulled beyond its time")
	}
	st, err := s.start(ctx, s.engine(1))
	if err != nil || st.Outcome != "refused" || len(s.w.writes) > 0 {
		t.Errorf("a run under the lever: err %v, outcome %s, wrote %v", err, st.Outcome, s.w.writes)
	}
	pull.At = s.clock.Now()
	if err := drills.ReleaseLever(ctx, s.store, pull); err != nil || read().Pulled {
		t.Errorf("released: err %v, %+v", err, read())
	}
}

// A lever that is pulled while a fault is in place ends the run within a look.
func TestLeverEndsARun(t *testing.T) {
	s := newStage(t)
	var pulled time.Time
	s.clock.onWait = func(now time.Time) {
		if s.w.get("b") == "broken" && pulled.IsZero() {
			pulled = now
			if err := drills.PullLever(context.Background(), s.store, drills.Lever{Environment: "staging", By: "ada", Why: "stop", At: now}); err != nil {
				t.Error(err)
			}
		}
	}
	st, err := s.start(t.Context(), s.engine(1))
	s.check(t, st, err)
	if st.Stop == nil || st.Stop.Reason != drills.ReasonLever || !strings.Contains(st.Stop.Why, "pulled by ada") {
		t.Fatalf("stop %+v", st.Stop)
	}
	if late := st.Stop.At.Sub(pulled); late > time.Second {
		t.Errorf("seen %s late", late)
	}
}

// AWS FIS's lever counts like ours.
func TestLeverOfFIS(t *testing.T) {
	s := newStage(t)
	e := s.engine(1)
	looks := 0
	e.Steps.World.Lever = func(context.Context) (bool, string, error) {
		looks++
		return s.w.get("b") == "broken", "an incident", nil
	}
	st, err := s.start(t.Context(), e)
	s.check(t, st, err)
	if st.Stop == nil || st.Stop.Reason != drills.ReasonLever || looks < 2 {
		t.Errorf("stop %+v after %d looks", st.Stop, looks)
	}
}
