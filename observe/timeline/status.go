package timeline

import (
	"encoding/json"
	"math"
	"time"
)

// Status is a run as `status RUN -o json` prints it: null for what did not happen.
type Status struct {
	Run         string              `json:"run"`
	Drill       string              `json:"drill"`
	Environment string              `json:"environment"`
	Outcome     *Outcome            `json:"outcome"` // null while it goes on
	Times       Times               `json:"times"`
	Seconds     Seconds             `json:"seconds"`
	Reasons     map[string]Reason   `json:"reasons"` // of every null in times and seconds, by name
	Faults      []StatusFault       `json:"faults"`
	Expect      []StatusExpectation `json:"expect"`
	Corrected   []StatusCorrection  `json:"corrected,omitempty"` // instants that a person has corrected
}

// StatusCorrection is what a person has corrected, beside what was read.
type StatusCorrection struct {
	Instant string  `json:"instant"`
	Time    string  `json:"time"`
	Read    *string `json:"read"` // null: it had not been seen to happen
	By      string  `json:"by"`
	Why     string  `json:"why"`
}

// Times are the seven instants, RFC 3339 in UTC, on the runner's clock.
type Times struct {
	Effective    *string `json:"effective"`
	Detected     *string `json:"detected"`
	Paged        *string `json:"paged"`
	Acknowledged *string `json:"acknowledged"`
	Mitigated    *string `json:"mitigated"`
	Resolved     *string `json:"resolved"`
	Restored     *string `json:"restored"`
}

// Seconds are the seven intervals.
type Seconds struct {
	Effective   *float64 `json:"effective"`
	Detect      *float64 `json:"detect"`
	Page        *float64 `json:"page"`
	Acknowledge *float64 `json:"acknowledge"`
	Mitigate    *float64 `json:"mitigate"`
	Resolve     *float64 `json:"resolve"`
	Restore     *float64 `json:"restore"`
}

// StatusFault is one fault of a Status.
type StatusFault struct {
	ID     string  `json:"id"`
	Kind   string  `json:"kind"`
	Target string  `json:"target"`
	State  string  `json:"state"`
	How    *string `json:"how"`
	Left   *string `json:"left"`
}

// StatusExpectation is one expectation of a Status.
type StatusExpectation struct {
	Name    string   `json:"name"`
	LimitS  float64  `json:"limit_s"`
	ActualS *float64 `json:"actual_s"`
	ErrorS  *float64 `json:"error_s"`
	Verdict string   `json:"verdict"`
}

// Status tells the run as one reads it in a script.
func (t Timeline) Status() Status {
	s := Status{Run: t.Run, Drill: t.Brief.Drill, Environment: t.Brief.Environment, Reasons: map[string]Reason{},
		Faults: []StatusFault{}, Expect: []StatusExpectation{}}
	if t.Outcome != "" {
		s.Outcome = &t.Outcome
	}
	for i, to := range []**string{&s.Times.Effective, &s.Times.Detected, &s.Times.Paged, &s.Times.Acknowledged,
		&s.Times.Mitigated, &s.Times.Resolved, &s.Times.Restored} {
		x := t.Instant(Names()[i])
		if x.At.IsZero() {
			s.Reasons[string(x.Name)] = x.Reason
			continue
		}
		at := rfc3339(x.At)
		*to = &at
		if x.Corrected {
			c := StatusCorrection{Instant: string(x.Name), Time: at, By: x.CorrectedBy, Why: x.CorrectedWhy}
			if !x.Original.IsZero() {
				read := rfc3339(x.Original)
				c.Read = &read
			}
			s.Corrected = append(s.Corrected, c)
		}
	}
	for i, to := range []**float64{&s.Seconds.Effective, &s.Seconds.Detect, &s.Seconds.Page, &s.Seconds.Acknowledge,
		&s.Seconds.Mitigate, &s.Seconds.Resolve, &s.Seconds.Restore} {
		x := t.Interval(legs()[i].name)
		if !x.Known {
			s.Reasons[x.Name] = x.Reason
			continue
		}
		*to = micro(x.Seconds)
	}
	for _, f := range t.Faults {
		s.Faults = append(s.Faults, StatusFault{f.ID, f.Kind, f.Target, f.State, text(f.How), text(f.Left)})
	}
	for _, v := range t.Expect {
		x := StatusExpectation{Name: v.Name, LimitS: v.LimitS, Verdict: v.Verdict}
		if v.Known {
			x.ActualS, x.ErrorS = micro(v.ActualS), micro(v.ErrorS)
		}
		s.Expect = append(s.Expect, x)
	}
	return s
}

// StatusJSON is the Status of a run in JSON, indented, with a newline at its end.
func StatusJSON(t Timeline) ([]byte, error) {
	b, err := json.MarshalIndent(t.Status(), "", "  ")
	return append(b, '\n'), err
}

func rfc3339(t time.Time) string { return t.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano) }

func micro(s float64) *float64 {
	s = math.Round(s*1e6) / 1e6
	return &s
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Left says whether anything may still be in place.
func (t Timeline) Left() bool {
	for _, f := range t.Faults {
		if f.InPlace() {
			return true
		}
	}
	return false
}
