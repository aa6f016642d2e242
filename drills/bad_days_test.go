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

// slow makes one observer hang from the moment that b is in place.
func (s *stage) slow(e *drills.Engine, which string) {
	broken := func() bool { return s.w.get("b") == "broken" }
	switch which {
	case "pager":
		d := s.staffed(drills.PageAlarm)
		d.list = func(ctx context.Context) ([]observe.Incident, error) {
			if broken() {
				return nil, s.clock.hang(ctx)
			}
			return nil, nil
		}
		d.at(e)
	case "probe":
		e.Steps.World.Probe = func(observe.ProbeSpec) (observe.Probe, error) {
			return slowProbe{probe{s.clock, s.w.steady}, broken}, nil
		}
	case "verify":
		kind(e, func(k *inject.Kind) {
			inner := k.New
			k.New = func(p json.RawMessage) (inject.Fault, error) {
				f, err := inner(p)
				return slowFault{f.(setting), s.clock, broken}, err
			}
		})
	}
}

type slowProbe struct {
	probe
	now func() bool
}

func (p slowProbe) Read(ctx context.Context) observe.Reading {
	if p.now() {
		from := p.c.Now()
		return observe.Reading{Value: observe.Unknown, Why: fmt.Sprint(p.c.hang(ctx)), From: from, To: p.c.Now()}
	}
	return p.probe.Read(ctx)
}

type slowFault struct {
	setting
	clock *fakeClock
	now   func() bool
}

func (f slowFault) Verify(ctx context.Context, u inject.Undo) (inject.Reading, error) {
	if f.now() {
		return inject.Reading{Felt: inject.Unknown}, f.clock.hang(ctx)
	}
	return f.setting.Verify(ctx, u)
}

// An observer that does not answer outlasts neither the limit, nor an abort, nor a stop condition, nor a signal. In a
// poll they are looked at every quarter of a real second, which on this stage's clock is some minutes at most; the
// observer's own end, ten real seconds, would be a quarter of an hour.
func TestObserverThatHangsOutlastsNothing(t *testing.T) {
	for _, which := range []string{"pager", "probe", "verify"} {
		for _, end := range []string{"limit", "abort", "stop", "signal"} {
			t.Run(which+" "+end, func(t *testing.T) {
				s := newStage(t)
				s.plan.Expect, s.plan.Settle, s.plan.Limit = drills.Expect{}, 0, 6*time.Minute
				e := s.engine(1)
				s.slow(e, which)
				ctx, cancel := context.WithCancelCause(context.Background())
				defer cancel(nil)
				var since time.Time
				begin := s.clock.Now()
				s.w.onWrite = func(_ int, what string) error {
					if what != "b=broken" {
						return nil
					}
					since = s.clock.Now()
					switch end {
					case "abort":
						s.outsider(t, journal.AbortRequested, journal.Fact{Reason: drills.ReasonAbort})
					case "signal":
						cancel(errors.New("interrupt"))
					case "limit":
						since = begin.Add(s.plan.Limit)
					}
					return nil
				}
				if end == "stop" {
					s.plan.Stop = []drills.PlannedProbe{{Label: "customers", Spec: observe.ProbeSpec{HTTP: &observe.HTTPProbe{URL: "https://shop.example.com"}}}}
					s.stops(e)
				}
				ends(t, func() {
					st, err := s.start(ctx, e)
					s.check(t, st, err)
					if took := first(st, journal.FaultReverted, "").At.Sub(since); took < 0 || took > 5*time.Minute {
						t.Errorf("put back %s after the %s", took, end)
					}
					if reason := map[string]string{"abort": drills.ReasonAbort, "signal": drills.ReasonInterrupted, "stop": drills.ReasonStop}[end]; reason != "" &&
						(st.Stop == nil || st.Stop.Reason != reason) {
						t.Errorf("stop %+v, want %s", st.Stop, reason)
					}
				})
			})
		}
	}
}

// stops makes the probe of the shop bad once b is in place; all others stay as they were.
func (s *stage) stops(e *drills.Engine) {
	inner := e.Steps.World.Probe
	e.Steps.World.Probe = func(spec observe.ProbeSpec) (observe.Probe, error) {
		if spec.HTTP.URL != "https://shop.example.com" {
			return inner(spec)
		}
		return probe{s.clock, func() observe.Value {
			if s.w.get("b") == "broken" {
				return observe.Bad
			}
			return observe.OK
		}}, nil
	}
}

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

// deep is a store that hangs, once a condition holds, for as long as it is let.
type deep struct {
	*journal.Memory
	t    *testing.T
	when func() bool
}

func (d deep) hang(ctx context.Context) error {
	if !d.when() {
		return nil
	}
	if _, bounded := ctx.Deadline(); !bounded {
		d.t.Error("the journal is asked without an end")
	}
	return context.DeadlineExceeded
}

func (d deep) Append(ctx context.Context, run string, after int64, gen int, b journal.Batch) error {
	if err := d.hang(ctx); err != nil {
		return err
	}
	return d.Memory.Append(ctx, run, after, gen, b)
}

func (d deep) Load(ctx context.Context, run string, after int64) ([]journal.Event, error) {
	if err := d.hang(ctx); err != nil {
		return nil, err
	}
	return d.Memory.Load(ctx, run, after)
}

func (d deep) Renew(ctx context.Context, l journal.Lease, ttl time.Duration, now time.Time) (journal.Lease, error) {
	if err := d.hang(ctx); err != nil {
		return l, err
	}
	return d.Memory.Renew(ctx, l, ttl, now)
}

func (d deep) Release(ctx context.Context, l journal.Lease) error {
	if err := d.hang(ctx); err != nil {
		return err
	}
	return d.Memory.Release(ctx, l)
}

// A journal that does not answer is lost like one that says no: every question to it ends, and the world is put back.
func TestJournalThatHangsKeepsNothingInPlace(t *testing.T) {
	for _, name := range []string{"a", "b"} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			e := s.engine(1)
			e.Store = deep{s.store, t, func() bool { return s.w.get(name) == "broken" || len(s.w.writes) > 0 && s.w.asBefore() }}
			ends(t, func() {
				_, err := s.start(context.Background(), e)
				if !errors.Is(err, drills.ErrUnrecorded) || !s.w.asBefore() || len(s.w.writes) == 0 {
					t.Errorf("err %v, world %v", err, s.w.values)
				}
			})
		})
	}
}
