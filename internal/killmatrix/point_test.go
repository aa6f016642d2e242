package main

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/killtest"
)

// second is a moment of an invented run: applied at 10, undone from 20.
func second(n int) time.Time { return time.Date(2026, 1, 1, 0, 0, n, 0, time.UTC) }

func call(at int, operation string, writes bool) killtest.Call {
	return killtest.Call{At: second(at), By: "firedrill", Service: "dynamodb", Operation: operation, Writes: writes}
}

func names(points []Point) (list []string) {
	for _, p := range points {
		list = append(list, p.Phase+": "+p.Name())
	}
	return list
}

// Every write has its point by its number; reads and traffic have one a phase; a new call gets its own by itself.
func TestCallsBecomePoints(t *testing.T) {
	calls := []killtest.Call{
		call(1, "DescribeTable", false), call(2, "DescribeTable", false), call(3, "UpdateTable", true), call(4, "BrandNew", true),
		call(11, "DescribeTable", false), call(12, "TagResource", true), call(13, "TagResource", true),
		call(21, "UpdateTable", true), call(22, "DescribeTable", false), call(23, "TagResource", true), call(24, "BrandNew", true),
		{At: second(5), By: "orders", Service: "dynamodb", Operation: "PutItem", Writes: true},
	}
	for i := range 9 {
		calls = append(calls, call(30+i, "Sweep", true))
	}
	got := names(callPoints("d", calls, spans{second(10), second(20)}.phase))
	want := []string{
		"way in: dynamodb DescribeTable #1", "way in: dynamodb UpdateTable #1", "way in: dynamodb BrandNew #1",
		"fault in place: dynamodb DescribeTable #3", "fault in place: dynamodb TagResource #1",
		"way out: dynamodb UpdateTable #2", "way out: dynamodb BrandNew #2", "way out: dynamodb Sweep #1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("points:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Every append has its point, in its phase, and another generation's has none.
func TestAppendsBecomePoints(t *testing.T) {
	event := func(at, gen int, action string, kind journal.Kind) journal.Event {
		return journal.Event{At: second(at), Gen: gen, Action: action, Kind: kind}
	}
	events := []journal.Event{
		event(1, 1, "plan", journal.RunPlanned), event(2, 1, "apply/throttle/0", journal.FaultApplied),
		event(3, 1, "poll/0", journal.ProbeRead), event(3, 1, "poll/0", journal.EffectRead),
		event(4, 1, "revert/throttle/0", journal.FaultReverted), event(5, 2, "take/2", journal.RunTaken),
	}
	got := names(appendPoints("d", events, 1))
	want := []string{"way in: append take#1", "way in: append plan", "way in: append take#2", "way in: append apply/throttle/0",
		"fault in place: append poll/0", "way out: append revert/throttle/0", "way out: append release#1", "way out: append release#2"}
	if !slices.Equal(got, want) {
		t.Errorf("points:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := names(appendPoints("d", events, 2)); !slices.Contains(got, "inside recover: append take/2") || slices.Contains(got, "inside recover: append plan") {
		t.Errorf("the second generation's: %q", got)
	}
}

// A sample has of everything, whatever the seed, and the same seed gives the same cells.
func TestSampleHasOfEverything(t *testing.T) {
	var points []Point
	for _, drill := range []string{"a", "b"} {
		for _, phase := range []string{wayIn, wayOut} {
			for n := range 10 {
				points = append(points, Point{Drill: drill, Phase: phase, Call: "x Y", Nth: n + 1}, Point{Drill: drill, Phase: phase, Append: string(rune('a' + n))})
			}
		}
	}
	pick := func(seed uint64) []Cell { return sample(cellsOf(points), 8, rand.New(rand.NewPCG(seed, 0)).Shuffle) }
	for seed := range uint64(20) {
		strata := map[string]bool{}
		for _, c := range pick(seed) {
			strata[c.Drill+c.Phase+c.Call] = true
		}
		if len(strata) != 8 {
			t.Errorf("seed %d: %d of 8 kinds of cells", seed, len(strata))
		}
	}
	if a, b := pick(3), pick(3); !slices.Equal(a, b) {
		t.Errorf("the same seed gives %v and %v", a, b)
	}
	if n := len(cellsOf([]Point{{Call: "x Read", Reads: true}, {Call: "x Write"}})); n != 3 {
		t.Errorf("a read and a write make %d cells, want 3", n)
	}
}
