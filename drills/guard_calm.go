package drills

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/observe"
)

// restAfterChange is how long a target is left alone after somebody changed it.
const restAfterChange = 5 * time.Minute

// calmTime bounds the looks at what moves, trailLook those at the account's trail, which answers slowly.
const (
	calmTime  = 10 * time.Second
	trailLook = 10 * time.Second
)

// checkCalm: what is being deployed, scaled or changed is left alone, and for five minutes after: what people would see
// then may be the change's doing, and what we would take for the state before may be half of it.
func (st *Steps) checkCalm(ctx context.Context, p *Plan, f *found) *Refusal {
	now := st.World.Clock.Now()
	rest := restAfterChange
	if sandbox := st.Env.Sandbox; sandbox != nil && !sandbox.Unhurried {
		rest = 0 // its shop and its responder never rest, and its minutes are seconds: what moves at the moment counts
	}
	targets := p.Leases()
	for _, pf := range p.Faults {
		u, r := st.unrest(ctx, pf)
		if r != nil {
			return r
		}
		for _, x := range u.Unseen {
			f.warning("whether %s is being changed could not be looked at: %s", pf.Target.ARN, x)
		}
		for _, arn := range u.Around {
			if arn != "" && !slices.Contains(targets, arn) {
				targets = append(targets, arn)
			}
		}
		if r := moved(u, now, rest); r != nil {
			return r
		}
	}
	if rest == 0 || st.World.Trail == nil {
		return nil
	}
	return st.trailed(ctx, targets, now, rest, f)
}

// unrest asks the fault what moves around its target; one that cannot tell has nothing to say.
func (st *Steps) unrest(ctx context.Context, pf PlannedFault) (inject.Unrest, *Refusal) {
	fault, err := st.fault(pf)
	if err != nil {
		return inject.Unrest{}, asRefusal(err)
	}
	c, ok := fault.(inject.Calmer)
	if !ok {
		return inject.Unrest{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, calmTime)
	defer cancel()
	u, err := c.Calm(ctx, pf.Target)
	if err != nil {
		return u, refuse("deploy", "look at the target and the credentials", "whether %s is being changed is unknown: %v", pf.Target.ARN, err)
	}
	return u, nil
}

// moved refuses while something moves, and until the latest change has rested.
func moved(u inject.Unrest, now time.Time, rest time.Duration) *Refusal {
	var last time.Time
	var what []string
	for _, m := range u.Moves {
		if m.At.IsZero() {
			return notNow(m.What, now.Add(max(rest, calmTime)))
		}
		if now.Sub(m.At) < rest {
			what = append(what, m.What+" at "+m.At.UTC().Format("15:04:05 MST"))
			last = maxOf(last, m.At)
		}
	}
	if len(what) == 0 {
		return nil
	}
	return notNow(strings.Join(what, "; "), last.Add(rest))
}

func notNow(what string, next time.Time) *Refusal {
	return later("deploy", "again when it has been done for "+short(restAfterChange)+", or wait for it with --wait", "%s", what).at(next)
}

// trailed asks CloudTrail who else changed the targets a moment ago. It tells late, by minutes: what it knows counts, and
// what it does not know proves nothing. Where it may not be read, that is said.
func (st *Steps) trailed(ctx context.Context, targets []string, now time.Time, rest time.Duration, f *found) *Refusal {
	bounded, cancel := context.WithTimeout(ctx, trailLook)
	defer cancel()
	changes, err := st.World.Trail.Changes(bounded, targets, now.Add(-rest), now)
	if err != nil {
		why := err
		if errors.Is(err, observe.ErrTrailUnread) {
			why = observe.ErrTrailUnread
		}
		f.warning("whether somebody has changed the targets in the last %s could not be looked at in CloudTrail: %v", short(rest), why)
	}
	var u inject.Unrest
	for _, c := range changes {
		if c.Failed || c.How == observe.ByFiredrill || tags(c.Event) {
			continue
		}
		who := c.By
		if who == "" {
			who = "somebody"
		}
		u.Moves = append(u.Moves, inject.Motion{What: who + " called " + c.Event + " on " + c.Target, At: c.At})
	}
	return moved(u, now, rest)
}

// tags says that a call only tags: what a target is called changes nothing of it.
func tags(event string) bool {
	return slices.Contains([]string{"TagResource", "UntagResource", "TagQueue", "UntagQueue", "AddTags", "RemoveTags"}, event)
}

func maxOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
