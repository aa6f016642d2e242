package debrief_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/firedrill/firedrill/internal/journal"
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

// The number of series depends on files, never on how often or by whom drills are run, nor on what happens in them.
func TestCardinality(t *testing.T) {
	base := load(t, "met")
	run := func(i int) timeline.Timeline {
		events := slices.Clone(base)
		for j := range events {
			e := &events[j]
			e.Run = fmt.Sprintf("01run%06d", i)
			e.At = e.At.AddDate(0, 0, i)
			if e.Fact.Human != nil {
				e.Fact.By, e.Fact.User = fmt.Sprintf("Person %d", i), fmt.Sprintf("P%06d", i)
			}
			if e.Fact.Incident != "" {
				e.Fact.Incident, e.Fact.Title = fmt.Sprintf("Q%06d", i), fmt.Sprintf("title %d", i)
			}
		}
		last := events[len(events)-1]
		for _, role := range []journal.Role{journal.RoleRipple, journal.RoleOther, journal.RoleWatch} {
			last.Kind, last.Fact = journal.AlarmFired, journal.Fact{Alarm: fmt.Sprintf("alarm-of-pod-%d", i), Role: role}
			events = append(events[:len(events)-1:len(events)-1], last, events[len(events)-1])
		}
		return timeline.Of(events, last.At.Add(time.Hour))
	}
	var many []timeline.Timeline
	for i := range 1000 {
		many = append(many, run(i))
	}
	few, all := textfile(t, many[:10]), textfile(t, many) // ten have a p90
	if a, b := strings.Count(few, "\n"), strings.Count(all, "\n"); a != b {
		t.Errorf("ten runs make %d lines, a thousand make %d", a, b)
	}
	for _, stranger := range []string{"01run", "Person", "P0000", "Q0000", "title", "pod"} {
		if strings.Contains(all, stranger) {
			t.Errorf("a label holds %q", stranger)
		}
	}
}

func TestLabelsOfStrangers(t *testing.T) {
	for _, hostile := range []string{"a\xff\"b\n", "d\\", "", "{}", "\x00", strings.Repeat("ö", 100_000), "\u202e"} {
		x := later(t, "met", 0)
		x.Brief.Team, x.Brief.Drill, x.Brief.Environment, x.Brief.Watch = hostile, hostile, hostile, []string{hostile}
		text := textfile(t, []timeline.Timeline{x})
		parser := expfmt.NewTextParser(model.UTF8Validation)
		if _, err := parser.TextToMetricFamilies(strings.NewReader(text)); err != nil {
			t.Errorf("%.20q: %v", hostile, err)
		}
		if len(text) > 1<<20 {
			t.Errorf("%.20q makes %d bytes", hostile, len(text))
		}
	}
}

// promtool is Prometheus' own opinion, where it is installed.
func TestPromtool(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed: apt-get install prometheus")
	}
	c := exec.CommandContext(t.Context(), tool, "check", "metrics")
	c.Stdin = strings.NewReader(textfile(t, append(year(), drilled(12, 3)...)))
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// The page tells every metric with its type and labels, and no other.
func TestTheMetricsPageIsTrue(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(firedrill_\\w+)` \\| (\\w+) \\| `([a-z ]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		labels := strings.Fields(m[3])
		slices.Sort(labels)
		told[m[1]] = m[2] + " " + strings.Join(labels, " ")
	}
	r, err := debrief.Collect(append(year(), drilled(12)...))
	if err != nil {
		t.Fatal(err)
	}
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]string{}
	for _, f := range families {
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		slices.Sort(labels)
		has[f.GetName()] = strings.ToLower(f.GetType().String()) + " " + strings.Join(labels, " ")
	}
	if diff := cmp.Diff(has, told); diff != "" {
		t.Errorf("docs/metrics.md is not what the program has (-has +told):\n%s", diff)
	}
}
