package drills

import (
	"strings"
	"testing"
	"time"
)

func mustWindow(t *testing.T, days, hours, zone string) *Window {
	t.Helper()
	w, err := ParseWindow(days, hours, zone)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWindowOpens(t *testing.T) {
	const week, night = "mon-fri 10:00-16:00 Europe/Berlin", "fri-sat 22:00-02:00 Europe/Berlin"
	for _, c := range []struct {
		name, window, now string
		open              bool
		next              string
	}{
		{"just open", week, "2026-11-23T09:00:00Z", true, "2026-11-23T15:00:00Z"},
		{"a second before", week, "2026-11-23T08:59:59Z", false, "2026-11-23T09:00:00Z"},
		{"just closed", week, "2026-11-23T15:00:00Z", false, "2026-11-24T09:00:00Z"},
		{"over the weekend", week, "2026-11-20T15:30:00Z", false, "2026-11-23T09:00:00Z"},
		{"winter to summer: an hour earlier by UTC", week, "2027-03-26T16:00:00Z", false, "2027-03-29T08:00:00Z"},
		{"summer to winter: an hour later by UTC", week, "2026-10-23T16:00:00Z", false, "2026-10-26T09:00:00Z"},
		{"night", night, "2026-11-20T21:00:00Z", true, "2026-11-21T01:00:00Z"},
		{"after midnight", night, "2026-11-21T00:30:00Z", true, "2026-11-21T01:00:00Z"},
		{"the night of Saturday ends on Sunday", night, "2026-11-22T00:59:59Z", true, "2026-11-22T01:00:00Z"},
		{"Friday's small hours are Thursday's", night, "2026-11-20T00:30:00Z", false, "2026-11-20T21:00:00Z"},
		{"the night the clocks go forward is an hour short", night, "2027-03-27T22:00:00Z", true, "2027-03-28T01:00:00Z"},
		{"hours that are skipped never are", "sun 02:00-03:00 Europe/Berlin", "2027-03-28T00:30:00Z", false, "2027-04-04T00:00:00Z"},
		{"hours that begin in the gap begin after it", "sun 02:30-04:00 Europe/Berlin", "2027-03-28T00:30:00Z", false, "2027-03-28T01:00:00Z"},
		{"hours that come twice are open twice", "sun 02:00-02:30 Europe/Berlin", "2026-10-25T00:30:00Z", false, "2026-10-25T01:00:00Z"},
		{"and the first time too", "sun 02:00-02:30 Europe/Berlin", "2026-10-25T00:10:00Z", true, "2026-10-25T00:30:00Z"},
		{"a whole day", "sun 00:00-24:00 UTC", "2026-11-21T12:00:00Z", false, "2026-11-22T00:00:00Z"},
		{"a whole day ends", "sun 00:00-24:00 UTC", "2026-11-22T12:00:00Z", true, "2026-11-23T00:00:00Z"},
		{"two whole days join", "sat,sun 00:00-24:00 UTC", "2026-11-21T12:00:00Z", true, "2026-11-23T00:00:00Z"},
		{"always", "mon-sun 00:00-24:00 Asia/Kolkata", "2026-11-22T12:00:00Z", true, ""},
		{"half-hour zones", "mon 09:00-10:00 Asia/Kolkata", "2026-11-23T03:29:59Z", false, "2026-11-23T03:30:00Z"},
		{"another day there", "mon 01:00-02:00 Pacific/Auckland", "2026-11-22T12:00:00Z", true, "2026-11-22T13:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := strings.Fields(c.window)
			now, err := time.Parse(time.RFC3339, c.now)
			if err != nil {
				t.Fatal(err)
			}
			open, next := mustWindow(t, f[0], f[1], f[2]).Open(now)
			got := next.UTC().Format(time.RFC3339)
			if next.IsZero() {
				got = ""
			}
			if open != c.open || got != c.next {
				t.Errorf("open %t until %s, want %t until %s", open, got, c.open, c.next)
			}
		})
	}
}

// A slow clock that looks every minute must agree on each change, across both changes of the clocks.
func TestWindowAgreesWithASlowClock(t *testing.T) {
	for _, text := range []string{"mon-fri 10:00-16:00 Europe/Berlin", "sat-mon 23:30-02:45 Europe/Berlin", "sun 02:15-02:45 America/New_York", "wed,sun 00:00-24:00 Australia/Lord_Howe"} {
		f := strings.Fields(text)
		w := mustWindow(t, f[0], f[1], f[2])
		for _, from := range []string{"2026-10-22T00:00:00Z", "2026-10-30T00:00:00Z", "2027-03-11T00:00:00Z", "2027-03-25T00:00:00Z", "2027-04-01T00:00:00Z"} {
			start, _ := time.Parse(time.RFC3339, from)
			was, next := w.Open(start)
			for at := start; at.Before(start.AddDate(0, 0, 6)); at = at.Add(time.Minute) {
				if is := w.holds(at); is != was {
					if !at.Equal(next) {
						t.Fatalf("%s: changes at %s, Open said %s", text, at, next)
					}
					was, next = w.Open(at)
				}
			}
		}
	}
}

func TestWindowTellsAllThatIsWrong(t *testing.T) {
	_, err := ParseWindow("monday", "10-16", "Berlin")
	if err == nil || len(strings.Split(err.Error(), "\n")) != 3 {
		t.Errorf("%v", err)
	}
	for _, hours := range []string{"24:00-10:00", "10:00", "10:00-25:00", "-", "", "10:00-10:00"} {
		if _, _, err := parseHours(hours); err == nil {
			t.Errorf("hours %q were read", hours)
		}
	}
	for _, days := range []string{"", "mon-", "-fri", "mon,,fri", "mon-wed-fri"} {
		if _, err := parseDays(days); err == nil {
			t.Errorf("days %q were read", days)
		}
	}
	if days, err := parseDays("Fri-Mon"); err != nil || len(days) != 4 || days[time.Tuesday] {
		t.Errorf("fri-mon: %v %v", days, err)
	}
}
