package responder

import (
	"context"
	"fmt"
)

// finding is something that looks wrong in the account, and what the person would do about it.
type finding struct {
	said string                          // in a note, on seeing it
	fix  func(ctx context.Context) error // nil: leave it as it is
	done string                          // in a note, when it is fixed
}

// answer takes one incident from the buzz of the phone to its resolution.
func (r *Responder) answer(ctx context.Context, id string) {
	if !r.buzzed(ctx, id) || !wait(ctx, r.o.Pace.Acknowledge) {
		return
	}
	if r.tap(ctx, "acknowledge", id, "") != nil || !wait(ctx, r.o.Pace.Look) {
		return
	}
	found := r.investigate(ctx)
	if len(found) == 0 {
		_ = r.tap(ctx, "note", id, "nothing looks wrong at first sight, watching the alarms")
	}
	for _, f := range found {
		_ = r.tap(ctx, "note", id, f.said)
	}
	if !wait(ctx, r.o.Pace.Fix) {
		return
	}
	fixed := false
	for _, f := range r.investigate(ctx) { // somebody else may have been quicker
		if f.fix == nil {
			continue
		}
		if err := f.fix(ctx); err != nil {
			_ = r.tap(ctx, "note", id, fmt.Sprintf("tried, but: %v", err))
			continue
		}
		fixed = true
		_ = r.tap(ctx, "note", id, f.done)
	}
	r.watch(ctx, fixed)
	if ctx.Err() == nil {
		_ = r.tap(ctx, "resolve", id, "looks well again")
	}
}

// buzzed waits until the phone has told of the incident. An incident that leaves the triggered state first is
// somebody else's.
func (r *Responder) buzzed(ctx context.Context, id string) bool {
	for {
		told, open, err := r.notified(ctx, id)
		if err == nil && (told || !open) {
			return told && open
		}
		if !wait(ctx, r.o.Pace.Poll) {
			return false
		}
	}
}

// investigate looks at the tables, the load balancers, the policies and the dead letters. What cannot be seen is not found.
func (r *Responder) investigate(ctx context.Context) []finding {
	var all []finding
	for _, look := range []func(context.Context) ([]finding, error){r.tables, r.tablePolicies, r.rules, r.queuePolicies, r.deadLetters} {
		found, err := look(ctx)
		if err == nil {
			all = append(all, found...)
		}
	}
	return all
}

// watch waits until staging looks well and no alarm rings; or until it has looked well for a while, twice as long
// where nothing could be fixed: the alarm may ring on for what was left in place. At most until patience ends.
func (r *Responder) watch(ctx context.Context, fixed bool) {
	ctx, cancel := context.WithTimeout(ctx, r.o.Pace.Patience)
	defer cancel()
	step := r.o.Pace.Poll / 2
	need := int(r.o.Pace.Watch/step) + 1
	if !fixed {
		need *= 2
	}
	for good := 0; good < need; {
		good++
		if !r.well(ctx) {
			good = 0
		} else if quiet, err := r.quiet(ctx); err == nil && quiet {
			return
		}
		if !wait(ctx, step) {
			return
		}
	}
}
