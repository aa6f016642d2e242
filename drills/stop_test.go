package drills_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// flicker is an alarm that rang and fell silent between two looks: only its history tells.
type flicker struct {
	moods
	s *stage
}

func (f flicker) History(_ context.Context, name string, _ time.Time) ([]observe.Transition, error) {
	now := f.s.clock.Now()
	return []observe.Transition{
		{Alarm: name, From: "OK", To: "ALARM", At: now.Add(-300 * time.Millisecond)},
		{Alarm: name, From: "ALARM", To: "OK", At: now.Add(-200 * time.Millisecond)}}, nil
}

// A stop condition that rings ends the drill, also when it is silent again before anybody looks; an alarm that rings
// when everything is put back already does not change how the drill ended.
func TestStopConditionRingsBetweenTwoLooks(t *testing.T) {
	for _, during := range []bool{true, false} {
		s := newStage(t)
		e := s.engine(1)
		s.plan.Stop = []drills.PlannedProbe{{Label: "alarm customers-hurt", Alarm: "customers-hurt"}}
		begin, rings := s.clock.Now(), time.Time{}
		e.Steps.World.Alarms = flicker{moods{"customers-hurt", func() (string, time.Time) {
			broken := s.w.get("a") == "broken" && s.w.get("b") == "broken" && s.clock.Now().Sub(begin) > 3*time.Second
			over := s.w.asBefore() && s.clock.Now().Sub(begin) > 3*time.Second
			if rings.IsZero() && ((during && broken) || (!during && over)) {
				rings = s.clock.Now()
			}
			if rings.IsZero() {
				return "OK", begin.Add(-time.Hour)
			}
			return "OK", rings
		}}, s}
		st, err := s.start(context.Background(), e)
		s.check(t, st, err)
		if rings.IsZero() {
			t.Fatal("it never rang")
		}
		stopped := st.Stop != nil && st.Stop.Reason == drills.ReasonStop && strings.Contains(st.Stop.Why, "customers-hurt")
		if stopped != during {
			t.Errorf("rings during the drill %t: stop %+v, fired %+v", during, st.Stop, first(st, journal.AlarmFired, ""))
		}
	}
}
