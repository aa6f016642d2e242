package cmd

import (
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// An hour is one of the run's own day, in the zone that status shows, past midnight and where clocks are put back too.
func TestAnHourIsOneOfTheRun(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here:", err)
	}
	at := func(s string) time.Time {
		x, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, c := range []struct{ planned, ended, value, want string }{
		{"2026-11-22T09:00:00.4Z", "2026-11-22T09:30:00.2Z", "10:03:10", "2026-11-22T09:03:10Z"},
		{"2026-11-22T09:00:00.4Z", "2026-11-22T09:30:00.2Z", "10:03:10.25", "2026-11-22T09:03:10.25Z"},
		{"2026-11-22T09:00:00.4Z", "2026-11-22T09:30:00.2Z", "2026-11-22T10:03:10+01:00", "2026-11-22T09:03:10Z"},
		{"2026-11-22T09:00:00.4Z", "2026-11-22T09:30:00.2Z", "10:00:00", "2026-11-22T09:00:00Z"}, // whole seconds at the ends
		{"2026-11-22T09:00:00.4Z", "2026-11-22T09:30:00.2Z", "10:30:01", "2026-11-22T09:30:01Z"},
		{"2026-11-22T09:00:00.4Z", "2026-11-22T09:30:00.2Z", "10:30:02", ""},
		{"2026-11-22T09:00:00.4Z", "2026-11-22T09:30:00.2Z", "09:59:59", ""},
		{"2026-11-22T09:00:00.4Z", "2026-11-22T09:30:00.2Z", "09:03:10Z", ""},
		{"2026-11-22T09:00:00.4Z", "2026-11-22T09:30:00.2Z", "", ""},
		{"2026-11-22T22:50:00Z", "2026-11-22T23:20:00Z", "00:10:00", "2026-11-22T23:10:00Z"}, // 23:50 to 00:20 there
		{"2026-11-22T22:50:00Z", "2026-11-22T23:20:00Z", "23:55:00", "2026-11-22T22:55:00Z"},
		{"2026-10-25T01:10:00Z", "2026-10-25T01:40:00Z", "02:20:00", "2026-10-25T01:20:00Z"}, // the second 02:20 of that night
		{"2026-10-25T00:10:00Z", "2026-10-25T00:40:00Z", "02:20:00", "2026-10-25T00:20:00Z"}, // the first
		{"2026-03-29T00:50:00Z", "2026-03-29T01:20:00Z", "03:10:00", "2026-03-29T01:10:00Z"}, // 01:50 to 03:20 there
	} {
		got, err := instantAt(timeline.Timeline{Planned: at(c.planned), Ended: at(c.ended)}, c.value, berlin)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s in %s to %s: %s, want a refusal", c.value, c.planned, c.ended, got)
			}
			continue
		}
		if err != nil || !got.Equal(at(c.want)) {
			t.Errorf("%s in %s to %s: %s %v, want %s", c.value, c.planned, c.ended, got, err, c.want)
		}
	}
}

// A run that goes on can be corrected too, and what others wrote steers no terminal.
func TestCorrectionsAreShown(t *testing.T) {
	d := newDesk(t)
	d.tell(t, tale{run: "01kaaa", drill: "first", env: "staging", planned: day(0), kinds: applied})
	d.Now = func() time.Time { return day(0).Add(time.Minute) }
	if code := d.run(t, "status", "01kaaa", "--correct", "effective=09:00:02", "--why", "\x1b[31mthe graph\u202e says"); code != 0 {
		t.Fatalf("exit code %d: %s", code, d.err.String())
	}
	if !strings.Contains(d.out.String(), "effective is 09:00:02 now, was 09:00:03; kept") {
		t.Error(d.out.String())
	}
	d.run(t, "status")
	if !strings.Contains(d.out.String(), "corrected: effective 09:00:02, read as 09:00:03 (") || strings.ContainsAny(d.out.String(), "\x1b\u202e") {
		t.Errorf("%q", d.out.String())
	}
	store, err := d.store(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	events, err := store.Load(t.Context(), "01kaaa", journal.Start)
	if err != nil {
		t.Fatal(err)
	}
	last := events[len(events)-1]
	if last.Kind != journal.Correction || last.Gen != 0 || last.Fact.Instant != "effective" || !last.Fact.Value.Equal(day(0).Add(2*time.Second)) ||
		last.Fact.Why == "" || last.Fact.By != d.operator() {
		t.Errorf("%+v", last)
	}
}
