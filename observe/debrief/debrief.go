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

// Note is what somebody wrote down during the drill. Text is theirs: it is escaped where it is shown.
type Note struct {
	At    time.Time
	T     time.Duration
	Who   string
	Where string
	Text  string
}

// Of makes the debrief of a run.
func Of(t timeline.Timeline) Debrief {
	d := Debrief{Timeline: t, Summary: summary(t), Asks: asks(t)}
	for _, e := range t.Entries() {
		if e.Kind == journal.NoteWritten || e.Kind == journal.IncidentNoted {
			d.Notes = append(d.Notes, note(t, e))
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
	f := look(t)
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

func note(t timeline.Timeline, e timeline.Entry) Note {
	of := t.Events[e.Event].Fact
	n := Note{At: e.At, T: e.T, Who: cmp.Or(of.By, of.User, "somebody"), Where: "firedrill note", Text: of.Text}
	if e.Kind == journal.IncidentNoted {
		n.Where = "incident"
	}
	return n
}
