package observe

import (
	"maps"
	"sync"
	"time"
)

const (
	settingsAge  = time.Minute // how long what people configured is taken for what it was
	settingsSize = 2000        // answers that are kept at most
)

// setting is an answer about what people configured: a body, or why there is none.
type setting struct {
	body []byte
	why  string // "402: the account's plan does not have this"
	at   time.Time
}

// settingsShelf keeps what people configured for a while, so that a run, which checks what its plan has checked a
// moment before, and drills on the same service do not ask for it again and again. A service's state, its windows and
// who is on call are never kept.
type settingsShelf struct {
	mu   sync.Mutex
	kept map[string]setting // by path
}

// get gives what is kept and not too old.
func (s *settingsShelf) get(path string, now time.Time) (setting, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.kept[path]
	age := now.Sub(known.at)
	return known, ok && age >= 0 && age < settingsAge
}

// put keeps what a check has learned.
func (s *settingsShelf) put(learned map[string]setting) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil || len(s.kept)+len(learned) > settingsSize {
		s.kept = map[string]setting{}
	}
	maps.Copy(s.kept, learned)
}
