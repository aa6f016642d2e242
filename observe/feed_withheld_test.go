package observe

import (
	"testing"
	"time"
)

// What is withheld until its alerts are read was there all the same: whoever is told then must not take the looks before
// for looks that did not see it.
func TestWhatWasWithheldIsNotToldAsUnseen(t *testing.T) {
	a, f := newFeedAccount(t, FeedOptions{})
	looks(t, a, f, 30, "PORDERS")
	a.fail = func(path string) int {
		if len(path) > 8 && path[len(path)-7:] == "/alerts" {
			return 500
		}
		return 0
	}
	since := a.began
	a.open("PORDERS", "alarm")
	opened := a.clock()
	var before time.Time
	for range 60 {
		if a.clock().Sub(opened) > 20*time.Second {
			a.fail = nil
		}
		seen, err := f.Look(t.Context(), []string{"PORDERS"}, since)
		if err == nil && len(seen.Incidents) > 0 {
			if before.After(opened) {
				t.Errorf("opened %s, told first at %s, after a look that began %s and told nothing", opened, a.clock(), before)
			}
			return
		}
		if err == nil {
			before = seen.At
		}
		a.pass(time.Second)
	}
	t.Fatal("it was never told")
}
