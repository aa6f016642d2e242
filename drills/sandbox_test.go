package drills_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/killtest"
	"github.com/firedrill/firedrill/internal/sandbox"
	"github.com/firedrill/firedrill/observe"
)

// TestMain lets more of the tests that wait for a real sandbox run side by side than there are processors.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("10")
	}
	os.Exit(m.Run())
}

// realFault is one fault as the sandbox has a target for it.
type realFault struct {
	name, kind string
	params     func(vars map[string]string) string
	staged     bool
	effective  time.Duration
}

// realFaults are the real ones: both billing modes of a table, a rule of a load balancer, messages of a queue.
func realFaults() []realFault {
	return []realFault{
		{name: "on-demand", kind: inject.KindThrottle, effective: 8 * time.Second,
			params: func(v map[string]string) string {
				return fmt.Sprintf(`{"table":%q,"writes":1,"load":"30/s"}`, v["orders_table"])
			}},
		{name: "provisioned", kind: inject.KindThrottle, effective: 3 * time.Second, // burst: it may take long to be felt
			params: func(v map[string]string) string { return fmt.Sprintf(`{"table":%q,"writes":1}`, v["stock_table"]) }},
		{name: "error", kind: inject.KindError, staged: true, effective: 8 * time.Second,
			params: func(v map[string]string) string {
				return fmt.Sprintf(`{"listener":%q,"path":"/users*","status":500}`, v["listener"])
			}},
		{name: "poison", kind: inject.KindPoison, effective: 12 * time.Second,
			params: func(v map[string]string) string { return fmt.Sprintf(`{"queue":%q,"messages":2}`, v["orders_queue"]) }},
	}
}

// real is a drill with a real fault on a real sandbox; processes come and go.
type real struct {
	*testing.T
	world  sandbox.World
	stage  killtest.Stage
	before killtest.Snapshot
	store  *journal.Memory
	plan   *drills.Plan
}

// realClock is the machine's.
type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) Wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func (realClock) Every(ctx context.Context, d time.Duration) <-chan time.Time {
	t := time.NewTicker(d)
	context.AfterFunc(ctx, t.Stop)
	return t.C
}

// newReal starts a sandbox of the test's own with two messages of strangers in the dead-letter queue. Nobody answers,
// and its alarms are switched off: this is about putting back.
func newReal(t *testing.T, f realFault) *real {
	t.Helper()
	box, err := sandbox.Start(t.Context(), sandbox.Options{Responder: "none", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &real{T: t, world: box.World(), stage: killtest.Stage{URL: box.World().URL}, store: journal.NewMemory()}
	r.store.Alive = func(h journal.Holder) journal.Liveness {
		if h.Host == "dead" {
			return journal.Dead
		}
		return journal.Unsure
	}
	if err := errors.Join(r.stage.Silence(t.Context()), r.stage.Strangers(t.Context(), 2)); err != nil {
		t.Fatal(err)
	}
	r.plan = r.newPlan(f)
	if r.before, err = r.stage.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// newPlan is a short drill: it pages itself once the fault is felt, and waits a second for an answer.
func (r *real) newPlan(f realFault) *drills.Plan {
	r.Helper()
	p := &drills.Plan{V: drills.PlanVersion, Run: runID, Drill: f.name, Environment: "sandbox", Account: r.world.Account, Region: r.world.Region,
		Page:   drills.PlannedPage{When: drills.PageDirect, Service: r.world.Teams["orders"].Service, Key: r.world.Teams["orders"].Key, Title: "[DRILL] " + f.name},
		Expect: drills.Expect{Effective: f.effective, Acknowledge: time.Second}, Limit: f.effective + 12*time.Second,
		Patience: time.Minute, Settle: time.Second, Owner: r.world.Owner,
		Pace: drills.Pace{Look: 500 * time.Millisecond, Alarm: time.Second, Pager: 500 * time.Millisecond}}
	params := json.RawMessage(f.params(r.world.Vars))
	kind := r.catalog()[f.kind]
	fault, err := kind.New(params)
	if err != nil {
		r.Fatal(err)
	}
	// A consumer is proven by its receives: it takes a moment until there are any.
	var u inject.Undo
	for deadline := time.Now().Add(20 * time.Second); ; {
		u, err = fault.Prepare(r.Context(), inject.Mark{Run: runID, Fault: f.name, Until: time.Now().Add(p.Limit)}, time.Now())
		if err == nil || time.Now().After(deadline) {
			break
		}
		_ = realClock{}.Wait(r.Context(), 200*time.Millisecond)
	}
	if err != nil {
		r.Fatal(err)
	}
	p.Faults = []drills.PlannedFault{{ID: f.name, Kind: f.kind, Params: params, Target: u.Target, Staged: f.staged}}
	return p
}

func (r *real) clients() *inject.Clients {
	r.Helper()
	k := r.world.Keys["firedrill"]
	c, err := inject.Open(r.Context(), inject.Options{Endpoint: r.world.AWS, Region: r.world.Region, AccessKey: k.ID, Secret: k.Secret, Now: time.Now})
	if err != nil {
		r.Fatal(err)
	}
	return c
}

func (r *real) catalog() inject.Catalog {
	return inject.NewCatalog(r.clients(), inject.CatalogOptions{Timing: inject.SandboxTiming()})
}

// process is a new one: it shares nothing with those before but the journal and the world.
func (r *real) process(name string, store journal.Store) *drills.Engine {
	r.Helper()
	clients := r.clients()
	pager, err := observe.NewPagerDuty(observe.PagerOptions{Region: "us", API: r.world.Pager, Events: r.world.Events, Token: r.world.Token,
		From: r.world.From, Bots: []string{r.world.Bot}, Now: time.Now})
	if err != nil {
		r.Fatal(err)
	}
	return &drills.Engine{Store: store, Clock: realClock{}, Holder: journal.Holder{Host: name, Boot: "b", PID: 1}, Steps: &drills.Steps{
		World: drills.World{
			Catalog: inject.NewCatalog(clients, inject.CatalogOptions{Timing: inject.SandboxTiming()}),
			Caller: func(ctx context.Context) (drills.Caller, error) {
				c, err := clients.Identity(ctx)
				return drills.Caller{Account: c.Account, ARN: c.ARN, Alias: c.Alias, Region: r.world.Region}, err
			},
			Pager:  pager,
			Secret: func(_ context.Context, ref string) (string, error) { return ref, nil },
			Clock:  realClock{},
		},
		Env: &drills.Environment{Name: "sandbox", AWS: drills.AWSSpec{Account: r.world.Account, Regions: []string{r.world.Region}},
			Tags: map[string]string{"environment": "sandbox", "firedrill": "allowed"}, Sandbox: &drills.SandboxRef{}},
		Outcome: outcomeOf,
	}}
}

func (r *real) start(ctx context.Context, e *drills.Engine) (*drills.State, error) {
	p := *r.plan
	return e.Start(ctx, &p, journal.Brief{Drill: p.Drill, Environment: p.Environment, PageWhen: p.Page.When})
}

// asBefore fails unless the world is: what people configured, nothing of ours, strangers' messages, our page resolved.
func (r *real) asBefore() {
	r.Helper()
	now, err := r.stage.Look(context.WithoutCancel(r.Context()))
	if err != nil {
		r.Fatal(err)
	}
	if d := r.before.Difference(now); d != "" {
		r.Errorf("the world is not as before:\n%s", d)
	}
	for deadline := time.Now().Add(8 * time.Second); ; { // the pager takes in now and acts later
		open, err := r.open()
		if err != nil {
			r.Fatal(err)
		}
		if open == "" {
			return
		}
		if time.Now().After(deadline) {
			r.Errorf("our page is still open: %s", open)
			return
		}
		_ = realClock{}.Wait(r.Context(), 100*time.Millisecond)
	}
}

// open names an incident that is not resolved, or says that the pager has not acted on everything yet.
func (r *real) open() (string, error) {
	if idle, err := r.stage.PagerIdle(context.WithoutCancel(r.Context())); !idle || err != nil {
		return "the pager still works", err
	}
	incidents, err := r.stage.Incidents(context.WithoutCancel(r.Context()))
	for _, in := range incidents {
		if in.Status != "resolved" {
			return fmt.Sprintf("%s is %s: %s", in.ID, in.Status, in.Title), err
		}
	}
	return "", err
}

// ended fails unless the run has ended with nothing in place and its targets are free for the next drill.
func (r *real) ended(st *drills.State, err error) {
	r.Helper()
	switch {
	case err != nil:
		r.Errorf("run: %v", err)
	case st == nil || !st.Finished || len(st.InPlace()) > 0:
		r.Errorf("run did not end with nothing in place: %+v", st)
	}
	r.asBefore()
	if err := r.free(); err != nil {
		r.Errorf("the next drill cannot begin: %v", err)
	}
}

// free says why another run could not begin on the same targets.
func (r *real) free() error {
	p := *r.plan
	p.Run = "01nextrun"
	var refused string
	e := r.process("next", r.store)
	e.Watch = func(events []journal.Event) {
		for _, ev := range events {
			if ev.Kind == journal.GuardRefused {
				refused = ev.Fact.Reason + ": " + ev.Fact.Why
			}
		}
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	inner := e.Watch
	e.Watch = func(events []journal.Event) {
		inner(events)
		if strings.Contains(fmt.Sprint(kinds(events)), string(journal.GuardPassed)) {
			cancel()
		}
	}
	if _, err := e.Start(ctx, &p, journal.Brief{Drill: p.Drill}); err != nil {
		return err
	}
	if refused != "" {
		return errors.New(refused)
	}
	return nil
}

// abyss ends a process at one of its appends, or loses everything from there on.
type abyss struct {
	*journal.Memory
	at     point
	lose   bool // fail instead of dying
	mu     sync.Mutex
	seen   int
	fallen bool
}

// point is a place in a run: the n-th action of a verb, before or after its record is durable.
type point struct {
	verb  drills.Verb
	n     int
	after bool
}

func (p point) String() string {
	side := "before"
	if p.after {
		side = "after"
	}
	return fmt.Sprintf("%s-%s-%d", side, p.verb, p.n)
}

func (a *abyss) Append(ctx context.Context, run string, after int64, gen int, b journal.Batch) error {
	verb, _, _ := strings.Cut(b.Action, "/")
	a.mu.Lock()
	if verb == string(a.at.verb) && !a.fallen {
		a.seen++
	}
	here := !a.fallen && a.seen == a.at.n
	a.mu.Unlock()
	if here && a.at.after {
		if err := a.Memory.Append(ctx, run, after, gen, b); err != nil {
			return err
		}
	}
	if here {
		a.mu.Lock()
		a.fallen = true
		a.mu.Unlock()
		if !a.lose {
			runtime.Goexit() // no deferred recover of ours catches a death
		}
	}
	if err := a.gone(); err != nil {
		return err
	}
	return a.Memory.Append(ctx, run, after, gen, b)
}

func (a *abyss) gone() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.fallen {
		return errDisk
	}
	return nil
}

func (a *abyss) Renew(ctx context.Context, l journal.Lease, ttl time.Duration, now time.Time) (journal.Lease, error) {
	if err := a.gone(); err != nil {
		return l, err
	}
	return a.Memory.Renew(ctx, l, ttl, now)
}

func (a *abyss) Release(ctx context.Context, l journal.Lease) error {
	if err := a.gone(); err != nil {
		return err
	}
	return a.Memory.Release(ctx, l)
}

// until runs f, which the abyss may end.
func until(f func()) (died bool) {
	died = true
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
		died = false
	}()
	<-done
	return died
}
