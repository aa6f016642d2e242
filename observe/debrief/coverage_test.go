package debrief_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

// practice is one run made by hand: what is watched, and when it rang, in seconds after the fault was felt.
type practice struct {
	drill, env string
	day        int
	watch      []string
	rang       map[string]int
	ripples    map[string]int
	refused    bool
	neverFelt  bool
}

func (p practice) timeline() timeline.Timeline {
	at := time.Date(2026, 11, 1+p.day, 10, 0, 0, 0, time.UTC)
	run := fmt.Sprintf("01run%s%02d", p.drill, p.day)
	var events []journal.Event
	add := func(s int, k journal.Kind, f journal.Fact) {
		events = append(events, journal.Event{V: 1, Run: run, Seq: int64(len(events)), Gen: 1, Kind: k, At: at.Add(time.Duration(s) * time.Second), Fact: f})
	}
	add(0, journal.RunPlanned, journal.Fact{Brief: &journal.Brief{Drill: p.drill, Team: "orders", Environment: p.env, PageWhen: "alarm", PageService: "PORDERS",
		Watch: p.watch, LimitS: 600, Faults: []journal.BriefFault{{ID: "f", Kind: "dynamodb.throttle"}}}})
	if p.refused {
		add(1, journal.GuardRefused, journal.Fact{Reason: "window"})
		add(2, journal.RunFinished, journal.Fact{Outcome: "refused"})
		return timeline.Of(events, at.Add(time.Hour))
	}
	add(1, journal.FaultPrepared, journal.Fact{Fault: "f"})
	add(2, journal.FaultApplied, journal.Fact{Fault: "f"})
	if !p.neverFelt {
		add(10, journal.FaultEffective, journal.Fact{Fault: "f"})
	}
	for name, s := range p.rang {
		if kind, rest, ok := strings.Cut(name, " "); ok && kind != "alarm" && kind != "incident" {
			add(10+s, journal.ProbeRead, journal.Fact{Probe: name, Role: journal.RoleWatch, Reading: "bad"})
		} else if kind == "incident" {
			add(10+s, journal.IncidentOpened, journal.Fact{Incident: "Q1", Title: rest, Role: journal.RoleWatch})
		} else {
			add(10+s, journal.AlarmFired, journal.Fact{Alarm: rest, Role: journal.RoleWatch})
		}
	}
	for name, s := range p.ripples {
		add(10+s, journal.AlarmFired, journal.Fact{Alarm: name, Role: journal.RoleRipple})
	}
	add(310, journal.FaultReverted, journal.Fact{Fault: "f", How: "restored"})
	add(311, journal.FaultSettled, journal.Fact{Fault: "f"})
	add(312, journal.RunFinished, journal.Fact{})
	return timeline.Of(events, at.Add(time.Hour))
}

// year is a year of drills in two environments.
func year() (runs []timeline.Timeline) {
	throttled, errors, probe := "alarm orders-write-throttled", "alarm orders-api-5xx", "http https://orders.example.com/health"
	for _, p := range []practice{
		{drill: "throttle", env: "staging", day: 1, watch: []string{throttled, probe}, rang: map[string]int{throttled: 60}},
		{drill: "throttle", env: "staging", day: 8, watch: []string{throttled, probe}, rang: map[string]int{throttled: 50, probe: 5}, ripples: map[string]int{"orders-api-5xx": 70, "orders-dlq-depth": 290}},
		{drill: "throttle", env: "staging", day: 15, watch: []string{throttled, probe}},
		{drill: "throttle", env: "staging", day: 22, watch: []string{throttled, probe}, rang: map[string]int{throttled: 40, probe: 6}},
		{drill: "errors", env: "staging", day: 2, watch: []string{errors}, neverFelt: true},
		{drill: "errors", env: "staging", day: 9, watch: []string{errors}, refused: true},
		{drill: "poison", env: "staging", day: 3, watch: []string{"incident Orders are stuck", "alarm orders-dlq-depth"}, rang: map[string]int{"incident Orders are stuck": 120, "alarm orders-dlq-depth": 400}},
		{drill: "throttle", env: "sandbox", day: 4, watch: []string{throttled}, rang: map[string]int{throttled: 3}},
	} {
		runs = append(runs, p.timeline())
	}
	return runs
}

func TestCoverage(t *testing.T) {
	c := debrief.CoverageIn(year())
	var b strings.Builder
	if err := c.Text(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "coverage.txt", b.String())
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(line); n > 101 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if len(c.Environments) != 2 || c.Environments[1].Environment != "staging" {
		t.Fatalf("%+v", c)
	}
	staging := c.Environments[1]
	if len(staging.Cells) != len(staging.Drills)*len(staging.Alarms) || len(staging.Drills) != 3 || len(staging.Alarms) != 5 {
		t.Errorf("%d cells of %v × %v", len(staging.Cells), staging.Drills, staging.Alarms)
	}
	for _, want := range []struct {
		drill, alarm, state, history string
		latency, over                float64
	}{
		{"throttle", "alarm orders-write-throttled", debrief.Rang, "RRsR", 40, 0},
		{"throttle", "http https://orders.example.com/health", debrief.Rang, "sRsR", 6, 0},
		{"throttle", "alarm orders-api-5xx", debrief.NotDrilled, "", 0, 0}, // it rang along, and that is a ripple
		{"errors", "alarm orders-api-5xx", debrief.NotDrilled, "", 0, 0},   // never felt and refused: not put to the test
		{"poison", "incident Orders are stuck", debrief.Rang, "R", 120, 0},
		{"poison", "alarm orders-dlq-depth", debrief.Silent, "s", 0, 300}, // after the undo it is too late
	} {
		for _, x := range staging.Cells {
			if x.Drill != want.drill || x.Alarm != want.alarm {
				continue
			}
			if x.State != want.state || x.History != want.history || (x.LatencyS == nil) != (want.latency == 0) || x.LatencyS != nil && *x.LatencyS != want.latency ||
				(x.OverS == nil) != (want.over == 0) || x.OverS != nil && *x.OverS != want.over {
				t.Errorf("%s × %s: %+v", x.Drill, x.Alarm, x)
			}
		}
	}
	throttled := staging.Cells[len(staging.Drills)*2+2]
	if e := throttled.Estimate; throttled.Drill != "throttle" || e.N != 4 || e.Censored != 1 || e.P50S == nil || *e.P50S != 50 {
		t.Errorf("%+v", throttled)
	}
	if len(staging.Ripples) != 2 || staging.Ripples[0].Alarm != "orders-api-5xx" || *staging.Ripples[0].LatencyS != 70 {
		t.Errorf("%+v", staging.Ripples)
	}
}

func TestCoverageForPrograms(t *testing.T) {
	var b strings.Builder
	if err := debrief.CoverageIn(year()).CSV(&b); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil || len(lines) != 1+15+2+1 {
		t.Errorf("%d lines, %v", len(lines), err)
	}
	b.Reset()
	if err := debrief.CoverageIn(nil).JSON(&b); err != nil || !strings.Contains(b.String(), `"environments": []`) {
		t.Errorf("%v %s", err, b.String())
	}
	b.Reset()
	if err := debrief.CoverageIn(nil).Text(&b); err != nil || b.String() != "no runs\n" {
		t.Errorf("%v %q", err, b.String())
	}
}

// Whatever others call their drills and alarms, and however many: a page stays one that people can read.
func TestCoverageFits(t *testing.T) {
	var runs []timeline.Timeline
	for i := range 15 {
		long := "alarm " + strings.Repeat("ö", 60) + fmt.Sprint(i)
		runs = append(runs, practice{drill: fmt.Sprintf("drill-with-a-name-that-goes-on-and-on-and-on-%d\x1b[31m\u202e", i), env: "staging", day: i,
			watch: []string{long}, rang: map[string]int{long: 5 * i}}.timeline())
	}
	var b strings.Builder
	if err := debrief.CoverageIn(runs).Text(&b); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\x1b\u202e") {
		t.Error("a name steers the terminal")
	}
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(line); n > 101 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}
