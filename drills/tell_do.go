package drills

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
	"github.com/firedrill/firedrill/observe/timeline"
)

// tellPeople sends the courier off with what is due, and records what it brought back.
func (st *Steps) tellPeople(ctx context.Context, s *State) []journal.Event {
	events := st.courier.hand()
	after, now := s.having(events), st.World.Clock.Now()
	if due := after.untold(s.tellings(now), now); len(due) > 0 {
		st.courier.carry(ctx, due, func(ctx context.Context, t telling) journal.Event { return st.tellOne(ctx, after, t) })
	}
	return events
}

// tellOne tells one thing and says what came of it. A panic of a client is an answer too.
func (st *Steps) tellOne(ctx context.Context, s *State, t telling) (e journal.Event) {
	ctx, cancel := context.WithTimeout(ctx, courierTime)
	defer cancel()
	if t.incident != "" && t.about != "" {
		t.text = unheard(t.text)
	}
	e = journal.Event{Kind: journal.NoteSent, Fact: journal.Fact{Key: t.key, Incident: t.incident, Text: t.text, Reason: t.about, Hint: t.hint}}
	defer func() {
		if r := recover(); r != nil {
			e.Fact.Err = fmt.Sprintf("tell %s: panic: %v", t.key, r)
		}
		e.At = st.World.Clock.Now()
	}()
	var err error
	switch {
	case t.incident == "":
		e.Kind, e.Fact.Channel, e.Fact.URL = journal.MessageSent, s.Plan.Slack.Channel, t.image
		e.Fact.Thread, e.Fact.Note, err = st.post(ctx, s, t)
	case t.about == "":
		e.Kind, err = journal.IncidentTyped, errUntold
		if st.World.Marker != nil {
			err = st.World.Marker.Mark(ctx, t.incident, t.text)
		}
	default:
		err = errUntold
		if st.World.Pager != nil {
			err = st.World.Pager.Note(ctx, t.incident, t.text)
		}
	}
	if err != nil {
		var p *observe.Problem
		e.Fact.Err, e.Fact.Definite = err.Error(), errors.Is(err, errUntold) || errors.As(err, &p) && p.Status >= 400 && p.Status < 500
		if e.Kind == journal.NoteSent && p != nil && p.Status == http.StatusForbidden {
			e.Fact.Facts = map[string]string{"status": statusForbidden}
		}
	}
	return e
}

// errUntold means that this process cannot speak to whom it should.
var errUntold = errors.New("this process cannot speak to them: no token")

// post writes a message under the first of the run; the first is its own thread.
func (st *Steps) post(ctx context.Context, s *State, t telling) (thread, id string, err error) {
	if st.World.Slack == nil {
		return "", "", errUntold
	}
	under := st.courier.under(s.Thread)
	id, err = st.World.Slack.Post(ctx, s.Plan.Slack.Channel, observe.Message{Text: t.text, Image: t.image, Thread: under})
	if under == "" {
		under = id
	}
	return under, id, err
}

// handBack tells people how it ended, once everything that can be is put back: it delays nothing but the end. What is on
// its way since the faults were in place has had its time: a messenger that hangs takes nothing from the others.
func (st *Steps) handBack(ctx context.Context, s *State) []journal.Event {
	ctx, cancel := context.WithTimeout(ctx, farewellsTime)
	defer cancel()
	events := st.recalled(ctx)
	after, now := s.having(events), st.World.Clock.Now()
	ended := append(append(s.Events[:len(s.Events):len(s.Events)], events...), st.finish(s))
	due := after.untold(after.farewells(timeline.Of(ended, now), now), now)
	st.courier.carry(ctx, due, func(ctx context.Context, t telling) journal.Event { return st.tellOne(ctx, after, t) })
	events = append(events, st.changes(ctx, s)...)
	told := st.flown(ctx)
	events = append(events, told...)
	if mute := after.having(told); mute.Mute && !after.Mute { // what the pager took no more has not been told yet
		due := mute.untold(mute.farewells(timeline.Of(ended, now), now), now)
		st.courier.carry(ctx, due, func(ctx context.Context, t telling) journal.Event { return st.tellOne(ctx, mute, t) })
		events = append(events, st.flown(ctx)...)
	}
	if len(events) == 0 {
		events = []journal.Event{{Kind: journal.LoadRead}}
	}
	return events
}

// recalled gives what is on its way a moment, and ends what takes longer.
func (st *Steps) recalled(ctx context.Context) []journal.Event {
	moment, cancel := context.WithTimeout(ctx, lastWords)
	defer cancel()
	events := st.flown(moment)
	st.courier.recall()
	ended, cancel := context.WithTimeout(ctx, lastWords)
	defer cancel()
	return append(events, st.flown(ended)...)
}

// flown waits until the courier is back, or there is no time left for it.
func (st *Steps) flown(ctx context.Context) []journal.Event {
	select {
	case <-st.courier.home():
	case <-ctx.Done():
	}
	return st.courier.hand()
}

// trailTime bounds the question who else changed a target.
const trailTime = 5 * time.Second

// changes asks who else changed what we had changed, where somebody must have: it is late by minutes, so that an answer
// may come only to whoever asks again later.
func (st *Steps) changes(ctx context.Context, s *State) (events []journal.Event) {
	targets := s.othersHands()
	if st.World.Trail == nil || len(targets) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, trailTime)
	defer cancel()
	list, err := st.World.Trail.Changes(ctx, targets, s.Started, st.World.Clock.Now())
	if err != nil {
		return nil // who it was stays unknown, and the debrief says so
	}
	for _, c := range list {
		if e, ok := s.Plan.changeEvent(c); ok {
			e.At = st.World.Clock.Now()
			events = append(events, e)
		}
	}
	return events
}

// changeEvent is a change as the journal keeps it; false for one that failed. Our own are kept too: that of a dead-man's
// switch is nobody else's, and one that came later shows how far the trail has caught up.
func (p *Plan) changeEvent(c observe.Change) (e journal.Event, ok bool) {
	_, by := p.Person(c.By, c.By)
	e = journal.Event{Kind: journal.ChangeSeen, Seen: &journal.Seen{At: c.At, By: "aws", ErrorS: 0.5},
		Fact: journal.Fact{By: by, How: c.How, Text: c.Event, Target: c.Target}}
	return e, !c.Failed
}

// othersHands are the targets that somebody else has changed while our fault was in place, as far as the undo could tell.
func (s *State) othersHands() (arns []string) {
	for i := range s.Faults {
		f := &s.Faults[i]
		ceased := !f.Effective.IsZero() && f.Ceased.After(f.Effective)
		if f.How == "already_restored" || f.How == "diverged" || ceased {
			arns = append(arns, f.Undo.Target.ARN)
		}
	}
	return arns
}
