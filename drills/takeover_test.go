package drills_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
)

// dies runs engine 1 until the n-th write of what, which is made (or refused) and never recorded.
func (s *stage) dies(t *testing.T, what string, n int, e *drills.Engine) {
	t.Helper()
	dead, seen := false, 0
	inner := s.w.onWrite
	s.w.onWrite = func(i int, w string) error {
		if w == what {
			if seen++; seen == n {
				dead = true
				return errDies
			}
		}
		if inner != nil {
			return inner(i, w)
		}
		return nil
	}
	e.Store = dyingStore{s.store, &dead}
	if !until(func() { _, _ = s.start(context.Background(), e) }) {
		t.Fatal("it did not die")
	}
	s.w.onWrite = inner
}

// Whoever takes over has patience of their own: the dead engine's first try is not theirs.
func TestPatienceBeginsAnewAfterATakeover(t *testing.T) {
	for _, state := range []string{"tried", "reverted", "stuck"} {
		t.Run(state, func(t *testing.T) {
			s := newStage(t)
			fails := 1
			e := s.engine(1)
			switch state {
			case "tried": // b failed once; the engine dies putting back a
				s.refuseUndo("b")
				s.dies(t, "a=before-a", 1, e)
			case "reverted": // b is put back and not read back yet
				s.dies(t, "a=before-a", 1, e)
			case "stuck": // the patience for one is over, and the engine dies
				s.w.onWrite = func(_ int, what string) error {
					if what == "b=before-b" || what == "a=before-a" {
						return errors.New("service says no")
					}
					return nil
				}
				e.Store = lastRecord{s.store, func(e journal.Event) bool { return e.Kind == journal.FaultRevertFailed && e.Fact.Reason != "" }}
				if !until(func() { _, _ = s.start(context.Background(), e) }) {
					t.Fatal("it did not die")
				}
			}
			s.w.onWrite = func(_ int, what string) error {
				if what == "b=before-b" && fails > 0 {
					fails--
					return errors.New("one more error that passes")
				}
				return nil
			}
			s.clock.t = s.clock.t.Add(time.Hour)
			next := s.engine(2)
			if state == "reverted" {
				kind(next, func(k *inject.Kind) {
					inner := k.Settled
					k.Settled = func(ctx context.Context, u inject.Undo) (bool, string, error) {
						if u.Mark.Fault == "b" && fails > 0 {
							fails--
							return false, "", errors.New("one more error that passes")
						}
						return inner(ctx, u)
					}
				})
			}
			st, err := next.Recover(context.Background(), runID, drills.ReasonRecover, "test")
			s.check(t, st, err)
			if st.Outcome == "dirty" || fails > 0 {
				t.Errorf("outcome %s, errors left %d", st.Outcome, fails)
			}
		})
	}
}

// lastRecord is a store whose writer dies as soon as a certain event is recorded.
type lastRecord struct {
	*journal.Memory
	last func(journal.Event) bool
}

func (l lastRecord) Append(ctx context.Context, run string, after int64, gen int, b journal.Batch) error {
	err := l.Memory.Append(ctx, run, after, gen, b)
	if l.last(b.Events[0]) {
		runtime.Goexit()
	}
	return err
}
