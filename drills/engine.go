package drills

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// ErrUnrecorded means that everything was put back as far as it could be, and that the journal does not say so.
var ErrUnrecorded = errors.New("journal lost: what was done since is not recorded")

// Engine is the loop around Next: fold, decide, do, record, repeat. It owns one run at a time.
type Engine struct {
	Store journal.Store
	Steps *Steps
	Clock TimeKeeper
	// Holder is this process.
	Holder journal.Holder
	// Watch is told every event as it becomes part of the run; nil tells nobody.
	Watch func([]journal.Event)
	// Waiting is told, while another engine's lease must end first, until when; nil tells nobody.
	Waiting func(l journal.Lease)
}

// running is one run in the hands of this engine.
type running struct {
	*Engine
	state *State
	at    journal.Position
	lease *lease
	lost  error // why nothing is recorded any more
	told  bool  // that the run was interrupted

	audience *audience
}

// Start begins a run with its plan and sees it to its end. Cancelling ctx interrupts the run, which then puts
// everything back before Start returns. The error says that the record is not whole; State says how it went.
func (e *Engine) Start(ctx context.Context, p *Plan, brief journal.Brief) (*State, error) {
	planned, err := p.Planned(e.Clock.Now(), brief)
	if err != nil {
		return nil, err
	}
	l, err := e.take(ctx, p.Run)
	if err != nil {
		return nil, fmt.Errorf("start run %s: %w", p.Run, err)
	}
	r := &running{Engine: e, state: NewState(p.Run), lease: l, at: journal.Position{Run: p.Run, After: journal.Start, Gen: l.gen()}, audience: newAudience(e.Watch)}
	defer r.audience.close(context.WithoutCancel(ctx))
	if err := r.record(context.WithoutCancel(ctx), "plan", []journal.Event{planned}); err != nil {
		return nil, errors.Join(fmt.Errorf("start run %s: %w", p.Run, err), r.lease.release(context.WithoutCancel(ctx)))
	}
	return r.loop(ctx)
}

// Resume takes over a run that nobody works on and goes on where it stood.
func (e *Engine) Resume(ctx context.Context, run string) (*State, error) {
	return e.takeOver(ctx, run, nil)
}

// Recover takes over a run that nobody works on and puts everything back. A run that has ended with nothing in place
// is left alone. Where another engine's lease has not ended, it waits for the end; one whose holder lives is a
// *journal.HeldError.
func (e *Engine) Recover(ctx context.Context, run, reason, why string) (*State, error) {
	return e.takeOver(ctx, run, &journal.Event{Kind: journal.AbortRequested, Fact: journal.Fact{Reason: reason, Why: why}})
}

func (e *Engine) takeOver(ctx context.Context, run string, why *journal.Event) (*State, error) {
	s, at, err := e.read(ctx, run)
	if err != nil {
		return s, err
	}
	if s.over() {
		return s, e.Release(ctx, run) // it may have died before it let go
	}
	l, err := e.await(ctx, run)
	if err != nil && why != nil && e.unheld(ctx, run, err) {
		return e.unrecorded(ctx, s, at, err)
	}
	if err != nil {
		return s, err
	}
	if s, at, err = e.read(context.WithoutCancel(ctx), run); err != nil {
		return s, errors.Join(err, l.release(context.WithoutCancel(ctx)))
	}
	at.Gen = l.gen()
	r := &running{Engine: e, state: s, at: at, lease: l, audience: newAudience(e.Watch)}
	defer r.audience.close(context.WithoutCancel(ctx))
	events := []journal.Event{{Kind: journal.RunTaken, At: e.Clock.Now(), Fact: journal.Fact{Holder: e.Holder.String()}}}
	if s.Finished {
		events = append(events, journal.Event{Kind: journal.RunReopened, At: e.Clock.Now()})
	}
	if why != nil && s.Stop == nil {
		why.At = e.Clock.Now()
		events = append(events, *why)
	}
	if err := r.record(context.WithoutCancel(ctx), "take/"+itoa(at.Gen), events); err != nil {
		r.lose(err) // put back all the same: the world matters more than the paper
		for _, ev := range events {
			ev.Gen = at.Gen
			r.state.Add(ev)
		}
	}
	return r.loop(ctx)
}

// unheld says that a run's lease cannot be had because the journal takes nothing any more, a full disk say, and that
// nobody can be working on it: its holder is dead, or has not renewed in time.
func (e *Engine) unheld(ctx context.Context, run string, err error) bool {
	var held *journal.HeldError
	if errors.As(err, &held) || ctx.Err() != nil {
		return false
	}
	leases, err := e.Store.Held(ctx, run)
	for _, l := range leases {
		if l.Name == journal.RunLease(run) && e.Clock.Now().Before(l.Expires) && journal.Alive(l.Holder, e.Holder) != journal.Dead {
			return false
		}
	}
	return err == nil
}

// unrecorded puts a run back that can be read but not written: putting back never waits for paper.
func (e *Engine) unrecorded(ctx context.Context, s *State, at journal.Position, lost error) (*State, error) {
	r := &running{Engine: e, state: s, at: at, lease: &lease{e: e}, audience: newAudience(e.Watch)}
	defer r.audience.close(context.WithoutCancel(ctx))
	now := e.Clock.Now()
	s.Add(journal.Event{Kind: journal.RunTaken, Gen: s.Gen + 2, At: now, Fact: journal.Fact{Holder: e.Holder.String()}})
	if s.Finished {
		s.Add(journal.Event{Kind: journal.RunReopened, At: now})
	}
	r.lose(lost)
	return r.loop(ctx)
}

// read folds a run as it stands.
func (e *Engine) read(ctx context.Context, run string) (*State, journal.Position, error) {
	at, events, err := journal.Tail(ctx, e.Store, journal.Position{Run: run, After: journal.Start})
	if err == nil && len(events) == 0 {
		err = journal.ErrNoRun
	}
	if err != nil {
		return nil, at, fmt.Errorf("read run %s: %w", run, err)
	}
	return Fold(run, events), at, nil
}

// loop sees the run to its end. The way in runs on ctx, the way out on a context that nothing ends.
func (r *running) loop(ctx context.Context) (*State, error) {
	out := context.WithoutCancel(ctx)
	steps := r.Steps
	steps.Lease, steps.Fresh, steps.Tail, steps.Ended = r.takeTargets, r.lease.fresh, r.written, r.ended
	steps.Lever = func(ctx context.Context) (Lever, error) {
		return ReadLever(ctx, r.Store, r.state.Plan.Environment, r.Clock.Now())
	}
	in, stop := r.lease.keep(ctx)
	defer func() { <-steps.courier.home() }()
	defer steps.clocks.wait()
	defer stop()
	for broken := 0; ; {
		done, err := r.step(in, out)
		switch {
		case done:
			return r.state, r.end(out)
		case err == nil:
			broken = 0
			continue
		}
		if broken++; broken >= brokenSteps {
			return r.state, errors.Join(err, r.byHand(out), r.end(out))
		}
		r.lose(err) // our own mistake: go on unrecorded, putting back
	}
}

// brokenSteps is how often in a row our own code may panic before everything is put back without it.
const brokenSteps = 3

// step does the next thing. A panic in deciding, folding or recording is its error.
func (r *running) step(in, out context.Context) (done bool, err error) {
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("panic: %v", x)
		}
	}()
	r.catchUp(out)
	r.halt(out)
	if in.Err() != nil && !r.told && !r.state.Finished {
		r.interrupted(out, context.Cause(in))
	}
	a := Next(r.state, r.Clock.Now())
	switch a.Verb {
	case Done:
		return true, nil
	case Wait:
		r.pause(out, a.Until)
		return false, nil
	}
	work := in
	if a.wayOut() {
		work = out
	}
	events := r.Steps.Do(work, r.state, a)
	if err := r.record(out, a.ID, events); err != nil {
		r.lose(err)
		for _, e := range events {
			r.state.Add(e)
		}
	}
	return false, nil
}

// byHand puts back what may be in place when nothing can be decided any more: last in, first out, with patience.
func (r *running) byHand(ctx context.Context) (err error) {
	for i := len(r.state.Faults) - 1; i >= 0; i-- {
		if !r.state.Faults[i].open() {
			continue
		}
		a := r.state.act(Revert, i, 0)
		for try := 0; try < 10; try++ {
			if e := r.Steps.Do(ctx, r.state, a); e[0].Kind == journal.FaultReverted {
				r.state.Faults[i].Phase = Settled
				err = errors.Join(err, r.disarmByHand(ctx, i))
				break
			}
			_ = r.Clock.Wait(ctx, min(backoffFirst<<min(try, 5), backoffMost))
		}
	}
	if left := r.state.InPlace(); len(left) > 0 {
		err = errors.Join(err, fmt.Errorf("left in place: %v", left))
	}
	return err
}

// disarmByHand deletes the dead-man's switch of a fault that is put back.
func (r *running) disarmByHand(ctx context.Context, i int) error {
	if id := r.state.Plan.Faults[i].ID; r.state.switched(id) {
		if e := r.Steps.Do(ctx, r.state, r.state.act(Disarm, i, 0)); e[0].Kind != journal.DeadmanDisarmed {
			r.state.Faults[i].Phase = Stuck
			return fmt.Errorf("the dead-man's switch of %s may stand: %s", id, e[0].Fact.Err)
		}
	}
	return nil
}

// storeTime bounds one question to the journal: one that hangs is lost like one that fails.
const storeTime = 10 * time.Second

// catchUp folds what others wrote: an abort, a note. A run that somebody took over is lost to us: what we have done,
// we put back.
func (r *running) catchUp(ctx context.Context) {
	if r.lost != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	at, events, err := journal.Tail(ctx, r.Store, r.at)
	r.at = at
	r.fold(events)
	if err != nil {
		r.lose(err)
	}
}

// record makes events part of the run, or, once the journal is lost, of what this process knows of it.
func (r *running) record(ctx context.Context, action string, events []journal.Event) error {
	if r.lost != nil {
		for i := range events {
			events[i].Action, events[i].N = action, i
			r.state.Add(events[i])
		}
		r.watch(events)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	at, all, err := journal.Record(ctx, r.Store, r.at, journal.Batch{Action: action, Events: events})
	r.at = at
	r.fold(all)
	return err
}

func (r *running) fold(events []journal.Event) {
	for _, e := range events {
		r.state.Add(e)
	}
	r.watch(events)
}

func (r *running) watch(events []journal.Event) {
	if r.audience != nil && len(events) > 0 {
		r.audience.tell(events)
	}
}

// lose: strict on the way in, forgiving on the way out. No record, no fault; but putting back never waits for paper.
func (r *running) lose(err error) {
	if r.lost == nil {
		r.lost = err
	}
	r.state.stop(ReasonJournal, journal.Event{At: r.Clock.Now(), Fact: journal.Fact{Why: err.Error()}})
}

func (r *running) interrupted(ctx context.Context, cause error) {
	r.told = true
	e := interruptedEvent(cause)
	e.At = r.Clock.Now()
	if errors.Is(cause, journal.ErrStale) || errors.Is(cause, errLeaseLost) {
		r.lose(cause)
		return
	}
	if err := r.record(ctx, "interrupt/"+itoa(r.at.Gen), []journal.Event{e}); err != nil {
		r.lose(err)
	}
}

// pause waits on the way out, in pieces, so that what others write is seen within a second.
func (r *running) pause(ctx context.Context, until time.Time) {
	for left := until.Sub(r.Clock.Now()); left > 0; left = until.Sub(r.Clock.Now()) {
		if r.Clock.Wait(ctx, min(left, time.Second)) != nil || r.written(ctx) {
			return
		}
	}
}

// written says that somebody else has added to the run.
func (r *running) written(ctx context.Context) bool {
	if r.lost != nil {
		return false
	}
	tail, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	_, events, err := journal.Tail(tail, r.Store, r.at)
	return err != nil || len(events) > 0 || (!r.state.Undoing && r.halted(ctx).Pulled)
}

// ended says that somebody else has aborted the run, or taken it over.
func (r *running) ended(ctx context.Context) bool {
	if r.lost != nil {
		return false
	}
	tail, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	_, events, err := journal.Tail(tail, r.Store, r.at)
	return err != nil || slices.ContainsFunc(events, func(e journal.Event) bool { return e.Kind == journal.AbortRequested }) || r.halted(ctx).Pulled
}

// end lets go of what the run no longer needs. A target stays the run's own while anything is in place or unrecorded.
func (r *running) end(ctx context.Context) error {
	if r.lost != nil {
		_ = r.lease.release(ctx) // a journal that is lost is told once; the lease ends by itself
		return fmt.Errorf("run %s: %w: %w", r.state.Run, ErrUnrecorded, r.lost)
	}
	if len(r.state.InPlace()) > 0 {
		return r.lease.release(ctx)
	}
	return r.Release(ctx, r.state.Run)
}
