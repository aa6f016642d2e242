package cmd

import (
	"sync"
	"time"
)

// setBack is how much less than the machine ran the time of day must have moved before it counts as set back: less is
// the clock being disciplined.
const setBack = 500 * time.Millisecond

// steady is the time of day, but never set back. A laptop's sleep counts, as everybody's clock goes on meanwhile; one
// that is corrected backwards in the middle of a run makes neither its limit nor its lease longer.
type steady struct {
	now func() time.Time

	mu    sync.Mutex
	start time.Time // with the reading of the machine's own clock, which nobody sets and which stands still in a sleep
	wall  time.Duration
	ran   time.Duration
	gone  time.Duration
}

func newSteady(now func() time.Time) *steady { return &steady{now: now, start: now()} }

// Now is what everybody in the program takes for the time.
func (s *steady) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.now()
	return s.at(t.Round(0).Sub(s.start.Round(0)), t.Sub(s.start))
}

// at is the time when, since the start, the time of day has moved by wall and the machine has run for ran.
func (s *steady) at(wall, ran time.Duration) time.Time {
	moved, passed := wall-s.wall, ran-s.ran
	s.wall, s.ran = wall, ran
	if moved < passed-setBack {
		moved = passed
	}
	s.gone += max(moved, 0)
	return s.start.Round(0).Add(s.gone)
}
