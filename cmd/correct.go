package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// runCorrect records that an instant was another than what was read: NAME=TIME. What was read is kept and shown.
func runCorrect(ctx context.Context, d *Deps, named, correct, why string) error {
	name, value, ok := strings.Cut(correct, "=")
	why = strings.TrimSpace(why)
	switch {
	case !ok || !slices.Contains(timeline.Names(), timeline.Name(name)):
		return usage("correct %q: it is NAME=TIME, NAME one of %s. Try: --correct acknowledged=14:03:10 --why \"…\"", brief(correct), instantNames())
	case why == "":
		return usage("correct %s: nobody will know why. Try: --why \"she called back before she tapped\"", name)
	case len(why) > longestNote:
		return usage("correct %s: %d bytes of why are too long. Try: %d at most, and a link to the rest", name, len(why), longestNote)
	}
	run, store, err := d.changing(ctx, named)
	if err != nil {
		return err
	}
	defer store.Close()
	events, err := readable(ctx, store, run.Run)
	if err != nil {
		return err
	}
	t := timeline.Of(events, d.Now())
	at, err := instantAt(t, value, time.Local)
	if err != nil {
		return usage("correct %s: %v", name, err)
	}
	was := t.Instant(timeline.Name(name))
	fact := journal.Fact{Instant: name, Value: &at, Why: why, By: d.operator()}
	if err := d.outsider(ctx, store, run.Run, "correct", journal.Event{Kind: journal.Correction, At: d.Now(), Fact: fact}); err != nil {
		return err
	}
	fmt.Fprintf(d.Out, "%s is %s now, %s; kept and shown with it. Run %s\n", name, at.Local().Format(time.TimeOnly), readAs(was.At), run.Run)
	return nil
}

func instantNames() string {
	var names []string
	for _, n := range timeline.Names() {
		names = append(names, string(n))
	}
	return strings.Join(names, ", ")
}

// readAs says what stood there before.
func readAs(at time.Time) string {
	if at.IsZero() {
		return "which had not been seen to happen"
	}
	return "was " + at.Local().Format(time.TimeOnly)
}

// instantAt reads a time of a run: RFC 3339, or the hour of its own day, in a zone: the one that status shows. It lies within
// the run: whole seconds at either end are no mistake.
func instantAt(t timeline.Timeline, value string, zone *time.Location) (time.Time, error) {
	end := t.Ended
	if end.IsZero() {
		end = t.Now
	}
	from, to := t.Planned.Truncate(time.Second), end.Truncate(time.Second).Add(time.Second)
	at, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		hour, hourErr := time.Parse(time.TimeOnly, value)
		if hourErr != nil {
			return at, fmt.Errorf("%q is no time. Try: 14:03:10, or %s", brief(value), t.Planned.UTC().Format(time.RFC3339))
		}
		at = withinRun(t.Planned.In(zone), hour, from, to)
	}
	if at.Before(from) || at.After(to) {
		return at, fmt.Errorf("%s is not within the run, which went from %s to %s", at.Local().Format("2006-01-02 15:04:05"),
			t.Planned.Local().Format("2006-01-02 15:04:05"), end.Local().Format("2006-01-02 15:04:05"))
	}
	return at.UTC(), nil
}

// withinRun is the hour on the day of the run or on the next, if it went on past midnight. In the night in which clocks
// are put back an hour stands for two instants: the one within the run is meant.
func withinRun(day, hour, from, to time.Time) time.Time {
	guess := onDay(day, hour)
	for _, base := range []time.Time{guess, onDay(day.AddDate(0, 0, 1), hour)} {
		for _, at := range []time.Time{base, base.Add(-time.Hour), base.Add(time.Hour)} {
			if at.Format(time.TimeOnly) == base.Format(time.TimeOnly) && !at.Before(from) && !at.After(to) {
				return at
			}
		}
	}
	return guess
}

func onDay(day, hour time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), hour.Hour(), hour.Minute(), hour.Second(), hour.Nanosecond(), day.Location())
}

// corrections tells what people have corrected, and what was read.
func corrections(t timeline.Timeline) (lines []string) {
	for _, e := range t.Events {
		if e.Kind != journal.Correction || e.Fact.Value == nil {
			continue
		}
		i := t.Instant(timeline.Name(e.Fact.Instant))
		line := fmt.Sprintf("corrected: %s %s", brief(e.Fact.Instant), e.Fact.Value.Local().Format(time.TimeOnly))
		if i.Corrected && i.At.Equal(*e.Fact.Value) {
			read := "not seen to happen"
			if !i.Original.IsZero() {
				read = "read as " + i.Original.Local().Format(time.TimeOnly)
			}
			line += ", " + read
		} else {
			line += ", corrected again since"
		}
		lines = append(lines, line+" ("+brief(strings.TrimPrefix(e.Fact.By+": "+e.Fact.Why, ": "))+")")
	}
	return lines
}
