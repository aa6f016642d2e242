package debrief_test

import (
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

// A run that was ended early, before what it watches had its time, has not found it silent.
func TestARunThatWasCutShortFindsNothingSilent(t *testing.T) {
	at := time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)
	run := func(id string, day, stopped int, detectS float64) timeline.Timeline {
		zero := at.AddDate(0, 0, day)
		var events []journal.Event
		add := func(s int, k journal.Kind, f journal.Fact) {
			events = append(events, journal.Event{V: 1, Run: id, Seq: int64(len(events)), Gen: 1, Kind: k, At: zero.Add(time.Duration(s) * time.Second), Fact: f})
		}
		b := &journal.Brief{Drill: "d", Environment: "staging", PageWhen: "alarm", PageService: "P", Watch: []string{"alarm a"}, LimitS: 600, Faults: []journal.BriefFault{{ID: "f"}}}
		if detectS > 0 {
			b.Expect = []journal.Expectation{{Name: "detect", LimitS: detectS}}
		}
		add(0, journal.RunPlanned, journal.Fact{Brief: b})
		add(1, journal.FaultPrepared, journal.Fact{Fault: "f"})
		add(2, journal.FaultApplied, journal.Fact{Fault: "f"})
		add(10, journal.FaultEffective, journal.Fact{Fault: "f"})
		add(10+stopped, journal.AbortRequested, journal.Fact{Reason: "abort"})
		add(10+stopped, journal.FaultReverted, journal.Fact{Fault: "f", How: "restored"})
		add(11+stopped, journal.FaultSettled, journal.Fact{Fault: "f"})
		add(12+stopped, journal.RunFinished, journal.Fact{})
		return timeline.Of(events, zero.Add(time.Hour))
	}
	for name, x := range map[string]struct {
		stopped int
		detect  float64
		state   string
		tests   int
	}{
		"after two seconds":          {2, 120, debrief.NotDrilled, 0},
		"once it had had its time":   {130, 120, debrief.Silent, 1},
		"where nobody said how long": {2, 0, debrief.NotDrilled, 0},
	} {
		c := debrief.CoverageIn([]timeline.Timeline{run("01a", 1, x.stopped, x.detect)}).Environments[0].Cells[0]
		if c.State != x.state || c.Tests != x.tests {
			t.Errorf("%s: %+v", name, c)
		}
	}
}
