package drills

import (
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// expectation is one line of the drill's expect as it stands: met, or until when it can be.
type expectation struct {
	name string
	met  bool
	by   time.Time // when we would know; zero while what it counts from has not happened
}

// effectiveBy is how long a fault may take to be felt where the drill does not say.
const effectiveBy = 15 * time.Minute

// expectations lists what the drill expects, and always that the fault becomes effective.
func (s *State) expectations() []expectation {
	x := s.Plan.Expect
	from := func(t time.Time, d time.Duration) time.Time {
		if t.IsZero() {
			return t
		}
		return t.Add(d)
	}
	applied := time.Time{}
	for i := range s.Faults {
		if f := &s.Faults[i]; !f.AppliedAt.IsZero() && applied.IsZero() {
			applied = f.AppliedAt
		}
	}
	effective := x.Effective
	if effective == 0 {
		effective = effectiveBy
	}
	list := []expectation{{"effective", !s.Effective.IsZero(), from(applied, effective)}}
	if x.Detect > 0 {
		list = append(list, expectation{"detect", s.People.detected, from(s.Effective, x.Detect+s.news(max(s.Plan.Pace.Alarm, s.Plan.Pace.Pager)))})
	}
	all, byHuman, _ := s.People.resolved()
	paged := s.pagedAt()
	if x.Acknowledge > 0 {
		list = append(list, expectation{"acknowledge", !s.People.acked.IsZero(), from(paged, x.Acknowledge+s.news(s.Plan.Pace.Pager))})
	}
	if x.Mitigate > 0 {
		list = append(list, expectation{"mitigate", s.mitigated(), from(s.Effective, x.Mitigate)})
	}
	if x.Resolve > 0 {
		list = append(list, expectation{"resolve", all && byHuman, from(s.Effective, x.Resolve+s.news(s.Plan.Pace.Pager))})
	}
	return list
}

// news is how long what happened at the last moment may take to reach us: a pager or a cloud is looked at once in a pace,
// half as often when it is quiet, and a look takes a while. Whether it came in time its own stamp says.
func (s *State) news(pace time.Duration) time.Duration { return 3 * pace }

// pagedAt is when somebody was first told, as far as a decision needs it: our page, or an incident of theirs.
func (s *State) pagedAt() time.Time {
	for _, e := range s.Events {
		if in := s.People.incidents[e.Fact.Incident]; e.Kind == journal.IncidentNotified && in != nil && in.ours() {
			return e.At
		}
	}
	return s.Paged
}

// mitigated: the effect ceased by another's hand while the fault was held.
func (s *State) mitigated() bool {
	for i := range s.Faults {
		if f := &s.Faults[i]; f.Phase == Applied && (f.Effective.IsZero() || f.Ceased.Before(f.Effective)) {
			return false
		}
	}
	return !s.Effective.IsZero() && s.steady()
}

// goodInARow is how many good readings make a steady state: one may be luck.
const goodInARow = 3

// steady says that every steady probe has been good for a while.
func (s *State) steady() bool {
	for _, p := range s.Plan.Steady {
		if s.Good[p.Label] < goodInARow {
			return false
		}
	}
	return true
}

// quietFor is how long a drill waits for a person to resolve an incident that monitoring has resolved.
const quietFor = 10 * time.Second

// holdEnded: people have resolved it and all is well; or every expectation is decided and nobody has answered; or
// nothing is left to wait for, because their monitoring resolved the incident and the effect has gone.
func (s *State) holdEnded(now time.Time) bool {
	applied, settled := 0, 0
	for i := range s.Faults {
		switch s.Faults[i].Phase {
		case Applied:
			applied++
		case Idle: // one that is still to come does not keep the others in place
		case Settled:
			settled++
		default:
			return false
		}
	}
	if applied == 0 {
		return settled == len(s.Faults) // nothing is in place, and nothing is to come
	}
	if all, byHuman, since := s.People.resolved(); all && s.steady() {
		if byHuman || (s.mitigated() && !now.Before(since.Add(quietFor))) {
			return true
		}
	}
	return s.People.acked.IsZero() && (s.decided(now) || s.unanswered(now))
}

// unanswered: nobody has acknowledged by the time the drill gives them, and nobody has closed it either. A drill that
// people do not answer is not held until its limit.
func (s *State) unanswered(now time.Time) bool {
	_, byHuman, _ := s.People.resolved()
	for _, x := range s.expectations() {
		if x.name == "acknowledge" && !x.met && !byHuman {
			return !x.by.IsZero() && !now.Before(x.by)
		}
	}
	return false
}

// decided says that nothing the drill expects can change any more. A fault that never became effective decides all;
// an expectation that counts from something that has not happened waits for what it hangs on.
func (s *State) decided(now time.Time) bool {
	list := s.expectations()
	if first := list[0]; !first.met {
		return !first.by.IsZero() && !now.Before(first.by)
	}
	if len(list) == 1 {
		return false // nothing is expected: people have until the limit
	}
	for _, x := range list {
		if x.met || (!x.by.IsZero() && !now.Before(x.by)) {
			continue
		}
		return false
	}
	return true
}

// verbOf is the verb that an action's id begins with.
func verbOf(id string) Verb {
	v, _, _ := strings.Cut(id, "/")
	return Verb(v)
}

func itoa(n int) string { return strconv.Itoa(n) }
