package drills

import (
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// pushed is a run as the door for webhooks knows it: what it plans, what is known of its incidents, when it ended.
type pushed struct {
	state *State
	at    journal.Position
	ended time.Time
}

// fold takes in what stands behind the position. The events themselves are not kept.
func (r *pushed) fold(at journal.Position, news []journal.Event) {
	for _, e := range news {
		r.state.Add(e)
		switch e.Kind {
		case journal.RunFinished:
			r.ended = e.At
		case journal.RunReopened:
			r.ended = time.Time{}
		}
	}
	r.state.Events, r.at = nil, at
}

// mayConcern says whether to read on in a run that is known already: its plan never changes.
func (r *pushed) mayConcern(w observe.Webhook, env *Environment) bool {
	p := &r.state.Plan
	switch {
	case !sameSandbox(p.Sandbox, env.Sandbox), strings.HasPrefix(w.Key, Dedup("")) && w.Key != Dedup(p.Run):
		return false
	case w.Incident.Service == "":
		return r.ended.IsZero() || r.state.People.incidents[w.Incident.ID] != nil
	default:
		return p.Page.Service == w.Incident.Service || r.state.People.incidents[w.Incident.ID] != nil
	}
}

// sameSandbox: the incidents of two sandboxes may have the same ids.
func sameSandbox(a, b *SandboxRef) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Instance == b.Instance
}

// concerns says that the incident is one of the run: known to it, or on its service and of the drill by its key or title.
func (r *pushed) concerns(w observe.Webhook, env *Environment) bool {
	if !r.mayConcern(w, env) || r.state.before(w.Incident.ID) {
		return false
	}
	return r.role(w) != journal.RoleOther
}

// told says that the journal tells of the incident's opening.
func (r *pushed) told(incident string) bool {
	in := r.state.People.incidents[incident]
	return in != nil && in.title != ""
}

// role is whose incident it is. An event about a note tells too little to judge by; what is nobody's drill is left to
// the engine, which asks the pager for the incident's alerts and then decides.
func (r *pushed) role(w observe.Webhook) journal.Role {
	p := &r.state.Plan
	switch {
	case r.told(w.Incident.ID):
		return r.state.People.incidents[w.Incident.ID].role
	case w.Incident.Service == "" || w.Incident.Service != p.Page.Service:
		return journal.RoleOther
	case w.Key == Dedup(p.Run):
		return journal.RoleOurs
	}
	return p.incidentRole(p.Run, w.Incident)
}

// events are what a webhook adds to the run's journal. Order is not to be trusted: whatever is told of an incident that
// the journal does not know yet tells of its opening too.
func (r *pushed) events(w observe.Webhook, now time.Time) (events []journal.Event) {
	if w.Trimmed {
		return nil // who polls reads it whole
	}
	e, ok := r.state.Plan.entryEvent(w.Incident.ID, w.Entry, time.Time{})
	e.At, e.Fact.Note = now, w.Note
	if w.Unsure {
		e.Fact.Human = nil // the log tells by what channel
	}
	if !r.ended.IsZero() {
		return r.answer(w, e)
	}
	if !r.told(w.Incident.ID) || w.Kind == observe.EntryTriggered {
		o := r.state.Plan.attributed(opened(w.Incident, r.role(w), time.Time{}, now), w.Incident)
		if w.Kind == observe.EntryTriggered {
			o.Seen.At, o.Seen.ErrorS, o.Fact.Entry = w.At, w.Entry.ErrorS, w.Entry.ID
		}
		events = append(events, o)
	}
	if machine := e.Fact.Human != nil && !*e.Fact.Human; machine && w.Kind == observe.EntryNoted {
		ok = false // our own note may be here before its record is: who polls tells ours from other programs'
	}
	if ok && !r.state.People.of(w.Incident.ID).hasNote(e) {
		events = append(events, e)
	}
	return events
}

// skewAtMost is how far the pager's clock may be from ours where nobody has measured it.
const skewAtMost = 2 * time.Minute

// answer is what somebody writes on the drill's incident within a day of its end: it answers our questions there.
func (r *pushed) answer(w observe.Webhook, e journal.Event) []journal.Event {
	person := w.Entry.Human || w.Unsure && w.Entry.User != ""
	late := w.At.Sub(r.ended)
	in := r.state.People.of(w.Incident.ID)
	if w.Kind != observe.EntryNoted || !person || !in.ours() || late < -skewAtMost || late > answerDay || in.hasNote(e) {
		return nil
	}
	e.Kind = journal.AnswerGiven
	return []journal.Event{e}
}
