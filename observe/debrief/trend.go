package debrief

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/firedrill/firedrill/observe/timeline"
)

// How many runs a quantile takes. Below p90From every value is listed, for a quantile would hide that there are few.
const (
	p50From = 3
	p90From = 10
)

// Why a quantile has no value.
const (
	TooFew     = "too_few"     // n is below 3 for p50, below 10 for p90
	NotReached = "not_reached" // so many runs did not get so far that only a lower bound is known: OverS
)

// Estimate is how long one interval takes over several runs: Kaplan–Meier, so that a run in which something did not
// happen weighs as what it was, longer than the run looked, and never as a number.
type Estimate struct {
	N        int               `json:"n"`        // runs that count: known and censored
	Censored int               `json:"censored"` // of these, had not ended when the run stopped looking
	Excluded int               `json:"excluded"` // runs that say nothing of it: not watched, reported, unknown
	P50S     *float64          `json:"p50_s"`
	P90S     *float64          `json:"p90_s"`
	Reasons  map[string]string `json:"reasons"` // of a null p50 or p90
	OverS    *float64          `json:"over_s"`  // the longest that anybody looked: what was not reached is longer
	Values   []Value           `json:"values"`  // below n = 10 every one, shortest first; else empty
}

// Value is one run's share in an Estimate.
type Value struct {
	Run      string  `json:"run"`
	Seconds  float64 `json:"seconds"`
	Censored bool    `json:"censored"` // it took longer than this
}

// estimate folds one interval of runs. Refused runs, and those that go on, are no part of it.
func estimate(rows []Row, name string) Estimate {
	e := Estimate{Reasons: map[string]string{}, Values: []Value{}}
	var all []Lasted
	for _, r := range rows {
		if !r.counts() {
			continue
		}
		v := Value{Run: r.Run}
		switch known, open := r.Seconds[name], r.CensoredS[name]; {
		case known != nil:
			v.Seconds = *known
		case open != nil:
			v.Seconds, v.Censored = *open, true
			e.Censored++
		default:
			e.Excluded++
			continue
		}
		e.Values = append(e.Values, v)
		all = append(all, Lasted{v.Seconds, v.Censored})
	}
	e.N = len(all)
	slices.SortStableFunc(e.Values, func(a, b Value) int {
		return cmp.Or(cmp.Compare(a.Seconds, b.Seconds), cmp.Compare(truth(a.Censored), truth(b.Censored)))
	})
	if e.N > 0 {
		longest := e.Values[e.N-1].Seconds
		e.OverS = &longest
	}
	curve := KaplanMeier(all)
	e.P50S = e.quantile(curve, "p50", 0.5, p50From)
	e.P90S = e.quantile(curve, "p90", 0.9, p90From)
	if e.N >= p90From {
		e.Values = []Value{}
	}
	return e
}

func (e *Estimate) quantile(curve Survival, name string, p float64, from int) *float64 {
	if e.N < from {
		e.Reasons[name] = TooFew
		return nil
	}
	s, ok := curve.Quantile(p)
	if !ok {
		e.Reasons[name] = NotReached
		return nil
	}
	return &s
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// counts says that a run has a say in estimates: it has ended, and something was practised.
func (r Row) counts() bool { return r.Outcome != "" && r.Outcome != string(timeline.Refused) }

// estimates are those of all seven intervals.
func estimates(rows []Row) map[string]Estimate {
	all := map[string]Estimate{}
	for _, name := range phases() {
		all[name] = estimate(rows, name)
	}
	return all
}

// Group is several runs of one environment that have something in common: what is practised in a sandbox and what in
// staging is never mixed.
type Group struct {
	By          string              `json:"by"`  // drill, team, environment, month
	Key         string              `json:"key"` // its name; a month is 2026-11, in UTC; empty: those without a team
	Environment string              `json:"environment"`
	Runs        int                 `json:"runs"`
	Outcomes    map[string]int      `json:"outcomes"`
	Estimates   map[string]Estimate `json:"estimates"`
}

// Groupings are what runs can be grouped by. There is none by person, and there will be none.
func Groupings() []string { return []string{"drill", "team", "environment", "month"} }

// GroupsOf groups runs by one of Groupings, in order of environment and key.
func GroupsOf(runs []timeline.Timeline, by string) ([]Group, error) {
	if !slices.Contains(Groupings(), by) {
		return nil, fmt.Errorf("group runs by %q: it is one of %v", by, Groupings())
	}
	type key struct{ env, name string }
	rows := map[key][]Row{}
	var keys []key
	for _, t := range runs {
		b := t.Brief
		name := map[string]string{"drill": b.Drill, "team": b.Team, "environment": b.Environment,
			"month": t.Planned.UTC().Format("2006-01")}[by]
		k := key{b.Environment, name}
		if rows[k] == nil {
			keys = append(keys, k)
		}
		rows[k] = append(rows[k], row(t))
	}
	slices.SortFunc(keys, func(a, b key) int { return cmp.Or(cmp.Compare(a.env, b.env), cmp.Compare(a.name, b.name)) })
	groups := []Group{}
	for _, k := range keys {
		groups = append(groups, Group{By: by, Key: k.name, Environment: k.env, Runs: len(rows[k]),
			Outcomes: outcomes(rows[k]), Estimates: estimates(rows[k])})
	}
	return groups, nil
}

// goesOn is the outcome of a run that has none yet.
const goesOn = "goes on"

func outcomes(rows []Row) map[string]int {
	count := map[string]int{}
	for _, r := range rows {
		count[cmp.Or(r.Outcome, goesOn)]++
	}
	return count
}

// Between keeps the runs that were planned from since on and before until; a zero time is no bound.
func Between(runs []timeline.Timeline, since, until time.Time) []timeline.Timeline {
	return slices.DeleteFunc(slices.Clone(runs), func(t timeline.Timeline) bool {
		return !since.IsZero() && t.Planned.Before(since) || !until.IsZero() && !t.Planned.Before(until)
	})
}
