package drills_test

import (
	"errors"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/observe"
)

// A plan that is made ahead of its time, for somebody to approve, is made to its end; what must be mended is told before
// what only passes. A run looks at nothing when it is not the time.
func TestAhead(t *testing.T) {
	night := func(s *scene) { s.clock.t = s.clock.t.Add(12 * time.Hour) }
	for _, row := range []struct {
		name   string
		ahead  bool
		spoil  []func(*scene)
		code   string
		later  bool
		looked bool
	}{
		{"at night, for a run", false, []func(*scene){night}, "window", true, false},
		{"at night, ahead", true, []func(*scene){night}, "window", true, true},
		{"an open incident, ahead", true, []func(*scene){func(s *scene) {
			s.pager.open = []observe.Incident{{ID: "Q1", Title: "Disk full", Status: "triggered", Urgency: "high"}}
		}}, "open_incident", true, true},
		{"at night, and the key is missing", true, []func(*scene){night, func(s *scene) { delete(s.secrets, "env:ORDERS") }}, "key", false, true},
		{"at night, and the steady state does not hold", true, []func(*scene){night, func(s *scene) {
			s.reads["http https://orders.example.com/health"] = observe.Bad
		}}, "steady_state", false, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScene(t)
			for _, spoil := range row.spoil {
				spoil(s)
			}
			st := s.steps()
			st.Ahead = row.ahead
			v, err := st.Make(t.Context(), &s.spec, runID)
			var no *drills.Refusal
			if !errors.As(err, &no) || no.Code != row.code || no.Later != row.later {
				t.Errorf("it says %v (%+v), want %s", err, no, row.code)
			}
			if looked := len(v.Faults) > 0; looked != row.looked {
				t.Errorf("it looked at the target: %v", looked)
			}
			if _, err := v.Approve(no, "ann", s.clock.Now()); (err == nil) != row.looked {
				t.Errorf("its file: %v", err)
			}
		})
	}
}
