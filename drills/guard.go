package drills

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// Refusal is a guard's worded no. Nothing has been changed.
type Refusal struct {
	Code  string // which check: account, region, tags, window, …
	Why   string
	Try   string
	Later bool // not now (75), instead of: something must be mended (4)
	// Next is the next time it could be, as far as that is known; zero: nobody knows. Only where Later.
	Next time.Time
	// Waits is what it waits for where nobody knows when that will be: "the incident is resolved".
	Waits string
}

func (r *Refusal) Error() string { return "not injecting: " + r.text() }

// text is the reason, with the next time it could be.
func (r *Refusal) text() string {
	if when := r.When(); when != "" {
		return r.Why + "; next: " + when
	}
	return r.Why
}

// When tells the next time it could be, for people: on the clock of the window and of UTC, or by what it waits for; empty
// where time mends nothing.
func (r *Refusal) When() string {
	switch {
	case !r.Later:
		return ""
	case !r.Next.IsZero():
		return clockText(r.Next)
	case r.Waits != "":
		return "when " + r.Waits
	case r.Code == "open_incident":
		return "when it is resolved"
	}
	return "when that has passed"
}

// at says when it could be next; zero: beyond what the calendars were read for.
func (r *Refusal) at(next time.Time) *Refusal {
	if r.Next = next; next.IsZero() {
		r.Waits = fmt.Sprintf("the calendars allow it again, which is not within %d days", horizonDays)
	}
	return r
}

// until says what it waits for where nobody knows when that will be.
func (r *Refusal) until(what string) *Refusal {
	r.Waits = what
	return r
}

func refuse(code, try, why string, args ...any) *Refusal {
	return &Refusal{Code: code, Why: fmt.Sprintf(why, args...), Try: try}
}

func later(code, try, why string, args ...any) *Refusal {
	r := refuse(code, try, why, args...)
	r.Later = true
	return r
}

// event is the refusal as the journal keeps it.
func (r *Refusal) event() journal.Event {
	e := journal.Event{Kind: journal.GuardRefused, Fact: journal.Fact{Reason: r.Code, Why: r.text(), Try: r.Try}}
	if r.Later {
		e.Fact.Facts = map[string]string{"when": "later"}
		if !r.Next.IsZero() {
			e.Fact.Facts["next"] = r.Next.UTC().Format(time.RFC3339)
		}
	}
	return e
}

// guard runs every check anew, right before the first change, and takes the targets.
func (st *Steps) guard(ctx context.Context, s *State) []journal.Event {
	st.clocks.start(ctx, st.sources(&s.Plan), s.Plan.Pace.Clock) // takes a second or so, side by side with everything else
	found, refusal := st.check(ctx, &s.Plan)
	if refusal != nil {
		return []journal.Event{refusal.event()}
	}
	arns := s.Plan.Leases()
	slices.Sort(arns)
	var held *journal.HeldError
	if err := st.Lease(ctx, arns); errors.As(err, &held) {
		return []journal.Event{heldRefusal(held.Lease).event()}
	} else if err != nil {
		return []journal.Event{refuse("lease", "look at the store", "take leases: %v", err).event()}
	}
	return []journal.Event{{Kind: journal.GuardPassed, Fact: journal.Fact{Facts: found.facts}}}
}

func heldRefusal(l journal.Lease) *Refusal {
	return later("lease", "firedrill recover "+l.Run, "%s belongs to run %s, which has not ended (%s)", l.Name, l.Run, l.Holder).until("that run has ended")
}

// Held says no when a target of the plan belongs to another run among these leases: that run has not ended, and what
// it changed would be taken for what was there before. It only compares; a run takes its targets for good.
func (p *Plan) Held(leases []journal.Lease) *Refusal {
	arns := p.Leases()
	for _, l := range leases {
		if l.Run != p.Run && slices.Contains(arns, l.Name) {
			return heldRefusal(l)
		}
	}
	return nil
}

// found is what the checks learned on their way, for the journal and for who reads the plan.
type found struct {
	facts   map[string]string
	service *observe.ServiceCheck
	warn    []string
}

func (f *found) warning(text string, args ...any) {
	f.warn = append(f.warn, fmt.Sprintf(text, args...))
}

// check asks everything that may forbid a change; it only reads. Any doubt refuses. What must be mended comes before
// what passes with time, and what costs nothing to ask before what does.
func (st *Steps) check(ctx context.Context, p *Plan) (*found, *Refusal) {
	f := &found{facts: map[string]string{}}
	if st.Env == nil {
		return f, refuse("environment", "name one with --env", "no environment is known here")
	}
	return f, st.inTurn(ctx, p, f, st.checkAccount, st.checkCredentials, st.checkClock, st.checkDeadman, st.checkStore, st.checkLever, st.checkWindow, st.checkTargets, st.checkAlarms, st.checkStop, st.checkPager, st.checkRest, st.checkCalm)
}

// inTurn asks one check after the other, up to the first that says no. A plan that is made ahead of its time is made to
// its end: what only passes with time is told when nothing else is in the way.
func (st *Steps) inTurn(ctx context.Context, p *Plan, f *found, checks ...func(context.Context, *Plan, *found) *Refusal) (not *Refusal) {
	for _, check := range checks {
		r := check(ctx, p, f)
		if r != nil && !st.passes(r) {
			return r
		}
		not = cmp.Or(not, r)
	}
	return not
}

// passes says that a refusal does not keep a plan from being made to its end.
func (st *Steps) passes(r *Refusal) bool { return st.Ahead && r.Later }
