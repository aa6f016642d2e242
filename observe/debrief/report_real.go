package debrief

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// RealIncident is an incident that was no drill, as the pager's own analytics tell it.
type RealIncident struct {
	ID           string
	Service      string
	Type         string // its incident type, where the account has them
	CreatedAt    time.Time
	AcknowledgeS *float64 // until the first acknowledge; nil: never
	ResolveS     *float64 // until it was resolved; nil: not yet, or unknown
}

// Beside is how long real incidents of one service took, to see beside its drills.
type Beside struct {
	Environment string              `json:"environment"`
	Service     string              `json:"service"` // its id
	Since       time.Time           `json:"since"`
	Until       time.Time           `json:"until"`
	Incidents   int                 `json:"incidents"` // that are no drill's
	Drills      int                 `json:"drills"`    // left out, for a drill caused them
	Estimates   map[string]Estimate `json:"estimates"` // acknowledge, resolve: as of drills, from when the incident opened
	Unknown     string              `json:"unknown,omitempty"`
}

// drillType is the incident type that drills' incidents have where the account knows it.
const drillType = "drill"

// BesideOf folds the real incidents of a service. What a drill caused, by its id or its type, is left out. An incident that is still
// open is censored at until; one that was resolved without an acknowledge is censored there.
func BesideOf(b Beside, all []RealIncident, drills []string) Beside {
	var rows []Row
	for _, in := range all {
		if slices.Contains(drills, in.ID) || strings.EqualFold(in.Type, drillType) {
			b.Drills++
			continue
		}
		open := b.Until.Sub(in.CreatedAt).Seconds()
		if in.ResolveS != nil {
			open = *in.ResolveS
		}
		r := Row{Run: in.ID, Outcome: "real", Seconds: map[string]*float64{"acknowledge": in.AcknowledgeS, "resolve": in.ResolveS},
			CensoredS: map[string]*float64{}}
		for name, s := range r.Seconds {
			if s == nil && open > 0 {
				r.CensoredS[name] = &open
			}
		}
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(x, y Row) int { return strings.Compare(x.Run, y.Run) })
	b.Incidents = len(rows)
	b.Estimates = map[string]Estimate{"acknowledge": estimate(rows, "acknowledge"), "resolve": estimate(rows, "resolve")}
	return b
}

func (b Beside) text() string {
	head := fmt.Sprintf("real incidents of %s in %s, %s to %s: ", clean(b.Service), clean(b.Environment),
		b.Since.UTC().Format(time.DateOnly), b.Until.UTC().Format(time.DateOnly))
	if b.Unknown != "" {
		return head + "unknown: " + clean(b.Unknown) + "\n"
	}
	head += fmt.Sprint(b.Incidents)
	if b.Drills > 0 {
		head += fmt.Sprintf(" (%d of drills left out)", b.Drills)
	}
	return head + "\n" + estimatesTable(b.Estimates)
}
