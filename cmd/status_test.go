package cmd

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

func TestStatusIsAPictureOfTheRun(t *testing.T) {
	d := newDesk(t)
	d.tell(t, tale{run: "01kaaa", drill: "first", env: "staging", planned: day(0), kinds: applied})
	if code := d.run(t, "status"); code != exitDirty {
		t.Errorf("exit code %d", code)
	}
	var text strings.Builder
	for line := range strings.Lines(d.out.String()) {
		text.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	want := `first in staging: going on
run 01kaaa, planned 2026-03-02 09:00:00

effective     09:00:03  +0:00.0 ±0.0 s  ·······················●
detected      -                         ························  not watched
paged         -                         ························  not watched
acknowledged  -                         ························  not yet
mitigated     -                         ························  not watched
resolved      -                         ························  not yet
restored      -                         ························  not yet

expected  limit  took
resolve   1m     -     missed

fault     kind               state    target
throttle  dynamodb.throttle  applied  arn:aws:dynamodb:eu-west-1:111122223333:table/orders

in place:
  throttle: dynamodb.throttle on arn:aws:dynamodb:eu-west-1:111122223333:table/orders may be in place
to put it back: firedrill abort 01kaaa
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Error(diff)
	}
}

// On a terminal no line of the picture is wider than it; elsewhere nothing is lost.
func TestStatusFitsTheTerminal(t *testing.T) {
	d := newDesk(t)
	if room := d.roomBeside(); room != widest {
		t.Errorf("cut to %d columns where there is no terminal", room)
	}
	d.Terminal = func() bool { return true }
	for width, want := range map[int]int{0: widest, 40: 12, 80: 14, 100: 34, 200: widest} {
		d.Width = func() int { return width }
		if room := d.roomBeside(); room != want {
			t.Errorf("on %d columns %d, want %d", width, room, want)
		}
	}
	if got := clip("größer als", 7); got != "größer…" {
		t.Errorf("%q", got)
	}
}

func TestStatusJSONIsOfTheRunAsked(t *testing.T) {
	d := newDesk(t)
	d.tell(t, tale{run: "01kaaa", drill: "first", env: "staging", planned: day(0), kinds: undone, outcome: "met"},
		tale{run: "01kbbb", drill: "second", env: "staging", planned: day(1), kinds: applied})
	if code := d.run(t, "status", "01ka", "-o", "json"); code != 0 {
		t.Errorf("exit code %d: %s", code, d.err.String())
	}
	var s timeline.Status
	if err := json.Unmarshal(d.out.Bytes(), &s); err != nil || s.Run != "01kaaa" || *s.Outcome != "met" || *s.Faults[0].How != "restored" || s.Faults[0].Left != nil {
		t.Errorf("%v %s", err, d.out.String())
	}
	if code := d.run(t, "status", "-o", "json"); code != exitDirty || !strings.Contains(d.out.String(), `"outcome": null`) {
		t.Errorf("exit code %d: %s", code, d.out.String())
	}
}

// TestNotesAreTold: by whoever, whenever, as they were meant and not as Markdown would take them.
func TestNotesAreTold(t *testing.T) {
	d := newDesk(t)
	d.tell(t, tale{run: "01kaaa", drill: "first", env: "staging", planned: day(0), kinds: undone, outcome: "met"})
	for _, text := range []string{"the *shop* is slow", "<b>again</b> | and again"} {
		if code := d.run(t, "note", text); code != 0 {
			t.Fatalf("exit code %d: %s", code, d.err.String())
		}
	}
	if code := d.run(t, "debrief"); code != 0 || !strings.Contains(d.out.String(), `the \*shop\* is slow`) || strings.Contains(d.out.String(), "<b>") {
		t.Errorf("exit code %d: %s", code, d.out.String())
	}
	if code := d.run(t, "debrief", "-o", "json"); code != 0 {
		t.Errorf("exit code %d: %s", code, d.err.String())
	}
	var s story
	if err := json.Unmarshal(d.out.Bytes(), &s); err != nil || len(s.Notes) != 2 || s.Notes[0].Text != "the *shop* is slow" || s.Status.Run != "01kaaa" {
		t.Errorf("%v %s", err, d.out.String())
	}
	if code := d.run(t, "note", strings.Repeat("long ", 1000)); code != exitUsage {
		t.Errorf("a log is taken for a note: %d", code)
	}
	events, err := eventsOf(t.Context(), mustStore(t, d), "01kaaa")
	if err != nil {
		t.Fatal(err)
	}
	written := 0
	for _, e := range events {
		if e.Kind == journal.NoteWritten {
			if written++; e.Gen != 0 || e.Fact.By == "" {
				t.Errorf("%+v", e)
			}
		}
	}
	if written != 2 {
		t.Errorf("%d notes are written", written)
	}
}

// TestCompletion: drills by name and runs by id, as the shell asks for them.
func TestCompletion(t *testing.T) {
	d := newDesk(t)
	d.tell(t, tale{run: "01kaaa", drill: "first", env: "staging", planned: day(0), kinds: undone, outcome: "met"})
	for _, c := range []struct {
		words []string
		want  string
		not   string
	}{
		{[]string{"run", "orders-w"}, "orders-write-throttle\t", "user-api-500s"},
		{[]string{"new", "mine", "--from", ""}, "user-api-500s\t", "01kaaa"},
		{[]string{"status", "01"}, "01kaaa\tfirst in staging", "orders"},
		{[]string{"note", "--run", ""}, "01kaaa\t", "orders"},
		{[]string{"status", "zz"}, "", "01kaaa"},
		{[]string{"report", "-o", ""}, "prometheus", "01kaaa"},
		{[]string{"status", "-o", ""}, "json", "prometheus"},
		{[]string{"schema", ""}, "environment", "01kaaa"},
		{[]string{"help", "rec"}, "recover", "01kaaa"},
	} {
		if code := d.run(t, append([]string{"__complete"}, c.words...)...); code != 0 || !strings.Contains(d.out.String(), c.want) || strings.Contains(d.out.String(), c.not) {
			t.Errorf("%q: %d %q", c.words, code, d.out.String())
		}
	}
}
