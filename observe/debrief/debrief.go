// Package debrief tells what a run, or many, have taught: the debrief people fill in together, the report of a drill's
// trend, and the metrics. All of it is folded from timelines; nothing here looks at the world.
package debrief

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// Debrief is one run as people talk about it.
type Debrief struct {
	Timeline timeline.Timeline
	Summary  string    // a paragraph anyone can read
	Story    []Step    // what happened, in order of time
	Picture  []string  // the intervals as bars, one line each
	Moments  []Moment  // the seven instants
	Expect   []Promise // met or missed
	Changes  []Change  // what was changed and how it was put back; diverged first
	Notes    []Note    // the scribe's record
	Crappy   []string  // what facts already say
	Asks     []Ask     // what only people can say
	Awesome  []string
	Actions  []string

	Hearing []timeline.Hearing // was the page heard?
	Idle    []journal.Risk     // what the plan warned of, and nothing came of it
	Traces  []timeline.Trace   // the incidents' way through people's hands
	Ladder  []Told             // the same as a table
	First   []string           // who acknowledged first, where it was not a person
	Mended  timeline.Mitigation
	Hints   Hints
	Said    Said  // what people answered to the questions at the end
	Wall    Wall  // what they put on the wall, in notes and answers
	Echo    *Echo // the incident that ended the drill, and what to write where it was an echo of it
}

// Step is one line of the story.
type Step struct {
	At      time.Time
	T       time.Duration // since t0
	Text    string
	Instant timeline.Name // set where this is one of the seven
}

// Moment is one of the seven instants, or why there is none.
type Moment struct {
	timeline.Instant
	Interval timeline.Interval // the one that ends in it
	Means    string
}

// Promise is one expectation as it turned out.
type Promise struct{ timeline.Verdict }

// Change is one fault: before, during, and how it was put back.
type Change struct{ timeline.Fault }

// Of makes the debrief of a run.
func Of(t timeline.Timeline) Debrief {
	d := Debrief{Timeline: t, Summary: summary(t), Asks: asks(t)}
	for _, e := range t.Entries() {
		if noted(e.Kind) {
			d.Notes = record(d.Notes, t, e)
			continue
		}
		if e.Kind == journal.AnswerGiven {
			continue
		}
		d.Story = append(d.Story, Step{e.At, e.T, e.Text, e.Name})
	}
	slices.SortStableFunc(d.Story, func(a, b Step) int { return a.At.Compare(b.At) })
	for i, x := range t.Instants {
		d.Moments = append(d.Moments, Moment{x, t.Intervals[i], meaning(x.Name)})
	}
	for _, v := range t.Expect {
		d.Expect = append(d.Expect, Promise{v})
	}
	for _, f := range t.Faults {
		d.Changes = append(d.Changes, Change{f})
	}
	slices.SortStableFunc(d.Changes, func(a, b Change) int { return cmp.Compare(urgency(a), urgency(b)) })
	d.Picture = picture(t)
	slices.SortStableFunc(d.Notes, func(a, b Note) int { return a.At.Compare(b.At) })
	d.Hearing, d.Traces, d.Mended = t.Hearing(), t.Traces(), t.Mitigation()
	d.Idle, d.Ladder, d.First = idle(t, d.Hearing), ladder(t, d.Traces), firstToAct(d.Traces)
	d.Hints, d.Said, d.Echo = hints(t), said(t), echo(t)
	d.Wall = wall(t, d.Notes, d.Said)
	f := look(&d)
	d.Crappy, d.Awesome, d.Actions = f.crappy, f.awesome, f.actions
	return d
}

// urgency: what is left in place first, then what somebody else changed meanwhile.
func urgency(c Change) int {
	switch {
	case c.Left != "":
		return 0
	case c.How == "diverged" || slices.ContainsFunc(c.Items, func(i timeline.Item) bool { return strings.HasPrefix(i.End, "gone") }):
		return 1
	}
	return 2
}

func meaning(n timeline.Name) string {
	switch n {
	case timeline.Effective:
		return "the fault was felt: the clock starts"
	case timeline.Detected:
		return "their own alarm saw it"
	case timeline.Paged:
		return "a person was told"
	case timeline.Acknowledged:
		return "a person answered"
	case timeline.Mitigated:
		return "users were well again"
	case timeline.Resolved:
		return "a person closed the incident"
	}
	return "everything read back as before"
}
