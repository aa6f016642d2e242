package drills_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

const (
	account = "111122223333"
	runID   = "01testrun"
)

// world is a fake staging: names with values, and calls that may fail.
type world struct {
	mu     sync.Mutex
	values map[string]string
	writes []string
	// onWrite is asked before each change; an error refuses it, errDies makes it and then the process is gone.
	onWrite func(n int, what string) error
	// steady is what every probe reads.
	steady func() observe.Value
}

var (
	errDies = errors.New("the process is gone")
	errDisk = errors.New("no space left on device")
)

func (w *world) set(ctx context.Context, name, value string) error {
	if err := ctx.Err(); err != nil {
		return err // a fake that ignored ctx would hide a way out that a signal ends
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	what := name + "=" + value
	var err error
	if w.onWrite != nil {
		err = w.onWrite(len(w.writes), what)
	}
	if err == nil || errors.Is(err, errDies) {
		w.values[name] = value
		w.writes = append(w.writes, what)
	}
	if errors.Is(err, errDies) {
		runtime.Goexit() // no deferred recover of ours catches a death
	}
	return err
}

func (w *world) get(name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.values[name]
}

func (w *world) asBefore() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for k, v := range w.values {
		if v != "before-"+k {
			return false
		}
	}
	return true
}

// setting is a fault that sets a value.
type setting struct {
	w    *world
	Name string `json:"name"`
}

type settingUndo struct{ Before, During string }

func (f setting) Prepare(_ context.Context, m inject.Mark, _ time.Time) (inject.Undo, error) {
	data, err := json.Marshal(settingUndo{f.w.get(f.Name), "broken"})
	return inject.Undo{Kind: "set", V: 1, Mark: m, Target: inject.Target{ARN: "arn:" + f.Name, Account: account}, Data: data}, err
}

func (f setting) Apply(ctx context.Context, u inject.Undo) error {
	return f.w.set(ctx, strings.TrimPrefix(u.Target.ARN, "arn:"), "broken")
}

// LastResort sets the value back without a look.
func (f setting) LastResort(u inject.Undo) []inject.Call {
	return []inject.Call{{Service: "settings", Action: "set", Input: json.RawMessage(fmt.Sprintf(`{"Name":%q}`, f.Name))}}
}

func (f setting) Verify(_ context.Context, u inject.Undo) (inject.Reading, error) {
	if f.w.get(strings.TrimPrefix(u.Target.ARN, "arn:")) == "broken" {
		return inject.Reading{Felt: inject.Yes, Why: "it is broken"}, nil
	}
	return inject.Reading{Felt: inject.No}, nil
}

func (w *world) catalog() inject.Catalog {
	return inject.Catalog{"set": {
		New: func(p json.RawMessage) (inject.Fault, error) {
			f := setting{w: w}
			return f, json.Unmarshal(p, &f)
		},
		Revert: func(ctx context.Context, u inject.Undo) (inject.Outcome, error) {
			var d settingUndo
			if err := json.Unmarshal(u.Data, &d); err != nil {
				return "", err
			}
			name := strings.TrimPrefix(u.Target.ARN, "arn:")
			switch w.get(name) {
			case d.Before:
				return inject.AlreadyRestored, nil
			case d.During:
				return inject.Restored, w.set(ctx, name, d.Before)
			}
			return inject.Diverged, nil
		},
		Settled: func(_ context.Context, u inject.Undo) (bool, string, error) {
			v := w.get(strings.TrimPrefix(u.Target.ARN, "arn:"))
			return v != "broken", "is " + v, nil
		},
		Describe: func(u inject.Undo) []inject.Change { return []inject.Change{{What: u.Target.ARN}} },
		Identity: func(_ context.Context, t inject.Target) (string, map[string]string, error) {
			return t.ARN, map[string]string{"firedrill": "allowed"}, nil
		},
	}}
}

// fakeClock moves only when somebody waits.
type fakeClock struct {
	mu     sync.Mutex
	t      time.Time
	onWait func(now time.Time)
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *fakeClock) Wait(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	c.t = c.t.Add(max(d, time.Millisecond))
	hook, now := c.onWait, c.t
	c.mu.Unlock()
	if hook != nil {
		hook(now)
	}
	return ctx.Err()
}

func (c *fakeClock) Every(context.Context, time.Duration) <-chan time.Time { return nil }

// probe reads what the test says.
type probe struct {
	c *fakeClock
	f func() observe.Value
}

func (p probe) Label() string { return "http https://orders.example.com/health" }
func (p probe) Read(context.Context) observe.Reading {
	now := p.c.Now()
	return observe.Reading{Value: p.f(), From: now, To: now}
}

// stage is a whole fake: world, journal, clock, engine and a plan with two faults.
type stage struct {
	w     *world
	store *journal.Memory
	clock *fakeClock
	steps *drills.Steps
	plan  *drills.Plan
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{
		w:     &world{values: map[string]string{"a": "before-a", "b": "before-b"}},
		store: journal.NewMemory(),
		clock: &fakeClock{t: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)},
	}
	s.w.steady = func() observe.Value { return observe.OK }
	s.steps = s.newSteps()
	spec := observe.ProbeSpec{HTTP: &observe.HTTPProbe{URL: "https://orders.example.com/health"}}
	s.plan = &drills.Plan{V: drills.PlanVersion, Run: runID, Drill: "two-settings", Environment: "staging", Account: account,
		Steady: []drills.PlannedProbe{{Label: "health", Spec: spec}},
		Page:   drills.PlannedPage{When: drills.PageAlarm},
		Expect: drills.Expect{Effective: 5 * time.Second, Mitigate: 8 * time.Second},
		Limit:  5 * time.Minute, Patience: 2 * time.Minute, Settle: 10 * time.Second, Pace: drills.Pace{Look: time.Second}}
	for _, name := range []string{"a", "b"} {
		s.plan.Faults = append(s.plan.Faults, drills.PlannedFault{ID: name, Kind: "set",
			Params: json.RawMessage(fmt.Sprintf(`{"name":%q}`, name)), Target: inject.Target{ARN: "arn:" + name, Account: account}})
	}
	return s
}

// newSteps is another process's view of the same world.
func (s *stage) newSteps() *drills.Steps {
	return &drills.Steps{
		World: drills.World{
			Catalog: s.w.catalog(),
			Caller: func(context.Context) (drills.Caller, error) {
				return drills.Caller{Account: account, Region: "eu-west-1"}, nil
			},
			Probe: func(observe.ProbeSpec) (observe.Probe, error) { return probe{s.clock, s.w.steady}, nil },
			Clock: s.clock,
		},
		Env: &drills.Environment{Name: "staging", AWS: drills.AWSSpec{Account: account, Regions: []string{"eu-west-1"}},
			Tags: map[string]string{"firedrill": "allowed"}, Sandbox: &drills.SandboxRef{}},
		Outcome: outcomeOf,
	}
}

// engine is another process that runs drills on the same journal.
func (s *stage) engine(pid int) *drills.Engine {
	return &drills.Engine{Store: s.store, Steps: s.newSteps(), Clock: s.clock,
		Holder: journal.Holder{Host: "h", Boot: "b", PID: pid}}
}

func (s *stage) start(ctx context.Context, e *drills.Engine) (*drills.State, error) {
	p := *s.plan
	return e.Start(ctx, &p, journal.Brief{Drill: p.Drill, Environment: p.Environment, PageWhen: p.Page.When})
}

func (s *stage) events(t *testing.T) []journal.Event {
	t.Helper()
	events, err := s.store.Load(context.Background(), runID, journal.Start)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// check fails unless everything is as before and the run says so.
func (s *stage) check(t *testing.T, st *drills.State, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("run: %v", err)
	}
	if st == nil || len(st.InPlace()) > 0 || !st.Finished {
		t.Errorf("run did not end with nothing in place: %+v", st)
	}
	if !s.w.asBefore() {
		t.Errorf("world is %v", s.w.values)
	}
}

// outcomeOf is a crude stand-in.
func outcomeOf(events []journal.Event, _ time.Time) string {
	last := events[len(events)-1].Fact
	switch {
	case len(last.Left) > 0:
		return "dirty"
	case last.Reason == drills.ReasonInterrupted:
		return "interrupted"
	case last.Reason == drills.ReasonRefused:
		return "refused"
	case last.Reason == drills.ReasonFailed:
		return "failed"
	}
	return "met"
}
