package debrief

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/firedrill/firedrill/observe/timeline"
)

// Duration writes a duration as people say it: 4.2 s, 42 s, 4m10s, 1h02m.
func Duration(d time.Duration) string {
	if d < 0 {
		return "−" + Duration(-d)
	}
	switch {
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 59500*time.Millisecond:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour-500*time.Millisecond:
		d = d.Round(time.Second)
		if s := d % time.Minute; s != 0 {
			return fmt.Sprintf("%dm%02ds", d/time.Minute, s/time.Second)
		}
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
}

// Seconds is Duration of a number of seconds.
func Seconds(s float64) string { return Duration(time.Duration(s * float64(time.Second))) }

// WithBar writes seconds with how far the truth may be from them, both to the tenth, the bar rounded up: 4.2 s ± 0.3 s,
// 1m00.5s ± 0.5 s. In whole seconds the bar would no longer hold the truth.
func WithBar(s, bar float64) string {
	n := int64(math.Round(s * 10))
	text := fmt.Sprintf("%d.%d s", n/10, n%10)
	switch sec := n % 600; {
	case n >= 36000:
		text = fmt.Sprintf("%dh%02dm%02d.%ds", n/36000, n%36000/600, sec/10, sec%10)
	case n >= 600:
		text = fmt.Sprintf("%dm%02d.%ds", n/600, sec/10, sec%10)
	}
	return fmt.Sprintf("%s ± %.1f s", text, math.Ceil(max(0, bar*10-1e-6))/10)
}

// summary is a paragraph that anyone can read.
func summary(t timeline.Timeline) string {
	b := t.Brief
	said := []string{fmt.Sprintf("On %s a fire drill was held in %s: %s.", t.Planned.UTC().Format("2 January 2006"),
		clean(b.Environment), strings.TrimSuffix(clean(b.Title), "."))}
	add := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
	if t.Instant(timeline.Effective).At.IsZero() {
		return strings.Join(append(said, short(t)...), " ")
	}
	if i := t.Interval("effective"); i.Known {
		add("The fault was felt %s after it was put in.", Seconds(i.Seconds))
	} else {
		add("The fault was felt.")
	}
	said = append(said, people(t)...)
	switch i := t.Interval("mitigate"); {
	case i.Known:
		add("After %s users were well again.", Seconds(i.Seconds))
	case i.Reason == timeline.NotFelt:
		add("The steady state never got bad, so nobody can say when users were well again.")
	case i.Reason == timeline.NotWatched:
		add("Nothing looked at whether users were well.")
	case i.Reason == timeline.Censored:
		add("It was not mended before the drill put it back.")
	}
	if i := t.Interval("resolve"); i.Known {
		add("The incident was resolved after %s.", Seconds(i.Seconds))
	}
	return strings.Join(append(said, ended(t)...), " ")
}

// people says who was told, and how.
func people(t timeline.Timeline) (said []string) {
	add := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
	switch i := t.Interval("detect"); {
	case i.Known:
		add("%s detected it after %s.", upper(clean(t.Instant(timeline.Detected).By)), Seconds(i.Seconds))
	case i.Reason == timeline.Reported:
		add("No alarm was expected: people were told as on the card.")
	case i.Reason == timeline.Censored:
		add("No alarm saw it.")
	}
	switch page, ack := t.Interval("page"), t.Interval("acknowledge"); {
	case ack.Known:
		add("%s acknowledged %s after being paged.", upper(clean(t.Instant(timeline.Acknowledged).By)), Seconds(ack.Seconds))
	case page.Known && ack.Reason == timeline.Unknown:
		add("Somebody was paged after %s; whether a person acknowledged is not known.", Seconds(page.Seconds))
	case page.Known && t.Outcome != "":
		add("Somebody was paged after %s, and nobody acknowledged.", Seconds(page.Seconds))
	case page.Known:
		add("Somebody was paged after %s.", Seconds(page.Seconds))
	}
	return said
}

// short tells of a run without a fault that was felt.
func short(t timeline.Timeline) []string {
	switch t.Outcome {
	case timeline.Refused:
		for _, f := range t.Faults {
			if f.State != "idle" {
				return append([]string{"It was refused on the way in: " + strings.TrimSuffix(clean(t.Why), ".") + "."}, ended(t)...)
			}
		}
		return []string{"It was refused, and nothing was changed: " + strings.TrimSuffix(clean(t.Why), ".") + "."}
	case timeline.Invalid:
		return append([]string{"The fault was put in and never felt, so no times are claimed."}, ended(t)...)
	case "":
		return []string{"It goes on."}
	}
	return ended(t)
}

// ended says how it ended, and what the world is like.
func ended(t timeline.Timeline) (said []string) {
	switch t.Outcome {
	case "":
		return []string{"The drill goes on."}
	case timeline.Interrupted:
		said = append(said, "The drill was interrupted.")
	case timeline.Aborted:
		said = append(said, "The drill was ended early: "+strings.TrimSuffix(clean(reason(t)), ".")+".")
	case timeline.Failed:
		said = append(said, "The drill failed: "+strings.TrimSuffix(clean(reason(t)), ".")+".")
	}
	if t.Left() || t.Outcome == timeline.Dirty {
		return append(said, "Something could not be put back: see below, it needs a person now.")
	}
	if i := t.Interval("restore"); i.Known {
		return append(said, fmt.Sprintf("Everything reads back as before, %s after the undo began.", Seconds(i.Seconds)))
	}
	return said
}

func reason(t timeline.Timeline) string {
	if t.Why != "" {
		return t.Why
	}
	return strings.ReplaceAll(t.Reason, "_", " ")
}

func upper(s string) string {
	if s == "" {
		return "Somebody"
	}
	if strings.HasPrefix(s, "alarm ") || strings.HasPrefix(s, "incident ") || strings.HasPrefix(s, "http ") {
		return "The " + s
	}
	return s
}
