package cmd

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

// What people and services write reaches a terminal, and the log of a CI job whose lines may be commands: it stays within
// its line, and steers nothing.
func TestTextOfOthersStaysWithinItsLine(t *testing.T) {
	const text = "down\r\n::stop-commands::x\n\x1b[2J##[set-output name=a]b\u202e"
	d, l, rest := watched(t, false, 100)
	at := rest[0].At
	hostile := func(kind journal.Kind, f journal.Fact) journal.Event {
		return journal.Event{V: 1, Run: "01kaaaaaaaaaaaaaaaaaaaaaaa", Seq: 90, Kind: kind, At: at, Fact: f}
	}
	l.add([]journal.Event{
		hostile(journal.IncidentOpened, journal.Fact{Incident: "P1", Title: text, Role: journal.RoleWatch, By: "their monitoring"}),
		hostile(journal.IncidentNoted, journal.Fact{Incident: "P1", Text: text, By: text, Human: journal.Bool(true)}),
		hostile(journal.AbortRequested, journal.Fact{Reason: "foreign_incident", Why: text}),
		hostile(journal.FaultRevertFailed, journal.Fact{Fault: "throttle", Err: text}),
		hostile(journal.NoteWritten, journal.Fact{Text: text, By: text}),
	})
	l.close()
	tell(d.Err, &drills.Refusal{Code: "open_incident", Why: text, Try: text})
	(&patience{d: d.Deps}).say(errors.New(text), at)
	d.farewell(&drills.State{Run: "01k", Plan: drills.Plan{Drill: "orders"}, Events: []journal.Event{hostile(journal.RunPlanned, journal.Fact{}), hostile(journal.AbortRequested, journal.Fact{Reason: "foreign_incident", Why: text}), hostile(journal.RunFinished, journal.Fact{Outcome: "aborted"})}}, "")
	(&page{w: d.Err}).text("  risk     ", harmless(strings.Repeat("long ", 22)+text))
	fmt.Fprintln(d.Out, brief(text))
	shown := d.err.String() + d.out.String()
	if !strings.Contains(shown, "stop-commands") {
		t.Fatalf("nothing of it is shown: %q", shown)
	}
	for line := range strings.Lines(shown) {
		if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") || strings.ContainsAny(line, "\x1b\r\u202e") {
			t.Errorf("%q", line)
		}
	}
}
