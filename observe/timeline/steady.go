package timeline

import (
	"slices"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// goodRounds is how many rounds in a row must be good for a recovery to be believed.
const goodRounds = 3

// steadyFold reads the rounds of the steady state: all its probes, read in one poll.
type steadyFold struct {
	labels []string

	seq    int64
	action string
	seen   []string
	round  round

	felt      bool      // there was a round with a good or a bad answer
	bad       bool      // a round was bad
	good      int       // rounds in a row since, all good
	first     span      // the first of them
	last      time.Time // when the last look that was bad began: it was bad at some moment of it
	mitigated *span
}

// round is one look at all steady probes.
type round struct {
	any, bad, unknown bool
	at                time.Time
	from              time.Time // when the last of its looks that were bad began
}

// add folds a reading of a steady probe.
func (s *steadyFold) add(e journal.Event) {
	if s.round.any && (s.seq != e.Seq || s.action != e.Action) {
		s.close()
	}
	s.seq, s.action = e.Seq, e.Action
	r := &s.round
	r.any = true
	r.bad = r.bad || e.Fact.Reading == "bad"
	r.unknown = r.unknown || (e.Fact.Reading != "ok" && e.Fact.Reading != "bad")
	if e.At.After(r.at) {
		r.at = e.At
	}
	if from := begun(e); e.Fact.Reading == "bad" && from.After(r.from) {
		r.from = from
	}
	s.seen = append(s.seen, e.Fact.Probe)
}

// close ends the round that is open.
func (s *steadyFold) close() {
	r := s.round
	if !r.any {
		return
	}
	whole := true
	for _, l := range s.labels {
		whole = whole && slices.Contains(s.seen, l)
	}
	s.round, s.seen = round{}, s.seen[:0:0]
	s.felt = s.felt || r.bad || !r.unknown
	switch {
	case r.bad:
		s.bad, s.good, s.last = true, 0, r.from
	case r.unknown || !whole || !s.bad:
		s.good = 0
	default:
		if s.good++; s.good == 1 {
			s.first = exactly(r.at)
			if !s.last.IsZero() && s.last.Before(r.at) {
				s.first.lo = s.last
			}
		}
		if s.good == goodRounds && s.mitigated == nil {
			m := s.first
			s.mitigated = &m
		}
	}
}

// again begins anew when the fault is felt: what was good before proves no recovery.
func (s *steadyFold) again() {
	s.close()
	s.good, s.mitigated = 0, nil
}

// begun is when the look began that an event tells of. What it read held at some moment from then on: a look that took
// long says nothing of its end.
func begun(e journal.Event) time.Time {
	if e.Fact.LookedAt != nil && e.Fact.LookedAt.Before(e.At) {
		return *e.Fact.LookedAt
	}
	return e.At
}
