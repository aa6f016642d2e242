package debrief_test

import (
	"strings"
	"testing"

	"github.com/firedrill/firedrill/internal/journal"
)

// What rang is asked whether it helped, what stayed silent why; where silence proves nothing, neither.
func TestAsks(t *testing.T) {
	const helped, silent, would = "Did alarm orders-write-throttled say", "Why did alarm orders-write-throttled stay silent?", "Would alarm orders-write-throttled have said"
	watch := func(more ...string) func([]journal.Event) []journal.Event {
		return func(e []journal.Event) []journal.Event {
			e[0].Fact.Brief.Watch = append(e[0].Fact.Brief.Watch, more...)
			return e
		}
	}
	for _, x := range []struct {
		name   string
		change func([]journal.Event) []journal.Event
		want   string
	}{
		{"met", nil, helped},
		{"undetected", nil, silent},
		{"interrupted", nil, would},
		{"invalid", nil, "Did alarm orders-write-throttled say"}, // it rang, of something else
		{"refused", nil, would},
		{"report", nil, "Which alarm should have said this"},
		{"met", watch("alarm orders-latency"), helped + " | Why did alarm orders-latency stay silent?"},
		{"undetected", watch("alarm orders-latency"), "Why did alarm orders-write-throttled, alarm orders-latency stay silent?"},
		{"undetected", func(e []journal.Event) []journal.Event { // their monitoring opened it, and nobody saw the alarm
			return with(e, at(e, 60, journal.IncidentOpened, journal.Fact{Incident: "Q9", Role: journal.RoleWatch}))
		}, helped},
		{"undetected", func(e []journal.Event) []journal.Event {
			e = watch("sqs orders-dlq")(e)
			return with(e, at(e, 60, journal.ProbeRead, journal.Fact{Probe: "sqs orders-dlq", Role: journal.RoleWatch, Reading: "bad"}))
		}, "Did sqs orders-dlq say | " + silent},
		{"undetected", func(e []journal.Event) []journal.Event { return e[:len(e)-3] }, would}, // it goes on
	} {
		events := load(t, x.name)
		if x.change != nil {
			events = x.change(events)
		}
		d, _ := told(t, events)
		var got []string
		for _, a := range d.Asks {
			if a.Of == "alarm" {
				got = append(got, a.Question)
			}
		}
		for i, want := range strings.Split(x.want, " | ") {
			if i >= len(got) || !strings.HasPrefix(got[i], want) || len(got) != strings.Count(x.want, " | ")+1 {
				t.Errorf("%s: %q, want %s", x.name, got, x.want)
			}
		}
	}
}

// The card's hints are printed, harmless; a card without any has no such section.
func TestHints(t *testing.T) {
	_, text := told(t, rich(t))
	if _, after, ok := strings.Cut(text, "## Hints\n"); !ok || !strings.Contains(after, "- 5m after the page: look at the throttle metrics of the table (not told)\n") {
		t.Error(text)
	}
	if _, text := told(t, load(t, "met")); strings.Contains(text, "## Hints") {
		t.Error("a section of hints without any")
	}
}
