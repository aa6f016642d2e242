package aws

import (
	"encoding/json"
	"strings"
	"sync"
	"time"
)

// maxStale bounds how many different reads are remembered.
const maxStale = 256

// staleReads remembers what reads were answered, so that a stale knob can answer them so again.
type staleReads struct {
	mu     sync.Mutex
	turn   int
	writes map[string]writeMark
	seen   map[string]*answers
}

// writeMark is the last write of a service.
type writeMark struct {
	turn int
	at   time.Time
}

// answers are the last two answers of one read with a write between them.
type answers struct {
	last, before     any
	lastAt, beforeAt int
}

func newStaleReads() *staleReads {
	return &staleReads{writes: map[string]writeMark{}, seen: map[string]*answers{}}
}

func (s *staleReads) wrote(service string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn++
	s.writes[service] = writeMark{turn: s.turn, at: now}
}

// read remembers an answer.
func (s *staleReads) read(q *request, tree any) {
	key, ok := staleKey(q)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn++
	a := s.seen[key]
	if a == nil {
		if len(s.seen) >= maxStale {
			for k := range s.seen {
				delete(s.seen, k)
				break
			}
		}
		a = &answers{}
		s.seen[key] = a
	}
	if s.writes[q.service].turn > a.lastAt {
		a.before, a.beforeAt = a.last, a.lastAt
	}
	a.last, a.lastAt = tree, s.turn
}

// old is the answer from before the last write, if that is less than d ago and the read was asked then.
func (s *staleReads) old(q *request, now time.Time, d time.Duration) (any, bool) {
	key, ok := staleKey(q)
	if !ok {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	mark, wrote := s.writes[q.service]
	a := s.seen[key]
	if !wrote || a == nil || now.Sub(mark.at) >= d {
		return nil, false
	}
	if a.lastAt < mark.turn {
		return a.last, a.last != nil
	}
	if a.beforeAt < mark.turn {
		return a.before, a.before != nil
	}
	return nil, false
}

// staleKey names a read; reads of data, which are many and all different, have no key.
func staleKey(q *request) (string, bool) {
	if strings.HasSuffix(q.operation, "Item") || strings.HasPrefix(q.operation, "GetMetric") || q.operation == "Query" ||
		q.operation == "Scan" || q.operation == "ReceiveMessage" {
		return "", false
	}
	b, err := json.Marshal(jsonTree(q.input))
	return q.service + " " + q.operation + " " + string(b), err == nil
}
