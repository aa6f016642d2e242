package debrief

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// Report is the trend of drills: every run of each, oldest first.
type Report struct {
	Drills []Trend  `json:"drills"`
	Groups []Group  `json:"groups,omitempty"` // where another grouping was asked for
	Real   []Beside `json:"real,omitempty"`   // real incidents of the same services, where they were asked for
}

// Trend is one drill in one environment.
type Trend struct {
	Drill       string              `json:"drill"`
	Team        string              `json:"team"`
	Environment string              `json:"environment"`
	Sentence    string              `json:"sentence"` // how the last run compares with the one before
	Runs        []Row               `json:"runs"`
	Median      map[string]*float64 `json:"median"` // p50_s of Estimates, by interval
	Outcomes    map[string]int      `json:"outcomes"`
	Estimates   map[string]Estimate `json:"estimates"` // by interval
}

// Row is one run.
type Row struct {
	Run       string                     `json:"run"`
	At        time.Time                  `json:"at"`      // when it was planned
	Outcome   string                     `json:"outcome"` // empty while it goes on
	Seconds   map[string]*float64        `json:"seconds"` // by interval; null where there is none
	ErrorS    map[string]*float64        `json:"error_s"`
	CensoredS map[string]*float64        `json:"censored_s"` // it took longer than this: it had not ended when the run stopped looking
	Reasons   map[string]timeline.Reason `json:"reasons"`    // of the nulls in seconds
	Incidents []string                   `json:"incidents"`  // ids of the pager's incidents that the drill caused
}

// ReportOf makes the report of runs, in whatever order they come.
func ReportOf(runs []timeline.Timeline) Report {
	r := Report{Drills: []Trend{}}
	for _, t := range oldestFirst(runs) {
		i := slices.IndexFunc(r.Drills, func(x Trend) bool {
			return x.Drill == t.Brief.Drill && x.Environment == t.Brief.Environment
		})
		if i < 0 {
			i = len(r.Drills)
			r.Drills = append(r.Drills, Trend{Drill: t.Brief.Drill, Environment: t.Brief.Environment})
		}
		x := &r.Drills[i]
		x.Team = cmp.Or(t.Brief.Team, x.Team)
		x.Runs = append(x.Runs, row(t))
	}
	slices.SortStableFunc(r.Drills, func(a, b Trend) int {
		return cmp.Or(cmp.Compare(a.Drill, b.Drill), cmp.Compare(a.Environment, b.Environment))
	})
	for i := range r.Drills {
		x := &r.Drills[i]
		x.Outcomes, x.Estimates, x.Median = outcomes(x.Runs), estimates(x.Runs), map[string]*float64{}
		for _, name := range phases() {
			x.Median[name] = x.Estimates[name].P50S
		}
		x.Sentence = sentence(x)
	}
	return r
}

func oldestFirst(runs []timeline.Timeline) []timeline.Timeline {
	runs = slices.Clone(runs)
	slices.SortStableFunc(runs, func(a, b timeline.Timeline) int {
		return cmp.Or(a.Planned.Compare(b.Planned), cmp.Compare(a.Run, b.Run))
	})
	return runs
}

// phases are the intervals, in their usual order.
func phases() []string {
	return []string{"effective", "detect", "page", "acknowledge", "mitigate", "resolve", "restore"}
}

func row(t timeline.Timeline) Row {
	r := Row{Run: t.Run, At: t.Planned.UTC(), Outcome: string(t.Outcome), Seconds: map[string]*float64{},
		ErrorS: map[string]*float64{}, CensoredS: map[string]*float64{}, Reasons: map[string]timeline.Reason{}, Incidents: Incidents(t)}
	for _, name := range phases() {
		i := t.Interval(name)
		r.Seconds[name], r.ErrorS[name], r.CensoredS[name] = nil, nil, nil
		if !i.Known {
			r.Reasons[name] = i.Reason
			if i.CensoredS > 0 {
				c := round(i.CensoredS)
				r.CensoredS[name] = &c
			}
			continue
		}
		s, e := round(i.Seconds), round(i.ErrorS)
		r.Seconds[name], r.ErrorS[name] = &s, &e
	}
	return r
}

func round(s float64) float64 { return math.Round(s*1e6) / 1e6 }

// Incidents are the ids of the pager's incidents that the drill caused: of our page, of what is watched, and of its
// ripples. Whoever reckons how long real incidents take leaves them out.
func Incidents(t timeline.Timeline) []string {
	ids := []string{}
	for _, e := range t.Events {
		if e.Kind != journal.IncidentOpened || e.Fact.Incident == "" || slices.Contains(ids, e.Fact.Incident) {
			continue
		}
		switch e.Fact.Role {
		case journal.RoleOurs, journal.RoleWatch, journal.RoleRipple:
			ids = append(ids, e.Fact.Incident)
		}
	}
	return ids
}

// JSON writes the report for programs.
func (r Report) JSON(w io.Writer) error { return writeJSON(w, "report", r) }

func writeJSON(w io.Writer, what string, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write %s: %w", what, err)
	}
	return nil
}
