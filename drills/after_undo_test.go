package drills_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// undone says that both faults of the stage have been put back.
func (s *stage) undone() bool { return len(s.w.writes) == 4 }

// afterUndo makes every probe read what f says from then on.
func (s *stage) afterUndo(f func() observe.Value) {
	s.w.steady = func() observe.Value {
		if s.undone() {
			return f()
		}
		return observe.OK
	}
}

// again is what the next who plans the drill hears of its last undo.
func (s *stage) again(t *testing.T) *drills.Refusal {
	t.Helper()
	next := *s.plan
	next.Run = runID + "-next"
	return drills.CheckLast(t.Context(), s.store, &next)
}

func (s *stage) pull(t *testing.T, by string, hold time.Duration) {
	t.Helper()
	l := drills.Lever{Environment: "staging", By: by, Why: "an incident", At: s.clock.Now()}
	if hold > 0 {
		l.Until = l.At.Add(hold)
	}
	if err := drills.PullLever(context.Background(), s.store, l); err != nil {
		t.Error(err)
	}
}

// Three good looks in a row, or dirty; whatever the looks between were.
func TestSteadyStateThatFlaps(t *testing.T) {
	s, n := newStage(t), 0
	s.afterUndo(func() observe.Value {
		if n++; n%3 == 0 {
			return observe.Bad
		}
		return observe.OK
	})
	if st, err := s.start(t.Context(), s.engine(1)); err != nil || st.Outcome != "dirty" {
		t.Errorf("outcome %s, err %v after %d looks", st.Outcome, err, n)
	}
}

// Who recovers looks again, and needs to see it: what another process cannot read is not well.
func TestRecoverNeedsToSeeTheSteadyState(t *testing.T) {
	s, after := newStage(t), observe.Bad
	s.afterUndo(func() observe.Value { return after })
	st, err := s.start(t.Context(), s.engine(1))
	if err != nil || !st.Dirty() {
		t.Errorf("outcome %s, err %v", st.Outcome, err)
	}
	for pid, now := range []observe.Value{observe.Unknown, observe.Bad} {
		after = now
		if st, err = s.engine(pid+2).Recover(t.Context(), runID, drills.ReasonRecover, "test"); err != nil || !st.Dirty() {
			t.Errorf("%s: outcome %s, err %v", now, st.Outcome, err)
		}
	}
	e := journal.Event{Kind: journal.RunAcknowledged, At: s.clock.Now(), Fact: journal.Fact{By: "ada", Why: "the probe's host is gone"}}
	if _, _, err := journal.Record(t.Context(), s.store, journal.Position{Run: runID, After: journal.Start}, journal.Batch{Action: "note/1", Events: []journal.Event{e}}); err != nil {
		t.Fatal(err)
	}
	if st, err = s.engine(9).Recover(t.Context(), runID, drills.ReasonRecover, "test"); err != nil || st.Dirty() {
		t.Errorf("a person has looked: outcome %s, err %v", st.Outcome, err)
	}
}

// A look that a signal cuts short says nothing, and without a plan for alarms the steady state still has its time.
func TestSteadyStateIsGivenItsTime(t *testing.T) {
	for name, spoil := range map[string]func(s *stage, cancel context.CancelCauseFunc){
		"interrupted": func(s *stage, cancel context.CancelCauseFunc) {
			s.clock.onWait = func(time.Time) {
				if s.undone() {
					cancel(errors.New("interrupt"))
				}
			}
		},
		"no settle": func(s *stage, _ context.CancelCauseFunc) { s.plan.Settle = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			spoil(s, cancel)
			var since time.Time
			s.afterUndo(func() observe.Value {
				if since.IsZero() {
					since = s.clock.Now()
				}
				if s.clock.Now().Sub(since) < 2*time.Second {
					return observe.Bad
				}
				return observe.OK
			})
			st, err := s.start(ctx, s.engine(1))
			s.check(t, st, err)
			if st.Outcome == "dirty" {
				t.Errorf("dirty: %v", st.Unwell)
			}
		})
	}
}

// A fault that comes later ends no later: mark and switch count from the first.
func TestDelayedFaultEndsWithTheOthers(t *testing.T) {
	s, f := switched(t)
	s.plan.Faults[1].After = 3 * time.Minute
	s.plan.Expect = drills.Expect{Effective: 4 * time.Minute, Mitigate: 270 * time.Second}
	st, err := s.start(t.Context(), s.with(f, 1))
	s.check(t, st, err)
	if until := st.Faults[1].Undo.Mark.Until; until.After(st.Started.Add(st.Plan.Limit)) {
		t.Errorf("the mark ends %s after the limit", until.Sub(st.Started.Add(st.Plan.Limit)))
	}
}

// What is not the undo's own time is none of its time.
func TestNoOverrun(t *testing.T) {
	t.Run("only the switch was stuck", func(t *testing.T) {
		s, f := switched(t)
		s.plan.Faults[0].Undo, s.plan.Faults[1].Undo = 20*time.Second, 20*time.Second
		f.on = stuck
		if st, err := s.start(t.Context(), s.with(f, 1)); err != nil || st.Outcome != "dirty" {
			t.Fatalf("outcome %s, %v", st.Outcome, err)
		}
		f.on = nil
		s.clock.t = s.clock.t.Add(24 * time.Hour)
		st, err := s.with(f, 2).Recover(t.Context(), runID, drills.ReasonRecover, "test")
		if s.check(t, st, err); s.again(t) != nil {
			t.Error(s.again(t))
		}
	})
	t.Run("the other was slow", func(t *testing.T) {
		s := newStage(t)
		s.plan.Faults[0].Undo, s.plan.Faults[1].Undo = 5*time.Minute, time.Minute
		s.w.onWrite = func(_ int, what string) error {
			if strings.HasPrefix(what, "a=before") {
				s.clock.mu.Lock()
				s.clock.t = s.clock.t.Add(100 * time.Second)
				s.clock.mu.Unlock()
			}
			return nil
		}
		st, err := s.start(t.Context(), s.engine(1))
		if s.check(t, st, err); s.again(t) != nil {
			t.Error(s.again(t))
		}
	})
	t.Run("nobody was at it", func(t *testing.T) {
		s := newStage(t)
		s.plan.Faults[0].Undo, s.plan.Faults[1].Undo = 20*time.Second, 20*time.Second
		s.w.onWrite = func(_ int, what string) error {
			if strings.HasPrefix(what, "a=before") {
				return errDies
			}
			return nil
		}
		until(func() { _, _ = s.start(t.Context(), s.engine(1)) })
		s.w.onWrite = nil
		s.clock.t = s.clock.t.Add(10 * time.Minute)
		st, err := s.engine(2).Recover(t.Context(), runID, drills.ReasonRecover, "test")
		if s.check(t, st, err); s.again(t) != nil {
			t.Error(s.again(t))
		}
	})
}

// stuck is a Scheduler that does not delete one fault's switch.
func stuck(_ int, what string) error {
	if strings.HasPrefix(what, "disarm firedrill-01testrun-a") {
		return errors.New("scheduler is down")
	}
	return nil
}

// A fault that reads back as before is not put back by hand: only its switch is deleted.
func TestByHandOfWhatReadsBack(t *testing.T) {
	s, f := switched(t)
	f.on = stuck
	e := s.with(f, 1)
	kind(e, func(k *inject.Kind) {
		k.ByHand = func(u inject.Undo) []string { return []string{"overwrite " + u.Target.ARN} }
	})
	st, _ := s.start(t.Context(), e)
	events := s.events(t)
	byHand := events[len(events)-1].Fact.ByHand
	if st.Outcome != "dirty" || len(byHand) != 1 || !strings.HasPrefix(byHand[0], "aws scheduler delete-schedule --name firedrill-01testrun-a-1") {
		t.Errorf("outcome %s, by hand %q", st.Outcome, byHand)
	}
	f.on, f.log = nil, nil
	kind(e, func(k *inject.Kind) {
		k.Revert = func(context.Context, inject.Undo) (inject.Outcome, error) {
			t.Error("put back again")
			return inject.AlreadyRestored, nil
		}
	})
	next := s.with(f, 2)
	next.Steps.World.Catalog = e.Steps.World.Catalog
	st, err := next.Recover(t.Context(), runID, drills.ReasonRecover, "test")
	s.check(t, st, err)
	f.none(t)
}

// A pull for a minute does not let go what somebody pulled without end.
func TestLongestPullHolds(t *testing.T) {
	s := newStage(t)
	s.pull(t, "ada", 0)
	s.pull(t, "bob", time.Minute)
	l, err := drills.ReadLever(t.Context(), s.store, "staging", s.clock.Now().Add(time.Hour))
	if err != nil || !l.Pulled || l.By != "ada" {
		t.Errorf("%v, %v", l, err)
	}
}

// The lever counts at every moment of a run: before its first fault, and while it waits for all to be calm.
func TestLeverAtAnyMoment(t *testing.T) {
	t.Run("before a delayed first fault", func(t *testing.T) {
		s := newStage(t)
		s.plan.Faults[0].After = 10 * time.Minute
		var pulled time.Time
		s.clock.onWait = func(now time.Time) {
			if pulled.IsZero() {
				pulled = now
				s.pull(t, "ada", 5*time.Minute)
			}
		}
		st, err := s.start(t.Context(), s.engine(1))
		s.check(t, st, err)
		if took := s.clock.Now().Sub(pulled); took > 2*time.Second || len(s.w.writes) > 0 || st.Stop.Reason != drills.ReasonLever {
			t.Errorf("ended %s after the pull, %v, wrote %v", took, st.Stop, s.w.writes)
		}
	})
	t.Run("while it calms down", func(t *testing.T) {
		s := newStage(t)
		s.plan.Settle = 10 * time.Minute
		var pulled time.Time
		s.afterUndo(func() observe.Value {
			if pulled.IsZero() {
				pulled = s.clock.Now()
				s.pull(t, "ada", 0)
			}
			return observe.Unknown
		})
		st, err := s.start(t.Context(), s.engine(1))
		s.check(t, st, err)
		if took := s.clock.Now().Sub(pulled); took > 2*time.Second || slices.Contains([]string{"aborted", "dirty"}, st.Outcome) {
			t.Errorf("ended %s after the pull: %s", took, st.Outcome)
		}
	})
}
