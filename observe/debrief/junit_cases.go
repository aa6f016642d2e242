package debrief

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/firedrill/firedrill/observe/timeline"
)

// Result is how one case of a Suite ended, in the words of test reports.
type Result string

// The results.
const (
	Passed  Result = "passed"
	Failure Result = "failure" // people or alarms were late
	Error   Result = "error"   // the drill itself did not go as drills go, or something is left
	Skipped Result = "skipped" // not now, or nobody can say
)

// Case is one thing that a run was to show.
type Case struct {
	Name    string // drill, an expectation's, or put back
	Result  Result
	Says    string  // why it did not pass, as a sentence; empty where it did
	Seconds float64 // how long it took; 0 where that is not known
}

// Suite is one run as test reports tell it: the drill as a whole, each expectation, and whether everything was put back.
type Suite struct {
	Drill, Environment, Team, Run string
	Outcome                       string // empty where it never came to one
	Summary                       string // a paragraph
	Began                         time.Time
	Seconds                       float64
	Cases                         []Case
}

// Names of the cases that are no expectation.
const (
	CaseDrill   = "drill"
	CasePutBack = "put back"
)

// SuiteOf makes the suite of a run. It is green where, and only where, the run's exit code is 0; a run that may start later
// is skipped.
func SuiteOf(t timeline.Timeline) Suite {
	b := t.Brief
	s := Suite{Drill: clean(b.Drill), Environment: clean(b.Environment), Team: clean(b.Team), Run: t.Run, Outcome: string(t.Outcome),
		Summary: summary(t), Began: t.Planned, Cases: []Case{drillCase(t)}}
	if end := t.Ended; !end.IsZero() {
		s.Seconds = max(0, end.Sub(t.Planned).Seconds())
	}
	if t.Prepared.IsZero() {
		return s // nothing was changed: there is nothing to expect, and nothing to put back
	}
	for _, v := range t.Expect {
		s.Cases = append(s.Cases, expected(v))
	}
	s.Cases = append(s.Cases, putBack(t))
	return s
}

// NotRun is the suite of a drill that has no run to tell of: it was refused before there was a journal, or it was given up.
func NotRun(drill, environment, run, why string, later bool) Suite {
	c := Case{Name: CaseDrill, Result: Error, Says: fullStop(why)}
	if later {
		c.Result = Skipped
	}
	return Suite{Drill: clean(drill), Environment: clean(environment), Run: run, Summary: c.Says, Cases: []Case{c}}
}

// drillCase is the run as a whole. What missed its time stands with its expectation.
func drillCase(t timeline.Timeline) Case {
	c := Case{Name: CaseDrill, Result: Error}
	why := strings.TrimSuffix(clean(reason(t)), ".")
	switch t.Outcome {
	case timeline.Met, timeline.Missed:
		c.Result = Passed
		return c
	case timeline.Undetected:
		c.Result, c.Says = Failure, "Undetected: no alarm of theirs saw it before our page."
	case timeline.Unanswered:
		c.Result, c.Says = Failure, "Unanswered: somebody was paged, and no person acknowledged."
	case timeline.Invalid:
		c.Says = "Invalid: the fault went in and was never felt, so no times are claimed."
	case timeline.Refused:
		c.Says = "Not injecting: " + why + "."
		if t.Later {
			c.Result, c.Says = Skipped, "Not now: "+why+"."
		}
	case timeline.Dirty:
		c.Says = "Dirty: something could not be put back."
	case "":
		c.Says = "It has not ended."
	default:
		o := string(t.Outcome) // aborted, interrupted, failed
		c.Says = fullStop(strings.ToUpper(o[:1]) + o[1:] + ": " + why)
	}
	return c
}

// expected is one expectation as a case.
func expected(v timeline.Verdict) Case {
	c := Case{Name: clean(v.Name), Seconds: max(0, v.ActualS)}
	name := cmp.Or(c.Name, "it")
	switch {
	case v.Verdict == "met":
		c.Result = Passed
	case v.Verdict != "missed":
		c.Result, c.Says = Skipped, fmt.Sprintf("Nobody can say whether %s was within %s: %s.", name, Seconds(v.LimitS), because(timeline.Instant{Reason: v.Reason}))
	case v.Known:
		c.Result, c.Says = Failure, fmt.Sprintf("Missed: %s took %s, and %s was expected at most.", name, WithBar(v.ActualS, v.ErrorS), Seconds(v.LimitS))
	default:
		c.Result, c.Says = Failure, fmt.Sprintf("Missed: %s was expected within %s: %s.", name, Seconds(v.LimitS), because(timeline.Instant{Reason: v.Reason}))
	}
	return c
}

// putBack says whether the world reads as before.
func putBack(t timeline.Timeline) Case {
	c := Case{Name: CasePutBack, Result: Passed}
	if i := t.Interval("restore"); i.Known {
		c.Seconds = max(0, i.Seconds)
	}
	var left []string
	for _, f := range t.Faults {
		if f.InPlace() {
			left = append(left, cmp.Or(clean(f.Left), clean(f.ID)))
		}
	}
	switch {
	case len(left) > 0:
		c.Result, c.Says = Error, fmt.Sprintf("Left in place: %s. Try: firedrill recover %s", strings.Join(left, "; "), t.Run)
	case t.Outcome == timeline.Dirty:
		for _, l := range t.LeftAtEnd {
			left = append(left, clean(l))
		}
		c.Result, c.Says = Error, fmt.Sprintf("Everything is put back, and all is not well: %s. Try: firedrill status %s", strings.Join(left, "; "), t.Run)
	}
	return c
}

// fullStop ends a text as sentences end.
func fullStop(s string) string {
	if s = clean(s); s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}
