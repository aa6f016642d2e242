package drills

import (
	"slices"
	"sync"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
)

// effect gathers one poll's looks at one fault and finds the edges. A throttled table still lets single requests
// pass, so one look that felt nothing is not the end of an effect: a whole poll must have felt nothing.
type effect struct {
	id    string
	fault *FaultState

	mu    sync.Mutex
	looks []inject.TimedLook
	load  *journal.Event
}

func (e *effect) add(looks ...inject.TimedLook) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.looks = append(e.looks, looks...)
}

func (e *effect) loaded(l inject.Loaded) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if l.Sent == 0 && l.Why == "" {
		return
	}
	e.load = &journal.Event{Kind: journal.LoadRead, Fact: journal.Fact{Fault: e.id, Sent: l.Sent, Failed: l.Felt, Why: l.Why}}
}

// read tells the poll as events: the last look that felt nothing before the first that did, one reading for the whole
// poll, and the edge.
func (e *effect) read() (events []journal.Event) {
	slices.SortStableFunc(e.looks, func(a, b inject.TimedLook) int { return a.To.Compare(b.To) })
	var no, yes, other *inject.TimedLook
	for i := range e.looks {
		switch l := &e.looks[i]; {
		case l.Reading.Felt == inject.Yes && yes == nil:
			yes = l
		case l.Reading.Felt == inject.No && yes == nil:
			no = l
		case l.Reading.Felt == inject.Unknown:
			other = l
		}
	}
	felt := !e.fault.Effective.IsZero() && e.fault.Ceased.Before(e.fault.Effective)
	switch {
	case yes != nil && !felt:
		if no != nil {
			events = append(events, e.event(journal.EffectRead, no))
		}
		edge := e.event(journal.FaultEffective, yes)
		switch {
		case yes.Reading.Witness != "":
			e.witnessed(&edge, yes.Reading)
		case no != nil:
			edge.Fact.LookedAt = &no.From
		default:
			edge.Fact.LookedAt = e.lastNo()
		}
		events = append(events, e.event(journal.EffectRead, yes), edge)
	case yes != nil:
		events = append(events, e.event(journal.EffectRead, yes))
	case no != nil:
		events = append(events, e.event(journal.EffectRead, no))
		if felt {
			events = append(events, e.event(journal.FaultCeased, no))
		}
	case other != nil:
		events = append(events, e.event(journal.EffectRead, other))
	}
	if e.load != nil {
		e.load.At = e.end()
		events = append(events, *e.load)
	}
	return events
}

// lastNo is when the last look before this poll that felt nothing began; else when the change was made.
func (e *effect) lastNo() *time.Time {
	t := e.fault.AppliedAt
	if e.fault.LastNo.After(t) {
		t = e.fault.LastNo
	}
	return &t
}

// end is when the last look of the poll was answered; zero lets the recorder fill it in.
func (e *effect) end() time.Time {
	if len(e.looks) == 0 {
		return time.Time{}
	}
	return e.looks[len(e.looks)-1].To
}

// event is a look as the journal keeps it. What a witness says is of the time that it speaks of, and not of the look.
func (e *effect) event(kind journal.Kind, l *inject.TimedLook) journal.Event {
	from := l.From
	out := journal.Event{Kind: kind, At: l.To, Fact: journal.Fact{
		Fault: e.id, Reading: string(l.Reading.Felt), Why: l.Reading.Why, LookedAt: &from}}
	if w := l.Reading.Witness; w != "" {
		out.Fact.Facts = map[string]string{"witness": w}
		if l.Reading.From.Before(from) && !l.Reading.From.IsZero() {
			*out.Fact.LookedAt = l.Reading.From
		}
	}
	return out
}

// witnessed places the edge that a metric tells of: within the first of its periods in a row, and after the change. When we
// asked says nothing of when it was felt.
func (e *effect) witnessed(edge *journal.Event, r inject.Reading) {
	half := r.To.Sub(r.From) / 2
	edge.Seen = &journal.Seen{At: r.Began.Add(half), By: "aws", ErrorS: half.Seconds()}
	applied := e.fault.AppliedAt
	edge.Fact.LookedAt = &applied
}
