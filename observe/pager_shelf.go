package observe

import (
	"slices"
	"sync"
)

// shelfSize is how many incidents' alerts are kept at most.
const shelfSize = 200

// alertShelf keeps the alerts of incidents that have not changed since, so that polling does not ask for them again
// and again: PagerDuty counts requests.
type alertShelf struct {
	mu   sync.Mutex
	kept map[string]shelved // by incident
}

type shelved struct {
	mark   string
	alerts []Alert
}

// get gives what is kept of an incident, if nothing changed and it is all there.
func (s *alertShelf) get(i incidentJSON) ([]Alert, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.kept[i.ID]
	if !ok || known.mark != i.mark() || i.UpdatedAt == "" || i.Counts.All != len(known.alerts) {
		return nil, false
	}
	return slices.Clone(known.alerts), true
}

// put keeps the alerts of an incident as it was told.
func (s *alertShelf) put(i incidentJSON, alerts []Alert) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil || len(s.kept) >= shelfSize {
		s.kept = map[string]shelved{}
	}
	s.kept[i.ID] = shelved{mark: i.mark(), alerts: slices.Clone(alerts)}
}
