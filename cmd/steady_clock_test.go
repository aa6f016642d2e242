package cmd

import (
	"testing"
	"time"
)

// The clock follows the time of day through a sleep and through small corrections, and goes on by itself where somebody
// sets it back, however often.
func TestSteadyClock(t *testing.T) {
	start := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	s := newSteady(func() time.Time { return start })
	for _, row := range []struct {
		name            string
		wall, ran, want time.Duration
	}{
		{"both go on", 10 * time.Second, 10 * time.Second, 10 * time.Second},
		{"an hour asleep", 3620 * time.Second, 20 * time.Second, 3620 * time.Second},
		{"corrected by a little", 3629*time.Second + 800*time.Millisecond, 30 * time.Second, 3629*time.Second + 800*time.Millisecond},
		{"set back by half an hour", 1840 * time.Second, 40 * time.Second, 3639*time.Second + 800*time.Millisecond},
		{"and on from there", 1850 * time.Second, 50 * time.Second, 3649*time.Second + 800*time.Millisecond},
		{"set back again", 0, 60 * time.Second, 3659*time.Second + 800*time.Millisecond},
		{"set right", 7200 * time.Second, 70 * time.Second, 10859*time.Second + 800*time.Millisecond},
		{"not at all", 7200 * time.Second, 70 * time.Second, 10859*time.Second + 800*time.Millisecond},
	} {
		if got := s.at(row.wall, row.ran).Sub(start); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

// It tells the time of day, and never two times in the wrong order.
func TestSteadyClockTellsTheTime(t *testing.T) {
	s := newSteady(time.Now)
	last := s.Now()
	for range 1000 {
		now := s.Now()
		if now.Before(last) {
			t.Fatalf("%s after %s", now, last)
		}
		last = now
	}
	if off := time.Since(last); off < -time.Second || off > time.Second {
		t.Errorf("it is off by %s", off)
	}
}
