package debrief_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

// drilled are n runs of a drill, one a day: detected after 10 s, 20 s and so on; those in silent not at all.
func drilled(n int, silent ...int) (runs []timeline.Timeline) {
	const alarm = "alarm orders-write-throttled"
	for i := range n {
		p := practice{drill: "throttle", env: "staging", day: i, watch: []string{alarm}, rang: map[string]int{alarm: 10 * (i + 1)}}
		if slices.Contains(silent, i) {
			p.rang = nil
		}
		runs = append(runs, p.timeline())
	}
	return runs
}

func TestEstimates(t *testing.T) {
	value := func(s *float64) string {
		if s == nil {
			return "null"
		}
		return fmt.Sprint(*s)
	}
	for _, c := range []struct {
		name     string
		runs     []timeline.Timeline
		n, cens  int
		p50, p90 string
		listed   int
	}{
		{"two are too few", drilled(2), 2, 0, "null too_few", "null too_few", 2},
		{"three make a p50", drilled(3), 3, 0, "20", "null too_few", 3},
		{"what was not detected counts among them", drilled(3, 2), 3, 1, "20", "null too_few", 3},
		{"and makes it longer: it was not left out", drilled(5, 0, 1), 5, 2, "50", "null too_few", 5},
		{"where most were not detected there is a bound only", drilled(5, 0, 1, 2), 5, 3, "null not_reached", "null too_few", 5},
		{"nine are listed", drilled(9), 9, 0, "50", "null too_few", 9},
		{"ten make a p90", drilled(10), 10, 0, "50", "90", 0},
		{"two of ten not detected: there is no p90", drilled(10, 3, 4), 10, 2, "70", "null not_reached", 0},
		{"none", nil, 0, 0, "null too_few", "null too_few", 0},
	} {
		runs := append(c.runs, practice{drill: "throttle", env: "staging", day: 20, watch: []string{"x"}, refused: true}.timeline(),
			practice{drill: "throttle", env: "staging", day: 21, watch: []string{"x"}, neverFelt: true}.timeline())
		e := debrief.ReportOf(runs).Drills[0].Estimates["detect"]
		got50, got90 := strings.TrimSpace(value(e.P50S)+" "+e.Reasons["p50"]), strings.TrimSpace(value(e.P90S)+" "+e.Reasons["p90"])
		if e.N != c.n || e.Censored != c.cens || got50 != c.p50 || got90 != c.p90 || len(e.Values) != c.listed || e.Excluded != 1 {
			t.Errorf("%s: %+v p50 %s p90 %s", c.name, e, got50, got90)
		}
		if len(c.runs) > 0 && *debrief.ReportOf(runs).Drills[0].Estimates["restore"].OverS != 1 {
			t.Errorf("%s: restore is not known", c.name)
		}
	}
}

// A run that goes on has no say: those of its times that are known already are the short ones.
func TestARunThatGoesOnHasNoSay(t *testing.T) {
	runs := drilled(3)
	going := drilled(4)[3]
	runs = append(runs, timeline.Of(going.Events[:5], going.Events[4].At.Add(time.Minute)))
	r := debrief.ReportOf(runs).Drills[0]
	if e := r.Estimates["detect"]; e.N != 3 || r.Outcomes["goes on"] != 1 {
		t.Errorf("%+v %v", e, r.Outcomes)
	}
}

func TestGroups(t *testing.T) {
	runs := append(year(), drilled(3)...)
	runs[0].Brief.Team = "web"
	for by, want := range map[string]string{
		"drill":       "[sandbox/throttle:1 staging/errors:2 staging/poison:1 staging/throttle:7]",
		"team":        "[sandbox/orders:1 staging/orders:9 staging/web:1]",
		"environment": "[sandbox/sandbox:1 staging/staging:10]",
		"month":       "[sandbox/2026-11:1 staging/2026-11:10]",
	} {
		groups, err := debrief.GroupsOf(runs, by)
		var got []string
		for _, g := range groups {
			got = append(got, fmt.Sprintf("%s/%s:%d", g.Environment, g.Key, g.Runs))
		}
		if fmt.Sprint(got) != want || err != nil {
			t.Errorf("by %s: %v %v, want %s", by, got, err, want)
		}
	}
	for _, by := range []string{"person", "user", "", "run"} {
		if _, err := debrief.GroupsOf(runs, by); err == nil {
			t.Errorf("grouped by %q", by)
		}
	}
	r := debrief.ReportOf(runs)
	r.Groups, _ = debrief.GroupsOf(runs, "team")
	var b strings.Builder
	if err := r.Text(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "report-by-team.txt", b.String())
}

func TestBetween(t *testing.T) {
	runs := drilled(5)
	from, to := runs[1].Planned, runs[3].Planned
	for want, got := range map[int][]timeline.Timeline{5: debrief.Between(runs, time.Time{}, time.Time{}), 4: debrief.Between(runs, from, time.Time{}),
		3: debrief.Between(runs, time.Time{}, to), 2: debrief.Between(runs, from, to)} {
		if len(got) != want {
			t.Errorf("%d runs, want %d", len(got), want)
		}
	}
	if len(runs) != 5 || runs[4].Run == "" {
		t.Error("the runs themselves were changed")
	}
}

// No page and no table of a report knows a person, whatever the journal says of them.
func TestAReportKnowsNobody(t *testing.T) {
	var runs []timeline.Timeline
	for i, name := range []string{"met", "undetected", "report"} {
		runs = append(runs, later(t, name, i))
	}
	people := map[string]bool{}
	for _, r := range runs {
		for _, e := range r.Events {
			if e.Fact.Human != nil || e.Kind == journal.IncidentNotified {
				people[e.Fact.By], people[e.Fact.User] = true, true
			}
		}
	}
	delete(people, "")
	if len(people) < 2 {
		t.Fatalf("the journals name %v only", people)
	}
	all := ""
	write := func(err error, b *strings.Builder) {
		if err != nil {
			t.Fatal(err)
		}
		all += b.String()
	}
	r := debrief.ReportOf(runs)
	r.Groups, _ = debrief.GroupsOf(runs, "team")
	for _, f := range []func(*strings.Builder) error{
		func(b *strings.Builder) error { return r.Text(b) }, func(b *strings.Builder) error { return r.JSON(b) },
		func(b *strings.Builder) error { return debrief.ReportOf(runs).Text(b) }, func(b *strings.Builder) error { return debrief.CSV(b, runs) },
		func(b *strings.Builder) error { return debrief.CoverageIn(runs).Text(b) }, func(b *strings.Builder) error { return debrief.CoverageIn(runs).JSON(b) },
	} {
		var b strings.Builder
		write(f(&b), &b)
	}
	all += textfile(t, runs)
	for who := range people {
		if regexp.MustCompile(`\b` + regexp.QuoteMeta(who) + `\b`).MatchString(all) {
			t.Errorf("a report names %s", who)
		}
	}
}

// Whatever the runs are like, a page is a hundred columns wide at most.
func TestAReportFits(t *testing.T) {
	var runs []timeline.Timeline
	for i := range 9 {
		x := later(t, []string{"met", "undetected", "dirty", "interrupted"}[i%4], i)
		x.Run = fmt.Sprintf("01kb2s%05d%015d", i, 7)
		for j := range x.Intervals {
			if x.Intervals[j].Known {
				x.Intervals[j].Seconds = float64(3599 + 36000*(i%2))
			}
		}
		runs = append(runs, x)
	}
	var b strings.Builder
	if err := debrief.ReportOf(runs).Text(&b); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestBesideRealIncidents(t *testing.T) {
	until := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	in := func(id, kind string, hours int, ack, resolve float64) debrief.RealIncident {
		r := debrief.RealIncident{ID: id, Type: kind, Service: "PORDERS", CreatedAt: until.Add(-time.Duration(hours) * time.Hour)}
		if ack > 0 {
			r.AcknowledgeS = &ack
		}
		if resolve > 0 {
			r.ResolveS = &resolve
		}
		return r
	}
	all := []debrief.RealIncident{in("Q1", "incident_default", 90, 60, 600), in("Q2", "", 80, 30, 300), in("Q3", "", 70, 0, 900), in("Q4", "", 1, 120, 0),
		in("QOURS", "", 60, 1, 2), in("QDRILL", "Drill", 50, 1, 2)}
	b := debrief.BesideOf(debrief.Beside{Environment: "staging", Service: "PORDERS", Since: until.AddDate(0, 0, -90), Until: until}, all, []string{"QOURS", "QELSE"})
	if b.Incidents != 4 || b.Drills != 2 {
		t.Errorf("%+v", b)
	}
	ack, resolve := b.Estimates["acknowledge"], b.Estimates["resolve"]
	if ack.N != 4 || ack.Censored != 1 || *ack.P50S != 60 || *ack.OverS != 900 { // resolved after 900 s, and nobody had answered
		t.Errorf("%+v", ack)
	}
	if resolve.N != 4 || resolve.Censored != 1 || *resolve.P50S != 600 || *resolve.OverS != 3600 { // one is open since an hour
		t.Errorf("%+v", resolve)
	}
	r := debrief.ReportOf(drilled(3))
	r.Real = []debrief.Beside{b, debrief.BesideOf(debrief.Beside{Environment: "staging", Service: "PWEB", Since: b.Since, Until: until, Unknown: "may not be read"}, nil, nil)}
	var text strings.Builder
	if err := r.Text(&text); err != nil {
		t.Fatal(err)
	}
	golden(t, "report-real.txt", text.String())
}
