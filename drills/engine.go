package drills

import (
	"context"
	"errors"
	"fmt"
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
	r := &running{Engine: e, state: NewState(p.Run), lease: l, at: journal.Position{Run: p.Run, After: journal.Start, Gen: l.gen()}}
	if err := r.record(ctx, "plan", []journal.Event{planned}); err != nil {
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
	if err != nil {
		return s, err
	}
	if s, at, err = e.read(ctx, run); err != nil {
		return s, errors.Join(err, l.release(context.WithoutCancel(ctx)))
	}
	at.Gen = l.gen()
	r := &running{Engine: e, state: s, at: at, lease: l}
	events := []journal.Event{{Kind: journal.RunTaken, At: e.Clock.Now(), Fact: journal.Fact{Holder: e.Holder.String()}}}
	if s.Finished {
		events = append(events, journal.Event{Kind: journal.RunReopened, At: e.Clock.Now()})
	}
	if why != nil && s.Stop == nil {
		why.At = e.Clock.Now()
		events = append(events, *why)
	}
	if err := r.record(ctx, "take/"+itoa(at.Gen), events); err != nil {
		r.lose(err) // put back all the same: the world matters more than the paper
		for _, ev := range events {
			ev.Gen = at.Gen
			r.state.Add(ev)
		}
	}
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
	steps.Lease, steps.Fresh, steps.Tail = r.takeTargets, r.lease.fresh, r.written
	in, stop := r.lease.keep(ctx)
	defer steps.clocks.wait()
	defer stop()
	for {
		r.catchUp(out)
		if in.Err() != nil && !r.told && !r.state.Finished {
			r.interrupted(out, context.Cause(in))
		}
		a := Next(r.state, r.Clock.Now())
		switch a.Verb {
		case Done:
			return r.state, r.end(out)
		case Wait:
			r.pause(out, a.Until)
			continue
		}
		work := in
		if a.wayOut() {
			work = out
		}
		events := steps.Do(work, r.state, a)
		if err := r.record(out, a.ID, events); err != nil {
			r.lose(err)
			for _, e := range events {
				r.state.Add(e)
			}
		}
	}
}

// catchUp folds what others wrote: an abort, a note. A run that somebody took over is lost to us: what we have done,
// we put back.
func (r *running) catchUp(ctx context.Context) {
	if r.lost != nil {
		return
	}
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
	if r.Watch != nil && len(events) > 0 {
		r.Watch(events)
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
	e := journal.Event{Kind: journal.AbortRequested, At: r.Clock.Now(), Fact: journal.Fact{Reason: ReasonInterrupted, Why: cause.Error()}}
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
	_, events, err := journal.Tail(ctx, r.Store, r.at)
	return err != nil || len(events) > 0
}

// end lets go of what the run no longer needs. A target stays the run's own while anything is in place or unrecorded.
func (r *running) end(ctx context.Context) error {
	if r.lost != nil {
		return errors.Join(fmt.Errorf("run %s: %w: %w", r.state.Run, ErrUnrecorded, r.lost), r.lease.release(ctx))
	}
	if len(r.state.InPlace()) > 0 {
		return r.lease.release(ctx)
	}
	return r.Release(ctx, r.state.Run)
}
