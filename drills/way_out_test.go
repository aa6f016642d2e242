package drills_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// at runs f in the n-th look at b's identity, from 1: the guard's, prepare's and apply's are the first three.
func (s *stage) atLook(e *drills.Engine, n int, f func()) {
	looks := 0
	kind(e, func(k *inject.Kind) {
		inner := k.Identity
		k.Identity = func(ctx context.Context, t inject.Target) (string, map[string]string, error) {
			if t.ARN == "arn:b" {
				if looks++; looks == n {
					f()
				}
			}
			return inner(ctx, t)
		}
	})
}

// The limit passes while the guard looks at the target: what is not in place by then never is.
func TestNothingGoesInAfterTheLimit(t *testing.T) {
	for n, look := range map[int]string{2: "prepare", 3: "apply"} {
		t.Run(look, func(t *testing.T) {
			s := newStage(t)
			e := s.engine(1)
			s.atLook(e, n, func() { _ = s.clock.Wait(context.Background(), s.plan.Limit) })
			st, err := s.start(context.Background(), e)
			s.check(t, st, err)
			if fmt.Sprint(s.w.writes) != "[a=broken a=before-a]" {
				t.Errorf("writes %v", s.w.writes)
			}
		})
	}
}

// A fault that is still to come when the hold ends never goes in.
func TestSecondFaultNeverGoesInAfterTheHold(t *testing.T) {
	s := newStage(t)
	s.plan.Faults[1].After = 2 * time.Minute
	st, err := s.start(context.Background(), s.engine(1))
	s.check(t, st, err)
	if fmt.Sprint(s.w.writes) != "[a=broken a=before-a]" {
		t.Errorf("writes %v", s.w.writes)
	}
	if ended := first(st, journal.FaultReverted, "a").At.Sub(st.Started); ended > time.Minute {
		t.Errorf("a was held for %s, waiting for b", ended)
	}
}

// The first fault's delay counts from the plan; the checks come behind it, right before the first change, and the limit
// does not run meanwhile.
func TestFirstFaultWaitsForItsTurn(t *testing.T) {
	s := newStage(t)
	s.plan.Faults[0].After = 10 * time.Minute // more than the limit
	st, err := s.start(context.Background(), s.engine(1))
	s.check(t, st, err)
	checked := first(st, journal.GuardPassed, "").At
	if after := checked.Sub(st.PlannedAt); after < 10*time.Minute || after > 10*time.Minute+2*time.Second {
		t.Errorf("checked after %s", after)
	}
	if late := first(st, journal.FaultPrepared, "a").At.Sub(checked); late > 2*time.Second {
		t.Errorf("a went in %s after the checks", late)
	}
	if len(s.w.writes) != 4 {
		t.Errorf("writes %v", s.w.writes)
	}
}

// A signal makes every question fail: that is no refusal, and nothing was changed.
func TestSignalOnTheWayInIsNoRefusal(t *testing.T) {
	for _, where := range []string{"guard", "steady", "prepare", "apply"} {
		t.Run(where, func(t *testing.T) {
			s := newStage(t)
			e := s.engine(1)
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			signal := func() { cancel(errors.New("hangup")) }
			switch where {
			case "guard":
				e.Steps.World.Caller = func(ctx context.Context) (drills.Caller, error) {
					signal()
					return drills.Caller{}, ctx.Err()
				}
			case "steady":
				s.w.steady = func() observe.Value { signal(); return observe.Unknown }
				e = s.engine(1)
			case "prepare", "apply":
				last := map[string]int{"prepare": 3, "apply": 4}[where] // both faults' looks by the guard come first
				kind(e, func(k *inject.Kind) {
					inner := k.Identity
					looks := 0
					k.Identity = func(ctx context.Context, t inject.Target) (string, map[string]string, error) {
						if looks++; looks == last {
							signal()
						}
						if err := ctx.Err(); err != nil {
							return "", nil, err
						}
						return inner(ctx, t)
					}
				})
			}
			st, err := s.start(ctx, e)
			s.check(t, st, err)
			if st.Outcome != "interrupted" || len(s.w.writes) > 0 || !first(st, journal.GuardRefused, "").At.IsZero() {
				t.Errorf("outcome %s, writes %v, events %v", st.Outcome, s.w.writes, kinds(st.Events))
			}
			if st.Stop == nil || st.Stop.Why != "hangup" {
				t.Errorf("stop %+v", st.Stop)
			}
		})
	}
}

// takingStore is interrupted at the moment it gives out a run's lease.
type takingStore struct {
	*journal.Memory
	then func()
}

func (s takingStore) Take(ctx context.Context, name, run string, h journal.Holder, ttl time.Duration, now time.Time) (journal.Lease, error) {
	l, err := s.Memory.Take(ctx, name, run, h, ttl, now)
	if name == journal.RunLease(run) {
		s.then()
	}
	return l, err
}

// A signal right at the beginning, or at a takeover, is an interrupted run, and no lost journal.
func TestSignalAtTheTakeoverLosesNoJournal(t *testing.T) {
	for _, how := range []string{"start", "resume", "recover"} {
		t.Run(how, func(t *testing.T) {
			s := newStage(t)
			if how != "start" {
				s.dies(t, "b=broken", 1, s.engine(1))
				s.clock.t = s.clock.t.Add(time.Minute)
			}
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			e := s.engine(2)
			e.Store = takingStore{s.store, func() { cancel(errors.New("interrupt")) }}
			var st *drills.State
			var err error
			switch how {
			case "start":
				st, err = s.start(ctx, e)
			case "resume":
				st, err = e.Resume(ctx, runID)
			case "recover":
				st, err = e.Recover(ctx, runID, drills.ReasonRecover, "test")
			}
			s.check(t, st, err)
			if how != "recover" && st != nil && st.Outcome != "interrupted" {
				t.Errorf("outcome %s", st.Outcome)
			}
			if held, _ := s.store.Held(context.Background(), ""); len(held) > 0 {
				t.Errorf("leases are left: %v", held)
			}
		})
	}
}

// The engine dies while its change is on the way, and the change lands late: after the next engine's own change, or
// after its first undo. Whoever takes over looks again until none can land any more.
func TestLateChangeOfADeadEngineIsFound(t *testing.T) {
	for _, how := range []string{"resume", "recover"} {
		for _, late := range []time.Duration{3 * time.Second, 9 * time.Second} {
			t.Run(fmt.Sprint(how, " ", late), func(t *testing.T) {
				s := newStage(t)
				s.plan.Expect = drills.Expect{Effective: time.Second, Mitigate: time.Second}
				dead := false
				s.w.onWrite = func(_ int, what string) error {
					if what == "b=broken" {
						dead = true
						runtime.Goexit() // not made yet
					}
					return nil
				}
				e := s.engine(1)
				e.Store = dyingStore{s.store, &dead}
				if !until(func() { _, _ = s.start(context.Background(), e) }) {
					t.Fatal("it did not die")
				}
				s.w.onWrite = nil
				s.clock.t = s.clock.t.Add(time.Minute)
				taken, undone, landed := s.clock.t, 0, 0
				s.clock.onWait = func(now time.Time) {
					if now.Sub(taken) >= late && landed == 0 {
						s.w.mu.Lock()
						s.w.values["b"], landed = "broken", 1
						undone = len(s.w.writes)
						s.w.mu.Unlock()
					}
				}
				var st *drills.State
				var err error
				if how == "resume" {
					st, err = s.engine(2).Resume(context.Background(), runID)
				} else {
					st, err = s.engine(2).Recover(context.Background(), runID, drills.ReasonRecover, "test")
				}
				s.check(t, st, err)
				if landed == 0 || (late > 5*time.Second && undone == 0) {
					t.Errorf("the late change did not come after the first undo: %v", s.w.writes)
				}
			})
		}
	}
}

// A change that does not answer ends with a signal; it may land all the same, and is looked for until it cannot.
func TestSignalDuringAChangeThatHangs(t *testing.T) {
	s := newStage(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	e := s.engine(1)
	kind(e, func(k *inject.Kind) {
		inner := k.New
		k.New = func(p json.RawMessage) (inject.Fault, error) {
			f, err := inner(p)
			return hangingApply{f.(setting), func() { cancel(errors.New("interrupt")) }}, err
		}
	})
	var failed time.Time
	landed := false
	s.clock.onWait = func(now time.Time) {
		if failed.IsZero() {
			failed = now
		}
		if !landed && now.Sub(failed) >= 5*time.Second {
			s.w.mu.Lock()
			s.w.values["a"], landed = "broken", true
			s.w.mu.Unlock()
		}
	}
	ends(t, func() {
		st, err := s.start(ctx, e)
		s.check(t, st, err)
		told := false
		for _, x := range st.Events {
			told = told || x.Kind == journal.AbortRequested && x.Fact.Reason == drills.ReasonInterrupted
		}
		if !landed || !told || strings.Contains(fmt.Sprint(s.w.writes), "b=broken") {
			t.Errorf("landed %v, interrupted %v, writes %v", landed, told, s.w.writes)
		}
	})
}

type hangingApply struct {
	setting
	begun func()
}

func (f hangingApply) Apply(ctx context.Context, _ inject.Undo) error {
	f.begun()
	<-ctx.Done()
	return ctx.Err()
}

// After a signal the waits of the way out are waits: an undo that fails is tried at its back-off, not in a spin.
func TestWaitsAfterASignalAreWaits(t *testing.T) {
	s := newStage(t)
	s.refuseUndo("b")
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	waits := 0
	s.clock.onWait = func(time.Time) {
		waits++
		if s.w.get("b") == "broken" {
			cancel(errors.New("interrupt"))
		}
	}
	st, err := s.start(ctx, s.engine(1))
	if err != nil || fmt.Sprint(st.InPlace()) != "[b]" {
		t.Fatalf("in place %v, err %v", st.InPlace(), err)
	}
	var tries []time.Time
	for _, e := range st.Events {
		if e.Kind == journal.FaultRevertFailed {
			tries = append(tries, e.At)
		}
	}
	if len(tries) < 6 || len(tries) > 12 || waits > 300 || tries[len(tries)-1].Sub(tries[0]) < s.plan.Patience {
		t.Errorf("%d tries, %d waits, patience %s", len(tries), waits, s.plan.Patience)
	}
}

// Somebody aborts while the run waits for alarms to calm down: it ends at once.
func TestAbortWhileCalmingIsSeen(t *testing.T) {
	s := newStage(t)
	s.plan.Settle = 10 * time.Minute
	var sent time.Time
	done := func() bool {
		events := s.events(t)
		return events[len(events)-1].Kind == journal.FaultSettled && s.w.asBefore()
	}
	s.w.steady = func() observe.Value {
		if len(s.w.writes) == 4 {
			return observe.Bad
		}
		return observe.OK
	}
	s.clock.onWait = func(now time.Time) {
		if sent.IsZero() && len(s.w.writes) == 4 && done() {
			sent = now
			s.outsider(t, journal.AbortRequested, journal.Fact{Reason: drills.ReasonAbort})
		}
	}
	st, err := s.start(context.Background(), s.engine(1))
	s.check(t, st, err)
	if took := s.clock.Now().Sub(sent); sent.IsZero() || took > 2*time.Second {
		t.Errorf("seen after %s", took)
	}
}

// A kind that answers for many things is asked for its account, and what became of each is on record.
func TestAccountStandsInTheRecord(t *testing.T) {
	s := newStage(t)
	e := s.engine(1)
	kind(e, func(k *inject.Kind) {
		inner, tries := k.Revert, 0
		k.Revert = func(context.Context, inject.Undo) (inject.Outcome, error) {
			return "", errors.New("asked without its account")
		}
		k.Account = func(ctx context.Context, u inject.Undo) (inject.Outcome, []inject.Item, error) {
			items := []inject.Item{{Name: "message 1 of 2", End: inject.Swept, Copies: 2}, {Name: "message 2 of 2", End: inject.Gone, Why: "digested"}}
			if tries++; tries == 1 {
				items[1].End = inject.Unaccounted
				return "", items, errors.New("not all are found")
			}
			how, err := inner(ctx, u)
			return how, items, err
		}
	})
	st, err := s.start(context.Background(), e)
	s.check(t, st, err)
	if f := first(st, journal.FaultRevertFailed, "b").Fact.Facts; f["message 2 of 2"] != "unaccounted: digested" {
		t.Errorf("the failed try says %v", f)
	}
	if f := first(st, journal.FaultReverted, "b").Fact.Facts; len(f) != 2 || f["message 1 of 2"] != "swept, 2 copies" || f["message 2 of 2"] != "gone: digested" {
		t.Errorf("the undo says %v", f)
	}
}
