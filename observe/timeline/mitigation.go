package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// Mender says what kind of hand mended it.
type Mender string

// The kinds of hands.
const (
	ByPerson     Mender = "person"     // one that the trail of the account names
	ByAutomation Mender = "automation" // auto scaling, a deploy, terraform, a service
	ByItself     Mender = "itself"     // nobody touched it, and the trail says so
	ByUs         Mender = "us"         // the drill put it back, and nobody had before
	ByUnknown    Mender = "unknown"    // it was mended, or changed, and nobody can say by whom
)

// Mitigation is who made it stop hurting. Nobody is credited without evidence.
type Mitigation struct {
	Kind Mender    `json:"kind"`          // empty while nobody has
	Who  string    `json:"who,omitempty"` // as the trail names them
	How  string    `json:"how,omitempty"` // what they did, or what kind of machine it was
	Why  string    `json:"why"`           // the evidence, for people
	At   time.Time `json:"at"`            // zero: unknown
}

// reach is how much later than the mending a change may be stamped and still have caused it: CloudTrail tells whole
// seconds.
const reach = 2 * time.Second

// Mitigation tells who or what mended the run's faults: a change that the trail names, before we put anything back; a
// change that only our undo found; nobody; or our undo.
func (t Timeline) Mitigation() Mitigation {
	f := foldOf(t.Events)
	events, _ := straighten(t.Events)
	effective := t.Instant(Effective)
	if effective.At.IsZero() {
		return Mitigation{Why: "the fault was never felt"}
	}
	m := t.Instant(Mitigated)
	found := theirs(t.Faults)
	if m.Corrected && m.Original.IsZero() {
		m.At = time.Time{} // somebody says when; who, nobody has said
	}
	if !m.At.IsZero() || found != "" {
		until := m.At.Add(m.Late)
		if m.At.IsZero() {
			until = f.revert
		}
		return f.credit(t, events, until.Add(reach), m.At, found)
	}
	switch {
	case f.reverted.IsZero():
		return Mitigation{Why: "it is not mended yet"}
	case t.Left():
		return Mitigation{Kind: ByUnknown, Why: "it was not mended, and something could not be put back"}
	}
	why := "our change was still in place when we put it back, and it still hurt"
	if m.Reason == NotFelt || m.Reason == NotWatched || m.Reason == Unknown {
		why = "our change was still in place when we put it back; whether it still hurt, nothing tells"
	}
	return Mitigation{Kind: ByUs, How: "put back at the end of the drill", At: f.reverted, Why: why}
}

// theirs says what our undo found changed by somebody else's hand.
func theirs(faults []Fault) string {
	for _, x := range faults {
		switch x.How {
		case "already_restored":
			return x.ID + " had been put back when we came to do it"
		case "diverged":
			return x.ID + " had been changed when we came to put it back"
		}
	}
	return ""
}

// credit names the hand behind the last change that the trail shows before it was well again.
func (f *Fold) credit(t Timeline, events []journal.Event, until, at time.Time, found string) Mitigation {
	caughtUp, last, lastAt := false, journal.Event{}, time.Time{}
	for _, e := range events {
		if e.Kind != journal.ChangeSeen || e.Fact.Err != "" {
			continue
		}
		s := place(e, f.clocks)
		caughtUp = caughtUp || !s.hi.Before(until.Add(-reach)) // it is late by minutes: what it shows is not all yet
		if e.Fact.How == ourHand && !f.bySwitch(s) || s.hi.Before(t.Instant(Effective).At) || s.lo.After(until) || s.at.Before(lastAt) {
			continue
		}
		last, lastAt = e, s.at
	}
	if !lastAt.IsZero() {
		return named(last, lastAt)
	}
	m := Mitigation{Kind: ByUnknown, At: at}
	switch {
	case found != "" && caughtUp:
		m.Why = found + ", and the trail of the account does not say by whom"
	case found != "":
		m.Why = found + ": by somebody or something; CloudTrail has not said by whom"
	case caughtUp:
		m.Kind, m.Why = ByItself, "it was well again while our change was still in place, and the trail of the account shows nobody else's"
	default:
		m.Why = "it was well again while our change was still in place: worked round by somebody, or healed by itself; CloudTrail has not said"
	}
	return m
}

// ourHand is how a change of ours is told.
const ourHand = "firedrill"

// bySwitch says that a change of ours is none that the run itself made: after all that it put in, before it put anything
// back. Then its dead-man's switch did.
func (f *Fold) bySwitch(s span) bool {
	return s.lo.After(f.appliedLast) && !f.revert.IsZero() && s.hi.Before(f.revert)
}

// named is the credit for a change that the trail shows.
func named(e journal.Event, at time.Time) Mitigation {
	who, did := cmp.Or(e.Fact.By, "somebody"), cmp.Or(e.Fact.Text, "a change")
	m := Mitigation{Kind: ByAutomation, Who: e.Fact.By, How: e.Fact.How, At: at}
	m.Why = fmt.Sprintf("the trail of the account shows %s by %s", did, who)
	if where := shortName(e.Fact.Target); where != "" {
		m.Why += " on " + where
	}
	switch e.Fact.How {
	case "person":
		m.Kind, m.How = ByPerson, did
	case ourHand:
		m.Kind, m.Who, m.How = ByUs, "", "put back by the dead-man's switch"
		m.Why += ": our dead-man's switch"
	case "autoscaling":
		m.Why += ": auto scaling"
	case "deploy":
		m.Why += ": a deploy"
	case "terraform":
		m.Why += ": terraform apply"
	case "service":
		m.Why += ": a service of AWS"
	default:
		m.Kind = ByUnknown
		m.Why += ": whether a person or a machine is not known"
	}
	return m
}

// shortName is the last part of an ARN.
func shortName(arn string) string {
	parts := strings.FieldsFunc(arn, func(r rune) bool { return r == ':' || r == '/' })
	if len(parts) == 0 {
		return ""
	}
	return parts[len(parts)-1]
}

// Ringing lists the watched alarms that rang before the drill and were not heard to stop: they could not ring for it.
func (t Timeline) Ringing() (names []string) {
	f := foldOf(t.Events)
	state := map[string]bool{}
	events, _ := straighten(t.Events)
	for _, e := range events {
		if e.Fact.Role != journal.RoleWatch || e.Kind != journal.AlarmFired && e.Kind != journal.AlarmCleared {
			continue
		}
		if s := place(e, f.clocks); f.prepared.IsZero() || s.at.Before(f.prepared) {
			state[e.Fact.Alarm] = e.Kind == journal.AlarmFired
		}
	}
	for name, on := range state {
		if on && !slices.ContainsFunc(f.fired, func(e journal.Event) bool {
			return e.Fact.Alarm == name && !place(e, f.clocks).at.Before(f.prepared)
		}) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
