package debrief

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// Hints is how many of the card's hints people were told, and how many of those they needed.
type Hints struct {
	List   []Hint
	Told   int
	Needed int  // told before users were well again, or before it was resolved
	Mended bool // it came to that
}

// Hint is one of them. T is when it was told, since t0; with Told only.
type Hint struct {
	Text string
	Told bool
	At   time.Time
	T    time.Duration
}

func hints(t timeline.Timeline) (h Hints) {
	for _, text := range t.Brief.Hints {
		h.List = append(h.List, Hint{Text: text})
	}
	end := t.Instant(timeline.Mitigated).At
	if end.IsZero() {
		end = t.Instant(timeline.Resolved).At
	}
	h.Mended = !end.IsZero()
	zero := t.Instant(timeline.Effective).At
	for _, e := range t.Events {
		n := e.Fact.Hint - 1
		if e.Kind != journal.NoteSent && e.Kind != journal.MessageSent || e.Fact.Err != "" || e.Fact.Reason != journal.AboutHint || n < 0 {
			continue
		}
		for len(h.List) <= n && n < 100 {
			h.List = append(h.List, Hint{Text: cmp.Or(e.Fact.Text, fmt.Sprintf("hint %d", len(h.List)+1))})
		}
		if n >= len(h.List) || h.List[n].Told {
			continue
		}
		h.List[n].Told, h.List[n].At, h.List[n].T = true, e.At, e.At.Sub(zero)
		h.Told++
		if !h.Mended || e.At.Before(end) {
			h.Needed++
		}
	}
	return h
}

// Sentence says how many were told and needed.
func (h Hints) Sentence() string {
	told := fmt.Sprintf("Hints told: %d of %d.", h.Told, len(h.List))
	switch {
	case h.Told == 0:
		return told
	case !h.Mended:
		return told + " It was not mended all the same."
	}
	return fmt.Sprintf("%s Needed before it was mended: %d.", told, h.Needed)
}

// Echo is the line to add to the drill's card where an incident that ended the drill was an echo of it.
type Echo struct {
	Title string // of that incident
	Line  string // ripples: […]
}

// echo is what ended the drill for a real incident; nil where nothing did.
func echo(t timeline.Timeline) *Echo {
	i := slices.IndexFunc(t.Events, func(e journal.Event) bool {
		return e.Kind == journal.AbortRequested && e.Fact.Reason == "foreign_incident" && e.Fact.Incident != ""
	})
	if i < 0 {
		return nil
	}
	id := t.Events[i].Fact.Incident
	for _, e := range t.Events {
		if e.Kind == journal.IncidentOpened && e.Fact.Incident == id && e.Fact.Title != "" {
			return &Echo{e.Fact.Title, ripplesLine(t, e.Fact.Title)}
		}
	}
	return nil
}
