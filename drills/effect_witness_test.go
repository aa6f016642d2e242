package drills

import (
	"testing"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
)

// A metric that tells late is placed within its first period in a row and after the change, with a bar as wide as the
// period; the record names the metric. What it says later is of its newest period.
func TestAWitnessIsPlacedWithinItsPeriod(t *testing.T) {
	t0 := time.Date(2026, 3, 2, 10, 0, 30, 0, time.UTC) // applied half way through a minute
	minute := func(n int) time.Time { return t0.Truncate(time.Minute).Add(time.Duration(n) * time.Minute) }
	told := func(felt inject.Tri, n, began int) inject.TimedLook {
		asked := t0.Add(3 * time.Minute)
		return inject.TimedLook{From: asked, To: asked.Add(time.Second), Reading: inject.Reading{Felt: felt, Why: "HTTP_Fixed_Response_Count was 12",
			Witness: "HTTP_Fixed_Response_Count", From: minute(n), To: minute(n + 1), Began: minute(began)}}
	}
	f := &FaultState{AppliedAt: t0, LastNo: t0.Add(2 * time.Minute)}
	e := &effect{id: "error", fault: f}
	e.add(told(inject.Yes, 1, 0))
	var edge *journal.Event
	for _, x := range e.read() {
		switch x.Kind {
		case journal.EffectRead:
			if x.Fact.Facts["witness"] != "HTTP_Fixed_Response_Count" || !x.Fact.LookedAt.Equal(minute(1)) {
				t.Errorf("the look is kept as %+v", x.Fact)
			}
		case journal.FaultEffective:
			edge = &x
		}
	}
	if edge == nil {
		t.Fatal("no edge")
	}
	if edge.Seen == nil || !edge.Seen.At.Equal(minute(0).Add(30*time.Second)) || edge.Seen.ErrorS != 30 || edge.Seen.By != "aws" || !edge.Fact.LookedAt.Equal(t0) {
		t.Errorf("the edge is %+v seen %+v", edge.Fact, edge.Seen)
	}

	// that it ceased lies after the beginning of the last period that felt it
	f.Effective = edge.At
	e = &effect{id: "error", fault: f}
	e.add(told(inject.No, 2, 2))
	events := e.read()
	if n := len(events); n != 2 || events[1].Kind != journal.FaultCeased || !events[0].Fact.LookedAt.Equal(minute(2)) {
		t.Errorf("%+v", events)
	}
}
