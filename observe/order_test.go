package observe

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// anEntry draws a log entry of some type within three seconds.
func anEntry(r *rapid.T, n int) Entry {
	spelled := rapid.SampledFrom([]string{
		"trigger", "assign", "notify", "acknowledge", "unacknowledge", "escalate", "annotate", "resolve", "snooze", "responder_request", "",
	}).Draw(r, "type")
	return Entry{
		ID: fmt.Sprintf("R%03d", n), Type: spelled + "_log_entry",
		At: time.Unix(int64(rapid.IntRange(1_700_000_000, 1_700_000_003).Draw(r, "second")), 0),
	}
}

// The pager promises no order, so any order of the same entries must become the same one.
func TestOrderDoesNotDependOnTheAnswer(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var entries []Entry
		for n := range rapid.IntRange(0, 30).Draw(r, "entries") {
			entries = append(entries, anEntry(r, n))
		}
		shuffled := rapid.Permutation(entries).Draw(r, "shuffled")
		inOrder(entries)
		inOrder(shuffled)
		if !slices.Equal(entries, shuffled) {
			r.Fatalf("%v\n%v", entries, shuffled)
		}
		for i := 1; i < len(entries); i++ {
			a, b := entries[i-1], entries[i]
			if b.At.Before(a.At) || b.At.Equal(a.At) && rank(b.Type) < rank(a.Type) {
				r.Fatalf("%v stands before %v", a, b)
			}
		}
	})
}

func TestCausesStandBeforeWhatTheyCause(t *testing.T) {
	for _, pair := range [][2]string{
		{"trigger", "assign"}, {"assign", "notify"}, {"notify", "acknowledge"}, {"acknowledge", "resolve"}, {"trigger", "resolve"},
		{"unacknowledge", "escalate"}, {"escalate", "assign"}, {"escalate", "notify"}, {"acknowledge", "annotate"}, {"annotate", "resolve"},
		{"snooze", "resolve"}, {"trigger", "unheard_of"},
	} {
		if rank(pair[0]+"_log_entry") >= rank(pair[1]+"_log_entry") {
			t.Errorf("%s does not stand before %s", pair[0], pair[1])
		}
	}
}

func TestTimesAreReadWithAnyZone(t *testing.T) {
	want := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for text, same := range map[string]bool{
		"2026-11-22T10:00:00Z": true, "2026-11-22T11:00:00+01:00": true, "2026-11-22T04:30:00-05:30": true, "2026-11-22T10:00:00.000Z": true,
		"2026-11-22": false, "10:00": false, "": false, "null": false,
	} {
		got := timeOf(text)
		if same && (!got.Equal(want) || got.Location() != time.UTC) || !same && !got.IsZero() {
			t.Errorf("%q: %v", text, got)
		}
	}
	if got := stamp(time.Date(2026, 11, 22, 11, 0, 0, 999, time.FixedZone("", 3600))); got != "2026-11-22T10:00:00Z" {
		t.Errorf("written as %s", got)
	}
}
