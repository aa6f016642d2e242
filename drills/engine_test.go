package drills_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

func kinds(events []journal.Event) (out []journal.Kind) {
	for _, e := range events {
		if e.Kind != journal.ProbeRead && e.Kind != journal.EffectRead {
			out = append(out, e.Kind)
		}
	}
	return out
}

func TestRunPutsBack(t *testing.T) {
	s := newStage(t)
	st, err := s.start(context.Background(), s.engine(1))
	s.check(t, st, err)
	want := "[run.planned guard.passed steady.read fault.prepared fault.applied fault.prepared fault.applied" +
		" fault.effective fault.effective fault.reverted fault.reverted fault.settled fault.settled steady.read run.finished]"
	var inOut []journal.Kind
	for _, k := range kinds(s.events(t)) {
		if k != journal.PageSent {
			inOut = append(inOut, k)
		}
	}
	if got := fmt.Sprint(inOut); got != want {
		t.Errorf("events\n got %s\nwant %s", got, want)
	}
	if held, _ := s.store.Held(context.Background(), ""); len(held) > 0 {
		t.Errorf("leases are left: %v", held)
	}
}

// Every prefix of a run's journal is a place where the process may have died.
func TestEveryPrefix(t *testing.T) {
	full := newStage(t)
	st, err := full.start(context.Background(), full.engine(1))
	full.check(t, st, err)
	events := full.events(t)
	last := events[len(events)-1].Seq
	for n := int64(0); n <= last; n++ {
		for _, mode := range []string{"resume", "recover"} {
			t.Run(fmt.Sprintf("%s/%d", mode, n), func(t *testing.T) {
				s := newStage(t)
				s.clock.t = full.clock.Now()
				replay(t, s, events, n)
				var st *drills.State
				var err error
				if mode == "resume" {
					st, err = s.engine(2).Resume(context.Background(), runID)
				} else {
					st, err = s.engine(2).Recover(context.Background(), runID, drills.ReasonRecover, "test")
				}
				s.check(t, st, err)
			})
		}
	}
}

// replay writes the batches up to n and sets the world as it stood then.
func replay(t *testing.T, s *stage, events []journal.Event, n int64) {
	t.Helper()
	ctx := context.Background()
	for seq := int64(0); seq <= n; seq++ {
		var b journal.Batch
		for _, e := range events {
			if e.Seq != seq {
				continue
			}
			b.Action = e.Action
			b.Events = append(b.Events, e)
			switch e.Kind {
			case journal.FaultApplied:
				s.w.values[e.Fact.Fault] = "broken"
			case journal.FaultReverted:
				s.w.values[e.Fact.Fault] = "before-" + e.Fact.Fault
			}
		}
		if err := s.store.Append(ctx, runID, seq-1, 1, b); err != nil {
			t.Fatal(err)
		}
	}
}

// The process dies after the call reached the world and before the journal heard of it: on the way in, and out.
func TestDiesBetweenCallAndRecord(t *testing.T) {
	for n := range 4 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := newStage(t)
			dead := false
			s.w.onWrite = func(i int, _ string) error {
				if i == n && !dead {
					dead = true
					return errDies
				}
				return nil
			}
			if !until(func() {
				e := s.engine(1)
				e.Store = dyingStore{s.store, &dead}
				_, _ = s.start(context.Background(), e)
			}) {
				t.Fatal("it did not die")
			}
			s.clock.t = s.clock.t.Add(time.Minute)
			st, err := s.engine(2).Recover(context.Background(), runID, drills.ReasonRecover, "test")
			s.check(t, st, err)
		})
	}
}

// dyingStore is never reached by a process that is gone.
type dyingStore struct {
	*journal.Memory
	dead *bool
}

func (d dyingStore) Append(ctx context.Context, run string, after int64, gen int, b journal.Batch) error {
	if *d.dead {
		runtime.Goexit()
	}
	return d.Memory.Append(ctx, run, after, gen, b)
}

// A lost journal stops the drill from going on, never from putting things back.
func TestJournalLostAtEveryAppend(t *testing.T) {
	full := newStage(t)
	st, err := full.start(context.Background(), full.engine(1))
	full.check(t, st, err)
	for n := 1; n <= full.store.Appends(); n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := newStage(t)
			s.store.FailFrom(n, errDisk)
			st, err := s.start(context.Background(), s.engine(1))
			if !errors.Is(err, errDisk) {
				t.Errorf("lost journal is not told: %v", err)
			}
			if st != nil && len(st.InPlace()) > 0 {
				t.Errorf("in place: %v", st.InPlace())
			}
			if !s.w.asBefore() {
				t.Errorf("world is %v", s.w.values)
			}
		})
	}
}

// A signal at any moment of the run: everything is put back, and the run says that it was interrupted.
func TestInterruptedAtEveryWait(t *testing.T) {
	for n := range 12 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := newStage(t)
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			waits := 0
			s.clock.onWait = func(time.Time) {
				if waits == n {
					cancel(errors.New("interrupt"))
				}
				waits++
			}
			st, err := s.start(ctx, s.engine(1))
			s.check(t, st, err)
			if st.Outcome != "interrupted" {
				t.Errorf("outcome %s", st.Outcome)
			}
		})
	}
}

// One stuck fault does not keep the others from being put back, and ends dirty after its patience; recover reopens it.
func TestStuckFaultIsDirtyAndReopened(t *testing.T) {
	s := newStage(t)
	s.w.onWrite = func(_ int, what string) error {
		if what == "b=before-b" {
			return errors.New("service says no")
		}
		return nil
	}
	st, err := s.start(context.Background(), s.engine(1))
	if err != nil || st.Outcome != "dirty" || fmt.Sprint(st.InPlace()) != "[b]" {
		t.Fatalf("outcome %s, in place %v, err %v", st.Outcome, st.InPlace(), err)
	}
	if s.w.get("a") != "before-a" {
		t.Error("a waited for b")
	}
	if held, _ := s.store.Held(context.Background(), runID); len(held) == 0 {
		t.Error("a dirty run let its targets go")
	}
	other := *s.plan
	other.Run = "01other"
	st, err = s.engine(3).Start(context.Background(), &other, journal.Brief{Drill: other.Drill})
	if err != nil || st.Outcome != "refused" {
		t.Fatalf("another run on the same target: outcome %v, err %v", st, err)
	}
	s.w.onWrite = nil
	st, err = s.engine(2).Recover(context.Background(), runID, drills.ReasonRecover, "test")
	s.check(t, st, err)
}

// A panic in a fault is that step's error.
func TestPanics(t *testing.T) {
	s := newStage(t)
	s.w.onWrite = func(n int, what string) error {
		if what == "b=broken" || (what == "a=before-a" && n < 3) {
			panic("boom")
		}
		return nil
	}
	panics := 0
	inner := s.w.onWrite
	s.w.onWrite = func(n int, what string) error {
		if panics < 2 {
			if what == "b=broken" || what == "a=before-a" {
				panics++
			}
			return inner(n, what)
		}
		return nil
	}
	st, err := s.start(context.Background(), s.engine(1))
	s.check(t, st, err)
	if st.Outcome != "failed" {
		t.Errorf("outcome %s", st.Outcome)
	}
}

// The steady state must hold before anything is touched.
func TestUnsteadyIsRefused(t *testing.T) {
	for _, v := range []observe.Value{observe.Bad, observe.Unknown} {
		s := newStage(t)
		s.w.steady = func() observe.Value { return v }
		st, err := s.start(context.Background(), s.engine(1))
		s.check(t, st, err)
		if st.Outcome != "refused" || len(s.w.writes) > 0 {
			t.Errorf("%s: outcome %s, writes %v", v, st.Outcome, s.w.writes)
		}
	}
}

// A process may die between the last record of its run and letting its targets go. Nothing is in place, so the next
// drill may have them, with or without a recover.
func TestDiesBeforeLettingGo(t *testing.T) {
	for _, recovered := range []bool{true, false} {
		s := newStage(t)
		dead := false
		e := s.engine(1)
		e.Store = finishing{dyingStore{s.store, &dead}}
		st, err := s.start(context.Background(), e)
		if err == nil || st == nil || !st.Finished {
			t.Fatalf("the process did not die at the very end: %v", err)
		}
		if recovered {
			st, err = s.engine(2).Recover(context.Background(), runID, drills.ReasonRecover, "test")
			s.check(t, st, err)
			if held, _ := s.store.Held(context.Background(), ""); len(held) > 0 {
				t.Errorf("leases are left: %v", held)
			}
		}
		next := *s.plan
		next.Run = "01nextrun"
		if st, err := s.engine(3).Start(context.Background(), &next, journal.Brief{Drill: next.Drill}); err != nil || st.Outcome == "refused" {
			t.Errorf("the next drill: outcome %v, err %v", st.Outcome, err)
		}
	}
}

// finishing dies as soon as the end of a run is recorded.
type finishing struct{ dyingStore }

func (f finishing) Append(ctx context.Context, run string, after int64, gen int, b journal.Batch) error {
	err := f.dyingStore.Append(ctx, run, after, gen, b)
	*f.dead = *f.dead || b.Events[0].Kind == journal.RunFinished
	return err
}

// Release of a process that is gone never reaches the store.
func (d dyingStore) Release(ctx context.Context, l journal.Lease) error {
	if *d.dead {
		return errDies
	}
	return d.Memory.Release(ctx, l)
}

// The disk is full when somebody recovers: everything is put back all the same, unrecorded, and once there is room
// again a recover finds that nothing was left to do. Not so while somebody may be working on the run.
func TestRecoverOnAFullDisk(t *testing.T) {
	for _, lives := range []bool{false, true} {
		s := newStage(t)
		e := s.engine(1)
		dead := false
		e.Store = dyingStore{s.store, &dead}
		s.w.onWrite = func(n int, _ string) error {
			if n == 1 && !dead {
				dead = true
				return errDies
			}
			return nil
		}
		until(func() { _, _ = s.start(context.Background(), e) })
		if !lives {
			s.clock.t = s.clock.t.Add(time.Minute)
		}
		st, err := fullDisk(s).Recover(context.Background(), runID, drills.ReasonRecover, "test")
		if lives {
			if err == nil || s.w.asBefore() {
				t.Errorf("recovered under somebody's hands: %v", err)
			}
			continue
		}
		if !errors.Is(err, drills.ErrUnrecorded) || !errors.Is(err, errDisk) || st == nil || len(st.InPlace()) > 0 || !s.w.asBefore() {
			t.Errorf("err %v, world %v", err, s.w.values)
		}
		st, err = s.engine(3).Recover(context.Background(), runID, drills.ReasonRecover, "test")
		s.check(t, st, err)
	}
}

// fullDisk is an engine whose journal can be read and takes nothing.
func fullDisk(s *stage) *drills.Engine {
	e := s.engine(2)
	e.Store = fullStore{s.store}
	return e
}

type fullStore struct{ *journal.Memory }

func (fullStore) Append(context.Context, string, int64, int, journal.Batch) error { return errDisk }

func (fullStore) Take(context.Context, string, string, journal.Holder, time.Duration, time.Time) (journal.Lease, error) {
	return journal.Lease{}, errDisk
}

func (fullStore) Renew(context.Context, journal.Lease, time.Duration, time.Time) (journal.Lease, error) {
	return journal.Lease{}, errDisk
}
