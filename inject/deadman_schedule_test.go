package inject

import (
	"regexp"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever is due and however long the calls must lie apart: none is made before it is due, nor before the one before it
// has surely been made and its delay has passed, nor much later than that; and names are legal, of their mark alone.
func TestSchedulesKeepTheirDistance(t *testing.T) {
	legal := regexp.MustCompile(`^[0-9a-zA-Z_.-]{1,64}$`)
	rapid.Check(t, func(r *rapid.T) {
		word := rapid.StringMatching(`[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,9}){0,6}`)
		m := Mark{Run: rapid.StringMatching(`[0-7][0-9a-hjkmnp-tv-z]{25}`).Draw(r, "run"), Fault: word.Draw(r, "fault")}
		other := Mark{Run: m.Run, Fault: word.Draw(r, "another fault")}
		due := time.UnixMilli(rapid.Int64Range(1.7e12, 1.9e12).Draw(r, "due"))
		var calls []Call
		for range rapid.IntRange(1, 12).Draw(r, "calls") {
			calls = append(calls, Call{After: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(r, "after"))})
		}
		earliest, seen := due, map[string]bool{}
		for i, s := range Schedules(m, due, calls) {
			if i > 0 {
				earliest = earliest.Add(time.Minute + calls[i].After) // the one before is made at its minute's end at the latest
			}
			if s.At.Before(earliest) || !s.At.Before(earliest.Add(time.Minute)) || !s.At.Equal(s.At.Truncate(time.Minute)) || s.At.Location() != time.UTC {
				r.Fatalf("call %d at %s, due from %s", i+1, s.At, earliest)
			}
			earliest = s.At
			if !legal.MatchString(s.Name) || seen[s.Name] || s.Name != ScheduleName(m, i+1) {
				r.Fatalf("name %q", s.Name)
			}
			seen[s.Name] = true
			if m != other && ScheduleName(other, i+1) == s.Name {
				r.Fatalf("%v and %v share the name %q", m, other, s.Name)
			}
		}
	})
}
