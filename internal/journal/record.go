package journal

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Position is how far a writer has read its run, and who it is: After is the last batch it knows (Start for none), Gen
// its generation, 0 for an outsider (a note, an abort, a webhook), whom nobody supersedes.
type Position struct {
	Run   string
	After int64
	Gen   int
}

// Record adds b to the run, at its end. Every writer uses it and nothing else.
//
// It returns the new position and every event between the old one and the new, those of others included, so that who
// folds them misses none. If somebody wrote first, Record reads what they wrote: if b is there already, by its action
// and generation, it is done; else it writes b behind it.
//
// ErrStale: an engine of a higher generation has taken the run over. It stays: the position returned never passes the
// taking. ErrNoRun: an outsider wrote to a run that nobody began. After any other error b may have been written all
// the same; to call again with the same position and action is safe and finds out.
func Record(ctx context.Context, s Store, at Position, b Batch) (Position, []Event, error) {
	var news []Event
	if at.Gen == 0 && at.After == Start && !begins(b) {
		var err error
		at, news, err = Tail(ctx, s, at)
		switch {
		case err != nil:
			return at, nil, fmt.Errorf("record %s of run %s: %w", b.Action, at.Run, err)
		case at.After == Start:
			return at, nil, fmt.Errorf("record %s of run %s: %w", b.Action, at.Run, ErrNoRun)
		case has(news, at.Gen, b.Action):
			return at, news, nil
		}
	}
	for try := 0; ; try++ {
		err := s.Append(ctx, at.Run, at.After, at.Gen, b)
		if err == nil {
			at.After++
			return at, append(news, stamped(at.Run, at.After, at.Gen, b)...), nil
		}
		if !errors.Is(err, ErrConflict) {
			return at, news, fmt.Errorf("record %s of run %s: %w", b.Action, at.Run, err)
		}
		stepAside(ctx, try)
		next, tail, terr := Tail(ctx, s, at)
		news = append(news, tail...)
		switch {
		case has(tail, at.Gen, b.Action):
			return next, news, nil
		case terr != nil:
			return next, news, fmt.Errorf("record %s of run %s: %w", b.Action, at.Run, terr)
		case next.After == at.After:
			return at, news, fmt.Errorf("record %s of run %s: position %d is taken but empty", b.Action, at.Run, at.After+1)
		}
		at = next
	}
}

// stepAside waits a moment of chance before who was in the way is read, longer with each try: many who write to one run
// at once would else meet each other at every position. The first time nobody waits.
func stepAside(ctx context.Context, try int) {
	if try == 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(rand.N(time.Millisecond << min(try, 11))): //nolint:gosec // to spread the writers, not to hide anything
	}
}

// Tail reads what stands behind a position and returns the position of its end. When an engine of a higher generation
// has taken the run over since, an engine gets what came before that, and ErrStale, now and whenever it asks again.
func Tail(ctx context.Context, s Store, at Position) (Position, []Event, error) {
	events, err := s.Load(ctx, at.Run, at.After)
	if err != nil {
		return at, nil, err
	}
	if at.Gen > 0 {
		taken := slices.IndexFunc(events, func(e Event) bool { return e.Kind == RunTaken && e.Gen > at.Gen })
		if taken >= 0 {
			seq := events[taken].Seq
			events = slices.DeleteFunc(events, func(e Event) bool { return e.Seq >= seq })
			err = ErrStale
		}
	}
	if len(events) > 0 {
		at.After = events[len(events)-1].Seq
	}
	return at, events, err
}

// has looks for the batch itself. Action names are derived and alike in every generation, so both must agree.
func has(events []Event, gen int, action string) bool {
	return slices.ContainsFunc(events, func(e Event) bool { return e.Gen == gen && e.Action == action })
}

// begins says whether b may be the first batch of an outsider: a plan begins a run, a pull the record of a lever.
func begins(b Batch) bool {
	return slices.ContainsFunc(b.Events, func(e Event) bool { return e.Kind == RunPlanned || e.Kind == LeverPulled })
}
