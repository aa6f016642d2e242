package orders

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// kept is how many lines of its log the service keeps.
const kept = 20

// line is one of the service's log. What is said again at once only counts.
type line struct {
	At    time.Time `json:"at"` // of the last time
	Text  string    `json:"text"`
	Times int       `json:"times"`
	Error bool      `json:"error"`
}

// journal is the service's log: its last lines.
type journal struct {
	mu    sync.Mutex
	lines []line
}

// say writes a line. An id of a request in it is nobody's business: without it the same trouble is the same line.
func (j *journal) say(now time.Time, failed bool, text string) {
	before, after, found := strings.Cut(text, "RequestID: ")
	if found {
		_, after, _ = strings.Cut(after, ", ")
		text = before + after
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := len(j.lines) - 1; i >= max(0, len(j.lines)-3); i-- { // what comes in turns is not a line each either
		if l := &j.lines[i]; l.Text == text {
			l.At, l.Times = now, l.Times+1
			return
		}
	}
	j.lines = append(j.lines, line{now, text, 1, failed})
	if len(j.lines) > kept {
		j.lines = j.lines[1:]
	}
}

// Log answers GET with the service's last lines, the newest last.
func (s *Service) Log(w http.ResponseWriter, _ *http.Request) {
	s.log.mu.Lock()
	lines := append([]line{}, s.log.lines...)
	s.log.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(lines)
}
