package drills

import (
	"slices"
	"strings"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// Together says no to runs that cannot be on at the same time: two that change one target would take each other's fault
// for what was there before, and of two that page one service nobody could tell who answered which.
func Together(plans []*Plan) *Refusal {
	for i, p := range plans {
		for _, q := range plans[:i] {
			const try = "run them one after the other"
			for _, arn := range p.Leases() {
				if slices.Contains(q.Leases(), arn) {
					return refuse("together", try, "%s and %s both change %s", q.Drill, p.Drill, arn)
				}
			}
			if p.Page.Service != "" && p.Page.Service == q.Page.Service {
				return refuse("together", try, "%s and %s both page service %s, where nobody could tell one from the other", q.Drill, p.Drill, p.Page.Service)
			}
		}
	}
	return nil
}

// Introduce lets runs that are on at the same time know of each other: an alarm that one of them watches, or takes into
// account, may ring because of it, and is no reason for the others to end.
func Introduce(runs []*Preview) {
	for i, v := range runs {
		p := v.Plan
		ripples := slices.Clone(p.Ripples)
		for j, other := range runs {
			if i == j {
				continue
			}
			for _, name := range slices.Concat(other.Plan.alarms(other.Plan.Watch), other.spec.Ripples) {
				if p.alarmRole(name) == journal.RoleOther && !slices.Contains(ripples, name) {
					ripples = append(ripples, name)
				}
			}
		}
		p.Ripples, v.Brief.Ripples = ripples, ripples
	}
}

// sister says that an incident is the page of another drill and holds nothing else: it is nobody's real incident, and
// none of ours.
func sister(run string, in observe.Incident) bool {
	for _, a := range in.Alerts {
		of, page := strings.CutPrefix(a.Key, Dedup(""))
		if real := strings.Contains(of, "/"); !page || real || of == run { // what a drill has left in place is real
			return false
		}
	}
	return len(in.Alerts) > 0
}

// sistersPage says that an incident that is none of the run's is another drill's.
func (s *State) sistersPage(in observe.Incident, role journal.Role) bool {
	return role == journal.RoleOther && s.People.incidents[in.ID] == nil && sister(s.Run, in)
}
