package drills_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

const (
	tableARN = "arn:aws:dynamodb:eu-west-1:" + account + ":table/orders"
	topic    = "arn:aws:sns:eu-west-1:" + account + ":oncall"
	goodKey  = "0123456789abcdef0123456789abcdef"
)

// scene is a staging environment in which a drill may run; each test spoils one thing of it.
type scene struct {
	w       *world
	clock   *fakeClock
	store   *journal.Memory
	env     drills.Environment
	spec    drills.Spec
	caller  drills.Caller
	who     error // of STS
	tags    map[string]string
	looks   int    // at the target
	found   string // the ARN that is found; empty is the target's own
	target  inject.Target
	no      error // of Prepare
	moves   []inject.Metric
	floor   time.Duration
	unsure  bool
	alarms  *fakeAlarms
	pager   *fakePager
	secrets map[string]string
	reads   map[string]observe.Value // by label; ok where nothing stands
	unrest  inject.Unrest            // around the target
	blind   error                    // of the look at it
	trail   observe.Trail
}

func newScene(t *testing.T) *scene {
	t.Helper()
	window, err := drills.ParseWindow("mon-fri", "09:00-17:00", "UTC")
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{
		w: &world{values: map[string]string{"orders": "before-orders"}}, store: journal.NewMemory(),
		clock:  &fakeClock{t: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}, // a Monday
		caller: drills.Caller{Account: account, Alias: "shop-staging", Region: "eu-west-1"},
		tags:   map[string]string{"environment": "staging", "firedrill": "allowed", "team": "delivery"},
		target: inject.Target{ARN: tableARN, Account: account, Region: "eu-west-1"},
		alarms: &fakeAlarms{}, pager: &fakePager{check: observe.ServiceCheck{Name: "Orders", Status: "active"}},
		secrets: map[string]string{"env:ORDERS": goodKey, "env:OWNER": goodKey},
		reads:   map[string]observe.Value{},
		env: drills.Environment{Name: "staging", AWS: drills.AWSSpec{Account: account, Regions: []string{"eu-west-1"}},
			Tags: map[string]string{"environment": "staging", "firedrill": "allowed"}, Window: window, Owner: "env:OWNER",
			Teams: map[string]drills.Team{"orders": {Service: "PORDERS", Key: "env:ORDERS"}}, Store: drills.StoreSpec{Kind: "sqlite"},
			UndoPatience: time.Minute, Settle: time.Minute},
	}
	s.moves = []inject.Metric{metric("WriteThrottleEvents", "TableName", "orders"),
		metric("ThrottledRequests", "TableName", "orders", "Operation", "PutItem")}
	s.alarms.list = []observe.Alarm{alarmOn("throttled", "WriteThrottleEvents", "TableName", "orders")}
	s.spec = drills.Spec{Drill: "scene", Title: "A scene", Scenario: "Something is wrong", Team: "orders", Limit: time.Hour,
		SteadyState: []observe.ProbeSpec{{HTTP: &observe.HTTPProbe{URL: "https://orders.example.com/health", Status: 200}}},
		Faults:      []drills.FaultSpec{{ID: "throttle", Kind: "move", Params: json.RawMessage(`{}`)}},
		Watch:       []observe.ProbeSpec{watching("throttled")},
		Page:        drills.PageSpec{When: drills.PageAlarm, Fallback: 12 * time.Minute},
		Expect:      drills.Expect{Effective: 8 * time.Minute, Detect: 12 * time.Minute}}
	return s
}

// metric is one that the fault moves, a minute late.
func metric(name string, dimensions ...string) inject.Metric {
	return inject.Metric{Namespace: "AWS/DynamoDB", Name: name, Dimensions: pairs(dimensions), Delay: time.Minute, By: "a throttle"}
}

// alarmOn is an alarm as people make them: OK, over zero, one of one period of a minute, telling the on-call.
func alarmOn(name, metric string, dimensions ...string) observe.Alarm {
	return observe.Alarm{Name: name, State: "OK", Namespace: "AWS/DynamoDB", Metric: metric, Dimensions: pairs(dimensions),
		Period: time.Minute, Datapoints: 1, Evaluations: 1, Comparison: "GreaterThanThreshold", Statistic: "Sum", Missing: "notBreaching",
		Enabled: true, Actions: []string{topic}, OKActions: []string{topic}}
}

func pairs(list []string) map[string]string {
	m := map[string]string{}
	for i := 0; i+1 < len(list); i += 2 {
		m[list[i]] = list[i+1]
	}
	return m
}

func watching(name string) observe.ProbeSpec {
	a := observe.AlarmProbe(name)
	return observe.ProbeSpec{Alarm: &a}
}

// steps is the scene as a process sees it.
func (s *scene) steps() *drills.Steps {
	st := &drills.Steps{Env: &s.env, Outcome: outcomeOf, World: drills.World{
		Catalog: inject.Catalog{"move": s.kind()},
		Caller:  func(context.Context) (drills.Caller, error) { return s.caller, s.who },
		Probe: func(p observe.ProbeSpec) (observe.Probe, error) {
			return probe{s.clock, func() observe.Value {
				if v, ok := s.reads[p.Label()]; ok {
					return v
				}
				return observe.OK
			}}, nil
		},
		Secret: func(_ context.Context, ref string) (string, error) {
			if v, ok := s.secrets[ref]; ok {
				return v, nil
			}
			return "", errors.New("it is empty")
		},
		Clock: s.clock,
	}}
	if s.alarms != nil {
		st.World.Alarms = s.alarms
	}
	if s.pager != nil {
		st.World.Pager = s.pager
	}
	st.World.Trail = s.trail
	return st
}

// moving is a fault that moves metrics.
type moving struct{ s *scene }

func (f moving) Prepare(_ context.Context, m inject.Mark, _ time.Time) (inject.Undo, error) {
	f.s.looks++
	return inject.Undo{Kind: "move", V: 1, Mark: m, Target: f.s.target}, f.s.no
}
func (f moving) Apply(ctx context.Context, _ inject.Undo) error {
	return f.s.w.set(ctx, "orders", "broken")
}
func (f moving) Moves(inject.Undo) []inject.Metric       { return f.s.moves }
func (f moving) Floor(inject.Undo) (time.Duration, bool) { return f.s.floor, !f.s.unsure }
func (f moving) Costs(inject.Undo) inject.Costs          { return inject.Costs{Undo: 5 * time.Minute} }
func (f moving) Permissions(t inject.Target) []inject.Permission {
	return []inject.Permission{{Action: "dynamodb:UpdateTable", Resource: t.ARN, When: "run"}}
}

func (s *scene) kind() inject.Kind {
	return inject.Kind{
		New: func(json.RawMessage) (inject.Fault, error) { return moving{s}, nil },
		Describe: func(u inject.Undo) []inject.Change {
			return []inject.Change{{What: "writes", Before: s.w.values["orders"], During: "1, until " + u.Mark.Until.UTC().Format(time.RFC3339), After: s.w.values["orders"]}}
		},
		Identity: func(_ context.Context, t inject.Target) (string, map[string]string, error) {
			s.looks++
			if s.tags == nil {
				return "", nil, errors.New("AccessDenied")
			}
			if s.found != "" {
				return s.found, s.tags, nil
			}
			return t.ARN, s.tags, nil
		},
		Revert: func(ctx context.Context, _ inject.Undo) (inject.Outcome, error) {
			return inject.Restored, s.w.set(ctx, "orders", "before-orders")
		},
		Settled: func(context.Context, inject.Undo) (bool, string, error) { return s.w.asBefore(), "", nil },
	}
}

// plan makes the plan, as plan and run do.
func (s *scene) plan() (*drills.Preview, error) {
	return s.steps().Make(context.Background(), &s.spec, runID)
}

// untouched fails when anything was changed, or anybody was told.
func (s *scene) untouched(t *testing.T) {
	t.Helper()
	if len(s.w.writes) > 0 || !s.w.asBefore() {
		t.Errorf("writes: %v", s.w.writes)
	}
	if s.pager != nil && len(s.pager.told) > 0 {
		t.Errorf("people were told: %v", s.pager.told)
	}
}

// fakeAlarms are alarms as they stand.
type fakeAlarms struct {
	list    []observe.Alarm
	err     error
	mutes   []observe.Mute
	muteErr error
}

func (f *fakeAlarms) Mutes(context.Context, string) ([]observe.Mute, error) {
	return f.mutes, f.muteErr
}

func (f *fakeAlarms) Describe(_ context.Context, patterns []string) (found []observe.Alarm, err error) {
	for _, a := range f.list {
		if slices.ContainsFunc(patterns, func(p string) bool {
			prefix, wild := strings.CutSuffix(p, "*")
			return p == a.Name || wild && strings.HasPrefix(a.Name, prefix)
		}) {
			found = append(found, a)
		}
	}
	return found, f.err
}
func (f *fakeAlarms) All(context.Context) ([]observe.Alarm, error) { return f.list, f.err }
func (f *fakeAlarms) History(context.Context, string, time.Time) ([]observe.Transition, error) {
	return nil, f.err
}

// fakePager is a pager that remembers what it was told.
type fakePager struct {
	check observe.ServiceCheck
	err   error
	open  []observe.Incident
	deaf  error // of Incidents alone
	told  []string
}

func (p *fakePager) Send(_ context.Context, _ string, page observe.Page) error {
	p.told = append(p.told, "page "+page.Key)
	return nil
}

// Resolve is what every run does at its end, whatever happened: it tells nobody anything.
func (p *fakePager) Resolve(context.Context, string, string) error { return p.err }
func (p *fakePager) Find(context.Context, string, string, time.Time) (*observe.Incident, error) {
	return nil, p.err
}
func (p *fakePager) Incidents(context.Context, []string, time.Time) ([]observe.Incident, error) {
	return p.open, errors.Join(p.err, p.deaf)
}
func (p *fakePager) Log(context.Context, string) ([]observe.Entry, error) { return nil, p.err }
func (p *fakePager) Note(_ context.Context, incident, _ string) error {
	p.told = append(p.told, "note "+incident)
	return nil
}
func (p *fakePager) Check(context.Context, string) (observe.ServiceCheck, error) {
	return p.check, p.err
}

// refusedBy fails unless err is a refusal of this code whose words and next step hold all of these.
func refusedBy(t *testing.T, err error, code string, later bool, words ...string) {
	t.Helper()
	var no *drills.Refusal
	if !errors.As(err, &no) {
		t.Fatalf("not refused: %v", err)
	}
	if no.Code != code || no.Later != later {
		t.Errorf("refused by %s (later %v), want %s (later %v): %v", no.Code, no.Later, code, later, no)
	}
	if !strings.HasPrefix(no.Error(), "not injecting: ") {
		t.Errorf("refusal does not begin as all do: %v", no)
	}
	text := fmt.Sprintf("%v. Try: %s", no, no.Try)
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q does not say %q", text, w)
		}
	}
	if no.Try == "" {
		t.Errorf("no next step: %s", text)
	}
}
