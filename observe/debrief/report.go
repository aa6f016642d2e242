package debrief

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/firedrill/firedrill/observe/timeline"
)

// Report is the trend of drills: every run of each, oldest first.
type Report struct {
	Drills []Trend `json:"drills"`
}

// Trend is one drill in one environment.
type Trend struct {
	Drill       string              `json:"drill"`
	Team        string              `json:"team"`
	Environment string              `json:"environment"`
	Sentence    string              `json:"sentence"` // how the last run compares with the one before
	Runs        []Row               `json:"runs"`
	Median      map[string]*float64 `json:"median"` // seconds by interval, from three known ones on; else null
}

// Row is one run.
type Row struct {
	Run     string                     `json:"run"`
	At      time.Time                  `json:"at"`      // when it was planned
	Outcome string                     `json:"outcome"` // empty while it goes on
	Seconds map[string]*float64        `json:"seconds"` // by interval; null where there is none
	ErrorS  map[string]*float64        `json:"error_s"`
	Reasons map[string]timeline.Reason `json:"reasons"` // of the nulls
}

// medianFrom is how many known intervals a median needs.
const medianFrom = 3

// ReportOf makes the report of runs, in whatever order they come.
func ReportOf(runs []timeline.Timeline) Report {
	runs = slices.Clone(runs)
	slices.SortStableFunc(runs, func(a, b timeline.Timeline) int {
		return cmp.Or(a.Planned.Compare(b.Planned), cmp.Compare(a.Run, b.Run))
	})
	r := Report{Drills: []Trend{}}
	for _, t := range runs {
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
		x.Median = map[string]*float64{}
		for _, name := range phases() {
			x.Median[name] = median(x.Runs, name)
		}
		x.Sentence = sentence(x)
	}
	return r
}

// phases are the intervals, in their usual order.
func phases() []string {
	return []string{"effective", "detect", "page", "acknowledge", "mitigate", "resolve", "restore"}
}

func row(t timeline.Timeline) Row {
	r := Row{Run: t.Run, At: t.Planned.UTC(), Outcome: string(t.Outcome), Seconds: map[string]*float64{},
		ErrorS: map[string]*float64{}, Reasons: map[string]timeline.Reason{}}
	for _, name := range phases() {
		i := t.Interval(name)
		r.Seconds[name], r.ErrorS[name] = nil, nil
		if !i.Known {
			r.Reasons[name] = i.Reason
			continue
		}
		s, e := round(i.Seconds), round(i.ErrorS)
		r.Seconds[name], r.ErrorS[name] = &s, &e
	}
	return r
}

func round(s float64) float64 { return math.Round(s*1e6) / 1e6 }

func median(runs []Row, name string) *float64 {
	var all []float64
	for _, r := range runs {
		if s := r.Seconds[name]; s != nil {
			all = append(all, *s)
		}
	}
	if len(all) < medianFrom {
		return nil
	}
	slices.Sort(all)
	m := all[len(all)/2]
	if len(all)%2 == 0 {
		m = (m + all[len(all)/2-1]) / 2
	}
	return &m
}

// sentence compares the last run in which the fault was felt with the one before: detection where the drill expects
// it, else acknowledgement, else restoring.
func sentence(x *Trend) string {
	whose := clean(cmp.Or(x.Team, x.Drill))
	where := fmt.Sprintf(" (%s, %s)", clean(x.Drill), clean(x.Environment))
	var felt []Row
	for _, r := range x.Runs {
		if r.Outcome != "" && r.Seconds["effective"] != nil {
			felt = append(felt, r)
		}
	}
	if len(felt) == 0 {
		return whose + ": no run has been measured yet" + where
	}
	last := felt[len(felt)-1]
	for _, p := range []struct{ name, did, not string }{{"detect", "detected", "not detected"},
		{"acknowledge", "acknowledged", "not acknowledged"}, {"restore", "put back", "not put back"}} {
		if why := last.Reasons[p.name]; why == timeline.Reported || why == timeline.NotWatched {
			continue
		}
		text := p.not
		if s := last.Seconds[p.name]; s != nil {
			text = p.did + " in " + Seconds(*s)
		}
		for i := len(felt) - 2; i >= 0; i-- {
			if s := felt[i].Seconds[p.name]; s != nil {
				return whose + ": " + text + ", was " + Seconds(*s) + where
			}
		}
		return whose + ": " + text + ", for the first time measured" + where
	}
	return whose + ": " + last.Outcome + where
}

// Text writes the report for people: one sentence a drill first, then every run.
func (r Report) Text(w io.Writer) error {
	var b strings.Builder
	if len(r.Drills) == 0 {
		b.WriteString("no runs\n")
	}
	for _, x := range r.Drills {
		b.WriteString(x.Sentence + "\n")
	}
	for _, x := range r.Drills {
		fmt.Fprintf(&b, "\n%s in %s\n", clean(x.Drill), clean(x.Environment))
		tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		_, err := io.WriteString(tw, x.table())
		if err = errors.Join(err, tw.Flush()); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// table is every run, with tabs between its cells.
func (x Trend) table() string {
	lines := []string{"when\trun\toutcome\t" + strings.Join(phases(), "\t")}
	for _, row := range x.Runs {
		lines = append(lines, fmt.Sprintf("%s\t%s\t%s\t%s", row.At.UTC().Format("2006-01-02 15:04"), row.Run, cmp.Or(row.Outcome, "goes on"), cells(row.Seconds)))
	}
	if len(x.Runs) >= medianFrom {
		lines = append(lines, "\t\tmedian\t"+cells(x.Median))
	}
	return strings.Join(lines, "\n") + "\n"
}

func cells(seconds map[string]*float64) string {
	var out []string
	for _, name := range phases() {
		text := "–"
		if s := seconds[name]; s != nil {
			text = Seconds(*s)
		}
		out = append(out, text)
	}
	return strings.Join(out, "\t")
}

// JSON writes the report for programs.
func (r Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
