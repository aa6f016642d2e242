package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// Lever is the safety lever of an environment: while it is pulled nothing starts there, and every run unwinds.
type Lever struct {
	Environment string
	Pulled      bool
	By, Why     string
	At          time.Time
	Until       time.Time // it lets go by itself then; zero: only a person lets it go
}

// ReadLever reads an environment's lever. One that nobody ever pulled is not pulled.
func ReadLever(ctx context.Context, s journal.Store, environment string, now time.Time) (Lever, error) {
	events, err := s.Load(ctx, journal.LeverRun(environment), journal.Start)
	if err != nil {
		return Lever{}, fmt.Errorf("read the safety lever of %s: %w", environment, err)
	}
	return foldLever(environment, events, now), nil
}

func foldLever(environment string, events []journal.Event, now time.Time) Lever {
	l := Lever{Environment: environment}
	for _, e := range events {
		switch e.Kind {
		case journal.LeverPulled:
			l.Pulled, l.By, l.Why, l.At, l.Until = true, e.Fact.By, e.Fact.Why, e.At, time.Time{}
			if e.Fact.Value != nil {
				l.Until = *e.Fact.Value
			}
		case journal.LeverReleased:
			l.Pulled = false
		}
	}
	if l.Pulled && !l.Until.IsZero() && !now.Before(l.Until) {
		l.Pulled = false
	}
	return l
}

// PullLever pulls an environment's lever: l says by whom, why, when and until when.
func PullLever(ctx context.Context, s journal.Store, l Lever) error {
	e := journal.Event{Kind: journal.LeverPulled, At: l.At, Fact: journal.Fact{By: l.By, Why: l.Why}}
	if !l.Until.IsZero() {
		e.Fact.Value = &l.Until
	}
	return moveLever(ctx, s, l.Environment, e)
}

// ReleaseLever lets an environment's lever go.
func ReleaseLever(ctx context.Context, s journal.Store, l Lever) error {
	return moveLever(ctx, s, l.Environment, journal.Event{Kind: journal.LeverReleased, At: l.At, Fact: journal.Fact{By: l.By, Why: l.Why}})
}

func moveLever(ctx context.Context, s journal.Store, environment string, e journal.Event) error {
	at, _, err := journal.Tail(ctx, s, journal.Position{Run: journal.LeverRun(environment), After: journal.Start})
	if err == nil {
		action := fmt.Sprintf("%s/%d", e.Kind, e.At.UnixNano())
		_, _, err = journal.Record(ctx, s, at, journal.Batch{Action: action, Events: []journal.Event{e}})
	}
	if err != nil {
		return fmt.Errorf("move the safety lever of %s: %w", environment, err)
	}
	return nil
}

// refusal is the lever's no; nil where it is not pulled.
func (l Lever) refusal() *Refusal {
	if !l.Pulled {
		return nil
	}
	return later("lever", "firedrill halt --release --env "+l.Environment, "%s", l)
}

func (l Lever) String() string {
	if !l.Pulled {
		return "the safety lever of " + l.Environment + " is not pulled"
	}
	text := fmt.Sprintf("the safety lever of %s was pulled by %s at %s: %s", l.Environment, l.By, l.At.UTC().Format(time.RFC3339), l.Why)
	if !l.Until.IsZero() {
		text += " (until " + l.Until.UTC().Format(time.RFC3339) + ")"
	}
	return text
}

// checkLever: while anybody holds the lever, ours or that of AWS FIS, nothing starts.
func (st *Steps) checkLever(ctx context.Context, p *Plan, f *found) *Refusal {
	f.facts["lever"] = "ok"
	if st.Lever != nil {
		l, err := st.Lever(ctx)
		if err != nil {
			return refuse("lever", "look at the store", "%v", err)
		}
		if r := l.refusal(); r != nil {
			return r
		}
	}
	if st.World.Lever == nil {
		return nil
	}
	engaged, why, err := st.World.Lever(ctx)
	switch {
	case errors.Is(err, observe.ErrLeverUnread):
		f.warning("AWS FIS's safety lever may not be read (fis:GetSafetyLever): it is not honoured")
		f.facts["fis_lever"] = "unread"
	case err != nil:
		return refuse("lever", "try again, or take fis:GetSafetyLever from the role where it is not to count", "read AWS FIS's safety lever: %v", err)
	case engaged:
		return later("lever", "aws fis update-safety-lever-state --id default --state status=disengaged,reason=…", "AWS FIS's safety lever of account %s is engaged: %s", p.Account, why)
	}
	return nil
}

// readLever tells during a run that AWS FIS's lever was engaged meanwhile. What cannot be read pulls nothing.
func (st *Steps) readLever(ctx context.Context) []journal.Event {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	engaged, why, err := st.World.Lever(ctx)
	if errors.Is(err, observe.ErrLeverUnread) {
		st.looked.mu.Lock()
		st.looked.leverless = true // asking again would only fill CloudTrail
		st.looked.mu.Unlock()
	}
	if err != nil || !engaged {
		return nil
	}
	return []journal.Event{{Kind: journal.AbortRequested, At: st.World.Clock.Now(), Fact: journal.Fact{Reason: ReasonLever,
		Why: "AWS FIS's safety lever is engaged: " + why}}}
}

// halted asks during a run whether somebody has pulled the environment's lever. A store that cannot be read ends the
// run by itself, and before anything is in place the guard refuses.
func (r *running) halted(ctx context.Context) (l Lever) {
	if r.lost != nil || !r.state.Guarded || r.state.Stop != nil || r.state.Finished || r.state.Plan.Environment == "" {
		return l
	}
	l, _ = ReadLever(ctx, r.Store, r.state.Plan.Environment, r.Clock.Now())
	return l
}
