package drills

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func instantOf(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// calendarOf has a window and freezes, each as "from to".
func calendarOf(t testing.TB, window string, freezes ...string) *Calendar {
	t.Helper()
	f := strings.Fields(window)
	w, err := ParseWindow(f[0], f[1], f[2])
	if err != nil {
		t.Fatal(err)
	}
	c := NewCalendar(&Environment{Window: w})
	for _, text := range freezes {
		from, to, _ := strings.Cut(text, " ")
		if err := c.Freeze([]Freeze{{From: from, To: to}}); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func TestCalendarNext(t *testing.T) {
	const week = "mon-fri 10:00-16:00 Europe/Berlin"
	for _, c := range []struct {
		name, window, freezes, now, next string
	}{
		{"open now", week, "", "2026-11-23T09:00:00Z", "2026-11-23T10:00:00+01:00"},
		{"after the weekend", week, "", "2026-11-20T15:00:00Z", "2026-11-23T10:00:00+01:00"},
		{"a frozen Monday is skipped", week, "2026-11-23 2026-11-23", "2026-11-20T15:00:00Z", "2026-11-24T10:00:00+01:00"},
		{"the last day of a freeze is one", week, "2026-12-20 2027-01-04", "2026-12-21T12:00:00Z", "2027-01-05T10:00:00+01:00"},
		{"a freeze that begins today ends what is open", week, "2026-11-23 2026-11-24", "2026-11-23T09:30:00Z", "2026-11-25T10:00:00+01:00"},
		{"freezes that touch are one", week, "2026-11-23 2026-11-24,2026-11-25 2026-11-26", "2026-11-23T00:00:00Z", "2026-11-27T10:00:00+01:00"},
		{"freezes that overlap are one", week, "2026-11-23 2026-11-26,2026-11-24 2026-11-25", "2026-11-23T00:00:00Z", "2026-11-27T10:00:00+01:00"},
		{"over the change to summer", week, "2027-03-26 2027-03-28", "2027-03-26T12:00:00Z", "2027-03-29T10:00:00+02:00"},
		{"over the change to winter", week, "2026-10-23 2026-10-25", "2026-10-23T12:00:00Z", "2026-10-26T10:00:00+01:00"},
		{"a day whose midnight is skipped", "mon-sun 00:00-24:00 America/Asuncion", "2022-10-01 2022-10-01", "2022-10-01T12:00:00Z", "2022-10-02T01:00:00-03:00"},
		{"a freeze that begins where midnight is skipped", "mon-sun 00:00-24:00 America/Asuncion", "2022-10-02 2022-10-02", "2022-10-02T04:00:00Z", "2022-10-03T00:00:00-03:00"},
		{"a midnight that comes twice", "mon-sun 00:00-24:00 America/Havana", "2026-11-01 2026-11-01", "2026-11-01T04:30:00Z", "2026-11-02T00:00:00-05:00"},
		{"the first of two midnights", "mon-sun 00:00-24:00 America/Havana", "2026-10-30 2026-10-31", "2026-10-31T04:30:00Z", "2026-11-01T00:00:00-04:00"},
		{"a zone ahead of the day", "mon-fri 09:00-17:00 Pacific/Auckland", "2026-11-23 2026-11-23", "2026-11-22T21:00:00Z", "2026-11-24T09:00:00+13:00"},
		{"frozen for longer than anybody reads", week, "2026-11-23 2028-12-31", "2026-11-23T09:00:00Z", "never"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var freezes []string
			if c.freezes != "" {
				freezes = strings.Split(c.freezes, ",")
			}
			next := calendarOf(t, c.window, freezes...).Next(instantOf(t, c.now))
			got := next.Format(time.RFC3339)
			if next.IsZero() {
				got = "never"
			}
			if got != c.next {
				t.Errorf("next %s, want %s", got, c.next)
			}
		})
	}
}

// zonesOfTests change their clocks by an hour, by half of one, at midnight, and never.
func zonesOfTests() []string {
	return []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Kolkata", "UTC", "Pacific/Auckland"}
}

func anyCalendar(t *rapid.T) *Calendar {
	zone := rapid.SampledFrom(zonesOfTests()).Draw(t, "zone")
	days := rapid.SampledFrom([]string{"mon-fri", "mon-sun", "wed,sun", "sat-mon"}).Draw(t, "days")
	hours := rapid.SampledFrom([]string{"10:00-16:00", "00:00-24:00", "22:00-02:00", "02:15-02:45", "23:30-00:30"}).Draw(t, "hours")
	w, err := ParseWindow(days, hours, zone)
	if err != nil {
		t.Fatal(err)
	}
	c := NewCalendar(&Environment{Window: w})
	for range rapid.IntRange(0, 4).Draw(t, "freezes") {
		from := beginning.AddDate(0, 0, rapid.IntRange(-3, 20).Draw(t, "from"))
		to := from.AddDate(0, 0, rapid.IntRange(0, 5).Draw(t, "length"))
		if err := c.Freeze([]Freeze{{From: from.Format(time.DateOnly), To: to.Format(time.DateOnly)}}); err != nil {
			t.Fatal(err)
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "hours off") {
		from := beginning.Add(time.Duration(rapid.IntRange(0, 20*24*60).Draw(t, "minute")) * time.Minute)
		c.Holiday([]DayOff{{From: from, To: from.Add(time.Duration(rapid.IntRange(1, 3000).Draw(t, "minutes")) * time.Minute)}})
	}
	return c
}

// beginning is some days before the clocks of Berlin, Havana and New York change.
var beginning = time.Date(2026, 10, 20, 0, 0, 0, 0, time.UTC)

// Whatever the calendar: the next time is one that it allows, and a slow clock finds none before it.
func TestNextIsTheFirstAllowedTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCalendar(t)
		now := beginning.Add(time.Duration(rapid.IntRange(0, 18*24*60).Draw(t, "now")) * time.Minute)
		next := c.Next(now)
		if next.IsZero() {
			t.Fatal("never, although every freeze ends")
		}
		if !c.holds(next) {
			t.Fatalf("%s is not allowed", next)
		}
		for at := now; at.Before(next) && at.Before(now.AddDate(0, 0, 10)); at = at.Add(5 * time.Minute) {
			if c.holds(at) {
				t.Fatalf("%s is allowed, and Next(%s) says %s", at, now, next)
			}
		}
	})
}

// The spans of a time are exactly the minutes that are allowed, and a moment is always in one of them.
func TestSpansAndMomentsAreAllowed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCalendar(t)
		from := beginning.Add(time.Duration(rapid.IntRange(0, 15*24*60).Draw(t, "from")) * time.Minute)
		to := from.Add(time.Duration(rapid.IntRange(1, 36*60).Draw(t, "length")) * time.Minute)
		spans := c.Spans(from, to)
		for at := from; at.Before(to); at = at.Add(time.Minute) {
			in := slices.ContainsFunc(spans, func(s Span) bool { return !at.Before(s.From) && at.Before(s.To) })
			if in != c.holds(at) {
				t.Fatalf("%s: in a span %t, allowed %t: %v", at, in, c.holds(at), spans)
			}
		}
		seed := rapid.Uint64().Draw(t, "seed")
		at, ok := c.Moment(from, to, rand.New(rand.NewPCG(seed, 1)).Int64N)
		if ok != (len(spans) > 0) || ok && (!c.holds(at) || at.Before(from) || !at.Before(to)) {
			t.Fatalf("moment %s (%t) of %v", at, ok, spans)
		}
	})
}

// Of an hour and of two, two thirds of the moments lie in the two; and each hour is filled evenly.
func TestMomentsAreUniformOverOpenTime(t *testing.T) {
	c := calendarOf(t, "mon-sun 00:00-24:00 UTC")
	from := beginning
	c.Holiday([]DayOff{{From: from.Add(time.Hour), To: from.Add(4 * time.Hour)}})
	r, counts := rand.New(rand.NewPCG(1, 2)), [6]int{}
	const tries = 30_000
	for range tries {
		at, ok := c.Moment(from, from.Add(6*time.Hour), r.Int64N)
		if !ok {
			t.Fatal("none")
		}
		counts[int(at.Sub(from)/time.Hour)]++
	}
	for hour, n := range counts {
		want := tries / 3
		if hour >= 1 && hour < 4 {
			want = 0
		}
		if n < want-400 || n > want+400 {
			t.Errorf("hour %d has %d moments, want about %d", hour, n, want)
		}
	}
}

func TestFreezesThatAreNone(t *testing.T) {
	c := calendarOf(t, "mon-sun 00:00-24:00 UTC")
	for _, f := range []Freeze{{From: "2026-12-20", To: "2026-12-19"}, {From: "20.12.2026", To: "2027-01-03"}, {From: "2026-02-30", To: "2027-01-03"}} {
		if c.Freeze([]Freeze{f}) == nil {
			t.Errorf("%v was taken", f)
		}
	}
	if c.OffAt(instantOf(t, "2026-12-20T00:00:00Z")) != nil {
		t.Error("something is off")
	}
}

func TestDaysOffAreTold(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	d := func(day, hour int) time.Time { return time.Date(2026, 12, day, hour, 0, 0, 0, berlin) }
	for want, off := range map[string]DayOff{
		"Fri 25 Dec":               {From: d(25, 0), To: d(26, 0)},
		"Fri 25 Dec to Sat 26 Dec": {From: d(25, 0), To: d(27, 0)},
		"Thu 24 Dec 12:00 CET (11:00 UTC) to Thu 24 Dec 18:00 CET (17:00 UTC)": {From: d(24, 12), To: d(24, 18)},
	} {
		if got := off.days(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := clockText(time.Date(2026, 11, 24, 9, 0, 0, 0, time.FixedZone("NZDT", 13*3600))); got != "Tue 24 Nov 09:00 NZDT (Mon 23 Nov 20:00 UTC)" {
		t.Error(got)
	}
	if got := clockText(time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)); got != "Tue 24 Nov 09:00 UTC" {
		t.Error(got)
	}
}
