package timeline

import (
	"slices"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// abandoned lists the acknowledgements after which nobody did anything: no note, no change, no resolve, until they
// timed out, or until the run came to its own end with the fault still felt.
func (x *tracer) abandoned(in *incident, list []*journal.Event) (out []Act) {
	for i, e := range list {
		if e.Kind != journal.IncidentAcknowledged || !human(*e) {
			continue
		}
		until, timedOut := x.until, false
		for _, later := range list[i+1:] {
			if later.Kind == journal.IncidentUnacknowledged {
				until, timedOut = x.place(later).at, true
				break
			}
		}
		if !timedOut && (x.t.Outcome == "" || x.t.Reason != "" || until.Sub(x.place(e).at) < x.patience()) {
			continue // it goes on, or was cut short: nobody knows what they were about to do
		}
		if !x.busy(in, e, until) {
			out = append(out, x.act(e))
		}
	}
	return out
}

// patience is how long somebody may look without writing anything down, where nothing timed out: five minutes, and in
// a short drill a quarter of it.
func (x *tracer) patience() time.Duration {
	if limit := seconds(x.brief.LimitS) / 4; limit > 0 {
		return min(limit, 5*time.Minute)
	}
	return 5 * time.Minute
}

// busy says that between an acknowledgement and a moment somebody did something, or all was well again.
func (x *tracer) busy(in *incident, ack *journal.Event, until time.Time) bool {
	from := x.place(ack).lo
	within := func(at time.Time) bool { return !at.Before(from) && !at.After(until.Add(lag)) }
	for _, i := range []Name{Mitigated, Resolved} {
		if m := x.t.Instant(i); !m.At.IsZero() && within(m.At) {
			return true
		}
	}
	if slices.ContainsFunc(in.log, func(e *journal.Event) bool {
		did := e.Kind == journal.IncidentNoted || e.Kind == journal.IncidentResolved || e.Kind == journal.IncidentReassigned ||
			e.Kind == journal.IncidentMerged || e.Kind == journal.IncidentNoteEdited
		return did && !machine(*e) && e != ack && within(x.place(e).at)
	}) {
		return true
	}
	return slices.ContainsFunc(x.events, func(e journal.Event) bool {
		switch e.Kind {
		case journal.NoteWritten, journal.FaultCeased:
			return within(e.At)
		case journal.ChangeSeen:
			return e.Fact.How == "person" && within(place(e, x.clocks).at)
		}
		return false
	})
}
