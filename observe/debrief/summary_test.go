package debrief_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

func TestSummaries(t *testing.T) {
	for name, want := range map[string][]string{
		"met":           {"2 March 2026", "staging", "detected it after 1m", "Anna acknowledged 20 s", "users were well again", "reads back as before"},
		"undetected":    {"No alarm saw it", "not mended before the drill put it back"},
		"unanswered":    {"was paged after", "nobody acknowledged"},
		"invalid":       {"never felt, so no times are claimed", "reads back as before"},
		"aborted":       {"ended early: a real incident is open."},
		"interrupted":   {"The drill was interrupted."},
		"dirty":         {"needs a person now"},
		"refused":       {"refused, and nothing was changed: orders carries no tag firedrill."},
		"refused-later": {"refused on the way in: held by another run.", "reads back as before"},
		"report":        {"No alarm was expected: people were told as on the card"},
	} {
		d, _ := told(t, load(t, name))
		for _, w := range want {
			if !strings.Contains(d.Summary, w) {
				t.Errorf("%s: %q is missing in: %s", name, w, d.Summary)
			}
		}
		if strings.Contains(d.Summary, "..") || strings.Contains(d.Summary, "  ") {
			t.Errorf("%s: %s", name, d.Summary)
		}
	}
	events := load(t, "met")
	if d := debrief.Of(timeline.Of(events[:9], events[9].At)); !strings.Contains(d.Summary, "The drill goes on.") && !strings.Contains(d.Summary, "It goes on.") {
		t.Error(d.Summary)
	}
}

// Whatever somebody writes stands on one line, opens no tag, and comes out as it was once the marks are taken away.
func TestEscape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s") + rapid.SampledFrom([]string{"", "<b>", "|", "`", "[a](b)", "@all", "\n\n# x", "\u202e"}).Draw(t, "more")
		got := debrief.Escape(s)
		if strings.ContainsAny(got, "\n\r<>@\x1b\u202e") {
			t.Fatalf("%q became %q", s, got)
		}
		for i, r := range got {
			if strings.ContainsRune("`*_[]|#~!$", r) && (i == 0 || got[i-1] != '\\' && got[i-1] != '&') {
				t.Fatalf("%q became %q", s, got)
			}
		}
	})
	for in, want := range map[string]string{
		"a & b":      "a &amp; b",
		"a  b\n\tc ": "a b c",
		"x\xffy":     "x?y",
		"\\*":        "\\\\\\*",
	} {
		if got := debrief.Escape(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := debrief.Escape(strings.Repeat("ä", 5000)); len([]rune(got)) > 2010 || !strings.HasSuffix(got, "…") {
		t.Errorf("%d runes", len([]rune(got)))
	}
}

// A picture has a line for each instant, with a bar that grows with its time, or the reason why there is none.
func TestPicture(t *testing.T) {
	d, _ := told(t, load(t, "undetected"))
	if len(d.Picture) != 7 {
		t.Fatalf("%q", d.Picture)
	}
	dots := 0
	last := -1
	for i, line := range d.Picture {
		x := d.Moments[i]
		if !strings.HasPrefix(line, string(x.Name)) {
			t.Errorf("%q", line)
		}
		at := strings.Index(line, "●")
		if (at < 0) != x.At.IsZero() {
			t.Errorf("%s: %q", x.Name, line)
		}
		if at >= 0 {
			if dots++; at < last {
				t.Errorf("%q lies before what was earlier", line)
			}
			last = at
		}
	}
	if dots != 4 {
		t.Errorf("%d dots in %q", dots, d.Picture)
	}
	if d, _ := told(t, load(t, "refused")); len(d.Picture) != 0 {
		t.Errorf("%q", d.Picture)
	}
}

// Faults come in the order of what needs a person: left in place, changed by somebody, the rest.
func TestMostUrgentFirst(t *testing.T) {
	events := load(t, "met")
	b := events[0].Fact.Brief
	for _, id := range []string{"gone", "stuck", "changed"} {
		b.Faults = append(b.Faults, journal.BriefFault{ID: id, Kind: "sqs.poison", Target: "arn:" + id})
	}
	events = with(events,
		at(events, 3, journal.FaultPrepared, journal.Fact{Fault: "gone"}), at(events, 3, journal.FaultPrepared, journal.Fact{Fault: "stuck"}),
		at(events, 3, journal.FaultPrepared, journal.Fact{Fault: "changed"}),
		at(events, 225, journal.FaultReverted, journal.Fact{Fault: "gone", How: "restored", Facts: map[string]string{
			"message 1 of 2": "swept, 2 copies", "message 2 of 2": "gone: digested, purged or redriven by them"}}),
		at(events, 226, journal.FaultSettled, journal.Fact{Fault: "gone"}),
		at(events, 226, journal.FaultReverted, journal.Fact{Fault: "changed", How: "diverged"}),
		at(events, 227, journal.FaultSettled, journal.Fact{Fault: "changed"}),
		at(events, 227, journal.FaultRevertFailed, journal.Fact{Fault: "stuck", Err: "denied", Reason: "patience"}))
	d, text := told(t, events)
	var order []string
	for _, c := range d.Changes {
		order = append(order, c.ID)
	}
	if got := strings.Join(order, " "); got != "stuck gone changed throttle" {
		t.Error(got)
	}
	if !strings.Contains(text, "- message 1 of 2: swept, 2 copies\n- message 2 of 2: gone: digested, purged or redriven by them\n") {
		t.Error("the accounting of the messages is missing")
	}
}

// A correction shows both what was read and what a person says.
func TestCorrectedShowsBoth(t *testing.T) {
	_, text := told(t, load(t, "corrected"))
	if !strings.Contains(text, "(corrected by Ben: she called back first; read as 10:01:30)") {
		t.Error(text)
	}
}

// Notes of the incident stand at the pager's time, those of the command at ours.
func TestNotesAreOnOneClock(t *testing.T) {
	events := load(t, "late-clocks")
	e := at(events, 97, journal.IncidentNoted, journal.Fact{Incident: "Q1", By: "Anna", Text: "looking"})
	e.Seen = &journal.Seen{At: events[0].At.Add(5 * time.Second), By: "pagerduty", ErrorS: 0.5} // 90 s behind
	d, _ := told(t, with(events, e))
	if len(d.Notes) != 1 || d.Notes[0].At.Sub(events[0].At).Round(time.Second) != 96*time.Second && d.Notes[0].At.Sub(events[0].At).Round(time.Second) != 95*time.Second {
		t.Errorf("%+v", d.Notes)
	}
}

// What is printed holds the truth, to the half tenth that the number itself is rounded by.
func TestWithBar(t *testing.T) {
	for want, x := range map[string][2]float64{
		"0.0 s ± 0.0 s": {}, "1.8 s ± 0.3 s": {1.75, 0.25}, "20.0 s ± 1.0 s": {20, 1}, "1m00.5s ± 0.5 s": {60.5, 0.45},
		"59.9 s ± 0.1 s": {59.94, 0.02}, "1m00.0s ± 0.1 s": {59.96, 0.02}, "1h02m03.4s ± 1.0 s": {3723.4, 0.95},
	} {
		if got := debrief.WithBar(x[0], x[1]); got != want {
			t.Errorf("%v: %s, want %s", x, got, want)
		}
	}
}
