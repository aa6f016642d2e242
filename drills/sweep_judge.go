package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
)

// known is what this journal knows of a run.
type known struct {
	state  *State // nil: it knows no such run
	holder string // who works on it; empty: nobody
	err    error  // it could not be asked
}

// known reads a run's record and its lease.
func (w *Sweep) known(ctx context.Context, run string) (k known) {
	if w.Store == nil || run == "" {
		return k
	}
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	events, err := w.Store.Load(ctx, run, journal.Start)
	if err != nil || len(events) == 0 {
		k.err = err
		return k
	}
	k.state = Fold(run, events)
	k.holder, k.err = held(ctx, w.Store, run, w.Holder, w.Steps.World.Clock.Now())
	return k
}

// held says who works on a run: a lease that has not ended, and whose holder is not provably dead.
func held(ctx context.Context, store journal.Store, run string, self journal.Holder, now time.Time) (string, error) {
	leases, err := store.Held(ctx, run)
	if err != nil {
		return "", fmt.Errorf("read leases of run %s: %w", run, err)
	}
	for _, l := range leases {
		if l.Name == journal.RunLease(run) && now.Before(l.Expires) && journal.Alive(l.Holder, self) != journal.Dead {
			return l.Holder.String(), nil
		}
	}
	return "", nil
}

// judge says who is to put a leftover back. What a living run holds is its own, and so is what may be the work of a run
// on another machine: nothing of a run is in place after its mark's time.
func (w *Sweep) judge(ctx context.Context, l inject.Leftover, k known) Swept {
	s := Swept{Leftover: l, By: KeeperMark}
	again := "firedrill recover --sweep --env " + w.Steps.Env.Name
	by := func(who Keeper, try, why string, args ...any) Swept {
		s.By, s.Try, s.Why = who, try, fmt.Sprintf(why, args...)
		return s
	}
	now := w.Steps.World.Clock.Now()
	switch {
	case k.err != nil:
		return by(KeeperRun, again, "whether its run lives is unknown: %v", k.err)
	case k.holder != "":
		return by(KeeperRun, "firedrill abort "+l.Mark.Run, "its run lives (%s)", k.holder)
	case k.state != nil && !k.state.over():
		return by(KeeperJournal, "firedrill recover "+l.Mark.Run, "the record of its run is here, and tells more than a mark")
	case k.state == nil && now.Before(l.Mark.Until) && !w.Force:
		return by(KeeperRun, again+" --force", "this journal does not know its run, which may be on somewhere else until %s", l.Mark.Until.UTC().Format(time.RFC3339))
	case l.Undo == nil && l.Schedule == "" && l.Selftest == "":
		return by(KeeperPerson, "", "%s", l.Why)
	}
	if why := w.guard(ctx, l); why != "" {
		return by(KeeperPerson, "", "%s", why)
	}
	return s
}

// guard says why a thing may not be touched on the word of its tags alone: it is not what it seems, or it does not carry
// the environment's tags, without which no drill would have changed it.
func (w *Sweep) guard(ctx context.Context, l inject.Leftover) string {
	if l.Undo == nil {
		return ""
	}
	own, tags, err := w.Steps.World.Leftovers.Identity(ctx, l)
	switch {
	case errors.Is(err, inject.ErrGone):
		return "" // what it stands on is gone; the undo knows what is left to do
	case err != nil:
		return "its tags cannot be read: " + err.Error()
	case own != l.Undo.Target.ARN:
		return fmt.Sprintf("found %s in its place", own)
	}
	if r := w.Steps.suits(own, tags); r != nil {
		return "no drill of this environment would have changed it: " + r.Why
	}
	return ""
}
