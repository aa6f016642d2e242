package drills_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// ends fails unless f returns while a person would still wait.
func ends(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("the run does not end")
	}
}

// hang answers nothing until ctx ends, while the clock of the world goes on: a second for each ten milliseconds.
func (c *fakeClock) hang(ctx context.Context) error {
	for ctx.Err() == nil {
		_ = c.Wait(ctx, time.Second)
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
	return ctx.Err()
}

// kind changes the one kind of fault that an engine knows.
func kind(e *drills.Engine, change func(*inject.Kind)) {
	k := e.Steps.World.Catalog["set"]
	change(&k)
	e.Steps.World.Catalog["set"] = k
}

// outsider writes to the run as another process does.
func (s *stage) outsider(t *testing.T, k journal.Kind, f journal.Fact) {
	t.Helper()
	_, _, err := journal.Record(context.Background(), s.store, journal.Position{Run: runID, After: journal.Start},
		journal.Batch{Action: "outsider/" + fmt.Sprint(s.store.Appends()), Events: []journal.Event{{Kind: k, At: s.clock.Now(), Fact: f}}})
	if err != nil {
		t.Error(err)
	}
}

// Whoever watches the run may hang: neither limit nor signal waits for them.
func TestWatcherThatHangsKeepsNothingInPlace(t *testing.T) {
	for _, signal := range []bool{false, true} {
		t.Run(fmt.Sprintf("signal: %v", signal), func(t *testing.T) {
			s := newStage(t)
			s.plan.Expect = drills.Expect{}
			e := s.engine(1)
			release := make(chan struct{})
			defer close(release)
			e.Watch = func(events []journal.Event) { <-release }
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			s.clock.onWait = func(time.Time) {
				if signal && s.w.get("b") == "broken" {
					cancel(errors.New("interrupt"))
				}
			}
			ends(t, func() {
				st, err := s.start(ctx, e)
				s.check(t, st, err)
				if (st.Outcome == "interrupted") != signal {
					t.Errorf("outcome %s", st.Outcome)
				}
			})
		})
	}
}

// A panic of anything that looks or tells is no reason to leave something in place.
func TestPanicsOfOthersEndWithTheWorldPutBack(t *testing.T) {
	type setup func(s *stage, e *drills.Engine)
	broken := func(s *stage) bool { return s.w.get("a") == "broken" }
	for _, row := range []struct {
		name string
		set  setup
		lost bool // the journal with it
	}{
		{"watcher", func(_ *stage, e *drills.Engine) { e.Watch = func([]journal.Event) { panic("renderer") } }, false},
		{"clock", func(_ *stage, e *drills.Engine) {
			e.Steps.World.Dates = map[string]func(context.Context) (time.Time, error){
				"aws": func(context.Context) (time.Time, error) { panic("date") }}
		}, false},
		{"probe", func(s *stage, _ *drills.Engine) {
			s.w.steady = func() observe.Value {
				if broken(s) {
					panic("probe")
				}
				return observe.OK
			}
		}, false},
		{"pager's list", func(s *stage, e *drills.Engine) {
			d := s.staffed(drills.PageDirect)
			d.list = func(context.Context) ([]observe.Incident, error) {
				if broken(s) {
					panic("list")
				}
				return nil, nil
			}
			d.at(e)
		}, false},
		{"page", func(s *stage, e *drills.Engine) {
			d := s.staffed(drills.PageDirect)
			d.onSend = func(string, int) error { panic("send") }
			d.at(e)
		}, false},
		{"resolving the page", func(s *stage, e *drills.Engine) {
			d := s.staffed(drills.PageDirect)
			d.onClear = func(int) error { panic("resolve") }
			d.at(e)
		}, false},
		{"alarms", func(s *stage, e *drills.Engine) {
			s.watches(e)
			inner := e.Steps.World.Alarms.(moods)
			e.Steps.World.Alarms = moods{inner.name, func() (string, time.Time) {
				if broken(s) {
					panic("alarms")
				}
				return inner.fake()
			}}
		}, false},
		{"outcome", func(_ *stage, e *drills.Engine) {
			e.Steps.Outcome = func([]journal.Event, time.Time) string { panic("outcome") }
		}, false},
		{"verify", func(_ *stage, e *drills.Engine) {
			kind(e, func(k *inject.Kind) {
				inner := k.New
				k.New = func(p json.RawMessage) (inject.Fault, error) {
					f, err := inner(p)
					return panicking{f.(setting)}, err
				}
			})
		}, false},
		{"store", func(s *stage, e *drills.Engine) { e.Store = moody{s.store, func() bool { return broken(s) }} }, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newStage(t)
			e := s.engine(1)
			row.set(s, e)
			ends(t, func() {
				st, err := s.start(context.Background(), e)
				if row.lost {
					if !errors.Is(err, drills.ErrUnrecorded) || !s.w.asBefore() {
						t.Errorf("err %v, world %v", err, s.w.values)
					}
					return
				}
				s.check(t, st, err)
			})
		})
	}
}

type panicking struct{ setting }

func (panicking) Verify(context.Context, inject.Undo) (inject.Reading, error) { panic("verify") }

// moody panics in every append once a condition holds.
type moody struct {
	*journal.Memory
	now func() bool
}

func (m moody) Append(ctx context.Context, run string, after int64, gen int, b journal.Batch) error {
	if m.now() {
		panic("nil map in the store")
	}
	return m.Memory.Append(ctx, run, after, gen, b)
}

// Where nothing can be decided any more, everything is put back without deciding.
func TestEngineThatCannotDecidePutsBackAllTheSame(t *testing.T) {
	s := newStage(t)
	s.w.onWrite = nil
	e := s.engine(1)
	e.Clock = &odd{fakeClock: s.clock, from: func() bool { return s.w.get("b") == "broken" }}
	ends(t, func() {
		st, err := s.start(context.Background(), e)
		if !errors.Is(err, drills.ErrUnrecorded) || !s.w.asBefore() || len(st.InPlace()) > 0 {
			t.Errorf("err %v, world %v", err, s.w.values)
		}
	})
}

// odd is a clock that panics every other time it is asked, from some moment on.
type odd struct {
	*fakeClock
	from func() bool
	n    int
}

func (o *odd) Now() time.Time {
	if o.from() {
		if o.n++; o.n%2 == 1 {
			panic("clock")
		}
	}
	return o.fakeClock.Now()
}

// An outsider's record may hold anything. It may end the run; it never makes it forget what is in place.
func TestHostileRecordsAreSurvived(t *testing.T) {
	long := strings.Repeat("x", 1<<16)
	for _, e := range []journal.Event{
		{Kind: journal.RunPlanned},
		{Kind: journal.RunPlanned, Fact: journal.Fact{Plan: json.RawMessage(`{"v":1,"faults":[]}`), Brief: &journal.Brief{}}},
		{Kind: journal.RunPlanned, Fact: journal.Fact{Plan: json.RawMessage(`{"v":99}`)}},
		{Kind: journal.FaultPrepared, Fact: journal.Fact{Fault: "ghost", Undo: json.RawMessage(`{"kind":"set","data":7}`)}},
		{Kind: journal.FaultEffective, Fact: journal.Fact{Fault: "ghost"}},
		{Kind: journal.IncidentAcknowledged, Fact: journal.Fact{Incident: "PI9"}},
		{Kind: journal.NoteSent, Fact: journal.Fact{Incident: "PI9"}},
		{Kind: journal.SteadyRead, Fact: journal.Fact{Probe: long, Reading: "perhaps"}},
		{Kind: journal.AlarmFired, Fact: journal.Fact{Role: journal.RoleWatch}},
		{Kind: journal.PageResolved, Fact: journal.Fact{Err: long}},
		{Kind: "lunch.eaten"},
		{},
	} {
		t.Run(string(e.Kind)+" "+e.Fact.Fault+string(e.Fact.Plan), func(t *testing.T) {
			s := newStage(t)
			s.plan.Patience = 20 * time.Second
			once := false
			s.clock.onWait = func(time.Time) {
				if !once && s.w.get("b") == "broken" {
					once = true
					s.outsider(t, e.Kind, e.Fact)
				}
			}
			ends(t, func() {
				st, err := s.start(context.Background(), s.engine(1))
				if err != nil || !st.Finished || !s.w.asBefore() || !once {
					t.Errorf("err %v, finished %v, world %v", err, st.Finished, s.w.values)
				}
			})
		})
	}
}

// An undo, or a reading back, that always panics is dirty once its patience is over; the other fault is put back.
func TestUndoThatPanicsForEverEndsDirty(t *testing.T) {
	for name, change := range map[string]func(k *inject.Kind){
		"revert": func(k *inject.Kind) {
			inner := k.Revert
			k.Revert = func(ctx context.Context, u inject.Undo) (inject.Outcome, error) {
				if u.Mark.Fault == "b" {
					panic("nil map")
				}
				return inner(ctx, u)
			}
		},
		"settled": func(k *inject.Kind) {
			inner := k.Settled
			k.Settled = func(ctx context.Context, u inject.Undo) (bool, string, error) {
				if u.Mark.Fault == "b" {
					panic("nil map")
				}
				return inner(ctx, u)
			}
		},
		"identity": func(k *inject.Kind) {
			inner := k.Identity
			reverting := false
			k.Identity = func(ctx context.Context, t inject.Target) (string, map[string]string, error) {
				if reverting && t.ARN == "arn:b" {
					panic("nil map")
				}
				return inner(ctx, t)
			}
			revert := k.Revert
			k.Revert = func(ctx context.Context, u inject.Undo) (inject.Outcome, error) { return revert(ctx, u) }
			verify := k.New
			k.New = func(p json.RawMessage) (inject.Fault, error) {
				f, err := verify(p)
				return noticing{f.(setting), &reverting}, err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			e := s.engine(1)
			kind(e, change)
			ends(t, func() {
				st, err := s.start(context.Background(), e)
				if err != nil || st.Outcome != "dirty" || fmt.Sprint(st.InPlace()) != "[b]" || s.w.get("a") != "before-a" {
					t.Fatalf("outcome %s, in place %v, err %v", st.Outcome, st.InPlace(), err)
				}
				took := first(st, journal.RunFinished, "").At.Sub(first(st, journal.FaultRevertFailed, "b").At)
				if took < 2*time.Minute || took > 4*time.Minute {
					t.Errorf("dirty after %s, patience is 2m", took)
				}
			})
		})
	}
}

// noticing tells when it is looked at for the first time: both faults are in place then.
type noticing struct {
	setting
	seen *bool
}

func (n noticing) Verify(ctx context.Context, u inject.Undo) (inject.Reading, error) {
	if n.w.get("b") == "broken" {
		*n.seen = true
	}
	return n.setting.Verify(ctx, u)
}

// A Describe that panics hides no dirty run.
func TestDescribeThatPanicsHidesNothing(t *testing.T) {
	s := newStage(t)
	s.refuseUndo("b")
	e := s.engine(1)
	kind(e, func(k *inject.Kind) { k.Describe = func(inject.Undo) []inject.Change { panic("an old undo") } })
	st, err := s.start(context.Background(), e)
	left := first(st, journal.RunFinished, "").Fact.Left
	if err != nil || st.Outcome != "dirty" || len(left) != 1 || !strings.Contains(left[0], "arn:b") {
		t.Errorf("outcome %s, left %q, err %v", st.Outcome, left, err)
	}
}
