package drills_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

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
