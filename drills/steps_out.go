package drills

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
)

// undoTime bounds one try at an undo: a try that hangs must not keep the others from theirs.
const undoTime = 2 * time.Minute

// settleTime is how long one try waits for the target to read back as before.
const settleTime = 30 * time.Second

func undoEvent(kind journal.Kind, fault string, u inject.Undo) journal.Event {
	raw, err := json.Marshal(u)
	if err != nil {
		return applyFailed(fault, fmt.Errorf("write undo of %s: %w", fault, err), true)
	}
	return journal.Event{Kind: kind, Fact: journal.Fact{Fault: fault, Undo: raw}}
}

// kindOf finds what puts a fault back, from its record alone.
func (st *Steps) kindOf(s *State, a Action) (inject.Kind, inject.Undo, error) {
	f, id := s.Faults[a.Fault], s.Plan.Faults[a.Fault].ID
	if f.Unreadable != "" {
		return inject.Kind{}, f.Undo, errors.New(f.Unreadable)
	}
	kind, ok := st.World.Catalog[f.Undo.Kind]
	if !ok {
		return kind, f.Undo, fmt.Errorf("put back %s: this program knows no kind %q", id, f.Undo.Kind)
	}
	return kind, f.Undo, nil
}

// revert is one try at putting a fault back.
func (st *Steps) revert(ctx context.Context, s *State, a Action) journal.Event {
	began := st.World.Clock.Now()
	how, items, err := st.tryRevert(ctx, s, a)
	if err != nil {
		e := st.revertFailed(s, a, err)
		e.Fact.Facts = itemFacts(items)
		return e
	}
	if how == inject.NeverApplied && !s.Faults[a.Fault].AppliedAt.IsZero() {
		how = inject.AlreadyRestored // it was applied: somebody has taken it back, our marks included
	}
	return journal.Event{Kind: journal.FaultReverted, Fact: journal.Fact{
		Fault: s.Plan.Faults[a.Fault].ID, How: string(how), LookedAt: &began, Facts: itemFacts(items)}}
}

func (st *Steps) tryRevert(ctx context.Context, s *State, a Action) (inject.Outcome, []inject.Item, error) {
	kind, u, err := st.kindOf(s, a)
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, undoTime)
	defer cancel()
	if err := st.sameTarget(ctx, kind, u); err != nil {
		return "", nil, err
	}
	if kind.Account != nil {
		return kind.Account(ctx, u)
	}
	how, err := kind.Revert(ctx, u)
	return how, nil, err
}

// itemFacts is what became of each thing that an undo answers for, as the journal keeps it.
func itemFacts(items []inject.Item) map[string]string {
	if len(items) == 0 {
		return nil
	}
	facts := map[string]string{}
	for _, i := range items {
		text := string(i.End)
		if i.Copies > 1 {
			text += fmt.Sprintf(", %d copies", i.Copies)
		}
		if i.Why != "" {
			text += ": " + i.Why
		}
		facts[i.Name] = text
	}
	return facts
}

// sameTarget: another account's resource of that name is never touched. Nothing else may refuse an undo, so an
// identity that cannot be read is no reason.
func (st *Steps) sameTarget(ctx context.Context, kind inject.Kind, u inject.Undo) error {
	c, unknown := st.whoami(ctx)
	if unknown == nil && u.Target.Account != "" && c.Account != u.Target.Account {
		return fmt.Errorf("put back %s: these credentials stand in account %s, it is in %s", u.Target.ARN, c.Account, u.Target.Account)
	}
	if unknown == nil && u.Target.Region != "" && c.Region != "" && c.Region != u.Target.Region {
		return fmt.Errorf("put back %s: this process looks at region %s, it is in %s", u.Target.ARN, c.Region, u.Target.Region)
	}
	arn, _, err := kind.Identity(ctx, u.Target)
	if errors.Is(err, inject.ErrGone) && unknown != nil {
		return fmt.Errorf("put back %s: it is not to be found, but whether this is its account is unknown: %w", u.Target.ARN, unknown)
	}
	if err == nil && arn != "" && arn != u.Target.ARN {
		return fmt.Errorf("put back %s: found %s in its place", u.Target.ARN, arn)
	}
	return nil
}

func (st *Steps) revertFailed(s *State, a Action, err error) journal.Event {
	e := journal.Event{Kind: journal.FaultRevertFailed, At: st.World.Clock.Now(), Fact: journal.Fact{
		Fault: s.Plan.Faults[a.Fault].ID, Err: err.Error()}}
	if s.impatient(a.Fault, e.At) {
		e.Fact.Reason = reasonPatience
	}
	return e
}

// settledInARow is how many looks must find the target as before: one may be late, or lie.
const settledInARow = 3

// settlePause is between two looks that both found it so.
const settlePause = 200 * time.Millisecond

// settle reads the target back against the snapshot, for a while; what does not read back is reverted again.
func (st *Steps) settle(ctx context.Context, s *State, a Action) journal.Event {
	kind, u, err := st.kindOf(s, a)
	if err != nil {
		return st.revertFailed(s, a, err)
	}
	deadline := st.World.Clock.Now().Add(settleTime)
	look, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for good := 0; ; {
		ok, why, err := kind.Settled(look, u)
		if good++; !ok || err != nil {
			good = 0
		}
		if good >= settledInARow {
			return journal.Event{Kind: journal.FaultSettled, Fact: journal.Fact{Fault: s.Plan.Faults[a.Fault].ID, Why: why}}
		}
		if now := st.World.Clock.Now(); good == 0 && (!now.Before(deadline) || s.impatient(a.Fault, now)) {
			if err == nil {
				err = fmt.Errorf("read back: %s", why)
			}
			return st.revertFailed(s, a, err)
		}
		rest := settlePause
		if good == 0 {
			rest = 500 * time.Millisecond
		}
		if err := st.World.Clock.Wait(look, rest); err != nil {
			return st.revertFailed(s, a, err)
		}
	}
}
