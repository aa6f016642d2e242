package drills

import (
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// An hour in which nothing changes is a few readings, and what changed stands there with the looks beside it.
func TestReadingsThatRepeatThemselvesAreKeptOnceInAWhile(t *testing.T) {
	s := NewState("mine")
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	look := func(n int, reading string) {
		for range n {
			at = at.Add(2 * time.Second)
			s.Add(journal.Event{Kind: journal.ProbeRead, At: at, Fact: journal.Fact{Probe: "http x", Role: journal.RoleSteady, Reading: reading}})
			s.Add(journal.Event{Kind: journal.EffectRead, At: at, Fact: journal.Fact{Fault: "deny", Reading: "yes"}})
		}
	}
	look(5, "ok")
	look(1, "bad")
	look(1, "ok")
	look(1, "bad")
	look(1800, "ok")
	good := at
	look(1, "bad")
	if n := len(s.Events); n > 2*3700/30+20 {
		t.Errorf("%d events are kept of an hour", n)
	}
	var probes []journal.Event
	for i, e := range s.Events {
		if i > 0 && e.At.Before(s.Events[i-1].At) {
			t.Fatalf("event %d stands before its time", i)
		}
		if e.Kind == journal.ProbeRead {
			probes = append(probes, e)
		}
	}
	var begin string
	for _, e := range probes[:9] {
		begin += e.Fact.Reading + " "
	}
	if begin != "ok ok ok bad ok bad ok ok ok " {
		t.Errorf("begins %q", begin)
	}
	if last := probes[len(probes)-2]; !last.At.Equal(good) {
		t.Errorf("the last good look before it was bad is gone: %v, want %v", last.At, good)
	}
}
