package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/killtest"
)

// The phases of a drill in which a process may be killed.
const (
	wayIn     = "way in"         // from the start of the program until the last fault is recorded as applied
	held      = "fault in place" // until the undo begins
	wayOut    = "way out"        // the undo, until the process ends
	inRecover = "inside recover" // the same in another process, after the runner was killed with the fault in place
)

// Point is a place where a process is killed: a call of AWS that the sandbox holds, or an append of the journal.
type Point struct {
	Drill string `json:"drill"`
	Phase string `json:"phase"`
	// Call is "dynamodb UpdateTable", Nth which of them counted from the start of the phase's process; empty for appends.
	Call string `json:"call,omitempty"`
	Nth  int    `json:"nth,omitempty"`
	// Append is the action that is recorded, or take#1, release#1: a lease; empty for calls.
	Append string `json:"append,omitempty"`
	Reads  bool   `json:"reads,omitempty"` // a call that changes nothing: it is held once, as before and after are one
	Of     int    `json:"of,omitempty"`    // how many such calls the phase makes, where only the first is held
}

// Name is the point's name within its drill and phase.
func (p Point) Name() string {
	if p.Append != "" {
		return "append " + p.Append
	}
	return fmt.Sprintf("%s #%d", p.Call, p.Nth)
}

// traffic: an operation that a phase calls more often is our load or our looks; its first call stands for all.
const traffic = 6

// spans are when the phases of an undisturbed run ended.
type spans struct{ applied, undoing time.Time }

// spansOf reads them from the journal, whose clock is the sandbox's.
func spansOf(events []journal.Event) (s spans) {
	for _, e := range events {
		switch {
		case e.Kind == journal.FaultApplied:
			s.applied = e.At
		case e.Kind == journal.FaultReverted && s.undoing.IsZero():
			s.undoing = e.At
			if e.Fact.LookedAt != nil {
				s.undoing = *e.Fact.LookedAt
			}
		}
	}
	return s
}

func (s spans) phase(at time.Time) string {
	switch {
	case !at.After(s.applied):
		return wayIn
	case at.Before(s.undoing):
		return held
	}
	return wayOut
}

// callPoints are the calls of an undisturbed run, each where it can be met again: a write by its number, a read where
// its phase calls it first. What is also called while the fault is held, in numbers that nobody foresees, is not
// counted to on the way out: recover makes the same calls without that.
func callPoints(drill string, calls []killtest.Call, phaseOf func(time.Time) string) []Point {
	seen, within := map[string]int{}, map[string]int{}
	var points []Point
	for _, c := range calls {
		if c.By != "firedrill" {
			continue
		}
		p := Point{Drill: drill, Phase: phaseOf(c.At), Call: c.Service + " " + c.Operation, Reads: !c.Writes}
		seen[p.Call]++
		within[p.Phase+p.Call]++
		p.Nth = seen[p.Call]
		first := within[p.Phase+p.Call] == 1
		switch {
		case !first && (p.Reads || p.Phase == held):
		case p.Phase == wayOut && (p.Reads || within[held+p.Call] > 1):
		default:
			points = append(points, p)
		}
	}
	for i := range points {
		p := &points[i]
		if n := within[p.Phase+p.Call]; n > traffic || p.Reads && n > 1 || p.Phase == held && n > 1 {
			p.Of = n
		}
	}
	met := map[string]bool{}
	return slices.DeleteFunc(points, func(p Point) bool {
		again := p.Of > traffic && met[p.Phase+p.Call]
		met[p.Phase+p.Call] = true
		return again
	})
}

// appendPoints are the appends of one generation, and the leases around them.
func appendPoints(drill string, events []journal.Event, gen int) []Point {
	s, phase := spansOf(events), wayIn
	if gen > 1 {
		phase = inRecover
	}
	at := func(name string) Point { return Point{Drill: drill, Phase: phase, Append: name} }
	points := []Point{at("take#1")}
	last := ""
	for _, e := range events {
		if e.Gen != gen || e.Action == last {
			continue
		}
		last = e.Action
		if gen == 1 {
			phase = s.phase(e.At)
			if verb, _, _ := strings.Cut(e.Action, "/"); verb == "poll" && phase == wayOut {
				phase = held // a poll is recorded when it ends
			}
		}
		points = append(points, at(e.Action))
		if strings.HasPrefix(e.Action, "plan") {
			points = append(points, at("take#2")) // the first target's; recover has them already
		}
	}
	return append(points, at("release#1"), at("release#2"))
}

// Cell is one point, killed before or after it.
type Cell struct {
	Point
	When string `json:"when"`
}

// Name tells the cell from every other.
func (c Cell) Name() string {
	return c.Drill + " / " + c.Phase + " / " + c.Point.Name() + " / " + c.When
}

func cellsOf(points []Point) (cells []Cell) {
	for _, p := range points {
		cells = append(cells, Cell{p, "before"})
		if !p.Reads {
			cells = append(cells, Cell{p, "after"})
		}
	}
	return cells
}

// sample picks n cells, as evenly as can be from every drill, phase and kind of point; the seed says which.
func sample(cells []Cell, n int, shuffle func(n int, swap func(i, j int))) []Cell {
	shuffle(len(cells), func(i, j int) { cells[i], cells[j] = cells[j], cells[i] })
	rank, count := map[string]int{}, map[string]int{}
	for _, c := range cells {
		stratum := fmt.Sprint(c.Drill, c.Phase, c.Append == "", c.Reads)
		rank[c.Name()] = count[stratum]
		count[stratum]++
	}
	slices.SortStableFunc(cells, func(a, b Cell) int { return cmp.Compare(rank[a.Name()], rank[b.Name()]) })
	return cells[:min(n, len(cells))]
}
