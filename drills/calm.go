package drills

import (
	"context"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// What the last readings of a steady state say of it, in their Reason. Where the look was cut short they say nothing.
const (
	reasonSteady   = "steady"   // good three times in a row
	reasonUnsteady = "unsteady" // not once, for as long as the plan waits
)

const calmPause = 500 * time.Millisecond

// calmAtLeast is how long the steady state is given to come back, whatever the plan says of alarms.
const calmAtLeast = 10 * time.Second

// calm waits, after the undo, for the steady state to be good three times in a row and for watched alarms to be OK; at
// most the plan's settle. It names what is not. One good reading may be luck, and an unknown one is never good.
func (st *Steps) calm(ctx context.Context, s *State) (events []journal.Event) {
	began := st.World.Clock.Now()
	silence, judged := began.Add(s.Plan.Settle), began.Add(max(s.Plan.Settle, calmAtLeast))
	for good := 0; ; {
		last, ok := st.readSteady(ctx, s)
		var ringing []string
		if st.World.Alarms != nil {
			events = append(events, st.readAlarms(ctx, s)...)
			ringing = st.ringing(ctx, s)
		}
		if good++; !ok {
			good = 0
		}
		now, word := st.World.Clock.Now(), ""
		switch {
		case good >= goodInARow:
			word = reasonSteady
		case !now.Before(judged):
			word = reasonUnsteady
		}
		quiet := len(ringing) == 0 || !now.Before(silence)
		if word != "" && quiet || ctx.Err() != nil || st.ended(ctx) || st.World.Clock.Wait(ctx, calmPause) != nil {
			return append(events, calmed(last, ringing, word, now)...)
		}
	}
}

// readSteady reads every probe of the steady state once.
func (st *Steps) readSteady(ctx context.Context, s *State) (events []journal.Event, ok bool) {
	ok = true
	for _, p := range s.Plan.Steady {
		r := st.read(ctx, s.measured(p))
		events = append(events, readingEvent(journal.SteadyRead, p, journal.RoleSteady, r))
		ok = ok && r.Value == observe.OK
	}
	return events, ok
}

// ended says that somebody wants the run to end, or has taken it.
func (st *Steps) ended(ctx context.Context) bool { return st.Ended != nil && st.Ended(ctx) }

// calmed is the last look, with what it says of the steady state and the alarms that would not fall silent.
func calmed(last []journal.Event, ringing []string, word string, now time.Time) []journal.Event {
	if len(last) == 0 {
		last = []journal.Event{{Kind: journal.SteadyRead, At: now, Fact: journal.Fact{Role: journal.RoleSteady, Reading: string(observe.OK), Why: "no steady state is declared"}}}
	}
	for i := range last {
		last[i].Fact.Reason = word
	}
	if len(ringing) > 0 {
		last[len(last)-1].Fact.Left = ringing
	}
	return last
}

// calm folds what the end of a run says of the steady state: one that does not come back is dirty, for what we have put
// in place may not be all that we have changed. A recover looks again; a person who has looked ends it.
func (s *State) calm(e journal.Event) {
	switch e.Fact.Reason {
	case reasonSteady:
		s.Unsteady = false
	case reasonUnsteady:
		s.Unsteady = true
		s.Unwell = append(s.Unwell, fmt.Sprintf("the steady state is not back: %s is %s (%s)", e.Fact.Probe, e.Fact.Reading, e.Fact.Why))
	}
}
