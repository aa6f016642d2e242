package debrief_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

// later is a kept journal as another run, some days later.
func later(t *testing.T, name string, days int) timeline.Timeline {
	t.Helper()
	events := load(t, name)
	move := func(at *time.Time) {
		if at != nil {
			*at = at.AddDate(0, 0, days)
		}
	}
	for i := range events {
		e := &events[i]
		e.Run = "01run" + string(rune('a'+days))
		move(&e.At)
		move(e.Fact.LookedAt)
		move(e.Fact.Value)
		if e.Seen != nil {
			move(&e.Seen.At)
		}
	}
	return timeline.Of(events, events[len(events)-1].At)
}

// quicker moves the alarm.
func quicker(x timeline.Timeline, by time.Duration) timeline.Timeline {
	events := append([]journal.Event(nil), x.Events...)
	for i, e := range events {
		if e.Kind == journal.AlarmFired {
			seen := *e.Seen
			seen.At = seen.At.Add(-by)
			events[i].Seen, events[i].At = &seen, e.At.Add(-by)
		}
	}
	return timeline.Of(events, x.Now)
}

func TestReport(t *testing.T) {
	runs := []timeline.Timeline{ // in no order
		quicker(later(t, "met", 3), 20*time.Second), later(t, "met", 1), later(t, "undetected", 2), quicker(later(t, "met", 0), 10*time.Second),
		later(t, "report", 5), later(t, "refused", 6),
	}
	for i := range runs[4:5] {
		runs[4+i].Brief.Drill = "web-page-errors-no-alarm"
		runs[4+i].Brief.Team = ""
	}
	r := debrief.ReportOf(runs)
	var b strings.Builder
	if err := r.Text(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.txt", b.String())
	first, _, _ := strings.Cut(b.String(), "\n")
	if first != "orders: detected in 40 s, was 1m01s (orders-write-throttle, staging)" {
		t.Error(first)
	}
	b.Reset()
	if err := r.JSON(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.json", b.String())
	var back debrief.Report
	if err := json.Unmarshal([]byte(b.String()), &back); err != nil || len(back.Drills) != 2 || *back.Drills[0].Median["detect"] != 50.5 {
		t.Errorf("%v %+v", err, back)
	}
}

func TestReportOfNothing(t *testing.T) {
	var b strings.Builder
	if err := debrief.ReportOf(nil).Text(&b); err != nil || b.String() != "no runs\n" {
		t.Errorf("%q %v", b.String(), err)
	}
	b.Reset()
	if err := debrief.ReportOf(nil).JSON(&b); err != nil || !strings.Contains(b.String(), `"drills": []`) {
		t.Errorf("%q %v", b.String(), err)
	}
}

func TestSentences(t *testing.T) {
	for want, names := range map[string][]string{
		"not detected, was 1m01s ":              {"met", "undetected"},
		"detected in 1m01s, for the first time": {"met"},
		"no run has been measured yet":          {"invalid", "refused"},
		"acknowledged in 50 s, for the":         {"report"},
	} {
		var runs []timeline.Timeline
		for i, n := range names {
			runs = append(runs, later(t, n, i))
		}
		if got := debrief.ReportOf(runs).Drills[0]; !strings.Contains(got.Sentence, want) || got.Median["detect"] != nil {
			t.Errorf("%v: %s, want %s", names, got.Sentence, want)
		}
	}
}
