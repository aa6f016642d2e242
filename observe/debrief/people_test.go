package debrief_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/debrief"
)

func anna(f journal.Fact) journal.Fact {
	f.Incident, f.User, f.By, f.Human = "Q1", "PANNA", "Anna", journal.Bool(true)
	return f
}

// What keeps a page from being heard is a finding with its action, and says so where the plan had warned of it.
func TestUnheard(t *testing.T) {
	events := load(t, "machines")
	events[0].Fact.Brief.Risks = []journal.Risk{{Verdict: "machine_acknowledged", Why: "a workflow acknowledges | at once"},
		{Verdict: "low_urgency", Why: "outside support hours urgency is low"}}
	d, text := told(t, events)
	if !has(d.Crappy, "(machine acknowledged). As the plan warned: a workflow acknowledges \\| at once.") || !has(d.Actions, "Keep tools from acknowledging") {
		t.Errorf("%q\n%q", d.Crappy, d.Actions)
	}
	for _, want := range []string{"## Was the page heard?", "- **machine acknowledged** at 10:01:1", "- **heard** at 10:01:10: Anna was notified.",
		"- The plan had warned: outside support hours urgency is low (low\\_urgency). It did not come to that."} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
}

func TestHands(t *testing.T) {
	for name, x := range map[string]struct {
		more                []journal.Event
		crappy, awesome, do string
	}{
		"escalated": {[]journal.Event{{Kind: journal.IncidentEscalated, Fact: journal.Fact{Incident: "Q1", Level: 2}}},
			"Level 1 did not answer in 12 s: Anna (push) was told, and it was escalated.", "", "why level 1 was not reached"},
		"uncalled": {[]journal.Event{{Kind: journal.IncidentAcknowledged, Fact: journal.Fact{Incident: "Q1", User: "PC", By: "Carl", Human: journal.Bool(true)}}},
			"", "Carl answered, and the pager had not told them", ""},
		"snoozed":    {[]journal.Event{{Kind: journal.IncidentSnoozed, Fact: anna(journal.Fact{DurationS: 60})}}, "Anna snoozed it", "", ""},
		"reassigned": {[]journal.Event{{Kind: journal.IncidentReassigned, Fact: anna(journal.Fact{})}}, "given to somebody else (1×)", "", ""},
		"false resolve": {[]journal.Event{{Kind: journal.IncidentResolved, Fact: anna(journal.Fact{})}},
			"A false resolve: Anna resolved it while the fault was still felt, for 1m59s more at least.", "", "before resolving"},
		"abandoned": {[]journal.Event{{Kind: journal.IncidentAcknowledged, Fact: anna(journal.Fact{})},
			{Kind: journal.IncidentUnacknowledged, Fact: journal.Fact{Incident: "Q1"}}},
			"Anna acknowledged, and then nothing is on record", "", "what an acknowledge promises"},
		"reopened": {[]journal.Event{{Kind: journal.IncidentReopened, Fact: anna(journal.Fact{})}}, "opened again after it had been resolved (1×)", "", ""},
	} {
		events := load(t, "met")
		for i, e := range x.more {
			events = with(events, at(events, 80+float64(i), e.Kind, e.Fact))
		}
		d, _ := told(t, events)
		if x.crappy != "" && !has(d.Crappy, x.crappy) || x.awesome != "" && !has(d.Awesome, x.awesome) || x.do != "" && !has(d.Actions, x.do) {
			t.Errorf("%s: %q\n%q\n%q", name, d.Crappy, d.Awesome, d.Actions)
		}
	}
}

func TestMended(t *testing.T) {
	events := load(t, "met")
	change := at(events, 199, journal.ChangeSeen, journal.Fact{By: "anna", How: "person", Text: "UpdateTable", Target: "arn:aws:dynamodb:eu-west-1:1:table/orders"})
	d, text := told(t, with(events, change))
	if !has(d.Awesome, "Mended by anna: the trail of the account shows UpdateTable by anna on orders.") || !strings.Contains(text, "**person**, anna: ") {
		t.Errorf("%q\n%s", d.Awesome, text)
	}
	change.Fact.How = "terraform"
	if d, _ := told(t, with(events, change)); !has(d.Crappy, "Mended by a machine: ") {
		t.Errorf("%q", d.Crappy)
	}
	if d, _ := told(t, events); !has(d.Crappy, "Who mended it is not known") || !has(d.Actions, "cloudtrail:LookupEvents") {
		t.Errorf("%q", d.Crappy)
	}
}

// A note that was edited or deleted stays one note, and says what it was.
// A webhook may tell of our own note before we have recorded that we wrote it: it is nobody's observation.
func TestANoteOfOursIsNotTheScribes(t *testing.T) {
	events := load(t, "met")
	d, _ := told(t, with(events,
		at(events, 72, journal.IncidentNoted, journal.Fact{Incident: "Q1", By: "Firedrill", Text: "look at the table", Human: journal.Bool(false)}),
		at(events, 72.1, journal.NoteSent, journal.Fact{Incident: "Q1", Text: "look at the table", Reason: journal.AboutHint, Hint: 1}),
		at(events, 80, journal.IncidentNoted, journal.Fact{Incident: "Q1", By: "Anna", Text: "I do", Human: journal.Bool(true)})))
	for _, n := range d.Notes {
		if n.Text == "look at the table" {
			t.Errorf("%+v", n)
		}
	}
	if !slices.ContainsFunc(d.Notes, func(n debrief.Note) bool { return n.Text == "I do" }) {
		t.Errorf("%+v", d.Notes)
	}
}

func TestNotesThatChange(t *testing.T) {
	events := load(t, "met")
	events = with(events,
		at(events, 95, journal.IncidentNoted, anna(journal.Fact{Text: "it is the queue", Note: "N1"})),
		at(events, 96, journal.IncidentNoted, anna(journal.Fact{Text: "damn <b>"})),
		at(events, 97, journal.IncidentNoteEdited, anna(journal.Fact{Text: "it is the DLQ", Was: "it is the queue", Note: "N1"})),
		at(events, 98, journal.IncidentNoteEdited, anna(journal.Fact{Text: "it is the consumer", Was: "it is the DLQ", Note: "N1"})),
		at(events, 99, journal.IncidentNoteDeleted, journal.Fact{Incident: "Q1", User: "PANNA", Was: "damn <b>"}),
		at(events, 100, journal.IncidentNoteDeleted, journal.Fact{Incident: "Q1", By: "Ben", Was: "nobody read this"}))
	d, text := told(t, events)
	if len(d.Notes) != 3 || len(d.Notes[0].Was) != 2 || d.Notes[0].Text != "it is the consumer" {
		t.Fatalf("%+v", d.Notes)
	}
	for _, want := range []string{"Anna, incident: it is the consumer\n  - before it was edited: it is the queue\n  - before it was edited: it is the DLQ\n",
		"damn &lt;b&gt; (deleted, as seen at 10:01:39)", "Ben, incident: nobody read this (deleted"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
}

// Answers go where they say they belong, line by line; the rest stands by itself.
func TestSaid(t *testing.T) {
	events := load(t, "met")
	answer := func(who, text string) journal.Event {
		return at(events, 300, journal.AnswerGiven, journal.Fact{By: who, Text: text})
	}
	d, text := told(t, with(events,
		answer("Anna", "Crappy: the runbook was wrong\nand nobody knew the dashboard\nAwesome – the alarm"),
		answer("Ben", "What was awesome? my team <3"), answer("Ben", "What was awesome? my team <3"),
		answer("Carl", "thanks for the fish"), answer("Dora", "crappyness is a word"), answer("Eve", "- crappy\n- the coffee")))
	got := func(list []string) string { return strings.Join(list, " | ") }
	var crappy, awesome, other []string
	for _, q := range d.Said.Crappy {
		crappy = append(crappy, q.Who+" "+q.Text)
	}
	for _, q := range d.Said.Awesome {
		awesome = append(awesome, q.Who+" "+q.Text)
	}
	for _, q := range d.Said.Other {
		other = append(other, q.Who+" "+q.Text)
	}
	if got(crappy) != "Anna the runbook was wrong | Anna and nobody knew the dashboard | Eve - the coffee" ||
		got(awesome) != "Anna the alarm | Ben my team <3" || got(other) != "Carl thanks for the fish | Dora crappyness is a word" {
		t.Errorf("%q\n%q\n%q", crappy, awesome, other)
	}
	if !strings.Contains(text, "- Anna said: the runbook was wrong\n") || !strings.Contains(text, "- Ben said: my team &lt;3\n") || !strings.Contains(text, "- Carl: thanks for the fish\n") {
		t.Error(text)
	}
}

func TestHintsTold(t *testing.T) {
	events := rich(t)
	events[0].Fact.Brief.Hints = append(events[0].Fact.Brief.Hints, "20m after the page: the third")
	hint := func(sec float64, n int, err string) journal.Event {
		return at(events, sec, journal.MessageSent, journal.Fact{Reason: journal.AboutHint, Hint: n, Err: err, Text: "look"})
	}
	d, text := told(t, with(events, hint(100, 1, ""), hint(100, 1, ""), hint(150, 3, "timeout"), hint(210, 2, "")))
	if h := d.Hints; h.Told != 2 || h.Needed != 1 || !h.Mended || len(h.List) != 3 {
		t.Errorf("%+v", d.Hints)
	}
	for _, want := range []string{"Hints told: 2 of 3. Needed before it was mended: 1.", "of the table (told at 10:01:40, +1:35.0)", "the third (not told)"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
}
