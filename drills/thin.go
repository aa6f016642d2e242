package drills

import (
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// How much of readings that say the same again and again stays in memory. The journal keeps all of them.
const (
	thinApart = 30 * time.Second // one in so long stays, and always the last
	thinBack  = 64               // how far back the same is looked for
)

// remember keeps an event. Of readings that repeat themselves the first ones, the last one, and one in a while between
// them stay: an hour's hold would else be thousands of times the same, for each of the runs of a process.
func (s *State) remember(e journal.Event) {
	if i := s.repeats(e); i >= 0 {
		s.Events = append(s.Events[:i], s.Events[i+1:]...)
	}
	s.Events = append(s.Events, e)
}

// repeats is the place of the reading that e makes needless; -1: none. Three alike stay, for so many make a steady state.
func (s *State) repeats(e journal.Event) int {
	if e.Kind != journal.ProbeRead && e.Kind != journal.EffectRead {
		return -1
	}
	last, at, alike := -1, time.Time{}, 0
	for i := len(s.Events) - 1; i >= 0 && i >= len(s.Events)-thinBack; i-- {
		x := &s.Events[i]
		if x.Kind != e.Kind || x.Fact.Probe != e.Fact.Probe || x.Fact.Fault != e.Fact.Fault || x.Fact.Role != e.Fact.Role {
			continue
		}
		if x.Fact.Reading != e.Fact.Reading || x.Fact.Why != e.Fact.Why || x.Gen != e.Gen {
			return -1
		}
		switch alike++; alike {
		case 1:
			last, at = i, x.At
		case 2:
			if at.Sub(x.At) >= thinApart {
				return -1
			}
		case goodInARow:
			return last
		}
	}
	return -1
}
