package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// Steps is the only place that touches the world: it carries out one action and says, as events, what happened. It
// decides nothing and records nothing. Errors are facts like any others.
type Steps struct {
	World World
	// Env holds the guards. It may be nil in a process that only puts back.
	Env *Environment
	// Ahead makes plans to their end although they may not run now: for people who look at them before.
	Ahead bool
	// Lease takes the targets for the run before its first change; a *journal.HeldError says who has one.
	Lease func(ctx context.Context, arns []string) error
	// Fresh renews the run's lease and returns until when it holds: calls that change something end before.
	Fresh func(ctx context.Context) (until time.Time, err error)
	// Tail says whether somebody else has written to the run; a poll ends early then.
	Tail func(ctx context.Context) bool
	// Ended says whether somebody has aborted the run or taken it over since.
	Ended func(ctx context.Context) bool
	// Lever reads the environment's safety lever; nil where there is no store to read it from.
	Lever func(ctx context.Context) (Lever, error)
	// Outcome tells how a run ended, from its events.
	Outcome func(events []journal.Event, now time.Time) string

	caller     Caller
	callerRead time.Time
	looked     looked
	clocks     clocks
	courier    courier

	days     *Calendar // what was read of the holidays
	daysWarn []string
	daysRead time.Time
}

// Do carries out one action. A panic in a fault, a probe or the pager is that step's error.
func (st *Steps) Do(ctx context.Context, s *State, a Action) (events []journal.Event) {
	defer func() {
		if r := recover(); r != nil {
			err := fmt.Errorf("%s: panic: %v", a.ID, r)
			events = []journal.Event{st.failed(s, a, err)}
			if a.Verb == Revert || a.Verb == Settle || a.Verb == Disarm {
				events = []journal.Event{st.revertFailed(s, a, err)}
			}
			if a.Verb == Disarm { // the fault reads back as before: it is not in place again
				events[0].Kind = journal.DeadmanDisarmFailed
			}
		}
		if ctx.Err() != nil && (a.Verb == Guard || a.Verb == Steady || a.Verb == Prepare) {
			events = []journal.Event{interruptedEvent(context.Cause(ctx))} // nothing was changed, and no check has really spoken
		}
		for i := range events {
			if events[i].At.IsZero() {
				events[i].At = st.World.Clock.Now()
			}
		}
	}()
	switch a.Verb {
	case Guard:
		return st.guard(ctx, s)
	case Steady:
		return st.steady(ctx, s)
	case Prepare, Stage, Apply:
		return []journal.Event{st.change(ctx, s, a)}
	case Page:
		return []journal.Event{st.page(ctx, s)}
	case Arm:
		return []journal.Event{st.arm(ctx, s, a)}
	case Disarm:
		return []journal.Event{st.disarm(ctx, s, a)}
	case Poll:
		return st.poll(ctx, s, a)
	case Hear:
		return st.hear(ctx, s)
	case Revert:
		return []journal.Event{st.revert(ctx, s, a)}
	case Settle:
		return []journal.Event{st.settle(ctx, s, a)}
	case ResolvePage:
		return []journal.Event{st.resolvePage(ctx, s)}
	case PageOwner:
		return []journal.Event{st.pageOwner(ctx, s)}
	case Calm:
		return st.calm(ctx, s)
	case HandBack:
		return st.handBack(ctx, s)
	case Finish:
		return []journal.Event{st.finish(s)}
	}
	return nil
}

// failed is the event of an action that went wrong in a way it did not foresee.
func (st *Steps) failed(s *State, a Action, err error) journal.Event {
	e := journal.Event{Fact: journal.Fact{Err: err.Error(), Why: err.Error()}}
	if a.Fault >= 0 && a.Fault < len(s.Plan.Faults) {
		e.Fact.Fault = s.Plan.Faults[a.Fault].ID
	}
	switch a.Verb {
	case Prepare, Stage, Arm, Apply:
		e.Kind = journal.FaultApplyFailed
	case Revert, Settle:
		e.Kind = journal.FaultRevertFailed
	case Page:
		if e.Kind = journal.PageSent; s.PageTries+1 >= pageTries {
			e.Kind, e.Fact.Reason = journal.AbortRequested, ReasonPager
		}
	case PageOwner:
		e.Kind, e.Fact.Role = journal.PageSent, rolePageOwner
	case HandBack:
		e.Kind = journal.LoadRead // they are not told, and that is all that is lost
	case ResolvePage:
		e.Kind = journal.PageResolved
	case Calm:
		e.Kind, e.Fact.Reading = journal.SteadyRead, string(observe.Unknown)
	case Finish:
		e.Kind, e.Fact.Outcome = journal.RunFinished, "failed"
		if e.Fact.Left = s.InPlace(); len(e.Fact.Left) > 0 {
			e.Fact.Outcome = "dirty"
		}
	default:
		e.Kind, e.Fact.Reason = journal.AbortRequested, ReasonEngine
	}
	return e
}

// stepTime bounds a single call to the world on the way in.
const stepTime = 30 * time.Second

// change makes the undo, stages or applies one fault: each an action of its own, so that the undo is durable before
// anything is changed.
func (st *Steps) change(ctx context.Context, s *State, a Action) journal.Event {
	p, f := s.Plan.Faults[a.Fault], s.Faults[a.Fault]
	fail := func(err error, definite bool) journal.Event {
		e := st.failed(s, a, err)
		e.Fact.Definite = definite
		return e
	}
	fault, err := st.fault(p)
	if err != nil {
		return fail(err, true)
	}
	looking, done := context.WithTimeout(ctx, stepTime)
	refusal := st.guardTarget(looking, p)
	done()
	if refusal != nil && ctx.Err() != nil {
		return interruptedEvent(context.Cause(ctx)) // it refuses what it could not read any more
	}
	if refusal != nil {
		return refusal.event()
	}
	if s.limitPassed(st.World.Clock.Now()) {
		return fail(fmt.Errorf("%s %s: the limit has passed", a.Verb, p.ID), true)
	}
	if a.Verb == Prepare {
		ctx, cancel := context.WithTimeout(ctx, stepTime)
		defer cancel()
		began := st.World.Clock.Now()
		if !s.Started.IsZero() {
			began = s.Started // the limit is the run's: a fault that comes later ends no later
		}
		mark := inject.Mark{Run: s.Run, Fault: p.ID, Until: began.Add(s.Plan.Limit)}
		u, err := fault.Prepare(ctx, mark, st.World.Clock.Now())
		var no *inject.Refusal
		if errors.As(err, &no) {
			return (&Refusal{Code: "fault", Why: no.Why, Try: no.Try, Later: no.Later}).event()
		} else if err != nil {
			return fail(fmt.Errorf("prepare %s: %w", p.ID, err), true)
		}
		return undoEvent(journal.FaultPrepared, p.ID, u)
	}
	return st.issue(ctx, a, p, f.Undo, fault)
}

// issue makes the call that changes something: within Late, and within a lease that was just renewed.
func (st *Steps) issue(ctx context.Context, a Action, p PlannedFault, u inject.Undo, fault inject.Fault) journal.Event {
	ctx, cancel, err := st.issuing(ctx)
	if err != nil {
		return applyFailed(p.ID, fmt.Errorf("%s %s: %w", a.Verb, p.ID, err), true)
	}
	defer cancel()
	if a.Verb == Stage {
		staged, ok := fault.(inject.Staged)
		if !ok {
			return applyFailed(p.ID, fmt.Errorf("stage %s: %s cannot be staged", p.ID, p.Kind), true)
		}
		u, err = staged.Stage(ctx, u)
	} else {
		err = fault.Apply(ctx, u)
	}
	var no *inject.Definite
	if err != nil {
		return applyFailed(p.ID, fmt.Errorf("%s %s: %w", a.Verb, p.ID, err), errors.As(err, &no))
	}
	if a.Verb == Stage {
		return undoEvent(journal.FaultStaged, p.ID, u)
	}
	return journal.Event{Kind: journal.FaultApplied, Fact: journal.Fact{Fault: p.ID}}
}

// issuing is the context of a call that changes something.
func (st *Steps) issuing(ctx context.Context) (context.Context, context.CancelFunc, error) {
	now := st.World.Clock.Now()
	until, err := st.Fresh(ctx)
	if err == nil && until.Sub(now) < Late {
		err = fmt.Errorf("lease ends in %s, a change may take %s", until.Sub(now), Late)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("renew lease: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, Late)
	return ctx, cancel, nil
}

func applyFailed(id string, err error, definite bool) journal.Event {
	return journal.Event{Kind: journal.FaultApplyFailed, Fact: journal.Fact{Fault: id, Err: err.Error(), Definite: definite}}
}

func (st *Steps) fault(p PlannedFault) (inject.Fault, error) {
	kind, ok := st.World.Catalog[p.Kind]
	if !ok {
		return nil, fmt.Errorf("fault %s: no kind %q in this program", p.ID, p.Kind)
	}
	return kind.New(p.Params)
}

// finish tells how it ended.
func (st *Steps) finish(s *State) journal.Event {
	e := journal.Event{Kind: journal.RunFinished, At: st.World.Clock.Now()}
	e.Fact.Left, e.Fact.ByHand = st.left(s), st.byHand(s)
	if s.Stop != nil {
		e.Fact.Reason, e.Fact.Why = s.Stop.Reason, s.Stop.Why
	}
	e.Fact.Outcome = st.Outcome(append(s.Events[:len(s.Events):len(s.Events)], e), e.At)
	return e
}

// left describes what is still in place, for whoever has to put it back by hand.
func (st *Steps) left(s *State) (left []string) {
	left = append(left, s.Unwell...)
	for i := range s.Faults {
		f := &s.Faults[i]
		if !f.open() {
			continue
		}
		line := fmt.Sprintf("%s (%s) on %s: %s", s.Plan.Faults[i].ID, s.Plan.Faults[i].Kind, f.Undo.Target.ARN, f.Err)
		if f.ReadBack {
			left = append(left, line+"; it reads back as before, but its dead-man's switch may stand")
			continue
		}
		for _, c := range st.describe(f.Undo) {
			line += fmt.Sprintf("; %s was %s, we made it %s", c.What, c.Before, c.During)
		}
		left = append(left, line)
	}
	return left
}

// byHand lists the commands with which a person puts back what is left.
func (st *Steps) byHand(s *State) (lines []string) {
	for i := range s.Faults {
		f := &s.Faults[i]
		if !f.open() {
			continue
		}
		if kind, ok := st.World.Catalog[f.Undo.Kind]; ok && kind.ByHand != nil && !f.ReadBack {
			lines = append(lines, kind.ByHand(f.Undo)...)
		}
		if !s.switched(s.Plan.Faults[i].ID) {
			continue
		}
		list, _ := st.schedules(s, i)
		for _, x := range list {
			lines = append(lines, "aws scheduler delete-schedule --name "+x.Name+" --region "+f.Undo.Target.Region)
		}
	}
	return lines
}

// describe never fails: it is asked when everything else has.
func (st *Steps) describe(u inject.Undo) (changes []inject.Change) {
	defer func() {
		if recover() != nil {
			changes = nil
		}
	}()
	if kind, ok := st.World.Catalog[u.Kind]; ok && kind.Describe != nil {
		return kind.Describe(u)
	}
	return nil
}

func interruptedEvent(cause error) journal.Event {
	return journal.Event{Kind: journal.AbortRequested, Fact: journal.Fact{Reason: ReasonInterrupted, Why: cause.Error()}}
}
