package debrief_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

func textfile(t *testing.T, runs []timeline.Timeline) string {
	t.Helper()
	r, err := debrief.Collect(runs)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := debrief.Textfile(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestMetrics(t *testing.T) {
	going := timeline.Of(load(t, "met")[:9], load(t, "met")[9].At)
	text := textfile(t, []timeline.Timeline{later(t, "undetected", 3), later(t, "met", 1), later(t, "dirty", 2), later(t, "refused", 9), going})
	golden(t, "metrics.prom", text)
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	for _, line := range []string{
		`firedrill_runs_total{drill="orders-write-throttle",environment="staging",outcome="refused",team="orders"} 1`,
		`firedrill_fault_in_place{drill="orders-write-throttle",environment="staging",kind="dynamodb.throttle"} 2`,
		`firedrill_last_run_seconds{drill="orders-write-throttle",environment="staging",phase="acknowledge",team="orders"} 22`,
		`firedrill_run_seconds_count{drill="orders-write-throttle",environment="staging",outcome="met",phase="detect",team="orders"} 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("missing: %s", line)
		}
	}
	if strings.Contains(text, `firedrill_last_run_seconds{drill="orders-write-throttle",environment="staging",phase="detect"`) {
		t.Error("the last run was not detected, and yet has a time for it")
	}
}

// The number of series depends on files, never on how often or by whom drills are run.
func TestCardinality(t *testing.T) {
	one, many := []timeline.Timeline{later(t, "met", 0)}, []timeline.Timeline(nil)
	for i := range 200 {
		many = append(many, later(t, "met", i))
	}
	if a, b := strings.Count(textfile(t, one), "\n"), strings.Count(textfile(t, many), "\n"); a != b {
		t.Errorf("one run makes %d lines, 200 make %d", a, b)
	}
}

func TestLabelsOfStrangers(t *testing.T) {
	x := later(t, "met", 0)
	x.Brief.Team, x.Brief.Drill = "a\xff\"b\n", "d\\"
	textfile(t, []timeline.Timeline{x})
}
