package drills

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// looked is what a process remembers of its own looks: when it looked last, and what stood there. None of it is
// needed to put anything back.
type looked struct {
	mu          sync.Mutex
	alarms      time.Time
	alarmSince  map[string]time.Time // StateTransitionedTimestamp as last seen
	lever       time.Time
	leverless   bool      // AWS FIS's lever may not be read
	pager       time.Time // the last whole look
	pagerTry    time.Time
	incidents   map[string]time.Time // when each was seen first
	held        map[string]time.Time // of those that wait for their alerts, when the look before that began
	pagerLost   time.Time            // since when the pager has not answered
	stopUnknown map[string]time.Time // since when a stop condition cannot be read
}

// patienceBlind is how long a run goes on without being able to read the pager or a stop condition.
const patienceBlind = 30 * time.Second

// poll runs the load and everything that looks, side by side, until the interval ends, somebody writes to the run, or
// an observer has seen reason to stop.
func (st *Steps) poll(ctx context.Context, s *State, a Action) []journal.Event {
	loadCtx, stop := context.WithCancel(ctx)
	defer stop()
	look, hurry := context.WithCancel(ctx)
	defer hurry()
	var wg, loads sync.WaitGroup
	in := &intake{}
	st.answer(ctx, s)
	for i := range s.Faults {
		if s.Faults[i].Phase == Applied {
			effect := &effect{id: s.Plan.Faults[i].ID, fault: &s.Faults[i]}
			in.effects = append(in.effects, effect)
			st.start(&loads, in, func() { st.load(loadCtx, s, i, a.For+lookTime, effect) })
			st.start(&wg, in, func() { st.verify(look, s, i, effect) })
		}
	}
	for _, list := range []struct {
		role   journal.Role
		probes []PlannedProbe
	}{{journal.RoleSteady, s.Plan.Steady}, {journal.RoleStop, s.Plan.Stop}, {journal.RoleWatch, s.Plan.Watch}} {
		for _, p := range list.probes {
			if list.role == journal.RoleWatch && !p.polled() {
				continue // alarms are read together, with the time of their transitions; incidents come from the pager
			}
			st.start(&wg, in, func() { in.add(st.probe(look, s.measured(p), list.role)) })
		}
	}
	now := st.World.Clock.Now()
	if st.World.Alarms != nil && !now.Before(st.looked.alarms.Add(s.Plan.Pace.Alarm)) {
		st.start(&wg, in, func() { in.add(st.readAlarms(look, s)...) })
	}
	if st.World.Pager != nil && !s.Started.IsZero() && !now.Before(st.looked.pagerTry.Add(s.Plan.Pace.Pager)) {
		st.start(&wg, in, func() { in.add(st.readPager(look, s)...) })
	}
	if st.World.Lever != nil && !st.looked.leverless && !now.Before(st.looked.lever.Add(s.Plan.Pace.Alarm)) {
		st.looked.lever = now
		st.start(&wg, in, func() { in.add(st.readLever(look)...) })
	}
	done := waited(&wg)
	soon(ctx, done)
	st.rest(ctx, a.Until, in)
	for !soon(ctx, done) && ctx.Err() == nil && !in.stopping() && !st.written(ctx) && !s.limitPassed(st.World.Clock.Now()) {
	}
	cut := !soon(ctx, done)
	hurry()
	<-done
	stop()
	loads.Wait()
	if cut || ctx.Err() != nil {
		in.dropUnknown()
	}
	events := append(in.events, st.clockEvents(ctx, s)...)
	events = append(events, st.tellPeople(ctx, s)...)
	for _, e := range in.effects {
		events = append(events, e.read()...)
	}
	slices.SortStableFunc(events, func(a, b journal.Event) int { return a.At.Compare(b.At) })
	if len(events) == 0 {
		events = []journal.Event{{Kind: journal.LoadRead}}
	}
	return events
}

// lookTime bounds one look at the world: a hanging one must not outlast a limit or an abort.
const lookTime = 10 * time.Second

// waited is closed when all of wg have ended.
func waited(wg *sync.WaitGroup) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		wg.Wait()
	}()
	return done
}

// soon gives done a moment, of real time: observers are mostly quick.
func soon(ctx context.Context, done <-chan struct{}) bool {
	t := time.NewTimer(250 * time.Millisecond)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-ctx.Done():
	case <-t.C:
	}
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// written says that somebody else has added to the run.
func (st *Steps) written(ctx context.Context) bool { return st.Tail != nil && st.Tail(ctx) }

// start runs one observer; a panic in it is a reading of its own, not the end of the run.
func (st *Steps) start(wg *sync.WaitGroup, in *intake, look func()) {
	wg.Add(1)
	go func() {
		defer wg.Done()
		defer func() {
			if r := recover(); r != nil {
				in.add(journal.Event{Kind: journal.AbortRequested, At: st.World.Clock.Now(), Fact: journal.Fact{
					Reason: ReasonEngine, Why: fmt.Sprintf("an observer panicked: %v", r)}})
			}
		}()
		look()
	}()
}

// rest waits for the end of the interval, looking at the journal's tail at least every half second.
func (st *Steps) rest(ctx context.Context, until time.Time, in *intake) {
	for {
		left := until.Sub(st.World.Clock.Now())
		if left <= 0 || in.stopping() || st.written(ctx) {
			return
		}
		if st.World.Clock.Wait(ctx, min(left, 500*time.Millisecond)) != nil {
			return
		}
	}
}

// intake gathers what the observers of one poll saw.
type intake struct {
	mu      sync.Mutex
	events  []journal.Event
	effects []*effect
}

func (in *intake) add(events ...journal.Event) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.events = append(in.events, events...)
}

func (in *intake) stopping() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.ContainsFunc(in.events, urgent)
}

// urgent: what stops the run, or asks something of it, waits for no interval to end.
func urgent(e journal.Event) bool {
	noted := e.Kind == journal.IncidentNoted || e.Kind == journal.IncidentNoteEdited
	return e.Kind == journal.AbortRequested || noted && len(Commands(e.Fact.Text)) > 0
}

// dropUnknown: a look that a signal cut short says nothing.
func (in *intake) dropUnknown() {
	in.events = slices.DeleteFunc(in.events, func(e journal.Event) bool { return e.Fact.Reading == string(observe.Unknown) })
}

// load sends our own traffic; each first answer of a kind is a look.
func (st *Steps) load(ctx context.Context, s *State, i int, d time.Duration, to *effect) {
	fault, err := st.fault(s.Plan.Faults[i])
	loader, ok := fault.(inject.Loader)
	if err != nil || !ok {
		return
	}
	l, err := loader.Load(ctx, s.Faults[i].Undo, d)
	if err != nil && ctx.Err() == nil {
		l.Why = err.Error()
	}
	to.add(l.Looks...)
	to.loaded(l)
}

// verify is one request of its own.
func (st *Steps) verify(ctx context.Context, s *State, i int, to *effect) {
	fault, err := st.fault(s.Plan.Faults[i])
	v, ok := fault.(inject.Verifier)
	if err != nil || !ok {
		return
	}
	look := inject.TimedLook{From: st.World.Clock.Now()}
	bounded, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	r, err := v.Verify(bounded, s.Faults[i].Undo)
	if err != nil {
		r = inject.Reading{Felt: inject.Unknown, Why: err.Error()}
	}
	look.To, look.Reading = st.World.Clock.Now(), r
	if ctx.Err() == nil || r.Felt != inject.Unknown {
		to.add(look)
	}
}

// probe reads one probe; a stop condition that is bad, or that nobody can read, ends the drill.
func (st *Steps) probe(ctx context.Context, p PlannedProbe, role journal.Role) journal.Event {
	r := st.read(ctx, p)
	e := readingEvent(journal.ProbeRead, p, role, r)
	if role != journal.RoleStop {
		return e
	}
	blind := time.Duration(0)
	st.looked.mu.Lock()
	defer st.looked.mu.Unlock()
	if st.looked.stopUnknown == nil {
		st.looked.stopUnknown = map[string]time.Time{}
	}
	if since, was := st.looked.stopUnknown[p.Label]; r.Value == observe.Unknown && was {
		blind = r.To.Sub(since)
	} else if r.Value == observe.Unknown && ctx.Err() == nil {
		st.looked.stopUnknown[p.Label] = r.To
	} else {
		delete(st.looked.stopUnknown, p.Label)
	}
	if r.Value == observe.Bad || blind > patienceBlind {
		e.Kind, e.Fact.Reason = journal.AbortRequested, ReasonStop
		e.Fact.Why = fmt.Sprintf("stop condition %s is %s: %s", p.Label, r.Value, r.Why)
	}
	return e
}

func readingEvent(kind journal.Kind, p PlannedProbe, role journal.Role, r observe.Reading) journal.Event {
	e := journal.Event{Kind: kind, At: r.To, Fact: journal.Fact{
		Probe: p.Label, Role: role, Reading: string(r.Value), Why: r.Why, LookedAt: &r.From}}
	if !r.Since.IsZero() {
		e.Seen = &journal.Seen{At: r.Since, By: r.By, ErrorS: r.ErrorS}
	}
	return e
}

// read reads one probe; whatever goes wrong is unknown.
func (st *Steps) read(ctx context.Context, p PlannedProbe) (r observe.Reading) {
	r.From = st.World.Clock.Now()
	defer func() {
		if x := recover(); x != nil {
			r.Value, r.Why = observe.Unknown, fmt.Sprintf("probe panicked: %v", x)
		}
		r.From = cmp.Or(r.From, st.World.Clock.Now())
		if r.To.IsZero() {
			r.To = st.World.Clock.Now()
		}
	}()
	probe, err := st.World.Probe(p.Spec)
	if err != nil {
		return observe.Reading{Value: observe.Unknown, Why: err.Error(), From: r.From}
	}
	return probe.Read(ctx)
}
