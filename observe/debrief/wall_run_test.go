package debrief_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/debrief"
)

// What people put on the wall, from wherever they write it, stands there with who said it; what was edited reads as it
// does now, what was deleted is gone, and our own words are nobody's.
func TestWall(t *testing.T) {
	events := load(t, "met")
	note := func(sec float64, id, text string) journal.Event {
		return at(events, sec, journal.IncidentNoted, anna(journal.Fact{Note: id, Text: text}))
	}
	edited := at(events, 95, journal.IncidentNoteEdited, anna(journal.Fact{Note: "N3", Was: "action: ask bob", Text: "action: ask | bob @ann-b by 2026-12-01"}))
	deleted := at(events, 96, journal.IncidentNoteDeleted, anna(journal.Fact{Was: "crappy: gone"}))
	answer := at(events, 400, journal.AnswerGiven, anna(journal.Fact{Text: "crappy: the runbook\naction: *again* by friday\nand more"}))
	answer.Seen = &journal.Seen{At: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), By: "slack"}
	events = with(events, note(80, "N1", "looked around\nCrappy: the runbook\nawesome: <b>alarms</b>"), note(81, "N2", "crappy: gone"), note(82, "N3", "action: ask bob"),
		at(events, 83, journal.NoteSent, journal.Fact{Incident: "Q1", Text: "crappy: ours", Reason: journal.AboutHint}), note(84, "N4", "crappy: ours"),
		at(events, 90, journal.NoteWritten, journal.Fact{By: "scribe", Text: "awesome: they talk"}), edited, deleted, answer)
	d, text := told(t, events)
	if !slices.Equal(d.Wall.Crappy, []debrief.Quote{{Who: "Anna", Text: "the runbook"}}) {
		t.Errorf("crappy: %+v", d.Wall.Crappy)
	}
	if !slices.Equal(d.Wall.Awesome, []debrief.Quote{{Who: "Anna", Text: "<b>alarms</b>"}, {Who: "scribe", Text: "they talk"}}) {
		t.Errorf("awesome: %+v", d.Wall.Awesome)
	}
	want := []debrief.Action{{Who: "Anna", Text: "ask | bob", Owner: "@ann-b", Due: "2026-12-01"}, {Who: "Anna", Text: "*again*", Due: "2026-11-27"}}
	if !slices.Equal(d.Wall.Actions, want) {
		t.Errorf("actions: %+v", d.Wall.Actions)
	}
	if !slices.Equal(d.Said.Other, []debrief.Quote{{Who: "Anna", Text: "and more"}}) {
		t.Errorf("besides: %+v", d.Said.Other)
	}
	for _, line := range []string{"- Anna said: the runbook\n", "- Anna said: &lt;b&gt;alarms&lt;/b&gt;\n", `| ask \| bob | Anna said so | &#64;ann-b | 2026-12-01 |`,
		`| \*again\* | Anna said so |  | 2026-11-27 |` + "\n|  |  |  |  |"} {
		if !strings.Contains(text, line) {
			t.Errorf("%q is missing in\n%s", line, text)
		}
	}
}
