package drills_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// christmas is a calendar of one day, Monday 2 March 2026, on which every scene plays.
const christmas = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Founders' day\r\nDTSTART;VALUE=DATE:20260302\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

// calendars gives a scene a file and an address of a calendar, "days.ics" and "https://calendar.example.com/s3cret.ics".
func (s *scene) calendars(t *testing.T, text string, fetch func() ([]byte, error)) func() *drills.Steps {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "days.ics"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.env.Source = filepath.Join(dir, "firedrill.yaml")
	return func() *drills.Steps {
		st := s.steps()
		st.World.Calendar = func(_ context.Context, address string) ([]byte, error) {
			if address != "https://calendar.example.com/s3cret.ics" {
				t.Errorf("asked %s", address)
			}
			return fetch()
		}
		return st
	}
}

func fetched(text string, err error) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(text), err }
}

// When it is not today, the refusal says why, and the next time at which everything allows it, on both clocks.
func TestNotToday(t *testing.T) {
	const file, address = "days.ics", "https://calendar.example.com/s3cret.ics"
	silent := fetched("", &observe.SilentError{What: "the calendar at calendar.example.com", Err: errors.New("status 503")})
	for name, c := range map[string]struct {
		env   func(e *drills.Environment)
		text  string
		fetch func() ([]byte, error)
		code  string
		later bool
		next  string // RFC 3339; empty: nobody knows
		words []string
	}{
		"a holiday of a file": {func(e *drills.Environment) { e.Holidays = []string{file} }, christmas, nil, "holidays", true, "2026-03-03T09:00:00Z",
			[]string{"it is a holiday of staging: Founders' day (Mon 2 Mar, days.ics); next: Tue 3 Mar 09:00 UTC"}},
		"a holiday of an address": {func(e *drills.Environment) { e.Holidays = []string{address} }, "", fetched(christmas, nil), "holidays", true, "2026-03-03T09:00:00Z",
			[]string{"(Mon 2 Mar, the calendar at calendar.example.com)"}},
		"an address that does not answer": {func(e *drills.Environment) { e.Holidays = []string{file, address} }, strings.Replace(christmas, "20260302", "20260401", 1), silent, "holidays", true, "",
			[]string{"does not answer: status 503; next: when it answers"}},
		"a file that is not there": {func(e *drills.Environment) { e.Holidays = []string{"nowhere.ics"} }, "", nil, "holidays", false, "", []string{"nowhere.ics", "Try: check the path"}},
		"a file that is broken": {func(e *drills.Environment) { e.Holidays = []string{file} }, strings.Replace(christmas, "20260302", "Monday", 1), nil, "holidays", false, "",
			[]string{`days.ics:2: DTSTART "Monday" is no date`, "Try: 20261225"}},
		"an address that is gone": {func(e *drills.Environment) { e.Holidays = []string{address} }, "", fetched("", errors.New("fetch the calendar at calendar.example.com: status 404")), "holidays", false, "", []string{"404"}},
		"a freeze": {func(e *drills.Environment) {
			e.Freezes = []drills.Freeze{{From: "2026-02-27", To: "2026-03-06", Why: "the fair"}}
		}, "", nil, "freeze", true, "2026-03-09T09:00:00Z",
			[]string{"staging is frozen: the fair (Fri 27 Feb to Fri 6 Mar); next: Mon 9 Mar 09:00 UTC"}},
		"a freeze and the holiday after it": {func(e *drills.Environment) {
			e.Freezes = []drills.Freeze{{From: "2026-03-02", To: "2026-03-02"}}
			e.Holidays = []string{file}
		}, strings.Replace(christmas, "20260302", "20260303", 1), nil, "freeze", true, "2026-03-04T09:00:00Z", nil},
		"a window elsewhere": {func(e *drills.Environment) {
			e.Window, _ = drills.ParseWindow("mon-fri", "09:00-10:00", "Pacific/Auckland")
		}, "", nil, "window", true, "2026-03-02T20:00:00Z", []string{"next: Tue 3 Mar 09:00 NZDT (Mon 2 Mar 20:00 UTC)"}},
		"frozen for years": {func(e *drills.Environment) { e.Freezes = []drills.Freeze{{From: "2026-01-01", To: "2029-01-01"}} }, "", nil, "freeze", true, "", []string{"which is not within 400 days"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			c.env(&s.env)
			steps := s.calendars(t, c.text, c.fetch)
			_, err := steps().Make(t.Context(), &s.spec, runID)
			refusedBy(t, err, c.code, c.later, c.words...)
			var no *drills.Refusal
			if errors.As(err, &no) {
				if got := timeText(no.Next); got != c.next {
					t.Errorf("next %s, want %s", got, c.next)
				}
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("a private address is told: %v", err)
			}
			s.untouched(t)
		})
	}
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// A calendar of last year is told; days of work are days like any other.
func TestHolidaysThatAreNotToday(t *testing.T) {
	for text, want := range map[string]bool{strings.Replace(christmas, "20260302", "20250302", 1): true, strings.Replace(christmas, "20260302", "20260303", 1): false} {
		s := newScene(t)
		s.env.Holidays = []string{"days.ics"}
		v, err := s.calendars(t, text, nil)().Make(t.Context(), &s.spec, runID)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(strings.Join(v.Warn, "\n"), "days.ics has no day from now on"); got != want {
			t.Errorf("warned %t, want %t: %q", got, want, v.Warn)
		}
	}
}

// A drill that may last beyond the hours in which people may be woken says so, and may run.
func TestALimitBeyondTheWindowIsTold(t *testing.T) {
	s := newScene(t)
	s.env.Freezes = []drills.Freeze{{From: "2026-03-03", To: "2026-03-03"}}
	s.clock.t = s.clock.t.Add(6*time.Hour + 30*time.Minute)
	v, err := s.plan()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(v.Warn, "\n"); !strings.Contains(got, "may last until Mon 2 Mar 17:30 UTC, and people may be woken until Mon 2 Mar 17:00 UTC only") {
		t.Errorf("%q", got)
	}
}

// A run that began outside leaves why and when in its journal.
func TestTheJournalHasTheNextTime(t *testing.T) {
	s := newScene(t)
	v, err := s.plan()
	if err != nil {
		t.Fatal(err)
	}
	s.env.Freezes = []drills.Freeze{{From: "2026-03-02", To: "2026-03-02", Why: "the fair"}}
	e := &drills.Engine{Store: s.store, Steps: s.steps(), Clock: s.clock, Holder: journal.Holder{Host: "h", PID: 1}}
	st, err := e.Start(t.Context(), v.Plan, v.Brief)
	if err != nil || st.Outcome != "refused" {
		t.Fatalf("%v, %+v", err, st)
	}
	for _, ev := range st.Events {
		if ev.Kind == journal.GuardRefused {
			if ev.Fact.Facts["next"] != "2026-03-03T09:00:00Z" || ev.Fact.Facts["when"] != "later" || !strings.HasSuffix(ev.Fact.Why, "next: Tue 3 Mar 09:00 UTC") {
				t.Errorf("%+v", ev.Fact)
			}
			return
		}
	}
	t.Error("no refusal in the journal")
}

// After a night in which a real incident woke somebody, nobody is drilled until they have slept.
func TestRestAfterARealNight(t *testing.T) {
	woken := time.Date(2026, 3, 2, 3, 12, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		rest    drills.RestSpec
		at      time.Time
		err     error
		now     time.Duration // after ten o'clock
		code    string
		later   bool
		next    string
		words   []string
		freezes []drills.Freeze
	}{
		"woken at three":       {drills.RestSpec{Night: "22:00-07:00", For: 11 * time.Hour}, woken, nil, 0, "rest", true, "2026-03-02T14:12:00Z", []string{"the on-call of Orders was woken at Mon 2 Mar 03:12 UTC by a real incident, and rests for 11h"}, nil},
		"rest until tomorrow":  {drills.RestSpec{Night: "22:00-07:00", For: 14 * time.Hour}, woken, nil, 0, "rest", true, "2026-03-03T09:00:00Z", nil, nil},
		"and a freeze then":    {drills.RestSpec{Night: "22:00-07:00", For: 14 * time.Hour}, woken, nil, 0, "rest", true, "2026-03-04T09:00:00Z", nil, []drills.Freeze{{From: "2026-03-03", To: "2026-03-03"}}},
		"before the window":    {drills.RestSpec{Night: "22:00-07:00", For: 11 * time.Hour}, woken, nil, -3 * time.Hour, "window", true, "2026-03-02T14:12:00Z", nil, nil},
		"nobody was":           {drills.RestSpec{Night: "22:00-07:00", For: 11 * time.Hour}, time.Time{}, nil, 0, "", false, "", nil, nil},
		"slept off":            {drills.RestSpec{Night: "22:00-07:00", For: 6 * time.Hour}, woken, nil, 0, "", false, "", nil, nil},
		"nobody asks":          {drills.RestSpec{}, woken, nil, 0, "", false, "", nil, nil},
		"an unreadable log":    {drills.RestSpec{Night: "22:00-07:00", For: 11 * time.Hour}, woken, errors.New("403 Forbidden"), 0, "rest", false, "", []string{"is unknown: 403 Forbidden"}, nil},
		"hours that are none":  {drills.RestSpec{Night: "late", For: 11 * time.Hour}, woken, nil, 0, "rest", false, "", []string{"rest.night"}, nil},
		"exactly at its end":   {drills.RestSpec{Night: "22:00-07:00", For: 6*time.Hour + 48*time.Minute}, woken, nil, 0, "", false, "", nil, nil},
		"a second before that": {drills.RestSpec{Night: "22:00-07:00", For: 6*time.Hour + 48*time.Minute + time.Second}, woken, nil, 0, "rest", true, "2026-03-02T10:00:01Z", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.env.Rest, s.env.Freezes = c.rest, c.freezes
			s.clock.t = s.clock.t.Add(c.now)
			s.pager.check.OnCall = []observe.OnCall{{User: "PANN", Name: "Ann Example", Level: 1}, {User: "PBEN", Name: "Ben", Level: 2}}
			st := s.steps()
			st.World.Woken = func(_ context.Context, q observe.NightQuery) (observe.Woken, error) {
				if fmt.Sprint(q.People) != "[PANN PBEN]" || q.Service != "PORDERS" || q.Ours != "firedrill/" {
					t.Errorf("asked %+v", q)
				}
				for _, n := range q.Nights {
					if n.From.Before(s.clock.Now().Add(-c.rest.For)) || n.To.After(s.clock.Now().Add(time.Second)) {
						t.Errorf("asked about %v, which does not count any more or yet", n)
					}
				}
				return observe.Woken{At: c.at, Incident: "PREAL"}, c.err
			}
			_, err := st.Make(t.Context(), &s.spec, runID)
			if c.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			refusedBy(t, err, c.code, c.later, c.words...)
			var no *drills.Refusal
			if errors.As(err, &no) && timeText(no.Next) != c.next {
				t.Errorf("next %s, want %s", timeText(no.Next), c.next)
			}
			if strings.Contains(err.Error(), "Ann") || strings.Contains(err.Error(), "PANN") {
				t.Errorf("somebody is named: %v", err)
			}
			s.untouched(t)
		})
	}
	s := newScene(t)
	s.env.Rest = drills.RestSpec{Night: "22:00-07:00", For: time.Hour}
	if _, err := s.plan(); err == nil {
		t.Error("nobody can be asked, and it may run")
	}
}
