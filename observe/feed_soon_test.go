package observe

import (
	"slices"
	"testing"
	"time"
)

// heardAfter is how long it takes until a look at each second shows what has just happened.
func heardAfter(t *testing.T, a *feedAccount, f *SharedFeed, shows func(Seen) bool) time.Duration {
	t.Helper()
	began := a.clock()
	for range 120 {
		if seen := looks(t, a, f, 1, "PORDERS"); shows(seen) {
			return a.clock().Sub(began)
		}
	}
	t.Fatal("it is never told")
	return 0
}

// What people do is told within some seconds, also in the busy first minute: a plan has just asked the pager twenty
// questions, an incident opens, is acknowledged, noted on and resolved. Nobody waits a minute for a note that stops a
// drill, and no minute holds more of the feed's requests than it may.
func TestWhatPeopleDoIsToldSoon(t *testing.T) {
	const soon = 20 * time.Second
	for _, quiet := range []int{0, 3, 20, 45, 200} { // seconds between the plan and the page
		a, f := newFeedAccount(t, FeedOptions{})
		for range 20 {
			f.heard(a.clock(), a.clock(), nil, false) // the plan's own questions
		}
		looks(t, a, f, quiet, "PORDERS")
		in := a.open("PORDERS", "firedrill/run")
		last := func(seen Seen, kind EntryKind) bool {
			return len(seen.Incidents) > 0 && slices.ContainsFunc(seen.Incidents[0].Log, func(e Entry) bool { return e.Kind == kind })
		}
		told := map[string]time.Duration{"opened": heardAfter(t, a, f, func(s Seen) bool { return last(s, EntryTriggered) })}
		a.happen(in, "acknowledge", "acknowledged")
		told["acknowledged"] = heardAfter(t, a, f, func(s Seen) bool { return last(s, EntryAcknowledged) })
		for n, note := range []string{"looking", "drill hint", "drill stop"} {
			looks(t, a, f, 4, "PORDERS")
			in.notes = append(in.notes, note)
			a.happen(in, "annotate", "acknowledged")
			told[note] = heardAfter(t, a, f, func(s Seen) bool { return len(s.Incidents) > 0 && len(s.Incidents[0].Notes) == n+1 })
		}
		a.happen(in, "resolve", "resolved")
		told["resolved"] = heardAfter(t, a, f, func(s Seen) bool { return s.Incidents[0].Status == "resolved" })
		for what, after := range told {
			if after > soon {
				t.Errorf("paged %d s after the plan: %q is told after %s", quiet, what, after)
			}
		}
		looks(t, a, f, 60, "PORDERS")
		if most := a.busiest(); most > callsOfOne {
			t.Errorf("%d requests in a minute", most)
		}
	}
}
