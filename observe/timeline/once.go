package timeline

import (
	"cmp"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// once knows which events tell of the same thing: a log entry that was read twice, a webhook that came twice, a webhook
// and the log entry of what it told. They are one fact, as exact as the better of them.
type once struct {
	entries map[string]*journal.Event
	told    map[string][]*telling
}

// telling is one fact as it was told, by one means or by both.
type telling struct {
	*journal.Event
	pushed, polled bool
}

func newOnce() once {
	return once{entries: map[string]*journal.Event{}, told: map[string][]*telling{}}
}

// pushed says that an event came by webhook.
func pushed(e journal.Event) bool { return strings.HasPrefix(e.Fact.Entry, "webhook/") }

// take returns the fact that an event tells; fresh says that nobody had told it.
func (o *once) take(e journal.Event) (fact *journal.Event, fresh bool) {
	if !ofIncident(&e) {
		return &e, true
	}
	key := e.Fact.Incident + "\x00" + string(e.Kind)
	entry := key + "\x00" + e.Fact.Entry
	if known := o.entries[entry]; known != nil && e.Fact.Entry != "" {
		return known, false
	}
	defer func() { o.entries[entry] = fact }()
	var best *telling
	for _, t := range o.told[key] {
		if t.same(e) && (best == nil || t.apart(e) < best.apart(e)) {
			best = t
		}
	}
	if best != nil {
		best.merge(e)
		return best.Event, false
	}
	o.told[key] = append(o.told[key], &telling{&e, pushed(e), !pushed(e)})
	return &e, true
}

// same says that an event tells a fact again, by the other means: both stamps are of the pager's clock, and their bars
// meet, or nearly.
func (t *telling) same(e journal.Event) bool {
	if e.Kind == journal.IncidentOpened {
		return t.Fact.Role == e.Fact.Role // an incident is opened once
	}
	if e.Kind == journal.IncidentMerged && t.Fact.Into == e.Fact.Into && (t.Seen == nil || e.Seen == nil) {
		return true // one of them tells only that it was
	}
	if push := pushed(e); push && t.pushed || !push && t.polled || t.Seen == nil || e.Seen == nil || t.Seen.By != e.Seen.By {
		return false
	}
	if t.Fact.Type != e.Fact.Type || t.Fact.User != e.Fact.User && t.Fact.User != "" && e.Fact.User != "" {
		return false
	}
	if t.Fact.User != e.Fact.User && t.Fact.Human != nil && e.Fact.Human != nil && *t.Fact.Human != *e.Fact.Human {
		return false // a person and a machine
	}
	if a, b := t.Fact.Text, e.Fact.Text; e.Kind == journal.IncidentNoted && a != b && a != "" && b != "" {
		return false
	}
	return t.apart(e) <= nigh
}

// nigh is how much later or earlier than its log a webhook may stamp the same thing.
const nigh = 250 * time.Millisecond

// apart is how far the stamps of two tellings are from meeting; 0: their bars do.
func (t *telling) apart(e journal.Event) time.Duration {
	if t.Seen == nil || e.Seen == nil {
		return 0
	}
	a, ha := stampOf(*t.Seen)
	b, hb := stampOf(*e.Seen)
	return max(0, a.Sub(b).Abs()-ha-hb)
}

// merge adds what an event knows more: the stamp from whoever tells it better, who and how from the log.
func (t *telling) merge(e journal.Event) {
	push := pushed(e)
	t.pushed, t.polled = t.pushed || push, t.polled || !push
	if e.Seen != nil && (t.Seen == nil || e.Seen.ErrorS < t.Seen.ErrorS) {
		t.Seen, t.At, t.Fact.LookedAt = e.Seen, e.At, e.Fact.LookedAt // what bounds a stamp goes with it
	}
	log, other := e.Fact, t.Fact
	if push {
		log, other = other, log
	}
	f := &t.Fact
	f.By, f.User, f.Channel = cmp.Or(log.By, other.By), cmp.Or(log.User, other.User), cmp.Or(log.Channel, other.Channel)
	f.Text, f.Into, f.Urgency = cmp.Or(log.Text, other.Text), cmp.Or(log.Into, other.Into), cmp.Or(log.Urgency, other.Urgency)
	f.Target = cmp.Or(log.Target, other.Target)
	f.Human = cmp.Or(log.Human, other.Human)
	f.Level, f.Alerts = max(log.Level, other.Level), max(log.Alerts, other.Alerts)
}

// stampOf is the middle of what a stamp may be, and half its width: one that was cut to whole seconds is somewhere in
// its second.
func stampOf(s journal.Seen) (at time.Time, half time.Duration) {
	at, half = s.At, max(0, seconds(s.ErrorS))
	if half == wholeSecond && at.Nanosecond() == 0 {
		at = at.Add(wholeSecond)
	}
	return at, half
}

// facts are what a run's events tell of incidents, each as exactly as it is known, by the index of the event that told
// it first; same holds the index of that one for whatever tells it again.
func facts(events []journal.Event) (told map[int]*journal.Event, same map[int]int) {
	o, first := newOnce(), map[*journal.Event]int{}
	told, same = map[int]*journal.Event{}, map[int]int{}
	for i := range events {
		if !ofIncident(&events[i]) {
			continue
		}
		fact, fresh := o.take(events[i])
		if fresh {
			told[i], first[fact] = fact, i
		} else {
			same[i] = first[fact]
		}
	}
	return told, same
}

// ofIncident says that an event tells what became of an incident.
func ofIncident(e *journal.Event) bool {
	return e.Fact.Incident != "" && strings.HasPrefix(string(e.Kind), "incident.")
}
