package debrief

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// How an alarm stands in a drill.
const (
	Rang       = "rang"        // in the last run in which the fault was felt
	Silent     = "silent"      // it was to see it, and did not
	NotDrilled = "not_drilled" // no run of the drill has put it to the test
)

// Coverage says which alarms have been put to the test, by which drill, and whether they rang.
type Coverage struct {
	Environments []CoverageOf `json:"environments"`
}

// CoverageOf is the matrix of one environment: every drill with every alarm. What only some drill names, as something
// to watch, is not drilled by the others.
type CoverageOf struct {
	Environment string   `json:"environment"`
	Drills      []string `json:"drills"`
	Alarms      []string `json:"alarms"` // whatever is watched: alarms, probes, incidents, as the files name them
	Cells       []Cell   `json:"cells"`  // every drill × every alarm
	Ripples     []Cell   `json:"ripples"`
}

// Cell is one alarm in one drill.
type Cell struct {
	Drill    string   `json:"drill"`
	Alarm    string   `json:"alarm"`
	State    string   `json:"state"` // rang, silent, not_drilled: of the last run that put it to the test
	Run      string   `json:"run,omitempty"`
	LatencyS *float64 `json:"latency_s"` // from effective until it rang, in the last run; null unless it rang
	OverS    *float64 `json:"over_s"`    // with silent: it was waited for so long
	Tests    int      `json:"tests"`     // runs that put it to the test
	Rang     int      `json:"rang"`      // of these, so many in which it rang
	Estimate Estimate `json:"estimate"`  // over time
	History  string   `json:"history"`   // oldest first: R rang, s silent
}

// CoverageIn folds runs into the matrix. A run puts what it watches to the test when its fault was felt, and it was
// not ended before that had its time; what rings before the undo has rung. Ripples stand apart: they may ring or not, at any time until the run ends.
func CoverageIn(runs []timeline.Timeline) Coverage {
	byEnv := map[string]*matrix{}
	var names []string
	for _, t := range oldestFirst(runs) {
		env := t.Brief.Environment
		if byEnv[env] == nil {
			byEnv[env] = &matrix{tests: map[cellKey][]test{}, ripples: map[cellKey][]test{}}
			names = append(names, env)
		}
		byEnv[env].add(t)
	}
	slices.Sort(names)
	c := Coverage{Environments: []CoverageOf{}}
	for _, env := range names {
		c.Environments = append(c.Environments, byEnv[env].coverage(env))
	}
	return c
}

// JSON writes the matrix for programs.
func (c Coverage) JSON(w io.Writer) error { return writeJSON(w, "alarm coverage", c) }

// CSV writes one line a cell, ripples marked.
func (c Coverage) CSV(w io.Writer) error {
	lines := [][]string{{"environment", "drill", "alarm", "role", "state", "latency_s", "over_s", "tests", "rang", "p50_s", "history", "run"}}
	for _, env := range c.Environments {
		for i, cell := range slices.Concat(env.Cells, env.Ripples) {
			role := journal.RoleWatch
			if i >= len(env.Cells) {
				role = journal.RoleRipple
			}
			lines = append(lines, []string{env.Environment, cell.Drill, cell.Alarm, string(role), cell.State, number(cell.LatencyS), number(cell.OverS),
				number(count(cell.Tests)), number(count(cell.Rang)), number(cell.Estimate.P50S), cell.History, cell.Run})
		}
	}
	return writeCSV(w, lines)
}

func count(n int) *float64 {
	f := float64(n)
	return &f
}

type cellKey struct{ drill, alarm string }

// test is one alarm in one run.
type test struct {
	run  string
	rang bool
	s    float64 // until it rang, or how long it was waited for
}

type matrix struct {
	drills, alarms []string
	tests, ripples map[cellKey][]test
}

func (m *matrix) add(t timeline.Timeline) {
	b := t.Brief
	if !slices.Contains(m.drills, b.Drill) {
		m.drills = append(m.drills, b.Drill)
	}
	for _, w := range b.Watch {
		if !slices.Contains(m.alarms, w) {
			m.alarms = append(m.alarms, w)
		}
	}
	zero := t.Instant(timeline.Effective).At
	if zero.IsZero() || t.Outcome == "" || t.Outcome == timeline.Refused {
		return
	}
	rang, ripples := rings(t, zero)
	end := stoppedLooking(t)
	for _, w := range b.Watch {
		one := test{run: t.Run, s: round(end.Sub(zero).Seconds())}
		if s, ok := rang[w]; ok {
			one.rang, one.s = true, s
		}
		if one.rang || one.s > 0 && !cutShort(t, one.s) {
			m.tests[cellKey{b.Drill, w}] = append(m.tests[cellKey{b.Drill, w}], one)
		}
	}
	for name, s := range ripples {
		m.ripples[cellKey{b.Drill, name}] = append(m.ripples[cellKey{b.Drill, name}], test{t.Run, true, s})
	}
}

// cutShort says that a run was ended early, before what it watches had the time that the drill gives it: then it proves
// nothing that it was silent for so many seconds.
func cutShort(t timeline.Timeline, s float64) bool {
	if t.Reason == "" {
		return false
	}
	for _, x := range t.Brief.Expect {
		if x.Name == "detect" {
			return s < x.LimitS
		}
	}
	return true
}

// rings are what rang first and when, in seconds since t0: what is watched, by its label, until the undo; ripples, by
// the alarm's name, until the end.
func rings(t timeline.Timeline, zero time.Time) (watched, ripples map[string]float64) {
	watched, ripples = map[string]float64{}, map[string]float64{}
	end := stoppedLooking(t)
	for _, e := range t.Entries() {
		fact := t.Events[e.Event].Fact
		name := ringing(t.Brief, e.Kind, fact)
		if name == "" || e.At.Before(t.Prepared) {
			continue
		}
		into := ripples
		if fact.Role == journal.RoleWatch {
			if into = watched; e.At.After(end) {
				continue
			}
		}
		s := round(max(0, e.At.Sub(zero).Seconds()))
		if was, ok := into[name]; !ok || s < was {
			into[name] = s
		}
	}
	return watched, ripples
}

// ringing names what an entry says has rung, as the drill's file does.
func ringing(b journal.Brief, kind journal.Kind, fact journal.Fact) string {
	ripple := fact.Role == journal.RoleRipple
	if !ripple && fact.Role != journal.RoleWatch {
		return ""
	}
	switch {
	case kind == journal.AlarmFired && ripple:
		return fact.Alarm
	case kind == journal.AlarmFired:
		return labelled(b.Watch, fact.Alarm)
	case kind == journal.ProbeRead && fact.Reading == "bad":
		return fact.Probe
	case kind == journal.IncidentOpened && !ripple && fact.Probe != "":
		return fact.Probe
	case kind == journal.IncidentOpened && !ripple:
		return labelled(b.Watch, fact.Title)
	}
	return ""
}

// labelled finds the label that means a name: itself, or its kind and it.
func labelled(labels []string, name string) string {
	for _, l := range labels {
		if _, rest, ok := strings.Cut(l, " "); name != "" && (l == name || ok && rest == name) {
			return l
		}
	}
	return ""
}

// stoppedLooking is when the run began to put back, or ended: what did not ring until then was silent.
func stoppedLooking(t timeline.Timeline) time.Time {
	for _, i := range t.Instants {
		if i.Reason == timeline.Censored && i.Name != timeline.Restored && !i.Censored.IsZero() {
			return i.Censored
		}
	}
	for _, e := range t.Events {
		switch e.Kind {
		case journal.FaultReverted, journal.FaultRevertFailed, journal.AbortRequested, journal.RunFinished:
			if e.Fact.LookedAt != nil && e.Fact.LookedAt.Before(e.At) {
				return *e.Fact.LookedAt
			}
			return e.At
		}
	}
	return t.Ended
}

func (m *matrix) coverage(env string) CoverageOf {
	slices.Sort(m.drills)
	slices.Sort(m.alarms)
	c := CoverageOf{Environment: env, Drills: m.drills, Alarms: append([]string{}, m.alarms...), Cells: []Cell{}, Ripples: []Cell{}}
	for _, alarm := range m.alarms {
		for _, drill := range m.drills {
			c.Cells = append(c.Cells, cell(cellKey{drill, alarm}, m.tests[cellKey{drill, alarm}]))
		}
	}
	for k, tests := range m.ripples {
		c.Ripples = append(c.Ripples, cell(k, tests))
	}
	slices.SortFunc(c.Ripples, func(a, b Cell) int {
		return cmp.Or(cmp.Compare(a.Alarm, b.Alarm), cmp.Compare(a.Drill, b.Drill))
	})
	return c
}

func cell(k cellKey, tests []test) Cell {
	c := Cell{Drill: k.drill, Alarm: k.alarm, State: NotDrilled, Tests: len(tests)}
	var rows []Row
	for _, x := range tests {
		s := x.s
		r := Row{Run: x.run, Outcome: "tested", Seconds: map[string]*float64{}, CensoredS: map[string]*float64{}}
		c.Run, c.LatencyS, c.OverS = x.run, nil, nil
		if x.rang {
			c.State, c.LatencyS, r.Seconds["rang"] = Rang, &s, &s
			c.Rang++
			c.History += "R"
		} else {
			c.State, c.OverS, r.CensoredS["rang"] = Silent, &s, &s
			c.History += "s"
		}
		rows = append(rows, r)
	}
	c.Estimate = estimate(rows, "rang")
	return c
}
