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

// foldLever finds the pull that holds the longest: only letting go ends one before its time.
func foldLever(environment string, events []journal.Event, now time.Time) Lever {
	held := Lever{Environment: environment}
	for _, e := range events {
		switch e.Kind {
		case journal.LeverPulled:
			l := Lever{Environment: environment, Pulled: true, By: e.Fact.By, Why: e.Fact.Why, At: e.At}
			if e.Fact.Value != nil {
				l.Until = *e.Fact.Value
			}
			if over := !l.Until.IsZero() && !now.Before(l.Until); !over && !held.outlasts(l) {
				held = l
			}
		case journal.LeverReleased:
			held = Lever{Environment: environment}
		}
	}
	return held
}

func (l Lever) outlasts(o Lever) bool {
	return l.Pulled && (l.Until.IsZero() || !o.Until.IsZero() && !l.Until.Before(o.Until))
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
	r := later("lever", "firedrill halt --release --env "+l.Environment, "%s", l).until("it is let go")
	r.Next = l.Until
	return r
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
	ctx, cancel := context.WithTimeout(ctx, leverTime)
	defer cancel()
	engaged, why, err := st.World.Lever(ctx)
	switch {
	case errors.Is(err, observe.ErrLeverUnread):
		f.warning("%v: it is not honoured", err)
		f.facts["fis_lever"] = "unread"
	case err != nil:
		return later("lever", "try again", "%v", err).until("it can be read")
	case engaged:
		return later("lever", "aws fis update-safety-lever-state --id default --state status=disengaged,reason=…", "AWS FIS's safety lever of account %s is engaged: %s", p.Account, why).until("it is disengaged")
	}
	return nil
}

// readLever tells during a run that AWS FIS's lever was engaged meanwhile. What cannot be read pulls nothing.
func (st *Steps) readLever(ctx context.Context) []journal.Event {
	ctx, cancel := context.WithTimeout(ctx, leverTime)
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

// leverTime bounds one look at AWS FIS's lever: it must hold nothing up.
const leverTime = 3 * time.Second

// halted asks during a run whether somebody has pulled the environment's lever. A store that cannot be read ends the
// run by itself, and right before the first change the guard refuses.
func (r *running) halted(ctx context.Context) (l Lever) {
	s, now := r.state, r.Clock.Now()
	if r.lost != nil || s.Stop != nil || s.Finished || s.Plan.Environment == "" || (!s.Guarded && !now.Before(s.due(0))) {
		return l
	}
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	l, _ = ReadLever(ctx, r.Store, s.Plan.Environment, now)
	return l
}

// halt ends the run where the lever is pulled. A run that is putting back already does nothing else.
func (r *running) halt(ctx context.Context) {
	if r.lost != nil || r.state.Undoing {
		return
	}
	l := r.halted(ctx)
	if !l.Pulled {
		return
	}
	e := journal.Event{Kind: journal.AbortRequested, At: r.Clock.Now(), Fact: journal.Fact{Reason: ReasonLever, Why: l.String(), By: l.By}}
	if err := r.record(ctx, "halt/"+itoa(r.at.Gen), []journal.Event{e}); err != nil {
		r.lose(err)
	}
}
